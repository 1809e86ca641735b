"""A whole small installation for tests: real head-end and worker processes, gateways, Sub-CA and EMT around them.

What the demonstration shows on its stage, tests order one by one and look at closely.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torwart.config import site as sites
from torwart.config.demo.play import ENDED
from torwart.config.demo.scenario import Part
from torwart.config.demo.stage import PATIENCE, Stage
from torwart.config.installation import django_setup
from torwart.kernel.run_state import RunState
from torwart.kernel.words import Words
from torwart.services import audit
from torwart.sim.gateway.fault import Fault
from torwart.sim.gateway.gateway import Gateway
from torwart.sim.sub_ca import Behaviour
from torwart.store.queries import run as run_queries
from torwart.store.queries.run import RunLine

SHORT: Mapping[str, Any] = {
    **PATIENCE,
    "gateway": (0.3, 0.6, 1.0),
    "ca": (0.3, 0.6, 1.0),
    "tell_client": 1.0,
    "test_total": 2.0,
    "wake_up_total": 3.0,
}
POLICY_SECONDS = 0.15
"""A head-end has asked for the policy anew within this time after it was nudged."""
_TICK = 0.02


def devices(count: int, *, meters: int = 1) -> list[Part]:
    """``count`` gateways that behave well."""
    return [Part(None, meters, "succeeded", Words("", "")) for _ in range(count)]


class Scene:
    """A stage whose gateways are taken one by one, each by the test that needs it."""

    def __init__(self, directory: Path, parts: Sequence[Part], **stage: Any) -> None:
        self.stage = Stage(directory, parts, **{"workers": 1, "worker": {"patience": SHORT}, **stage})
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

    def commission(self, device: str, **changes: Any) -> str:
        """Order P03; the fitter switches the gateway on as soon as it is expected. The run's id."""
        run_id = self.stage.order("commissioning", device, self.fields(device, **changes))
        self.until(run_id, lambda line: "first_contact" in line.steps or line.state in ENDED)
        time.sleep(POLICY_SECONDS)
        self.stage.power_on(device)
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

    def remove(self, device: str, whereabouts: str) -> RunLine:
        return self.play("removal", device, whereabouts=whereabouts, removed_at=datetime.now(UTC).isoformat())

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

    def audited(self, *, subject: str = "", actor: str = "") -> list[dict[str, Any]]:
        """What the audit trail says of a subject or an actor, in order."""
        while audit.link_pending():
            pass
        entries = [link.entry for link in _links()]
        return [e for e in entries if (not subject or e["subject"] == subject) and (not actor or e["actor"] == actor)]


def _links() -> Iterator[Any]:
    from torwart.store.queries import audit as queries

    yield from queries.links()


def eventually(true: Callable[[], object], seconds: float = 10) -> bool:
    """Whether something gets true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_TICK)
    return True
