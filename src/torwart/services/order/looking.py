"""What is asked about orders, and what stands against new ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from torwart.kernel.contact_state import SECURE
from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.order_state import OrderState
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.order import MAIL_UNTESTED, NOT_FAILED, ORDER_UNKNOWN
from torwart.kernel.refusals.process import GATEWAY_UNKNOWN, METER_UNKNOWN
from torwart.services import outbox
from torwart.store.models import Contact, Gateway, Meter, Order, Ticket, User
from torwart.store.queries.order import Standing, Subject, standing, subject

__all__ = [
    "Failed",
    "Standing",
    "Subject",
    "about_device",
    "client_of",
    "device_unknown",
    "failed",
    "form_url",
    "mail_untested",
    "number_of_run",
    "process_of",
    "standing",
    "subject",
    "ticket_of",
]


def process_of(number: str, client: int | None) -> str:
    """The name of the process an order is of; another client's order is refused as unknown (P-1)."""
    found = Order.objects.filter(number=number[:20])
    name = (found if client is None else found.filter(client=client)).values_list("process", flat=True).first()
    if name is None:
        raise ORDER_UNKNOWN(number=number[:20])
    return name


def ticket_of(number: str) -> str:
    """The ticket of an order: the same digits."""
    return CaseNumber(number).ticket


def client_of(number: str) -> int:
    return Order.objects.values_list("client_id", flat=True).get(number=number)


def number_of_run(run_id: str) -> str:
    """The order a run belongs to, or ``""``."""
    return Order.objects.filter(run__run_id=run_id).values_list("number", flat=True).first() or ""


def form_url(process: str) -> str:
    """Where a process is ordered in the portal."""
    return outbox.portal_url(f"/portal/bestellen/{process}/")


def mail_untested(client: int, user: int | None, fields: Mapping[str, Any], now: datetime) -> list[Refusal]:
    """What stands against a process whose data comes by mail: the orderer's secure mail must be tested (P01)."""
    secure = [state.value for state in SECURE]
    people = Contact.objects.filter(client=client, active=True, mail_state__in=secure)
    if (people if user is None else people.filter(user=user)).exists():
        return []
    return [MAIL_UNTESTED(url=outbox.portal_url("/portal/ansprechpartner/"))]


def device_unknown(client: int, kind: str, name: str) -> list[Refusal]:
    """What stands against an incident about this object: a device that is not the client's is unknown (P-1)."""
    if kind == "gateway" and not Gateway.objects.filter(device_id=name, client=client).exists():
        return [GATEWAY_UNKNOWN(gateway=name)]
    if kind == "meter" and not Meter.objects.filter(device_id=name, client=client).exists():
        return [METER_UNKNOWN(meter=name)]
    return []


def about_device(number: str, kind: str, name: str) -> None:
    """The ticket of an order without a gateway of its own is about this one: an incident, say."""
    client = client_of(number)
    found = Gateway.objects.filter(client=client)
    match = {"gateway": {"device_id": name}, "meter": {"meters__device_id": name}, "melo": {"meters__melo": name}}
    gateway = found.filter(**match[kind]).first() if kind in match and name else None
    if gateway is not None:
        Ticket.objects.filter(number=ticket_of(number)).update(gateway=gateway)


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed order as far as trying again needs it."""

    client: int
    process: str
    fields: Mapping[str, Any]
    orderer: str
    participant: str
    reference: str
    remark: str


def failed(number: str, user: int) -> Failed:
    """A failed order, to be tried again by an operator (``user``); refused for one that has not failed."""
    order = Order.objects.filter(number=number[:20]).first()
    if order is None:
        raise ORDER_UNKNOWN(number=number[:20])
    if order.state != OrderState.FAILED:
        raise NOT_FAILED(number=order.number)
    name = User.objects.get(pk=user).full_name
    again = f"Neuer Versuch von {order.number} durch {name} / {order.number} tried again by {name}"
    remark = f"{order.remark}\n{again}".strip()[-4000:]
    return Failed(
        order.client_id,
        order.process,
        order.fields,
        order.orderer_name,
        order.participant,
        order.reference,
        remark,
    )
