"""The client's reply with a delivery note (P01): which file of the mail it is, its import, the list for the client."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

from torwart.kernel.refusals.order import NOT_ONE_NOTE
from torwart.kernel.words import Words
from torwart.ports.key_store import KeyStore
from torwart.services.delivery_note import import_note
from torwart.store.models import Attachment, DeliveryNote, DeliveryNoteItem, Gateway
from torwart.wire.certificate import Trust
from torwart.wire.mail import Attachment as File

LARGEST_LIST = 5 * 2**20
"""Bytes of a list that still goes with a mail; of a longer one the refused devices do."""
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # OID 1.2.840.113549.1.7.2
_ARMOURED = (b"-----BEGIN CMS", b"-----BEGIN PKCS7")


def next_file(ticket: str, after: int) -> dict[str, Any] | None:
    """The next mail with secure files on the ticket beyond attachment ``after``: ``{"file", "name", "last"}``.

    Signatures, logos and the like beside the note do not count; without exactly one note ``file`` is ``None`` and
    ``count`` says how many files there were. Files that did not come signed and encrypted are not looked at.
    """
    secure = Attachment.objects.filter(ticket__number=ticket, secure=True)
    first = secure.filter(pk__gt=after).order_by("pk").only("pk", "mail_in_id").first()
    if first is None:
        return None
    files = list(secure.filter(mail_in=first.mail_in_id, pk__gt=after).order_by("pk"))
    notes = files if len(files) == 1 else [file for file in files if _looks_signed(bytes(file.content[:64]))]
    last = files[-1].pk
    if len(notes) == 1:
        return {"file": notes[0].pk, "name": notes[0].name, "last": last}
    return {"file": None, "name": ", ".join(file.name for file in files)[:200], "last": last, "count": len(files)}


def _looks_signed(head: bytes) -> bool:
    return head.startswith(_ARMOURED) or (head[:1] == b"\x30" and _SIGNED_DATA in head[:32])


def take(
    found: dict[str, Any],
    *,
    client: int,
    keys: KeyStore,
    trust: Trust,
    makers: Sequence[x509.Certificate],
    at: datetime,
    actor: str,
) -> dict[str, Any]:
    """Import the file: what is wrong with the whole of it is refused, device by device is in the answer's note."""
    if found["file"] is None:
        raise NOT_ONE_NOTE(count=found["count"])
    content = bytes(Attachment.objects.only("content").get(pk=found["file"]).content)
    report = import_note(content, client=client, keys=keys, trust=trust, makers=makers, at=at, actor=actor)
    models = Gateway.objects.filter(delivery_note=report.note).values_list("model", flat=True).distinct()
    return {
        "note": report.note,
        "number": report.number,
        "maker": report.maker,
        "imported": report.imported,
        "known": report.known,
        "refused": report.refused,
        "models": sorted(models),
    }


def latest() -> int:
    """The id of the newest note: what a later import brings is above it, what it repeats is not."""
    return DeliveryNote.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def first_refused(note: int) -> tuple[str, str, str]:
    """The first refused device with its reason in both languages."""
    row = DeliveryNoteItem.objects.filter(note=note, result="refused").order_by("position").first()
    return (row.device_id, row.de, row.en) if row else ("", "", "")


def device_list(note: int, number: str, language: str) -> File:
    """What became of each device as CSV for spreadsheets (UTF-8 with mark, semicolons)."""
    content = _csv(note, language, refused_only=False)
    if len(content) > LARGEST_LIST:
        content = _csv(note, language, refused_only=True)
    plain = "".join(c if c.isalnum() or c in "-_" else "_" for c in number)
    return File(f"lieferschein-{plain}.csv", "text/csv", content)


_HEAD = (Words("Gerät", "Device"), Words("Ergebnis", "Result"), Words("Code", "Code"), Words("Grund", "Reason"))
_RESULTS = {
    "imported": Words("importiert", "imported"),
    "known": Words("bereits bekannt", "known already"),
    "refused": Words("abgelehnt", "refused"),
}


def _csv(note: int, language: str, *, refused_only: bool) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([each.text(language) for each in _HEAD])
    writer.writerows(_rows(note, language, refused_only))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _rows(note: int, language: str, refused_only: bool) -> Iterator[Sequence[str]]:
    items = DeliveryNoteItem.objects.filter(note=note).order_by("position")
    rows = items.filter(result="refused") if refused_only else items
    why = "en" if language == "en" else "de"
    for device, result, code, reason in rows.values_list("device_id", "result", "code", why).iterator():
        yield [_harmless(cell) for cell in (device, _RESULTS[result].text(language), code, reason)]


def _harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula stays text: a maker's file says what stands there."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
