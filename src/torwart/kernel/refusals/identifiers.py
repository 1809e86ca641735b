"""Refusals of identifiers: each says where the text is wrong and what would be right."""

from torwart.kernel.refusals import Retry, Side, kind

_SOURCE = "O-5; spec/03 (identifiers and check digits)"

EMPTY = kind(
    "identifier.empty",
    de="Die {name_de} fehlt. So sieht sie aus: {example}.",
    en="The {name_en} is missing. It looks like this: {example}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
LENGTH = kind(
    "identifier.length",
    de="„{text}“ hat {given} Zeichen, eine {name_de} hat {expected} ({form_de}). So sieht sie aus: {example}.",
    en="“{text}” has {given} characters; {name_en} needs {expected} ({form_en}). It looks like this: {example}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
CHARACTER = kind(
    "identifier.character",
    de="„{text}“: An Stelle {position} steht „{given}“, bei einer {name_de} muss dort {expected_de} stehen "
    "({form_de}).",
    en="“{text}”: character {position} is “{given}”; {name_en} needs {expected_en} there ({form_en}).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
CHECK_DIGIT = kind(
    "identifier.check_digit",
    de="„{text}“: Die Prüfziffer {given} passt nicht zu den übrigen Zeichen; richtig wäre {expected}. "
    "Bitte vergleichen Sie die {name_de} Zeichen für Zeichen mit der Vorlage.",
    en="“{text}”: check digit {given} does not fit the other characters; {expected} would be right. "
    "Please compare the {name_en} with the original, character by character.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
BINARY = kind(
    "identifier.binary",
    de="Die Bytefolge {given} ist keine {name_de}: {why_de}.",
    en="The bytes {given} are no {name_en}: {why_en}.",
    side=Side.GATEWAY,
    source="TR-03109-1 Detailspezifikation 2.0, ch. 2 (RecipientId)",
)
OBIS = kind(
    "identifier.obis",
    de="„{text}“ ist keine OBIS-Kennzahl. So sieht sie aus: A-B:C.D.E oder A-B:C.D.E*F mit Zahlen von 0 bis 255, "
    "zum Beispiel 1-0:1.8.0.",
    en="“{text}” is no OBIS code. It looks like this: A-B:C.D.E or A-B:C.D.E*F with numbers from 0 to 255, "
    "for example 1-0:1.8.0.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
