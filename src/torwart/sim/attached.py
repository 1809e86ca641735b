"""The certificate a CMS SignedData brings along, for receivers that keep no directory of senders."""

from asn1crypto import cms as asn1
from cryptography import x509

from torwart.wire.certificate import load_certificate


def attached_certificate(message: bytes) -> x509.Certificate | None:
    """The first attached certificate; ``None`` if there is none or the message is no SignedData. Nothing is proven by
    it: who takes it must validate it and then verify the message with it.
    """
    try:
        certificates = asn1.ContentInfo.load(message)["content"]["certificates"]  # type: ignore[no-untyped-call]
        return load_certificate(certificates[0].chosen.dump()) if len(certificates) else None
    except (ValueError, TypeError, KeyError, IndexError):
        return None
