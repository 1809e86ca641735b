"""How a story is told: visible steps, acts at the gateway and at the Sub-CA that survive crashes and silence.

Theory of operation. A story is called again from the top after each wait or crash; whatever has a name here is
answered from its checkpoint then. ``enter`` opens a visible step and closes the one before. ``at_gateway`` and
``at_ca`` act outside: an intent is written first, the act looks before it repeats, every attempt that failed for a
passing reason (``Retry.LATER``) is a checkpoint of its own followed by a wait that holds nothing but a row. Any other
refusal ends the run as failed, with the side at fault.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cryptography.x509 import Certificate

from torwart.kernel.refusals import KINDS, Refusal, Retry
from torwart.kernel.refusals.process import CA_SILENT, GATEWAY_SILENT, NO_RESULT
from torwart.ports.clock import Clock
from torwart.ports.gateway_link import GatewayLink
from torwart.ports.key_store import KeyStore
from torwart.ports.process_engine import Json, RunContext, Story
from torwart.ports.sub_ca import SubCA
from torwart.processes import beginning, ending
from torwart.processes.conversation import Conversation
from torwart.processes.definition import Process
from torwart.rules.wake_up import WakeUpLimit
from torwart.services import intake, wake_up
from torwart.services import order as orders
from torwart.services import run as runs
from torwart.services.profile import Network
from torwart.wire.certificate import Trust
from torwart.wire.cosem import new_correlation
from torwart.wire.smgw import Question, Smgw


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a story tries again; all in seconds (the catalogue: "back-off, how often, until when").

    ``gateway``: waits between attempts, the last one repeats; ``gateway_total``: after that the run fails;
    ``tell_client``: after that silence the client is told (P03: 24 h). The same for the Sub-CA and for the EMT's
    confirmation. ``contracts``: waits for an evaluation to begin or to deliver its last values; ``change``: what
    writing profiles may take before they begin.
    """

    gateway: tuple[float, ...] = (5, 15, 60, 300, 900, 3600)
    gateway_total: float = 14 * 86400
    tell_client: float = 24 * 3600
    ca: tuple[float, ...] = (5, 30, 120, 600, 1800)
    ca_total: float = 7 * 86400
    first_value_total: float = 3 * 86400
    contracts: tuple[float, ...] = (2, 5, 30, 120, 600, 1800, *(3600,) * 71)
    change: float = 60
    wake_up_total: float = 120
    test_total: float = 300
    late_result_total: float = 1800
    late_results: int = 3
    meter: tuple[float, ...] = (10, 60, 300, 900)
    clock: tuple[float, ...] = (5, 30, 70, 300, 900)
    busy: tuple[float, ...] = (5, 15, 30, 60)
    client_total: float = 30 * 86400
    verdict_total: float = 90 * 86400


@dataclass(frozen=True, slots=True)
class World:
    """The ports a story may use, wired by the composition root. ``makers``: whose delivery notes we take.

    ``clock`` is protocol time: what gateways, certificates and wake-ups go by. ``Telling.now`` is service time, which
    in the sandbox is ``ahead`` of it; ``None`` where there is no sandbox.
    """

    link: GatewayLink
    keys: KeyStore
    ca: SubCA
    clock: Clock
    network: Network
    trust: Trust
    patience: Patience = field(default_factory=Patience)
    wake_up_limit: WakeUpLimit = field(default_factory=WakeUpLimit)
    makers: Sequence[Certificate] = ()
    ahead: Callable[[], timedelta] | None = None


