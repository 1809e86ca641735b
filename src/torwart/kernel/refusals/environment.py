"""Refusals between the environments: what belongs to the test system never meets what is live."""

from torwart.kernel.refusals import Retry, Side, kind

_SOURCE = "spec/07 point 8; R-1"

ENVIRONMENT_UNKNOWN = kind(
    "environment.unknown",
    de="TORWART_ENVIRONMENT ist „{given}“. Setzen Sie „test“ oder „live“.",
    en="TORWART_ENVIRONMENT is “{given}”. Set “test” or “live”.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
ENVIRONMENT_SANDBOX = kind(
    "environment.sandbox",
    de="TORWART_SANDBOX=1 gibt es nur im Testsystem; dieser Prozess läuft als „{environment}“. Nehmen Sie die Variable "
    "heraus, oder setzen Sie TORWART_ENVIRONMENT=test.",
    en="TORWART_SANDBOX=1 is for the test system only; this process runs as “{environment}”. Remove the variable, or "
    "set TORWART_ENVIRONMENT=test.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
ENVIRONMENT_DATABASE = kind(
    "environment.database",
    de="Diese Datenbank gehört zu „{found}“, dieser Prozess läuft als „{environment}“. Prüfen Sie TORWART_ENVIRONMENT "
    "und TORWART_DATABASE_URL; jede Umgebung hat ihre eigene Datenbank.",
    en="This database belongs to “{found}”, this process runs as “{environment}”. Check TORWART_ENVIRONMENT and "
    "TORWART_DATABASE_URL; each environment has a database of its own.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
ENVIRONMENT_DIRECTORY = kind(
    "environment.directory",
    de="Das Verzeichnis {path} gehört zu „{found}“, dieser Prozess läuft als „{environment}“. Schlüssel und "
    "Geheimnisse der beiden Umgebungen bleiben getrennt: nennen Sie ein eigenes Verzeichnis.",
    en="Directory {path} belongs to “{found}”, this process runs as “{environment}”. Keys and secrets of the two "
    "environments stay apart: name a directory of its own.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
ENVIRONMENT_TRUST = kind(
    "environment.trust",
    de="Der Vertrauensanker „{name}“ gehört zu „{found}“, dieser Prozess läuft als „{environment}“. Tragen Sie die "
    "Stammzertifikate der eigenen Umgebung ein.",
    en="Trust anchor “{name}” belongs to “{found}”, this process runs as “{environment}”. Configure the root "
    "certificates of its own environment.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="SM-PKI CP, names of the roots; " + _SOURCE,
)
