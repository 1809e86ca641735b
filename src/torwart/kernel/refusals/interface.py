"""Refusals of the EMT–GWA interface (spec: EMT API)."""

from torwart.kernel.refusals import Retry, Side, kind

PEER_UNPROVEN = kind(
    "interface.peer_unproven",
    de="Diese Schnittstelle antwortet nur auf Verbindungen mit gegenseitigem TLS und einem EMT-Zertifikat der SM-PKI.",
    en="This interface answers only over mutual TLS with an EMT certificate of the SM-PKI.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 6",
)
PEER_NOT_COUPLED = kind(
    "interface.peer_not_coupled",
    de="Das Zertifikat von „{name}“ ist mit keinem Auftraggeber gekoppelt. Bitte wenden Sie sich an den Betrieb, damit "
    "Ihr EMT-System gekoppelt wird.",
    en="The certificate of “{name}” is not coupled with any client. Please ask the provider to couple your EMT system.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 6",
)
COUPLING_TAKEN = kind(
    "interface.coupling_taken",
    de="„{name}“ kann hier nicht gekoppelt werden. Prüfen Sie den Namen im Zertifikat; ein Name dient nur einem "
    "Auftraggeber.",
    en="“{name}” cannot be coupled here. Check the name in the certificate; one name serves one client only.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
COUPLING_UNKNOWN = kind(
    "interface.coupling_unknown",
    de="Diese Kopplung gibt es nicht (mehr). Laden Sie die Seite neu.",
    en="There is no such coupling (any more). Load the page again.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
INTERFACE_SUSPENDED = kind(
    "interface.suspended",
    de="Die Kopplung Ihres EMT-Systems ist ausgesetzt, weil seine Software nicht zur Schnittstelle passt ({why}). "
    "Derselbe Prozess geht über das Formular: {form}. Ist eine kompatible Version bestätigt, geht es hier weiter.",
    en="The coupling of your EMT system is suspended because its software does not fit the interface ({why}). The same "
    "process works by the form: {form}. It goes on here as soon as a compatible version is confirmed.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="R-4 (KL 6)",
)
VERSION_UNKNOWN = kind(
    "interface.version_unknown",
    de="Die Schnittstellenversion „{given}“ gibt es nicht. Bekannt sind: {known}.",
    en="There is no interface version “{given}”. Known are: {known}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 7",
)
KEY_MISSING = kind(
    "interface.key_missing",
    de="Die Kopfzeile Idempotency-Key fehlt oder ist unbrauchbar. Senden Sie einen Schlüssel mit 1 bis 100 sichtbaren "
    "ASCII-Zeichen, für jeden Auftrag einen neuen und beim Wiederholen denselben.",
    en="The header Idempotency-Key is missing or unusable. Send a key of 1 to 100 visible ASCII characters, a new one "
    "for each order, and the same one when you repeat.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 3",
)
KEY_REUSED = kind(
    "interface.key_reused",
    de="Der Schlüssel „{key}“ wurde schon für eine andere Anfrage benutzt. Nehmen Sie für einen neuen Auftrag einen "
    "neuen Schlüssel.",
    en="The key “{key}” has been used for another request. Use a new key for a new order.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 3",
)
KEY_IN_PROGRESS = kind(
    "interface.key_in_progress",
    de="Eine Anfrage mit dem Schlüssel „{key}“ wird gerade bearbeitet. Wiederholen Sie sie in einer Sekunde.",
    en="A request with the key “{key}” is being worked on. Repeat it in a second.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="spec/07 point 3",
)
TOO_MANY_CALLS = kind(
    "interface.too_many_calls",
    de="Zu viele Anfragen: erlaubt sind {limit} in {seconds} s. Fragen Sie in {wait} s wieder.",
    en="Too many requests: {limit} in {seconds} s are allowed. Ask again in {wait} s.",
    side=Side.CLIENT,
    retry=Retry.LATER,
    source="spec/07 point 6",
)
BODY_INVALID = kind(
    "interface.body_invalid",
    de="Die Anfrage passt nicht zur Beschreibung der Schnittstelle: {why}.",
    en="The request does not fit the description of the interface: {why}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 9",
)
NOT_FOUND = kind(
    "interface.not_found",
    de="Das gibt es hier nicht: {what}.",
    en="There is no such thing here: {what}.",
    side=Side.CLIENT,
    retry=Retry.NEVER,
    source="P-1",
)
CURSOR_INVALID = kind(
    "interface.cursor_invalid",
    de="Diese Fortsetzungsmarke stammt nicht von uns. Beginnen Sie die Liste von vorn oder nehmen Sie „next“ der "
    "letzten Antwort.",
    en="This cursor is none of ours. Begin the list anew, or take “next” of the last answer.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 2",
)
