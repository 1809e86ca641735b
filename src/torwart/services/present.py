"""The present instant, read in one place.

There are two times. *Service time* is what orders, deadlines, reminders and retention live by: ``now``. *Protocol
time* is what other machines hold us to: certificates, TLS, signatures, proofs of a peer: ``real``.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """Service time, aware, in UTC."""
    return real()


def real() -> datetime:
    """Protocol time: the machine's clock, aware, in UTC."""
    return datetime.now(UTC)
