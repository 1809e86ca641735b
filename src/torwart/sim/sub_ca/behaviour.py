"""What the simulated Sub-CA does wrong when it is told to (spec/08, "The Sub-CA")."""

from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """``SYNCHRONOUS`` answers at once; ``CALLBACK`` answers ``ok_syntax`` and calls back; ``DOWN`` hangs up on all."""

    SYNCHRONOUS = "synchronous"
    CALLBACK = "callback"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How to behave; the default is a good Sub-CA that answers at once.

    ``delay``: seconds before each answer. ``callback_delay``: seconds until the callback, ``callback_times``: how
    often it is sent. ``wrong_key``: certificates for keys nobody asked for. ``revoke_meanwhile``: certificates are
    revoked before they are handed over. ``fail``: answer this return code to ``fail_operation`` (empty: to every
    operation that knows it) instead of working; ``fail_times``: only so often, then work again (0: always).
    """

    mode: Mode = Mode.SYNCHRONOUS
    delay: float = 0.0
    callback_delay: float = 0.2
    callback_times: int = 1
    wrong_key: bool = False
    revoke_meanwhile: bool = False
    fail: str = ""
    fail_operation: str = ""
    fail_times: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Behaviour":
        """From JSON; unknown names or values raise ``ValueError``."""
        known = {field.name for field in fields(cls)}
        if unknown := values.keys() - known:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        return cls(**{**values, "mode": Mode(values.get("mode", Mode.SYNCHRONOUS))})
