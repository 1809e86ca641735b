"""What a gateway does not forget when the power goes: one object per device, written to a file if it has one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from torwart.sim.gateway.certificates import CertificateSet
from torwart.sim.gateway.config import Address, GatewayConfig, InitialConfig
from torwart.sim.gateway.log import Log, LogKind
from torwart.sim.gateway.security_module import KEY_USES, Standing
from torwart.sim.gateway.series import Series
from torwart.wire.profiles import Profile, parse_profile

FIRST_FIRMWARE = "TW-1.0.0"


@dataclass(frozen=True, slots=True)
class Rules:
    """Whom the gateway obeys and how it talks to them: the initial configuration until a WAN profile replaces it.

    Certificates in DER, ``suite`` by the names of ``torwart.wire.cms.Suite``, times in seconds.
    ``wake_up_sig``: whose wake-ups are obeyed, ``None``: the GWA's. ``contact``: where late results go.
    """

    management: Address
    admin_service: Address
    ntp: Address
    gwa_tls: tuple[bytes, ...]
    gwa_sig: bytes
    gwa_enc: bytes
    trust: tuple[bytes, ...]
    wake_up_window: int
    session_seconds: float
    server_name: str = ""
    suite: str = "CMS_ECKAEG_AES_128_GCM"
    report_level: str = "WARNING"
    wake_up_sig: bytes | None = None
    wake_up_active: bool = True
    contact: str = ""

    @classmethod
    def of(cls, initial: InitialConfig) -> "Rules":
        return cls(
            initial.management,
            initial.admin_service,
            initial.ntp,
            initial.gwa_tls,
            initial.gwa_sig,
            initial.gwa_enc,
            initial.trust,
            initial.wake_up_window,
            initial.session_seconds,
        )


_BYTES = ("gwa_sig", "gwa_enc", "wake_up_sig")
_TUPLES = ("gwa_tls", "trust")
_ADDRESSES = ("management", "admin_service", "ntp")


def _changes_in(state: Mapping[str, Any]) -> dict[str, Any]:
    """Members of ``Rules`` back from JSON."""
    values = dict(state)
    for name in values.keys() & set(_ADDRESSES):
        values[name] = (state[name][0], state[name][1])
    for name in values.keys() & set(_BYTES):
        values[name] = None if state[name] is None else bytes.fromhex(state[name])
    for name in values.keys() & set(_TUPLES):
        values[name] = tuple(bytes.fromhex(der) for der in state[name])
    return values


def _out(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_out(member) for member in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Notice:
    """An event on its way to the GWA; ``number`` grows and tells repeats. ``record``: number of its log entry."""

    number: int
    kind: str
    at: datetime
    seconds: int
    parameters: tuple[str, ...]
    subject: str
    record: int

    def as_json(self) -> list[Any]:
        at = self.at.isoformat()
        return [self.number, self.kind, at, self.seconds, list(self.parameters), self.subject, self.record]

    @classmethod
    def from_json(cls, row: list[Any]) -> "Notice":
        number, kind, at, seconds, parameters, subject, record = row
        return cls(number, kind, datetime.fromisoformat(at), seconds, tuple(parameters), subject, record)


@dataclass(slots=True)
class Memory:
    """``changes``: what of ``rules`` profiles have set; the rest is as in the initial configuration.

    ``profiles`` by path. ``pairings``: meter → paired since. ``counters``: TAF 2 registers by "contract/meter/obis".
    ``starts``: contract → since when it counts. "contract/recipient" → ``sent``: capture time delivered last,
    ``sent_at``: when the last delivery was. ``sent_count``: contract → values delivered in all.
    """

    rules: Rules
    changes: dict[str, Any]
    sets: dict[Standing, CertificateSet]
    logs: dict[LogKind, Log]
    profiles: dict[str, Profile] = field(default_factory=dict)
    pairings: dict[str, datetime] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    counters: dict[str, dict[str, Any]] = field(default_factory=dict)
    starts: dict[str, datetime] = field(default_factory=dict)
    sent: dict[str, datetime] = field(default_factory=dict)
    sent_at: dict[str, datetime] = field(default_factory=dict)
    sent_count: dict[str, int] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    next_notice: int = 1
    last_wake_up: int | None = None
    firmware: str = FIRST_FIRMWARE
    firmware_digest: str = ""
    clock: dict[str, Any] = field(default_factory=dict)
    meters: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    powered_off_at: datetime | None = None
    dirty: bool = True

    @classmethod
    def new(cls, config: GatewayConfig) -> "Memory":
        """As the device leaves the factory."""
        seal = CertificateSet({use: config.seal.of(use).certificate_der for use in KEY_USES})
        capacities = {
            LogKind.SYSTEM: config.system_log_capacity,
            LogKind.CALIBRATION: config.calibration_log_capacity,
            LogKind.CONSUMER: config.system_log_capacity,
        }
        logs = {name: Log(name, capacity) for name, capacity in capacities.items()}
        return cls(Rules.of(config.initial), {}, {Standing.SEAL: seal}, logs)

    def touch(self) -> None:
        """Something changed that must be written."""
        self.dirty = True

    def change_rules(self, **changes: Any) -> None:
        """Put what profiles say over the initial configuration."""
        self.changes |= changes
        self.rules = replace(self.rules, **changes)
        self.touch()

    def save(self, path: Path) -> None:
        """Write atomically: a killed process leaves the old or the new file, never half of one."""
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(self._state(), separators=(",", ":")))
        temporary.replace(path)
        self.dirty = False

    @classmethod
    def load(cls, path: Path, config: GatewayConfig) -> "Memory":
        """What ``save`` wrote, or a new device's memory if there is no file."""
        memory = cls.new(config)
        if path.exists():
            memory._recall(json.loads(path.read_text()))
            memory.dirty = False
        return memory

    def _state(self) -> dict[str, Any]:
        return {
            "changes": {name: _out(value) for name, value in self.changes.items()},
            "sets": {standing.value: found.state() for standing, found in self.sets.items()},
            "logs": {name.value: log.state() for name, log in self.logs.items()},
            "profiles": {path: profile.to_xml().decode() for path, profile in self.profiles.items()},
            "pairings": _instants_out(self.pairings),
            "series": {meter: series.state() for meter, series in self.series.items()},
            "counters": self.counters,
            "starts": _instants_out(self.starts),
            "sent": _instants_out(self.sent),
            "sent_at": _instants_out(self.sent_at),
            "sent_count": self.sent_count,
            "notices": [notice.as_json() for notice in self.notices],
            "next_notice": self.next_notice,
            "last_wake_up": self.last_wake_up,
            "firmware": self.firmware,
            "firmware_digest": self.firmware_digest,
            "clock": self.clock,
            "meters": {meter: list(counted) for meter, counted in self.meters.items()},
            "powered_off_at": self.powered_off_at.isoformat() if self.powered_off_at else None,
        }

    def _recall(self, state: Mapping[str, Any]) -> None:
        self.change_rules(**_changes_in(state["changes"]))
        self.sets = {Standing(name): CertificateSet.of_state(found) for name, found in state["sets"].items()}
        for name, log in state["logs"].items():
            self.logs[LogKind(name)].restore(log)
        self.profiles = {path: parse_profile(document.encode()) for path, document in state["profiles"].items()}
        self.pairings = _instants_in(state["pairings"])
        self.series = {meter: Series.of_state(series) for meter, series in state["series"].items()}
        self.counters = dict(state["counters"])
        self.starts = _instants_in(state["starts"])
        self.sent = _instants_in(state["sent"])
        self.sent_at = _instants_in(state["sent_at"])
        self.sent_count = dict(state["sent_count"])
        self.notices = [Notice.from_json(row) for row in state["notices"]]
        self.next_notice = state["next_notice"]
        self.last_wake_up = state["last_wake_up"]
        self.firmware = state["firmware"]
        self.firmware_digest = state["firmware_digest"]
        self.clock = state["clock"]
        self.meters = {meter: (row[0], row[1], row[2]) for meter, row in state["meters"].items()}
        self.powered_off_at = _instant(state["powered_off_at"])


def _instants_out(instants: Mapping[str, datetime]) -> dict[str, str]:
    return {name: at.isoformat() for name, at in instants.items()}


def _instants_in(texts: Mapping[str, str]) -> dict[str, datetime]:
    return {name: datetime.fromisoformat(text) for name, text in texts.items()}


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
