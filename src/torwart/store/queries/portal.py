"""What the portal's pages show of orders and tickets: lists to page through, one case with all that is the client's.

Every reader takes the client first and finds nothing of another's (P-1). What is internal to the provider stays out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.order_state import OPEN, OrderState
from torwart.kernel.refusals import Refusal
from torwart.kernel.ticket_state import TicketState
from torwart.store.models import (
    Attachment,
    AuditEntry,
    Client,
    Contact,
    ContactCertificate,
    Draft,
    Exchange,
    Gateway,
    MailOut,
    MarketParticipant,
    Order,
    Proposal,
    Step,
    Ticket,
    TicketEntry,
    User,
)

FEW = 5
EXCHANGES = 200
_BEFORE_END = timedelta(days=60)


# --- orders -----------------------------------------------------------------------------------------------------------


def orders(
    client: int, *, states: Iterable[OrderState] = (), process: str = "", text: str = "", gateway: int | None = None
) -> QuerySet[Order]:
    """The client's orders with gateway, run and ticket beside them; newest first is ``-id``."""
    rows = Order.objects.filter(client=client).select_related("gateway", "run", "ticket")
    wanted = [state.value for state in states]
    if wanted:
        rows = rows.filter(state__in=wanted)
    if process:
        rows = rows.filter(process=process)
    if gateway is not None:
        rows = rows.filter(gateway=gateway)
    return rows.filter(pk__in=_orders_with(client, text)) if text else rows


def _orders_with(client: int, text: str) -> QuerySet[Order, Any]:
    """Orders of that number or ticket number, with that in their reference, or on a gateway with that in its id."""
    own = Order.objects.filter(client=client).order_by()
    plain = "".join(text.upper().split())
    devices = Gateway.objects.filter(client=client, device_id__contains=plain).values("pk")
    by_reference = own.filter(reference__contains=text.strip()).values("pk")
    by_gateway = own.filter(gateway__in=devices).values("pk")
    return by_reference.union(by_gateway, own.filter(number=_order_number(text)).values("pk"))


def _order_number(text: str) -> str:
    try:
        return str(CaseNumber.parse(text).order)
    except Refusal:
        return ""


@dataclass(frozen=True, slots=True)
class OrderFile:
    """One order and everything of it the client may see, oldest first. ``steps`` by name; ``reason``: why its ticket
    waits, German and English.
    """

    order: Order
    ticket: Ticket
    steps: dict[str, Step]
    entries: list[TicketEntry]
    mails: list[MailOut]
    proposals: list[Proposal]
    reason: tuple[str, str]

    @property
    def open_proposal(self) -> Proposal | None:
        """The proposal that waits for the client's choice."""
        waits = self.order.state == OrderState.PROPOSED
        return next((row for row in reversed(self.proposals) if waits and row.answered_at is None), None)


def order(client: int, number: str) -> OrderFile | None:
    """The order with that number if it is the client's; five queries, one more per kind of thing it has."""
    row = orders(client).select_related("orderer", "gateway", "run", "ticket").filter(number=number).first()
    if row is None:
        return None
    steps = Step.objects.filter(run=row.run_id).order_by("position") if row.run_id else ()
    return OrderFile(
        order=row,
        ticket=row.ticket,
        steps={step.name: step for step in steps},
        entries=_entries(row.ticket),
        mails=_mails(row.ticket),
        proposals=list(Proposal.objects.filter(order=row).order_by("id")),
        reason=_reason(row.ticket),
    )


def order_state(client: int, number: str) -> Order | None:
    """Just the order, for actions and redirects; one query."""
    return Order.objects.filter(client=client, number=number).first()


def exchanges(client: int, run: int | None) -> list[Exchange]:
    """What was said with the gateway for one run, oldest first, at most 200; their heads are kept redacted."""
    if run is None:
        return []
    return list(Exchange.objects.filter(client=client, run=run).order_by("id")[:EXCHANGES])


# --- tickets ----------------------------------------------------------------------------------------------------------


def tickets(client: int, *, states: Iterable[TicketState] = (), kind: str = "", text: str = "") -> QuerySet[Ticket]:
    """The client's tickets with order and gateway beside them; newest first is ``-id``."""
    rows = Ticket.objects.filter(client=client).select_related("order", "gateway")
    wanted = [state.value for state in states]
    if wanted:
        rows = rows.filter(state__in=wanted)
    if kind:
        rows = rows.filter(kind=kind)
    if not text:
        return rows
    number = _order_number(text)
    return rows.filter(number=f"T{number[1:]}") if number else rows.filter(subject__icontains=text.strip())


@dataclass(frozen=True, slots=True)
class TicketFile:
    """One ticket as the client sees it. ``files`` without their content; ``reason``: why its clock rests, de and en."""

    ticket: Ticket
    entries: list[TicketEntry]
    mails: list[MailOut]
    files: list[Attachment]
    reason: tuple[str, str]


def ticket(client: int, number: str) -> TicketFile | None:
    """The ticket with that number if it is the client's; five queries."""
    rows = Ticket.objects.select_related("order", "gateway", "contact")
    row = rows.filter(client=client, number=number).first()
    if row is None:
        return None
    return TicketFile(row, _entries(row), _mails(row), _files(row), _reason(row))


