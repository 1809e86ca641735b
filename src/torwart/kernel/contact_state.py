"""Secure mail with a contact (S-MAIL-2): each of a contact's certificates goes this way by itself.

A contact is as far as the best of its certificates (``BEST``), so a new certificate under test never takes away what
an older one still allows, and one that has expired never blocks another.
"""

from collections.abc import Iterable
from enum import StrEnum

from torwart.kernel.state import StateTable
from torwart.kernel.words import Words


class MailState(StrEnum):
    UNKNOWN = "unknown"
    STORED = "stored"
    TEST_SENT = "test_sent"
    TESTED = "tested"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    FAILED = "failed"


class MailVerb(StrEnum):
    STORE = "store"
    SEND_TEST = "send_test"
    PROVE = "prove"
    FAIL = "fail"
    NEAR_END = "near_end"
    EXPIRE = "expire"


_S, _V = MailState, MailVerb

CONTACT_MAIL: StateTable[MailState, MailVerb] = StateTable(
    subject=Words("Gesicherte Mail", "secure mail"),
    initial=_S.UNKNOWN,
    states={
        _S.UNKNOWN: Words("kein Zertifikat", "no certificate"),
        _S.STORED: Words("Zertifikat hinterlegt", "certificate stored"),
        _S.TEST_SENT: Words("Testmail gesendet", "test mail sent"),
        _S.TESTED: Words("getestet", "tested"),
        _S.EXPIRING: Words("läuft bald ab", "expiring"),
        _S.EXPIRED: Words("abgelaufen", "expired"),
        _S.FAILED: Words("Test fehlgeschlagen", "test failed"),
    },
    verbs={
        _V.STORE: Words("Zertifikat hinterlegen", "store a certificate"),
        _V.SEND_TEST: Words("Testmail senden", "send the test mail"),
        _V.PROVE: Words("Test bestehen", "pass the test"),
        _V.FAIL: Words("Test nicht bestehen", "fail the test"),
        _V.NEAR_END: Words("Ablauf ankündigen", "announce the end"),
        _V.EXPIRE: Words("ablaufen", "expire"),
    },
    moves=(
        (_V.STORE, (_S.UNKNOWN,), _S.STORED),
        (_V.SEND_TEST, (_S.STORED, _S.TEST_SENT, _S.FAILED), _S.TEST_SENT),
        (_V.PROVE, (_S.TEST_SENT,), _S.TESTED),
        (_V.FAIL, (_S.TEST_SENT,), _S.FAILED),
        (_V.NEAR_END, (_S.TESTED,), _S.EXPIRING),
        (_V.EXPIRE, (_S.STORED, _S.TEST_SENT, _S.FAILED, _S.TESTED, _S.EXPIRING), _S.EXPIRED),
    ),
)

SECURE = (_S.TESTED, _S.EXPIRING)
"""S-MAIL-3: only then is data of the client sent or accepted on this way."""

_BEST = (_S.TESTED, _S.EXPIRING, _S.TEST_SENT, _S.STORED, _S.FAILED, _S.EXPIRED)


def best(states: Iterable[MailState]) -> MailState:
    """How far a contact is, by the states of its certificates."""
    present = set(states)
    return next((state for state in _BEST if state in present), _S.UNKNOWN)
