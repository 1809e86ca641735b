"""INFO-REPORT: readings to the EMTs a contract names, protected for each of them, when its schedule says so.

What was delivered is remembered by the capture time of the last value, per contract and recipient; a failure changes
nothing and is tried again with the pauses of the communication profile. After a delivery the GWA gets event 16001.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.x509 import Certificate

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.sim import NOT_TAKEN
from torwart.sim.gateway.cms_fault import protect_with
from torwart.sim.gateway.contracts import Contracts
from torwart.sim.gateway.core import Core
from torwart.sim.gateway.documents import readings_of
from torwart.sim.gateway.event import EventKind
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.links import Links
from torwart.sim.gateway.schedule import last_slot
from torwart.sim.gateway.tariff import Value
from torwart.sim.gateway.timeline import Alarm
from torwart.sim.http_transport import HttpCaller
from torwart.wire.certificate import Use, load_certificate
from torwart.wire.cms import Recipient
from torwart.wire.cosem import MEDIA_TYPE_CMS, Request
from torwart.wire.profiles import CommunicationProfile, EvaluationProfile, Scenario, Schedule
from torwart.wire.smgw import READINGS_TARGET

DAILY = Schedule(period=86_400, offset=600, spread=1800)
"""When neither contract nor communication profile says: daily, ten to forty minutes after local midnight (ours)."""

AT_MOST = timedelta(days=31)
"""Time span of one delivery; more goes in several."""

_NEVER = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Line:
    """A contract and one of its recipients."""

    profile: EvaluationProfile
    recipient: CommunicationProfile

    @property
    def key(self) -> str:
        return f"{self.profile.id}/{self.recipient.id}"

    @property
    def schedule(self) -> Schedule:
        return self.profile.schedule or self.recipient.schedule or DAILY


class Delivery:
    """One task works off what is due; it ends when nothing is."""

    __slots__ = ("_alarm", "_busy", "_contracts", "_core", "_failures", "_links", "_pause_until", "errors")

    def __init__(self, core: Core, links: Links, contracts: Contracts) -> None:
        self._core = core
        self._links = links
        self._contracts = contracts
        self._busy = False
        self._alarm: Alarm | None = None
        self._failures: dict[str, int] = {}
        self._pause_until: dict[str, datetime] = {}
        self.errors: dict[str, str] = {}
        """Contract → refusal code of its last failed delivery, until one succeeds."""

    def stop(self) -> None:
        """Power off: what was under way is forgotten, what was delivered is not."""
        self._busy = False
        self._alarm = None
        self._failures.clear()
        self._pause_until.clear()

    # --- when ---

    def due(self) -> None:
        """Look whether anything is to be sent; called after registrations, after profile changes and by its alarm."""
        if not self._busy and self._core.powered and Fault.SILENT not in self._core.faults:
            now = self._core.clock.now()
            lines = self._lines()
            if any(self._is_due(line, now) for line in lines):
                self._busy = True
                self._core.spawn(self._work())
            else:
                self._set_alarm(lines, now)

    def _lines(self) -> list[_Line]:
        reports = {
            profile.id: profile
            for profile in self._core.memory.profiles.values()
            if isinstance(profile, CommunicationProfile) and profile.scenario is Scenario.INFO_REPORT
        }
        return [
            _Line(profile, reports[name])
            for profile in self._contracts.started()
            for name in profile.recipient
            if name in reports
        ]

    def _is_due(self, line: _Line, now: datetime) -> bool:
        return self._moment(line, now) <= now

    def _moment(self, line: _Line, now: datetime) -> datetime:
        """When this line is to be served next: now, at its next slot, or after its pause."""
        end = line.profile.valid_until
        over = end is not None and end <= now
        slot = end if end is not None and over else last_slot(line.schedule, now, self._core.share)
        sent_at = self._core.memory.sent_at.get(line.key)
        if sent_at is None or sent_at < slot:
            moment = now
        else:
            moment = _NEVER if over else slot + timedelta(seconds=line.schedule.period)
        return max(moment, self._pause_until.get(line.key, moment))

    def _set_alarm(self, lines: list[_Line], now: datetime) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        next_moment = min((self._moment(line, now) for line in lines), default=_NEVER)
        if next_moment < _NEVER:
            self._alarm = self._core.after(max((next_moment - now).total_seconds(), 1.0) + 0.5, self.due)

    # --- sending ---

    async def _work(self) -> None:
        try:
            while True:
                now = self._core.clock.now()
                line = next((line for line in self._lines() if self._is_due(line, now)), None)
                if line is None:
                    break
                await self._try(line)
        finally:
            self._busy = False
        self._set_alarm(self._lines(), self._core.clock.now())

    async def _try(self, line: _Line) -> None:
        core, since = self._core, self._core.memory.sent.get(line.key)
        began = core.clock.now()
        try:
            await self._deliver(line, since, None)
        except Refusal as refusal:
            self._pause(line, refusal)
            return
        self._failures.pop(line.key, None)
        self.errors.pop(line.profile.id, None)
        # When it began, not when it ended: a slot that came meanwhile is still to be served.
        core.memory.sent_at[line.key] = began

    def _pause(self, line: _Line, refusal: Refusal) -> None:
        """Wait as the recipient's profile says; after its last attempt, until the next slot."""
        core, retry = self._core, line.recipient.retry
        failures = self._failures[line.key] = self._failures.get(line.key, 0) + 1
        pause = min(retry.first * 2.0 ** min(failures - 1, 16), retry.longest) * (0.5 + 0.5 * core.random.random())
        self._pause_until[line.key] = core.clock.now() + timedelta(seconds=pause)
        self._failed(line, refusal)
        if failures == retry.attempts:
            core.memory.sent_at[line.key] = core.clock.now()
            self._failures.pop(line.key)

    def _failed(self, line: _Line, refusal: Refusal) -> None:
        if self.errors.get(line.profile.id) != refusal.code:
            self._core.log(EventKind.READINGS_FAILED, line.recipient.id, refusal.code, subject=line.profile.id)
        self.errors[line.profile.id] = refusal.code

    async def send_now(self, profile: EvaluationProfile, since: datetime | None, until: datetime | None) -> int:
        """Deliver at once to all recipients (TAF 6); the number of values. Refuses when one did not take it."""
        lines = [line for line in self._lines() if line.profile.id == profile.id]
        counts = [await self._deliver(line, since or self._begin(line), until) for line in lines]
        return sum(counts)

    def _begin(self, line: _Line) -> datetime | None:
        return None if line.profile.tariff_use_case == 6 else self._core.memory.sent.get(line.key)

    async def _deliver(self, line: _Line, since: datetime | None, until: datetime | None) -> int:
        """Send what there is after ``since`` up to ``until``; the number of values the EMT took."""
        end = min(until or _NEVER, line.profile.valid_until or _NEVER, self._core.clock.now())
        count = 0
        while True:
            part = min(end, since + AT_MOST) if since is not None else end
            count += await self._deliver_part(line, since, part)
            if part >= end:
                return count
            since = part

    async def _deliver_part(self, line: _Line, since: datetime | None, until: datetime) -> int:
        core, profile = self._core, line.profile
        count = 0
        last = since
        for meter in sorted({assigned.meter for assigned in profile.assignment}):
            values = self._contracts.values(profile, str(meter), since, until)
            if values:
                await self._send(line, meter, values)
                count += len(values)
                last = max([value.at for value in values] + ([last] if last else []))
        if count:
            core.memory.sent[line.key] = max(last or until, core.memory.sent.get(line.key, last or until))
            core.memory.sent_count[profile.id] = core.memory.sent_count.get(profile.id, 0) + count
            core.log(EventKind.READINGS_SENT, str(count), line.recipient.id, subject=profile.id)
        return count

    async def _send(self, line: _Line, meter: DeviceId, values: Iterable[Value]) -> None:
        core, peer = self._core, line.recipient.peer
        signer = self._links.signer()
        document = readings_of(line.profile, meter, values, core.config.device, signer).to_xml()
        assert peer.encryption_certificate is not None  # the profile's own checks demand it of INFO-REPORT
        body = protect_with(
            core.faults,
            document,
            signer=signer,
            recipient=Recipient.of(load_certificate(peer.encryption_certificate)),
            suite=line.recipient.suite,
            certificate=self._certificate(),
        )
        request = Request("POST", READINGS_TARGET, {"Content-Type": MEDIA_TYPE_CMS}, body)
        caller = await self._connect(line.recipient)
        try:
            response = await caller.exchange(request, timeout=line.recipient.response_timeout)
        finally:
            caller.close()
        if not response.ok:
            raise NOT_TAKEN(status=response.status)

    def _certificate(self) -> Certificate:
        return load_certificate(self._core.memory.sets[self._links.real_standing].own[Use.SIG])

    async def _connect(self, profile: CommunicationProfile) -> HttpCaller:
        """To the first of the peer's addresses that answers."""
        refusals: list[Refusal] = []
        for endpoint in profile.peer.addresses:
            address = endpoint.host, endpoint.port
            try:
                stream = await self._links.open_to(address, profile.peer.tls_certificates, profile.peer.sni or "")
            except Refusal as refusal:
                refusals.append(refusal)
                continue
            return HttpCaller(stream, profile.peer.sni or endpoint.host)
        raise refusals[-1]
