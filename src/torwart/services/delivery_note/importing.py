"""The import of a delivery note: what is checked of the whole file, in the order of the catalogue (P01).

Theory of operation
- The signed file is verified while its content goes to a temporary file; only then anything of it is read. The content
  is held to its schema and read device by device (``wire.els``), so memory is flat in the number of devices.
- All rows of a note are written in one transaction: after a crash nothing of it is there, and the same file imports
  the whole. Two imports of one client wait for each other, so that each sees what the other has brought.
- Secrets go into the key store before that transaction commits and are taken out again if it does not (``secrets``).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, cast

from cryptography import x509
from django.db import connection, transaction

from torwart.kernel.identifiers import market_code
from torwart.kernel.refusals.els import (
    ELS_MAKER,
    ELS_MESSAGE_TYPE,
    ELS_NUMBER_USED,
    ELS_RECIPIENT,
    ELS_REPLACES,
    ELS_TAKEN,
)
from torwart.ports.key_store import KeyStore
from torwart.services import administrator, audit
from torwart.services.delivery_note.batch import Counts, Importer
from torwart.services.delivery_note.secrets import SecretKeeper
from torwart.store.models import Carrier, DeliveryNote, DeliveryNoteItem, MarketParticipant
from torwart.wire import certificate as profile
from torwart.wire import cms, els
from torwart.wire.certificate import Identity, Role, Series, Trust, Use

CORRECTION = "KORREKTUR"
IMPORTED = ("ERSTLIEFERUNG", CORRECTION)
"""Message types that bring devices. A correction brings what the note it names did not: the rest is known."""

_IN_MEMORY = 4 * 2**20
_LOCK = 0x656C73  # "els"


@dataclass(frozen=True, slots=True)
class DeviceResult:
    """What became of one device: ``imported``, ``known`` or ``refused`` with code and reason in both languages."""

    device: str
    result: str
    code: str = ""
    de: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to an import. ``note``: its id; ``repeated``: this note had been imported before and this is that
    first answer. ``imported``, ``known``, ``refused``: how many devices.
    """

    note: int
    number: str
    maker: str
    repeated: bool
    imported: int
    known: int
    refused: int

    @property
    def total(self) -> int:
        return self.imported + self.known + self.refused

    @property
    def devices(self) -> tuple[DeviceResult, ...]:
        """All devices, read from the database: for small notes; ``store.queries.delivery_note`` pages large ones."""
        rows = DeliveryNoteItem.objects.filter(note=self.note).order_by("position")
        return tuple(DeviceResult(*row) for row in rows.values_list("device_id", "result", "code", "de", "en"))


def import_note(
    signed: bytes | Path | BinaryIO,
    *,
    client: int,
    keys: KeyStore,
    trust: Trust,
    makers: Iterable[x509.Certificate],
    at: datetime,
    actor: str,
    limit: int = els.MAX_BYTES,
) -> Report:
    """Import a note that a maker has CMS-signed. ``makers``: SIG certificates of the makers (GWH) we know; ``limit``:
    bytes of the note.

    What is wrong with the whole file is refused (``cms.…``, ``els.…``); one bad device does not stop the good ones.
    The same note again gets the first answer and imports nothing, another one with its number is refused.
    """
    with _opened(signed) as source, SpooledTemporaryFile(_IN_MEMORY) as file:
        content = cast(BinaryIO, file)
        maker, digest = _verified(source, content, makers, at, limit)
        content.seek(0)
        note = els.read(content, limit=limit)
        _require_maker(note.head, maker)
        with SecretKeeper(keys, client) as secrets, transaction.atomic():
            _one_at_a_time(client)
            row = DeliveryNote.objects.filter(signer=maker.common_name, number=note.head.number).first()
            if row is not None and row.client_id == client:
                return _first_answer(row, digest)
            _require_recipient(note.head, client, keys)
            row = _new_row(note.head, maker, client, digest, taken=row is not None)
            importer = Importer(row, _carriers(row, note.carriers), secrets, Series(trust, at), at)
            return _finished(row, importer.take(note.devices), actor, at)


@contextmanager
def _opened(signed: bytes | Path | BinaryIO) -> Iterator[BinaryIO]:
    if isinstance(signed, bytes):
        yield BytesIO(signed)
    elif isinstance(signed, Path):
        with signed.open("rb") as file:
            yield file
    else:
        yield signed


