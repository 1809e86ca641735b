"""Making contexts for either side, once the library has proved that it does what we rely on."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.tls import TLS_LIBRARY
from torwart.wire.tls.context import Chain, Credentials, TlsContext, Verdict, bare_context, trust_in, use
from torwart.wire.tls.engine import TlsEngine
from torwart.wire.tls.offer import GROUPS_1_2, SUITES_1_2, Negotiated, Offer


def server_context(
    credentials: Credentials, trust: Sequence[bytes], verdict: Verdict, *, offer: Offer | None = None
) -> TlsContext:
    """A context for the side that is called; the peer must show a certificate that ``verdict`` lets pass.

    ``trust``: DER of roots, and of Sub-CAs if wanted: these are proved here once against the roots (``tls.trust``
    if that fails) and then need no signature check in each handshake. Chains by other Sub-CAs are verified up to
    the root each time. Their validity is checked in each handshake either way.
    """
    return TlsContext(_context(credentials, trust, offer or Offer()), server_side=True, verdict=verdict)


def client_context(
    credentials: Credentials, trust: Sequence[bytes], verdict: Verdict, *, offer: Offer | None = None
) -> TlsContext:
    """A context for the side that calls; otherwise like ``server_context``. Names are for ``verdict`` to check."""
    return TlsContext(_context(credentials, trust, offer or Offer()), server_side=False, verdict=verdict)


def _context(credentials: Credentials, trust: Sequence[bytes], offer: Offer) -> SSL.Context:
    self_test()
    context = bare_context(offer)
    use(context, credentials)
    trust_in(context, trust)
    return context


@cache
def self_test() -> None:
    """Prove once per process that the installed library does what this module relies on, else ``tls.library``.

    A handshake in memory with throw-away brainpool credentials: it must end in TLS 1.2, our group, the CBC suite
    with encrypt-then-MAC, and the verdict must have been asked on both sides.
    """
    credentials = _throwaway()
    asked: list[Chain] = []

    def verdict(chain: Chain) -> Refusal | None:
        asked.append(chain)
        return None

    ends: list[TlsEngine] = []
    for server_side in (False, True):
        context = bare_context(Offer(maximum="1.2", suites=SUITES_1_2[1:2]))
        use(context, credentials)
        trust_in(context, credentials.chain)
        ends.append(TlsEngine(TlsContext(context, server_side=server_side, verdict=verdict)))
    client, server = ends
    for _ in range(4):
        client.handshake()
        server.receive_data(client.data_to_send())
        server.handshake()
        client.receive_data(server.data_to_send())
    expected = Negotiated("1.2", SUITES_1_2[1], GROUPS_1_2[0], True, True)
    if client.negotiated != expected or server.negotiated != expected:
        raise TLS_LIBRARY(why=f"negotiated {server.negotiated}")
    if asked != [credentials.chain] * 2:
        raise TLS_LIBRARY(why="the verdict was not asked")


def _throwaway() -> Credentials:
    """A self-signed brainpoolP256r1 certificate that lives for the self-test only."""
    key = ec.generate_private_key(ec.BrainpoolP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    )
    certificate = builder.sign(key, hashes.SHA256())
    return Credentials((certificate.public_bytes(Encoding.DER),), key)
