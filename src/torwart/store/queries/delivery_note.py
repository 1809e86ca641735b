"""Reading delivery notes, what became of their devices, and where the devices are (SiLKe); always of one client."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from torwart.kernel.words import Words
from torwart.store.models import Custody, DeliveryNote, DeliveryNoteItem, HandOver

_PAGE = 1000
_HEADINGS = (
    Words("Nr.", "No."),
    Words("Gerät", "Device"),
    Words("Art", "Kind"),
    Words("Ergebnis", "Result"),
    Words("Code", "Code"),
    Words("Grund", "Reason"),
)
_RESULTS = {
    "imported": Words("importiert", "imported"),
    "known": Words("bereits bekannt", "already known"),
    "refused": Words("abgewiesen", "refused"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One delivery note at a glance; ``imported``, ``known`` and ``refused`` count its devices."""

    id: int
    number: str
    maker: str
    message_type: str
    replaces: str
    order_number: str
    operator_code: str
    delivered_on: date | None
    state: str
    received_at: datetime
    imported: int
    known: int
    refused: int

    @property
    def total(self) -> int:
        return self.imported + self.known + self.refused


@dataclass(frozen=True, slots=True)
class ItemLine:
    """What became of one device. ``position``: its place in the note, from 1; ``de``, ``en``: why it was refused."""

    position: int
    device: str
    kind: str
    result: str
    code: str
    de: str
    en: str

    @property
    def reason(self) -> Words:
        return Words(self.de, self.en)


@dataclass(frozen=True, slots=True)
class HandOverLine:
    """One hand-over: from whom to whom, who took it, when, and who told us."""

    giver: str
    holder: str
    person: str
    at: datetime
    actor: str


@dataclass(frozen=True, slots=True)
class CustodyLine:
    """Where a device is: ``carrier``, ``box`` (kind of carrier) and ``seals`` it was delivered in, and who holds it."""

    id: int
    device: str
    kind: str
    carrier: str
    box: str
    seals: tuple[str, ...]
    holder: str
    person: str
    since: datetime


def notes(client: int, *, after: int | None = None, limit: int = 50) -> list[NoteLine]:
    """The client's notes, newest first; ``after``: id of the last one of the page before. One query."""
    rows = DeliveryNote.objects.filter(client=client)
    if after is not None:
        rows = rows.filter(pk__lt=after)
    return [_note(row) for row in rows.order_by("-id")[:limit]]


def note(client: int, pk: int) -> NoteLine | None:
    """One note of the client; another's is as unknown as one that does not exist."""
    row = DeliveryNote.objects.filter(client=client, pk=pk).first()
    return _note(row) if row else None


def items(note: NoteLine, *, after: int = 0, limit: int = 50, only: str = "") -> list[ItemLine]:
    """Devices of a note in its order. ``after``: position of the last one of the page before; ``only``: a result."""
    rows = DeliveryNoteItem.objects.filter(note=note.id, position__gt=after)
    if only:
        rows = rows.filter(result=only)
    found = rows.order_by("position").values_list("position", "device_id", "kind", "result", "code", "de", "en")
    return [ItemLine(*row) for row in found[:limit]]


def csv_rows(note: NoteLine, language: str = "de", *, only: str = "") -> Iterator[tuple[str, ...]]:
    """Heading and one row a device, read page by page; no cell can be taken for a formula."""
    yield tuple(heading.text(language) for heading in _HEADINGS)
    after = 0
    while page := items(note, after=after, limit=_PAGE, only=only):
        for item in page:
            result = _RESULTS[item.result].text(language)
            cells = (str(item.position), item.device, item.kind, result, item.code, item.reason.text(language))
            yield tuple(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
        after = page[-1].position


def custodies(client: int, *, after: int = 0, limit: int = 50) -> list[CustodyLine]:
    """Where the client's devices are, in the order they came; ``after``: id of the last one of the page before."""
    rows = Custody.objects.filter(client=client, pk__gt=after).select_related("carrier").order_by("id")
    return [_custody(row) for row in rows[:limit]]


def custody(client: int, device: str) -> tuple[CustodyLine, list[HandOverLine]] | None:
    """Where one device of the client is, and every hand-over in its order."""
    row = Custody.objects.filter(client=client, device_id=device).select_related("carrier").first()
    if row is None:
        return None
    told = HandOver.objects.filter(custody=row).order_by("id").values_list("giver", "holder", "person", "at", "actor")
    return _custody(row), [HandOverLine(*each) for each in told]


def _note(row: DeliveryNote) -> NoteLine:
    return NoteLine(
        id=row.pk,
        number=row.number,
        maker=row.maker,
        message_type=row.message_type,
        replaces=row.replaces,
        order_number=row.order_number,
        operator_code=row.operator_code,
        delivered_on=row.delivered_on,
        state=row.state,
        received_at=row.received_at,
        imported=row.imported,
        known=row.known,
        refused=row.refused,
    )


def _custody(row: Custody) -> CustodyLine:
    return CustodyLine(
        id=row.pk,
        device=row.device_id,
        kind=row.kind,
        carrier=row.carrier.number if row.carrier else "",
        box=row.carrier.kind if row.carrier else "",
        seals=tuple(row.carrier.seals) if row.carrier else (),
        holder=row.holder,
        person=row.person,
        since=row.since,
    )
