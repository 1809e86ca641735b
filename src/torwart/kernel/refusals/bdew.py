"""Refusals of the BDEW dialect of the interface (spec/07 point 11)."""

from torwart.kernel.refusals import Retry, Side, kind

BDEW_HEADER = kind(
    "bdew.header",
    de="Die Kopfzeile {name} fehlt oder ist unbrauchbar. Erwartet wird {form}.",
    en="The header {name} is missing or unusable. Expected is {form}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="EDI@Energy API-Webdienste, Schema/Header",
)
BDEW_TIME = kind(
    "bdew.creation_time",
    de="creationDateTime {given} liegt nicht zwischen {first} und {last}. Jeder Versuch trägt den Zeitpunkt, zu dem er "
    "selbst erstellt wurde; prüfen Sie die Uhr Ihres Systems.",
    en="creationDateTime {given} is not between {first} and {last}. Each attempt bears the time at which it was made "
    "itself; check your system's clock.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
BDEW_NO_ADDRESS = kind(
    "bdew.no_address",
    de="Für „{name}“ ist keine Adresse hinterlegt, an die wir antworten können. Legen Sie mit POST /v1/webhooks und "
    '"dialect": "bdew" eine an; danach geht derselbe Aufruf.',
    en="There is no address to answer “{name}” at. Set one up by POST /v1/webhooks with "
    '"dialect": "bdew"; then the same call works.',
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="spec/07 point 11",
)
BDEW_ADDRESS_TAKEN = kind(
    "bdew.address_taken",
    de="Für „{name}“ ist schon eine Adresse hinterlegt. Ändern Sie sie mit PATCH, statt eine zweite anzulegen.",
    en="There is an address for “{name}” already. Change it by PATCH instead of adding a second one.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
