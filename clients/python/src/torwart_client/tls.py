"""TLS as the SM-PKI wants it."""

import ssl
from os import PathLike

Path = str | PathLike[str]


def tls_context(
    *, certificate: Path, key: Path, trust: Path, password: str | None = None, curve: str = "brainpoolP256r1"
) -> ssl.SSLContext:
    """TLS 1.2 showing the EMT's TLS certificate (``certificate``: PEM with its Sub-CA behind it, ``key``: PEM) and
    trusting the roots in ``trust`` (PEM).

    The curve is that of both key exchange and certificates. Certificates of the SM-PKI name parties, not hosts: the
    host name is not compared, so trust only the root of the SM-PKI here, never the system's.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.set_ecdh_curve(curve)
    context.load_cert_chain(certificate, key, password)
    context.load_verify_locations(trust)
    return context
