"""Delivery notes: what was imported, device by device, with the reason of every refusal (O-7)."""

import csv
import re
from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from torwart.faces._design.access import client_of, client_only, has_any
from torwart.faces._design.language import active
from torwart.faces._design.saving import streamed
from torwart.faces.portal.draft import orderable
from torwart.kernel.role import Role
from torwart.services.sealed import opened, seal
from torwart.store.queries import delivery_note as queries

SIZE = 50
_RESULTS = ("imported", "known", "refused")
_DEVICE = "delivery_note_item"


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """The client's delivery notes, newest first."""
    after = opened("delivery_note", request.GET.get("nach", ""))
    rows = queries.notes(client_of(request), after=after, limit=SIZE + 1)
    context = {
        "rows": rows[:SIZE],
        "next": seal("delivery_note", rows[SIZE - 1].id) if len(rows) > SIZE else "",
        "first": not after,
        "providing": _providing() if has_any(request, Role.CONTACT) else [],
    }
    return render(request, "portal/delivery_note/list.html", context)


def _providing() -> list[Any]:
    """Processes without a device after whose order the client hands something in: that is how a delivery note comes."""
    return [each for each in orderable() if not each.subject_field and each.after_ordering.de]


@require_GET
@client_only
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """One note and what became of its devices; those that were refused can be looked at alone."""
    note = queries.note(client_of(request), pk)
    if note is None:
        raise Http404
    only = request.GET.get("nur", "")
    only = only if only in _RESULTS else ""
    after = opened(_DEVICE, request.GET.get("nach", "")) or 0
    items = queries.items(note, after=after, limit=SIZE + 1, only=only)
    context = {
        "note": note,
        "items": items[:SIZE],
        "next": seal(_DEVICE, items[SIZE - 1].position) if len(items) > SIZE else "",
        "only": only,
        "first": not after,
    }
    return render(request, "portal/delivery_note/page.html", context)


@require_GET
@client_only
def as_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """All devices of the note with their results, written while they are read."""
    note = queries.note(client_of(request), pk)
    if note is None:
        raise Http404
    lines = _lines(queries.csv_rows(note, active()))
    return streamed(lines, f"lieferschein-{_plain(note.number)}.csv", "text/csv; charset=utf-8")


class _Echo:
    def write(self, text: str) -> str:
        return text


def _lines(rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), delimiter=";")
    yield "\ufeff"
    for row in rows:
        yield writer.writerow(row)


def _plain(number: str) -> str:
    """A maker's number as part of a file's name."""
    return re.sub(r"[^\w.-]+", "-", number)[:80]
