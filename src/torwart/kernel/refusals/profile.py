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
SWITCH_TIME = kind(
    "profile.switch_time",
    de="„{given}“ ist keine Schaltzeit. Erwartet wird: Tarifstufe (1–62), Tage, von–bis, z. B. 1 Mo-Fr 06:00-22:00 "
    "oder 2 2026-12-24 00:00-24:00; über Mitternacht sind es zwei Zeilen.",
    en="“{given}” is no switching time. Expected is: tariff stage (1–62), days, from–to, e.g. 1 Mon-Fri 06:00-22:00 or "
    "2 2026-12-24 00:00-24:00; past midnight takes two lines.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11: switch times; TAF 2",
)
SWITCH_TIME_OVERLAP = kind(
    "profile.switch_time_overlap",
    de="Die Schaltzeit „{line}“ überschneidet sich mit einer anderen. Bitte nennen Sie für jede Zeit nur eine Stufe.",
    en="The switching time “{line}” overlaps another one. Please name one stage only for each time.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11: switch times; TAF 2",
)
SWITCH_TIME_GRID = kind(
    "profile.switch_time_grid",
    de="Die Schaltzeit „{line}“ liegt nicht auf dem Raster der Registrierperiode von {minutes} Minuten. Bitte wählen "
    "Sie passende Zeiten oder eine kürzere Registrierperiode.",
    en="The switching time “{line}” does not lie on the grid of the registration period of {minutes} minutes. Please "
    "choose fitting times or a shorter registration period.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11: switch times, cycle; TAF 2",
)
STAGES_NOT_ASKED = kind(
    "profile.stages_not_asked",
    de="Schaltzeiten und Tarifstufen gibt es nur bei TAF 2. Bitte wählen Sie TAF 2 oder lassen Sie das Feld leer.",
    en="Switching times and tariff stages belong to TAF 2 only. Please choose TAF 2 or leave the field empty.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P11; TAF 2",
)
