"""Refusals of the simulated outside world: the gateway's own noes and the fleet's control interface."""

from torwart.kernel.refusals import Retry, Side, kind

MODULE_LOCKED = kind(
    "sim.module_locked",
    de="Das Sicherheitsmodul hat keine offene Sitzung; sie muss mit der PIN neu aufgebaut werden.",
    en="The security module has no open session; open one with the PIN.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03116-3 (secure messaging at most 48 h)",
)
MODULE_SLOT_EMPTY = kind(
    "sim.module_slot_empty",
    de="Im Sicherheitsmodul liegt kein Schlüssel {slot}; zuerst Schlüssel erzeugen.",
    en="The security module holds no key {slot}; generate keys first.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
)
MODULE_FAILED = kind(
    "sim.module_failed",
    de="Das Sicherheitsmodul konnte kein Schlüsselpaar erzeugen; Gerät prüfen oder tauschen.",
    en="The security module could not generate a key pair; check or replace the device.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
)
GATEWAY_REFUSES = kind(
    "sim.gateway_refuses",
    de="Das Gateway lehnt ab: {why}",
    en="The gateway refuses: {why}",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="TR-03109-1 Anlage COSEM-HTTP, status codes",
)
CONNECT_FAILED = kind(
    "sim.connect_failed",
    de="Keine Verbindung zu {peer}: {why}. Adresse und Port prüfen, dann erneut versuchen.",
    en="No connection to {peer}: {why}. Check address and port, then try again.",
    side=Side.NETWORK,
    retry=Retry.LATER,
)
CONNECTION_LOST = kind(
    "sim.connection_lost",
    de="Die Verbindung zu {peer} ist abgebrochen: {why}. Sie wird neu aufgebaut.",
    en="The connection to {peer} broke: {why}. It is opened again.",
    side=Side.NETWORK,
    retry=Retry.LATER,
)
FLEET_UNKNOWN = kind(
    "sim.fleet_unknown",
    de="{what} gibt es in dieser Flotte nicht; vorhanden: {known}.",
    en="{what} does not exist in this fleet; there is: {known}.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
FLEET_CONFIG = kind(
    "sim.fleet_config",
    de="Die Konfiguration der Flotte ist nicht brauchbar: {why}",
    en="The fleet's configuration cannot be used: {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
FLEET_CONTROL = kind(
    "sim.fleet_control",
    de="Der Befehl an die Flotte ist nicht ausführbar: {why}",
    en="The order to the fleet cannot be carried out: {why}",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
NOT_TAKEN = kind(
    "sim.not_taken",
    de="Die Gegenseite hat die Nachricht nicht angenommen (Status {status}); sie wird später wiederholt.",
    en="The peer did not take the message (status {status}); it is sent again later.",
    side=Side.OURS,
    retry=Retry.LATER,
)
FLEET_DATABASE = kind(
    "sim.fleet_database",
    de="Die Datenbank „{name}“ enthält schon {what}; eine Flotte kommt nur in eine leere. Nennen Sie einen anderen "
    "Namen oder löschen Sie sie.",
    en="The database “{name}” already holds {what}; a fleet only goes into an empty one. Name another one or drop it.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
SCENARIO = kind(
    "sim.scenario",
    de="Das Szenario ist nicht brauchbar: {why}. Was hineingehört, steht in docs/api/scenarios.md.",
    en="The scenario cannot be used: {why}. What goes into it stands in docs/api/scenarios.md.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
CLIENT_MISSING = kind(
    "sim.client_missing",
    de="Dazu gehört torwart-client, das hier nicht installiert ist: pip install clients/python aus den Quellen "
    "(make install tut es mit).",
    en="This needs torwart-client, which is not installed here: pip install clients/python from the sources "
    "(make install does it too).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
)
