"""The algorithms of the profile as tables: whole AlgorithmIdentifier elements on the left, what to do on the right.

We accept what DS 5.3.2.2 and 5.3.3.2 list with SOLL, and send what TR-03116-3 ch. 8 prescribes.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.wire.cms.der import NULL, OCTET_STRING, SEQUENCE, NotDER, Reader, dotted, explicit, oid, sequence, tlv
from torwart.wire.cms.profile import Kdf, SharedInfo

ID_DATA = "1.2.840.113549.1.7.1"
ID_SIGNED_DATA = "1.2.840.113549.1.7.2"
ID_AUTH_ENVELOPED_DATA = "1.2.840.113549.1.9.16.1.23"
ID_COMPRESSED_DATA = "1.2.840.113549.1.9.16.1.9"

ATTRIBUTE_CONTENT_TYPE = oid("1.2.840.113549.1.9.3")
ATTRIBUTE_MESSAGE_DIGEST = oid("1.2.840.113549.1.9.4")

# DS 5.4 prints „id-aes-CBC-CMAC-Param ::= { bsi-de symmetricCiphers(3) AES(1) authEncr(1) 1 }“ without the arc
# algorithms(1) that its three siblings have; we read it as their sibling.
ATTRIBUTE_CMAC_PARAMETERS = oid("0.4.0.127.0.7.1.3.1.1.1")

EC_PUBLIC_KEY = oid("1.2.840.10045.2.1")
ZLIB = sequence(oid("1.2.840.113549.1.9.16.3.8"))


@dataclass(frozen=True, slots=True)
class Digest:
    """A hash of DS 5.3.3.2.1 with its ECDSA partner of 5.3.3.2.2."""

    name: str
    of: Callable[[bytes], Any]
    ecdsa: ec.ECDSA


SHA256 = Digest("SHA-256", hashlib.sha256, ec.ECDSA(hashes.SHA256()))
SHA384 = Digest("SHA-384", hashlib.sha384, ec.ECDSA(hashes.SHA384()))
SHA512 = Digest("SHA-512", hashlib.sha512, ec.ECDSA(hashes.SHA512()))

SHA256_IDENTIFIER = sequence(oid("2.16.840.1.101.3.4.2.1"))
ECDSA_SHA256_IDENTIFIER = sequence(oid("1.2.840.10045.4.3.2"))

# DS 5.3.3.2.1: „Das optionale "Parameter"-Feld entfällt.“ RFC 5754 2: „Implementations MUST accept SHA2
# AlgorithmIdentifiers with absent parameters [and] with NULL parameters.“
DIGESTS: Mapping[bytes, Digest] = {
    sequence(oid(f"2.16.840.1.101.3.4.2.{arc}"), parameters): digest
    for arc, digest in ((1, SHA256), (2, SHA384), (3, SHA512))
    for parameters in (b"", NULL)
}

# DS 5.3.3.2.2: „Das Parameter-Feld entfällt.“
SIGNATURES: Mapping[bytes, Digest] = {
    ECDSA_SHA256_IDENTIFIER: SHA256,
    sequence(oid("1.2.840.10045.4.3.3")): SHA384,
    sequence(oid("1.2.840.10045.4.3.4")): SHA512,
}


# DS 5.2.3: „Die NIST- und Brainpool-Kurven über Primkörpern mit folgenden OIDs werden … unterstützt“.
CURVES: Mapping[str, bytes] = {
    "secp256r1": oid("1.2.840.10045.3.1.7"),
    "secp384r1": oid("1.3.132.0.34"),
    "brainpoolP256r1": oid("1.3.36.3.3.2.8.1.1.7"),
    "brainpoolP384r1": oid("1.3.36.3.3.2.8.1.1.11"),
    "brainpoolP512r1": oid("1.3.36.3.3.2.8.1.1.13"),
}
# DS 5.3.2.1 Table 5.5 (originatorKey parameters): „Falls vorhanden: namedCurve (OID) gemäß Abschnitt 5.2.3“.
ORIGINATOR_ALGORITHMS = frozenset(
    [sequence(EC_PUBLIC_KEY), *(sequence(EC_PUBLIC_KEY, curve) for curve in CURVES.values())]
)


@dataclass(frozen=True, slots=True)
class KeyEncryption:
    """ECKA-EG with X9.63 KDF, then AES key wrap: what turns Z into the key encryption key.

    ``hash``: of the KDF. ``size``: octets of the KEK; never more than one hash, so one round of X9.63 is the KDF.
    ``wrap``: AlgorithmIdentifier of the key wrap, part of the RFC 5753 SharedInfo.
    """

    hash: Callable[[bytes], Any]
    size: int
    identifier: bytes
    wrap: bytes

    def derive(self, z: bytes, shared_info: SharedInfo) -> bytes:
        """K = first octets of H(Z ‖ counter 1 ‖ SharedInfo) (TR-03111 4.3.3)."""
        info = self.shared_info if shared_info is SharedInfo.RFC5753 else b""
        return bytes(self.hash(z + b"\x00\x00\x00\x01" + info).digest()[: self.size])

    @property
    def shared_info(self) -> bytes:
        """RFC 5753 7.2: ECC-CMS-SharedInfo { keyInfo, suppPubInfo [2] EXPLICIT = KEK bits as 32-bit integer }."""
        return _SHARED_INFO[self.wrap]


# DS 5.3.2.2.2: „Das "Parameter"-Feld bleibt bei diesen Algorithmen leer.“
_WRAPS = {size: sequence(oid(f"2.16.840.1.101.3.4.1.{arc}")) for size, arc in ((16, 5), (24, 25), (32, 45))}
_SHARED_INFO = {
    wrap: sequence(wrap, tlv(explicit(2), tlv(OCTET_STRING, (8 * size).to_bytes(4, "big"))))
    for size, wrap in _WRAPS.items()
}
_KDFS = {Kdf.SHA256: (3, hashlib.sha256), Kdf.SHA384: (4, hashlib.sha384), Kdf.SHA512: (5, hashlib.sha512)}


def _key_encryption(kdf: Kdf, size: int) -> KeyEncryption:
    arc, function = _KDFS[kdf]
    wrap = _WRAPS[size]
    return KeyEncryption(function, size, sequence(oid(f"0.4.0.127.0.7.1.1.5.1.1.{arc}"), wrap), wrap)


KEY_ENCRYPTIONS: Mapping[bytes, KeyEncryption] = {
    row.identifier: row for row in (_key_encryption(kdf, size) for kdf, size in product(Kdf, _WRAPS))
}

# RFC 5753 7.1.4: dhSinglePass-stdDH-sha…kdf-scheme, which is the same agreement under the name other software uses.
SECG_KEY_ENCRYPTIONS: Mapping[bytes, KeyEncryption] = {
    sequence(oid(f"1.3.132.1.11.{arc}"), _WRAPS[size]): _key_encryption(kdf, size)
    for (arc, kdf), size in product(enumerate(Kdf, start=1), _WRAPS)
}

# TR-03116-3 Table 22: id-aes128-wrap.
SENT_KEY_ENCRYPTIONS: Mapping[Kdf, KeyEncryption] = {kdf: _key_encryption(kdf, 16) for kdf in Kdf}


def name_of(identifier: bytes) -> str:
    """The object identifier of an AlgorithmIdentifier, for the text of a refusal."""
    try:
        return dotted(Reader(identifier).enter(SEQUENCE).raw(0x06))
    except NotDER:
        return identifier[:16].hex()
