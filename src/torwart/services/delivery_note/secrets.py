"""Secrets of a delivery note: opened with the client's ENC key and put into the key store under the device's label."""

from collections.abc import Iterable, Sequence
from tempfile import SpooledTemporaryFile
from typing import Self

from cryptography import x509

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.els import ELS_SECRET
from torwart.ports.key_store import KeyStore
from torwart.services import administrator
from torwart.services.administrator import StoredKey
from torwart.store.models import Certificate
from torwart.wire import cms, els
from torwart.wire.certificate import Role, Use

_SIZES = {"LMN_MK0": 16, "OMS_AES_KEY": 16}
"""Octets of keys whose size is fixed: both are AES-128 (TR-03116-3 ch. 7)."""

Opened = Sequence[tuple[str, bytes]]
"""Label of the key store and secret."""


class SecretKeeper:
    """Opens and keeps the secrets of one import; leaving it with an exception takes out all that it has put in.

    What a killed import left behind lies under the label of a device that is not ours yet: the next import of that
    device overwrites it, or removes it if the device is refused.
    """

    def __init__(self, keys: KeyStore, client: int) -> None:
        self._keys, self._client = keys, client
        self._agreers: dict[bytes, StoredKey] | None = None
        self._written = SpooledTemporaryFile(2**20)  # noqa: SIM115 -- closed on leaving

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            self._written.seek(0)
            for label in self._written:
                self._keys.destroy(label.decode().strip())
        self._written.close()

    def open(self, device: DeviceId, secrets: Iterable[els.Secret]) -> Opened:
        """All secrets of a device, opened; refuses ``els.secret`` if one is not for us or cannot be read."""
        opened: list[tuple[str, bytes]] = []
        for secret in secrets:
            content = self._opened(device, secret)
            if len(content) != _SIZES.get(secret.kind, len(content)):
                raise ELS_SECRET(device=device, kind=secret.kind, why=f"{len(content)} ≠ {_SIZES[secret.kind]} Byte")
            opened.append((self._label(device, secret.kind, [label for label, _ in opened]), content))
        return opened

    def keep(self, opened: Iterable[Opened]) -> None:
        """Put what was opened of some devices into the key store, over whatever a killed import has left there."""
        secrets = dict(pair for pairs in opened for pair in pairs)
        if secrets:
            self._written.writelines(f"{label}\n".encode() for label in secrets)
            self._keys.put_secrets(secrets)

    def forget(self, device: DeviceId, secrets: Iterable[els.Secret]) -> None:
        """Remove what a killed import may have left of a device that is now refused."""
        labels: list[str] = []
        for secret in secrets:
            labels.append(self._label(device, secret.kind, labels))
            self._keys.destroy(labels[-1])

    def _opened(self, device: DeviceId, secret: els.Secret) -> bytes:
        key = self._agreer(secret.recipient)
        if key is None:
            raise ELS_SECRET(device=device, kind=secret.kind, why="empfaengerZertifikat")
        try:
            return cms.unseal(secret.envelope, agreer=key, switches=cms.OPENSSL).content
        except Refusal as refusal:
            raise ELS_SECRET(device=device, kind=secret.kind, why=refusal.code) from refusal

    def _label(self, device: DeviceId, kind: str, taken: Sequence[str]) -> str:
        """``client-7.1emh0012345678.lmn_mk0``; a second one of its kind ends in ``.2``."""
        label = f"client-{self._client}.{device.lower()}.{kind.lower()}"
        count = sum(other == label or other.startswith(f"{label}.") for other in taken)
        return f"{label}.{count + 1}" if count else label

    def _agreer(self, fingerprint: bytes) -> StoredKey | None:
        """Our key for the certificate with this SHA-256: after an exchange the one before it is still good."""
        if self._agreers is None:
            rows = Certificate.objects.filter(client=self._client, role=Role.GWA, use=Use.ENC, state="active")
            self._agreers = {bytes.fromhex(row.fingerprint): self._key(row) for row in rows}
        return self._agreers.get(fingerprint)

    def _key(self, row: Certificate) -> StoredKey:
        label = administrator.label(self._client, Use.ENC, row.sequence)
        certificate = x509.load_der_x509_certificate(bytes(row.der))
        return StoredKey(self._keys, label, certificate, bytes.fromhex(row.ski))
