"""Refusals of the audit trail."""

from torwart.kernel.refusals import Retry, Side, kind

AUDIT_NOT_PLAIN = kind(
    "audit.not_plain",
    de="Der Eintrag enthält etwas, das sich nicht eindeutig verketten lässt: {where} ist {what}. Erlaubt sind Text "
    "ohne NUL, ganze Zahlen, Wahrheitswerte, null, Listen und Objekte.",
    en="The entry contains something that cannot be chained unambiguously: {where} is {what}. Allowed are text without "
    "NUL, whole numbers, booleans, null, lists and objects.",
    side=Side.OURS,
    source="M-4",
)
AUDIT_BROKEN = kind(
    "audit.broken",
    de="Die Kette des Prüfpfads ist bei Eintrag {seq} verletzt: {why}. Sichern Sie Datenbank und veröffentlichte "
    "Kettenköpfe und melden Sie einen Sicherheitsvorfall.",
    en="The chain of the audit trail is broken at entry {seq}: {why}. Secure the database and the published heads and "
    "report a security incident.",
    side=Side.OURS,
    source="M-4",
)
AUDIT_UNREADABLE = kind(
    "audit.unreadable",
    de="Zeile {line} der Datei ist kein Eintrag eines Prüfpfads: {why}. Prüfen Sie, ob die Datei vollständig "
    "übertragen wurde.",
    en="Line {line} of the file is no entry of an audit trail: {why}. Check that the file was transferred completely.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="M-4",
)
