"""Refusals about service time: times asked for, calendars, clocks that rest."""

from torwart.kernel.refusals import Retry, Side, kind

OUTSIDE_HOURS = kind(
    "service_time.outside_hours",
    de="{requested} liegt außerhalb der Servicezeit. Bitte wählen Sie eine Zeit innerhalb, zum Beispiel {next}.",
    en="{requested} is outside service hours. Please choose a time within, for example {next}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="T-5 (ours); KL 3.1",
)
IN_THE_PAST = kind(
    "service_time.in_the_past",
    de="Der Wunschtermin {requested} liegt nicht nach dem Absenden ({submitted}). Bitte wählen Sie einen späteren.",
    en="The requested time {requested} is not after submission ({submitted}). Please choose a later one.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="T-3; KL 4.2.1.1",
)
OUT_OF_RANGE = kind(
    "service_time.out_of_range",
    de="Der Servicekalender gilt von {first} bis {last}; {given} liegt nicht darin.",
    en="The service calendar covers {first} to {last}; {given} is not within.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
CALENDAR = kind(
    "service_time.calendar",
    de="Der Servicekalender ist nicht brauchbar: {given}. Erwartet wird je Wochentag „08:00-17:00“ (mehrere durch "
    "Leerzeichen getrennt, aufsteigend, 24:00 als Tagesende) und mindestens eine Servicezeit in der Woche.",
    en="The service calendar cannot be used: {given}. Expected per weekday “08:00-17:00” (several separated by "
    "blanks, ascending, 24:00 as end of day) and at least one service time in the week.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="T-1",
)
DURATION = kind(
    "service_time.duration",
    de="{given} ist keine Dauer an Servicezeit: Sie darf nicht negativ sein.",
    en="{given} is no duration of service time: it must not be negative.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
PAUSED_ALREADY = kind(
    "service_time.paused_already",
    de="Die Frist ruht bereits seit {since} ({reason}).",
    en="The clock has been resting since {since} ({reason}).",
    side=Side.OURS,
    source="T-5",
)
NOT_PAUSED = kind(
    "service_time.not_paused",
    de="Die Frist ruht nicht; fortsetzen lässt sie sich nur nach einer Unterbrechung.",
    en="The clock is not resting; it can only be resumed after a pause.",
    side=Side.OURS,
    source="T-5",
)
NOT_LATER = kind(
    "service_time.not_later",
    de="{given} liegt vor dem letzten Eintrag der Frist ({last}).",
    en="{given} is before the last entry of the clock ({last}).",
    side=Side.OURS,
    source="T-5",
)
