"""Refusals of the database: reaching it, starting the embedded one, its version and its shape."""

from torwart.kernel.refusals import Retry, Side, kind

DATABASE_UNREACHABLE = kind(
    "database.unreachable",
    de="Die Datenbank antwortet nicht: {why} Prüfen Sie TORWART_DATABASE_URL und ob der Server läuft.",
    en="The database does not answer: {why} Check TORWART_DATABASE_URL and that the server runs.",
    side=Side.OURS,
    retry=Retry.LATER,
)
DATABASE_URL_MALFORMED = kind(
    "database.url_malformed",
    de="TORWART_DATABASE_URL ist keine PostgreSQL-Adresse: {why} Beispiel: postgresql://torwart@db.example/torwart",
    en="TORWART_DATABASE_URL is not a PostgreSQL address: {why} Example: postgresql://torwart@db.example/torwart",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
DATABASE_TOO_OLD = kind(
    "database.too_old",
    de="Der Datenbankserver ist PostgreSQL {version}; Torwart braucht {least} oder neuer.",
    en="The database server is PostgreSQL {version}; Torwart needs {least} or newer.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="design D1",
)
DATABASE_NOT_MIGRATED = kind(
    "database.not_migrated",
    de="Der Datenbank fehlen Änderungen dieser Programmversion ({missing}). Führen Sie „torwart migrate“ aus.",
    en="The database lacks changes of this program version ({missing}). Run 'torwart migrate'.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
EMBEDDED_FAILED = kind(
    "database.embedded_failed",
    de="Die mitgelieferte Datenbank in {path} startet nicht: {why} Geben Sie mit TORWART_STATE ein anderes "
    "Verzeichnis oder mit TORWART_DATABASE_URL einen eigenen Server an.",
    en="The embedded database in {path} does not start: {why} Name another directory in TORWART_STATE or a "
    "server of your own in TORWART_DATABASE_URL.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
EMBEDDED_OTHER_VERSION = kind(
    "database.embedded_other_version",
    de="Die Daten in {path} gehören zu PostgreSQL {found}, mitgeliefert ist {expected}. Sichern Sie sie mit der alten "
    "Programmversion („torwart backup“) und spielen Sie sie mit dieser zurück („torwart restore“).",
    en="The data in {path} belongs to PostgreSQL {found}, the embedded server is {expected}. Back it up with the old "
    "program version ('torwart backup') and restore it with this one ('torwart restore').",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
