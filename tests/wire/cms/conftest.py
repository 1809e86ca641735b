"""Parties with keys and self-made certificates, the foreign peer ``openssl cms``, and an editor for DER trees."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from torwart.wire.cms import LocalAgreer, LocalSigner, Recipient

CURVES = {curve.name: curve for curve in (ec.SECP256R1(), ec.BrainpoolP256R1())}


def certify(
    key: ec.EllipticCurvePrivateKey, name: str, *, agreement: bool | None, ski: bool = True
) -> x509.Certificate:
    """A minimal self-signed certificate with the key usage of an ENC (``agreement``) or SIG one, or (None) without."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )
    if agreement is not None:
        usage = x509.KeyUsage(not agreement, False, agreement, False, agreement, False, False, False, False)
        builder = builder.add_extension(usage, critical=True)
    if ski:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256())


@dataclass
class Party:
    """Someone with a SIG and an ENC pair on one curve; the PEM files are for the foreign peer."""

    directory: Path
    sig_key: ec.EllipticCurvePrivateKey
    sig_certificate: x509.Certificate
    enc_key: ec.EllipticCurvePrivateKey
    enc_certificate: x509.Certificate

    def __post_init__(self) -> None:
        self.signer = LocalSigner(self.sig_key, self.sig_certificate)
        self.agreer = LocalAgreer(self.enc_key, self.enc_certificate)
        self.recipient = Recipient.of(self.enc_certificate)
        self.signers = {self.signer.ski: self.sig_key.public_key()}
        for use, key, certificate in (
            ("sig", self.sig_key, self.sig_certificate),
            ("enc", self.enc_key, self.enc_certificate),
        ):
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (self.directory / f"{use}.key").write_bytes(pem)
            (self.directory / f"{use}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))

    def file(self, name: str) -> str:
        return str(self.directory / name)


@pytest.fixture(scope="session")
def make_certificate() -> Callable[..., x509.Certificate]:
    return certify


@pytest.fixture(scope="session")
def make_party(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Party]:
    def make(curve: str) -> Party:
        sig, enc = ec.generate_private_key(CURVES[curve]), ec.generate_private_key(CURVES[curve])
        return Party(
            tmp_path_factory.mktemp(curve),
            sig,
            certify(sig, "SIG", agreement=False),
            enc,
            certify(enc, "ENC", agreement=True),
        )

    return make


@pytest.fixture(scope="session", params=list(CURVES))
def party(request: pytest.FixtureRequest, make_party: Callable[[str], Party]) -> Party:
    """One party on each curve."""
    return make_party(request.param)


@pytest.fixture(scope="session")
def quick(make_party: Callable[[str], Party]) -> Party:
    """A party on the curve with the fastest arithmetic, for tests with many messages."""
    return make_party("secp256r1")


@pytest.fixture(scope="session")
def stranger(make_party: Callable[[str], Party]) -> Party:
    return make_party("secp256r1")


@pytest.fixture
def openssl(tmp_path: Path) -> Callable[..., bytes]:
    """``openssl("cms", …, message=…)``: run the foreign peer on DER, give back what it wrote; fails if it refuses."""

    def run(*arguments: str, message: bytes) -> bytes:
        (tmp_path / "in").write_bytes(message)
        (tmp_path / "out").unlink(missing_ok=True)
        command = ["openssl", *arguments, "-in", str(tmp_path / "in"), "-out", str(tmp_path / "out")]
        done = subprocess.run(command, capture_output=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return (tmp_path / "out").read_bytes()

    return run


@dataclass
class Node:
    """A DER element that can be changed: either primitive with ``content`` or constructed with ``children``."""

    tag: int
    content: bytes = b""
    children: list["Node"] = field(default_factory=list)

    @classmethod
    def parse(cls, data: bytes) -> "Node":
        (node,) = cls._parse_all(data)
        return node

    @classmethod
    def _parse_all(cls, data: bytes) -> list["Node"]:
        nodes = []
        while data:
            tag, length, start = data[0], data[1], 2
            if length > 0x80:
                start += length & 0x7F
                length = int.from_bytes(data[2:start], "big")
            content, data = data[start : start + length], data[start + length :]
            nodes.append(cls(tag, children=cls._parse_all(content)) if tag & 0x20 else cls(tag, content))
        return nodes

    def encode(self, *, indefinite: bool = False) -> bytes:
        """DER, or with ``indefinite`` BER with the indefinite form wherever it is possible."""
        content = b"".join(child.encode(indefinite=indefinite) for child in self.children) or self.content
        if indefinite and self.tag & 0x20:
            return bytes([self.tag, 0x80]) + content + b"\x00\x00"
        if len(content) < 0x80:
            return bytes([self.tag, len(content)]) + content
        size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
        return bytes([self.tag, 0x80 | len(size)]) + size + content

    def __getitem__(self, path: int | tuple[int, ...]) -> "Node":
        node = self
        for index in (path,) if isinstance(path, int) else path:
            node = node.children[index]
        return node

    def replace(self, old: bytes, new: bytes) -> "Node":
        """Exchange whole elements, lengths of all around them follow."""
        old_node, new_node = Node.parse(old), Node.parse(new)
        self.children = [new_node if child == old_node else child.replace(old, new) for child in self.children]
        return self


@pytest.fixture(scope="session")
def tree() -> type[Node]:
    return Node
