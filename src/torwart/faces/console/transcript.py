"""The transcript as people read it: a ladder of messages and the heads, secrets already taken out when it was kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import ndiff
from typing import Any

from lxml import etree

from torwart.faces._design.language import active, said
from torwart.kernel.words import Words
from torwart.plots import message_ladder
from torwart.plots.picture import Picture
from torwart.rules.service_time import CALENDAR

_PEERS = {"gateway": Words("SMGW", "SMGW"), "ca": Words("Sub-CA", "Sub-CA"), "emt": Words("EMT", "EMT")}
_ONE_WAY = "WU "
"""A wake-up packet is never answered; the gateway calls instead."""


def ladder(rows: Sequence[Any]) -> Picture | None:
    """The exchanges as a sequence diagram; ``None`` without any."""
    if not rows:
        return None
    peers = [peer for peer in _PEERS if any(row.peer == peer for row in rows)]
    messages = [
        message_ladder.Message(
            row.at,
            peers.index(row.peer),
            row.outgoing,
            f"{row.request_line} · {row.purpose}" if row.purpose else row.request_line,
            row.status,
            row.code,
            row.milliseconds,
            one_way=row.request_line.startswith(_ONE_WAY),
        )
        for row in rows
    ]
    data = message_ladder.MessageLadder("Torwart", [said(_PEERS[each]) for each in peers], messages, CALENDAR.zone)
    return message_ladder.draw(data, language=active(), width=820)


@dataclass(frozen=True, slots=True)
class Difference:
    """A line of a profile: ``same``, only ``wanted``, or only ``actual``."""

    kind: str
    text: str


def differences(wanted: bytes, actual: bytes) -> list[Difference]:
    """Two profiles (XML) line against line; without anything read back only the wanted one."""
    ours, theirs = _lines(wanted), _lines(actual)
    if not theirs:
        return [Difference("same", line) for line in ours]
    kinds = {" ": "same", "-": "wanted", "+": "actual"}
    return [Difference(kinds[line[0]], line[2:]) for line in ndiff(ours, theirs) if line[0] in kinds]


def _lines(content: bytes) -> list[str]:
    """One element a line, indented."""
    if not content:
        return []
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    etree.indent(root)
    return str(etree.tostring(root, encoding="unicode")).splitlines()
