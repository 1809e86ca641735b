"""What both buses hold messages to, and how a handler's failure is told."""

import logging

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.bus import BUS_TOO_LARGE

MAX_PAYLOAD = 1024 * 1024
"""Bytes of one message (``ports.bus``); also NATS' own default."""

log = logging.getLogger("torwart.bus")


def check_size(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise BUS_TOO_LARGE(size=len(payload), limit=MAX_PAYLOAD)


def failure(error: Exception, subject: str) -> str:
    """What may be told of a handler's failure: the code of a refusal, otherwise only the kind of error.

    The log gets the whole; a message of another library may carry content that must not travel.
    """
    if isinstance(error, Refusal):
        return error.code
    log.error("handler of %s failed", subject, exc_info=error)
    return type(error).__name__
