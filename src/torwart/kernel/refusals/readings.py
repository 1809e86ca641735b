"""Refusals of readings, logs and status words, as gateways deliver them (spec/04 §1.10, §1.11, §4.1, §4.2)."""

from torwart.kernel.refusals import Retry, Side, kind

PROFILE_GENERIC_MALFORMED = kind(
    "profile_generic.malformed",
    de="Das Dokument mit Messwerten oder Log-Einträgen ist nicht lesbar: {why}. Der Absender muss es berichtigen.",
    en="The document of readings or log entries cannot be read: {why}. Its sender must correct it.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §4.1, §4.2 (profile_generic)",
)
PROFILE_GENERIC_VALUE = kind(
    "profile_generic.value",
    de="Ein Wert ist nicht zulässig: {what} = {given}, erlaubt ist {allowed}. Den Wert an der Quelle berichtigen.",
    en="A value is not acceptable: {what} = {given}, allowed is {allowed}. Correct it at its source.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §4.1, §4.2; COSEM long64, integer, unsigned (A2 §8.3)",
)
READINGS_NOT_SIGNED = kind(
    "readings.not_signed",
    de="Der Messwert {obis} vom {at} trägt keine Signatur des Gateways. Neu und mit innerer Signatur abrufen.",
    en="The reading {obis} of {at} bears no signature of the gateway. Fetch it anew, with its inner signature.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="spec/04 §1.11 (smgw_signature)",
)
READINGS_SIGNATURE_WRONG = kind(
    "readings.signature_wrong",
    de="Die Signatur des Messwerts {obis} vom {at} ist falsch. Ihn nicht verwenden; Signaturzertifikat des Gateways "
    "und Übertragungsweg prüfen.",
    en="The signature of the reading {obis} of {at} is wrong. Do not use it; check the gateway's signature "
    "certificate and the way the reading came.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §1.11 (smgw_signature)",
)
STATUS_WORD_MALFORMED = kind(
    "status_word.malformed",
    de="„{text}“ ist kein Statuswort. Erwartet werden bis zu 16 Hexadezimalziffern, z. B. 0000000500000004.",
    en="“{text}” is no status word. Up to 16 hex digits are expected, e.g. 0000000500000004.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03109-1 DS 2.0 §15.1",
)
LOGBOOK_TOO_LONG = kind(
    "logbook.too_long",
    de="Das Log-Dokument hat {count} Einträge, erlaubt sind {limit}. In Teilen abrufen.",
    en="The log document holds {count} entries, {limit} are allowed. Fetch it in parts.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §4.2: up to 1000 entries, newest first",
)
