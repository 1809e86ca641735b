"""Keys in a security module or a PKCS#11 token: they are generated there, used there and destroyed there.

One token is one store. A key pair is a private and a public key object, a certificate and a secret are data objects,
all with the store's label as CKA_LABEL. The binding, ``python-pkcs11``, is an optional dependency: who keeps keys in
files needs none. Tried with SoftHSM 2.6.
"""

import hashlib
import importlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.adapters.key_store.vault import check_label, private_bytes
from torwart.kernel.refusals.keys import KEYS_CURVE, KEYS_DAMAGED, KEYS_EXISTS, KEYS_LOCKED, KEYS_MISMATCH, KEYS_UNKNOWN
from torwart.wire.cms.der import OCTET_STRING, Reader, dotted, oid

# TR-03116-3 §2.2 table 4, by the OIDs CKA_EC_PARAMS carries.
_CURVES: dict[str, tuple[str, ec.EllipticCurve]] = {
    "brainpoolP256r1": ("1.3.36.3.3.2.8.1.1.7", ec.BrainpoolP256R1()),
    "brainpoolP384r1": ("1.3.36.3.3.2.8.1.1.11", ec.BrainpoolP384R1()),
    "brainpoolP512r1": ("1.3.36.3.3.2.8.1.1.13", ec.BrainpoolP512R1()),
    "secp256r1": ("1.2.840.10045.3.1.7", ec.SECP256R1()),
    "secp384r1": ("1.3.132.0.34", ec.SECP384R1()),
}
_CURVE_OF = dict(_CURVES.values())
_SECRET, _CERTIFICATE = "torwart secret", "torwart certificate"


