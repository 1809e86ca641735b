"""P20, Wake-Up: one signed packet, and whether the gateway calls."""

from collections.abc import Mapping
from typing import Any

from torwart.kernel.words import Words
from torwart.processes import fields
from torwart.processes.definition import Process, Step
from torwart.processes.telling import Telling
from torwart.services import run as runs
from torwart.services import wake_up as verbs

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("packet", Words("Weckruf gesendet", "Wake-up sent")),
    Step("call", Words("Gateway ruft an", "Gateway calls")),
)


def tell(run: Telling) -> Mapping[str, Any]:
    """Wake, wait, tell the latency. A gateway that is connected already is told so and not woken."""
    run.enter("accepted")
    world = run.world
    run.enter("packet")
    if run.at_headend("connected", lambda link: link.connected(run.gateway) is not None):
        return {"connected": True, "woken": False, "latency_ms": 0}
    run.write("rate", lambda: verbs.require_rate(run.gateway, world.clock.now(), world.wake_up_limit))
    sent_at = run.write("sending", lambda: world.clock.now().isoformat())
    run.act("send", lambda: verbs.send(world.link, world.keys, run.gateway, world.clock.now(), run.run_id))
    run.enter("call")
    called = run.wait_for(
        f"gateway:{run.gateway}",
        "called",
        lambda: runs.connected_at(run.gateway, sent_at),
        seconds=world.patience.wake_up_total,
    )
    return {"connected": called is not None, "woken": True, "latency_ms": runs.milliseconds(sent_at, called)}


def _in_words(result: Mapping[str, Any]) -> list[tuple[Words, str]]:
    if not result.get("connected"):
        return [(Words("Nicht verbunden innerhalb der Wartezeit", "Not connected within the time waited"), "–")]
    if not result.get("woken"):
        return [(Words("War schon verbunden, kein Weckruf nötig", "Was connected already, no wake-up needed"), "✓")]
    return [(Words("Verbunden nach", "Connected after"), f"{result.get('latency_ms') or 0} ms")]


PROCESS = Process(
    code="P20",
    name="wake_up",
    words=Words("Weckruf (Wake-Up)", "Wake-up"),
    fields=(fields.GATEWAY, fields.REASON),
    steps=STEPS,
    tell=tell,
    about=Words(
        "Weckt ein Gateway mit einem signierten Paket und wartet bis zu zwei Minuten, ob es sich verbindet. Wie oft "
        "ein "
        "Gateway geweckt werden kann, ist begrenzt.",
        "Wakes a gateway with a signed packet and waits up to two minutes whether it connects. How often a gateway can "
        "be woken is limited.",
    ),
    needs=(Words("SMGW-ID", "Gateway id"),),
    duration=Words("Bis zu zwei Minuten.", "Up to two minutes."),
    capacity=60,
    result=_in_words,
)
