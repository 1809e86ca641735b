"""Letters about orders and tickets: both languages complete, number and process in each, nothing left open (O-3)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from torwart.kernel.refusals import Retry, Side
from torwart.kernel.words import Words
from torwart.services.letter import order as orders
from torwart.services.letter import ticket as tickets
from torwart.wire.mail import Letter, Track, html, text

pytestmark = [pytest.mark.requirement("O-2", "O-3")]
NOON = datetime(2026, 6, 3, 10, tzinfo=UTC)
ORDER = orders.About(
    number="A-123456782",
    process=Words("Inbetriebnahme {kein Feld}", "Commissioning {no field}"),
    summary=(("SMGW-ID", "SMGW id", "EPPC0200000001", "EPPC0200000001"), ("Grund", "Reason", "<b>Neubau</b>", "{x}")),
    submitted_at=NOON,
    requested_at=NOON,
    planned=True,
    due_at=NOON,
    withdrawable_until=NOON,
    url="https://portal.example/portal/auftraege/A-123456782/",
    next=Words("", ""),
)
TICKET = tickets.About(
    "T-123456782", Words("A-1, Störung", "A-1, incident"), "https://portal.example/portal/vorgaenge/T/"
)
STEPS = [Words("Uhr geprüft", "Clock checked")]
OPEN_FIELD = re.compile(r"\{(number|process|at|due|until|reason|actor|side|gateway|hours|file|about|author)\}")
WHY = Words("Das Gateway schweigt.", "The gateway is silent.")

LETTERS: dict[str, Callable[[str], Letter]] = {
    "placed": lambda of: orders.placed(of, ORDER),
    "accepted": lambda of: orders.accepted(of, ORDER),
    "proposed": lambda of: orders.proposed(of, ORDER, times=[NOON], reason="Wartung {}"),
    "withdrawn": lambda of: orders.withdrawn(of, ORDER, actor="Erika {Muster}"),
    "cancelled": lambda of: orders.cancelled(of, ORDER, reason="{0}", stays=STEPS),
    "cancelled early": lambda of: orders.cancelled(of, ORDER, reason="x", stays=[]),
    "done": lambda of: orders.done(of, ORDER, rows=[(STEPS[0], "7")], steps=STEPS),
    "silent": lambda of: orders.silent(of, ORDER, gateway="EPPC0200000001", hours=24),
    "question": lambda of: tickets.question(of, TICKET, text=WHY),
    "answer": lambda of: tickets.answer(of, TICKET, text="Ja {}", author="Anna"),
    "file": lambda of: tickets.file_refused(of, TICKET, file="{a}.p7m", why=WHY),
    "incident": lambda of: tickets.incident(of, TICKET, rows=((STEPS[0], WHY),)),
    "resolved": lambda of: tickets.resolved(of, TICKET, text="Gut {}"),
    **{
        f"failed {side.value} {retry.value}": lambda of, side=side, retry=retry: orders.failed(  # type: ignore[misc]
            of, ORDER, why=WHY, side=side, retry=retry, steps=[(Track.FAILED, STEPS[0])]
        )
        for side in Side
        for retry in Retry
    },
    "refused": lambda of: orders.failed(
        of, ORDER, why=WHY, side=Side.CLIENT, retry=Retry.AFTER_CHANGE, steps=[], refused=True
    ),
}


@pytest.mark.parametrize("name", LETTERS)
def test_each_letter_is_complete_in_both_languages(name: str) -> None:
    """Subject and text differ by language, every field is filled, what people typed stays, the link is there."""
    german, english = LETTERS[name]("de"), LETTERS[name]("en")

    assert (german.language, english.language) == ("de", "en")
    assert german.subject != english.subject
    assert len(german.blocks) == len(english.blocks)
    for letter in (german, english):
        printed = text(letter)
        assert not re.search(
            r"\{(number|process|at|due|until|reason|actor|side|gateway|hours|file|about|author)\}", printed
        )
        assert "https://portal.example/portal/" in printed
        assert "<b>Neubau</b>" not in html(letter)
    assert text(german) != text(english)
    about = "A-1" if name in ("question", "answer", "file", "resolved", "incident") else ORDER.number
    assert about in german.subject
    assert about in english.subject


def test_every_side_at_fault_says_what_to_do() -> None:
    """Six sides, six sentences in each language; a fault of ours does not send the client to mend anything."""
    assert set(orders.SIDES) == set(orders.NEXT_BY_SIDE) == set(Side)
    for language in ("de", "en"):
        assert len({words.text(language) for words in orders.NEXT_BY_SIDE.values()}) == len(Side)
    assert "Wir beheben das" in orders.NEXT_BY_SIDE[Side.OURS].de


def test_an_unplanned_order_is_told_so() -> None:
    """The confirmation says which of the two promises holds."""
    from dataclasses import replace

    planned, unplanned = text(orders.placed("de", ORDER)), text(orders.placed("de", replace(ORDER, planned=False)))
    assert "Geplanter Auftrag" in planned
    assert "Ungeplanter Auftrag" in unplanned
    assert "24 Stunden Servicezeit" in unplanned
