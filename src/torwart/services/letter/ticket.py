"""Letters about a ticket: our question, our answer, an incident, a file that was not taken (C-2, T-5, M-2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from torwart.kernel.words import Words
from torwart.services.letter.mail import GREETING
from torwart.wire.mail import Block, Facts, Letter, Link, Paragraph, Quote


@dataclass(frozen=True, slots=True)
class About:
    """``about``: what the ticket is about, e.g. an order and its process."""

    number: str
    about: Words
    url: str


_T: Mapping[str, Words] = {
    "to_ticket": Words("Zum Vorgang", "To the ticket"),
    "question": Words("Rückfrage zu {about}", "A question about {about}"),
    "question_text": Words("zu {about} brauchen wir etwas von Ihnen:", "we need something from you about {about}:"),
    "rests": Words(
        "Antworten Sie einfach auf diese Mail oder im Portal. Bis dahin ruht die Frist; mit Ihrer Antwort läuft sie "
        "weiter.",
        "Just reply to this mail or in the portal. The deadline rests until then and goes on with your answer.",
    ),
    "answer": Words("Antwort zu {about}", "Answer about {about}"),
    "answer_text": Words("zu {about} schreibt Ihnen {author}:", "{author} writes to you about {about}:"),
    "reply": Words(
        "Sie haben noch eine Frage? Antworten Sie auf diese Mail.", "Any more questions? Reply to this mail."
    ),
    "file": Words("Datei nicht angenommen: {about}", "File not taken: {about}"),
    "file_text": Words(
        "die Datei „{file}“ konnten wir zu {about} nicht annehmen.", "we could not take the file “{file}” for {about}."
    ),
    "why": Words("Grund", "Reason"),
    "file_again": Words(
        "Bitte senden Sie die berichtigte Datei als Antwort auf diese Mail, wieder signiert und verschlüsselt. Der "
        "Auftrag bleibt bestehen, die Frist ruht bis dahin.",
        "Please send the corrected file as a reply to this mail, signed and encrypted again. The order stands, the "
        "deadline rests until then.",
    ),
    "incident": Words("Störung aufgenommen: {about}", "Incident recorded: {about}"),
    "incident_text": Words(
        "die Störung ist aufgenommen, wir kümmern uns darum.", "the incident has been recorded and we look into it."
    ),
    "resolved": Words("Gelöst: {about}", "Resolved: {about}"),
    "resolved_text": Words("{about} ist gelöst.", "{about} has been resolved."),
    "reopen": Words(
        "Ist es doch nicht gelöst? Antworten Sie auf diese Mail, dann öffnen wir den Vorgang wieder.",
        "Not resolved after all? Reply to this mail and we open the ticket again.",
    ),
}


def question(language: str, about: About, *, text: Words) -> Letter:
    """We ask the client; the clock rests (T-5)."""
    return _letter("question", language, about, Quote(text.text(language)), _paragraph("rests", language))


def answer(language: str, about: About, *, text: str, author: str) -> Letter:
    return _letter("answer", language, about, Quote(text), _paragraph("reply", language), author=author)


def file_refused(language: str, about: About, *, file: str, why: Words) -> Letter:
    """P01: what is wrong with the whole file, and that the order stands."""
    return _letter(
        "file",
        language,
        about,
        Quote(why.text(language), _T["why"].text(language)),
        _paragraph("file_again", language),
        file=file,
    )


def incident(language: str, about: About, *, rows: tuple[tuple[Words, Words], ...]) -> Letter:
    """An incident stands in the ticket; ``rows``: what is known of it."""
    facts = Facts(tuple((label.text(language), value.text(language)) for label, value in rows))
    return _letter("incident", language, about, facts, _paragraph("reply", language))


def resolved(language: str, about: About, *, text: str) -> Letter:
    return _letter("resolved", language, about, Quote(text), _paragraph("reopen", language))


def _letter(name: str, language: str, about: About, *blocks: Block, **values: object) -> Letter:
    named = about.about.text(language)
    opening = _T[f"{name}_text"].text(language, about=named, **values)
    return Letter(
        _T[name].text(language, about=named),
        (
            Paragraph(f"{GREETING.text(language)}\n{opening}"),
            *blocks,
            Link(_T["to_ticket"].text(language), about.url),
        ),
        language,
    )


def _paragraph(name: str, language: str) -> Paragraph:
    return Paragraph(_T[name].text(language))
