"""Evidence as a PDF to read and to file: A4, one section after the other, every page with number and page count."""

import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import reportlab
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle
from reportlab.platypus.flowables import Flowable, KeepTogether, Spacer

from torwart.kernel import outcome
from torwart.kernel.refusals import Side
from torwart.kernel.words import Words
from torwart.rules.lead_time import hours_and_minutes, spoken
from torwart.services.evidence.collecting import Evidence
from torwart.services.letter.order import SIDES

_INK, _QUIET = colors.HexColor("#16202a"), colors.HexColor("#55606b")
_LINE, _ACCENT = colors.HexColor("#c9ced4"), colors.HexColor("#0b5cad")
_MARGIN, _WIDTH = 20 * mm, A4[0] - 40 * mm
_PADDING = 6
"""What reportlab keeps free within a frame, in points."""

_T: Mapping[str, Words] = {
    "title": Words("Nachweis zum Auftrag {number}", "Evidence of order {number}"),
    "taken": Words("Stand: {at} Uhr", "As of {at}"),
    "page": Words("Seite {page} von {pages}", "Page {page} of {pages}"),
    "order": Words("Auftrag", "Order"),
    "client": Words("Auftraggeber", "Client"),
    "ticket": Words("Vorgang", "Ticket"),
    "state": Words("Stand", "State"),
    "kind": Words("Art", "Kind"),
    "planned": Words("geplant", "planned"),
    "unplanned": Words("ungeplant", "unplanned"),
    "submitted": Words("Eingegangen", "Received"),
    "starts": Words("Beginn ab", "Begin from"),
    "due": Words("Fällig", "Due"),
    "ended": Words("Beendet", "Ended"),
    "run": Words("Ausführung", "Run"),
    "entries": Words("Angaben des Auftrags", "Entries of the order"),
    "result": Words("Ergebnis", "Result"),
    "reason": Words("Grund", "Reason"),
    "fault": Words("Ursache", "Cause"),
    "deadline": Words("Frist", "Deadline"),
    "arithmetic": Words(
        "Servicezeit: Montag bis Freitag 8 bis 17 Uhr ohne bundesweite Feiertage. Neu berechnet aus dem Prüfpfad.",
        "Service time: Monday to Friday 8:00 to 17:00 without nationwide holidays. Recomputed from the audit trail.",
    ),
    "start": Words("Beginn der Uhr", "Clock started"),
    "allowance": Words("Servicezeit insgesamt", "Service time in all"),
    "rests": Words("ruht", "rests"),
    "pause": Words("Pause", "Pause"),
    "counted": Words("Gezählt", "Counted"),
    "length": Words("Dauer", "Length"),
    "begin": Words("Von", "From"),
    "end": Words("Bis", "To"),
    "why": Words("Warum", "Why"),
    "proposals": Words("Vorgeschlagene Termine", "Proposed times"),
    "times": Words("Termine", "Times"),
    "answer": Words("Antwort", "Answer"),
    "steps": Words("Schritte", "Steps"),
    "step": Words("Schritt", "Step"),
    "attempts": Words("Fehlversuche", "Failed attempts"),
    "history": Words("Verlauf", "History"),
    "at": Words("Zeit", "Time"),
    "who": Words("Wer", "Who"),
    "what": Words("Was", "What"),
    "files": Words("Dateien", "Files"),
    "name": Words("Name", "Name"),
    "size": Words("Bytes", "Bytes"),
    "mails": Words("Mails", "Mails"),
    "direction": Words("Richtung", "Direction"),
    "out": Words("an", "to"),
    "in": Words("von", "from"),
    "secure": Words("verschlüsselt", "encrypted"),
    "open": Words("offen", "open"),
    "subject": Words("Betreff", "Subject"),
    "exchanges": Words("Nachrichten mit dem Gateway", "Messages with the gateway"),
    "redacted": Words(
        "Inhalte stehen hier nur mit Größe und SHA-256, geheime Kopfzeilen sind ersetzt. Alle Köpfe enthält die "
        "JSON-Fassung.",
        "Contents are shown by size and SHA-256 only, secret headers are replaced. All heads are in the JSON form.",
    ),
    "request": Words("Anfrage", "Request"),
    "status": Words("Status", "Status"),
    "audit": Words("Prüfpfad", "Audit trail"),
    "chained": Words(
        "Jeder Eintrag steht in einer Hash-Kette; Nummer und Hash sind mit der JSON-Fassung und den veröffentlichten "
        "Kettenköpfen prüfbar.",
        "Each entry stands in a hash chain; number and hash can be checked with the JSON form and the published heads.",
    ),
    "chained_outside": Words(
        "Jeder Eintrag steht in einer Hash-Kette. Deren Nummern zählen auch Einträge über andere und stehen hier "
        "deshalb nicht; an seinem Hash findet ein Prüfer den Eintrag im ganzen Prüfpfad.",
        "Each entry stands in a hash chain. Its numbers also count entries about others and are therefore not given "
        "here; by its hash an auditor finds the entry in the whole trail.",
    ),
    "action": Words("Vorgang", "Action"),
    "hash": Words("Nr. und Hash", "No. and hash"),
    "hash_outside": Words("Hash", "Hash"),
    "none": Words("keine", "none"),
}
_STEP_STATES: Mapping[str, Words] = {
    "running": Words("läuft", "running"),
    "waiting": Words("wartet", "waiting"),
    "done": Words("erledigt", "done"),
    "failed": Words("nicht beendet", "not finished"),
    "skipped": Words("entfallen", "skipped"),
}
_MAIL_STATES: Mapping[str, Words] = {
    "queued": Words("wartet auf Versand", "waits to be sent"),
    "sent": Words("versandt", "sent"),
    "failed": Words("nicht zustellbar", "could not be delivered"),
    "stored": Words("eingegangen", "received"),
    "done": Words("eingegangen", "received"),
    "ignored": Words("ohne Wirkung", "without effect"),
    "refused": Words("abgelehnt", "refused"),
    "quarantined": Words("zurückgestellt", "put aside"),
}


