"""Facts from head-ends: stored once, then noted; only then the head-end may answer its gateway (design D5)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cryptography import x509
from django.db import connection, transaction

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import CONFIRMATION_FOREIGN
from torwart.ports import gateway_link
from torwart.ports.key_store import KeyStore
from torwart.ports.process_engine import ProcessEngine
from torwart.services import audit
from torwart.services import event as events
from torwart.services import gateway as gateways
from torwart.store.models import Certificate, Emt, Fact, Gateway, Meter, ReadingConfirmation
from torwart.wire import cms
from torwart.wire.emt_confirmation import Confirmation


def take(engine: ProcessEngine, fact: gateway_link.Fact, keys: KeyStore | None = None) -> bool:
    """Store a fact and act on it, in one transaction; ``False`` if it had been stored before.

    What cannot be interpreted is stored all the same, with the refusal: nothing received is lost. Without ``keys``
    events stay closed.
    """
    with transaction.atomic():
        if not _insert(fact):
            return False
        handler = _HANDLERS.get(fact.kind)
        if handler is not None:
            handler(engine, fact)
        if fact.kind == "emt":
            _believe(fact, lambda: _confirmed(engine, fact))
        elif fact.kind == "notify" and keys is not None:
            _believe(fact, lambda: _opened(keys, fact))
    return True


def _believe(fact: gateway_link.Fact, interpret: Callable[[], None]) -> None:
    """Interpret what somebody claims; what cannot be believed stays stored with the reason."""
    refusal = ""
    try:
        with transaction.atomic():
            interpret()
    except Refusal as refused:
        refusal = str(refused)
    if refusal:
        Fact.objects.filter(pk=fact.id).update(refusal=refusal)


def _insert(fact: gateway_link.Fact) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_fact (id, kind, device, at, details, body, handled_at, refusal)"
            " VALUES (%s, %s, %s, %s, %s::jsonb, %s, now(), '')"
            " ON CONFLICT DO NOTHING",
            (fact.id, fact.kind, fact.device[:64], fact.at, gateway_link.to_json(fact.details), fact.body),
        )
        return bool(cursor.rowcount == 1)


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
    engine.nudge(f"gateway:{fact.device}")


def _notified(engine: ProcessEngine, fact: gateway_link.Fact) -> None:
    """An event or asynchronous answer: whoever waits for this gateway or this correlation id looks again."""
    engine.nudge(f"gateway:{fact.device}")
    correlation = header(fact.details, "x-cid")
    if correlation:
        engine.nudge(f"cid:{correlation}")


def _opened(keys: KeyStore, fact: gateway_link.Fact) -> None:
    target, headers = str(fact.details.get("target", "")), dict(fact.details.get("headers") or {})
    events.take(keys, fact.device, fact.id, target, headers, fact.body)


def _confirmed(engine: ProcessEngine, fact: gateway_link.Fact) -> None:
    """An EMT says that readings arrived; believed only if its configured SIG key signed it."""
    rows = Certificate.objects.filter(role="EMT", use="SIG", state="active", emt__isnull=False)
    signers: dict[bytes, Any] = {}
    emts: dict[bytes, int | None] = {}
    for ski, der, owner in rows.values_list("ski", "der", "emt_id"):
        signers[bytes.fromhex(ski)] = x509.load_der_x509_certificate(bytes(der)).public_key()
        emts[bytes.fromhex(ski)] = owner
    verified = cms.verify(fact.body, signers=signers)
    told = Confirmation.decode(verified.content)
    emt = Emt.objects.get(pk=emts[verified.signer_ski] or 0)
    device = Gateway.objects.filter(device_id=told.device.upper(), client_id=emt.client_id).first()
    if device is None:
        raise CONFIRMATION_FOREIGN(emt=emt.name, gateway=told.device)
    ReadingConfirmation.objects.create(
        emt=emt,
        gateway=device,
        fact=fact.id,
        meter=told.meter.upper()[:14],
        content={
            "contract": told.contract,
            "first": told.first.isoformat(),
            "last": told.last.isoformat(),
            "values": told.values,
        },
        confirmed_at=told.received,
    )
    meter = Meter.objects.filter(device_id=told.meter.upper()[:14], gateway=device, first_value_at__isnull=True)
    meter.update(first_value_at=told.first)
    engine.nudge(f"confirmation:{device.device_id}")


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
    rows = Fact.objects.filter(kind="notify", device=gateway).order_by("-stored_at")[:50]
    for row in rows:
        if header(row.details, "x-cid") == correlation:
            return bytes(row.body)
    return None


_HANDLERS: Mapping[str, Callable[[ProcessEngine, gateway_link.Fact], None]] = {
    "connected": _connected,
    "refused": _refused,
    "notify": _notified,
}
