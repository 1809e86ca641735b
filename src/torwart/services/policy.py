"""What head-ends must know to let peers in, computed from what is stored (ports.gateway_link.Policy)."""

from collections import defaultdict

from cryptography import x509
from django.db import connection

from torwart.kernel.gateway_state import COMMISSIONING
from torwart.ports.gateway_link import Policy
from torwart.store.models import Certificate, Gateway, RevocationList


def current() -> Policy:
    """The whole policy of this moment. ``version`` is the database's transaction snapshot, so it never falls."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        version: int = cursor.fetchone()[0]
    revoked: dict[str, set[str]] = defaultdict(set)
    for issuer, serial in Certificate.objects.filter(state__in=("revoked", "suspended")).values_list(
        "issuer", "serial"
    ):
        revoked[issuer].add(serial)
    for issuer, der in RevocationList.objects.values_list("issuer", "der"):
        entries = x509.load_der_x509_crl(bytes(der))
        revoked[issuer].update(f"{entry.serial_number:x}" for entry in entries)
    blocked = Gateway.objects.filter(blocked_at__isnull=False)
    sealed = Gateway.objects.filter(state__in=COMMISSIONING)
    return Policy(
        version=version,
        revoked={issuer: sorted(serials) for issuer, serials in revoked.items()},
        blocklist=sorted(blocked.values_list("device_id", flat=True)),
        commissioning=sorted(sealed.values_list("device_id", flat=True)),
    )