def as_pdf(evidence: Evidence, language: str = "de") -> bytes:
    """The evidence in ``language`` (``de`` or ``en``) as PDF octets."""
    return _Print(evidence, language).pdf()


class _Print:
    """One evidence being set in one language."""

    def __init__(self, evidence: Evidence, language: str) -> None:
        self.evidence = evidence
        self.language = "en" if language == "en" else "de"
        plain, bold = _fonts()
        base = ParagraphStyle("base", fontName=plain, fontSize=9, leading=12.5, textColor=_INK)
        self.base = base
        self.small = ParagraphStyle("small", parent=base, fontSize=7.5, leading=10)
        self.head = ParagraphStyle("head", parent=self.small, fontName=bold, textColor=_QUIET)
        self.quiet = ParagraphStyle("quiet", parent=self.small, textColor=_QUIET, spaceAfter=2 * mm)
        self.strong = ParagraphStyle("strong", parent=base, fontName=bold)
        self.title = ParagraphStyle("title", parent=base, fontName=bold, fontSize=18, leading=23)
        self.section = ParagraphStyle(
            "section", parent=base, fontName=bold, fontSize=12, leading=16, spaceBefore=6 * mm
        )

    def pdf(self) -> bytes:
        out = BytesIO()
        title = self.t("title", number=self.evidence.number)
        document = SimpleDocTemplate(
            out,
            pagesize=A4,
            leftMargin=_MARGIN - _PADDING,
            rightMargin=_MARGIN - _PADDING,
            topMargin=22 * mm,
            bottomMargin=20 * mm,
            title=title,
            author="Torwart",
            lang=self.language,
        )
        document.build(list(self.flow()), canvasmaker=partial(_Numbered, print_=self, title=title))
        return out.getvalue()

    def flow(self) -> Iterator[Flowable]:
        order = self.evidence.order
        yield Paragraph(self.safe(self.t("title", number=self.evidence.number)), self.title)
        yield Paragraph(self.safe(f"{self.words(order['process'])} · {self.words(order['state'])}"), self.base)
        yield Paragraph(self.safe(self.t("taken", at=self.at(self.evidence.taken_at))), self.quiet)
        for section in (
            self.order,
            self.summary,
            self.result,
            self.deadline,
            self.proposals,
            self.steps,
            self.history,
            self.files,
            self.mails,
            self.exchanges,
            self.audit,
        ):
            yield from section()

    # --- sections ---

    def order(self) -> Iterator[Flowable]:
        order = self.evidence.order
        yield from self.facts(
            "order",
            [
                (self.t("client"), order["client"]),
                (self.t("ticket"), order["ticket"]),
                (self.t("kind"), self.t("planned" if order["planned"] else "unplanned")),
                (self.t("submitted"), self.at(order["submitted_at"])),
                (self.t("starts"), self.at(order["starts_at"])),
                (self.t("due"), self.at(order["due_at"])),
                (self.t("ended"), self.at(order["ended_at"])),
                (self.t("run"), order["run"]),
            ],
        )

    def summary(self) -> Iterator[Flowable]:
        yield from self.facts(
            "entries", [(self.words(row["label"]), self.words(row["value"])) for row in self.evidence.summary]
        )

    def result(self) -> Iterator[Flowable]:
        result = self.evidence.order["result"] or {}
        read = outcome.read(result.get("rows", []))
        rows = [(label.text(self.language), value.text(self.language)) for label, value in read]
        refusal = result.get("refusal")
        if refusal is not None:
            side = SIDES[Side(refusal["side"])].text(self.language)
            rows += [(self.t("reason"), self.words(refusal)), (self.t("fault"), side)]
        if rows:
            yield from self.facts("result", rows)

    def deadline(self) -> Iterator[Flowable]:
        deadline = self.evidence.deadline
        rows = [
            (self.t("start"), self.at(deadline["start"])),
            (self.t("allowance"), self.length(deadline["allowance_seconds"])),
            *(
                (self.t("pause"), f"{self.at(p['begin'])} – {self.at(p['end']) if p['end'] else '…'}: {p['reason']}")
                for p in deadline["pauses"]
            ),
            (self.t("due"), self.at(deadline["due"]) if deadline["due"] else self.t("rests")),
        ]
        yield from self.facts("deadline", rows)
        yield Paragraph(self.safe(self.t("arithmetic")), self.quiet)
        counted = [[self.at(c["begin"]), self.at(c["end"]), self.length(c["seconds"])] for c in deadline["counted"]]
        yield self.table(("begin", "end", "length"), counted, (2, 2, 1))

    def proposals(self) -> Iterator[Flowable]:
        if self.evidence.proposals:
            rows = [
                [
                    self.at(p["at"]),
                    "\n".join(map(self.at, p["times"])),
                    p["reason"],
                    self.at(p["chosen"]) or p["answer"],
                ]
                for p in self.evidence.proposals
            ]
            yield from self.listed("proposals", ("at", "times", "why", "answer"), rows, (2, 2, 3, 3))

    def steps(self) -> Iterator[Flowable]:
        rows = []
        for step in self.evidence.steps:
            state = _STEP_STATES[step["state"]].text(self.language)
            detail = self.words(step["detail"]) if step["detail"] and step["state"] != "done" else ""
            rows.append(
                [
                    f"{self.words(step)}\n{detail}".strip(),
                    state,
                    self.at(step["started_at"]),
                    self.at(step["ended_at"]),
                    str(step["attempts"]),
                ]
            )
        yield from self.listed("steps", ("step", "state", "begin", "end", "attempts"), rows, (5, 2, 3, 3, 2))

    def history(self) -> Iterator[Flowable]:
        rows = [[self.at(e["at"]), e["author"], self.words(e)] for e in self.evidence.history]
        yield from self.listed("history", ("at", "who", "what"), rows, (2, 3, 7))

    def files(self) -> Iterator[Flowable]:
        if self.evidence.files:
            rows = [[f["name"], str(f["size"]), f["sha256"]] for f in self.evidence.files]
            yield from self.listed("files", ("name", "size", "hash"), rows, (4, 2, 6))

    def mails(self) -> Iterator[Flowable]:
        rows = [
            [
                self.at(mail["at"]),
                f"{self.t(mail['direction'])} {mail['address']}",
                f"{mail['subject']}\n{mail['message_id']}",
                f"{_MAIL_STATES[mail['state']].text(self.language)}, {self.t('secure' if mail['secure'] else 'open')}",
            ]
            for mail in self.evidence.mails
        ]
        yield from self.listed("mails", ("at", "direction", "subject", "state"), rows, (3, 4, 7, 3))

    def exchanges(self) -> Iterator[Flowable]:
        if not self.evidence.exchanges:
            return
        rows = [
            [
                self.at(each["at"], seconds=True),
                f"{each['purpose']}\n{each['request']['line']}",
                f"{each['answer']['status'] or each['answer']['code']}",
                f"{each['request']['size']} B {each['request']['sha256'][:16]}…\n"
                f"{each['answer']['size']} B {each['answer']['sha256'][:16]}…\n{each['milliseconds']} ms",
            ]
            for each in self.evidence.exchanges
        ]
        yield from self.listed(
            "exchanges", ("at", "request", "status", "size"), rows, (3, 6, 2, 4), note=self.t("redacted")
        )

    def audit(self) -> Iterator[Flowable]:
        rows = [
            [
                self.at(each["entry"]["at"], seconds=True),
                f"{each['entry']['action']}\n{each['entry']['subject']}",
                each["entry"]["actor"],
                "\n".join(str(each[name]) for name in ("seq", "hash") if each.get(name)) or "–",
            ]
            for each in self.evidence.audit
        ]
        note, sealed = ("chained", "hash") if self.evidence.whole else ("chained_outside", "hash_outside")
        yield from self.listed("audit", ("at", "action", "who", sealed), rows, (3, 4, 4, 5), note=self.t(note))

    # --- setting ---

    def facts(self, section: str, rows: Sequence[tuple[str, str]]) -> Iterator[Flowable]:
        body = [[self.cell(label, self.base), self.cell(value or "–", self.strong)] for label, value in rows]
        table = Table(body, colWidths=[_WIDTH * 0.34, _WIDTH * 0.66])
        table.setStyle(_rules(head=False))
        heading = Paragraph(self.safe(self.t(section)), self.section)
        yield KeepTogether([heading, Spacer(1, 1.5 * mm), table])

    def listed(
        self, section: str, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[int], note: str = ""
    ) -> Iterator[Flowable]:
        yield Paragraph(self.safe(self.t(section)), self.section)
        yield Paragraph(self.safe(note), self.quiet) if note else Spacer(1, 1.5 * mm)
        yield self.table(head, rows, shares) if rows else Paragraph(self.safe(self.t("none")), self.base)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[int]) -> Table:
        widths = [_WIDTH * share / sum(shares) for share in shares]
        body = [[self.cell(self.t(name), self.head) for name in head]]
        body += [[self.cell(value, self.small) for value in row] for row in rows]
        table = Table(body, colWidths=widths, repeatRows=1)
        table.setStyle(_rules(head=True))
        return table

    def cell(self, text: str, style: ParagraphStyle) -> Paragraph:
        return Paragraph(self.safe(text).replace("\n", "<br/>"), style)

    def safe(self, text: str) -> str:
        """As the font can show it and the paragraph parser takes it."""
        return escape("".join(_shown(c) for c in text if c == "\n" or c.isprintable()))

    def t(self, name: str, **values: object) -> str:
        return _T[name].text(self.language, **values)

    def words(self, both: Mapping[str, Any]) -> str:
        return str(both[self.language])

    def at(self, at: str | None, *, seconds: bool = False) -> str:
        if not at:
            return ""
        instant = datetime.fromisoformat(at)
        return spoken(instant) + (f":{instant:%S}" if seconds else "")

    def length(self, seconds: int) -> str:
        return hours_and_minutes(timedelta(seconds=seconds))


