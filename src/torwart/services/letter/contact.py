"""Letters to contacts about their own secure mail: test, result, renewal (S-MAIL-1 … S-MAIL-4), and the start (P-3)."""

from datetime import datetime

from torwart.kernel.refusals import Refusal
from torwart.kernel.words import Words
from torwart.rules.lead_time import spoken
from torwart.services.letter.mail import GREETING, PORTAL
from torwart.wire.mail import Facts, Items, Letter, Link, Paragraph

_CERTIFICATE = Words("Zertifikat", "Certificate")
_TEST = {
    "subject": Words("Testmail: bitte antworten", "Test mail: please answer"),
    "why": Words(
        "für Sie ist ein Zertifikat für gesicherte Mail (S/MIME) hinterlegt. Bevor wir darüber Daten austauschen, "
        "prüfen wir beide Richtungen.",
        "a certificate for secure mail (S/MIME) has been stored for you. Before we exchange data this way, we test "
        "both directions.",
    ),
    "word": Words("Prüfwort", "Test word"),
    "until": Words("gilt bis", "valid until"),
    "do": Words(
        "Bitte antworten Sie auf diese Mail, verschlüsselt und signiert, und lassen Sie das Prüfwort im Text "
        "stehen. Mehr ist nicht zu tun.",
        "Please reply to this mail, encrypted and signed, and leave the test word in the text. That is all.",
    ),
    "sign": Words(
        "Geprüft wird Ihre Signatur: Signieren Sie die Antwort mit dem oben genannten Zertifikat.",
        "Your signature is tested: sign the answer with the certificate named above.",
    ),
}
_TESTED = {
    "subject": Words("Gesicherte Mail ist getestet", "Secure mail has been tested"),
    "text": Words(
        "Ihre Antwort kam verschlüsselt und signiert an, das Prüfwort stimmt. Ab jetzt tauschen wir mit Ihnen "
        "Daten über gesicherte Mail aus.",
        "your answer arrived encrypted and signed, the test word is right. From now on we exchange data with you by "
        "secure mail.",
    ),
    "end": Words("gültig bis", "valid until"),
}
_REFUSED = {
    "subject": Words("Der Test der gesicherten Mail ist nicht bestanden", "The test of secure mail was not passed"),
}
_ENCRYPTION = {
    "subject": Words("Es fehlt ein Zertifikat zum Verschlüsseln", "A certificate for encryption is missing"),
    "text": Words(
        "Ihre Mail war signiert, danke. Zum Verschlüsseln an Sie brauchen wir noch ein Zertifikat: Mit dem "
        "Zertifikat Ihrer Signatur darf man nicht verschlüsseln. Schicken Sie es bei einer signierten Mail "
        "mit oder laden Sie es im Portal hoch; dann senden wir die Testmail.",
        "your mail was signed, thank you. To encrypt to you we still need a certificate: the certificate of your "
        "signature must not be used for encryption. Enclose it in a signed mail or upload it in the portal; then we "
        "send the test mail.",
    ),
}
_REMIND = {
    "subject": Words(
        "Ihr Mailzertifikat läuft am {end} ab (noch {days})", "Your mail certificate expires on {end} ({days} left)"
    ),
    "text": Words(
        "mit diesem Zertifikat tauschen wir Daten mit Ihnen aus. Nach dem {end} geht das nicht mehr.",
        "with this certificate we exchange data with you. After {end} that is no longer possible.",
    ),
    "do": Words(
        "Bitte schicken Sie uns rechtzeitig ein neues: eine Mail, mit dem neuen Zertifikat signiert, genügt. "
        "Oder laden Sie es im Portal hoch. Wir senden dann von selbst die Testmail; wenn sie bestanden ist, enden "
        "diese Erinnerungen.",
        "Please send us a new one in time: one mail signed with the new certificate is enough. Or upload it in the "
        "portal. We then send the test mail by ourselves; once it is passed, these reminders end.",
    ),
}
_DAYS = (Words("{count} Tag", "{count} day"), Words("{count} Tage", "{count} days"))
_ENDED = {
    "expired": Words("Ihr Mailzertifikat ist abgelaufen", "Your mail certificate has expired"),
    "revoked": Words("Ihr Mailzertifikat ist gesperrt", "Your mail certificate has been revoked"),
    "untrusted": Words("Ihr Mailzertifikat können wir nicht verwenden", "We cannot use your mail certificate"),
    "text": Words(
        "über dieses Zertifikat tauschen wir keine Daten mehr mit Ihnen aus. Sie bekommen nur noch Hinweise ohne "
        "Inhalt, bis ein neues hinterlegt und getestet ist.",
        "we no longer exchange data with you by this certificate. You get notices without content only, until a new "
        "one is stored and tested.",
    ),
}
_ACTIVATED = {
    "subject": Words("Sie können jetzt Aufträge erteilen", "You can place orders now"),
    "text": Words(
        "zwei Ansprechpartner haben den Test der gesicherten Mail bestanden. Damit ist alles eingerichtet: Aufträge "
        "erteilen Sie ab jetzt mit den Formularen im Portal.",
        "two contacts have passed the test of secure mail. Everything is set up: from now on you place orders with the "
        "forms in the portal.",
    ),
}


