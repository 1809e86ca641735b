"""What an EMT receiver is told: its credentials, who is trusted, where to confirm, and how to misbehave."""

from dataclasses import dataclass, field
from enum import StrEnum

from torwart.sim.pki import Triple

Address = tuple[str, int]


class Behaviour(StrEnum):
    """How the receiver behaves (spec/08, "The EMT"); switchable while it runs."""

    GOOD = "good"
    DOWN = "down"
    ERROR_500 = "500"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class EmtConfig:
    """``chain``: issuers of the EMT's certificates in DER, the lowest first; ``trust``: root and Sub-CAs in DER.

    ``confirm_to``: the head-end's EMT-SERVICE, ``None`` to confirm nothing; ``confirm_peer``: the TLS certificates it
    may show. ``slow_seconds`` is how long a slow EMT thinks. Times in seconds.
    """

    credentials: Triple
    chain: tuple[bytes, ...]
    trust: tuple[bytes, ...]
    confirm_to: Address | None = None
    confirm_peer: tuple[bytes, ...] = ()
    slow_seconds: float = 60.0
    first_pause: float = 1.0
    longest_pause: float = 300.0
    behaviour: Behaviour = field(default=Behaviour.GOOD)
