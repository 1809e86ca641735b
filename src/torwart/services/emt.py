"""External market participants as one client uses them (P13): where they are, by what certificates they are known."""

from collections.abc import Iterable

from cryptography import x509
from django.db import transaction

from torwart.services import audit
from torwart.services import certificate as certificates
from torwart.store.models import Emt
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
