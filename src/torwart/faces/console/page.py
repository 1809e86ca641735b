"""What all console pages share: what the person may do, one way to draw a page, one way to act and come back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from torwart.faces._design.access import has_any
from torwart.faces._design.language import active
from torwart.kernel.identifiers import CaseNumber, DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.services import present
from torwart.store.queries import case as queries
from torwart.store.queries import fleet


@dataclass(frozen=True, slots=True)
class May:
    """What the person's roles allow; a template draws an action only where its flag is set."""

    operate: bool
    approve: bool
    administer: bool
    audit: bool

    @classmethod
    def of(cls, request: HttpRequest) -> "May":
        roles = (Role.OPERATOR, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR)
        return cls(*(has_any(request, role) for role in roles))


def show(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Draw ``console/<template>.html``; it knows ``may`` and ``now`` besides ``context``."""
    known = {"may": May.of(request), "now": present.now()}
    return render(request, f"console/{template}.html", known | context, status=status)


def person_of(request: HttpRequest) -> int:
    """The id of the person who acts, behind the decorators of ``access``."""
    return int(request.user.pk)  # type: ignore[arg-type]  # somebody is signed in there


def act(request: HttpRequest, verb: Callable[[datetime], object], to: str, *, done: str) -> HttpResponse:
    """Do ``verb`` (given the present) and lead to ``to``, which says that it is ``done`` or why not."""
    try:
        verb(present.now())
    except Refusal as refusal:
        messages.error(request, refusal.text(active()))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(to)


def say(request: HttpRequest, text: str) -> None:
    """Say on the next page that something is done."""
    messages.success(request, text)


def own_path(request: HttpRequest, default: str) -> str:
    """Where a form says to go back to (``zurueck``): only to a page of the console, else ``default``."""
    path = request.POST.get("zurueck", "")
    plain = path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/konsole/") else default


def ticket_or_404(number: str) -> Any:
    """The ticket of that number, or 404."""
    try:
        canonical = CaseNumber.parse(number).ticket
    except Refusal:
        raise Http404 from None
    ticket = queries.ticket(canonical)
    if ticket is None:
        raise Http404
    return ticket


def gateway_or_404(device: str) -> Any:
    """The gateway of that id, or 404."""
    try:
        found = fleet.gateway(DeviceId.parse(device))
    except Refusal:
        raise Http404 from None
    if found is None:
        raise Http404
    return found


def plain(text: str, longest: int = 120) -> str:
    """What came with an address, without what no text of the database can hold, and no longer than makes sense."""
    return text.replace("\0", "").strip()[:longest]
