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
ELS_DEVICE = kind(
    "els.device",
    de="Gerät {device}: {why}",
    en="Device {device}: {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="catalogue P01: device by device",
)
