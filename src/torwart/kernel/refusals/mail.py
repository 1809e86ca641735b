"""Refusals about mail as such: reading, composing, delivering and fetching it. S/MIME has its own list."""

from torwart.kernel.refusals import Retry, Side, kind

MAIL_TOO_LARGE = kind(
    "mail.too_large",
    de="Die Mail hat {size} Bytes, erlaubt sind {limit}. Bitte in mehreren kleineren Mails senden.",
    en="The mail has {size} bytes, {limit} are allowed. Please send it as several smaller mails.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/05 (limits: 25 MiB a mail)",
)
MAIL_NESTED = kind(
    "mail.nested",
    de="In der Mail stecken mehr als {limit} Mails ineinander. Bitte die innerste Mail einzeln senden.",
    en="More than {limit} mails are nested in this one. Please send the innermost mail by itself.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/05 (limits: nested messages > 5 levels)",
)
MAIL_MALFORMED = kind(
    "mail.malformed",
    de="Die Mail ist nicht lesbar: {why}. Bitte neu schreiben und erneut senden.",
    en="The mail cannot be read: {why}. Please write it anew and send it again.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5322; RFC 2045",
)
MAIL_ADDRESS = kind(
    "mail.address",
    de="„{address}“ ist keine Mailadresse, an die wir senden können. Bitte die Adresse berichtigen.",
    en='"{address}" is no mail address we can send to. Please correct the address.',
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="RFC 5321 §4.1.2",
)
MAIL_REFUSED = kind(
    "mail.refused",
    de="Der Mailserver hat die Mail endgültig abgelehnt: {words}. Adresse des Empfängers prüfen.",
    en="The mail server refused the mail for good: {words}. Check the recipient's address.",
    side=Side.CLIENT,
    source="RFC 5321 §4.2.1 (5yz)",
)
MAIL_DELAYED = kind(
    "mail.delayed",
    de="Der Mailserver nimmt die Mail gerade nicht an: {words}. Wir versuchen es später wieder.",
    en="The mail server does not take the mail at present: {words}. We try again later.",
    side=Side.NETWORK,
    retry=Retry.LATER,
    source="RFC 5321 §4.2.1 (4yz)",
)
MAIL_UNREACHABLE = kind(
    "mail.unreachable",
    de="Der Mailserver {server} ist nicht erreichbar: {why}. Wir versuchen es später wieder.",
    en="Mail server {server} cannot be reached: {why}. We try again later.",
    side=Side.NETWORK,
    retry=Retry.LATER,
    source="RFC 5321 §4.5.4.1",
)
MAIL_LOGIN = kind(
    "mail.login",
    de="Der Mailserver {server} lehnt unsere Anmeldung ab: {words}. Benutzer und Passwort in den Einstellungen prüfen.",
    en="Mail server {server} refuses our login: {words}. Check user and password in the settings.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="RFC 4954; RFC 9051 §6.2.3",
)
MAIL_TLS = kind(
    "mail.tls",
    de="Der Mailserver {server} verschlüsselt die Verbindung nicht wie verlangt: {why}. Einstellung prüfen.",
    en="Mail server {server} does not encrypt the connection as demanded: {why}. Check the setting.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="RFC 3207; RFC 9051 §6.2.1",
)
