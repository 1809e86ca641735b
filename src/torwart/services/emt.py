"""External market participants as one client uses them (P13): where they are, by what certificates they are known."""

from collections.abc import Iterable

from cryptography import x509
from django.db import transaction

from torwart.rules.precondition import EmtCertificates
from torwart.rules.validity import Validity
from torwart.services import audit
from torwart.services import certificate as certificates
from torwart.store.models import Certificate, Emt
from torwart.wire.certificate import identify


def register(client: int, name: str, endpoint: str, triple: Iterable[x509.Certificate], *, actor: str) -> int:
    """Create an EMT or give it a new address and new certificates; its id. ``endpoint``: host:port."""
    with transaction.atomic():
        row, _ = Emt.objects.update_or_create(
            client_id=client, name=name, defaults={"endpoint": endpoint, "state": "active"}
        )
        for certificate in triple:
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
