"""Refusals about wake-up packets (TR-03109-1 Detailspezifikation ch. 2). The gateway drops such packets in silence."""

from torwart.kernel.refusals import Kind, Retry, Side, kind

_DS = "TR-03109-1 DS 2.0 2.1"


def _ours(name: str, source: str, retry: Retry = Retry.NEVER, *, de: str, en: str) -> Kind:
    """Only the administrator sends wake-ups, so what is wrong with one is ours, or an attack."""
    return kind(f"wakeup.{name}", de=de, en=en, side=Side.OURS, retry=retry, source=source)


WAKEUP_MALFORMED = _ours(
    "malformed",
    f"{_DS} Table 2.1",
    de="Das Paket ist keine Wake-Up-Nachricht: {why}. Sender und Empfangsport prüfen.",
    en="The packet is no wake-up message: {why}. Check sender and receiving port.",
)
WAKEUP_VERSION = _ours(
    "version",
    f"{_DS} Table 2.1 (VersionId)",
    de="Die Wake-Up-Nachricht hat Version {found}; verstanden wird nur Version 1.",
    en="The wake-up message has version {found}; only version 1 is understood.",
)
WAKEUP_NOT_ADDRESSED = _ours(
    "not_addressed",
    f"{_DS} Table 2.1 note 1",
    de="Die Wake-Up-Nachricht gilt {recipient}, nicht diesem Gerät. Adresse im Bestand prüfen.",
    en="The wake-up message is for {recipient}, not for this device. Check the address on record.",
)
WAKEUP_OUTSIDE_WINDOW = _ours(
    "outside_window",
    f"{_DS} Table 2.1 (Timestamp)",
    Retry.LATER,
    de="Der Zeitstempel weicht {seconds} s von der Uhr des Gateways ab, erlaubt sind {window} s. Uhren prüfen.",
    en="The timestamp is {seconds} s off the gateway's clock, {window} s are allowed. Check the clocks.",
)
WAKEUP_REPLAYED = _ours(
    "replayed",
    f"{_DS} Table 2.1 (Timestamp)",
    Retry.LATER,
    de="Eine Wake-Up-Nachricht mit diesem oder späterem Zeitstempel ist schon angenommen. In 1 s neu senden.",
    en="A wake-up message with this or a later timestamp was accepted before. Send anew in 1 s.",
)
WAKEUP_ALGORITHM = _ours(
    "algorithm",
    f"{_DS} Table 2.1 (SignatureFormat, SignatureAlgorithmOID)",
    Retry.AFTER_CHANGE,
    de="Das Signaturverfahren der Wake-Up-Nachricht ist nicht erlaubt ({found}). ecdsa-plain-SHA256 verwenden.",
    en="The wake-up message's signature algorithm is not allowed ({found}). Use ecdsa-plain-SHA256.",
)
WAKEUP_SIGNATURE_WRONG = _ours(
    "signature_wrong",
    f"{_DS} REQ.WakeUp.Datenstruktur.20 and .30",
    Retry.AFTER_CHANGE,
    de="Die Signatur der Wake-Up-Nachricht ist falsch. GWA_WAN_SIG_CRT im Gateway und unseren Schlüssel prüfen.",
    en="The wake-up message's signature is wrong. Check GWA_WAN_SIG_CRT in the gateway and our key.",
)
