"""Refusals on the way to a gateway over its open connection (A2 = COSEM/HTTP annex of TR-03109-1)."""

from torwart.kernel.refusals import Retry, Side, kind

GATEWAY_NOT_CONNECTED = kind(
    "gateway.not_connected",
    de="Das Gateway {gateway} ist nicht verbunden. Wecken Sie es oder warten Sie auf seinen nächsten Anruf.",
    en="Gateway {gateway} is not connected. Wake it up or wait for its next call.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="TR-03109-1 DS2 chapter 2",
)
GATEWAY_TIMEOUT = kind(
    "gateway.timeout",
    de="Das Gateway {gateway} hat in {seconds} s nicht geantwortet; die Verbindung wurde geschlossen.",
    en="Gateway {gateway} did not answer within {seconds} s; the connection was closed.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="TR-03109-1 A2 §7.1.1",
)
GATEWAY_CONNECTION_LOST = kind(
    "gateway.connection_lost",
    de="Die Verbindung zum Gateway {gateway} brach während des Austauschs ab ({why}). "
    "Ob es gehandelt hat, ist nicht bekannt: lesen Sie den Zustand zurück.",
    en="The connection to gateway {gateway} broke during the exchange ({why}). "
    "Whether it acted is not known: read its state back.",
    side=Side.NETWORK,
    retry=Retry.LATER,
    source="TR-03109-1 A2 §7",
)
GATEWAY_BUSY = kind(
    "gateway.busy",
    de="Für das Gateway {gateway} warten schon {waiting} Aufträge. Versuchen Sie es später.",
    en="{waiting} commands are already waiting for gateway {gateway}. Try later.",
    side=Side.OURS,
    retry=Retry.LATER,
)
GATEWAY_PROTOCOL = kind(
    "gateway.protocol",
    de="Das Gateway {gateway} hält HTTP nicht ein ({why}); die Verbindung wurde geschlossen.",
    en="Gateway {gateway} breaks HTTP ({why}); the connection was closed.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="TR-03109-1 A2 §7.1",
)
GATEWAY_COMMAND = kind(
    "gateway.command",
    de="Der Befehl an das Gateway ist unbrauchbar ({why}).",
    en="The command for the gateway is unusable ({why}).",
    side=Side.OURS,
    retry=Retry.NEVER,
)
GATEWAY_UNREACHABLE = kind(
    "gateway.unreachable",
    de="An {address} kann kein Weckruf gesendet werden ({why}). Prüfen Sie Adresse und Netz.",
    en="No wake-up can be sent to {address} ({why}). Check address and network.",
    side=Side.NETWORK,
    retry=Retry.LATER,
    source="TR-03109-1 DS2 chapter 2",
)
