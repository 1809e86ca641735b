"""The play: what happens on the stage, act by act, and what each act must prove."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from torwart.config.demo.scenario import Part
from torwart.config.demo.service import Service
from torwart.config.demo.stage import Stage
from torwart.kernel.run_state import RunState
from torwart.kernel.words import Words
from torwart.services import audit, intake, revocation
from torwart.services import certificate as certificates
from torwart.services import delivery_note as delivery_notes
from torwart.store.queries import run as run_queries
from torwart.store.queries.run import RunLine

ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)
_TICK = 0.2
_RESERVED_SECONDS = 15.0
_POLICY_SECONDS = 0.3
_SOON = timedelta(seconds=5)
_PLAIN = Words("", "")


@dataclass(slots=True)
class Outcome:
    """What became of one run, and whether that is what had to become of it."""

    part: Part
    line: RunLine
    ok: bool
    hint: str = ""


@dataclass(slots=True)
class Check:
    """Something beyond the runs that was looked at in the end."""

    name: str
    ok: bool
    found: str


@dataclass
class Play:
    """Acts on a stage. ``watch`` is called with fresh lines while an act goes on. ``service``: clients who order all of
    it themselves; without them the stage does.
    """

    stage: Stage
    parts: list[Part]
    watch: Callable[[list[RunLine]], None]
    service: Service | None = None
    began: float = field(default_factory=time.monotonic)
    commissioning: list[Outcome] = field(default_factory=list)
    further: list[Outcome] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)

    def deliver(self) -> delivery_notes.Report:
        """Act 1: the maker's note comes in."""
        report: delivery_notes.Report = self.stage.import_note()
        return report

    def commission(self, *, seconds: float, crash_after: float | None) -> None:
        """Act 2: orders for all, power on, and one worker is killed on the way."""
        ids = self.service.order_commissioning() if self.service else self.stage.order_commissioning()
        self._until_reserved(ids)
        for device in self.stage.devices[: len(self.parts)]:
            self.stage.power_on(device.device)
        self._until_settled(ids, self.parts, seconds, crash_after)
        pairs = zip(self.parts, self._lines(ids), strict=True)
        self.commissioning = [self._outcome(part, line) for part, line in pairs]

    def go_on(self, *, seconds: float) -> None:
        """Act 3: wake-up, connectivity test, renewal and removal on some of those that are in operation."""
        ready = [outcome.line.gateway for outcome in self.commissioning if outcome.line.state == RunState.SUCCEEDED]
        silent = [o.line.gateway for o in self.commissioning if o.part.fault and o.part.fault.value == "forget-profile"]
        plan = list(_further(ready, silent, self.stage.site.emt))
        for name, device, _, _ in plan:
            if name in ("wake_up", "connectivity_test"):
                self.stage.hang_up(device)
        order = self.service.order if self.service else self.stage.order
        ids = [order(name, device, fields) for name, device, fields, _ in plan]
        parts = [part for *_, part in plan]
        self._until_settled(ids, parts, seconds, None)
        self.further = [self._outcome(part, line) for part, line in zip(parts, self._lines(ids), strict=True)]

    def verify(self) -> None:
        """Act 4: the audit trail holds, what was revoked is on the list, readings are where they belong."""
        while audit.link_pending():
            pass
        verdict = audit.verify()
        self.checks.append(Check("audit", verdict.intact and not verdict.pending, f"{verdict.seq}"))
        removed = [o.line for o in self.further if o.line.process == "P10" and o.line.state == RunState.SUCCEEDED]
        for line in removed:
            serials = {int(s, 16) for s in certificates.revoked_serials(line.gateway)}
            listed = revocation.lists(self.stage.ca, self.stage.site.pki.trust, serials)
            self.checks.append(Check("revoked", bool(serials) and listed, f"{line.gateway}: {len(serials)}"))
        in_operation = [o.line.gateway for o in self.commissioning if o.line.state == RunState.SUCCEEDED]
        confirmed = intake.confirmed_gateways()
        self.checks.append(Check("readings", set(in_operation) <= confirmed, f"{len(confirmed)}"))
        if self.service is not None:
            self._verify_service(self.service)

    def _verify_service(self, service: Service) -> None:
        """Deadlines follow from the audit trail, mails with data came encrypted, every order has told its end."""
        self._settle(lambda: service.mails()["not_sent"] == 0)
        dates, mails = service.deadlines(), service.mails()
        equal, sealed = dates["equal_by_audit_trail"], mails["with_data_encrypted"]
        self.checks.append(Check("deadlines", equal == dates["tickets"], f"{equal}/{dates['tickets']}"))
        found = f"{mails['sent']} ({sealed}/{mails['with_data']})"
        self.checks.append(Check("mails", sealed == mails["with_data"] and not mails["not_sent"], found))
        lines = {o.line.run_id: o.line.state for o in [*self.commissioning, *self.further]}
        untrue = service.untrue(lines)
        self.checks.append(Check("orders", not untrue, ", ".join(untrue) or f"{len(service.orders)}"))
        fates = service.system.fates()
        apart = [str(fate) for fate in fates if not fate.agrees]
        self.checks.append(Check("interface", bool(fates) and not apart, ", ".join(apart) or f"{len(fates)}"))

    def _settle(self, true: Callable[[], bool], seconds: float = 15.0) -> None:
        deadline = time.monotonic() + seconds
        while not true() and time.monotonic() < deadline:
            time.sleep(_TICK)

    @property
    def verified(self) -> bool:
        """Whether every expected outcome held."""
        outcomes = [*self.commissioning, *self.further]
        deeds = self.service.deeds if self.service else []
        held = [each.ok for each in outcomes] + [each.ok for each in deeds] + [each.ok for each in self.checks]
        return bool(outcomes) and all(held)

    def report(self) -> dict[str, Any]:
        """Everything as plain data, for a program to read."""
        head = audit.head()
        return {
            "verified": self.verified,
            "seconds": round(time.monotonic() - self.began, 1),
            "gateways": [_told(outcome) for outcome in self.commissioning],
            "processes": [_told(outcome) for outcome in self.further],
            "workers_killed": self.killed,
            **(self.service.report() if self.service else {}),
            "checks": [asdict(check) for check in self.checks],
            "audit": {"links": head[0] if head else 0, "head": head[1].hex() if head else ""},
        }

    def _lines(self, ids: Iterable[str]) -> list[RunLine]:
        return run_queries.lines(ids, datetime.now(UTC))

    def _until_reserved(self, ids: list[str]) -> None:
        """The fitter switches on when the order is in: a gateway that calls earlier is turned away and tries later."""
        deadline = time.monotonic() + _RESERVED_SECONDS
        while time.monotonic() < deadline:
            lines = self._lines(ids)
            self.watch(lines)
            if all("first_contact" in line.steps or line.state in ENDED for line in lines):
                break
            time.sleep(_TICK)
        time.sleep(_POLICY_SECONDS)

    def _until_settled(self, ids: list[str], parts: list[Part], seconds: float, crash_after: float | None) -> None:
        began = time.monotonic()
        while True:
            lines = self._lines(ids)
            self.watch(lines)
            passed = time.monotonic() - began
            settled = all(_settled(part, line) for part, line in zip(parts, lines, strict=True))
            if settled or passed > seconds:
                return
            if crash_after is not None and passed > crash_after:
                crash_after = None
                self.killed.append(self.stage.crash_worker())
            time.sleep(_TICK)

    def _outcome(self, part: Part, line: RunLine) -> Outcome:
        hint = intake.last_refusal(line.gateway, self.stage.site.pki.now) if line.state == RunState.WAITING else ""
        ok = line.state == part.state and (not part.code or line.code == part.code) and line.side == part.side
        return Outcome(part, line, ok and (not part.hint or hint == part.hint), hint)


