"""Evaluation profiles: what a gateway derives from captured values, for whom, and when it sends (spec/04 §1.6, §1.7).

Words and nesting of the tariff part are those of TRuDI's schema AR 2418-6 (tariffUseCase, TariffStage,
TariffChangeTrigger/TimeTrigger with DayProfile, DayTimeProfile, SpecialDayProfile; spec/04 §4.4); the week (which day
profile on which weekday) is that of COSEM's activity calendar. PTB-A 50.8 rules TAF 1, 2, 6 and 7; TAF 9, 10 and 14
deliver present values and have no billing; others are refused.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import ClassVar

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals.profile import PROFILE_TAF
from torwart.wire.profiles.base import Profile, ProfileKind
from torwart.wire.profiles.communication import Schedule

TAFS = (1, 2, 6, 7, 9, 10, 14)
PRESENT_VALUES = frozenset({9, 10, 14})
ERROR_STAGE = 63
"""Tariff number of the error register; real TAF 2 exports hold it beside the stages (spec/04 §1.6)."""

_PERIOD = re.compile(r"P[1-9][0-9]{0,2}[DMY]")
_REGISTRATION = (60, 86400)


def contract_name(taf: int) -> str:
    """As real gateways number their contracts: 01005e318021 for TAF 1, …27 for TAF 7 (spec/04 §4.1)."""
    if taf not in TAFS:
        raise PROFILE_TAF(taf=taf, known=", ".join(map(str, TAFS)))
    return f"01005e3180{0x20 + taf:02x}"


@dataclass(frozen=True, slots=True)
class Assignment:
    """One register of one meter."""

    meter: DeviceId
    obis_code: ObisCode


@dataclass(frozen=True, slots=True)
class TariffStage:
    """A tariff stage: its number 1–62, the register it fills and its words."""

    tariff_number: int
    obis_code: ObisCode
    description: str = ""


@dataclass(frozen=True, slots=True)
class DayTimeProfile:
    """From ``start_time`` (local) on, this stage."""

    start_time: time
    tariff_number: int


@dataclass(frozen=True, slots=True)
class DayProfile:
    day_id: int
    day_time_profile: tuple[DayTimeProfile, ...] = field(metadata={"xml": "DayTimeProfile"})


@dataclass(frozen=True, slots=True)
class SpecialDayProfile:
    special_day_date: date
    day_id: int


@dataclass(frozen=True, slots=True)
class WeekProfile:
    """Day ids of Monday to Sunday."""

    monday: int
    tuesday: int
    wednesday: int
    thursday: int
    friday: int
    saturday: int
    sunday: int

    @property
    def days(self) -> tuple[int, ...]:
        return (
            self.monday,
            self.tuesday,
            self.wednesday,
            self.thursday,
            self.friday,
            self.saturday,
            self.sunday,
        )


@dataclass(frozen=True, slots=True)
class TimeTrigger:
    """Changes of stage by time; special days come before the week."""

    day_profile: tuple[DayProfile, ...] = field(metadata={"xml": "DayProfile"})
    week_profile: WeekProfile | None = field(default=None, metadata={"xml": "WeekProfile"})
    special_day_profile: tuple[SpecialDayProfile, ...] = field(default=(), metadata={"xml": "SpecialDayProfile"})


@dataclass(frozen=True, slots=True)
class TariffChangeTrigger:
    time_trigger: TimeTrigger = field(metadata={"xml": "TimeTrigger"})


@dataclass(frozen=True, slots=True)
class BillingPeriod:
    """``start``: first boundary; ``duration``: ISO 8601 in days, months or years (``P1M``), by local calendar."""

    start: datetime
    duration: str = "P1M"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Send at once when a register leaves ``low``…``high`` (raw values); for grid state data (TAF 10)."""

    obis_code: ObisCode
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class EvaluationProfile(Profile):
    """One contract ("Auswertungsprofil"). ``consumer``: tenant at the HAN interface; ``usage_point``: MaLo or MeLo.

    ``registration_period`` in seconds; ``recipients``: ids of communication profiles; valid from ``valid_from``
    (inclusive) to ``valid_until`` (exclusive, ``None``: open).
    """

    kind: ClassVar[ProfileKind] = ProfileKind.EVALUATION
    root: ClassVar[str] = "evaluationProfile"

    id: str
    tariff_use_case: int
    tariff_id: str
    usage_point: str
    valid_from: datetime
    assignment: tuple[Assignment, ...]
    recipient: tuple[str, ...]
    tariff_name: str = ""
    consumer: str = ""
    valid_until: datetime | None = None
    registration_period: int = 900
    billing_period: BillingPeriod | None = None
    tariff_stage: tuple[TariffStage, ...] = field(default=(), metadata={"xml": "TariffStage"})
    default_tariff_number: int | None = None
    tariff_change_trigger: TariffChangeTrigger | None = field(default=None, metadata={"xml": "TariffChangeTrigger"})
    threshold: tuple[Threshold, ...] = ()
    schedule: Schedule | None = None
    pseudonym: str | None = None
    """Name under which values are sent; given, neither consumer nor usage point appears in what is sent."""

    @property
    def logical_name(self) -> str:
        return contract_name(self.tariff_use_case)

    @property
    def pseudonymised(self) -> bool:
        return self.pseudonym is not None

    def __post_init__(self) -> None:
        self.check_id()
        contract_name(self.tariff_use_case)
        self.check_texts("tariff_id", "usage_point")
        self._check_validity()
        self._check_lists()
        if self.tariff_use_case == 2:
            self._check_stages()
        elif self.tariff_stage or self.tariff_change_trigger or self.default_tariff_number is not None:
            self.refuse("tariff_stage", f"TAF {self.tariff_use_case} has no stages")

    def _check_validity(self) -> None:
        low, high = _REGISTRATION
        # Periods must tile the day, so that every registration falls on the same local times.
        if not low <= self.registration_period <= high or high % self.registration_period:
            self.refuse("registration_period", "60 to 86400 seconds that divide a day")
        if self.valid_from.tzinfo is None or (self.valid_until and self.valid_until.tzinfo is None):
            self.refuse("valid_from", "times have a zone")
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            self.refuse("valid_until", "it lies after valid_from")
        if self.billing_period is not None:
            if self.tariff_use_case in PRESENT_VALUES:
                self.refuse("billing_period", f"TAF {self.tariff_use_case} has none (TRuDI doc/han-adapter)")
            if not _PERIOD.fullmatch(self.billing_period.duration) or self.billing_period.start.tzinfo is None:
                self.refuse("billing_period", "a start with zone and a duration like P1M")
        if self.schedule is not None and not 60 <= self.schedule.period <= 31 * 86400:
            self.refuse("schedule.period", "60 seconds to 31 days")

    def _check_lists(self) -> None:
        if not 1 <= len(self.assignment) <= 64 or len(set(self.assignment)) != len(self.assignment):
            self.refuse("assignment", "one to 64 registers, each once")
        if not 1 <= len(self.recipient) <= 16 or len(set(self.recipient)) != len(self.recipient):
            self.refuse("recipient", "one to sixteen communication profiles, each once")
        for name in ("pseudonym",) if self.pseudonym is not None else ():
            self.check_texts(name)
        for threshold in self.threshold:
            low, high = threshold.low, threshold.high
            if (low is None and high is None) or (low is not None and high is not None and low > high):
                self.refuse("threshold", f"{threshold.obis_code} needs low or high, low not above high")

    def _check_stages(self) -> None:
        numbers = [stage.tariff_number for stage in self.tariff_stage]
        if not numbers or len(set(numbers)) != len(numbers) or not all(1 <= n < ERROR_STAGE for n in numbers):
            self.refuse("tariff_stage", "TAF 2 has stages numbered 1 to 62, each once")
        if self.default_tariff_number not in numbers:
            self.refuse("default_tariff_number", "one of the stages")
        if self.tariff_change_trigger is None:
            self.refuse("tariff_change_trigger", "TAF 2 changes stages by time")
        self._check_trigger(self.tariff_change_trigger.time_trigger, set(numbers))

    def _check_trigger(self, trigger: TimeTrigger, numbers: set[int]) -> None:
        days = [day.day_id for day in trigger.day_profile]
        if not days or len(set(days)) != len(days):
            self.refuse("day_profile", "at least one, each id once")
        for day in trigger.day_profile:
            starts = [change.start_time for change in day.day_time_profile]
            if starts != sorted(set(starts)) or any(start.tzinfo for start in starts):
                self.refuse("day_time_profile", f"day {day.day_id}: local times in ascending order")
            if any(change.tariff_number not in numbers for change in day.day_time_profile):
                self.refuse("day_time_profile", f"day {day.day_id} names an unknown stage")
        used = [*(trigger.week_profile.days if trigger.week_profile else ())]
        dates = [special.special_day_date for special in trigger.special_day_profile]
        used += [special.day_id for special in trigger.special_day_profile]
        if not used or any(day not in days for day in used):
            self.refuse("week_profile", "week and special days name day profiles that exist")
        if len(set(dates)) != len(dates):
            self.refuse("special_day_profile", "each date once")
