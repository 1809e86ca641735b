"""Refusals of reading a delivery note (spec: delivery note; catalogue P01)."""

from torwart.kernel.refusals import Retry, Side, kind

ELS_MALFORMED = kind(
    "els.malformed",
    de="Der Lieferschein ist kein gültiges XML nach urn:torwart:els:1.0 (Zeile {line}): {why}",
    en="The delivery note is not valid XML by urn:torwart:els:1.0 (line {line}): {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note format 1.0 (els-1.0.xsd)",
)
ELS_TOO_LARGE = kind(
    "els.too_large",
    de="Der Lieferschein hat {size} Byte; erlaubt sind {limit}. Bitte auf mehrere Lieferscheine aufteilen.",
    en="The delivery note has {size} bytes; {limit} are allowed. Please split it into several notes.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="delivery note: size limit (ours)",
)
ELS_TAKEN = kind(
    "els.taken",
    de="{what} kann nicht importiert werden: Die Nummer ist bereits vergeben. Bitte klären Sie das mit dem Betreiber.",
    en="{what} cannot be imported: the number is already taken. Please clear this with the provider.",
    side=Side.CLIENT,
    source="catalogue P01: not owned by someone else; P-1: the text does not say by whom",
)
ELS_IDENTITY = kind(
    "els.identity",
    de="Das {use}-Gütesiegelzertifikat von {device} ist auf {name} ausgestellt.",
    en="The {use} seal certificate of {device} is issued to {name}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: seal certificates carry the device id",
)
ELS_SECRET = kind(
    "els.secret",
    de="Das Geheimnis {kind} von {device} lässt sich nicht öffnen ({why}). Gilt es unserem ENC-Zertifikat?",
    en="Secret {kind} of {device} cannot be opened ({why}). Is it encrypted for our ENC certificate?",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: secrets decrypt and are re-wrapped for the key store",
)
