"""Letters about accounts (P-4): the user data by secure mail, apart from it the link to choose a password, and a word
after each change of what opens the account.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from torwart.kernel.role import ROLES, Role
from torwart.kernel.words import Words
from torwart.rules.lead_time import spoken
from torwart.services.letter.mail import GREETING
from torwart.wire.mail import Facts, Letter, Link, Paragraph

_DATA = {
    "subject": Words("Ihr Zugang: Benutzerdaten", "Your access: user data"),
    "made": Words(
        "für Sie ist ein persönlicher Zugang eingerichtet. Er gilt nur für Sie; geben Sie ihn nicht weiter.",
        "a personal access has been set up for you. It is for you alone; do not pass it on.",
    ),
    "name": Words("Name", "Name"),
    "login": Words("Anmeldename", "Login"),
    "roles": Words("Rollen", "Roles"),
    "phone": Words("Telefon", "Phone"),
    "next": Words(
        "Den Link, mit dem Sie Ihr Passwort wählen, schicken wir in einer eigenen Mail. Ist hier etwas falsch, "
        "antworten Sie bitte auf diese Mail.",
        "The link by which you choose your password comes in a mail of its own. If something is wrong here, please "
        "reply to this mail.",
    ),
}
_LINK = {
    "subject": Words("Ihr Zugang: Passwort wählen", "Your access: choose a password"),
    "reset": Words("Neues Passwort wählen", "Choose a new password"),
    "choose": Words(
        "mit diesem Link wählen Sie Ihr Passwort selbst. Er gilt einmal und bis {until}.",
        "with this link you choose your password yourself. It works once and until {until}.",
    ),
    "label": Words("Passwort wählen", "Choose the password"),
    "unasked": Words(
        "Haben Sie das nicht erwartet? Dann öffnen Sie den Link nicht und sagen Sie uns bitte Bescheid.",
        "You did not expect this? Then do not open the link and please tell us.",
    ),
}


class Change(Enum):
    """What was changed, as the mail about it says it."""

    PASSWORD = Words("Passwort geändert", "password changed")
    APP_ADDED = Words("App mit Codes eingerichtet", "app with codes set up")
    APP_REMOVED = Words("App mit Codes entfernt", "app with codes removed")
    PASSKEY_ADDED = Words("Passkey eingerichtet", "passkey set up")
    PASSKEY_REMOVED = Words("Passkey entfernt", "passkey removed")
    CODES_RESET = Words("neue Notfallcodes erzeugt", "new emergency codes made")
    FORGOTTEN = Words("zweiter Faktor zurückgesetzt", "second factor reset")


SECOND_FACTOR: Mapping[tuple[str, str], Change] = {
    ("totp", "added"): Change.APP_ADDED,
    ("totp", "removed"): Change.APP_REMOVED,
    ("webauthn", "added"): Change.PASSKEY_ADDED,
    ("webauthn", "removed"): Change.PASSKEY_REMOVED,
    ("recovery_codes", "reset"): Change.CODES_RESET,
}
"""Kind of second factor and what was done to it → what is said of it."""
_CHANGED = {
    "subject": Words("Ihr Konto: {what}", "Your account: {what}"),
    "what": Words(
        "an Ihrem Konto wurde etwas geändert: {what}, {at}.", "something was changed on your account: {what}, {at}."
    ),
    "you": Words("Waren Sie das, ist nichts zu tun.", "If it was you, there is nothing to do."),
    "other": Words(
        "Waren Sie es nicht, kennt jemand Ihre Zugangsdaten. Melden Sie das sofort mit dem Link unten: Das Konto wird "
        "gesperrt, alle Sitzungen enden. Kommen Sie nicht mehr hinein, antworten Sie auf diese Mail.",
        "If it was not you, somebody knows your credentials. Report it at once by the link below: the account is "
        "locked, all sessions end. If you cannot get in any more, reply to this mail.",
    ),
    "label": Words("Zugangsdaten als bekannt melden", "Report compromised credentials"),
}


def user_data(language: str, *, name: str, email: str, phone: str, roles: list[str], url: str) -> Letter:
    """What we have recorded about the person's account; never with the link."""
    rows = [
        (_DATA["name"].text(language), name),
        (_DATA["login"].text(language), email),
        (_DATA["phone"].text(language), phone or "–"),
        (_DATA["roles"].text(language), "\n".join(ROLES[Role(role)].text(language) for role in roles)),
    ]
    return Letter(
        _DATA["subject"].text(language),
        (
            Paragraph(f"{GREETING.text(language)}\n{_DATA['made'].text(language)}"),
            Facts(tuple(rows)),
            Paragraph(_DATA["next"].text(language)),
            Link("Torwart", url),
        ),
        language,
    )


def password_link(language: str, *, url: str, until: datetime, reset: bool) -> Letter:
    """The one-time link; never with user data."""
    return Letter(
        _LINK["reset" if reset else "subject"].text(language),
        (
            Paragraph(f"{GREETING.text(language)}\n{_LINK['choose'].text(language, until=spoken(until))}"),
            Link(_LINK["label"].text(language), url),
            Paragraph(_LINK["unasked"].text(language)),
        ),
        language,
    )


def changed(language: str, *, change: Change, at: datetime, url: str) -> Letter:
    """What was changed on the account and when, and what to do if it was somebody else; no secret, no data."""
    what = change.value.text(language)
    return Letter(
        _CHANGED["subject"].text(language, what=what),
        (
            Paragraph(f"{GREETING.text(language)}\n{_CHANGED['what'].text(language, what=what, at=spoken(at))}"),
            Paragraph(_CHANGED["you"].text(language)),
            Paragraph(_CHANGED["other"].text(language)),
            Link(_CHANGED["label"].text(language), url),
        ),
        language,
    )
