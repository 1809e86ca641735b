"""Refusals of the hardened XML reader."""

from torwart.kernel.refusals import Side, kind

XML_TOO_LARGE = kind(
    "xml.too_large",
    de="Das XML-Dokument hat {size} Bytes, erlaubt sind {limit}. In kleineren Teilen senden.",
    en="The XML document has {size} bytes, {limit} are allowed. Send it in smaller parts.",
    side=Side.GATEWAY,
)
XML_TOO_DEEP = kind(
    "xml.too_deep",
    de="Das XML-Dokument ist tiefer als {limit} Ebenen geschachtelt. Der Absender muss es flacher aufbauen.",
    en="The XML document is nested deeper than {limit} levels. Its sender must build it flatter.",
    side=Side.GATEWAY,
)
XML_ENCODING = kind(
    "xml.encoding",
    de="Das XML-Dokument ist nicht in UTF-8 codiert. Der Absender muss UTF-8 verwenden.",
    en="The XML document is not encoded in UTF-8. Its sender must use UTF-8.",
    side=Side.GATEWAY,
    source="TR-03109-1 Anlage II §8.2.2: Der XML Inhalt MUSS in UTF-8 codiert werden",
)
XML_FORBIDDEN = kind(
    "xml.forbidden",
    de="Das XML-Dokument enthält eine DOCTYPE- oder ENTITY-Deklaration. Sie ist hier nie erlaubt; ohne sie senden.",
    en="The XML document holds a DOCTYPE or ENTITY declaration. It is never allowed here; send it without.",
    side=Side.GATEWAY,
)
XML_MALFORMED = kind(
    "xml.malformed",
    de="Das XML-Dokument ist nicht wohlgeformt: {why}. Der Absender muss es berichtigen.",
    en="The XML document is not well-formed: {why}. Its sender must correct it.",
    side=Side.GATEWAY,
)
