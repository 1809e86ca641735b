"""Evaluation profiles at work: which values a contract has to deliver, and the running registers of TAF 2.

When a contract begins, the gateway registers its meters once at that instant, so that the recipient has a start value
at once (ours; the grid of registrations goes on beside it). Which values follow is the tariff use case's matter.
"""

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time

from torwart.sim.gateway.core import Core
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.log import LogKind
from torwart.sim.gateway.meter import QUARTER
from torwart.sim.gateway.metering import LATENCY, Metering
from torwart.sim.gateway.series import Capture, Series
from torwart.sim.gateway.tariff import ERROR_STAGE, StagePlan, StageRegisters, Value, pick, taf1, taf6, taf7
from torwart.sim.gateway.timeline import Alarm
from torwart.wire.profiles import EvaluationProfile, HanProfile
from torwart.wire.profiles.evaluation import PRESENT_VALUES, Assignment, TimeTrigger

CounterKey = tuple[str, str, str]
"""Contract, meter, register."""


class Contracts:
    """All evaluation profiles of one gateway."""

    __slots__ = ("_alarm", "_core", "_metering", "counters", "on_change")

    def __init__(self, core: Core, metering: Metering) -> None:
        self._core = core
        self._metering = metering
        self.counters: dict[CounterKey, StageRegisters] = {}
        self._alarm: Alarm | None = None
        self.on_change: Callable[[], None] = lambda: None
        """Called when the time of a contract begins or ends."""
        metering.on_capture = self.count
        metering.boundaries = self._boundaries

    # --- which ---

    @property
    def profiles(self) -> list[EvaluationProfile]:
        return [p for p in self._core.memory.profiles.values() if isinstance(p, EvaluationProfile)]

    def running(self) -> list[EvaluationProfile]:
        """Contracts in force by the gateway's clock."""
        now = self._core.clock.now()
        return [p for p in self.profiles if p.valid_from <= now and (p.valid_until is None or now < p.valid_until)]

    def started(self) -> list[EvaluationProfile]:
        """Contracts that have begun to count, those whose time is over included: they may have values to deliver."""
        return [p for p in self.profiles if p.id in self._core.memory.starts]

    def find(self, contract: str) -> EvaluationProfile | None:
        return next((p for p in self.profiles if p.id == contract), None)

    def refresh(self) -> None:
        """Profiles changed or time passed: contracts that begin are started, the others' remains put away."""
        self._metering.catch_up()
        memory = self._core.memory
        held = {p.id for p in self.profiles}
        running = self.running()
        for gone in [name for name in memory.starts if name not in held]:
            self._end(gone)
        periods = [p.registration_period for p in running]
        self._metering.set_period(math.gcd(QUARTER, *periods) if periods else QUARTER)
        for profile in {p.id: p for p in (*self.started(), *running)}.values():
            if profile.tariff_use_case == 2:  # also one whose time is over: its last values may still be waited for
                self._make_counters(profile)
        for profile in running:
            if profile.id not in memory.starts:
                self._begin(profile)
        self._set_alarm()

    def _boundaries(self) -> Iterator[datetime]:
        """When contracts begin and end: registered like the grid, so that both sides share that value."""
        for profile in self.profiles:
            yield profile.valid_from
            if profile.valid_until is not None:
                yield profile.valid_until

    def _set_alarm(self) -> None:
        """Ring when the next contract begins or ends, once the registration of that instant is there."""
        now = self._core.clock.now()
        instants = [at for at in self._boundaries() if at > now]
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = None
        if instants:
            self._alarm = self._core.after((min(instants) - now).total_seconds() + LATENCY, self._ring)

    def _ring(self) -> None:
        self._metering.catch_up()
        self.on_change()

    def _begin(self, profile: EvaluationProfile) -> None:
        core = self._core
        meters = {str(assigned.meter) for assigned in profile.assignment}
        if not meters & core.memory.pairings.keys():
            return
        series = [core.memory.series.get(meter) for meter in meters]
        on_time = all(known is not None and known.at(profile.valid_from) is not None for known in series)
        core.memory.starts[profile.id] = profile.valid_from if on_time else core.clock.now().replace(microsecond=0)
        for meter in sorted(meters):
            if not on_time:
                self._metering.capture_now(meter)
            core.log(EventKind.METERING_STARTED, meter, subject=profile.id)

    def _end(self, contract: str) -> None:
        memory = self._core.memory
        del memory.starts[contract]
        for remains in (memory.sent, memory.sent_at):
            for key in [key for key in remains if key.partition("/")[0] == contract]:
                del remains[key]
        memory.sent_count.pop(contract, None)
        for counter in [counter for counter in self.counters if counter[0] == contract]:
            del self.counters[counter]

    # --- counting (TAF 2) ---

    def _make_counters(self, profile: EvaluationProfile) -> None:
        for assigned in profile.assignment:
            key = (profile.id, str(assigned.meter), str(assigned.obis_code))
            if key in self.counters:
                self.counters[key].end(profile.valid_until)
                continue
            registers = StageRegisters(plan_of(profile), key[2], profile.registration_period, profile.valid_until)
            self.counters[key] = registers
            kept = self._core.memory.counters.get("/".join(key))
            if kept is not None:
                self.counters[key].restore(kept)

    def count(self, device: str, capture: Capture) -> None:
        """A capture came in."""
        for (_, meter, _), registers in self.counters.items():
            on_grid = capture.at.timestamp() % registers.period == 0 or capture.at == registers.until
            on_grid = on_grid or registers.first is None
            if meter == device and on_grid and capture.at <= registers.until:
                registers.count(capture)

    def keep_counters(self) -> None:
        """Put the running registers where the memory keeps them."""
        self._core.memory.counters = {"/".join(key): registers.state() for key, registers in self.counters.items()}

    # --- values ---

    def values(
        self, profile: EvaluationProfile, meter: str, since: datetime | None, until: datetime | None
    ) -> list[Value]:
        """What the contract delivers of one meter: values after ``since`` up to ``until``; ``None``: as it has them."""
        self._metering.catch_up()
        values: list[Value] = []
        for assigned in profile.assignment:
            if str(assigned.meter) == meter:
                values += self._values(profile, assigned, since, until or self._core.clock.now())
        return values

    def _values(
        self, profile: EvaluationProfile, assigned: Assignment, since: datetime | None, until: datetime
    ) -> Iterator[Value]:
        memory, meter, register = self._core.memory, str(assigned.meter), str(assigned.obis_code)
        series = memory.series.get(meter, Series(()))
        start = memory.starts.get(profile.id, until)
        use_case = profile.tariff_use_case
        if use_case in PRESENT_VALUES:
            yield from self._present(meter, register)
        elif use_case == 6:
            yield from _between(taf6(series, register, until), since, until)
            yield from self._present(meter, register) if since is None else ()
        elif use_case == 2:
            yield from self._stage_values(profile, assigned, since, until)
        else:
            if since is None or since < start:
                yield from pick(series, register, [start])
            after = max(start, since or start)
            if use_case == 1:
                yield from _between(taf1(series, register, after, until, profile.billing_period), after, until)
            else:
                yield from taf7(series, register, after, until, profile.registration_period)

    def _present(self, meter: str, register: str) -> Iterator[Value]:
        capture = self._metering.read_now(meter)
        if capture is not None:
            at = capture.at.replace(microsecond=0)
            yield Value(at, register, capture.registers.get(register), capture.status)

    def _stage_values(
        self, profile: EvaluationProfile, assigned: Assignment, since: datetime | None, until: datetime
    ) -> Iterator[Value]:
        """The derived registers as of the last capture, and the meter's own register beside them."""
        counter = self.counters.get((profile.id, str(assigned.meter), str(assigned.obis_code)))
        series = self._core.memory.series.get(str(assigned.meter), Series(()))
        over = profile.valid_until is not None and profile.valid_until <= until
        # The registers of a contract whose time is over stand still: they are those of its last registration.
        last = series.before(until) if over else series.last
        if counter is None or last is None or last.at > until or (since is not None and last.at <= since):
            return
        stem = counter.register.rsplit(".", 1)[0]
        names = {stage.tariff_number: str(stage.obis_code) for stage in profile.tariff_stage}
        for value in counter.values(last.at, last.status):
            number = int(value.register.rsplit(".", 1)[1])
            # The meter's own register takes the place of the derived total: both would be 1-0:1.8.0.
            if number != 0:
                own = names.get(number, value.register)
                name = own if own.startswith(stem + ".") or number == ERROR_STAGE else value.register
                yield Value(value.at, name, value.value, value.status)
        yield from pick(series, counter.register, [last.at])

    # --- forgetting ---

    def wipe_consumer(self, consumer: str) -> None:
        """Delete what this consumer could see: values, running registers, log, access at the HAN."""
        core = self._core
        theirs = [p for p in self.profiles if p.consumer == consumer]
        meters = {str(assigned.meter) for p in theirs for assigned in p.assignment}
        for meter in meters:
            core.memory.series.pop(meter, None)
        for key in [key for key in self.counters if key[1] in meters]:
            del self.counters[key]
        contracts = {p.id for p in theirs}
        for path, profile in list(core.memory.profiles.items()):
            if isinstance(profile, HanProfile) and (profile.user == consumer or contracts & set(profile.contract)):
                del core.memory.profiles[path]
        core.memory.logs[LogKind.CONSUMER].clear()
        core.log(EventKind.CONSUMER_WIPED, subject=consumer)


def plan_of(profile: EvaluationProfile) -> StagePlan:
    """The switching times of a TAF 2 profile."""
    assert profile.tariff_change_trigger is not None  # a TAF 2 profile without is refused when it is read
    assert profile.default_tariff_number is not None
    trigger: TimeTrigger = profile.tariff_change_trigger.time_trigger
    days: dict[int, tuple[tuple[time, int], ...]] = {
        day.day_id: tuple((change.start_time, change.tariff_number) for change in day.day_time_profile)
        for day in trigger.day_profile
    }
    week = trigger.week_profile.days if trigger.week_profile else ()
    special: dict[date, tuple[tuple[time, int], ...]] = {
        day.special_day_date: days[day.day_id] for day in trigger.special_day_profile
    }
    return StagePlan(profile.default_tariff_number, {number: days[day] for number, day in enumerate(week)}, special)


def _between(values: list[Value], since: datetime | None, until: datetime) -> Iterator[Value]:
    return (value for value in values if (since is None or since < value.at) and value.at <= until)
