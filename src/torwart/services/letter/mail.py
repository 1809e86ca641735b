"""Letters of the mail room itself: receipts, refusals, notices; none of them carries data of a client (C-2)."""

from torwart.kernel.words import Words
from torwart.wire.mail import Letter, Link, Paragraph

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

_NOTICE = {
    "subject": Words("Neuigkeit im Portal", "News in the portal"),
    "ticket": Words(
        "zu Ihrem Vorgang {ticket} gibt es eine neue Nachricht.", "there is a new message on your ticket {ticket}."
    ),
    "other": Words("für Sie liegt eine neue Nachricht bereit.", "there is a new message for you."),
    "why": Words(
        "Wir schicken ihren Inhalt nicht mit dieser Mail, weil für Ihre Adresse noch keine gesicherte Mail (S/MIME) "
        "getestet ist oder ihr Zertifikat abgelaufen ist. Im Portal können Sie die Nachricht lesen und Ihr Zertifikat "
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
