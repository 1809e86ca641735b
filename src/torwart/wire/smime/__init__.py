"""S/MIME 4.0 (RFC 8551, RFC 8550) by TR-03116-4 chapter 4.

    compose → protect (sign, then encrypt) → bytes          bytes → open_mail → Opened → wire.mail.read

Out goes RSASSA-PSS or ECDSA with SHA-256, RSAES-OAEP or ECDH with AES key wrap, AES-128-GCM. In comes the same, and
AES-CBC, SHA-1 in key derivation and certificate chains with a ``Caution``. PKCS#1 v1.5 is refused by name.
Whatever is wrong with a received mail raises a ``Refusal`` of the subjects ``mail`` or ``smime`` and nothing else.
"""

from torwart.wire.smime.caution import Caution
from torwart.wire.smime.certificate import (
    CertificateUse,
    addresses,
    certificate_uses,
    choose_encryption,
    load_mail_certificates,
)
from torwart.wire.smime.keys import (
    Decrypter,
    EcDecrypter,
    EcSigner,
    LocalDecrypter,
    LocalSigner,
    Signer,
    SmimeIdentity,
)
from torwart.wire.smime.message import Opened, encrypt, is_protected, open_mail, protect, sign
from torwart.wire.smime.trust import Chain, TrustStore, validate

__all__ = [
    "Caution",
    "CertificateUse",
    "Chain",
    "Decrypter",
    "EcDecrypter",
    "EcSigner",
    "LocalDecrypter",
    "LocalSigner",
    "Opened",
    "Signer",
    "SmimeIdentity",
    "TrustStore",
    "addresses",
    "certificate_uses",
    "choose_encryption",
    "encrypt",
    "is_protected",
    "load_mail_certificates",
    "open_mail",
    "protect",
    "sign",
    "validate",
]
