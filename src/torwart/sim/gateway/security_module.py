"""The security module: key pairs that are made, used and destroyed inside and never come out.

Slots are ``standing x use``: the seal keys of the maker (SEAL), the operational ones in use (CURRENT) and a new set
that waits for its certificates (NEXT). Every use needs an open session with the module: secure messaging after PACE
lives at most 48 h and ends with the power (TR-03116-3; spec/04 §2), so a gateway that boots must open one again.
"""

import hmac
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.refusals.sim import MODULE_FAILED, MODULE_LOCKED, MODULE_SLOT_EMPTY
from torwart.wire.certificate import Use
from torwart.wire.smgw.model import Standing
from torwart.wire.tls import Chain, Credentials, TlsContext, TlsEngine

__all__ = ["KEY_USES", "ModuleAgreer", "ModuleSigner", "SecurityModule", "Standing"]

SESSION_LIMIT = timedelta(hours=48)
KEY_USES = (Use.TLS, Use.SIG, Use.ENC)
CURVE = ec.BrainpoolP256R1()


class SecurityModule:
    """Keys by (standing, use). ``now`` is the gateway's clock; ``path``: where the module's own memory lies
    (a file only it reads and writes), ``None`` keeps it in the process.

    ``failing`` makes key generation fail (``sim.module_failed``), as a worn or damaged module does.
    """

    __slots__ = ("_keys", "_now", "_path", "_pin", "_session", "failing")

    def __init__(self, now: Callable[[], datetime], *, pin: bytes, path: Path | None = None) -> None:
        self._now = now
        self._pin = pin
        self._path = path
        self._keys: dict[tuple[Standing, Use], ec.EllipticCurvePrivateKey] = {}
        self._session: datetime | None = None
        self.failing = False
        if path is not None and path.exists():
            self._recall(path)

    def inject(self, keys: Mapping[Use, ec.EllipticCurvePrivateKey]) -> None:
        """Take the maker's seal keys at manufacture; only an empty module does."""
        if self._keys:
            raise MODULE_FAILED()
        self._keys.update({(Standing.SEAL, use): keys[use] for use in KEY_USES})
        self._remember()

    def open_session(self, pin: bytes) -> None:
        """Secure messaging from now on, for at most 48 h; a wrong PIN leaves the module locked."""
        if not hmac.compare_digest(pin, self._pin):
            raise MODULE_LOCKED()
        self._session = self._now()

    def power_off(self) -> None:
        """The session is gone; keys stay."""
        self._session = None

    @property
    def unlocked(self) -> bool:
        # A clock that is set back must not prolong a session, so the distance counts both ways.
        return self._session is not None and abs(self._now() - self._session) <= SESSION_LIMIT

    def generate(self) -> None:
        """Make a new set of three key pairs in NEXT; an unfinished earlier NEXT is destroyed."""
        self._require_session()
        if self.failing:
            raise MODULE_FAILED()
        for use in KEY_USES:
            self._keys[Standing.NEXT, use] = ec.generate_private_key(CURVE)
        self._remember()

    def has(self, standing: Standing) -> bool:
        return (standing, Use.SIG) in self._keys

    def public_key(self, standing: Standing, use: Use) -> ec.EllipticCurvePublicKey:
        return self._key(standing, use).public_key()

    def sign(self, standing: Standing, use: Use, message: bytes) -> bytes:
        """ECDSA with SHA-256, X9.62 DER."""
        self._require_session()
        return self._key(standing, use).sign(message, ec.ECDSA(hashes.SHA256()))

    def agree(self, standing: Standing, use: Use, peer_point: bytes) -> bytes:
        """ECDH: the x-coordinate of the shared point. Raises ``ValueError`` for a point off the curve."""
        self._require_session()
        peer = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, peer_point)
        return self._key(standing, use).exchange(ec.ECDH(), peer)

    def tls_engine(
        self, standing: Standing, chain: Chain, context: TlsContext, *, use: Use = Use.TLS, server_name: str = ""
    ) -> TlsEngine:
        """One end of a connection over ``context`` with a key of ``standing``; the key itself is not handed out.

        Another ``use`` than TLS is a fault on purpose.
        """
        self._require_session()
        credentials = Credentials(chain, self._key(standing, use))
        return TlsEngine(context, server_name=server_name or None, credentials=credentials)

    def activate(self) -> None:
        """NEXT becomes CURRENT; the keys that were CURRENT are destroyed (KLSR: a replaced key is not kept)."""
        if not self.has(Standing.NEXT):
            raise MODULE_SLOT_EMPTY(slot=Standing.NEXT.value)
        for use in KEY_USES:
            self._keys[Standing.CURRENT, use] = self._keys.pop((Standing.NEXT, use))
        self._remember()

    def destroy(self, standing: Standing) -> None:
        """Destroy a whole set; a second time is no error."""
        for use in KEY_USES:
            self._keys.pop((standing, use), None)
        self._remember()

    def _key(self, standing: Standing, use: Use) -> ec.EllipticCurvePrivateKey:
        key = self._keys.get((standing, use))
        if key is None:
            raise MODULE_SLOT_EMPTY(slot=f"{standing.value}.{use.value}")
        return key

    def _require_session(self) -> None:
        if not self.unlocked:
            raise MODULE_LOCKED()

    def _remember(self) -> None:
        if self._path is None:
            return
        content = {f"{standing}.{use}": _pem(key) for (standing, use), key in self._keys.items()}
        temporary = self._path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(content, file)
        temporary.replace(self._path)

    def _recall(self, path: Path) -> None:
        for name, pem in json.loads(path.read_text()).items():
            standing, use = name.split(".")
            key = serialization.load_pem_private_key(pem.encode(), None)
            if isinstance(key, ec.EllipticCurvePrivateKey):
                self._keys[Standing(standing), Use(use)] = key


class ModuleSigner:
    """A SIG key of the module as ``torwart.wire.cms.Signer``; ``ski`` is that of its certificate."""

    __slots__ = ("_module", "_standing", "ski")

    def __init__(self, module: SecurityModule, standing: Standing, ski: bytes) -> None:
        self._module = module
        self._standing = standing
        self.ski = ski

    def sign(self, message: bytes) -> bytes:
        return self._module.sign(self._standing, Use.SIG, message)


class ModuleAgreer:
    """An ENC key of the module as ``torwart.wire.cms.Agreer``; ``ski`` is that of its certificate."""

    __slots__ = ("_module", "_standing", "ski")

    def __init__(self, module: SecurityModule, standing: Standing, ski: bytes) -> None:
        self._module = module
        self._standing = standing
        self.ski = ski

    def agree(self, peer_point: bytes) -> bytes:
        return self._module.agree(self._standing, Use.ENC, peer_point)


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
