"""How a client's secure mail goes wrong: every broken form of spec/05, and the right ones that look unusual."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from torwart.sim.mailbox.ca import Credential, MailCa
from torwart.wire.cms.der import NULL, oid, sequence
from torwart.wire.smime import Signer, SmimeIdentity, encrypt, sign
from torwart.wire.smime.algorithms import ECDSA_SHA256, ID_RSA, RSA_PSS_SHA256, SALT

_DAY = timedelta(days=1)


class MailFault(StrEnum):
    """``REFUSED`` says which of them Torwart must refuse, and by which name; the others it must accept."""

    NONE = "none"
    SIGNER_NOT_SENDER = "signer_not_sender"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_USAGE = "wrong_usage"
    WRONG_PURPOSE = "wrong_purpose"
    WEAK_KEY = "weak_key"
    UNKNOWN_ISSUER = "unknown_issuer"
    WRONG_RECIPIENT = "wrong_recipient"
    TAMPERED = "tampered"
    TAMPERED_CIPHERTEXT = "tampered_ciphertext"
    PKCS1V15 = "pkcs1v15"
    STRANGER_INSIDE = "stranger_inside"
    NO_CHAIN = "no_chain"
    CBC = "cbc"
    OPAQUE = "opaque"
    TRIPLE = "triple"
    SIGNED_OUTSIDE = "signed_outside"


_F = MailFault
REFUSED: Mapping[MailFault, str] = {
    _F.SIGNER_NOT_SENDER: "smime.signer_not_sender",
    _F.EXPIRED: "smime.expired",
    _F.NOT_YET_VALID: "smime.not_yet_valid",
    _F.WRONG_USAGE: "smime.usage",
    _F.WRONG_PURPOSE: "smime.usage",
    _F.WEAK_KEY: "smime.key_weak",
    _F.UNKNOWN_ISSUER: "smime.issuer_unknown",
    _F.WRONG_RECIPIENT: "smime.not_for_us",
    _F.TAMPERED: "smime.tampered",
    _F.TAMPERED_CIPHERTEXT: "smime.ciphertext",
    _F.PKCS1V15: "smime.pkcs1v15",
    _F.STRANGER_INSIDE: "smime.signer_not_sender",
}


@dataclass(frozen=True, slots=True)
class Secure:
    """How to secure a mail. ``sign`` and ``encrypt`` off: not at all on that side. ``at``: when it is written."""

    identity: SmimeIdentity
    recipients: Sequence[x509.Certificate]
    ca: MailCa
    at: datetime
    fault: MailFault = MailFault.NONE
    sign: bool = True
    encrypt: bool = True

    def apply(self, mail: bytes) -> bytes:
        """The mail, secured and broken as told."""
        if self.fault is MailFault.SIGNED_OUTSIDE:
            return self._signed(encrypt(mail, recipients=self.recipients))
        if self.sign:
            mail = self._signed(mail)
        if self.encrypt:
            mail = encrypt(mail, recipients=self._recipients(), legacy=self.fault is MailFault.CBC)
        if self.fault is MailFault.TAMPERED_CIPHERTEXT:
            mail = _flip_base64(mail)
        return self._signed(mail) if self.fault is MailFault.TRIPLE else mail

    def _signed(self, mail: bytes) -> bytes:
        if self.fault is MailFault.STRANGER_INSIDE:
            mail = sign(mail, signer=_stranger(self))
        signed = sign(mail, signer=self._signer(), opaque=self.fault is MailFault.OPAQUE)
        # One letter of the text is another afterwards; the signature is not touched.
        return re.sub(rb"(?<=\r\n\r\n)[A-Za-z]", b"#", signed, count=1) if self.fault is MailFault.TAMPERED else signed

    def _signer(self) -> Signer:
        make = _SIGNERS.get(self.fault)
        if make is None:
            return self.identity.signer
        return make(self, self.identity.address)

    def _recipients(self) -> Sequence[x509.Certificate]:
        if self.fault is MailFault.WRONG_RECIPIENT:
            return [self.ca.issue("nobody@elsewhere.test", use="encrypt").certificate]
        return self.recipients


def _flip_base64(mail: bytes) -> bytes:
    """Another last octet, which is one of the MAC."""
    lines = mail.rstrip().split(b"\r\n")
    flipped = b"A" if lines[-2][5:6] != b"A" else b"B"
    lines[-2] = lines[-2][:5] + flipped + lines[-2][6:]
    return b"\r\n".join(lines) + b"\r\n"


@dataclass(frozen=True, slots=True)
class Careless:
    """A signer that asks neither what its certificate is for nor what is allowed, as broken programs do."""

    credential: Credential
    pkcs1v15: bool = False
    encryption: x509.Certificate | None = None

    @property
    def certificate(self) -> x509.Certificate:
        return self.credential.certificate

    @property
    def chain(self) -> Sequence[x509.Certificate]:
        return self.credential.chain

    @property
    def algorithm(self) -> bytes:
        if isinstance(self.credential.key, ec.EllipticCurvePrivateKey):
            return ECDSA_SHA256
        return sequence(oid(ID_RSA), NULL) if self.pkcs1v15 else RSA_PSS_SHA256

    def sign(self, message: bytes) -> bytes:
        key = self.credential.key
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(message, ec.ECDSA(hashes.SHA256()))
        scheme = padding.PKCS1v15() if self.pkcs1v15 else padding.PSS(padding.MGF1(hashes.SHA256()), SALT)
        return key.sign(message, scheme, hashes.SHA256())


def _stranger(told: Secure) -> Signer:
    return told.ca.issue("somebody.else@elsewhere.test", use="sign").signer()


_SIGNERS: Mapping[MailFault, Callable[[Secure, str], Signer]] = {
    _F.SIGNER_NOT_SENDER: lambda told, _: _stranger(told),
    _F.EXPIRED: lambda told, address: told.ca.issue(
        address, use="sign", not_before=told.at - 400 * _DAY, not_after=told.at - _DAY
    ).signer(),
    _F.NOT_YET_VALID: lambda told, address: told.ca.issue(
        address, use="sign", not_before=told.at + _DAY, not_after=told.at + 400 * _DAY
    ).signer(),
    _F.WRONG_USAGE: lambda told, address: Careless(told.ca.issue(address, use="encrypt")),
    _F.WRONG_PURPOSE: lambda told, address: Careless(told.ca.issue(address, use="sign", email_protection=False)),
    _F.WEAK_KEY: lambda told, address: Careless(told.ca.issue(address, use="sign", key="rsa2048")),
    _F.UNKNOWN_ISSUER: lambda told, address: MailCa.create(told.at, "Unknown CA").issue(address, use="sign").signer(),
    _F.PKCS1V15: lambda told, address: Careless(told.ca.issue(address, use="sign", key="rsa3072"), pkcs1v15=True),
    _F.NO_CHAIN: lambda told, address: replace(told.ca.issue(address, use="sign"), chain=()).signer(),
}
