"""A whole small installation for tests: real head-end and worker processes, gateways, Sub-CA and EMT around them.

What the demonstration shows on its stage, tests order one by one and look at closely.
"""

import base64
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509

from torwart.config import site as sites
from torwart.config.demo.play import ENDED
from torwart.config.demo.scenario import Part
from torwart.config.demo.stage import PATIENCE, Stage
from torwart.config.installation import django_setup
from torwart.kernel.run_state import RunState
from torwart.kernel.words import Words
from torwart.processes.ending import cancel
from torwart.services import policy, revocation
from torwart.sim.gateway.event import EVENTS
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.gateway import Gateway
from torwart.sim.sub_ca import Behaviour
from torwart.store.models import AuditEntry
from torwart.store.queries import run as run_queries
from torwart.store.queries.run import RunLine
from torwart.wire.certificate import identify, load_certificate

SHORT: Mapping[str, Any] = {
    **PATIENCE,
    "gateway": (0.3, 0.6, 1.0),
    "ca": (0.3, 0.6, 1.0),
    "tell_client": 1.0,
    "test_total": 2.0,
    "clock": (0.3, 0.5, 1.0, 2.0, 3.0),
    "wake_up_total": 1.5,
    "contracts": (0.3, 0.5, 1.0, 1.0, 2.0, 2.0, 3.0, 5.0),
}
_POLICY = re.compile(r"policy version=([0-9]+)")
_TICK = 0.02
_KINDS = {event.id: kind.value for kind, event in EVENTS.items()}


def devices(count: int, *, meters: int = 1) -> list[Part]:
    """``count`` gateways that behave well."""
    return [Part(None, meters, "succeeded", Words("", "")) for _ in range(count)]