def test(language: str, *, certificate: str, word: str, until: datetime, sign_only: bool) -> Letter:
    """The test mail; ``certificate``: how to call it; ``sign_only``: the answer has to be signed with this one."""
    rows = (
        (_CERTIFICATE.text(language), certificate),
        (_TEST["word"].text(language), word),
        (_TEST["until"].text(language), spoken(until)),
    )
    sign = (Paragraph(_TEST["sign"].text(language)),) if sign_only else ()
    return Letter(
        _TEST["subject"].text(language),
        (_opening(_TEST["why"], language), Facts(rows), *sign, Paragraph(_TEST["do"].text(language))),
        language,
    )


def tested(language: str, *, certificate: str, end: datetime) -> Letter:
    rows = ((_CERTIFICATE.text(language), certificate), (_TESTED["end"].text(language), spoken(end)))
    return Letter(_TESTED["subject"].text(language), (_opening(_TESTED["text"], language), Facts(rows)), language)


def test_refused(language: str, *, reasons: list[Refusal], url: str) -> Letter:
    """Why an answer does not pass, and what to do."""
    return Letter(
        _REFUSED["subject"].text(language),
        (
            Paragraph(GREETING.text(language)),
            Items(tuple(reason.text(language) for reason in reasons)),
            Link(PORTAL.text(language), url),
        ),
        language,
    )


def encryption_missing(language: str, *, url: str) -> Letter:
    return Letter(
        _ENCRYPTION["subject"].text(language),
        (_opening(_ENCRYPTION["text"], language), Link(PORTAL.text(language), url)),
        language,
    )


def reminder(language: str, *, certificate: str, end: datetime, days: int, url: str) -> Letter:
    """``days``: whole days that are left."""
    day = spoken(end).partition(" ")[0]
    left = _DAYS[days != 1].text(language, count=days)
    return Letter(
        _REMIND["subject"].text(language, end=day, days=left),
        (
            _opening(_REMIND["text"], language, end=spoken(end)),
            Facts(((_CERTIFICATE.text(language), certificate),)),
            Paragraph(_REMIND["do"].text(language)),
            Link(PORTAL.text(language), url),
        ),
        language,
    )


def ended(language: str, *, how: str, certificate: str, reason: Refusal | None, url: str) -> Letter:
    """``how``: ``expired``, ``revoked`` or ``untrusted`` (then with the reason)."""
    why = (Paragraph(reason.text(language)),) if reason is not None else ()
    return Letter(
        _ENDED[how].text(language),
        (
            _opening(_ENDED["text"], language),
            Facts(((_CERTIFICATE.text(language), certificate),)),
            *why,
            Link(PORTAL.text(language), url),
        ),
        language,
    )


def activated(language: str, *, url: str) -> Letter:
    return Letter(
        _ACTIVATED["subject"].text(language),
        (_opening(_ACTIVATED["text"], language), Link(PORTAL.text(language), url)),
        language,
    )


def _opening(words: Words, language: str, **values: object) -> Paragraph:
    return Paragraph(f"{GREETING.text(language)}\n{words.text(language, **values)}")
