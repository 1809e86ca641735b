"""Mails of accounts. None carries data of a client; the link mail is separate from the one with the user data (P-4)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings

from torwart.kernel.words import Words
from torwart.services import outbox
from torwart.services.user import Invitation
from torwart.wire.mail import Facts, Letter, Link, Paragraph

_RESET = {
    "subject": Words("Neues Passwort wählen", "Choose a new password"),
    "text": Words(
        "Guten Tag,\njemand, vermutlich Sie selbst, möchte für Ihr Torwart-Konto ein neues Passwort wählen. Der Link "
        "gilt eine Stunde und nur einmal.",
        "Hello,\nsomebody, probably yourself, wants to choose a new password for your Torwart account. The link is "
        "valid for one hour and only once.",
    ),
    "link": Words("Neues Passwort wählen", "Choose a new password"),
    "not_me": Words(
        "Waren Sie das nicht, brauchen Sie nichts zu tun; Ihr Passwort bleibt, wie es ist.",
        "If it was not you, you need not do anything; your password stays as it is.",
    ),
}
_COMPROMISED = {
    "subject": Words("Zugangsdaten bekannt geworden: {email}", "Credentials compromised: {email}"),
    "text": Words(
        "Die Person meldet, dass andere ihre Zugangsdaten kennen. Das Konto ist gesperrt, alle Sitzungen sind beendet. "
        "Rufen Sie die Person an, prüfen Sie das Zugriffsprotokoll seit der letzten eigenen Anmeldung und laden Sie "
        "sie danach neu ein.",
        "The person reports that others know the credentials. The account is locked, all sessions have ended. Call "
        "the person, check the access log since their last own sign-in, then invite them again.",
    ),
}


def send_reset(invitation: Invitation, url: str, *, at: datetime) -> None:
    """The link to a new password; a mail without any data of a client."""

    def letter(language: str) -> Letter:
        say = _saying(_RESET, language)
        blocks = (Paragraph(say("text")), Link(say("link"), url), Paragraph(say("not_me")))
        return Letter(say("subject"), blocks, language)

    outbox.enqueue(
        letter,
        kind="account.reset",
        secure=False,
        now=at,
        address=invitation.email,
        language=invitation.language,
    )


def open_incident(user: Any, *, address: str, at: datetime) -> None:
    """Tell the provider that this person's credentials are known to others."""
    rows = (("E-Mail", user.email), ("Name", user.full_name), ("Telefon", user.phone), ("Von", address))

    def letter(language: str) -> Letter:
        say = _saying(_COMPROMISED, language)
        return Letter(say("subject").format(email=user.email), (Paragraph(say("text")), Facts(rows)), language)

    outbox.enqueue(letter, kind="account.compromised", secure=False, now=at, address=settings.TORWART_SERVICE_MAIL)


def _saying(words: dict[str, Words], language: str) -> Callable[[str], str]:
    return lambda name: words[name].text(language)
