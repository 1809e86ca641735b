"""Reading delivery notes: page by page with a fixed number of queries, for one client, and as CSV."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from torwart.store.models import Carrier, Client, Custody, DeliveryNote, DeliveryNoteItem
from torwart.store.queries import delivery_note as queries
from torwart.store.queries.delivery_note import NoteLine

pytestmark = pytest.mark.requirement("P01", "P-1")
REASON = {"code": "els.taken", "de": "vergeben", "en": "taken"}


@pytest.fixture
def client(db: None) -> int:
    return Client.objects.create(name="Stadtwerke").pk


def note(client: int, number: str, results: str = "ikr") -> NoteLine:
    """A note with a device for each letter: imported, known, refused."""
    row = DeliveryNote.objects.create(
        client_id=client, maker="Musterwerk", signer="PPC.GWH", number=number, state="imported", digest="0" * 64
    )
    words = {"i": "imported", "k": "known", "r": "refused"}
    for position, letter in enumerate(results, start=1):
        DeliveryNoteItem.objects.create(
            note=row,
            position=position,
            device_id=f"1EMH{position:010d}",
            kind="Zaehler",
            result=words[letter],
            **(REASON if letter == "r" else {}),
        )
    found = queries.note(client, row.pk)
    assert found is not None
    return found


@pytest.mark.parametrize("count", [1, 3])
def test_lists_take_one_query_whatever_their_length(client: int, count: int) -> None:
    """Notes, their devices, and where devices are: one query a page."""
    lines = [note(client, f"LS-{n}", "i" * count) for n in range(count)]
    carrier = Carrier.objects.create(note_id=lines[0].id, number="BOX-1", kind="SAFETYBOX", seals=["S-1"])
    for n in range(count):
        Custody.objects.create(
            device_id=f"1EMH{n:010d}",
            client_id=client,
            note_id=lines[0].id,
            carrier=carrier,
            kind="Zaehler",
            holder="Musterwerk",
            since="2026-11-23T12:00:00Z",
        )
    for read in (queries.notes, lambda c: queries.items(lines[0]), queries.custodies):
        with CaptureQueriesContext(connection) as asked:
            assert len(read(client)) == count
        assert len(asked) == 1


def test_pages_follow_each_other_without_gap(client: int) -> None:
    """Notes newest first, devices in the note's order; the last of a page says where the next begins."""
    made = [note(client, f"LS-{n}", "irk") for n in range(5)]
    first = queries.notes(client, limit=2)
    second = queries.notes(client, after=first[-1].id, limit=2)
    page = queries.items(made[0], limit=2)

    assert [line.number for line in (*first, *second)] == ["LS-4", "LS-3", "LS-2", "LS-1"]
    assert [item.position for item in (*page, *queries.items(made[0], after=page[-1].position))] == [1, 2, 3]
    (refused,) = queries.items(made[0], only="refused")
    assert (refused.position, refused.code, refused.reason.text("en")) == (2, "els.taken", "taken")


def test_another_clients_notes_do_not_exist(client: int) -> None:
    """Lists are empty and a foreign id is answered like one that nobody has."""
    theirs = note(client, "LS-1")
    other = Client.objects.create(name="Nachbarwerke").pk

    assert queries.notes(other) == []
    assert queries.note(other, theirs.id) is None
    assert queries.note(other, theirs.id + 1) is None


def test_the_csv_has_a_row_a_device_and_no_formulas(client: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages in order, in the reader's language; what a spreadsheet would calculate is made text."""
    monkeypatch.setattr(queries, "_PAGE", 2)
    line = note(client, "LS-1", "ikr")
    DeliveryNoteItem.objects.filter(position=3).update(device_id='=HYPERLINK("x")')

    assert list(queries.csv_rows(line)) == [
        ("Nr.", "Gerät", "Art", "Ergebnis", "Code", "Grund"),
        ("1", "1EMH0000000001", "Zaehler", "importiert", "", ""),
        ("2", "1EMH0000000002", "Zaehler", "bereits bekannt", "", ""),
        ("3", '\'=HYPERLINK("x")', "Zaehler", "abgewiesen", "els.taken", "vergeben"),
    ]
    assert list(queries.csv_rows(line, "en", only="refused"))[1][3:] == ("refused", "els.taken", "taken")
