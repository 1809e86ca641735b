"""Refusals of configuration profiles: what may not be written to a gateway, and what cannot be read from one."""

from torwart.kernel.refusals import Retry, Side, kind

PROFILE_FIELD = kind(
    "profile.field",
    de="Im Profil {profile} ist das Feld {field} nicht zulässig: {why}. Feld berichtigen.",
    en="In profile {profile} the field {field} is not allowed: {why}. Correct the field.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §1.7",
)
PROFILE_TAF = kind(
    "profile.taf",
    de="Den Tarifanwendungsfall {taf} gibt es hier nicht. Einen von {known} verwenden.",
    en="Tariff use case {taf} does not exist here. Use one of {known}.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="spec/04 §1.6",
)
PROFILE_MALFORMED = kind(
    "profile.malformed",
    de="Das Profil ist nicht lesbar: {why}. Profil neu auslesen oder neu schreiben.",
    en="The profile cannot be read: {why}. Read it again or write it anew.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="spec/04 §4.3",
)
PROFILE_KIND = kind(
    "profile.kind",
    de="Statt eines Profils der Art {expected} kam {found}. Adresse prüfen.",
    en="Instead of a profile of kind {expected} there came {found}. Check the address.",
    side=Side.GATEWAY,
    source="spec/04 §1.7",
)
