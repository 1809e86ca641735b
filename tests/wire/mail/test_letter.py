"""One letter, two prints: the same words in plain text and in HTML, each fit for everybody."""

import re
from dataclasses import astuple
from pathlib import Path

import pytest
from browser import chromium
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from playwright.sync_api import sync_playwright

from torwart.wire.mail import (
    Facts,
    Heading,
    Items,
    Letter,
    Link,
    Paragraph,
    Quote,
    Steps,
    Track,
    html,
    text,
    write,
)
from torwart.wire.mail.letter import WIDTH
from torwart.wire.mail.stripping import strip_html

URL = "https://torwart.example/portal/auftrag/A-123456782?ansicht=verlauf&seite=1"
LETTER = Letter(
    "[#T-123456782] Auftrag A-123456782: Inbetriebnahme",
    (
        Paragraph("Guten Tag Frau Müller,\nIhr Auftrag ist eingegangen & wird <heute> noch ausgeführt."),
        Heading("Ihr Auftrag"),
        Facts((("Gateway", "ETHE0123456789"), ("Bemerkung", "Zähler im Keller\nSchlüssel beim Hauswart")), "Angaben"),
        Steps(((Track.DONE, "Auftrag eingegangen", "10.03., 09:12"), (Track.NOW, "Schlüssel erneuern", ""),
               (Track.AHEAD, "Zähler koppeln", ""), (Track.FAILED, "Profil schreiben", "keine Antwort"))),
        Link("Auftrag ansehen", URL),
        Quote("Geht es <heute> noch?\nGruß", "Frau Müller schrieb"),
        Items(("Lieferschein", "Inbetriebnahme")),
    ),
    footer="Antworten Sie einfach auf diese Mail.",
)  # fmt: skip


def words(print_: str) -> list[str]:
    return re.findall(r"\w+", print_)


def every_word(content: object) -> set[str]:
    """All words of a letter, straight from its fields."""
    if isinstance(content, str):
        return set() if isinstance(content, Track) else set(words(content))
    return {word for each in (content if isinstance(content, tuple) else astuple(content)) for word in every_word(each)}


@pytest.mark.requirement("O-2")
def test_both_prints_say_the_same() -> None:
    """Every word a person wrote into the letter stands in the text and in the HTML as read without tags."""
    wanted = every_word((LETTER.blocks, LETTER.footer))

    assert len(wanted) > 40
    assert wanted - set(words(text(LETTER))) == set()
    assert wanted - set(words(strip_html(html(LETTER)))) == set()


def test_the_text_is_laid_out() -> None:
    """Rows in columns, a track with signs, the URL whole, quotes marked, small print behind the signature mark."""
    printed = text(LETTER)

    assert "  Gateway:    ETHE0123456789\n  Bemerkung:  Zähler im Keller\n              Schlüssel beim" in printed
    assert "  [x] Auftrag eingegangen (erledigt, 10.03., 09:12)\n  [>] Schlüssel erneuern (jetzt)\n" in printed
    assert "  [ ] Zähler koppeln (kommt noch)\n  [!] Profil schreiben (fehlgeschlagen, keine Antwort)" in printed
    assert f"Auftrag ansehen:\n  {URL}\n" in printed
    assert "> Geht es <heute> noch?\n> Gruß" in printed
    assert printed.endswith("\n-- \nAntworten Sie einfach auf diese Mail.\n")


def test_the_track_speaks_the_letters_language() -> None:
    """What the signs mean is said in words of the letter's language in both prints."""
    english = Letter("Order", LETTER.blocks, "en")

    assert "[>] Schlüssel erneuern (now)" in text(english)
    assert "to come" in strip_html(html(english))
    assert 'lang="en"' in html(english)


@given(st.lists(st.text("abcäöü ", max_size=400), min_size=1, max_size=4))
def test_no_line_is_wider_than_78_columns(contents: list[str]) -> None:
    """Whatever is written, only words longer than a line may pass the margin."""
    rows = tuple((content[:40].strip() or "x", content) for content in contents)
    letter = Letter("s", (Facts(rows), Quote(contents[0]), Items(tuple(contents)), Paragraph("\n".join(contents))))

    for line in text(letter).splitlines():
        assert len(line) <= WIDTH or max(map(len, line.split())) > WIDTH - 40


@given(st.text(max_size=60))
def test_nothing_written_becomes_markup(content: str) -> None:
    """Whatever people write stays text: the page has the elements of the form and no others."""
    hostile = f'{content}</p><script>x</script>"><img src=//evil>'
    blocks = (Paragraph(hostile), Heading(hostile), Facts(((hostile, hostile),), hostile), Quote(hostile, hostile),
              Items((hostile,)), Steps(((Track.NOW, hostile, hostile),)), Link(hostile, URL))  # fmt: skip
    page = lxml_html.document_fromstring(html(Letter(hostile, blocks, footer=hostile)).encode())

    assert not page.xpath("//script|//img|//link|//style|//iframe|//form")
    assert page.xpath("//@href") == [URL]
    assert not page.xpath("//@src|//@background|//@onclick")


def test_the_page_is_accessible() -> None:
    """Language, title, one h1, headings in order, row headers, an ordered track that says where it stands."""
    page = lxml_html.document_fromstring(html(LETTER).encode())

    assert page.get("lang") == "de"
    assert page.findtext(".//title") == LETTER.subject
    headings = [(heading.tag, heading.text) for heading in page.xpath("//h1|//h2|//h3")]
    assert headings == [("h1", "Auftrag A-123456782: Inbetriebnahme"), ("h2", "Ihr Auftrag")]
    assert page.xpath("//th/@scope") == ["row", "row"]
    assert page.xpath("//caption/text()") == ["Angaben"]
    assert len(page.xpath("//ol/li[@aria-current='step']")) == 1
    assert page.xpath("//a/@href") == [URL]
    assert "url(" not in html(LETTER)


def test_axe_finds_nothing() -> None:
    """In a real browser, bright and dark, axe has nothing to say, nothing is fetched, nothing is cut off on a phone."""
    axe = (Path(__file__).parents[2] / "support/vendor/axe-core/axe.min.js").read_text()
    fetched: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 320, "height": 800})
        page.on("request", lambda request: fetched.append(request.url))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.set_content(html(LETTER))
            page.evaluate(axe)
            found = page.evaluate("axe.run()")["violations"]
            assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth") == 320
        browser.close()
    assert fetched == []


def test_a_link_leads_to_the_web() -> None:
    """A link of another scheme, or with blanks, is a defect of the caller and fails at once."""
    with pytest.raises(ValueError, match="not a web address"):
        Link("x", "javascript:alert(1)")
    with pytest.raises(ValueError, match="not a web address"):
        Link("x", "https://a.example/ b")


def test_what_is_written_is_both_prints() -> None:
    """``write`` gives the outbox subject, both prints and language."""
    written = write(LETTER)

    assert (written.subject, written.language) == (LETTER.subject, "de")
    assert (written.text, written.html) == (text(LETTER), html(LETTER))
