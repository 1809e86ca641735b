"""``torwart audit verify | export | head | script``: the audit trail, for us and for a stranger (M-4)."""

import json
from importlib import resources
from typing import IO

import click

from torwart.config.installation import installed
from torwart.kernel.refusals.audit import AUDIT_BROKEN
from torwart.kernel.words import Words
from torwart.services.audit_export import Verdict, verify_export

_TEXT = {
    "group": Words(
        "Der Prüfpfad: jeder Eintrag ist mit dem vorigen verkettet. Wer ihm nicht traut, exportiert ihn und prüft ihn "
        "mit dem Skript aus „torwart audit script“, das nur Python braucht, gegen veröffentlichte Kettenköpfe.",
        "The audit trail: each entry is chained to the one before. Whoever does not trust it exports it and checks it "
        "with the script from 'torwart audit script', which needs only Python, against published heads.",
    ),
    "verify": Words(
        "Die ganze Kette prüfen, in der Datenbank oder in einer exportierten Datei.\n\nRückgabewerte: 0 unversehrt, "
        "1 verletzt, 2 falscher Aufruf, 3 Datei nicht lesbar.",
        "Check the whole chain, in the database or in an exported file.\n\nExit codes: 0 intact, 1 broken, 2 usage, "
        "3 file not readable.",
    ),
    "export": Words(
        "Den Prüfpfad als JSON-Zeilen ausgeben (seq, previous, hash, entry).",
        "Write the trail as lines of JSON (seq, previous, hash, entry).",
    ),
    "head": Words("Den Kettenkopf ausgeben, zum Veröffentlichen.", "Print the head of the chain, to be published."),
    "script": Words(
        "Das Prüfskript für Außenstehende ausgeben (30 Zeilen Python).",
        "Print the checking script for strangers (30 lines of Python).",
    ),
    "file": Words(
        "exportierte Datei statt der Datenbank („-“: Eingabe)", "an exported file, not the database (-: stdin)"
    ),
    "published": Words("veröffentlichter Kettenkopf, mehrfach möglich", "a published head, may be repeated"),
    "after": Words("nur Glieder nach dieser Nummer", "only links after this number"),
    "out": Words("Zieldatei („-“: Ausgabe)", "file to write (-: stdout)"),
    "bad_head": Words("„{text}“ ist kein Kettenkopf NUMMER:HASH.", "'{text}' is no head SEQ:HASH."),
    "intact": Words("unversehrt: {seq} Glieder, Kopf {seq}:{head}", "intact: {seq} links, head {seq}:{head}"),
    "pending": Words("{pending} Einträge warten noch auf ihr Glied.", "{pending} entries still wait for their link."),
    "unchained": Words(
        "{unchained} Einträge stehen außerhalb der Kette: Sie wurden am Programm vorbei geschrieben.",
        "{unchained} entries stand outside the chain: they were written past the program.",
    ),
}


class _Head(click.ParamType[tuple[int, bytes]]):
    """A published head, ``SEQ:HASH`` with 64 hex digits."""

    name = "SEQ:HASH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, bytes]:
        if isinstance(value, tuple):
            return value
        try:
            return _head(str(value))
        except ValueError:
            self.fail(_TEXT["bad_head"].text(text=value), param, ctx)


def _head(text: str) -> tuple[int, bytes]:
    seq, _, digits = text.partition(":")
    digest = bytes.fromhex(digits)
    if len(digest) != 32 or int(seq) < 1:
        raise ValueError(text)
    return int(seq), digest


@click.group(name="audit", help=_TEXT["group"].text())
def command() -> None:
    """The group."""


@command.command(help=_TEXT["verify"].text())
@click.option("--file", "file", type=click.File(encoding="utf-8", errors="replace"), help=_TEXT["file"].text())
@click.option("--head", "heads", type=_Head(), multiple=True, help=_TEXT["published"].text())
@click.option("--json", "as_json", is_flag=True)
def verify(file: IO[str] | None, heads: tuple[tuple[int, bytes], ...], as_json: bool) -> None:
    """Check the chain."""
    verdict = verify_export(file, dict(heads)) if file else _verify_database(dict(heads))
    if as_json:
        click.echo(json.dumps(_shown(verdict)))
    else:
        _tell(verdict)
    if not verdict.intact:
        click.get_current_context().exit(1)


def _verify_database(heads: dict[int, bytes]) -> Verdict:
    with installed():
        from torwart.services import audit

        return audit.verify(heads)


def _shown(verdict: Verdict) -> dict[str, object]:
    broken = verdict.broken
    return {
        "intact": verdict.intact,
        "seq": verdict.seq,
        "head": verdict.head.hex(),
        "broken": {"seq": broken.seq, "fault": broken.fault.value} if broken else None,
        "pending": verdict.pending,
        "unchained": verdict.unchained,
    }


def _tell(verdict: Verdict) -> None:
    if verdict.broken:
        why = verdict.broken.words.text()
        click.echo(AUDIT_BROKEN(seq=verdict.broken.seq, why=why).text(), err=True)
    else:
        click.echo(_TEXT["intact"].text(seq=verdict.seq, head=verdict.head.hex()))
    if verdict.pending:
        click.echo(_TEXT["pending"].text(pending=verdict.pending))
    if verdict.unchained:
        click.echo(_TEXT["unchained"].text(unchained=verdict.unchained), err=True)


@command.command(help=_TEXT["export"].text())
@click.argument("out", type=click.File("w", encoding="utf-8"), default="-")
@click.option("--after", type=click.IntRange(min=0), default=0, help=_TEXT["after"].text())
def export(out: IO[str], after: int) -> None:
    """Write the trail; entries that still wait for their link are linked first."""
    with installed():
        from torwart.services import audit

        while audit.link_pending():
            pass
        for each in audit.export(after):
            out.write(each + "\n")


@command.command(help=_TEXT["head"].text())
def head() -> None:
    """Print ``SEQ:HASH``; nothing while the chain is empty."""
    with installed():
        from torwart.services import audit

        while audit.link_pending():
            pass
        found = audit.head()
    if found:
        click.echo(f"{found[0]}:{found[1].hex()}")


@command.command(help=_TEXT["script"].text())
def script() -> None:
    """Print the script."""
    click.echo(resources.files("torwart.config").joinpath("verify_trail.py").read_text(encoding="utf-8"), nl=False)
