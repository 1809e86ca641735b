"""Facts from head-ends: stored once, then noted; only then the head-end may answer its gateway (design D5)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from django.db import transaction

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import CONFIRMATION_FOREIGN
from torwart.ports import gateway_link
from torwart.ports.key_store import KeyStore
from torwart.ports.process_engine import ProcessEngine
from torwart.services import audit
from torwart.services import certificate as certificates
from torwart.services import event as events
from torwart.services import gateway as gateways
from torwart.store import statement
from torwart.store.models import Fact, Gateway, ReadingConfirmation
from torwart.wire import cms
from torwart.wire.emt_confirmation import Confirmation

_INSERT = """
INSERT INTO store_fact (id, kind, device, at, details, body, handled_at, refusal)
VALUES (%(id)s, %(kind)s, %(device)s, %(at)s, %(details)s, %(body)s, now(), '') ON CONFLICT DO NOTHING
"""
_REFUSED = "UPDATE store_fact SET refusal = %(refusal)s WHERE id = %(fact)s"
_EMT_SIGNER = """
SELECT e.id, e.client_id, e.name, c.der FROM store_certificate AS c JOIN store_emt AS e ON e.id = c.emt_id
 WHERE c.ski = %(ski)s AND c.role = 'EMT' AND c.use = 'SIG' AND c.state = 'active'
"""
_CONFIRMED = """
WITH device AS (SELECT id FROM store_gateway WHERE device_id = %(device)s AND client_id = %(client)s),
     kept AS (
       INSERT INTO store_readingconfirmation (emt_id, gateway_id, fact, meter, content, confirmed_at)
       SELECT %(emt)s, id, %(fact)s, %(meter)s, %(content)s, %(received)s FROM device
     ),
     first AS (
       UPDATE store_meter SET first_value_at = %(first)s FROM device
        WHERE device_id = %(meter)s AND gateway_id = device.id AND first_value_at IS NULL
     )
SELECT id FROM device
"""
# The newest facts of the device are enough: an answer comes within minutes of its question.
_ANSWER = """
SELECT body FROM (
    SELECT body, details FROM store_fact WHERE device = %(device)s AND kind = 'notify' ORDER BY at DESC LIMIT 50
  ) AS newest
 WHERE EXISTS (SELECT 1 FROM jsonb_each_text(details -> 'headers') AS header
                WHERE lower(header.key) = 'x-cid' AND header.value = %(correlation)s)
 LIMIT 1
