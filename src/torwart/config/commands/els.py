"""``torwart els check | schema | example``: the format of delivery notes, for those who are about to send one."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

import click

from torwart.kernel.identifiers import DeviceId, market_code
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.els import ELS_TWICE
from torwart.kernel.words import Words
from torwart.wire import cms, els
from torwart.wire.certificate import Role, Use, check, load_certificates
from torwart.wire.els import csv_form, own_format

_SHOWN = 20
_DER = b"\x30"
_TEXT = {
    "group": Words(
        "Das Format der elektronischen Lieferscheine: Schema, Beispiel, Prüfung.",
        "The format of electronic delivery notes: schema, example, check.",
    ),
    "check": Words(
        "Einen Lieferschein prüfen, wie der Import es täte, ohne ihn zu importieren: Signatur (mit --maker), Form, "
        "Codenummern, Geräte-IDs. Zertifikate und Geheimnisse prüft erst der Import.\n\n"
        "Rückgabewerte: 0 gut, 1 Geräte mit Fehlern, 2 falscher Aufruf, 3 als Ganzes abgewiesen.",
        "Check a delivery note as the import would, without importing it: signature (with --maker), form, code "
        "numbers, device ids. Certificates and secrets are only checked by the import.\n\n"
        "Exit codes: 0 good, 1 devices with mistakes, 2 usage, 3 refused as a whole.",
    ),
    "schema": Words("Das XML-Schema (XSD) ausgeben.", "Print the XML schema (XSD)."),
    "example": Words("Ein kommentiertes Beispiel ausgeben.", "Print a commented example."),
    "csv": Words("die Vorlage des CSV-Formulars für Piloten", "the template of the CSV form for pilots"),
    "maker": Words(
        "SIG-Zertifikat des Herstellers (PEM oder DER) für signierte Dateien",
        "SIG certificate of the maker (PEM or DER) for signed files",
    ),
    "json": Words("Ergebnis als JSON", "result as JSON"),
    "signed": Words("Die Datei ist signiert; geben Sie --maker an.", "The file is signed; give --maker."),
    "unsigned": Words(
        "nicht signiert: der Import verlangt die Signatur des Herstellers",
        "not signed: the import demands the maker's signature",
    ),
    "signer": Words("signiert von {name}", "signed by {name}"),
    "head": Words("Lieferschein {number} von {maker} ({flag})", "delivery note {number} by {maker} ({flag})"),
    "devices": Words("{count} Geräte: {kinds}", "{count} devices: {kinds}"),
    "problems": Words("{count} Geräte mit Fehlern:", "{count} devices with mistakes:"),
    "more": Words("… und {count} weitere", "… and {count} more"),
}


@click.group(name="els", help=_TEXT["group"].text())
def command() -> None:
    """Group of the three."""


@command.command(help=_TEXT["schema"].text())
def schema() -> None:
    click.echo(own_format.SCHEMA_FILE.read_text(encoding="utf-8"), nl=False)


@command.command(help=_TEXT["example"].text())
@click.option("--csv", "as_csv", is_flag=True, help=_TEXT["csv"].text())
def example(as_csv: bool) -> None:
    text = csv_form.template() if as_csv else own_format.EXAMPLE_FILE.read_text(encoding="utf-8")
    click.echo(text, nl=False)


@command.command(name="check", help=_TEXT["check"].text())
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--maker", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=_TEXT["maker"].text())
@click.option("--json", "as_json", is_flag=True, help=_TEXT["json"].text())
def check_file(file: Path, maker: Path | None, as_json: bool) -> None:
    """Whatever is wrong with the whole file leaves as its refusal."""
    with _content(file, maker) as (content, signer):
        note = els.read(content)
        market_code(note.head.operator_code)
        found = _judge(note)
    result = {
        "number": note.head.number,
        "maker": note.head.maker,
        "flag": note.head.maker_flag,
        "signer": signer,
        **found,
    }
    click.echo(json.dumps(result, indent=2, ensure_ascii=False) if as_json else _told(result))
    sys.exit(1 if found["wrong"] else 0)


@contextmanager
def _content(file: Path, maker: Path | None) -> Iterator[tuple[BinaryIO, str]]:
    """What the file says, and whose signature it bears (empty: none)."""
    with file.open("rb") as source, TemporaryFile() as content:
        signed = source.read(1) == _DER
        source.seek(0)
        if not signed:
            yield source, ""
            return
        if maker is None:
            raise click.UsageError(_TEXT["signed"].text())
        (certificate,) = load_certificates(maker.read_bytes())
        signers = {cms.ski_of(certificate): cms.keys.public_key_of(certificate)}
        cms.verify_stream(source, content, signers=signers, limit=els.MAX_BYTES)
        content.seek(0)
        yield content, check(certificate, role=Role.GWH, use=Use.SIG).common_name


def _judge(note: els.Note) -> dict[str, Any]:
    """How many devices of each kind, and the first mistakes."""
    kinds: Counter[str] = Counter()
    seen: set[str] = set()
    wrong = 0
    mistakes: list[dict[str, str]] = []
    for item in note.devices:
        kinds[els.kind(item) or "?"] += 1
        refusal = _mistake(item, seen)
        wrong += refusal is not None
        if refusal is not None and len(mistakes) < _SHOWN:
            mistakes.append(
                {"device": item.id, "code": refusal.code, "de": refusal.text("de"), "en": refusal.text("en")}
            )
    return {"devices": sum(kinds.values()), "kinds": dict(kinds), "wrong": wrong, "mistakes": mistakes}


def _mistake(item: els.Item, seen: set[str]) -> Refusal | None:
    if isinstance(item, els.Unreadable):
        return item.refusal
    try:
        device = DeviceId.parse(item.id)
    except Refusal as refusal:
        return refusal
    if device in seen:
        return ELS_TWICE(device=device)
    seen.add(device)
    return None


def _told(result: dict[str, Any]) -> str:
    lines = [
        _TEXT["head"].text(number=result["number"], maker=result["maker"], flag=result["flag"]),
        _TEXT["signer"].text(name=result["signer"]) if result["signer"] else _TEXT["unsigned"].text(),
        _TEXT["devices"].text(
            count=result["devices"], kinds=", ".join(f"{count} {kind}" for kind, count in result["kinds"].items())
        ),
    ]
    if result["wrong"]:
        lines.append(_TEXT["problems"].text(count=result["wrong"]))
        lines += [f"  {each['device']}: {Words(each['de'], each['en']).text()}" for each in result["mistakes"]]
        if result["wrong"] > _SHOWN:
            lines.append(_TEXT["more"].text(count=result["wrong"] - _SHOWN))
    return "\n".join(lines)
