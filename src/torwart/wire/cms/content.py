"""Content encryption with authentication: AES-GCM (DS 5.3.2.2.4) and AES-CBC-CMAC (DS 5.3.2.2.3 and 5.4).

One table of both directions: the AlgorithmIdentifier's object identifier on the left, mode and key size on the right.
"""

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC

from torwart.kernel.refusals.cms import CMS_ALGORITHM, CMS_MAC_WRONG, CMS_PADDING, CMS_PARAMETERS
from torwart.wire.cms.algorithms import name_of
from torwart.wire.cms.der import INTEGER, OCTET_STRING, OID, SEQUENCE, Reader, oid, sequence, tlv
from torwart.wire.cms.profile import Suite

MAC_SIZE = 16
_BLOCK = 16
_NONCE_SIZE = 12
_ZERO_IV = bytes(_BLOCK)
_MAC_SIZE_16 = tlv(INTEGER, b"\x10")


class Mode(Protocol):
    """One way to encrypt and authenticate. ``key`` is what the recipient info wraps; a fresh one per message."""

    suite: Suite

    def encrypt(self, key: bytes, iv: bytes, content: bytes, aad: bytes) -> tuple[bytes, bytes]:
        """Ciphertext and MAC."""
        ...

    def decrypt(self, key: bytes, iv: bytes, ciphertext: bytes, mac: bytes, aad: bytes) -> bytes:
        """The content; refuses ``cms.mac_wrong`` before anything of it is looked at."""
        ...

    def iv(self, parameters: Reader) -> bytes:
        """The nonce or IV out of the algorithm's parameters; refuses ``cms.parameters``."""
        ...


class _Gcm:
    suite = Suite.GCM

    def encrypt(self, key: bytes, iv: bytes, content: bytes, aad: bytes) -> tuple[bytes, bytes]:
        sealed = AESGCM(key).encrypt(iv, content, aad)
        return sealed[:-MAC_SIZE], sealed[-MAC_SIZE:]

    def decrypt(self, key: bytes, iv: bytes, ciphertext: bytes, mac: bytes, aad: bytes) -> bytes:
        try:
            return AESGCM(key).decrypt(iv, ciphertext + mac, aad)
        except InvalidTag:
            raise CMS_MAC_WRONG() from None

    def iv(self, parameters: Reader) -> bytes:
        if parameters.tag != SEQUENCE:
            raise CMS_PARAMETERS(why="nonce and ICV length are missing")
        fields = parameters.enter(SEQUENCE)
        nonce = fields.value(OCTET_STRING)
        # DS 5.3.2.2.4: „Das "parameters"-Feld MUSS eine "nonce" mit einer Länge von 12 Oktetts enthalten.“
        if len(nonce) != _NONCE_SIZE:
            raise CMS_PARAMETERS(why=f"nonce of {len(nonce)} octets")
        # DS 5.3.2.2.4: „Das "parameters"-Feld MUSS eine "aes-ICVlen" von 16 Oktetts enthalten.“ (absent means 12)
        if not fields.skips(_MAC_SIZE_16):
            raise CMS_PARAMETERS(why="ICV length is not 16")
        fields.close()
        return nonce


class _CbcCmac:
    """Encrypt, then MAC over ciphertext and attributes; the key is Kenc ‖ Kmac (DS 5.3.2.2.3)."""

    suite = Suite.CBC_CMAC

    def encrypt(self, key: bytes, iv: bytes, content: bytes, aad: bytes) -> tuple[bytes, bytes]:
        k_enc, k_mac = _halves(key)
        missing = _BLOCK - len(content) % _BLOCK
        encryptor = Cipher(algorithms.AES(k_enc), modes.CBC(iv)).encryptor()
        ciphertext = encryptor.update(content + bytes([missing]) * missing) + encryptor.finalize()
        return ciphertext, cmac(k_mac, ciphertext + aad)

    def decrypt(self, key: bytes, iv: bytes, ciphertext: bytes, mac: bytes, aad: bytes) -> bytes:
        k_enc, k_mac = _halves(key)
        # TR-03116-3 7.3: „Das Padding DARF NICHT verarbeitet werden, bevor der MAC … erfolgreich verifiziert wurde.“
        if not hmac.compare_digest(cmac(k_mac, ciphertext + aad), mac):
            raise CMS_MAC_WRONG()
        if not ciphertext or len(ciphertext) % _BLOCK:
            raise CMS_PADDING()
        decryptor = Cipher(algorithms.AES(k_enc), modes.CBC(iv)).decryptor()
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        count = padded[-1]
        if not 1 <= count <= _BLOCK or padded[-count:] != bytes([count]) * count:
            raise CMS_PADDING()
        return padded[:-count]

    def iv(self, parameters: Reader) -> bytes:
        # DS 5.4: „Ist das "parameters"-Feld nicht vorhanden, MÜSSEN für den CBC-Mode IV=0 und als MAC-Länge 16 Oktetts
        # verwendet werden.“
        if parameters.tag == -1:
            return _ZERO_IV
        fields = parameters.enter(SEQUENCE)
        iv = fields.value(OCTET_STRING)
        # DS 5.4: „Das Feld "aes-iV" … MUSS aus 16 Oktetts bestehen.“
        if len(iv) != _BLOCK:
            raise CMS_PARAMETERS(why=f"IV of {len(iv)} octets")
        # DS 5.4: „Es MUSS eine MAC-Länge von 16 Oktetts verwendet werden.“ (the default; we also read it spelled out)
        if fields.tag != -1 and not fields.skips(_MAC_SIZE_16):
            raise CMS_PARAMETERS(why="MAC length is not 16")
        fields.close()
        return iv


