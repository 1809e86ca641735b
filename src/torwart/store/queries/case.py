"""One ticket with all that hangs on it, for the provider: its order and run, what was said, written, sent and done."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from torwart.store.models import (
    Approval,
    Attachment,
    AuditEntry,
    Exchange,
    MailIn,
    MailOut,
    Meter,
    Proposal,
    Step,
    Ticket,
    TicketEntry,
    User,
)

EXCHANGES = 60
AUDIT = 100


def ticket(number: str) -> Ticket | None:
    """The ticket with client, contact, gateway, assignee, order, the order's run and orderer beside it; one query."""
    beside = ("client", "contact", "gateway", "assignee", "order__run", "order__orderer", "order__gateway")
    return Ticket.objects.select_related(*beside).filter(number=number).first()


def steps(run: int) -> list[Step]:
    return list(Step.objects.filter(run=run).order_by("position"))


@dataclass(frozen=True, slots=True)
class Conversation:
    """``entries`` in the order they came, each with its mail; ``files`` of the ticket."""

    entries: list[TicketEntry]
    files: list[Attachment]


def conversation(ticket: int) -> Conversation:
    """Everything said and noted; two queries."""
    entries = TicketEntry.objects.filter(ticket=ticket).select_related("mail_in", "mail_out").order_by("id")
    entries = entries.defer("mail_in__raw", "mail_out__html", "mail_out__files")
    files = Attachment.objects.filter(ticket=ticket).defer("content").order_by("id")
    return Conversation(list(entries), list(files))


def file(ticket: int, pk: int) -> Attachment | None:
    return Attachment.objects.filter(ticket=ticket, pk=pk).first()


def proposals(order: int) -> list[Proposal]:
    """Times proposed for an order, newest first."""
    return list(Proposal.objects.filter(order=order).order_by("-id"))


def approvals(ticket: int) -> list[Approval]:
    return list(Approval.objects.filter(ticket=ticket).select_related("requested_by", "decided_by").order_by("-id"))


def exchanges(*, run: int | None = None, gateway: int | None = None) -> list[Exchange]:
    """What was said in a run, else with a gateway: the last ``EXCHANGES`` in the order of time."""
    if run is None and gateway is None:
        return []
    rows = Exchange.objects.filter(run=run) if run is not None else Exchange.objects.filter(gateway=gateway)
    return list(reversed(rows.select_related("gateway").order_by("-id")[:EXCHANGES]))


def mails_in(ticket: int) -> list[MailIn]:
    return list(MailIn.objects.filter(ticket=ticket).defer("raw").select_related("contact").order_by("-id"))


def mails_out(ticket: int) -> list[MailOut]:
    rows = MailOut.objects.filter(ticket=ticket).defer("html", "files").select_related("contact")
    return list(rows.order_by("-id"))


def audit(subjects: Iterable[str]) -> list[AuditEntry]:
    """The newest entries about any of these subjects, newest first."""
    return list(AuditEntry.objects.filter(subject__in=list(subjects)).order_by("-id")[:AUDIT])


def meters(gateway: int) -> list[Meter]:
    return list(Meter.objects.filter(gateway=gateway).order_by("device_id"))


def operators() -> list[User]:
    """Who can take a ticket."""
    rows = User.objects.filter(client=None, is_active=True, roles__contains=["operator"])
    return list(rows.order_by("name", "first_name"))


def of_gateway(gateway: int, limit: int = 10) -> list[Ticket]:
    """The newest tickets about a gateway, open ones first."""
    rows = Ticket.objects.filter(Q(gateway=gateway)).select_related("order", "assignee")
    return list(rows.order_by("-id")[:limit])