def _verified(
    source: BinaryIO, content: IO[bytes], makers: Iterable[x509.Certificate], at: datetime, limit: int
) -> tuple[Identity, str]:
    """Who has signed, and the SHA-256 of what was signed, which then stands in ``content``."""
    known = {cms.ski_of(maker): maker for maker in makers}
    signers = {ski: cms.keys.public_key_of(maker) for ski, maker in known.items()}
    verified = cms.verify_stream(source, cast(BinaryIO, content), signers=signers, limit=limit)
    maker = profile.check(known[verified.signer_ski], role=Role.GWH, use=Use.SIG, at=at)
    return maker, verified.sha256.hex()


def _require_maker(head: els.Head, maker: Identity) -> None:
    """The note's maker is its signer: its certificate is issued to the FLAG or the name the note gives."""
    if not _same(maker.name, head.maker_flag) and not _same(maker.name, head.maker):
        raise ELS_MAKER(maker=head.maker, flag=head.maker_flag, signer=maker.common_name)


def _same(ours: str, theirs: str) -> bool:
    return " ".join(ours.casefold().split()) == " ".join(theirs.casefold().split())


def _require_recipient(head: els.Head, client: int, keys: KeyStore) -> None:
    """Issued for this client (one of its code numbers) and for its gateway administrator, by code number or name."""
    code = market_code(head.operator_code)
    if not MarketParticipant.objects.filter(client=client, code=code).exists():
        raise ELS_RECIPIENT(what="Messstellenbetreiber", found=code)
    ours = profile.identify(administrator.key(keys, client, Use.SIG).certificate)
    if head.administrator_code and ours.unit:
        if market_code(head.administrator_code) != ours.unit:
            raise ELS_RECIPIENT(what="GatewayAdministrator", found=head.administrator_code)
    elif not _same(ours.name, head.administrator) and not _same(ours.common_name, head.administrator):
        raise ELS_RECIPIENT(what="GatewayAdministrator", found=head.administrator)


def _one_at_a_time(client: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, client])


def _first_answer(row: DeliveryNote, digest: str) -> Report:
    if row.digest != digest:
        raise ELS_NUMBER_USED(number=row.number)
    return Report(row.pk, row.number, row.maker, True, row.imported, row.known, row.refused)


def _new_row(head: els.Head, maker: Identity, client: int, digest: str, *, taken: bool) -> DeliveryNote:
    if taken:
        raise ELS_TAKEN(what=head.number)
    if head.message_type not in IMPORTED:
        raise ELS_MESSAGE_TYPE(kind=head.message_type)
    earlier = DeliveryNote.objects.filter(client=client, signer=maker.common_name, number=head.replaces)
    if (head.message_type == CORRECTION or head.replaces) and not earlier.exists():
        raise ELS_REPLACES(number=head.number, replaces=head.replaces)
    row, new = DeliveryNote.objects.get_or_create(
        signer=maker.common_name,
        number=head.number,
        defaults={
            "client_id": client,
            "maker": head.maker,
            "message_type": head.message_type,
            "replaces": head.replaces,
            "order_number": head.order_number,
            "operator_code": market_code(head.operator_code),
            "delivered_on": head.delivered_on,
            "state": "importing",
            "digest": digest,
        },
    )
    if not new:  # another client's import of this instant
        raise ELS_TAKEN(what=head.number)
    return row


def _carriers(row: DeliveryNote, carriers: Iterable[els.Carrier]) -> dict[str, int]:
    made = Carrier.objects.bulk_create(
        Carrier(note=row, number=each.number, kind=each.kind, seals=list(each.seals)) for each in carriers
    )
    return {carrier.number: carrier.pk for carrier in made}


def _finished(row: DeliveryNote, counts: Counts, actor: str, at: datetime) -> Report:
    row.imported, row.known, row.refused = counts.imported, counts.known, counts.refused
    row.state = "imported"
    row.save()
    audit.append(
        actor=actor,
        action="delivery_note.imported",
        subject=f"delivery_note:{row.signer}/{row.number}",
        payload={
            "digest": row.digest,
            "devices": counts.imported + counts.known + counts.refused,
            "imported": counts.imported,
            "known": counts.known,
            "refused": counts.refused,
            "operator": row.operator_code,
        },
        client=row.client_id,
        at=at,
    )
    return Report(row.pk, row.number, row.maker, False, row.imported, row.known, row.refused)
