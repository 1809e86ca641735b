"""P01, eLS-Import: the order announces a delivery note, the file comes as a secure reply to the ticket (KL 4.2.2)."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from torwart.kernel.refusals import Refusal, Retry
from torwart.kernel.refusals.order import NO_FILE, NOTHING_IMPORTED
from torwart.kernel.words import Words
from torwart.processes import asking, fields
from torwart.processes.definition import Choice, Field, FieldKind, Process, Step
from torwart.processes.telling import Telling
from torwart.services import approved_configuration
from torwart.services import delivery_note_reply as replies
from torwart.services import order as orders
from torwart.services import ticket as tickets
from torwart.services.letter import ticket as letters
from torwart.wire.mail import Attachment

FIELDS = (
    Field(
        "note_number",
        Words("Lieferscheinnummer", "Delivery note number"),
        Words("Wie sie der Hersteller vergeben hat.", "As the maker has given it."),
        "LS-2026-0001",
        fields.line,
    ),
    Field(
        "maker",
        Words("Hersteller", "Maker"),
        Words("Wer die Geräte geliefert und den Lieferschein signiert hat.", "Who delivered and signed the note."),
        "Musterwerk GmbH",
        fields.line,
    ),
    Field(
        "device_count",
        Words("Anzahl der Geräte", "Number of devices"),
        Words("Gateways und Zähler zusammen.", "Gateways and meters together."),
        "24",
        fields.whole_number(1, 1_000_000),
        kind=FieldKind.NUMBER,
    ),
    Field(
        "smgw_types",
        Words("SMGW-Typen", "SMGW types"),
        Words("Typbezeichnungen der gelieferten Gateways.", "Types of the gateways delivered."),
        "SMGW G3",
        fields.line,
        many=True,
        offers=lambda client: [Choice(name, Words(name, name)) for name in approved_configuration.gateway_types()],
    ),
)

STEPS = (
    Step("accepted", Words("Auftrag angenommen", "Order accepted"), stays=False),
    Step("file", Words("Lieferschein erhalten und geprüft", "Delivery note received and checked")),
    Step("imported", Words("Geräte importiert", "Devices imported")),
    Step("told", Words("Ergebnis je Gerät mitgeteilt", "Result told device by device")),
)
_ASK = Words(
    "Bitte senden Sie den Lieferschein {note} als Antwort auf diese Mail: die vom Hersteller signierte Datei als "
    "Anhang, "
    "Ihre Mail signiert und verschlüsselt (S/MIME).",
    "Please send delivery note {note} as a reply to this mail: the file signed by the maker as an attachment, your "
    "mail "
    "signed and encrypted (S/MIME).",
)
_WAITS = Words("Wartet auf den Lieferschein als Antwort auf die Mail", "Waits for the delivery note as a reply")
_PAUSE = 60.0


def tell(run: Telling) -> Mapping[str, Any]:
    """Wait for the file, however often a wrong one comes; then the import's report is the result."""
    run.enter("accepted")
    run.enter("file")
    report = _report(run)
    run.enter("imported")
    if report["imported"] + report["known"] == 0:
        device, de, en = replies.first_refused(report["note"])
        named = {"count": report["refused"], "number": report["number"], "device": device}
        raise NOTHING_IMPORTED(**named, why_de=de, why_en=en)
    run.enter("told")
    return report


def _report(run: Telling) -> dict[str, Any]:
    seconds = run.world.patience.client_total
    since = datetime.fromisoformat(run.write("since", lambda: run.now().isoformat()))
    after, turn, wrong = 0, 0, None
    while True:
        left = seconds - (run.now() - since).total_seconds()
        found = asking.from_client(
            run,
            f"file {turn}",
            partial(replies.next_file, orders.ticket_of(run.number), after),
            step="file",
            ask=partial(_ask, run, wrong),
            why=_WAITS,
            seconds=max(0.0, left),
        )
        if found is None:
            raise NO_FILE(days=round(seconds / 86400))
        try:
            return _imported(run, turn, found)
        except Refusal as refusal:
            if refusal.kind.retry is Retry.LATER:  # nothing is wrong with the file: it is tried again
                run.pause(f"again {turn}", _PAUSE)
            else:
                after, wrong = found["last"], (str(found["name"]), refusal)
        turn += 1


def _imported(run: Telling, turn: int, found: dict[str, Any]) -> dict[str, Any]:
    """Import the file once; a repetition after a crash gets the first answer (``services.delivery_note``)."""
    world = run.world
    before = run.write(f"newest before {turn}", replies.latest)
    take = partial(
        replies.take,
        found,
        client=orders.client_of(run.number),
        keys=world.keys,
        trust=world.trust,
        makers=world.makers,
        at=run.now(),
        actor=f"run:{run.run_id}",
    )
    report: dict[str, Any] = run.act(f"import {turn}", take)
    return {**report, "repeated": report["note"] <= before, "differs": _differences(run.order, report)}


