"""„Was braucht mich?“: the first page says what waits for the person, what runs, and what has ended."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from torwart.faces._design.access import client_of, client_only, has_any
from torwart.faces.portal.draft import named
from torwart.kernel.client_state import ClientState
from torwart.kernel.contact_state import SECURE
from torwart.kernel.role import Role
from torwart.services import present
from torwart.store.queries import portal as queries


@require_GET
@client_only
def page(request: HttpRequest) -> HttpResponse:
    """The start page; while the client is being set up, what is still to be done stands first."""
    user: Any = request.user
    start = queries.start(client_of(request), user.pk, present.now())
    secure = {state.value for state in SECURE}
    tested = sum(contact.mail_state in secure for contact in start.contacts)
    context = {
        "start": start,
        "drafts": named(start.drafts),
        "onboarding": start.client.state == ClientState.ONBOARDING,
        "named": len(start.contacts),
        "tested": tested,
        "orderer": has_any(request, Role.CONTACT),
    }
    return render(request, "portal/start.html", context)
