"""A table as a PDF to print: title, date, rows; A4 across, the head repeated on each page."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from xml.sax.saxutils import escape

from django.utils import timezone
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle
from reportlab.platypus.flowables import Spacer

_CELL = ParagraphStyle("cell", fontName="Helvetica", fontSize=8.5, leading=11)
_HEAD = ParagraphStyle("head", parent=_CELL, fontName="Helvetica-Bold")
_TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=16, leading=20)
_LINE, _GROUND = colors.HexColor("#c5ced3"), colors.HexColor("#f3f6f7")
_AS_OF = {"de": "Stand {at}", "en": "As of {at}"}


def render(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, at: datetime, language: str) -> bytes:
    """The PDF's bytes. Cells are plain text and wrap."""
    written = BytesIO()
    document = SimpleDocTemplate(
        written, pagesize=landscape(A4), margins=15 * mm, title=title, author="Torwart", lang=language
    )
    body = [[Paragraph(escape(cell), _HEAD) for cell in head]]
    body += [[Paragraph(escape(cell), _CELL) for cell in row] for row in rows]
    table = Table(body, repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), _GROUND),
                ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    as_of = _AS_OF[language].format(at=f"{timezone.localtime(at):%d.%m.%Y %H:%M}")
    document.build([Paragraph(escape(title), _TITLE), Paragraph(as_of, _CELL), Spacer(1, 6 * mm), table])
    return written.getvalue()