def attachment(client: int, number: str, pk: int) -> Attachment | None:
    """One file of a ticket of the client, with its content."""
    return Attachment.objects.filter(pk=pk, ticket__number=number, ticket__client=client).first()


def _entries(ticket: Ticket) -> list[TicketEntry]:
    return list(TicketEntry.objects.filter(ticket=ticket, internal=False).order_by("at", "id"))


def _mails(ticket: Ticket) -> list[MailOut]:
    rows = MailOut.objects.filter(ticket=ticket, client=ticket.client_id).defer("html", "text", "files")
    return list(rows.order_by("id"))


def _files(ticket: Ticket) -> list[Attachment]:
    return list(Attachment.objects.filter(ticket=ticket).defer("content").order_by("id"))


def _reason(ticket: Ticket) -> tuple[str, str]:
    """Why the ticket waits, in both languages where the audit trail has both."""
    if not ticket.waiting_reason:
        return "", ""
    rows = AuditEntry.objects.filter(subject=f"ticket:{ticket.number}", payload__reason=ticket.waiting_reason)
    said: dict[str, Any] = rows.order_by("-id").values_list("payload", flat=True).first() or {}
    return ticket.waiting_reason, str(said.get("reason_en") or ticket.waiting_reason)


# --- drafts -----------------------------------------------------------------------------------------------------------


def drafts(user: int) -> list[Draft]:
    """What this person has begun and not sent, last touched first."""
    return list(Draft.objects.filter(user=user, placed="").order_by("-updated_at"))


def draft(user: int, pk: int) -> Draft | None:
    """This person's draft, also one that has been sent (``placed``)."""
    return Draft.objects.filter(user=user, pk=pk).first()


def last_fields(client: int, process: str) -> tuple[str, dict[str, Any]]:
    """Number and fields of the client's last order of a process, to begin the next one with; ``""`` without one."""
    row = Order.objects.filter(client=client, process=process).order_by("-id").values_list("number", "fields").first()
    return row or ("", {})


def participants(client: int) -> list[tuple[str, str]]:
    """The client's code numbers and their names."""
    return list(MarketParticipant.objects.filter(client=client).order_by("code").values_list("code", "name"))


# --- start page -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """What needs the person, what runs, what has ended; a few of each, the most pressing first."""

    client: Client
    waiting: list[Ticket]
    proposals: list[Order]
    drafts: list[Draft]
    contacts: list[Contact]
    expiring: list[ContactCertificate]
    running: list[Order]
    ended: list[Order]

    @property
    def needed(self) -> bool:
        return bool(self.waiting or self.proposals or self.drafts or self.expiring)


def start(client: int, user: int, now: datetime) -> Start:
    """Everything of the start page; eight queries, whatever there is."""
    running = [state.value for state in OPEN if state is not OrderState.PROPOSED]
    finished = [state.value for state in OrderState if state not in OPEN]
    own = orders(client)
    unanswered = Proposal.objects.filter(order=OuterRef("pk"), answered_at__isnull=True)
    proposed = Order.objects.filter(Exists(unanswered), client=client, state=OrderState.PROPOSED).order_by("id")
    waiting = tickets(client, states=[TicketState.WAITING_CLIENT]).exclude(order__state=OrderState.PROPOSED)
    return Start(
        client=Client.objects.get(pk=client),
        waiting=list(waiting.order_by("id")[:FEW]),
        proposals=list(own.filter(pk__in=proposed.values("pk")[:FEW]).order_by("id")),
        drafts=drafts(user)[:FEW],
        contacts=list(Contact.objects.filter(client=client, active=True).order_by("name", "first_name")),
        expiring=_expiring(client, now),
        running=list(own.filter(state__in=running).order_by("-id")[:FEW]),
        ended=list(own.filter(state__in=finished).order_by("-id")[:FEW]),
    )


def _expiring(client: int, now: datetime) -> list[ContactCertificate]:
    """Certificates that end soon, of contacts that have none that lasts longer (S-MAIL-4)."""
    longer = ContactCertificate.objects.filter(
        contact=OuterRef("contact"), state="tested", not_after__gt=now + _BEFORE_END, uses__contains=["encrypt"]
    )
    rows = ContactCertificate.objects.filter(
        contact__client=client, contact__active=True, state="expiring", not_after__lte=now + _BEFORE_END
    )
    return list(rows.filter(~Exists(longer)).select_related("contact").order_by("not_after")[:FEW])


def users(client: int) -> list[User]:
    """The client's accounts, for the filter of the access log."""
    return list(User.objects.filter(client=client).order_by("name", "first_name"))


def contact_of(user: int) -> int | None:
    """The contact an account belongs to, if it does."""
    return Contact.objects.filter(user=user, active=True).values_list("pk", flat=True).first()


# --- contacts ---------------------------------------------------------------------------------------------------------


def contacts(client: int) -> list[Contact]:
    """The client's active contacts, each with its ``known`` certificates, the newest first; two queries."""
    known = Prefetch(
        "certificates", queryset=ContactCertificate.objects.defer("der").order_by("-not_before", "-id"), to_attr="known"
    )
    rows = Contact.objects.filter(client=client, active=True).order_by("name", "first_name", "id")
    return list(rows.prefetch_related(known))


def contact(client: int, pk: int) -> Contact | None:
    """One active contact of the client, with its ``known`` certificates."""
    return next((row for row in contacts(client) if row.pk == pk), None)
