"""A mail CA, people with keys of every kind, and the two foreign judges: ``openssl cms`` and pyHanko."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from torwart.kernel.refusals import Refusal
from torwart.sim.mailbox import Credential, MailCa
from torwart.wire.mail import Attachment, Letter, Paragraph, compose
from torwart.wire.smime import Opened, TrustStore, open_mail

SENDER, RECIPIENT = "erika@client.test", "service@torwart.test"
KEYS = ("rsa3072", "p256", "p384", "brainpool")
NOW = datetime.now(UTC).replace(microsecond=0)
MAIL = compose(
    Letter("[#T-123456782] Rückfrage", (Paragraph("Grüße aus dem Stadtwerk"),)),
    sender=SENDER,
    recipient=RECIPIENT,
    message_id="<1@client.test>",
    date=NOW,
    attachments=[Attachment("l.xml", "text/xml", b"<?xml version='1.0'?><x/>" * 99)],
)
INSIDE = MAIL[MAIL.index(b"Content-Language") :]
"""What is signed: the Content fields and the body."""


@dataclass(frozen=True)
class People:
    """A CA and who it has certified, made once and kept."""

    ca: MailCa
    issued: Callable[[str, str, str], Credential] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "issued", cache(lambda address, use, key: self.ca.issue(address, use=use, key=key)))

    def sender(self, key: str = "p256") -> Credential:
        return self.issued(SENDER, "sign", key)

    def recipient(self, key: str = "p256") -> Credential:
        return self.issued(RECIPIENT, "encrypt", key)

    def open(self, raw: bytes, *credentials: Credential, trust: TrustStore | None = None, at: datetime = NOW) -> Opened:
        """As the service would, with the keys of ``credentials`` (by default that of ``recipient()``)."""
        decrypters = [credential.decrypter() for credential in credentials or (self.recipient(),)]
        return open_mail(raw, decrypters=decrypters, trust=trust or self.ca.trust, at=at)

    def refused(self, raw: bytes, *credentials: Credential, trust: TrustStore | None = None, at: datetime = NOW) -> str:
        """The code of the refusal it must meet."""
        with pytest.raises(Refusal) as caught:
            self.open(raw, *credentials, trust=trust, at=at)
        return caught.value.code


@pytest.fixture(scope="session")
def people() -> People:
    return People(MailCa.create(NOW))


@dataclass(frozen=True)
class Cms:
    """``openssl cms`` with files for the people it plays."""

    run: Callable[..., bytes]
    folder: Path

    def files(self, credential: Credential) -> tuple[Path, Path]:
        """Certificate and key as PEM files."""
        stem = self.folder / f"{credential.certificate.serial_number:x}"
        certificate, key = stem.with_suffix(".pem"), stem.with_suffix(".key")
        certificate.write_bytes(credential.certificate.public_bytes(Encoding.PEM))
        key.write_bytes(credential.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return certificate, key

    def sign(self, content: bytes, credential: Credential, *options: str) -> bytes:
        """A signed MIME entity; RSA by PSS."""
        certificate, key = self.files(credential)
        pss = ("-keyopt", "rsa_padding_mode:pss") if "RSA" in type(credential.key).__name__ else ()
        chain = self.folder / "chain.pem"
        chain.write_bytes(b"".join(issuer.public_bytes(Encoding.PEM) for issuer in credential.chain))
        signing = ("-sign", "-signer", certificate, "-inkey", key, "-certfile", chain, "-md", "sha256")
        return self.run("cms", *signing, *pss, *options, stdin=content)

    def encrypt(self, content: bytes, credential: Credential, *options: str, proper: bool = True) -> bytes:
        """An encrypted mail from ``SENDER``; ``proper``: OAEP with SHA-256 or SHA-256 in the key derivation."""
        certificate, _ = self.files(credential)
        oaep = ("-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256")
        by_key = oaep if "RSA" in type(credential.key).__name__ else ("-keyopt", "ecdh_kdf_md:sha256")
        head = ("cms", "-encrypt", "-from", SENDER, "-to", RECIPIENT, "-subject", "openssl")
        return self.run(*head, *options, "-recip", certificate, *(by_key if proper else ()), stdin=content)

    def decrypt(self, mail: bytes, credential: Credential) -> bytes:
        certificate, key = self.files(credential)
        return self.run("cms", "-decrypt", "-recip", certificate, "-inkey", key, stdin=mail)

    def verify(self, mail: bytes, ca: MailCa) -> bytes:
        root = self.folder / "root.pem"
        root.write_bytes(ca.root.certificate.public_bytes(Encoding.PEM))
        return self.run("cms", "-verify", "-CAfile", root, stdin=mail)

    def printed(self, mail: bytes) -> str:
        return self.run("cms", "-cmsout", "-print", stdin=mail).decode(errors="replace")


@pytest.fixture
def cms(openssl: Callable[..., bytes], tmp_path: Path) -> Cms:
    return Cms(openssl, tmp_path)
