"""How a story is told: visible steps, acts at the gateway and at the Sub-CA that survive crashes and silence.

Theory of operation. A story is called again from the top after each wait or crash; whatever has a name here is
answered from its checkpoint then. ``enter`` opens a visible step and closes the one before. ``at_gateway`` and
``at_ca`` act outside: an intent is written first, the act looks before it repeats, every attempt that failed for a
passing reason (``Retry.LATER``) is a checkpoint of its own followed by a wait that holds nothing but a row. Any other
refusal ends the run as failed, with the side at fault.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from torwart.kernel.refusals import KINDS, Refusal, Retry
from torwart.kernel.refusals.process import CA_SILENT, GATEWAY_SILENT
from torwart.ports.clock import Clock
from torwart.ports.gateway_link import GatewayLink
from torwart.ports.key_store import KeyStore
from torwart.ports.process_engine import Json, RunContext, Story
from torwart.ports.sub_ca import SubCA
from torwart.processes.conversation import Conversation
from torwart.processes.definition import Process
from torwart.services import run as runs
from torwart.services import wake_up


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a story tries again; all in seconds (the catalogue: "back-off, how often, until when").

    ``gateway``: waits between attempts, the last one repeats; ``gateway_total``: after that the run fails;
    ``tell_client``: after that silence the client is told (P03: 24 h). The same for the Sub-CA and for the EMT's
    confirmation.
    """

    gateway: tuple[float, ...] = (5, 15, 60, 300, 900, 3600)
    gateway_total: float = 14 * 86400
    tell_client: float = 24 * 3600
    ca: tuple[float, ...] = (5, 30, 120, 600, 1800)
    ca_total: float = 7 * 86400
    first_value_total: float = 3 * 86400


@dataclass(frozen=True, slots=True)
class World:
    """The ports a story may use, wired by the composition root."""

    link: GatewayLink
    keys: KeyStore
    ca: SubCA
    clock: Clock
    patience: Patience = field(default_factory=Patience)


class Telling:
    """One run being told. ``order`` holds the checked order fields, ``gateway`` the device id the run is about."""

    def __init__(self, ctx: RunContext, world: World, process: Process, params: Mapping[str, Any]) -> None:
        self._ctx = ctx
        self.world = world
        self.process = process
        self.run_id = ctx.run_id
        self.order: Mapping[str, Any] = params["order"]
        self.gateway: str = params["gateway"]
        self._step = ""

    def now(self) -> datetime:
        return self._ctx.now()

    def enter(self, step: str) -> None:
        """The story enters a visible step; the one before is done."""
        self._step = step
        self.write(f"enter {step}", lambda: runs.enter_step(self.run_id, step))

    def write(self, name: str, do: Callable[[], Json]) -> Json:
        """Write our own data exactly once, together with the checkpoint."""
        return self._ctx.record(name, do)

    def at_gateway(self, name: str, do: Callable[[Conversation], Json], *, intent: bool = True) -> Json:
        """Act on the gateway over its open connection; wakes it and waits while it is silent."""
        patience = self.world.patience
        return self._persist(
            name,
            lambda: do(Conversation(self.world, self.run_id, self.gateway)),
            topic=f"gateway:{self.gateway}",
            waits=patience.gateway,
            total=patience.gateway_total,
            intent=intent,
            on_silence=self._wake,
        )

    def at_ca(self, name: str, do: Callable[[SubCA], Json]) -> Json:
        """Act at the Sub-CA; an unreachable CA is tried again until patience ends, nothing is lost meanwhile."""
        patience = self.world.patience
        return self._persist(
            name,
            lambda: do(self.world.ca),
            topic="ca:reachable",
            waits=patience.ca,
            total=patience.ca_total,
            intent=True,
            on_silence=None,
        )

    def wait_for(self, topic: str, name: str, look: Callable[[], Json | None], *, seconds: float) -> Json | None:
        """Wait for something to become true; ``None`` when ``seconds`` have passed without it."""
        since = self._since(name)
        return self._ctx.wait(topic, name, look, until=since + timedelta(seconds=seconds))

    def _since(self, name: str) -> datetime:
        """When this wait began, the same on every retelling."""
        return datetime.fromisoformat(self._ctx.act(f"{name} since", lambda: self.now().isoformat()))

    def _persist(
        self,
        name: str,
        do: Callable[[], Json],
        *,
        topic: str,
        waits: tuple[float, ...],
        total: float,
        intent: bool,
        on_silence: Callable[[str, int, float], None] | None,
    ) -> Json:
        number, first_failure = 0, None
        while True:
            outcome = self._ctx.act(f"{name} {number}", lambda n=number: self._attempt(name, n, do, intent))
            if "value" in outcome:
                return outcome["value"]
            refusal = KINDS[outcome["refusal"]](**outcome["details"])
            failed_at = datetime.fromisoformat(outcome["at"])
            first_failure = first_failure or failed_at
            silence = (failed_at - first_failure).total_seconds()
            if silence >= total:
                raise self._give_up(refusal, silence)
            until = failed_at + timedelta(seconds=waits[min(number, len(waits) - 1)])
            if on_silence is not None:
                on_silence(name, number, silence)
            self._ctx.wait(topic, f"{name} wait {number}", lambda at=failed_at: self._changed(topic, at), until=until)
            number += 1

    def _attempt(self, name: str, number: int, do: Callable[[], Json], intent: bool) -> Json:
        if intent:
            runs.intend(self.run_id, self._step, name, number)
        try:
            return {"value": do()}
        except Refusal as refusal:
            if refusal.kind.retry is not Retry.LATER:
                raise
            runs.attempt_failed(self.run_id, self._step, name, number, refusal)
            details = {key: str(value) for key, value in refusal.details.items()}
            return {"refusal": refusal.code, "details": details, "at": self.now().isoformat()}

    def _changed(self, topic: str, since: datetime) -> Json | None:
        """What ends a pause early: the gateway has called in since the attempt failed."""
        if not topic.startswith("gateway:"):
            return None
        return True if runs.connected_since(self.gateway, since) else None

    def _wake(self, name: str, number: int, silence: float) -> None:
        """Send a wake-up while the gateway is silent, and tell the client once when it has been so for long."""
        self._ctx.act(
            f"{name} wake {number}", lambda: wake_up.send(self.world.link, self.world.keys, self.gateway, self.now())
        )
        if silence >= self.world.patience.tell_client:
            self.write("client told of silence", lambda: runs.tell_client_of_silence(self.run_id, self.gateway))

    def _give_up(self, last: Refusal, silence: float) -> Refusal:
        hours = round(silence / 3600, 1)
        if last.code.startswith("ca."):
            return CA_SILENT(hours=hours)
        if last.code in ("gateway.not_connected", "gateway.timeout", "gateway.connection_lost"):
            return GATEWAY_SILENT(gateway=self.gateway, hours=hours)
        return last


def story_of(process: Process, world: World) -> Story:
    """The engine's view of a process: a refusal ends it as failed with its side, anything else is the engine's."""

    def story(ctx: RunContext, params: Json) -> Json:
        telling = Telling(ctx, world, process, params)
        try:
            result = process.tell(telling)
        except Refusal as refusal:
            code, side, text = refusal.code, refusal.side.value, {"de": refusal.text("de"), "en": refusal.text("en")}
            telling.write("failed", lambda: runs.fail(ctx.run_id, code, side, text))
            return {"state": "failed", "refusal": code, "side": side}
        telling.write("succeeded", lambda: runs.succeed(ctx.run_id, dict(result)))
        return {"state": "succeeded", **result}

    return story
