"""The console's pictures: queue of the day (P3), certificate horizon (P1), message ladder (P14)."""

import os
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from torwart.kernel.words import Words
from torwart.plots import certificate_horizon, message_ladder, queue_of_day
from torwart.plots.certificate_horizon import Horizon, Kind
from torwart.plots.message_ladder import Message, MessageLadder
from torwart.plots.picture import PRINT, Picture
from torwart.plots.queue_of_day import Due, QueueOfDay

GOLDEN = Path(__file__).parent / "golden"
BERLIN = ZoneInfo("Europe/Berlin")


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


QUEUE = QueueOfDay(
    at(10, 40),
    at(8),
    at(17),
    [
        Due("T-123456782", "Inbetriebnahme – Stadtwerke A", at(9, 0, 20), at(9, 30)),
        Due("T-234567891", "Weckruf – Netz <B>", at(8), at(11, 20)),
        Due("T-345678900", "Eine Frage mit sehr langem Betreff, der abgeschnitten wird", at(9, 30), at(16)),
        Due("T-456789019", "Ausbau", at(8), at(15), resting=True),
    ],
    BERLIN,
)
MONDAY = date(2026, 11, 23)
HORIZON = Horizon(
    MONDAY,
    3,
    [
        Kind(Words("Gateways", "Gateways"), {MONDAY + timedelta(weeks=w): 10 * w + 1 for w in range(0, 78, 7)}),
        Kind(Words("S/MIME", "S/MIME"), {}),
    ],
)
LADDER = MessageLadder(
    "Torwart",
    ["SMGW", "Sub-CA"],
    [
        Message(at(9), 0, True, "WU 10.0.0.3:7711", 0, "", 0, one_way=True),
        Message(at(9, 1), 0, True, "GET /clock", 200, "", 120),
        Message(at(9, 2), 1, True, "RequestCertificate with a name that is far too long to be drawn " * 3, 0, "", 9),
        Message(at(9, 3), 0, False, "POST /notify", 500, "internal", 40),
    ],
    BERLIN,
)
PICTURES = {
    "queue_of_day": queue_of_day.draw(QUEUE, language="de", theme=PRINT),
    "certificate_horizon": certificate_horizon.draw(HORIZON, language="de", theme=PRINT),
    "message_ladder": message_ladder.draw(LADDER, language="de", theme=PRINT),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_the_golden_file(name: str) -> None:
    """Whoever changes a drawing looks at it: TORWART_GOLDEN=1 writes the files anew."""
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("TORWART_GOLDEN"):
        path.write_text(PICTURES[name].svg + "\n", encoding="utf-8")

    assert path.read_text(encoding="utf-8") == PICTURES[name].svg + "\n"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_self_contained_and_says_what_it_shows(name: str) -> None:
    """Well-formed, without script, style or anything from elsewhere; foreign text is text."""
    picture = PICTURES[name]
    root = etree.fromstring(picture.svg.encode())

    assert {etree.QName(each).localname for each in root.iter()} <= {
        *("svg", "title", "desc", "rect", "line", "circle", "path", "text")
    }
    assert root.findtext("{*}desc") == picture.text
    assert not [key for each in root.iter() for key in each.attrib if key in ("style", "href", "onload")]
    assert all(len(row) == len(picture.head) for row in picture.rows)


def test_the_words_count_what_the_picture_shows() -> None:
    """Late tickets, certificates within 30 and 90 days, messages without a good answer."""
    assert PICTURES["queue_of_day"].text == "4 Vorgänge mit Frist bis heute Abend, davon 1 überfällig."
    assert PICTURES["certificate_horizon"].text == (
        "1 Zertifikate enden in den nächsten 30 Tagen, 72 in den nächsten 90 Tagen, 3 sind abgelaufen."
    )
    assert PICTURES["message_ladder"].text == "4 Nachrichten, davon 2 ohne gute Antwort."


def test_the_table_beneath_tells_the_same_in_the_same_order() -> None:
    """For who cannot see the picture, and for the keyboard."""
    assert [row[0] for row in PICTURES["queue_of_day"].rows] == [ticket.number for ticket in QUEUE.tickets]
    assert [row[3] for row in PICTURES["queue_of_day"].rows] == ["überfällig", "läuft", "läuft", "ruht"]
    assert PICTURES["message_ladder"].rows[0][3] == ""
    assert PICTURES["message_ladder"].rows[2][3] == "keine Antwort"
    assert PICTURES["certificate_horizon"].rows[0] == ("23.11.2026", "Gateways", "1")


def boxes(picture: Picture) -> list[tuple[float, float, float]]:
    """Left, width and right edge allowed of each bar."""
    root = etree.fromstring(picture.svg.encode())
    width = float(root.get("width") or 0)
    return [(float(r.get("x") or 0), float(r.get("width") or 0), width) for r in root.iter("{*}rect")]


@given(
    st.lists(st.tuples(st.integers(-4000, 4000), st.integers(-4000, 4000), st.booleans()), max_size=6),
    st.integers(-600, 1500),
)
def test_no_day_leaves_the_paper(spans: list[tuple[int, int, bool]], now: int) -> None:
    """Whatever begins and ends whenever, every bar stays inside."""
    start = at(8)
    tickets = [
        Due(f"T-{place}", "x" * 80, start + timedelta(minutes=min(a, b)), start + timedelta(minutes=max(a, b)), rests)
        for place, (a, b, rests) in enumerate(spans)
    ]
    data = QueueOfDay(start + timedelta(minutes=now), start, at(17), tickets, BERLIN)

    for left, width, paper in boxes(queue_of_day.draw(data, language="en")):
        assert width >= 0
        assert -1 <= left <= left + width <= paper + 1
