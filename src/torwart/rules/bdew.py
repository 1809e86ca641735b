"""The BDEW dialect: how old a call may be, and how a failure is told in the words of EDI@Energy (spec/07 point 11)."""

from datetime import datetime, timedelta

from torwart.kernel.refusals import Retry, Side
from torwart.kernel.refusals.bdew import BDEW_TIME

SKEW = timedelta(minutes=5)
"""How far a partner's clock may be ahead of ours. The sources name no figure; ours."""
OLDEST = timedelta(hours=24)
"""How old a call may be. Each attempt is made anew („Zeitpunkt an dem der Aufruf erstellt wurde“,
Schema/Header/creationDateTime); what is older has lain somewhere. The sources name no figure; ours.
"""


def check_created(created: datetime, now: datetime) -> None:
    """``bdew.creation_time`` for a call from the future, or one that is too old."""
    if not now - OLDEST <= created <= now + SKEW:
        told = {"given": created, "first": now - OLDEST, "last": now + SKEW}
        raise BDEW_TIME(**{name: at.strftime("%Y-%m-%dT%H:%M:%SZ") for name, at in told.items()})


def reason_negative(side: str, retry: str) -> str:
    """„Grund des Scheiterns“ (Schema/Antwort/reasonNegative): communicationFailure, overload or unable.

    communicationFailure: what stands between us and the device; overload: we could not now, but might later; unable:
    everything else, the exact reason stands beside it.
    """
    if side in (Side.GATEWAY, Side.NETWORK):
        return "communicationFailure"
    return "overload" if side == Side.OURS and retry == Retry.LATER else "unable"
