"""Letters of the mail room itself: receipts, refusals, notices; none of them carries data of a client (C-2)."""

from collections.abc import Sequence
from datetime import datetime

from torwart.kernel.refusals import Refusal
from torwart.kernel.words import Words
from torwart.rules.lead_time import spoken
from torwart.wire.mail import Block, Items, Letter, Link, Paragraph

GREETING = Words("Guten Tag,", "Hello,")
PORTAL = Words("Zum Portal", "To the portal")

FOOTER = Words(
    "Diese Mail hat ein Programm geschrieben. Antworten liest ein Mensch: Schreiben Sie einfach an {address}.",
    "This mail was written by a program. Replies are read by people: just write to {address}.",
)
FOOTER_TICKET = Words(
    "Diese Mail hat ein Programm geschrieben. Wenn Sie antworten, lassen Sie bitte [#{ticket}] im Betreff stehen, dann "
    "kommt Ihre Antwort zu diesem Vorgang.",
    "This mail was written by a program. When you reply, please leave [#{ticket}] in the subject, so that your reply "
    "joins this ticket.",
)

TEST_SYSTEM = Words("Testsystem: Was hier steht, hat keine Wirkung.", "Test system: what stands here has no effect.")
"""In every mail that is not of the live system (R-1)."""

_NOTICE = {
    "subject": Words("Neuigkeit im Portal", "News in the portal"),
    "ticket": Words(
        "zu Ihrem Vorgang {ticket} gibt es eine neue Nachricht.", "there is a new message on your ticket {ticket}."
    ),
    "other": Words("für Sie liegt eine neue Nachricht bereit.", "there is a new message for you."),
    "why": Words(
        "Wir schicken ihren Inhalt nicht mit dieser Mail, weil für Ihre Adresse noch keine gesicherte Mail (S/MIME) "
        "getestet ist oder das Zertifikat abgelaufen ist. Im Portal können Sie die Nachricht lesen und Ihr Zertifikat "
        "hinterlegen.",
        "We do not send its content with this mail, because secure mail (S/MIME) has not been tested for your address "
        "yet or its certificate has expired. In the portal you can read the message and store your certificate.",
    ),
}


def notice(language: str, *, ticket: str, url: str) -> Letter:
    """What goes to a contact whose secure mail is not tested: that there is something to read, and where."""
    what = _NOTICE["ticket" if ticket else "other"].text(language, ticket=ticket)
    return Letter(
        _NOTICE["subject"].text(language),
        (
            Paragraph(f"{GREETING.text(language)}\n{what}"),
            Paragraph(_NOTICE["why"].text(language)),
            Link(PORTAL.text(language), url),
        ),
        language,
    )


_RECEIPT = {
    "subject": Words("Ihre Mail ist angekommen", "Your mail has arrived"),
    "number": Words(
        "Ihre Mail ist angekommen und hat die Vorgangsnummer {ticket}. Wir antworten innerhalb der Servicezeit (Mo–Fr "
        "8–17 Uhr).",
        "your mail has arrived and has the ticket number {ticket}. We answer within service hours (Mon–Fri 8 am–5 pm, "
        "Berlin).",
    ),
    "other": Words(
        "Einen Vorgang {given} gibt es zu Ihrer Adresse nicht, deshalb ist {ticket} neu.",
        "There is no ticket {given} for your address, so {ticket} is a new one.",
    ),
    "orders": Words(
        "Aufträge nehmen wir nicht per Mail an. Wenn Sie etwas beauftragen möchten, nehmen Sie bitte das Formular im "
        "Portal oder die EMT-Schnittstelle; diese Mail löst nichts aus.",
        "We do not take orders by mail. If you want to order something, please use the form in the portal or the EMT "
        "interface; this mail sets nothing going.",
    ),
}
_REFUSED = {
    "subject": Words("Ihre Mail konnten wir nicht annehmen", "We could not accept your mail"),
    "text": Words("Ihre Mail vom {at} konnten wir nicht annehmen:", "we could not accept your mail of {at}:"),
    "waits": Words(
        "Ihr Vorgang {ticket} wartet weiter auf Ihre Antwort; es ist nichts verloren.",
        "Your ticket {ticket} keeps waiting for your answer; nothing is lost.",
    ),
}


def receipt(language: str, *, ticket: str, given: str, url: str) -> Letter:
    """For a mail that opened a ticket. ``given``: the number it named, of which nothing is said but that it does not
    count; ``url``: where to order.
    """
    return Letter(_RECEIPT["subject"].text(language), _receipt(language, ticket, given, url), language)


def receipt_for_stranger(*, ticket: str, given: str, url: str) -> Letter:
    """The same for somebody whose language we do not know: both, German first."""
    subject = f"{_RECEIPT['subject'].de} / {_RECEIPT['subject'].en}"
    return Letter(subject, _receipt("de", ticket, given, url) + _receipt("en", ticket, given, url)[:-1], "de")


def _receipt(language: str, ticket: str, given: str, url: str) -> tuple[Block, ...]:
    other = (Paragraph(_RECEIPT["other"].text(language, ticket=ticket, given=given)),) if given else ()
    return (
        Paragraph(f"{GREETING.text(language)}\n{_RECEIPT['number'].text(language, ticket=ticket)}"),
        *other,
        Paragraph(_RECEIPT["orders"].text(language)),
        Link(PORTAL.text(language), url),
    )


def refused(language: str, *, reasons: Sequence[Refusal], at: datetime, ticket: str) -> Letter:
    """Why a mail was not taken and what to do; nothing of what it said. ``ticket``: the one that keeps waiting."""
    waits = (Paragraph(_REFUSED["waits"].text(language, ticket=ticket)),) if ticket else ()
    return Letter(
        _REFUSED["subject"].text(language),
        (
            Paragraph(f"{GREETING.text(language)}\n{_REFUSED['text'].text(language, at=spoken(at))}"),
            Items(tuple(reason.text(language) for reason in reasons)),
            *waits,
        ),
        language,
    )
