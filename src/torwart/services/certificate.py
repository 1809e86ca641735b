"""Certificates: what we know, what we asked for, what is revoked. The rows follow what gateways and CAs prove."""

from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from torwart.kernel.refusals.process import NOTHING_TO_RENEW
from torwart.ports.process_engine import ProcessEngine
from torwart.ports.sub_ca import CaAnswer
from torwart.services import audit
from torwart.store.models import Certificate, CertificateRequest, Emt, Gateway, RevocationList
from torwart.wire import certificate as profile
from torwart.wire.certificate import Role, Use
from torwart.wire.cms import ski_of

PENDING = ("prepared", "accepted")


def remember(
    certificate: x509.Certificate,
    *,
    state: str,
    client: int | None = None,
    gateway: Gateway | None = None,
    emt: Emt | None = None,
    seal: bool = False,
) -> Certificate:
    """Keep a certificate; one we already have only changes its state."""
    identity = profile.identify(certificate)
    row, _ = Certificate.objects.update_or_create(
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        defaults={"state": state, "state_since": Now()},
        create_defaults={
            "client_id": client if client is not None else getattr(gateway, "client_id", None),
            "gateway": gateway,
            "emt": emt,
            "owner": identity.common_name,
            "role": identity.role.value,
            "use": identity.use.value,
            "sequence": identity.sequence,
            "seal": seal,
            "issuer": certificate.issuer.rfc4514_string(),
            "serial": f"{certificate.serial_number:x}",
            "ski": ski_of(certificate).hex(),
            "not_before": certificate.not_valid_before_utc,
            "not_after": certificate.not_valid_after_utc,
            "state": state,
            "der": certificate.public_bytes(serialization.Encoding.DER),
        },
    )
    return row


def of_gateway(gateway: Gateway, *states: str, seal: bool | None = None) -> dict[Use, x509.Certificate]:
    """The gateway's certificates in one of ``states`` by use, the newest of each."""
    rows = Certificate.objects.filter(gateway=gateway, state__in=states).order_by("sequence", "id")
    if seal is not None:
        rows = rows.filter(seal=seal)
    return {Use(row.use): x509.load_der_x509_certificate(bytes(row.der)) for row in rows}


def of_emt(emt: Emt) -> dict[Use, x509.Certificate]:
    """The EMT's active certificates by use."""
    rows = Certificate.objects.filter(emt=emt, state="active").order_by("sequence", "id")
    return {Use(row.use): x509.load_der_x509_certificate(bytes(row.der)) for row in rows}


def set_state(gateway: Gateway, before: Iterable[str], after: str, *, actor: str, seal: bool | None = None) -> int:
    """Move the gateway's certificates from one of ``before`` to ``after``, audited by serial; how many there were."""
    with transaction.atomic():
        rows = Certificate.objects.filter(gateway=gateway, state__in=list(before))
        if seal is not None:
            rows = rows.filter(seal=seal)
        serials = sorted(rows.values_list("serial", flat=True))
        rows.update(state=after, state_since=Now())
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
    rows = Certificate.objects.filter(gateway=gateway, seal=False, role=Role.SMGW)
    highest: int = rows.aggregate(highest=Max("sequence", default=0))["highest"]
    for answer in CertificateRequest.objects.filter(gateway=gateway, state="answered").values_list("certificates"):
        for der in answer[0]:
            highest = max(highest, profile.identify(x509.load_der_x509_certificate(b64decode(der))).sequence)
    return highest + 1


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
    CertificateRequest.objects.get_or_create(
        message_id=message_id,
        defaults={"gateway": gateway, "kind": kind, "package": package, "state": "prepared"},
    )
    return message_id


def package(message_id: str) -> bytes:
    return bytes(CertificateRequest.objects.values_list("package", flat=True).get(message_id=message_id))


def answered(message_id: str, answer: CaAnswer) -> None:
    """Keep the CA's answer to our call; ``ok_syntax`` means it calls back. A kept callback is not overwritten."""
    state = "accepted" if answer.return_code == "ok_syntax" else "answered"
    CertificateRequest.objects.filter(message_id=message_id, state="prepared").update(
        state=state,
        return_code=answer.return_code,
        message=answer.message,
        certificates=[b64encode(der).decode() for der in answer.certificates],
        answered_at=Now() if state == "answered" else None,
    )


def called_back(engine: ProcessEngine, message_id: str, status: str, message: str, certificates: list[bytes]) -> bool:
    """Keep what SendCertificates brought and make the waiting run look; ``False`` if we never asked.

    Twice the same callback changes nothing (spec: the Sub-CA may call back twice).
    """
    with transaction.atomic():
        row = CertificateRequest.objects.select_for_update().filter(message_id=message_id).first()
        if row is None:
            return False
        if row.state in PENDING:
            row.state, row.return_code, row.message = "answered", status, message
            row.certificates = [b64encode(der).decode() for der in certificates]
            row.answered_at = Now()
            row.save()
            engine.nudge(f"ca:{message_id}")
    return True


def answer_of(message_id: str) -> CaAnswer | None:
    """The final answer to a request, or ``None`` while the CA has not given it."""
    row = CertificateRequest.objects.filter(message_id=message_id, state="answered").first()
    if row is None:
        return None
    return CaAnswer(row.return_code, tuple(b64decode(der) for der in row.certificates), row.message)


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
