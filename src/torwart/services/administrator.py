"""The gateway administrator's own key sets, one per client (MsbG § 52(4)): who signs for whom, and with what.

Key labels in the key store: ``client-<id>.gwa.<use>.<sequence>``, use ``tls``, ``sig`` or ``enc``.
"""

import secrets
import time
from dataclasses import dataclass

from cryptography import x509
from django.db import connection, transaction

from torwart.kernel.refusals.process import KEY_SET_MISSING
from torwart.ports.key_store import KeyStore
from torwart.services import audit
from torwart.services import certificate as certificates
from torwart.store.models import Certificate
from torwart.wire.certificate import Role, Use


def label(client: int, use: Use, sequence: int) -> str:
    """Where the key store keeps this key of the client's GWA."""
    return f"client-{client}.gwa.{use.lower()}.{sequence}"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of the key store as CMS sees it: signs and agrees, never shows itself."""

    keys: KeyStore
    label: str
    certificate: x509.Certificate
    ski: bytes

    def sign(self, message: bytes) -> bytes:
        return self.keys.sign(self.label, message)

    def agree(self, peer_point: bytes) -> bytes:
        return self.keys.agree(self.label, peer_point)


_REMEMBERED_SECONDS = 5.0
_remembered: dict[tuple[str, int, Use], tuple[float, tuple[bytes, str, int]]] = {}


def key(keys: KeyStore, client: int, use: Use) -> StoredKey:
    """The client's active GWA key for this use; a client without one is refused by name.

    Which one is active is asked again after some seconds: after an exchange the key before it stays valid for long.
    """
    der, ski, sequence = _active(client, use)
    return StoredKey(keys, label(client, use, sequence), certificates.load(der), bytes.fromhex(ski))


def _active(client: int, use: Use) -> tuple[bytes, str, int]:
    database, now = connection.settings_dict["NAME"], time.monotonic()
    known = _remembered.get((database, client, use))
    if known is not None and now - known[0] < _REMEMBERED_SECONDS:
        return known[1]
    row = (
        Certificate.objects.filter(client=client, role=Role.GWA, use=use, state="active")
        .order_by("-sequence")
        .values_list("der", "ski", "sequence")
        .first()
    )
    if row is None:
        raise KEY_SET_MISSING(client=client, use=use.value)
    der, ski, sequence = row
    found = bytes(der), str(ski), int(sequence)
    _remembered[database, client, use] = now, found
    return found


def register(keys: KeyStore, client: int, certificate: x509.Certificate, sequence: int, use: Use) -> None:
    """Take a GWA certificate of a client into use; its key pair is already in the key store under ``label``."""
    keys.store_certificate(label(client, use, sequence), certificate)
    with transaction.atomic():
        certificates.remember(certificate, state="active", client=client)
        audit.append(
            actor="administrator",
            action="key.taken_into_use",
            subject=f"key:{label(client, use, sequence)}",
            payload={
                "serial": f"{certificate.serial_number:x}",
                "not_after": f"{certificate.not_valid_after_utc:%Y-%m-%d}",
            },
            client=client,
        )


def new_password() -> str:
    """A generated password of 120 bits: what nobody has to remember and nobody guesses."""
    return secrets.token_urlsafe(15)