"""


def take(engine: ProcessEngine, fact: gateway_link.Fact, keys: KeyStore | None = None) -> bool:
    """Store a fact and act on it, in one transaction; ``False`` if it had been stored before.

    What cannot be interpreted is stored all the same, with the refusal: nothing received is lost. Without ``keys``
    events stay closed.
    """
    handler = _HANDLERS.get(fact.kind)
    if handler is None and fact.kind != "emt":
        return statement.changed(_INSERT, _row(fact)) == 1  # nothing follows from it
    with transaction.atomic():
        if not statement.changed(_INSERT, _row(fact)):
            return False
        if handler is not None:
            handler(engine, fact)
        if fact.kind == "emt":
            _believe(fact, lambda: _confirmed(engine, fact))
        elif fact.kind == "notify" and keys is not None:
            _believe(fact, lambda: _opened(keys, fact))
    return True


def _believe(fact: gateway_link.Fact, interpret: Callable[[], None]) -> None:
    """Interpret what somebody claims; what cannot be believed stays stored with the reason. ``interpret`` refuses
    before it writes anything.
    """
    try:
        interpret()
    except Refusal as refused:
        statement.changed(_REFUSED, {"fact": fact.id, "refusal": str(refused)})


def _row(fact: gateway_link.Fact) -> dict[str, Any]:
    details = gateway_link.to_json(fact.details)
    device = fact.device[:64]
    return {"id": fact.id, "kind": fact.kind, "device": device, "at": fact.at, "details": details, "body": fact.body}


def _connected(engine: ProcessEngine, fact: gateway_link.Fact) -> None:
    if fact.details.get("scenario") == "MANAGEMENT":
        gateways.contacted(fact.device, datetime.fromisoformat(fact.at))
        engine.nudge(f"gateway:{fact.device}")


def _refused(engine: ProcessEngine, fact: gateway_link.Fact) -> None:
    """Somebody was not let in. Whose name it is is proven only if the chain held, so nothing is decided here."""
    known = Gateway.objects.filter(device_id=fact.device).values_list("client_id", flat=True).first()
    audit.append(
        actor=f"headend:{fact.details.get('headend', '')}",
        action="connection.refused",
        subject=f"gateway:{fact.device}",
        payload={"why": str(fact.details.get("why", "")), "serial": str(fact.details.get("serial", ""))},
        client=known,
    )


def _notified(engine: ProcessEngine, fact: gateway_link.Fact) -> None:
    """An event or asynchronous answer: whoever waits for this correlation id looks again."""
    correlation = header(fact.details, "x-cid")
    if correlation:
        engine.nudge(f"cid:{correlation}")


def _opened(keys: KeyStore, fact: gateway_link.Fact) -> None:
    target, headers = str(fact.details.get("target", "")), dict(fact.details.get("headers") or {})
    events.take(keys, fact.device, fact.id, target, headers, fact.body)


class _EmtSigners(Mapping[bytes, EllipticCurvePublicKey]):
    """SIG keys of all EMTs in force, looked up by the one SKI a message names; ``owners``: whose they are."""

    def __init__(self) -> None:
        self.owners: dict[bytes, tuple[int, int, str]] = {}

    def __getitem__(self, ski: bytes) -> EllipticCurvePublicKey:
        found = statement.rows(_EMT_SIGNER, {"ski": ski.hex()})
        if not found:
            raise KeyError(ski)
        *owner, der = found[0]
        self.owners[ski] = tuple(owner)
        return certificates.signer(der)[1]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.owners)

    def __len__(self) -> int:
        return len(self.owners)


def _confirmed(engine: ProcessEngine, fact: gateway_link.Fact) -> None:
    """An EMT says that readings arrived; believed only if its configured SIG key signed it."""
    signers = _EmtSigners()
    verified = cms.verify(fact.body, signers=signers)
    told = Confirmation.decode(verified.content)
    emt, client, name = signers.owners[verified.signer_ski]
    device, meter = told.device.upper(), told.meter.upper()[:14]
    content = {
        "contract": told.contract,
        "first": told.first.isoformat(),
        "last": told.last.isoformat(),
        "values": told.values,
    }
    confirmed = {
        "emt": emt,
        "client": client,
        "device": device,
        "fact": fact.id,
        "meter": meter,
        "content": gateway_link.to_json(content),
        "received": told.received,
        "first": told.first,
    }
    if not statement.rows(_CONFIRMED, confirmed):
        raise CONFIRMATION_FOREIGN(emt=name, gateway=told.device)
    engine.nudge(f"confirmation:{device}")


def header(details: Mapping[str, Any], name: str) -> str:
    """A header of a fact's ``headers``, case-insensitive, or ``""``."""
    for key, value in (details.get("headers") or {}).items():
        if key.lower() == name:
            return str(value)
    return ""


def last_refusal(gateway: str, since: datetime) -> str:
    """Code of the newest refusal under this gateway's name since ``since``, or ``""``: a hint, not a proof."""
    row = Fact.objects.filter(kind="refused", device=gateway, at__gte=since).order_by("-at").first()
    return str(row.details.get("why", "")) if row else ""


def confirmed_gateways() -> set[str]:
    """Device ids of all gateways of which an EMT has confirmed readings."""
    return set(ReadingConfirmation.objects.values_list("gateway__device_id", flat=True))


def asynchronous_answer(gateway: str, correlation: str) -> bytes | None:
    """Body of the notification that answers this correlation id (A2 §7.5), still protected, or ``None``."""
    found = statement.rows(_ANSWER, {"device": gateway, "correlation": correlation})
    return bytes(found[0][0]) if found else None


_HANDLERS: Mapping[str, Callable[[ProcessEngine, gateway_link.Fact], None]] = {
    "connected": _connected,
    "refused": _refused,
    "notify": _notified,
}