def _settled(part: Part, line: RunLine) -> bool:
    return line.state in ENDED or (part.state == RunState.WAITING and line.attempts >= 2)


def _further(ready: list[str], troubled: list[str], emt: str) -> Iterable[tuple[str, str, dict[str, Any], Part]]:
    """Process, device, fields and what must become of it, as far as there are gateways for it."""
    good = Part(None, 0, "succeeded", _PLAIN)
    now = datetime.now(UTC).isoformat()
    orders: list[tuple[str, dict[str, Any]]] = [
        ("wake_up", {}),
        ("wake_up", {}),
        ("connectivity_test", {}),
        ("renewal", {}),
        ("renewal", {}),
        ("removal", {"whereabouts": "return", "removed_at": now}),
        ("removal", {"whereabouts": "stolen", "removed_at": now}),
        ("profile_change", _tariff(emt)),
    ]
    for device, (name, fields) in zip(ready, orders, strict=False):
        yield name, device, {"gateway": device, **fields}, good
    for device in troubled[:1]:
        yield "connectivity_test", device, {"gateway": device}, good


def _tariff(emt: str) -> dict[str, Any]:
    """A time-of-use tariff with three stages, as soon as it can be there."""
    return {
        "tafs": ["2", "7"],
        "switch_times": ["1 Mo-Fr 17:00-20:00", "3 Mo-So 00:00-05:00"],
        "default_stage": "2",
        "emts": [emt],
        "valid_from": (datetime.now(UTC) + _SOON).isoformat(),
        "permission_ground": "contract",
        "permission_by": emt,
    }


def _told(outcome: Outcome) -> dict[str, Any]:
    line, part = outcome.line, outcome.part
    return {
        "device": line.gateway,
        "process": line.process,
        "fault": part.fault.value if part.fault else "",
        "expected": part.state,
        "state": line.state,
        "ok": outcome.ok,
        "steps": list(line.steps),
        "attempts": line.attempts,
        "seconds": round(line.seconds, 2),
        "side": line.side,
        "code": line.code,
        "failure": line.failure,
        "hint": outcome.hint,
        "result": line.result,
    }
