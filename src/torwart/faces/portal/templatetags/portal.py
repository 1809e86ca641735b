"""Words and signs of the portal's pages: states with the colour that goes with them, refusals, lengths of time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.safestring import SafeString

from torwart.faces._design.language import active
from torwart.kernel.contact_state import CONTACT_MAIL, MailState
from torwart.kernel.gateway_state import GATEWAY, GatewayState
from torwart.kernel.order_state import ORDER, OrderState
from torwart.kernel.outcome import read
from torwart.kernel.refusals import Refusal
from torwart.kernel.ticket_state import KINDS, TICKET, TicketKind, TicketState
from torwart.kernel.words import Words
from torwart.rules import device_light
from torwart.rules.lead_time import hours_and_minutes, spoken
from torwart.services import present
from torwart.services.interface_event import PREFIX
from torwart.store.queries import interface
from torwart.store.queries.interface import CouplingLine

register = template.Library()


@register.simple_tag(takes_context=True)
def suspended_couplings(context: Any) -> list[CouplingLine]:
    """The client's couplings that rest because of its software (R-4): every page says so."""
    client = getattr(context["request"].user, "client_id", None)
    return interface.suspended(client) if client is not None else []


@register.filter
def is_about_order(kind: str) -> bool:
    """Whether an event of this type tells of an order."""
    return kind.startswith(PREFIX)


@register.filter
def outcome(rows: list[list[str]]) -> list[tuple[Words, Words]]:
    """The lines of an order's result as they are kept: labels and values."""
    return read(rows)


@register.filter
def plain_moment(at: datetime) -> str:
    """A day and time in Berlin as plain text, for titles."""
    return spoken(at)


_WAITS_FOR_YOU = Words("wartet auf Sie", "waits for you")

_ORDER_KINDS = {
    OrderState.SUBMITTED: "info",
    OrderState.ACCEPTED: "info",
    OrderState.PROPOSED: "warning",
    OrderState.IN_PROGRESS: "info",
    OrderState.DONE: "success",
    OrderState.FAILED: "danger",
    OrderState.REFUSED: "danger",
}
_TICKET_KINDS = {
    TicketState.OPEN: "info",
    TicketState.WAITING_CLIENT: "warning",
    TicketState.WAITING_DEVICE: "paused",
    TicketState.WAITING_TIME: "paused",
    TicketState.RESOLVED: "success",
}
_MAIL_KINDS = {
    MailState.STORED: "info",
    MailState.TEST_SENT: "info",
    MailState.TESTED: "success",
    MailState.EXPIRING: "warning",
    MailState.EXPIRED: "danger",
    MailState.FAILED: "danger",
}


@register.filter
def order_state(state: str) -> str:
    return ORDER.states[OrderState(state)].text(active())


@register.filter
def order_kind(state: str) -> str:
    return _ORDER_KINDS.get(OrderState(state), "neutral")


@register.filter
def ticket_state(state: str) -> str:
    """The state in the words of the table; whoever is waited for is spoken to."""
    if state == TicketState.WAITING_CLIENT:
        return _WAITS_FOR_YOU.text(active())
    return TICKET.states[TicketState(state)].text(active())


@register.filter
def ticket_kind(state: str) -> str:
    return _TICKET_KINDS.get(TicketState(state), "neutral")


@register.filter
def ticket_about(kind: str) -> str:
    return KINDS[TicketKind(kind)].text(active())


@register.filter
def mail_state(state: str) -> str:
    return CONTACT_MAIL.states[MailState(state)].text(active())


@register.filter
def mail_kind(state: str) -> str:
    return _MAIL_KINDS.get(MailState(state), "neutral")


@register.filter
def gateway_state(state: str) -> str:
    return GATEWAY.states[GatewayState(state)].text(active())


@register.filter
def light(gateway: Any) -> device_light.DeviceLight:
    """The light of a gateway row that carries ``certificates_until``."""
    return device_light.judge(
        GatewayState(gateway.state),
        last_contact=gateway.last_contact_at,
        certificates_until=gateway.certificates_until,
        now=present.now(),
    )


@register.filter
def ordered(order: Any) -> str:
    """What an order was called when it was placed."""
    de, en = order.wording.get("process") or (order.process, order.process)
    return en if active() == "en" else de


@register.filter
def pair(words: Sequence[str] | None) -> str:
    """A stored pair of German and English in the active language."""
    return "" if not words else words[1] if active() == "en" else words[0]


@register.filter
def entry_text(entry: Any) -> str:
    return str(entry.en if active() == "en" else entry.de)


@register.filter
def author(name: str) -> str:
    """Who speaks: people by their name, our programs as the provider."""
    ours = name.startswith(("run:", "order:", "mailroom", "system"))
    return str(settings.TORWART_PROVIDER_NAME) if ours else name.partition(":")[2] if name.startswith("user:") else name


@register.filter
def detail(step: Any) -> str:
    """Why a step waits or has failed."""
    said = step.detail or {}
    return str(said.get(active()) or said.get("de") or "") if step.state in ("waiting", "failed") else ""


@register.filter(name="refusal")
def refusal_text(refusal: Refusal) -> str:
    return refusal.text(active())


@register.filter
def hours(length: timedelta) -> str:
    """A length of service time: ``14 h``, ``3 h 20 min``."""
    return hours_and_minutes(length)


@register.filter
def iso(at: datetime) -> str:
    return at.isoformat(timespec="minutes")


@register.filter
def clock(at: datetime | None) -> str:
    """Day and time in short, for the track: ``24.11. 09:20``."""
    return f"{timezone.localtime(at):%d.%m. %H:%M}" if at else ""


@register.filter
def drawn(svg: str) -> SafeString:
    """A picture of ``plots``: it has escaped every text it was given."""
    return SafeString(svg)


@register.filter
def words(pair_of: Words | None) -> str:
    return pair_of.text(active()) if pair_of else ""


@register.filter
def size(number: int) -> str:
    """A file's size for the eye."""
    if number < 1024:
        return f"{number} B"
    return f"{number / 1024:.0f} KiB" if number < 2**20 else f"{number / 2**20:.1f} MiB"