def _differences(order: Mapping[str, Any], report: Mapping[str, Any]) -> list[list[str]]:
    """What the note says otherwise than the order: field, ordered, found."""
    total = report["imported"] + report["known"] + report["refused"]
    found = {"note_number": report["number"], "maker": report["maker"], "device_count": str(total)}
    differing = [
        [name, str(order[name]), value] for name, value in found.items() if _plain(order[name]) != _plain(value)
    ]
    ordered = sorted(order["smgw_types"])
    if report["models"] and set(map(_plain, ordered)) != set(map(_plain, report["models"])):
        differing.append(["smgw_types", ", ".join(ordered), ", ".join(report["models"])])
    return differing


def _plain(text: object) -> str:
    return " ".join(str(text).split()).casefold()


def _ask(run: Telling, wrong: tuple[str, Refusal] | None, ticket: str) -> None:
    """The first time the file is asked for, later it is said what was wrong with the one that came."""
    if wrong is None:
        text = Words(_ASK.de.format(note=run.order["note_number"]), _ASK.en.format(note=run.order["note_number"]))
        tickets.write_to_client(
            ticket,
            "ticket.question",
            text,
            lambda language, about: letters.question(language, about, text=text),
            run.now(),
        )
        return
    file, refusal = wrong
    why = Words(refusal.text("de"), refusal.text("en"))
    said = Words(f"Datei „{file}“ nicht angenommen: {why.de}", f"File “{file}” not taken: {why.en}")
    tickets.write_to_client(
        ticket,
        "ticket.file_refused",
        said,
        lambda language, about: letters.file_refused(language, about, file=file, why=why),
        run.now(),
    )


def _in_words(result: Mapping[str, Any]) -> list[tuple[Words, str]]:
    rows = [
        (Words("Lieferschein", "Delivery note"), f"{result['number']} ({result['maker']})"),
        (Words("Importiert", "Imported"), str(result["imported"])),
        (Words("Bereits bekannt", "Known already"), str(result["known"])),
        (Words("Abgelehnt", "Refused"), str(result["refused"])),
    ]
    if result["repeated"]:
        rows.append((Words("Schon früher importiert", "Imported before"), "✓"))
    for name, ordered, found in result["differs"]:
        label = PROCESS.field(name).label
        rows.append((Words(f"Abweichend: {label.de}", f"Differs: {label.en}"), f"{ordered} → {found}"))
    return rows


def _enclosed(result: Mapping[str, Any], language: str) -> list[Attachment]:
    return [replies.device_list(result["note"], result["number"], language)]


PROCESS = Process(
    code="P01",
    name="delivery_note_import",
    words=Words("Lieferschein importieren (eLS)", "Delivery-note import (eLS)"),
    fields=FIELDS,
    steps=STEPS,
    tell=tell,
    subject_field="",
    unmet_for=orders.mail_untested,
    over_interface=False,
    not_over_interface=Words(
        "Lieferscheine kommen nur mit der gesicherten Mail zu einem Formular-Auftrag (Kundenleitfaden 4.1).",
        "Delivery notes only come with the secure mail to a form's order (customer guide 4.1).",
    ),
    about=Words(
        "Nimmt die Geräte eines Lieferscheins in unsere Stammdaten auf. Das ist der erste Schritt: Ohne importierten "
        "Lieferschein kann kein Gateway in Betrieb gehen. Die Datei senden Sie danach als Antwort auf unsere Mail.",
        "Takes the devices of a delivery note into our master data. This is the first step: without an imported note "
        "no "
        "gateway can be commissioned. You send the file afterwards as a reply to our mail.",
    ),
    needs=(
        Words("Nummer des Lieferscheins und Hersteller", "Number of the delivery note and its maker"),
        Words("Anzahl und Typen der Geräte", "Number and types of the devices"),
        Words("Die vom Hersteller signierte Datei", "The file signed by the maker"),
        Words("Gesicherte Mail (S/MIME), bei uns getestet", "Secure mail (S/MIME), tested with us"),
    ),
    duration=Words(
        "Ausfüllen: eine Minute. Der Import beginnt, sobald Ihre Mail da ist, und dauert meist weniger als eine "
        "Minute.",
        "Filling in: one minute. The import begins as soon as your mail is here and mostly takes less than a minute.",
    ),
    capacity=60,
    result=_in_words,
    enclosed=_enclosed,
    after_ordering=Words(
        "Antworten Sie auf diese Mail mit der vom Hersteller signierten Lieferscheindatei als Anhang, signiert und "
        "verschlüsselt. Danach teilen wir Ihnen das Ergebnis für jedes Gerät mit.",
        "Reply to this mail with the delivery-note file signed by the maker as an attachment, signed and encrypted. "
        "Then "
        "we tell you the result for each device.",
    ),
    not_cancellable_from="imported",
)
