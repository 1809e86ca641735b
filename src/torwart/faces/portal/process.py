"""What each process asks, checks and does: documentation drawn from the definitions."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from torwart.faces._design.access import client_only, has_any
from torwart.faces.portal.draft import orderable, orderable_or_404
from torwart.kernel.role import Role


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/process/list.html", {"processes": orderable()})


@require_GET
@client_only
def page(request: HttpRequest, name: str) -> HttpResponse:
    """One process: its fields by section, what must be true, its steps, its result."""
    chosen = orderable_or_404(name)
    context = {
        "process": chosen,
        "sections": [(section, chosen.in_section(section.name)) for section in chosen.sections],
        "orderer": has_any(request, Role.CONTACT),
    }
    return render(request, "portal/process/page.html", context)
