"""Meters on the LMN: a household with a load curve and perhaps a roof, its registers and its status word.

Registers are a function of seed and time: the same household draws the same curve in every run, and a meter that was
not looked at for weeks needs no stored series to answer. Energy is counted in tenths of a watt-hour (scaler -1).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Flag, auto
from types import MappingProxyType

IMPORT = "1-0:1.8.0"
EXPORT = "1-0:2.8.0"
POWER = "1-0:16.7.0"
QUARTER = 900
SCALER = -1

# Hour by hour of an ordinary household (H0-like: low at night, peaks at breakfast, noon and evening), relative.
_WORKDAY = (38, 30, 27, 26, 28, 38, 62, 82, 84, 80, 80, 90, 100, 88, 78, 76, 84, 108, 138, 148, 134, 108, 80, 54)
_WEEKEND = (48, 36, 30, 28, 28, 30, 38, 62, 94, 112, 116, 128, 132, 112, 96, 92, 98, 116, 136, 138, 122, 100, 80, 60)
_MEAN = (5 * sum(_WORKDAY) + 2 * sum(_WEEKEND)) / (7 * 24)
_YEAR_HOURS = 8766.0

MISSED_AFTER = timedelta(seconds=2)
"""A meter's value is late after 2 s (PTB-A 50.8: latency of the meter)."""

# The meter word of a FNN basic meter (DS2 Tab. 15.1, conventional reading: bit 0 = LSB).
BASIC_METER = 1 << 2
LOAD_PRESENT = 1 << 8
MAGNETIC_TAMPER = 1 << 9
COVER_OPEN = 1 << 10
FEEDING_IN = 1 << 11
FATAL = 1 << 17
VOLTAGES = 0b111 << 18


class MeterTrouble(Flag):
    """What can be wrong with a meter; each is switched on and off by the fault of the same name."""

    FROZEN = auto()
    NO_EXPORT = auto()
    ABSENT = auto()
    WRONG_KEY = auto()
    MAGNET = auto()
    COVER = auto()
    BROKEN = auto()


NO_TROUBLE = MeterTrouble(0)