def _halves(key: bytes) -> tuple[bytes, bytes]:
    middle = len(key) // 2
    return key[:middle], key[middle:]


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-CMAC of RFC 4493, 16 octets."""
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


@dataclass(frozen=True, slots=True)
class ContentEncryption:
    """A row of the table. ``key_size``: octets of the content key, Kenc and Kmac together for CBC-CMAC."""

    mode: Mode
    key_size: int


_GCM = _Gcm()
_CBC_CMAC = _CbcCmac()
_AES128_GCM = oid("2.16.840.1.101.3.4.1.6")
_AES128_CBC_CMAC = oid("0.4.0.127.0.7.1.3.1.1.2")

CONTENT_ENCRYPTIONS: Mapping[bytes, ContentEncryption] = {
    _AES128_GCM: ContentEncryption(_GCM, 16),
    oid("2.16.840.1.101.3.4.1.26"): ContentEncryption(_GCM, 24),
    oid("2.16.840.1.101.3.4.1.46"): ContentEncryption(_GCM, 32),
    _AES128_CBC_CMAC: ContentEncryption(_CBC_CMAC, 32),
    oid("0.4.0.127.0.7.1.3.1.1.3"): ContentEncryption(_CBC_CMAC, 48),
    oid("0.4.0.127.0.7.1.3.1.1.4"): ContentEncryption(_CBC_CMAC, 64),
}

_CBC_CMAC_WITHOUT_PARAMETERS = sequence(_AES128_CBC_CMAC)


class Fresh(NamedTuple):
    """Everything random about one sent content: ``identifier`` is its contentEncryptionAlgorithm element.

    ``authenticated``: parameters that DS 5.4 wants among the authenticated attributes, or nothing.
    """

    mode: Mode
    key: bytes
    iv: bytes
    identifier: bytes
    authenticated: bytes = b""


def fresh(suite: Suite, with_cmac_parameters: bool) -> Fresh:
    """A new key, used for one message only (DS 5.3.2.2.3; REQ.CMS.AuthEnvelopedData.90)."""
    if suite is Suite.GCM:
        random = os.urandom(16 + _NONCE_SIZE)
        nonce = random[16:]
        return Fresh(_GCM, random[:16], nonce, _GCM_HEAD + nonce + _MAC_SIZE_16)
    if not with_cmac_parameters:
        return Fresh(_CBC_CMAC, os.urandom(32), _ZERO_IV, _CBC_CMAC_WITHOUT_PARAMETERS)
    random = os.urandom(32 + _BLOCK)
    parameters = sequence(tlv(OCTET_STRING, random[32:]))
    return Fresh(_CBC_CMAC, random[:32], random[32:], sequence(_AES128_CBC_CMAC, parameters), parameters)


# Everything of a GCM AlgorithmIdentifier before its nonce.
_GCM_HEAD = sequence(_AES128_GCM, sequence(tlv(OCTET_STRING, bytes(_NONCE_SIZE)), _MAC_SIZE_16))[
    : -(_NONCE_SIZE + len(_MAC_SIZE_16))
]


class Received(NamedTuple):
    """A received contentEncryptionAlgorithm. ``parameters``: to be authenticated by DS 5.4 (CBC-CMAC only)."""

    mode: Mode
    key_size: int
    iv: bytes
    parameters: bytes


def received(identifier: bytes) -> Received:
    """Read a contentEncryptionAlgorithm element; refuses ``cms.algorithm`` and ``cms.parameters``.

    Raises ``NotDER`` as every reader of this package; call it where that is caught.
    """
    # The two forms of TR-03116-3 Table 20 by comparing constants, their lengths included; others are taken apart.
    if identifier.startswith(_GCM_HEAD) and identifier.endswith(_MAC_SIZE_16):
        return Received(_GCM, 16, identifier[len(_GCM_HEAD) : -len(_MAC_SIZE_16)], b"")
    if identifier == _CBC_CMAC_WITHOUT_PARAMETERS:
        return Received(_CBC_CMAC, 32, _ZERO_IV, b"")
    fields = Reader(identifier).enter(SEQUENCE)
    row = CONTENT_ENCRYPTIONS.get(fields.raw(OID))
    if row is None:
        raise CMS_ALGORITHM(what="content encryption", found=name_of(identifier))
    parameters = identifier[fields.at :] if row.mode is _CBC_CMAC else b""
    iv = row.mode.iv(fields)
    fields.close()
    return Received(row.mode, row.key_size, iv, parameters)
