"""Letters about an order: received, accepted, other times, taken back, done, failed (O-2, O-3, O-10, T-3).

Each names the order and its process, says what comes next and who has it, and leads to the order's page. The mail that
confirms an order repeats every field from the summary the check page showed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from torwart.kernel.outcome import Row, value_in
from torwart.kernel.refusals import Retry, Side
from torwart.kernel.words import Words
from torwart.rules.lead_time import spoken
from torwart.services.letter.mail import GREETING
from torwart.wire.mail import Block, Facts, Heading, Items, Letter, Link, Paragraph, Quote, Steps, Track

SummaryRow = Sequence[str]
"""Label German, label English, value German, value English."""


@dataclass(frozen=True, slots=True)
class About:
    """What all letters about an order need. ``next``: what this process asks of the client after ordering."""

    number: str
    process: Words
    summary: tuple[SummaryRow, ...]
    submitted_at: datetime
    requested_at: datetime | None
    planned: bool
    due_at: datetime
    withdrawable_until: datetime
    url: str
    next: Words


SIDES: Mapping[Side, Words] = {
    Side.OURS: Words("bei uns", "with us"),
    Side.GATEWAY: Words("beim Gateway", "with the gateway"),
    Side.CLIENT: Words("in den Angaben oder Voraussetzungen des Auftrags", "in the order's entries or preconditions"),
    Side.CA: Words("bei der Zertifizierungsstelle", "with the certification authority"),
    Side.NETWORK: Words("in der Verbindung zum Gateway", "in the connection to the gateway"),
    Side.EMT: Words("beim Empfänger der Messwerte (EMT)", "with the recipient of the readings (EMT)"),
}
"""Whose fault it is, as people read it."""

NEXT_BY_SIDE: Mapping[Side, Words] = {
    Side.OURS: Words(
        "Wir beheben das und melden uns in diesem Vorgang. Danach erteilen Sie den Auftrag bitte erneut.",
        "We mend this and tell you in this ticket. After that please place the order again.",
    ),
    Side.GATEWAY: Words(
        "Lassen Sie das Gerät bitte vor Ort prüfen und erteilen Sie den Auftrag danach erneut. Gern helfen wir dabei: "
        "Antworten Sie einfach auf diese Mail.",
        "Please have the device checked on site and place the order again after that. We are glad to help: just reply "
        "to this mail.",
    ),
    Side.CLIENT: Words(
        "Bringen Sie das Genannte bitte in Ordnung und erteilen Sie den Auftrag erneut.",
        "Please put right what is named and place the order again.",
    ),
    Side.CA: Words(
        "Wir klären das mit der Zertifizierungsstelle und melden uns in diesem Vorgang. Danach erteilen Sie den "
        "Auftrag bitte erneut.",
        "We settle this with the certification authority and tell you in this ticket. After that please place the "
        "order again.",
    ),
    Side.NETWORK: Words(
        "Prüfen Sie bitte Stromversorgung, SIM-Karte und Empfang des Gateways und erteilen Sie den Auftrag danach "
        "erneut.",
        "Please check the gateway's power, SIM card and reception and place the order again after that.",
    ),
    Side.EMT: Words(
        "Klären Sie bitte mit dem Empfänger, ob er Messwerte annimmt, und erteilen Sie den Auftrag danach erneut.",
        "Please settle with the recipient whether it takes readings, and place the order again after that.",
    ),
}
RETRY_LATER = Words("Dasselbe kann später ohne Änderung gelingen.", "The same may succeed later without any change.")

_T: Mapping[str, Words] = {
    "to_order": Words("Zum Auftrag", "To the order"),
    "placed": Words("Auftrag {number} eingegangen: {process}", "Order {number} received: {process}"),
    "placed_text": Words(
        "vielen Dank, Ihr Auftrag {number} ist am {at} Uhr eingegangen.",
        "thank you, your order {number} was received on {at}.",
    ),
    "entries": Words("Ihre Angaben", "Your entries"),
    "next": Words("So geht es weiter", "What comes next"),
    "planned": Words(
        "Geplanter Auftrag: Wir führen ihn zu Ihrem Wunschtermin aus, am {due} Uhr.",
        "Planned order: we carry it out at the time you asked for, on {due}.",
    ),
    "unplanned": Words(
        "Ungeplanter Auftrag: Wir bearbeiten ihn innerhalb von 24 Stunden Servicezeit, spätestens bis {due} Uhr.",
        "Unplanned order: we handle it within 24 hours of service time, by {due} at the latest.",
    ),
    "grace": Words(
        "Bis {until} Uhr beginnt nichts, so lange können Sie ihn im Portal zurückziehen. Danach können Sie ihn noch "
        "stornieren, soweit der Prozess das zulässt.",
        "Nothing begins before {until}; until then you can withdraw it in the portal. After that you can still cancel "
        "it as far as the process allows.",
    ),
    "told": Words("Das Ergebnis teilen wir Ihnen per Mail mit.", "We tell you the result by mail."),
    "accepted": Words("Termin bestätigt für {number}: {process}", "Time confirmed for {number}: {process}"),
    "accepted_text": Words(
        "Ihr Auftrag {number} ({process}) ist angenommen. Der Termin steht fest: {at} Uhr.",
        "your order {number} ({process}) has been accepted. The time is fixed: {at}.",
    ),
    "proposed": Words("Andere Termine für {number}: {process}", "Other times for {number}: {process}"),
    "proposed_text": Words(
        "Ihren Wunschtermin für den Auftrag {number} ({process}) können wir leider nicht halten.",
        "we are sorry: we cannot keep the time you asked for in order {number} ({process}).",
    ),
    "reason": Words("Grund: {reason}", "Reason: {reason}"),
    "time": Words("{at} Uhr", "{at}"),
    "times": Words("Diese Termine können wir Ihnen anbieten:", "These are the times we can offer:"),
    "choose": Words(
        "Wählen Sie bitte im Portal einen davon, oder antworten Sie auf diese Mail, wenn keiner passt. Bis dahin ruht "
        "die Frist.",
        "Please choose one of them in the portal, or reply to this mail if none suits you. The deadline rests until "
        "then.",
    ),
    "withdrawn": Words("Auftrag {number} zurückgezogen: {process}", "Order {number} withdrawn: {process}"),
    "withdrawn_text": Words(
        "Ihr Auftrag {number} ({process}) ist zurückgezogen. Es hatte noch nichts begonnen, es bleibt nichts zurück.",
        "your order {number} ({process}) has been withdrawn. Nothing had begun, nothing remains.",
    ),
    "by": Words("Zurückgezogen von: {actor}", "Withdrawn by: {actor}"),
    "cancelled": Words("Auftrag {number} storniert: {process}", "Order {number} cancelled: {process}"),
    "cancelled_text": Words(
        "der Auftrag {number} ({process}) ist storniert.", "order {number} ({process}) has been cancelled."
    ),
    "stays": Words("Was schon getan ist und bleibt:", "What has been done already and stays:"),
    "nothing_stays": Words(
        "Es war noch nichts getan, es bleibt nichts zurück.", "Nothing had been done yet, nothing remains."
    ),
    "done": Words("Auftrag {number} erledigt: {process}", "Order {number} done: {process}"),
    "done_text": Words(
        "Ihr Auftrag {number} ({process}) ist erfolgreich abgeschlossen.",
        "your order {number} ({process}) has been completed successfully.",
    ),
    "result": Words("Ergebnis", "Result"),
    "what_was_done": Words("Was getan wurde", "What was done"),
    "nothing_to_do": Words("Für Sie ist nichts weiter zu tun.", "There is nothing more for you to do."),
    "failed": Words("Auftrag {number} fehlgeschlagen: {process}", "Order {number} failed: {process}"),
    "failed_text": Words(
        "Ihr Auftrag {number} ({process}) konnte leider nicht zu Ende geführt werden.",
        "we are sorry: your order {number} ({process}) could not be completed.",
    ),
    "refused": Words("Auftrag {number} abgelehnt: {process}", "Order {number} refused: {process}"),
    "refused_text": Words(
        "Ihr Auftrag {number} ({process}) konnte nicht beginnen, weil eine Voraussetzung nicht erfüllt ist.",
        "your order {number} ({process}) could not begin because a precondition is not met.",
    ),
    "why": Words("Grund", "Reason"),
    "left": Words("Was auf dem Gateway bleibt", "What stays on the gateway"),
    "fault": Words("Die Ursache liegt {side}.", "The cause lies {side}."),
    "silent": Words("Gateway meldet sich nicht: {number}, {process}", "Gateway is silent: {number}, {process}"),
    "silent_text": Words(
        "beim Auftrag {number} ({process}) hat sich {gateway} seit über {hours} Stunden nicht gemeldet.",
        "in order {number} ({process}) {gateway} has not called for more than {hours} hours.",
    ),
    "silent_next": Words(
        "Wir wecken es weiter und führen den Auftrag fort, sobald es sich meldet. Bitte prüfen Sie vor Ort "
        "Stromversorgung, SIM-Karte, Antenne und Empfang.",
        "We keep waking it and go on as soon as it calls. Please check power, SIM card, antenna and reception on site.",
    ),
}


def placed(language: str, about: About) -> Letter:
    """The confirmation (O-2): every entered field, the commitment, how long it can be withdrawn."""
    follows = [
        _text("planned" if about.planned else "unplanned", language, due=spoken(about.due_at)),
        _text("grace", language, until=f"{spoken(about.withdrawable_until)}"),
        about.next.text(language) or _text("told", language),
    ]
    return _letter(
        "placed",
        language,
        about,
        _greeted(_text("placed_text", language, number=about.number, at=spoken(about.submitted_at)), language),
        summary(about.summary, language),
        Heading(_text("next", language)),
        *(Paragraph(text) for text in follows),
    )


def accepted(language: str, about: About) -> Letter:
    """The requested or chosen time is confirmed (T-3)."""
    at = spoken(about.requested_at or about.due_at)
    return _letter("accepted", language, about, _opening("accepted", language, about, at=at))


def proposed(language: str, about: About, *, times: Sequence[datetime], reason: str) -> Letter:
    return _letter(
        "proposed",
        language,
        about,
        _opening("proposed", language, about),
        Paragraph(_text("reason", language, reason=reason)),
        Paragraph(_text("times", language)),
        Items(tuple(_text("time", language, at=spoken(time)) for time in times)),
        Paragraph(_text("choose", language)),
    )


def withdrawn(language: str, about: About, *, actor: str) -> Letter:
    return _letter(
        "withdrawn",
        language,
        about,
        _opening("withdrawn", language, about),
        Paragraph(_text("by", language, actor=actor)),
        summary(about.summary, language),
    )


def cancelled(language: str, about: About, *, reason: str, stays: Sequence[Words]) -> Letter:
    """``stays``: the steps that were done and are not undone."""
    left: tuple[Block, ...] = (Paragraph(_text("nothing_stays", language)),)
    if stays:
        left = (Paragraph(_text("stays", language)), Items(tuple(step.text(language) for step in stays)))
    return _letter(
        "cancelled",
        language,
        about,
        _opening("cancelled", language, about),
        Paragraph(_text("reason", language, reason=reason)),
        *left,
        summary(about.summary, language),
    )


def done(language: str, about: About, *, rows: Sequence[Row], steps: Sequence[Words]) -> Letter:
    """The result of a success (O-3): what came out, and what was done step by step."""
    result = (_lines(rows, language, "result"),)
    return _letter(
        "done",
        language,
        about,
        _opening("done", language, about),
        *(result if rows else ()),
        *_track(language, [(Track.DONE, step) for step in steps]),
        Paragraph(_text("nothing_to_do", language)),
        summary(about.summary, language),
    )


def failed(
    language: str,
    about: About,
    *,
    why: Words,
    side: Side,
    retry: Retry,
    steps: Sequence[tuple[Track, Words]],
    rows: Sequence[Row] = (),
    refused: bool = False,
) -> Letter:
    """The result of a failure (O-3): why, whose fault, what was done, what next. ``rows``: what stays on the gateway;
    ``refused``: it never began.
    """
    name = "refused" if refused else "failed"
    follows = NEXT_BY_SIDE[side].text(language)
    if retry is Retry.LATER:
        follows = f"{RETRY_LATER.text(language)} {follows}"
    return _letter(
        name,
        language,
        about,
        _opening(name, language, about),
        Quote(why.text(language), _text("why", language)),
        Paragraph(_text("fault", language, side=SIDES[side].text(language))),
        Heading(_text("next", language)),
        Paragraph(follows),
        *([_lines(rows, language, "left")] if rows else []),
        *_track(language, steps),
        summary(about.summary, language),
    )


def silent(language: str, about: About, *, gateway: str, hours: int) -> Letter:
    """P03: the client is told after 24 h of silence."""
    return _letter(
        "silent",
        language,
        about,
        _opening("silent", language, about, gateway=gateway, hours=hours),
        Paragraph(_text("silent_next", language)),
    )


def _lines(rows: Sequence[Row], language: str, title: str) -> Facts:
    lines = tuple((label.text(language), value_in(value, language)) for label, value in rows)
    return Facts(lines, _text(title, language))


def summary(rows: Sequence[SummaryRow], language: str) -> Facts:
    """The order's fields as the check page showed them."""
    at = 1 if language == "en" else 0
    return Facts(tuple((row[at], row[2 + at]) for row in rows), _text("entries", language))


def _track(language: str, steps: Sequence[tuple[Track, Words]]) -> tuple[Block, ...]:
    if not steps:
        return ()
    named = tuple((track, step.text(language), "") for track, step in steps)
    return (Heading(_text("what_was_done", language)), Steps(named))


def _letter(name: str, language: str, about: About, *blocks: Block) -> Letter:
    subject = _text(name, language, number=about.number, process=about.process.text(language))
    return Letter(subject, (*blocks, Link(_text("to_order", language), about.url)), language)


def _opening(name: str, language: str, about: About, **values: object) -> Paragraph:
    named = {"number": about.number, "process": about.process.text(language), **values}
    return _greeted(_text(f"{name}_text", language, **named), language)


def _greeted(text: str, language: str) -> Paragraph:
    return Paragraph(f"{GREETING.text(language)}\n{text}")


def _text(name: str, language: str, **values: object) -> str:
    return _T[name].text(language, **values)