@dataclass(frozen=True, slots=True)
class Household:
    """Who lives behind the meter. ``annual_kwh`` drawn per year, ``pv_kwp`` peak power on the roof (0: none)."""

    seed: int = 1
    annual_kwh: float = 3500.0
    pv_kwp: float = 0.0

    def quarter(self, index: int) -> int:
        """Net energy of the quarter-hour ``index`` (counted from 1970) in tenths of Wh; negative is fed in."""
        start = datetime.fromtimestamp(index * QUARTER, UTC)
        season = math.cos(2 * math.pi * (start.timetuple().tm_yday - 15) / 365.25)
        curve = _WEEKEND if start.weekday() >= 5 else _WORKDAY
        shape = curve[(start.hour + 1) % 24] / _MEAN * (1 + 0.18 * season)
        mean = self.annual_kwh * 10_000 / (_YEAR_HOURS * 4)
        noise = _noise(self.seed, index)
        drawn = mean * shape * (0.55 + 0.9 * noise + (1.6 if noise > 0.97 else 0.0))
        return round(drawn - self._sun(start, season, _noise(self.seed ^ 0x5AFE, index // 8)))

    def _sun(self, start: datetime, season: float, sky: float) -> float:
        """What the roof yields in a quarter-hour: a bell over the day, longer and higher in summer, under clouds."""
        if not self.pv_kwp:
            return 0.0
        half_day = 6.1 - 1.9 * season
        from_noon = start.hour + start.minute / 60 + 0.125 - 11.4
        if abs(from_noon) >= half_day:
            return 0.0
        height = math.pow(math.cos(math.pi * from_noon / (2 * half_day)), 1.5)
        return self.pv_kwp * 2500 * (0.75 - 0.25 * season) * height * (0.25 + 0.75 * sky)


def _noise(seed: int, index: int) -> float:
    """A number in [0, 1) that depends on seed and index only (splitmix64)."""
    z = (seed * 0x9E3779B97F4A7C15 + index * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return ((z ^ (z >> 31)) >> 11) / 9007199254740992.0


@dataclass(frozen=True, slots=True)
class MeterValues:
    """What a meter answers: registers by OBIS (tenths of Wh; power in W) and its 32-bit status word."""

    registers: Mapping[str, int]
    status: int


@dataclass(slots=True)
class Meter:
    """One meter. ``key`` is its MK0; ``start`` the true time its registers are counted from.

    ``read`` must be asked with growing instants; an earlier one than before gets the values of the latest.
    """

    device: str
    key: bytes
    household: Household
    start: datetime
    trouble: MeterTrouble = NO_TROUBLE
    _index: int = field(default=0, init=False)
    _drawn: int = field(default=0, init=False)
    _fed: int = field(default=0, init=False)
    _shown: tuple[int, int] = field(default=(0, 0), init=False)

    def __post_init__(self) -> None:
        self._index = math.ceil(self.start.timestamp() / QUARTER)
        first = _noise(self.household.seed, -1)
        self._drawn = 0 if first < 0.5 else round(first * 1_000_000)

    @property
    def seen(self) -> bool:
        """Whether the meter answers on the LMN at all."""
        return MeterTrouble.ABSENT not in self.trouble

    def accepts(self, key: bytes) -> bool:
        """Whether pairing with ``key`` succeeds: it must be the meter's own MK0 and the meter undamaged."""
        return self.seen and MeterTrouble.WRONG_KEY not in self.trouble and key == self.key

    def read(self, at: datetime) -> MeterValues | None:
        """Registers and status at the true instant ``at``; ``None`` from a meter that is not there."""
        if not self.seen:
            return None
        net, part = self._count_to(at)
        # A register never runs back, whatever was switched in the middle of a quarter-hour.
        drawn = max(self._shown[0], self._drawn + max(net, 0) * part // QUARTER)
        fed = max(self._shown[1], self._fed + max(-net, 0) * part // QUARTER)
        self._shown = drawn, fed
        registers = {IMPORT: drawn, EXPORT: fed, POWER: round(net * 3600 / QUARTER / 10)}
        if MeterTrouble.NO_EXPORT in self.trouble:
            del registers[EXPORT]
        return MeterValues(MappingProxyType(registers), self._status(net))

    def _count_to(self, at: datetime) -> tuple[int, int]:
        """Count all whole quarters before ``at``; the running quarter's net energy and the seconds of it gone."""
        seconds = int(at.timestamp())
        if MeterTrouble.FROZEN in self.trouble:
            # A frozen register loses what flows meanwhile: time goes on, counting does not.
            self._index = max(self._index, seconds // QUARTER)
            return 0, 0
        while (self._index + 1) * QUARTER <= seconds:
            net = self.household.quarter(self._index)
            self._drawn += max(net, 0)
            self._fed += max(-net, 0)
            self._index += 1
        return self.household.quarter(self._index), max(0, seconds - self._index * QUARTER)

    def _status(self, net: int) -> int:
        word = BASIC_METER | VOLTAGES
        word |= LOAD_PRESENT if net else 0
        word |= FEEDING_IN if net < 0 else 0
        word |= MAGNETIC_TAMPER if MeterTrouble.MAGNET in self.trouble else 0
        word |= COVER_OPEN if MeterTrouble.COVER in self.trouble else 0
        word |= FATAL if MeterTrouble.BROKEN in self.trouble else 0
        return word

    def counted(self) -> tuple[int, int, int]:
        """What the meter's own memory keeps: quarter index, drawn, fed."""
        return self._index, self._drawn, self._fed

    def recall(self, counted: tuple[int, int, int]) -> None:
        self._index, self._drawn, self._fed = counted
        self._shown = self._drawn, self._fed
