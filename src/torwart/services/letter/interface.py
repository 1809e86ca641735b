"""Letters about the coupling of a client's own system: suspended, and running again (R-4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from torwart.kernel.words import Words
from torwart.rules.lead_time import spoken
from torwart.services.letter.mail import GREETING
from torwart.wire.mail import Block, Facts, Letter, Link, Paragraph


@dataclass(frozen=True, slots=True)
class About:
    """The system: the name in its certificate, its software with version, and why it was judged so."""

    name: str
    software: str
    reason: str


_T: Mapping[str, Words] = {
    "name": Words("Ihr System (Zertifikat)", "Your system (certificate)"),
    "software": Words("Software", "Software"),
    "since": Words("ausgesetzt seit", "suspended since"),
    "why": Words("Grund", "Reason"),
    "suspended": Words("Ihre EMT-Schnittstelle ist ausgesetzt", "Your EMT interface is suspended"),
    "suspended_text": Words(
        "die Software Ihres EMT-Systems passt zurzeit nicht zu unserer Schnittstelle. Aufträge aus Ihrem System nehmen "
        "wir deshalb nicht an; was schon läuft, läuft zu Ende.",
        "the software of your EMT system does not fit our interface at present. We therefore take no orders from your "
        "system; what is already running goes to its end.",
    ),
    "forms": Words(
        "Alle Prozesse gehen weiter über die Formulare im Portal. Sobald eine passende Version bestätigt ist, läuft "
        "die Schnittstelle wieder, und wir schreiben Ihnen. Antworten Sie einfach auf diese Mail, wenn es so weit ist.",
        "All processes go on by the forms in the portal. As soon as a version that fits is confirmed, the interface "
        "runs again, and we write to you. Just reply to this mail when you are there.",
    ),
    "to_forms": Words("Zu den Formularen", "To the forms"),
    "resumed": Words("Ihre EMT-Schnittstelle läuft wieder", "Your EMT interface is running again"),
    "resumed_text": Words(
        "die Software Ihres EMT-Systems ist als passend bestätigt. Ihr System kann ab sofort wieder Aufträge erteilen; "
        "was inzwischen geschah, holt es unter /v1/events nach.",
        "the software of your EMT system has been confirmed to fit. From now on your system can place orders again; "
        "what has happened meanwhile it can fetch from /v1/events.",
    ),
    "to_page": Words("Zur Schnittstelle im Portal", "To the interface in the portal"),
}


def suspended(language: str, about: About, *, since: datetime, forms: str) -> Letter:
    """The coupling rests because of the client's software; the forms do the same meanwhile."""
    blocks = (
        _opening("suspended_text", language),
        _facts(language, about, ("since", spoken(since))),
        Paragraph(_T["forms"].text(language)),
        Link(_T["to_forms"].text(language), forms),
    )
    return Letter(_T["suspended"].text(language), blocks, language)


def resumed(language: str, about: About, *, page: str) -> Letter:
    """A version that fits has been confirmed."""
    blocks = (
        _opening("resumed_text", language),
        _facts(language, about),
        Link(_T["to_page"].text(language), page),
    )
    return Letter(_T["resumed"].text(language), blocks, language)


def _opening(text: str, language: str) -> Block:
    return Paragraph(f"{GREETING.text(language)}\n{_T[text].text(language)}")


def _facts(language: str, about: About, *more: tuple[str, str]) -> Facts:
    rows = [("name", about.name), ("software", about.software), *more, ("why", about.reason)]
    return Facts(tuple((_T[name].text(language), value) for name, value in rows if value))