class Telling:
    """One run being told. ``order`` holds the checked order fields, ``gateway`` the device id the run is about."""

    def __init__(self, ctx: RunContext, world: World, process: Process, params: Mapping[str, Any]) -> None:
        self._ctx = ctx
        self.world = world
        self.process = process
        self.run_id = ctx.run_id
        self.order: Mapping[str, Any] = params["order"]
        self.gateway: str = params["gateway"]
        self.number: str = params.get("number", "")
        """Number of the order this run belongs to, ``""`` for one without."""
        self._step = ""
        self.remembered: dict[str, Any] = {}
        """What a story works out from our data and uses in several acts of one telling."""
        self.ahead = timedelta()
        """How far service time was ahead of the gateways' when this run began; none but in the sandbox."""
        self._conversation = Conversation(world, self.run_id, self.gateway)

    def now(self) -> datetime:
        return self._ctx.now()

    def enter(self, step: str, done: Callable[[], Json] | None = None) -> None:
        """The story enters a visible step; the one before is done, and with it, in the same transaction, ``done``
        writes what that step has proven.
        """
        self._step = step

        def write() -> None:
            if done is not None:
                done()
            runs.enter_step(self.run_id, step, self.process.position(step))

        self.write(f"enter {step}", write)

    def write(self, name: str, do: Callable[[], Json]) -> Json:
        """Write our own data exactly once, together with the checkpoint."""
        return self._ctx.record(name, do)

    def look_again(self) -> None:
        """Something of what a conversation looks up has changed: certificates or addresses of the gateway."""
        self._conversation.look_again()

    def at_gateway(
        self, name: str, do: Callable[[Conversation], Json], *, intent: bool = False, within: float | None = None
    ) -> Json:
        """Act on the gateway over its open connection; wakes it and waits while it is silent.

        ``intent``: what ``do`` does cannot simply be repeated, so that it is about to happen is written down first.
        """
        patience = self.world.patience
        return self._persist(
            name,
            lambda: do(self._conversation),
            topic=f"gateway:{self.gateway}",
            waits=patience.gateway,
            total=patience.gateway_total if within is None else within,
            intent=intent,
            on_silence=self._wake,
        )

    def ask_slowly(self, name: str, purpose: str, question: Callable[[Smgw], Question[Any]], *, intent: bool) -> Json:
        """Ask something the gateway may answer later (A2 §7.5): wait for its notification, which holds nothing but a
        row. ``None`` and octets as results become ``None`` and base64.
        """
        for number in range(self.world.patience.late_results):
            correlation: str = self.write(f"{name} correlation {number}", new_correlation)

            def ask(talk: Conversation, correlation: str = correlation) -> Json:
                asked = question(talk.smgw).with_reply(self.world.network.contact, correlation)
                response = talk.exchange(purpose, asked)
                return {"later": True} if asked.later(response) else _plain(talk.read(purpose, asked, response))

            answer = self.at_gateway(f"{name} asked {number}", ask, intent=intent)
            if not (isinstance(answer, dict) and answer.get("later")):
                return answer
            body = self.wait_for(
                f"cid:{correlation}",
                f"{name} result {number}",
                partial(_late_result, self.gateway, correlation),
                seconds=self.world.patience.late_result_total,
            )
            if body is not None:
                return self.at_gateway(f"{name} opened {number}", partial(_open_late, question, body), intent=False)
        raise NO_RESULT(gateway=self.gateway, what=purpose)

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

    def at_headend(self, name: str, do: Callable[[GatewayLink], Json]) -> Json:
        """Ask or tell the head-ends something that is not for the gateway; while the bus is away it is tried again."""
        patience = self.world.patience
        return self._persist(
            name,
            lambda: do(self.world.link),
            topic="headend:reachable",
            waits=patience.gateway,
            total=patience.gateway_total,
            intent=False,
            on_silence=None,
        )

    def call(self, name: str, do: Callable[[], Any]) -> None:
        """Do something outside that may be repeated and needs no answer, e.g. a nudge."""
        self._ctx.act(name, lambda: _nothing(do()))

    def act(self, name: str, do: Callable[[], Json]) -> Json:
        """Do something outside at least once."""
        return self._ctx.act(name, do)

    def at_gateway_within(self, name: str, do: Callable[[Conversation], Json], *, seconds: float) -> Json | None:
        """Like ``at_gateway``, but a gateway that stays silent for ``seconds`` is an answer too: ``None``."""
        try:
            return self.at_gateway(name, do, within=seconds)
        except Refusal as refusal:
            if refusal.code != GATEWAY_SILENT.code:
                raise
            return None

    def pause(self, name: str, seconds: float) -> None:
        """Let time pass, holding nothing but a row."""
        if seconds > 0:
            self._ctx.sleep_until(name, self.now() + timedelta(seconds=seconds))

    def sleep_until(self, name: str, until: datetime) -> None:
        self._ctx.sleep_until(name, until)

    def wait_until(
        self, topic: str, name: str, look: Callable[[], Json | None], *, until: datetime | None
    ) -> Json | None:
        """Wait for something on ``topic`` to become true, or for an instant (then ``None``)."""
        return self._ctx.wait(topic, name, look, until=until)

    def wait_for(
        self,
        topic: str,
        name: str,
        look: Callable[[], Json | None],
        *,
        seconds: float,
        shown: Callable[[], None] | None = None,
    ) -> Json | None:
        """Wait for something to become true; ``None`` when ``seconds`` have passed without it. ``shown`` writes what
        people read meanwhile.
        """

        def begin() -> str:
            if shown is not None:
                shown()
            return self.now().isoformat()

        since = datetime.fromisoformat(self._ctx.record(f"{name} since", begin))
        return self._ctx.wait(topic, name, look, until=since + timedelta(seconds=seconds))

    def _persist(
        self,
        name: str,
        do: Callable[[], Json],
        *,
        topic: str,
        waits: tuple[float, ...],
        total: float,
        intent: bool,
        on_silence: Callable[[str], None] | None,
    ) -> Json:
        number, first_failure, told = 0, None, False
        while True:
            pause = waits[min(number, len(waits) - 1)]
            outcome = self._ctx.act(
                f"{name} {number}",
                partial(self._attempt, name, number, do, intent, pause),
                also=self._conversation.keep,
            )
            if "value" in outcome:
                if number:
                    self.write(f"{name} resumed", partial(runs.resumes, self.run_id, self._step))
                return outcome["value"]
            refusal = KINDS[outcome["refusal"]](**outcome["details"])
            failed_at = datetime.fromisoformat(outcome["at"])
            first_failure = first_failure or failed_at
            silence = (failed_at - first_failure).total_seconds()
            if silence >= total:
                raise self._give_up(refusal, silence)
            if on_silence is not None:
                on_silence(f"{name} wake {number}")
                if silence >= self.world.patience.tell_client and not told:
                    told = True
                    self.write(f"{name} client told", partial(self._tell_of_silence, round(silence / 3600)))
            until = min(failed_at + timedelta(seconds=pause), first_failure + timedelta(seconds=total))
            since = datetime.fromisoformat(outcome["since"])
            self._ctx.wait(topic, f"{name} wait {number}", partial(self._changed, topic, since), until=until)
            number += 1

    def _attempt(self, name: str, number: int, do: Callable[[], Json], intent: bool, pause: float) -> Json:
        if intent:
            runs.intend(self.run_id, self._step, name, number)
        since = self.world.clock.now()
        try:
            return {"value": do()}
        except Refusal as refusal:
            if refusal.kind.retry is not Retry.LATER:
                self._conversation.keep()
                raise
            now = self.now()
            runs.attempt_failed(self.run_id, self._step, refusal, now + timedelta(seconds=pause))
            details = {key: str(value) for key, value in refusal.details.items()}
            return {
                "refusal": refusal.code,
                "details": details,
                "since": since.isoformat(),
                "at": now.isoformat(),
            }

    def _changed(self, topic: str, since: datetime) -> Json | None:
        """What ends a pause early: the gateway has called in since the attempt began."""
        if not topic.startswith("gateway:"):
            return None
        return True if runs.connected_since(self.gateway, since) else None

    def _wake(self, name: str) -> None:
        """Send a wake-up while the gateway is silent. It may be repeated: the gateway takes each packet once."""
        self._ctx.act(name, self.wake)

    def _tell_of_silence(self, hours: int) -> None:
        runs.tell_client_of_silence(self.run_id, self.gateway)
        if self.number:
            orders.silent(self.number, gateway=self.gateway, hours=hours, now=self.now())

    def wake(self) -> Json:
        """One wake-up; a network that does not take it now is told, the next one may come through."""
        world = self.world
        try:
            return wake_up.send(world.link, world.keys, self.gateway, world.clock.now(), self.run_id)
        except Refusal as refusal:
            if refusal.kind.retry is not Retry.LATER:
                raise
            return {"sent": False, "refusal": refusal.code}

    def _give_up(self, last: Refusal, silence: float) -> Refusal:
        hours = round(silence / 3600, 1)
        if last.code.startswith("ca."):
            return CA_SILENT(hours=hours)
        if last.code in ("gateway.not_connected", "gateway.timeout", "gateway.connection_lost"):
            return GATEWAY_SILENT(gateway=self.gateway, hours=hours)
        return last


