"""External market participants as one client uses them (P13): where they are, by what certificates they are known.

``examine`` reads certificates that somebody sent and says whose they are, before anything is made to count;
``register`` and ``interface.couple`` make it count.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from django.conf import settings
from django.db import transaction

from torwart.kernel.refusals.emt import (
    EMT_CERTIFICATE_MISSING,
    EMT_CERTIFICATE_TAKEN,
    EMT_ENDPOINT,
    EMT_NAMES_DIFFER,
    EMT_PRIVATE_KEY,
)
from torwart.kernel.refusals.pki import PKI_REVOKED
from torwart.rules.precondition import EmtCertificates
from torwart.rules.validity import Validity
from torwart.services import audit
from torwart.services import certificate as certificates
from torwart.store.models import Certificate, Emt
from torwart.wire.certificate import Role, Trust, Use, check, identify, load_certificates
from torwart.wire.certificate.names import display_name
from torwart.wire.certificate.trust import verify_signature

TRIPLE = (Use.TLS, Use.SIG, Use.ENC)
_ENDPOINT = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})(/\S{0,200})?"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One certificate as people check it. ``serial`` and ``fingerprint`` (SHA-256) in hex."""

    certificate: x509.Certificate
    use: Use
    sequence: int
    issuer: str
    begins: datetime
    ends: datetime
    serial: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Examined:
    """Certificates of one EMT. ``name``: their CN; ``unit``: its market id; ``chain``: names of the authorities above
    them, as far as they are known; ``trusted``: whether that chain leads to the root this installation trusts.
    """

    name: str
    unit: str
    shown: tuple[Shown, ...]
    chain: tuple[str, ...]
    trusted: bool

    @property
    def pem(self) -> str:
        """The certificates again, to be sent on."""
        return "".join(each.certificate.public_bytes(Encoding.PEM).decode() for each in self.shown)


def examine(files: Iterable[bytes], uses: Sequence[Use], *, now: datetime) -> Examined:
    """The newest EMT certificate for each of ``uses``, from PEM or DER files; refused by name: what is none of an EMT,
    breaks the profile, is not valid now, revoked, signed by somebody else, missing, or of two parties. Authorities in
    the files only show the chain; what is trusted is this installation's own (``TORWART_SMPKI``).
    """
    found = [certificate for data in files for certificate in _loaded(data)]
    authorities = {c.subject: c for c in found if identify(c).is_authority}
    chosen: dict[Use, x509.Certificate] = {}
    for leaf in (c for c in found if not identify(c).is_authority):
        identity = check(leaf, role=Role.EMT, at=now)
        before = chosen.get(identity.use)
        if before is None or identify(before).sequence < identity.sequence:
            chosen[identity.use] = leaf
    missing = [use.value for use in uses if use not in chosen]
    if missing:
        raise EMT_CERTIFICATE_MISSING(use=", ".join(missing), found=", ".join(chosen) or "–")
    wanted = [chosen[use] for use in uses]
    names = sorted({identify(c).common_name for c in wanted})
    if len(names) > 1:
        raise EMT_NAMES_DIFFER(names=", ".join(names))
    chains = [_chain(leaf, authorities, now) for leaf in wanted]
    _refuse_revoked(wanted)
    whose = identify(wanted[0])
    return Examined(
        whose.common_name, whose.unit, tuple(map(_shown, wanted)), chains[0][0], all(ok for _, ok in chains)
    )


def register(client: int, name: str, endpoint: str, triple: Iterable[x509.Certificate], *, actor: str) -> int:
    """Create an EMT or give it a new address and new certificates; its id. ``endpoint``: host:port, perhaps a path."""
    given = list(triple)
    _check_endpoint(endpoint)
    with transaction.atomic():
        row, _ = Emt.objects.update_or_create(
            client_id=client, name=name, defaults={"endpoint": endpoint, "state": "active"}
        )
        _refuse_revoked(given)
        _refuse_taken(given, row)
        for certificate in given:
            certificates.remember(certificate, state="active", client=client, emt=row)
            row.code = identify(certificate).unit or row.code
        row.save()
        audit.append(
            actor=actor,
            action="emt.registered",
            subject=f"emt:{row.pk}",
            payload={"name": name, "endpoint": endpoint},
            client=client,
        )
    return row.pk


