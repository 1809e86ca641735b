"""Following revocation lists: fetched, verified, kept, and passed on to the head-ends at once (spec/04 §3.3)."""

from datetime import datetime

from cryptography import x509

from torwart.ports.gateway_link import GatewayLink
from torwart.ports.sub_ca import SubCA
from torwart.services import certificate as certificates
from torwart.wire.certificate import Trust


def refresh(ca: SubCA, trust: Trust, link: GatewayLink, now: datetime) -> bool:
    """Fetch the Sub-CA's present list; ``True`` if it was newer than ours. Head-ends learn of it at once."""
    der = ca.revocation_list()
    verified = trust.revocation_list(x509.load_der_x509_crl(der))
    newer = certificates.keep_revocation_list(der, verified, now)
    if newer:
        link.policy_changed()
    return newer


def lists(ca: SubCA, trust: Trust, serials: set[int]) -> bool:
    """Whether the Sub-CA's present list holds all these serial numbers: the proof of a revocation."""
    verified = trust.revocation_list(x509.load_der_x509_crl(ca.revocation_list()))
    return serials <= verified.entries.keys()
