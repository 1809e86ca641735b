"""The present instant, read in one place.

There are two times. *Service time* is what orders, deadlines, reminders and retention live by: ``now``. *Protocol
time* is what other machines hold us to: certificates, TLS, signatures, gateways' clocks, proofs of a peer: ``real``.
They are the same, except in the sandbox of the test system, where service time can be moved ahead
(``services.sandbox``); then a process learns within a second how far.
"""

import time
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import Error, connection

from torwart.store.models import SandboxTime

_REMEMBERED_SECONDS = 1.0
_NOTHING = timedelta()
_remembered: dict[str, tuple[float, timedelta]] = {}
"""Database → when (monotonic) and how far ahead it was."""


def now() -> datetime:
    """Service time, aware, in UTC."""
    return real() + ahead() if settings.TORWART_SANDBOX else real()


def real() -> datetime:
    """Protocol time: the machine's clock, aware, in UTC."""
    return datetime.now(UTC)


def ahead() -> timedelta:
    """How far service time is ahead of protocol time; always nothing where there is no sandbox."""
    if not settings.TORWART_SANDBOX:
        return _NOTHING
    database, moment = connection.settings_dict["NAME"], time.monotonic()
    known = _remembered.get(database)
    if known is not None and moment - known[0] < _REMEMBERED_SECONDS:
        return known[1]
    try:
        found = SandboxTime.objects.values_list("ahead", flat=True).first() or _NOTHING
    except Error:  # the database is away, or a transaction has failed: whoever asks will hear of it elsewhere
        return known[1] if known is not None else _NOTHING
    _remembered[database] = moment, found
    return found


def forget() -> None:
    """Read anew at the next call how far time has been moved."""
    _remembered.clear()


class Clock:
    """``ports.Clock`` of service time."""

    def now(self) -> datetime:
        return now()
