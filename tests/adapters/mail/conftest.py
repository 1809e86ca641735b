"""What the mail tests share: a keeper that can fail, a mail, a TLS server of a test authority."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition

from mail_servers import certify

RAW = (
    b"From: a@client.test\r\nTo: service@torwart.test\r\nSubject: Frage\r\nMessage-ID: <1@client.test>\r\n\r\nHallo\r\n"
)


@dataclass
class Kept:
    """A ``Keep`` that remembers. ``failures``: so many times it raises first, as a database without room would."""

    failures: int = 0
    mails: list[tuple[bytes, str, tuple[str, ...]]] = field(default_factory=list)
    arrived: Condition = field(default_factory=Condition)

    def __call__(self, raw: bytes, envelope_from: str, envelope_to: Sequence[str]) -> None:
        with self.arrived:
            if self.failures:
                self.failures -= 1
                raise OSError("no space left on device")
            self.mails.append((raw, envelope_from, tuple(envelope_to)))
            self.arrived.notify_all()

    def wait(self, count: int, timeout: float = 10) -> None:
        """Until so many mails have been kept."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.mails) >= count, timeout), (
                f"{len(self.mails)} of {count} mails"
            )


def server_tls(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS contexts of a server, and of a client that believes it."""
    certificate, key = certify(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=certificate)