def _rules(*, head: bool) -> TableStyle:
    style: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    if head:
        style.append(("LINEBELOW", (0, 0), (-1, 0), 1, _ACCENT))
    return TableStyle(style)


class _Numbered(Canvas):
    """Writes each page's foot once the number of pages is known."""

    def __init__(self, *arguments: Any, print_: _Print, title: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._print, self._title = print_, title
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self.setFont(_fonts()[0], 7.5)
            self.setFillColor(_QUIET)
            self.drawString(_MARGIN, 11 * mm, self._title)
            said = self._print.t("page", page=number, pages=len(self._pages))
            self.drawRightString(A4[0] - _MARGIN, 11 * mm, said)
            super().showPage()
        super().save()


_FONTS = (("DejaVuSans", "DejaVuSans-Bold"), ("Vera", "VeraBd"))
_PLACES = (Path("/usr/share/fonts/truetype/dejavu"), Path(os.path.dirname(reportlab.__file__)) / "fonts")


@cache
def _fonts() -> tuple[str, str]:
    """Names of the plain and the bold font: DejaVu where the machine has it (all of Europe's letters), else Vera."""
    for names in _FONTS:
        for place in _PLACES:
            if all((place / f"{name}.ttf").exists() for name in names):
                for name in names:
                    pdfmetrics.registerFont(TTFont(name, str(place / f"{name}.ttf")))
                return names
    return "Helvetica", "Helvetica-Bold"


@cache
def _shown(character: str) -> str:
    """The character, or its letter without marks, or a box, if the font lacks it."""
    glyphs = getattr(pdfmetrics.getFont(_fonts()[0]).face, "charToGlyph", None)
    if glyphs is None or character == "\n" or ord(character) in glyphs:
        return character
    letter = unicodedata.normalize("NFKD", character)[0]
    return letter if ord(letter) in glyphs else "?"