class Pkcs11KeyStore:
    """``ports.KeyStore`` on a PKCS#11 token. Thread-safe: each thread has its own session, the login is shared."""

    def __init__(self, token: Any, pin: str) -> None:
        self._api = importlib.import_module("pkcs11")
        self._token = token
        self._local = threading.local()
        try:
            self._login = token.open(rw=True, user_pin=pin)
        except self._api.UserAlreadyLoggedIn:
            self._login = token.open(rw=True)

    @classmethod
    def open(cls, library: Path, *, token: str, pin_file: Path) -> "Pkcs11KeyStore":
        """Log into the token with this label; ``pin_file`` (mode 0600) holds the PIN.

        ``keys.locked`` if the library, the token or the PIN is wrong.
        """
        try:
            api = importlib.import_module("pkcs11")
        except ImportError as error:
            raise KEYS_LOCKED(store=token, why="pip install python-pkcs11") from error
        pin = private_bytes(library, pin_file).decode().rstrip("\r\n")
        try:
            return cls(api.lib(str(library)).get_token(token_label=token), pin)
        except (api.PKCS11Error, RuntimeError, OSError) as error:
            raise KEYS_LOCKED(store=token, why=f"{type(error).__name__} {error}".strip()) from error

    # -- keys -----------------------------------------------------------------------------------------------------

    def generate(self, label: str, *, curve: str = "brainpoolP256r1") -> ec.EllipticCurvePublicKey:
        """KLSR §2.3: "Keys MUST be generated in a Cryptographic Module"; never extractable (§2.4)."""
        if curve not in _CURVES:
            raise KEYS_CURVE(curve=curve, allowed=", ".join(_CURVES))
        self._demand_free(label)
        api, attribute = self._api, self._api.Attribute
        with self._session() as session:
            parameters = session.create_domain_parameters(
                api.KeyType.EC, {attribute.EC_PARAMS: oid(_CURVES[curve][0])}, local=True
            )
            mark = os.urandom(16)
            public, _ = parameters.generate_keypair(
                store=True,
                label=label,
                id=mark,
                capabilities=api.MechanismFlag.SIGN | api.MechanismFlag.VERIFY | api.MechanismFlag.DERIVE,
                private_template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False},
            )
            self._demand_won(label, mark)
            return _public_key(public[attribute.EC_PARAMS], public[attribute.EC_POINT])

    def public_key(self, label: str) -> ec.EllipticCurvePublicKey:
        attribute = self._api.Attribute
        public = self._object(label, self._api.ObjectClass.PUBLIC_KEY, what="key")
        return _public_key(public[attribute.EC_PARAMS], public[attribute.EC_POINT])

    def sign(self, label: str, message: bytes) -> bytes:
        private = self._private(label)
        with self._session():
            plain = private.sign(hashlib.sha256(message).digest(), mechanism=self._api.Mechanism.ECDSA)
        half = len(plain) // 2
        return encode_dss_signature(int.from_bytes(plain[:half], "big"), int.from_bytes(plain[half:], "big"))

    def agree(self, label: str, peer_point: bytes) -> bytes:
        """``ValueError`` if ``peer_point`` is no uncompressed point on the key's curve; modules may not look."""
        private, api = self._private(label), self._api
        curve = self.public_key(label).curve
        if peer_point[:1] != b"\x04":
            raise ValueError("not an uncompressed point")
        ec.EllipticCurvePublicKey.from_encoded_point(curve, peer_point)
        size = (curve.key_size + 7) // 8
        with self._session():
            # Z leaves the module: the key derivation of CMS (X9.63 with SharedInfo) is not everywhere to be had there.
            shared = private.derive_key(
                api.KeyType.GENERIC_SECRET,
                size * 8,
                mechanism=api.Mechanism.ECDH1_DERIVE,
                mechanism_param=(api.KDF.NULL, None, peer_point),
                template={api.Attribute.SENSITIVE: False, api.Attribute.EXTRACTABLE: True},
            )
            return bytes(shared[api.Attribute.VALUE])

    def store_certificate(self, label: str, certificate: x509.Certificate) -> None:
        if certificate.public_key() != self.public_key(label):
            raise KEYS_MISMATCH(label=label)
        old = list(self._objects(label, self._api.ObjectClass.DATA, _CERTIFICATE))
        self._put(label, _CERTIFICATE, certificate.public_bytes(Encoding.DER))
        with self._session():
            for each in old:
                each.destroy()

    def certificate(self, label: str) -> x509.Certificate:
        value = self._object(label, self._api.ObjectClass.DATA, _CERTIFICATE, "certificate")[self._api.Attribute.VALUE]
        try:
            return x509.load_der_x509_certificate(bytes(value))
        except ValueError as error:
            raise KEYS_DAMAGED(label=label) from error

    # -- secrets --------------------------------------------------------------------------------------------------

    def put_secret(self, label: str, secret: bytes) -> None:
        self._demand_free(label)
        self._put(label, _SECRET, secret)

    def put_secrets(self, secrets: Mapping[str, bytes]) -> None:
        for label, secret in secrets.items():
            self.destroy(label)
            self._put(label, _SECRET, secret)

    def secret(self, label: str) -> bytes:
        found = self._object(label, self._api.ObjectClass.DATA, _SECRET, "secret")
        return bytes(found[self._api.Attribute.VALUE] or b"")

    # -- both -----------------------------------------------------------------------------------------------------

    def destroy(self, label: str) -> None:
        with self._session() as session:
            for each in list(session.get_objects({self._api.Attribute.LABEL: check_label(label)})):
                each.destroy()

    def labels(self, prefix: str = "") -> list[str]:
        attribute, kind = self._api.Attribute, self._api.ObjectClass
        with self._session() as session:
            private = [each[attribute.LABEL] for each in session.get_objects({attribute.CLASS: kind.PRIVATE_KEY})]
            secrets = session.get_objects({attribute.CLASS: kind.DATA, attribute.APPLICATION: _SECRET})
            found = {*private, *(each[attribute.LABEL] for each in secrets)}
        return sorted(label for label in found if label.startswith(prefix))

    # -- the token ------------------------------------------------------------------------------------------------

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """This thread's session; what the module refuses unexpectedly locks the store."""
        try:
            if not hasattr(self._local, "session"):
                self._local.session = self._token.open(rw=True)
            yield self._local.session
        except self._api.PKCS11Error as error:
            raise KEYS_LOCKED(store=self._token, why=type(error).__name__) from error

    def _objects(self, label: str, kind: Any, application: str = "") -> Iterator[Any]:
        attribute = self._api.Attribute
        wanted = {attribute.CLASS: kind, attribute.LABEL: check_label(label)}
        if application:
            wanted[attribute.APPLICATION] = application
        with self._session() as session:
            yield from list(session.get_objects(wanted))

    def _object(self, label: str, kind: Any, application: str = "", what: str = "key") -> Any:
        found = next(self._objects(label, kind, application), None)
        if found is None:
            raise KEYS_UNKNOWN(what=what, label=label)
        return found

    def _private(self, label: str) -> Any:
        return self._object(label, self._api.ObjectClass.PRIVATE_KEY)

    def _put(self, label: str, application: str, value: bytes) -> None:
        attribute = self._api.Attribute
        template = {
            attribute.CLASS: self._api.ObjectClass.DATA,
            attribute.TOKEN: True,
            attribute.PRIVATE: True,
            attribute.APPLICATION: application,
            attribute.LABEL: check_label(label),
            attribute.VALUE: value,
        }
        with self._session() as session:
            session.create_object(template)

    def _demand_free(self, label: str) -> None:
        kind = self._api.ObjectClass
        taken = [*self._objects(label, kind.PRIVATE_KEY), *self._objects(label, kind.DATA, _SECRET)]
        if taken:
            raise KEYS_EXISTS(label=label)

    def _demand_won(self, label: str, mark: bytes) -> None:
        """PKCS#11 lets two objects have one label: of those who generated at once the lowest CKA_ID keeps it."""
        attribute = self._api.Attribute
        marks = [bytes(each[attribute.ID]) for each in self._objects(label, self._api.ObjectClass.PRIVATE_KEY)]
        if min(marks) == mark:
            return
        with self._session() as session:
            for each in list(session.get_objects({attribute.LABEL: label, attribute.ID: mark})):
                each.destroy()
        raise KEYS_EXISTS(label=label)


def _public_key(parameters: bytes, point: bytes) -> ec.EllipticCurvePublicKey:
    """CKA_EC_POINT is an OCTET STRING around the point (PKCS#11 2.40 §2.3.3)."""
    curve = _CURVE_OF[dotted(bytes(parameters))]
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, Reader(bytes(point)).value(OCTET_STRING))
