"""The algorithms of TR-03116-4 chapter 4 as tables: AlgorithmIdentifiers or their OIDs left, what they mean right."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from torwart.wire.cms.der import (
    INTEGER,
    NULL,
    OCTET_STRING,
    OID,
    SEQUENCE,
    NotDER,
    Reader,
    dotted,
    explicit,
    oid,
    sequence,
    tlv,
)

ID_DATA = "1.2.840.113549.1.7.1"
ID_SIGNED_DATA = "1.2.840.113549.1.7.2"
ID_ENVELOPED_DATA = "1.2.840.113549.1.7.3"
ID_AUTH_ENVELOPED_DATA = "1.2.840.113549.1.9.16.1.23"

_NIST = "2.16.840.1.101.3.4"
SALT = 32

# -- hashes (TR-03116-4 4.2 Table 18: SHA-256 and longer) -------------------------------------------------------------

_SHA2 = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
DIGESTS: Mapping[str, hashes.HashAlgorithm] = {f"{_NIST}.2.{arc}": digest for arc, digest in enumerate(_SHA2, 1)}
_SHA1 = "1.3.14.3.2.26"
SHA256 = sequence(oid(f"{_NIST}.2.1"))
_SHA256_NULL = sequence(oid(f"{_NIST}.2.1"), NULL)  # RFC 4055 2.1 writes the hashes of PSS and OAEP with NULL

# -- signatures (4.3 Table 19: RSASSA-PSS, ECDSA) ---------------------------------------------------------------------

ID_PSS = "1.2.840.113549.1.1.10"
ID_MGF1 = "1.2.840.113549.1.1.8"
ECDSA: Mapping[str, hashes.HashAlgorithm] = {f"1.2.840.10045.4.3.{arc}": digest for arc, digest in enumerate(_SHA2, 2)}
# rsaEncryption (as RFC 3370 3.2 writes it) and the hash-with-RSA family.
PKCS1V15 = frozenset(f"1.2.840.113549.1.1.{arc}" for arc in (1, 2, 3, 4, 5, 11, 12, 13, 14))

ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"))
_MGF1_SHA256 = sequence(oid(ID_MGF1), _SHA256_NULL)
RSA_PSS_SHA256 = sequence(
    oid(ID_PSS),
    sequence(
        tlv(explicit(0), _SHA256_NULL),
        tlv(explicit(1), _MGF1_SHA256),
        tlv(explicit(2), tlv(INTEGER, bytes([SALT]))),
    ),
)

# -- key encryption (4.4.2 Tables 21 and 22) --------------------------------------------------------------------------

ID_RSA = "1.2.840.113549.1.1.1"
ID_OAEP = "1.2.840.113549.1.1.7"
RSA_OAEP_SHA256 = sequence(oid(ID_OAEP), sequence(tlv(explicit(0), _SHA256_NULL), tlv(explicit(1), _MGF1_SHA256)))
ID_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
WRAPS: Mapping[str, int] = {f"{_NIST}.1.5": 16, f"{_NIST}.1.25": 24, f"{_NIST}.1.45": 32}
AES128_WRAP = sequence(oid(f"{_NIST}.1.5"))
ECDH_SHA256 = sequence(oid("1.3.132.1.11.1"), AES128_WRAP)
# RFC 5753 7.1.4: dhSinglePass-stdDH and -cofactorDH; all curves of the profile have cofactor 1, so they are the same.
AGREEMENTS: Mapping[str, hashes.HashAlgorithm] = {
    "1.3.133.16.840.63.0.2": hashes.SHA1(),  # noqa: S303 -- received only, recorded as caution
    "1.3.133.16.840.63.0.3": hashes.SHA1(),  # noqa: S303
    **{f"1.3.132.1.{scheme}.{arc}": digest for scheme in (11, 14) for arc, digest in enumerate(_SHA2, 1)},
}


def key_encryption_key(z: bytes, digest: hashes.HashAlgorithm, wrap: bytes, size: int, ukm: bytes | None) -> bytes:
    """RFC 5753 7.2: X9.63 KDF over Z with ECC-CMS-SharedInfo { keyInfo, entityUInfo [0], suppPubInfo [2] }."""
    entity = b"" if ukm is None else tlv(explicit(0), tlv(OCTET_STRING, ukm))
    length = tlv(explicit(2), tlv(OCTET_STRING, (8 * size).to_bytes(4, "big")))
    return X963KDF(digest, size, sequence(wrap, entity, length)).derive(z)


# -- content encryption (4.4.1 Table 20: AES, GCM since 2025) ---------------------------------------------------------


class Cipher(NamedTuple):
    """``key``: octets. ``authenticated``: GCM, else CBC."""

    key: int
    authenticated: bool


CIPHERS: Mapping[str, Cipher] = {
    f"{_NIST}.1.{arc + offset}": Cipher(key, authenticated)
    for arc, key in ((0, 16), (20, 24), (40, 32))
    for offset, authenticated in ((2, False), (6, True))
}
ID_AES128_GCM = f"{_NIST}.1.6"
ID_AES256_CBC = f"{_NIST}.1.42"

# RFC 8551 2.5.2 SMIMECapabilities: what others may send us, best first.
CAPABILITIES = sequence(*(sequence(oid(f"{_NIST}.1.{arc}")) for arc in (6, 46, 2, 42)))

# -- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Algorithm:
    """A received AlgorithmIdentifier: its OID, its parameters (one whole element or nothing), all of it."""

    oid: str
    parameters: bytes
    whole: bytes

    @classmethod
    def of(cls, element: bytes) -> "Algorithm":
        """``NotDER`` if it is none."""
        fields = Reader(element).enter(SEQUENCE)
        kind = dotted(fields.raw(OID))
        parameters = fields.raw(fields.tag) if fields.tag != -1 else b""
        fields.close()
        return cls(kind, parameters, element)

    @property
    def name(self) -> str:
        """For the text of a refusal."""
        return _NAMES.get(self.oid, self.oid)


_NAMES = {
    "1.2.840.113549.3.7": "3DES-CBC",
    "1.2.840.113549.3.2": "RC2-CBC",
    "1.3.14.3.2.7": "DES-CBC",
    _SHA1: "SHA-1",
    "1.2.840.113549.2.5": "MD5",
    "1.2.840.10045.4.1": "ECDSA-SHA1",
    "1.3.101.112": "Ed25519",
}


class Pss(NamedTuple):
    hash: hashes.HashAlgorithm
    mgf: hashes.HashAlgorithm
    salt: int


def read_pss(parameters: bytes) -> Pss | None:
    """RSASSA-PSS-params of RFC 4055 3.1 with SHA-2; None for SHA-1 (the default of each field) and others."""
    fields = _tagged(parameters)
    digest, mgf = _digest(fields.get(0)), _mgf(fields.get(1))
    salt = fields.get(2, tlv(INTEGER, b"\x14"))
    trailer = fields.get(3, tlv(INTEGER, b"\x01"))
    size = int.from_bytes(Reader(salt).value(INTEGER), "big")
    if digest is None or mgf is None or trailer != tlv(INTEGER, b"\x01") or size > _LONGEST_SALT:
        return None
    return Pss(digest, mgf, size)


_LONGEST_SALT = 1024


def read_oaep(parameters: bytes) -> tuple[hashes.HashAlgorithm, hashes.HashAlgorithm, bytes] | None:
    """Hash, MGF1 hash and label of RSAES-OAEP-params (RFC 4055 4.1); None for what we do not take."""
    fields = _tagged(parameters)
    digest, mgf = _digest(fields.get(0), _sha1), _mgf(fields.get(1), _sha1)
    label = b""
    if 2 in fields:
        source = Algorithm.of(fields[2])
        if source.oid != "1.2.840.113549.1.1.9":
            return None
        label = Reader(source.parameters).value(OCTET_STRING)
    return (digest, mgf, label) if digest and mgf else None


def _sha1() -> hashes.HashAlgorithm:
    return hashes.SHA1()  # noqa: S303 -- OAEP's default; received only, recorded as caution


_Default = Callable[[], hashes.HashAlgorithm] | None


def _digest(element: bytes | None, sha1: _Default = None) -> hashes.HashAlgorithm | None:
    found = Algorithm.of(element).oid if element is not None else _SHA1
    return sha1() if sha1 is not None and found == _SHA1 else DIGESTS.get(found)


def _mgf(element: bytes | None, sha1: _Default = None) -> hashes.HashAlgorithm | None:
    if element is None:
        return _digest(None, sha1)
    algorithm = Algorithm.of(element)
    return _digest(algorithm.parameters, sha1) if algorithm.oid == ID_MGF1 else None


def _tagged(parameters: bytes) -> dict[int, bytes]:
    """The fields [0], [1] … of a SEQUENCE of explicitly tagged elements; an absent one is an empty one."""
    if not parameters or parameters == NULL:
        return {}
    fields = Reader(parameters).enter(SEQUENCE)
    found: dict[int, bytes] = {}
    while fields.tag != -1:
        tag = fields.tag
        if tag & 0xE0 != 0xA0:
            raise NotDER(f"parameter with tag {tag:#04x}")
        inner = fields.enter(tag)
        found[tag & 0x1F] = inner.raw(inner.tag)
        inner.close()
    return found
