"""Certificates: what we know, what we asked for, what is revoked. The rows follow what gateways and CAs prove."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.db.models.functions import Now

from torwart.kernel.refusals.process import NOTHING_TO_RENEW
from torwart.ports.process_engine import ProcessEngine
from torwart.ports.sub_ca import CaAnswer
from torwart.services import audit
from torwart.store import statement
from torwart.store.models import Certificate, CertificateRequest, Emt, Gateway, RevocationList
from torwart.wire import certificate as profile
from torwart.wire.certificate import Use
from torwart.wire.cms import ski_of
from torwart.wire.cms.keys import public_key_of

PENDING = ("prepared", "accepted")

_REMEMBER = """
INSERT INTO store_certificate (client_id, gateway_id, emt_id, owner, role, use, sequence, seal, issuer, serial, ski,
                               fingerprint, not_before, not_after, state, state_since, der)
VALUES (%(client)s, %(gateway)s, %(emt)s, %(owner)s, %(role)s, %(use)s, %(sequence)s, %(seal)s, %(issuer)s, %(serial)s,
        %(ski)s, %(fingerprint)s, %(not_before)s, %(not_after)s, %(state)s, now(), %(der)s)
    ON CONFLICT (fingerprint) DO UPDATE SET state = excluded.state, state_since = excluded.state_since
"""
_OF_GATEWAY = """
SELECT use, der FROM store_certificate
 WHERE gateway_id = %(gateway)s AND state = ANY(%(states)s) AND (%(seal)s::boolean IS NULL OR seal = %(seal)s)
 ORDER BY sequence, id
"""
_OF_EMT = "SELECT use, der FROM store_certificate WHERE emt_id = %(emt)s AND state = 'active' ORDER BY sequence, id"
_SET_STATE = """
UPDATE store_certificate SET state = %(after)s, state_since = now()
 WHERE gateway_id = %(gateway)s AND state = ANY(%(states)s) AND (%(seal)s::boolean IS NULL OR seal = %(seal)s)
RETURNING serial
"""
_HIGHEST = """
SELECT coalesce(max(sequence), 0) FROM store_certificate WHERE gateway_id = %(gateway)s AND NOT seal AND role = 'SMGW'
"""
_PREPARE = """
INSERT INTO store_certificaterequest (message_id, gateway_id, kind, package, state, return_code, message, certificates,
                                      prepared_at)
VALUES (%(message_id)s, %(gateway)s, %(kind)s, %(package)s, 'prepared', '', '', '[]', now()) ON CONFLICT DO NOTHING
"""
_ANSWERED = """
UPDATE store_certificaterequest
   SET state = %(state)s, return_code = %(code)s, message = %(message)s, certificates = %(certificates)s,
       answered_at = CASE WHEN %(state)s = 'answered' THEN now() END
 WHERE message_id = %(message_id)s AND state = ANY(%(open)s)
"""
_ANSWER_OF = """
SELECT return_code, message, certificates FROM store_certificaterequest
 WHERE message_id = %(message_id)s AND state = 'answered'
"""


def remember(
    certificate: x509.Certificate,
    *,
    state: str,
    client: int | None = None,
    gateway: Gateway | None = None,
    emt: Emt | None = None,
    seal: bool = False,
) -> None:
    """Keep a certificate; one we already have only changes its state."""
    identity = profile.identify(certificate)
    row = {
        "client": client if client is not None else getattr(gateway, "client_id", None),
        "gateway": gateway.pk if gateway is not None else None,
        "emt": emt.pk if emt is not None else None,
        "owner": identity.common_name,
        "role": identity.role.value,
        "use": identity.use.value,
        "sequence": identity.sequence,
        "seal": seal,
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "ski": ski_of(certificate).hex(),
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
        "not_before": certificate.not_valid_before_utc,
        "not_after": certificate.not_valid_after_utc,
        "state": state,
        "der": certificate.public_bytes(serialization.Encoding.DER),
    }
    statement.changed(_REMEMBER, row)


def of_gateway(gateway: Gateway, *states: str, seal: bool | None = None) -> dict[Use, x509.Certificate]:
    """The gateway's certificates in one of ``states`` by use, the newest of each."""
    found = statement.rows(_OF_GATEWAY, {"gateway": gateway.pk, "states": list(states), "seal": seal})
    return {Use(use): load(der) for use, der in found}


