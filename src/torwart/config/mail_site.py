"""The mail room of a complete test installation on disk: CA, our identity, and ``mailroom.toml``.

For demonstration, stories and benchmarks, like ``config.site``; its keys are test keys.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings

from torwart.sim.mailbox import Credential, MailCa


@dataclass(frozen=True, slots=True)
class MailSite:
    """``config``: the mail room's; ``certificates``: ours, for whoever writes to us."""

    ca: MailCa
    config: Path
    certificates: tuple[x509.Certificate, ...]


def create(directory: Path, now: datetime, *, deliver_to: int, listen: int = 0) -> MailSite:
    """Make everything in ``directory``. ``deliver_to``: port on loopback our mail goes to; ``listen``: ours, 0: any."""
    directory.mkdir(parents=True, exist_ok=True)
    ca = MailCa.create(now)
    address = settings.TORWART_SERVICE_MAIL
    own = {use: ca.issue(address, use=use) for use in ("sign", "encrypt")}
    for use, credential in own.items():
        _write(directory / f"mail-{use}", credential)
    (directory / "mail-anchors.pem").write_bytes(_pem([ca.root.certificate, ca.issuing.certificate]))
    text = f"""[identity]
address = "{address}"
sign = {{ certificate = "mail-sign.cert.pem", key = "mail-sign.key.pem" }}
decrypt = [{{ certificate = "mail-encrypt.cert.pem", key = "mail-encrypt.key.pem" }}]

[trust]
anchors = ["mail-anchors.pem"]

[receive]
listen = "127.0.0.1:{listen}"

[send]
server = "127.0.0.1:{deliver_to}"
starttls = "never"
"""
    tomllib.loads(text)
    config = directory / "mailroom.toml"
    config.write_text(text)
    return MailSite(ca, config, tuple(credential.certificate for credential in own.values()))


def _write(stem: Path, credential: Credential) -> None:
    key = credential.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = stem.with_suffix(".key.pem")
    path.touch(mode=0o600)
    path.write_bytes(key)
    stem.with_suffix(".cert.pem").write_bytes(_pem([credential.certificate, *credential.chain]))


def _pem(certificates: Sequence[x509.Certificate]) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
