"""Refusals of the key stores."""

from torwart.kernel.refusals import Retry, Side, kind

_SOURCE = "design D7; Key Lifecycle Security Requirements §2"

KEYS_LABEL = kind(
    "keys.label",
    de="„{label}“ ist kein Schlüsselname. Erlaubt sind bis zu 96 Zeichen a–z, 0–9, Punkt, Unter- und Bindestrich; vorn "
    "steht Buchstabe oder Ziffer.",
    en='"{label}" is no key label. Up to 96 characters a–z, 0–9, dot, underscore, hyphen; a letter or digit first.',
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
KEYS_CURVE = kind(
    "keys.curve",
    de="Schlüssel auf {curve} werden nicht erzeugt. Erlaubt sind: {allowed}.",
    en="Keys on {curve} are not made. Allowed are: {allowed}.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 §2.2 table 3 and 4",
)
KEYS_UNKNOWN = kind(
    "keys.unknown",
    de="Im Schlüsselspeicher gibt es {what} „{label}“ nicht.",
    en='The key store has no {what} "{label}".',
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
KEYS_EXISTS = kind(
    "keys.exists",
    de="Den Schlüsselnamen „{label}“ gibt es schon; ein neuer Schlüssel braucht einen neuen Namen.",
    en='The key label "{label}" is in use; a new key needs a new label.',
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
KEYS_LOCKED = kind(
    "keys.locked",
    de="Der Schlüsselspeicher {store} lässt sich nicht öffnen: {why}.",
    en="The key store {store} cannot be opened: {why}.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
KEYS_DAMAGED = kind(
    "keys.damaged",
    de="Der Eintrag „{label}“ des Schlüsselspeichers ist beschädigt oder vertauscht. Aus der Sicherung zurückholen.",
    en='Entry "{label}" of the key store is damaged or swapped. Restore it from the backup.',
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
KEYS_MISMATCH = kind(
    "keys.mismatch",
    de="Das Zertifikat gehört nicht zum Schlüssel „{label}“.",
    en='The certificate does not belong to key "{label}".',
    side=Side.CA,
    retry=Retry.NEVER,
    source="spec/08 (Sub-CA: certificate for the wrong key)",
)
