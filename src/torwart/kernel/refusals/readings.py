"""Refusals of readings, their status words and signatures, and of logs."""

from torwart.kernel.refusals import Retry, Side, kind

READINGS_MALFORMED = kind(
    "readings.malformed",
    de="Das Messwert-Dokument ist nicht lesbar: {why}. Erneut anfordern.",
    en="The document of readings cannot be read: {why}. Ask for it again.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="spec/04 §4.1",
)
READINGS_SIGNATURE = kind(
    "readings.signature",
    de="Der Messwert {column} von {at} trägt keine gültige Signatur des Gateways. Nicht verwenden, Gateway prüfen.",
    en="Reading {column} of {at} bears no valid signature of the gateway. Do not use it; check the gateway.",
    side=Side.GATEWAY,
    source="spec/04 §1.11",
)
READINGS_STATUS = kind(
    "readings.status",
    de="„{text}“ ist kein Messwertstatus. 8 oder 16 Hexziffern werden erwartet.",
    en="“{text}” is no status word. 8 or 16 hex digits are expected.",
    side=Side.GATEWAY,
    source="TR-03109-1 Detailspezifikationen ch. 15",
)
LOGBOOK_MALFORMED = kind(
    "logbook.malformed",
    de="Das Logbuch ist nicht lesbar: {why}. Erneut auslesen.",
    en="The log cannot be read: {why}. Read it again.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="spec/04 §4.2",
)
