"""CMS by the profile of TR-03109-1 Detailspezifikation ch. 5 (ECKA-EG, AES-GCM or AES-CBC-CMAC, ECDSA, zlib).

    protect         ContentInfo SignedData(AuthEnvelopedData([CompressedData](content)))     ⇄  open_protected
    sign            ContentInfo SignedData(content), attached or detached                     ⇄  verify, verify_stream
    seal            ContentInfo AuthEnvelopedData([CompressedData](content)), nobody signs     ⇄  unseal

Out goes DER; in comes DER or BER. Whatever is wrong with a received message raises a ``Refusal`` of the subject
``cms`` and nothing else. Order of work: verify, authenticate, decrypt, unpack; nothing is used before it is proven.
"""

from torwart.wire.cms.algorithms import ID_AUTH_ENVELOPED_DATA, ID_COMPRESSED_DATA, ID_DATA, ID_SIGNED_DATA
from torwart.wire.cms.keys import Agreer, LocalAgreer, LocalSigner, Recipient, Signer, ski_of
from torwart.wire.cms.message import Opened, open_protected, protect, seal, sign, unseal, verify
from torwart.wire.cms.profile import (
    DEFAULT_LIMITS,
    OPENSSL,
    TOLERANT,
    TR_PROFILE,
    Kdf,
    Limits,
    SharedInfo,
    Suite,
    Switches,
)
from torwart.wire.cms.signed import Verified
from torwart.wire.cms.streamed import VerifiedStream, verify_stream

__all__ = [
    "DEFAULT_LIMITS",
    "ID_AUTH_ENVELOPED_DATA",
    "ID_COMPRESSED_DATA",
    "ID_DATA",
    "ID_SIGNED_DATA",
    "OPENSSL",
    "TOLERANT",
    "TR_PROFILE",
    "Agreer",
    "Kdf",
    "Limits",
    "LocalAgreer",
    "LocalSigner",
    "Opened",
    "Recipient",
    "SharedInfo",
    "Signer",
    "Suite",
    "Switches",
    "Verified",
    "VerifiedStream",
    "open_protected",
    "protect",
    "seal",
    "sign",
    "ski_of",
    "unseal",
    "verify",
    "verify_stream",
]
