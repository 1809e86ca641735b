"""What a gateway tells unasked: events and late results to its GWA, readings to an EMT – where to and in what form."""

from dataclasses import dataclass

from torwart.kernel.refusals.cosem import COSEM_BODY, COSEM_NOT_FOUND
from torwart.wire.cosem import tree
from torwart.wire.cosem.message import MEDIA_TYPE_XML, Request, parse_correlation
from torwart.wire.cosem.uri import Address, Level
from torwart.wire.smgw import table
from torwart.wire.smgw.model import Event
from torwart.wire.smgw.values import from_data, to_data


def _target(poc: str, device: str, spec: table.ObjectSpec, method: str) -> str:
    return poc + Address(Level.OBJECT, device, spec.id).method(spec.methods[method].index).path


EVENT_TARGET = _target(table.GWA_POC, table.GWA_DEVICE, table.EVENTS, "notify")
RESULT_TARGET = _target(table.GWA_POC, table.GWA_DEVICE, table.EVENTS, "result")
READINGS_TARGET = _target(table.EMT_POC, table.EMT_DEVICE, table.READINGS, "deliver")


def result_contact(host: str) -> str:
    """The x-ContactURI of a GWA whose ADMIN-SERVICE is called ``host``."""
    return f"https://{host}{RESULT_TARGET}"


@dataclass(frozen=True, slots=True)
class LateResult:
    """The result of a slow method: which question it answers and its opened body."""

    correlation: str
    body: bytes


def event_request(event: Event, host: str) -> Request:
    """The Notify that tells ``event``; its content is still unprotected."""
    body = tree.encode(tree.MethodCall(to_data(event)))
    return Request("POST", EVENT_TARGET, {"Host": host, "Content-Type": MEDIA_TYPE_XML}, body)


def readings_request(document: bytes, host: str, target: str = READINGS_TARGET) -> Request:
    """The delivery of a readings document to an EMT; its content is still unprotected."""
    return Request("POST", target, {"Host": host, "Content-Type": MEDIA_TYPE_XML}, document)


def told(target: str, headers: dict[str, str], body: bytes) -> Event | LateResult:
    """What a POST on ADMIN-SERVICE says; ``body`` opened. Refuses other targets and contents."""
    path = target.partition("?")[0]
    if path == EVENT_TARGET:
        return event_of(body)
    if path == RESULT_TARGET:
        given = Request("POST", target, headers).header("x-CID")
        return LateResult(parse_correlation(given), body)
    raise COSEM_NOT_FOUND(path=path[:200])


def event_of(body: bytes) -> Event:
    """The event in an opened Notify body."""
    event = from_data(Event, tree.decode_as(tree.MethodCall, body).parameter)
    if event.level not in ("INFO", "WARNING", "ERROR", "FATAL"):
        raise COSEM_BODY(why=f"level {event.level[:20]!r}")
    found: Event = event
    return found
