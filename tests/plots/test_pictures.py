"""Pictures: well-formed, self-contained, with the same content in words, and as the golden files show them."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from torwart.kernel.words import Words
from torwart.plots import countdown, life_line, service_hours
from torwart.plots.countdown import Countdown
from torwart.plots.life_line import LifeLine, Mark, Stretch
from torwart.plots.picture import PRINT, WEB, Picture
from torwart.plots.service_hours import ServiceHours

GOLDEN = Path(__file__).parent / "golden"
BERLIN = ZoneInfo("Europe/Berlin")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2027, 2, day, hour, minute, tzinfo=BERLIN)


STRIP = ServiceHours(
    start=at(5, 13),
    due=at(9, 9),
    counted=[(at(5, 13), at(5, 17)), (at(8, 8), at(8, 17)), (at(9, 8), at(9, 9))],
    open=[(date(2027, 2, day), [(480, 1020)] if day not in (6, 7) else []) for day in range(5, 10)],
    zone=BERLIN,
)
LINE = LifeLine(
    "EPPC0211358875",
    at(28, 12),
    [
        (
            Words("Zustand", "State"),
            [
                Stretch(Words("geliefert", "delivered"), at(1, 8), at(9, 9), "quiet"),
                Stretch(Words("in Betrieb", "in operation"), at(9, 9), None, "good"),
            ],
        ),
        (Words("Wirkzertifikate", "Certificates"), [Stretch(Words("TLS", "TLS"), at(9, 9), None)]),
    ],
    [Mark(Words("Erster Messwert", "First value"), at(9, 9, 20))],
)
PICTURES = {
    "service_hours": service_hours.draw(STRIP, language="de", theme=PRINT),
    "life_line": life_line.draw(LINE, language="de", theme=PRINT),
    "countdown": countdown.draw(
        Countdown(timedelta(hours=24), timedelta(hours=3, minutes=20)), language="de", theme=PRINT
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_the_golden_file(name: str) -> None:
    """Whoever changes a drawing looks at it: TORWART_GOLDEN=1 writes the files anew."""
    path = GOLDEN / f"{name}.svg"
    if os.environ.get("TORWART_GOLDEN"):
        path.write_text(PICTURES[name].svg + "\n", encoding="utf-8")

    assert path.read_text(encoding="utf-8") == PICTURES[name].svg + "\n"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_says_in_words_what_it_shows(name: str) -> None:
    """Well-formed XML with title and description, no script, no style, nothing loaded from elsewhere."""
    root = etree.fromstring(PICTURES[name].svg.encode())
    tags = {etree.QName(element).localname for element in root.iter()}

    assert tags <= {"svg", "title", "desc", "rect", "line", "circle", "path", "text"}
    assert root.findtext("{*}title")
    assert root.findtext("{*}desc") == PICTURES[name].text
    assert not [name for element in root.iter() for name in element.attrib if name in ("style", "href", "onload")]


@pytest.mark.requirement("T-6")
def test_the_strip_shows_where_the_hours_were_counted() -> None:
    """14 hours from Friday 13:00 are 4, 9 and 1; the weekend rests; both languages say so."""
    assert [row[1] for row in PICTURES["service_hours"].rows] == ["4 h", "9 h", "1 h"]
    assert PICTURES["service_hours"].text == "14 h Servicezeit von 05.02.2027 13:00 bis 09.02.2027 09:00."
    assert "rests" in service_hours.draw(STRIP, language="en").svg


@given(st.text(max_size=40))
def test_no_text_breaks_out_of_a_picture(text: str) -> None:
    """A device name or state with markup in it stays text."""
    lanes = [(Words(text, text), [Stretch(Words(text, text), at(1, 8), None)])]
    drawn = life_line.draw(LifeLine(text, at(2, 8), lanes), language="de", theme=WEB)

    assert_parses(drawn)


def assert_parses(drawn: Picture) -> None:
    plain = "".join(c for c in drawn.svg if c in "\t\n\r" or c >= " ").replace("\ufffe", "").replace("\uffff", "")
    parser = etree.XMLParser(recover=False)
    root = etree.fromstring(plain.encode("utf-8", "replace"), parser)
    assert {etree.QName(element).localname for element in root.iter()} <= {
        "svg",
        "title",
        "desc",
        "rect",
        "line",
        "text",
    }


@given(st.timedeltas(timedelta(hours=-50), timedelta(hours=30)), st.booleans())
def test_a_countdown_never_speaks_by_colour_alone(remaining: timedelta, resting: bool) -> None:
    """What is left, overdue or resting is in the words of the picture, whatever is left."""
    data = Countdown(timedelta(hours=24), remaining, resting)
    spoken = countdown.words(data, "de")

    assert ("überschritten" in spoken) == (remaining < timedelta(0))
    assert spoken in countdown.draw(data, language="de").svg
    assert 0 <= data.share <= 1


def test_an_empty_life_is_a_picture_too() -> None:
    """A device nothing is known of yet has a line that says so."""
    drawn = life_line.draw(LifeLine("EPPC0211358875", datetime(2027, 1, 1, tzinfo=UTC), []), language="en")

    assert drawn.text == "0 stretches, the last one: nothing yet."