def names(client: int) -> list[str]:
    """The EMTs this client can have its readings sent to, by name."""
    return list(Emt.objects.filter(client=client, state="active").order_by("name").values_list("name", flat=True))


def standing(client: int, name: str) -> EmtCertificates | None:
    """How an EMT of this client stands with its certificates; ``None`` if the client has none of that name."""
    known = Certificate.objects.filter(emt__client=client, emt__name=name, emt__state="active", role="EMT")
    rows = list(known.order_by("sequence"))
    if not rows:
        return None
    validity = {row.use: Validity(row.not_before, row.not_after) for row in rows}
    revoked = {row.use for row in rows if row.state in ("revoked", "suspended")}
    good = {row.use for row in rows if row.state == "active"}
    return EmtCertificates(name, validity, frozenset(revoked - good))


@cache
def trust(path: str) -> Trust:
    """Whom we trust, from a PEM file with the root and its Sub-CAs."""
    found = load_certificates(Path(path).read_bytes())
    (root,) = (c for c in found if identify(c).role is Role.ROOT)
    return Trust.of(root, [c for c in found if identify(c).role is Role.SUB_CA])


def _loaded(data: bytes) -> list[x509.Certificate]:
    if b"PRIVATE KEY" in data:
        raise EMT_PRIVATE_KEY()
    return load_certificates(data)


def _chain(
    leaf: x509.Certificate, authorities: dict[x509.Name, x509.Certificate], now: datetime
) -> tuple[tuple[str, ...], bool]:
    """Names above a certificate, and whether they lead to our own root; a wrong signature is refused."""
    path: str = getattr(settings, "TORWART_SMPKI", "")
    if path:
        known = trust(path)
        known.validate(leaf, role=Role.EMT, at=now, seal=False)
        return (display_name(known.issuer_of(leaf).certificate), display_name(known.root)), True
    issuer = authorities.get(leaf.issuer)
    if issuer is None:
        return (leaf.issuer.rfc4514_string(),), False
    verify_signature(leaf, issuer)
    root = authorities.get(issuer.issuer)
    if root is None:
        return (display_name(issuer), issuer.issuer.rfc4514_string()), False
    verify_signature(issuer, root)
    return (display_name(issuer), display_name(root)), False


def _shown(certificate: x509.Certificate) -> Shown:
    identity = identify(certificate)
    return Shown(
        certificate,
        identity.use,
        identity.sequence,
        certificate.issuer.rfc4514_string(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        f"{certificate.serial_number:x}",
        certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _refuse_revoked(given: Sequence[x509.Certificate]) -> None:
    """What we know to be revoked does not come back by being sent again."""
    known = {c.fingerprint(hashes.SHA256()).hex(): c for c in given}
    row = Certificate.objects.filter(fingerprint__in=known, state__in=("revoked", "suspended")).first()
    if row is not None:
        raise PKI_REVOKED(name=row.owner, since=f"{row.state_since:%Y-%m-%d}", reason=row.state)


def _refuse_taken(given: Sequence[x509.Certificate], row: Emt) -> None:
    fingerprints = [c.fingerprint(hashes.SHA256()).hex() for c in given]
    taken = Certificate.objects.filter(fingerprint__in=fingerprints).exclude(emt=row).first()
    if taken is not None:
        raise EMT_CERTIFICATE_TAKEN(name=taken.owner, use=taken.use)


def _check_endpoint(endpoint: str) -> None:
    match = _ENDPOINT.fullmatch(endpoint)
    if match is None or not 0 < int(match[1]) < 65536:
        raise EMT_ENDPOINT(given=endpoint[:80])
