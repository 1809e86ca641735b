"""PEM or DER in, certificates out; anything else is refused by name."""

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from torwart.kernel.refusals.pki import PKI_MALFORMED

_BEGIN = b"-----BEGIN "

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises, now or at first use of a part, for a certificate it cannot read."""


@contextmanager
def reading() -> Iterator[None]:
    """What cannot be read inside is refused as ``pki.malformed``."""
    try:
        yield
    except UNREADABLE as error:
        raise PKI_MALFORMED(why=error) from error


def load_certificate(data: bytes) -> x509.Certificate:
    """One certificate from PEM or DER; ``pki.malformed`` if it is none."""
    return load_certificates(data)[0]


def load_certificates(data: bytes) -> list[x509.Certificate]:
    """All certificates of a PEM file, or the one of a DER file; at least one or ``pki.malformed``."""
    with reading():
        if data.lstrip().startswith(_BEGIN):
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]


def load_revocation_list(data: bytes) -> x509.CertificateRevocationList:
    """A CRL from PEM or DER; ``pki.malformed`` if it is none."""
    with reading():
        if data.lstrip().startswith(_BEGIN):
            return x509.load_pem_x509_crl(data)
        return x509.load_der_x509_crl(data)