def signers(gateway: Gateway, *states: str) -> list[tuple[bytes, ec.EllipticCurvePublicKey]]:
    """SKI and key of the gateway's SIG certificates in one of ``states``, seal and operational ones."""
    found = statement.rows(_OF_GATEWAY, {"gateway": gateway.pk, "states": list(states), "seal": None})
    return [signer(der) for use, der in found if use == Use.SIG]


@lru_cache(maxsize=2048)
def load(der: bytes) -> x509.Certificate:
    """The certificate of these octets; read once, since what it says never changes."""
    return x509.load_der_x509_certificate(der)


@lru_cache(maxsize=2048)
def signer(der: bytes) -> tuple[bytes, ec.EllipticCurvePublicKey]:
    """Subject key identifier and public key of a certificate, as a signature's reader wants them; made once."""
    return ski_of(load(der)), public_key_of(load(der))


def of_emt(emt: Emt) -> dict[Use, x509.Certificate]:
    """The EMT's active certificates by use."""
    return {Use(use): load(der) for use, der in statement.rows(_OF_EMT, {"emt": emt.pk})}


def set_state(gateway: Gateway, before: Iterable[str], after: str, *, actor: str, seal: bool | None = None) -> int:
    """Move the gateway's certificates from one of ``before`` to ``after``, audited by serial; how many there were."""
    with transaction.atomic(savepoint=False):  # most callers have a transaction already
        moved = {"gateway": gateway.pk, "states": list(before), "after": after, "seal": seal}
        serials = sorted(serial for (serial,) in statement.rows(_SET_STATE, moved))
        if serials:
            audit.append(
                actor=actor,
                action=f"certificate.{after}",
                subject=f"gateway:{gateway.device_id}",
                payload={"serials": serials},
                client=gateway.client_id,
            )
    return len(serials)


def by_serial(gateway: Gateway, serials: Iterable[str]) -> list[x509.Certificate]:
    """The gateway's certificates with these serial numbers (hex)."""
    rows = Certificate.objects.filter(gateway=gateway, serial__in=list(serials)).order_by("id")
    return [x509.load_der_x509_certificate(bytes(row.der)) for row in rows]


def operational_serials(device_id: str) -> list[str]:
    """Serial numbers of the operational certificates that are not yet expired, retired or revoked, sorted."""
    rows = Certificate.objects.filter(gateway__device_id=device_id, seal=False, role="SMGW")
    return sorted(rows.filter(state__in=("issued", "active", "suspended")).values_list("serial", flat=True))


def revoked_serials(device_id: str) -> list[str]:
    """Serial numbers of the gateway's operational certificates that we hold for revoked, sorted."""
    rows = Certificate.objects.filter(gateway__device_id=device_id, seal=False, state="revoked")
    return sorted(rows.values_list("serial", flat=True))


def require_operational(device_id: str) -> None:
    """Refuse a renewal where there is nothing to renew: the first set comes with commissioning."""
    if not operational_serials(device_id):
        raise NOTHING_TO_RENEW(gateway=device_id)


def next_sequence(gateway: Gateway) -> int:
    """Running number of the gateway's next set: above all sets a CA has issued to it, the ones we did not take too."""
    ((highest,),) = statement.rows(_HIGHEST, {"gateway": gateway.pk})
    for answer in CertificateRequest.objects.filter(gateway=gateway, state="answered").values_list("certificates"):
        for der in answer[0]:
            highest = max(highest, profile.identify(x509.load_der_x509_certificate(b64decode(der))).sequence)
    return int(highest) + 1


