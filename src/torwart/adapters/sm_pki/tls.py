"""Mutual TLS with a Sub-CA: our certificate, whom we trust, and who the other side turns out to be."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from torwart.kernel.refusals.ca import CA_IDENTITY
from torwart.wire.certificate import Identity, Role, Trust, Use, load_certificate, load_certificates

# TR-03116-3 §4.1.2: the suites of TLS 1.2 that MUST be and SHOULD be supported. TLS 1.3 knows no brainpool curve in
# OpenSSL 3.0, and the ssl module sets one curve only; brainpoolP256r1 is the curve of SM-PKI TLS certificates.
_CIPHERS = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES256-SHA384",
    )
)
_CURVE = "brainpoolP256r1"


@dataclass(frozen=True)
class TlsIdentity:
    """Our TLS certificate with its issuers (``chain``, PEM, leaf first), its ``key`` (PEM, not encrypted) and the
    authorities we ``trust`` (PEM: the root and Sub-CAs).

    TR-03129-4 §1.2 leaves protection to "transport layer security … with server and client authentication".
    """

    chain: bytes
    key: bytes = field(repr=False)
    trust: bytes

    @classmethod
    def from_files(cls, certificate: Path, key: Path, trust: Path) -> "TlsIdentity":
        return cls(certificate.read_bytes(), key.read_bytes(), trust.read_bytes())

    @property
    def authorities(self) -> Trust:
        """The trusted authorities, verified: the self-signed one is the root, all others are Sub-CAs."""
        certificates = load_certificates(self.trust)
        roots = [each for each in certificates if each.issuer == each.subject]
        if len(roots) != 1:
            raise CA_IDENTITY(address="trust", why=f"{len(roots)} root")
        return Trust.of(roots[0], [each for each in certificates if each is not roots[0]])

    def context(self, purpose: int) -> ssl.SSLContext:
        """For ``ssl.PROTOCOL_TLS_CLIENT`` or ``ssl.PROTOCOL_TLS_SERVER``; both ends must show a certificate."""
        context = ssl.SSLContext(purpose)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS)
        context.set_ecdh_curve(_CURVE)
        # The SM-PKI names entities by their subject, and ``identify_sub_ca`` checks it; host names prove nothing.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED
        context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
        context.load_verify_locations(cadata=self.trust.decode("ascii"))
        with _as_file(self.chain + b"\n" + self.key) as path:
            context.load_cert_chain(path)
        return context


@contextmanager
def _as_file(secret: bytes) -> Iterator[str]:
    """The ssl module takes keys from files only: in memory where the system can, else a private one, gone at once."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("tls", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, secret)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with NamedTemporaryFile() as file:
        file.write(secret)
        file.flush()
        yield file.name


def identify_sub_ca(trust: Trust, peer: bytes | None, address: str, expected: str) -> Identity:
    """The peer of a finished handshake, if it is the TLS certificate of a Sub-CA we trust (named ``expected``, if
    that is given); else ``ca.identity``. §1.2: "Each service provider SHALL use the underlying authentication
    mechanism to verify whether … the caller is authorised".
    """
    if peer is None:
        raise CA_IDENTITY(address=address, why="–")
    shown = trust.validate(load_certificate(peer), at=datetime.now(UTC), role=Role.SUB_CA, use=Use.TLS)
    if expected and shown.common_name != expected:
        raise CA_IDENTITY(address=address, why=f"{shown.common_name} ≠ {expected}")
    return shown
