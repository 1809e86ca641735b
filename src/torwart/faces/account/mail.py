"""What accounts send: the link to a new password, and the ticket that says credentials became known."""

from datetime import datetime
from typing import Any

from torwart.services import outbox
from torwart.services import ticket as tickets
from torwart.services import user as users
from torwart.services.letter import account as letters
from torwart.services.user import Invitation
from torwart.wire.mail import Letter

_INCIDENT = "Zugangsdaten bekannt geworden: {name}"
_INCIDENT_TEXT = (
    "{name} ({email}) meldet, dass andere die Zugangsdaten kennen. Gemeldet von {address}. Das Konto ist gesperrt, "
    "alle Sitzungen sind beendet. Nächste Schritte: anrufen ({phone}), das Zugriffsprotokoll seit der letzten eigenen "
    "Anmeldung durchsehen, dann neu einladen."
)


def send_reset(invitation: Invitation, url: str, *, at: datetime) -> None:
    """The link to a new password; a mail without any data of a client."""

    def letter(language: str) -> Letter:
        return letters.password_link(language, url=url, until=invitation.until, reset=True)

    outbox.enqueue(
        letter,
        kind="account.reset",
        secure=False,
        now=at,
        address=invitation.email,
        language=invitation.language,
    )


def open_incident(user: Any, *, address: str, at: datetime) -> str:
    """A ticket for the provider: this person's credentials are known to others (P-4). Its number."""
    name = user.full_name or user.email
    text = _INCIDENT_TEXT.format(name=name, email=user.email, address=address, phone=user.phone or "–")
    return tickets.open_incident(
        client=user.client_id, subject=_INCIDENT.format(name=name), text=text, now=at, actor=users.actor(user)
    )