def validity(device_id: str) -> dict[str, Any]:
    """When the gateway's active operational certificates end and which of the row they are."""
    rows = Certificate.objects.filter(gateway__device_id=device_id, seal=False, state="active")
    found = rows.order_by("not_after").values_list("not_after", "sequence").first()
    if found is None:
        raise NOTHING_TO_RENEW(gateway=device_id)
    return {"not_after": found[0].isoformat(), "sequence": found[1]}


def prepare_request(run_id: str, gateway: Gateway, kind: str, package: bytes) -> str:
    """Keep a request package before it is sent. The message id is the run's: the same run asks the same thing."""
    message_id = f"{run_id}:{kind}"
    prepared = {"message_id": message_id, "gateway": gateway.pk, "kind": kind, "package": package}
    statement.changed(_PREPARE, prepared)
    return message_id


def package(message_id: str) -> bytes:
    return bytes(CertificateRequest.objects.values_list("package", flat=True).get(message_id=message_id))


def answered(message_id: str, answer: CaAnswer) -> None:
    """Keep the CA's answer to our call; ``ok_syntax`` means it calls back. A kept callback is not overwritten."""
    state = "accepted" if answer.return_code == "ok_syntax" else "answered"
    _keep_answer(message_id, ["prepared"], state, answer.return_code, answer.message, answer.certificates)


def _keep_answer(
    message_id: str, before: Iterable[str], state: str, code: str, message: str, certificates: Iterable[bytes]
) -> bool:
    """Write a CA's answer to a request that is in one of the states ``before``; ``False`` if it is not."""
    answer = {
        "message_id": message_id,
        "open": list(before),
        "state": state,
        "code": code,
        "message": message,
        "certificates": json.dumps([b64encode(der).decode() for der in certificates]),
    }
    return statement.changed(_ANSWERED, answer) == 1


def called_back(engine: ProcessEngine, message_id: str, status: str, message: str, certificates: list[bytes]) -> bool:
    """Keep what SendCertificates brought and make the waiting run look; ``False`` if we never asked.

    Twice the same callback changes nothing (spec: the Sub-CA may call back twice).
    """
    with transaction.atomic():
        if _keep_answer(message_id, PENDING, "answered", status, message, certificates):
            engine.nudge(f"ca:{message_id}")
            return True
        return CertificateRequest.objects.filter(message_id=message_id).exists()


def answer_of(message_id: str) -> CaAnswer | None:
    """The final answer to a request, or ``None`` while the CA has not given it."""
    found = statement.rows(_ANSWER_OF, {"message_id": message_id})
    if not found:
        return None
    code, message, certificates = found[0]
    return CaAnswer(code, tuple(b64decode(der) for der in json.loads(certificates)), message)


def keep_revocation_list(der: bytes, verified: profile.RevocationList, now: datetime) -> bool:
    """Keep a verified CRL if it is newer than the one we have; ``True`` if it was. Our rows follow it: what it
    lists is revoked or suspended, what left it comes back.
    """
    with transaction.atomic():
        row = RevocationList.objects.select_for_update().filter(issuer=verified.issuer).first()
        if row is not None and row.number >= verified.number:
            return False
        RevocationList.objects.update_or_create(
            issuer=verified.issuer,
            defaults={
                "number": verified.number,
                "this_update": verified.this_update,
                "next_update": verified.next_update,
                "der": der,
                "fetched_at": now,
            },
        )
        of_issuer = Certificate.objects.filter(issuer=verified.issuer)
        suspended = {f"{s:x}" for s, why in verified.entries.items() if why.suspended}
        revoked = {f"{s:x}" for s, why in verified.entries.items() if not why.suspended}
        of_issuer.filter(serial__in=revoked).exclude(state="revoked").update(state="revoked", state_since=Now())
        of_issuer.filter(serial__in=suspended, state="active").update(state="suspended", state_since=Now())
        of_issuer.filter(state="suspended").exclude(serial__in=suspended).update(state="active", state_since=Now())
    return True