class Scene:
    """A stage whose gateways are taken one by one, each by the test that needs it."""

    def __init__(self, directory: Path, parts: Sequence[Part], **stage: Any) -> None:
        self.patience = SHORT
        self.wake_ups = 3
        worker = {"patience": self.patience, "wake_ups": self.wake_ups, "lease": 2.0}
        self.stage = Stage(directory, parts, **{"workers": 1, "worker": worker, **stage})
        self._orders: dict[str, dict[str, Any]] = {}

    def start(self) -> "Scene":
        """Everything up, all gateways delivered, none of them powered."""
        self.stage.start(lambda what: None)
        report = self.stage.import_note()
        assert {device.result for device in report.devices} == {"imported"}
        emt = sites.register_emt(self.stage.site, "{}:{}".format(*self.stage.emt.address))
        wake_up = "{}:{}".format(*self.stage.fleet.wake_up_address)
        self._orders = dict(sites.orders(self.stage.devices, emt, wake_up))
        self._free = [(str(config.device), len(config.meters)) for config in self.stage.devices]
        return self

    def turn(self) -> None:
        """Let this process' Django look at the stage's database."""
        django_setup(self.stage.site.database, migrated=False)

    # --- gateways ---

    def take(self, *faults: Fault, meters: int = 1) -> str:
        """A gateway no other test uses, with these faults, without power yet."""
        device = next(device for device, count in self._free if count == meters)
        self._free.remove((device, meters))
        for fault in faults:
            self.fault(device, fault)
        return device

    def gateway(self, device: str) -> Gateway:
        return self.stage.fleet.gateways[device]

    def fault(self, device: str, fault: Fault, on: bool = True) -> None:
        self._outside(lambda: self.stage.fleet.set_fault(device, fault, on))
        if fault is Fault.REVOKED_CERTIFICATE:
            trust = self.stage.site.pki.trust
            assert revocation.refresh(self.stage.ca, trust, self.stage.link, datetime.now(UTC))

    def power_off(self, device: str) -> None:
        self.stage.call(self.stage.fleet.power_off(device))

    def _outside(self, do: Callable[[], object]) -> None:
        async def done() -> None:
            do()

        self.stage.call(done())

    # --- orders ---

    def fields(self, device: str, **changes: Any) -> dict[str, Any]:
        """The fields of a commissioning order for this gateway."""
        return {**self._orders[device], **changes}

    def order_only(self, device: str, **changes: Any) -> str:
        """Order P03 for a gateway without power; the run's id."""
        return self.stage.order("commissioning", device, self.fields(device, **changes))

    def install(self, runs: Mapping[str, str]) -> None:
        """Fitters switch these gateways (device → run id) on as soon as they are expected."""
        for run_id in runs.values():
            self.until(run_id, lambda line: "first_contact" in line.steps or line.state in ENDED)
        self.policy_known()
        for device in runs:
            self.stage.power_on(device)

    def policy_known(self) -> None:
        """Wait until the head-end lets in whom our data let in now."""
        wanted = policy.current().version
        self.stage.link.policy_changed()
        log = self.stage.directory / "logs" / "headend.log"
        assert eventually(lambda: max(map(int, _POLICY.findall(log.read_text())), default=-1) >= wanted, 30)

    def commission(self, device: str, **changes: Any) -> str:
        """Order P03 and switch the gateway on; the run's id."""
        run_id = self.order_only(device, **changes)
        self.install({device: run_id})
        return run_id

    def in_operation(self, *, meters: int = 1, **changes: Any) -> str:
        """A gateway that has been commissioned."""
        device = self.take(meters=meters)
        line = self.ended(self.commission(device, **changes))
        assert line.state == RunState.SUCCEEDED, line
        return device

    def order(self, name: str, device: str, **fields: Any) -> str:
        return self.stage.order(name, device, {"gateway": device, **fields})

    def play(self, name: str, device: str, **fields: Any) -> RunLine:
        """Order a process and wait for its end."""
        return self.ended(self.order(name, device, **fields))

    def order_removal(self, device: str, whereabouts: str) -> str:
        return self.order("removal", device, whereabouts=whereabouts, removed_at=datetime.now(UTC).isoformat())

    def remove(self, device: str, whereabouts: str) -> RunLine:
        return self.ended(self.order_removal(device, whereabouts))

    def cancel(self, run_id: str) -> bool:
        return cancel(self.stage.engine, run_id, actor="test", reason="story")

    def call_again(self, device: str) -> None:
        """The gateway calls by itself, e.g. because its schedule says so."""
        self._outside(self.gateway(device).management.want)

    # --- looking ---

    def line(self, run_id: str) -> RunLine:
        return run_queries.lines([run_id], datetime.now(UTC))[0]

    def until(self, run_id: str, true: Callable[[RunLine], bool], seconds: float = 40) -> RunLine:
        """The run as soon as something is true of it; fails the test if that takes too long."""
        deadline = time.monotonic() + seconds
        while not true(line := self.line(run_id)):
            assert time.monotonic() < deadline, line
            time.sleep(_TICK)
        return line

    def ended(self, run_id: str, seconds: float = 40) -> RunLine:
        return self.until(run_id, lambda line: line.state in ENDED, seconds)

    def waiting(self, run_id: str, *, attempts: int = 2) -> RunLine:
        """The run when it has tried at least so often and waits."""
        return self.until(run_id, lambda line: line.state == RunState.WAITING and line.attempts >= attempts)

    @contextmanager
    def sub_ca(self, **behaviour: Any) -> Iterator[None]:
        """The Sub-CA behaves like this for a while."""
        self.stage.sub_ca.set_behaviour(Behaviour(**behaviour))
        try:
            yield
        finally:
            self.stage.sub_ca.set_behaviour(Behaviour())

    def audited(self, device: str) -> list[tuple[str, str, dict[str, Any]]]:
        """What the audit trail says of a gateway, in order: actor, action, payload."""
        rows = AuditEntry.objects.filter(subject=f"gateway:{device}").order_by("id")
        return [(row.actor, row.action, row.payload) for row in rows]

    def actions(self, device: str) -> list[str]:
        """The words of the audit trail about a gateway, in order."""
        return [action for _, action, _ in self.audited(device)]

    def events(self, device: str) -> Counter[str]:
        """What the gateway itself has logged, by kind."""
        found: Counter[str] = Counter()
        for log in self.gateway(device).core.memory.logs.values():
            for entry in log.newest_first():
                found[_KINDS[entry.event]] += 1 + entry.repeated
        return found

    def issued(self, device: str) -> list[list[x509.Certificate]]:
        """The sets of operational certificates the Sub-CA has issued to this gateway, from its own journal."""
        journal = self.stage.directory / "sub-ca" / "sub-ca.jsonl"
        found = []
        for line in journal.read_text().splitlines():
            event = json.loads(line)
            if event.get("event") == "issued":
                triple = [load_certificate(base64.b64decode(der)) for der in event["certificates"]]
                if identify(triple[0]).name == device:
                    found.append(triple)
        return found

    def revoked(self) -> list[int]:
        """Serial numbers in the Sub-CA's present revocation list."""
        return [entry.serial_number for entry in self.stage.sub_ca.crl(self.stage.site.pki.sub_ca)]


def eventually(true: Callable[[], object], seconds: float = 10) -> bool:
    """Whether something gets true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_TICK)
    return True
