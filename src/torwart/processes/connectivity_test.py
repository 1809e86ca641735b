"""P22, Kommunikationstest: wake, status, LMN, signal; a traffic light with a sentence."""

from collections.abc import Mapping
from typing import Any

from torwart.kernel.outcome import Row
from torwart.kernel.words import Words
from torwart.processes import fields, parts
from torwart.processes.definition import Process, Step
from torwart.processes.telling import Telling
from torwart.rules import traffic_light

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("connection", Words("Verbindung und Gerätestatus", "Connection and device status")),
    Step("meters", Words("Zähler am LMN", "Meters on the LMN")),
    Step("verdict", Words("Ampel", "Traffic light")),
)


def tell(run: Telling) -> Mapping[str, Any]:
    """Ask everything a technician on site needs; a silent gateway is an answer, not a failure of the test."""
    run.enter("accepted")
    run.enter("connection")
    seconds = run.world.patience.test_total
    status = run.at_gateway_within("status", parts.look, seconds=seconds)
    clock = run.at_gateway_within("clock", parts.clock, seconds=seconds) if status is not None else None
    offset, valid = clock or (0.0, False)
    run.enter("meters")
    seen = run.at_gateway_within("meters", parts.meters_seen, seconds=seconds) if clock is not None else None
    run.enter("verdict")
    light = traffic_light.judge(
        connected=seen is not None,
        state=status["state"] if status else "",
        signal=status["signal"] if status else None,
        clock_valid=valid,
        clock_offset=offset,
        metering=bool(status and status["metering"]),
        meters={meter: bool(found["seen"]) for meter, found in (seen or {}).items() if found["configured"]},
    )
    return {
        "light": light.colour,
        "text": {"de": light.words.de, "en": light.words.en},
        "status": status or {},
        "meters": seen or {},
        "clock_offset_ms": round(offset * 1000),
    }


_COLOURS = {"red": Words("rot", "red"), "yellow": Words("gelb", "yellow"), "green": Words("grün", "green")}


def _in_words(result: Mapping[str, Any]) -> list[Row]:
    text = result.get("text", {})
    return [
        (Words("Ampel", "Traffic light"), _COLOURS[result["light"]]),
        (Words("Befund", "Finding"), Words(text.get("de", ""), text.get("en", ""))),
    ]


PROCESS = Process(
    code="P22",
    name="connectivity_test",
    words=Words("Kommunikationstest", "Connectivity test"),
    fields=(fields.GATEWAY, fields.REASON),
    steps=STEPS,
    tell=tell,
    about=Words(
        "Prüft, ob ein Gateway erreichbar ist, seine Uhr stimmt, seine Zähler gesehen werden und wie gut es empfängt.",
        "Tests whether a gateway can be reached, its clock is right, its meters are seen and how good its signal is.",
    ),
    needs=(Words("SMGW-ID", "Gateway id"),),
    duration=Words(
        "Wenige Sekunden; bei einem stummen Gateway bis zu fünf Minuten.", "Seconds; five minutes if silent."
    ),
    capacity=60,
    result=_in_words,
)
