"""What the mail tests share: a keeper that can fail, a mail, a TLS server of a test authority."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Condition

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

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


def certify(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and localhost, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.add_extension(names, False).sign(key, hashes.SHA256())
    paths = folder / "tls.pem", folder / "tls.key"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def server_tls(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS contexts of a server, and of a client that believes it."""
    certificate, key = certify(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=certificate)
