"""Refusals of the bus between head-ends and workers (design D5)."""

from torwart.kernel.refusals import Retry, Side, kind

BUS_NO_RESPONDER = kind(
    "bus.no_responder",
    de="Auf dem Bus bedient gerade niemand „{subject}“. Prüfen Sie, ob der zuständige Dienst läuft.",
    en="Nobody serves “{subject}” on the bus now. Check that the service in charge is running.",
    side=Side.OURS,
    retry=Retry.LATER,
)
BUS_TIMEOUT = kind(
    "bus.timeout",
    de="Auf „{subject}“ kam in {seconds} s keine Antwort.",
    en="No answer on “{subject}” within {seconds} s.",
    side=Side.OURS,
    retry=Retry.LATER,
)
BUS_UNAVAILABLE = kind(
    "bus.unavailable",
    de="Der Bus ist nicht erreichbar ({why}). Die Verbindung wird von selbst wieder aufgebaut.",
    en="The bus cannot be reached ({why}). The connection comes back by itself.",
    side=Side.OURS,
    retry=Retry.LATER,
)
BUS_HANDLER_FAILED = kind(
    "bus.handler_failed",
    de="Der Dienst hinter „{subject}“ ist an der Nachricht gescheitert ({why}).",
    en="The service behind “{subject}” failed on the message ({why}).",
    side=Side.OURS,
    retry=Retry.LATER,
)
BUS_TOO_LARGE = kind(
    "bus.too_large",
    de="Die Nachricht hat {size} Byte, der Bus trägt höchstens {limit}. Teilen Sie sie auf.",
    en="The message has {size} bytes, the bus carries {limit} at most. Split it.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
BUS_SERVER = kind(
    "bus.server",
    de="Der eingebaute NATS-Server startet nicht ({why}). Installieren Sie die Pakete aus requirements.lock.",
    en="The embedded NATS server does not start ({why}). Install the packages of requirements.lock.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
