"""What the gateway registered of one meter, kept compactly: 48 bytes a capture."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

RETENTION = timedelta(days=62)
"""How long single captures stay: two months, so that daily values of six weeks and the last month's end are there."""

_NONE = -(1 << 63)

# Status bits of the gateway's own word (DS2 Tab. 15.1; conventional reading, the gateway's word is the upper half).
GATEWAY_WORD = (1 << 0 | 1 << 2) << 32
TIME_INVALID = 1 << 9 << 32
GATEWAY_ERROR = 1 << 8 << 32
NO_VALUE = 1 << 13 << 32
METER_TAMPER = 1 << 14 << 32
METER_FATAL = 1 << 17
NOT_BILLABLE = TIME_INVALID | NO_VALUE | GATEWAY_ERROR | METER_FATAL


@dataclass(frozen=True, slots=True)
class Capture:
    """Registers of a meter at one instant of the gateway's clock; ``status`` is the combined 64-bit word.

    A register the meter does not have, or did not give in time, is missing.
    """

    at: datetime
    registers: Mapping[str, int]
    status: int

    @property
    def billable(self) -> bool:
        return not self.status & NOT_BILLABLE


class Series:
    """Captures of one meter in growing order of time; ``registers`` are the OBIS codes kept."""

    __slots__ = ("_status", "_times", "_values", "registers")

    def __init__(self, registers: tuple[str, ...]) -> None:
        self.registers = registers
        self._times = array("q")
        self._status = array("Q")
        self._values = tuple(array("q") for _ in registers)

    def append(self, capture: Capture) -> bool:
        """Keep a capture; ``False`` if one of that or a later time is there (a clock set back writes nothing twice)."""
        at = round(capture.at.timestamp())
        if self._times and at <= self._times[-1]:
            return False
        self._times.append(at)
        self._status.append(capture.status)
        for obis, values in zip(self.registers, self._values, strict=True):
            values.append(capture.registers.get(obis, _NONE))
        return True

    def forget_before(self, instant: datetime) -> None:
        end = bisect_left(self._times, instant.timestamp())
        if end:
            for column in (self._times, self._status, *self._values):
                del column[:end]

    def between(self, since: datetime, until: datetime) -> Iterator[Capture]:
        """Captures with ``since`` ≤ time ≤ ``until``."""
        start = bisect_left(self._times, since.timestamp())
        end = until.timestamp()
        for index in range(start, len(self._times)):
            if self._times[index] > end:
                return
            yield self._capture(index)

    def at(self, instant: datetime) -> Capture | None:
        seconds = round(instant.timestamp())
        index = bisect_left(self._times, seconds)
        if index < len(self._times) and self._times[index] == seconds:
            return self._capture(index)
        return None

    def before(self, instant: datetime) -> Capture | None:
        """The latest capture not after ``instant``."""
        index = bisect_right(self._times, round(instant.timestamp()))
        return self._capture(index - 1) if index else None

    @property
    def last(self) -> Capture | None:
        return self._capture(len(self._times) - 1) if self._times else None

    def __len__(self) -> int:
        return len(self._times)

    def _capture(self, index: int) -> Capture:
        registers = {
            obis: values[index]
            for obis, values in zip(self.registers, self._values, strict=True)
            if values[index] != _NONE
        }
        return Capture(datetime.fromtimestamp(self._times[index], UTC), registers, self._status[index])

    def state(self) -> dict[str, Any]:
        columns = (self._times, self._status, *self._values)
        return {"registers": list(self.registers), "columns": [column.tobytes().hex() for column in columns]}

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> "Series":
        series = cls(tuple(state["registers"]))
        for column, content in zip((series._times, series._status, *series._values), state["columns"], strict=True):
            column.frombytes(bytes.fromhex(content))
        return series