def _nothing(_: Any) -> None:
    return None


def _late_result(gateway: str, correlation: str) -> Json | None:
    body = intake.asynchronous_answer(gateway, correlation)
    return b64encode(body).decode() if body is not None else None


def _open_late(question: Callable[[Smgw], Question[Any]], body: str, talk: Conversation) -> Json:
    return _plain(question(talk.smgw).result(talk.open(b64decode(body))))


def _seconds(world: World) -> float:
    return world.ahead().total_seconds() if world.ahead is not None else 0.0


def _plain(value: Any) -> Json:
    return b64encode(value).decode() if isinstance(value, bytes) else None


def story_of(process: Process, world: World) -> Story:
    """The engine's view of a process: a refusal ends it as failed with its side, anything else is the engine's."""

    def story(ctx: RunContext, params: Json) -> Json:
        telling = Telling(ctx, world, process, params)
        if telling.number and not beginning.begun(telling, datetime.fromisoformat(params["from"])):
            return {"state": "refused"}
        if world.ahead is not None:
            seconds: float = telling.write("ahead", lambda: _seconds(world))
            telling.ahead = timedelta(seconds=seconds)
        try:
            result = process.tell(telling)
        except Refusal as refusal:
            told = refusal
            telling.write("failed", lambda: ending.fail(telling, told))
            return {"state": "failed", "refusal": refusal.code, "side": refusal.side.value}
        telling.write("succeeded", lambda: ending.succeed(telling, result))
        return {"state": "succeeded", **result}

    return story
