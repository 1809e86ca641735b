"""Refusals of the head-end: who is not let in, and why a session ends."""

from torwart.kernel.refusals import Retry, Side, kind

HEADEND_NO_POLICY = kind(
    "headend.no_policy",
    de="Das Head-End kennt noch keine Sperrlisten und lässt deshalb niemanden ein. Starten Sie einen Worker.",
    en="The head-end does not know the revocation lists yet and so lets nobody in. Start a worker.",
    side=Side.OURS,
    retry=Retry.LATER,
)
HEADEND_BLOCKED = kind(
    "headend.blocked",
    de="Das Gerät {device} steht auf der Sperrliste.",
    en="Device {device} is on the blocklist.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="P19",
)
HEADEND_SEAL_NOT_EXPECTED = kind(
    "headend.seal_not_expected",
    de="{device} zeigt ein Gütesiegel-Zertifikat, für das Gerät läuft aber keine Inbetriebnahme.",
    en="{device} shows a seal certificate, but no commissioning of the device is under way.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="P03",
)
HEADEND_WRONG_ROLE = kind(
    "headend.wrong_role",
    de="{device} ist {found}; diesen Dienst darf nur {wanted} nutzen.",
    en="{device} is {found}; only {wanted} may use this service.",
    side=Side.GATEWAY,
    retry=Retry.AFTER_CHANGE,
    source="TR-03109-1 A2 §4",
)
HEADEND_TOO_OFTEN = kind(
    "headend.too_often",
    de="{device} baut zu oft Verbindungen auf. Es soll länger warten, bis es wieder anruft.",
    en="{device} connects too often. It has to wait longer before it calls again.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
)
HEADEND_SLOW = kind(
    "headend.slow",
    de="Die Gegenstelle war zu langsam ({what} länger als {seconds} s).",
    en="The peer was too slow ({what} took longer than {seconds} s).",
    side=Side.NETWORK,
    retry=Retry.LATER,
)
HEADEND_REPLACED = kind(
    "headend.replaced",
    de="Eine neuere Verbindung von {device} hat diese abgelöst.",
    en="A newer connection of {device} has replaced this one.",
    side=Side.GATEWAY,
    retry=Retry.NEVER,
)
HEADEND_SESSION_AGE = kind(
    "headend.session_age",
    de="Die TLS-Sitzung hat ihr Höchstalter von {hours} h erreicht.",
    en="The TLS session has reached its greatest age of {hours} h.",
    side=Side.GATEWAY,
    retry=Retry.LATER,
    source="TR-03116-3 §4.1.2",
)
HEADEND_DRAINING = kind(
    "headend.draining",
    de="Das Head-End wird gerade beendet. Das Gerät ruft ein anderes an.",
    en="The head-end is shutting down. The device calls another one.",
    side=Side.OURS,
    retry=Retry.LATER,
)
HEADEND_CLOSED = kind(
    "headend.closed",
    de="Die Verbindung wurde auf Wunsch der Administration geschlossen.",
    en="The connection was closed at the administration's wish.",
    side=Side.OURS,
    retry=Retry.NEVER,
)
HEADEND_CONFIG = kind(
    "headend.config",
    de="Die Konfiguration des Head-Ends ist unbrauchbar ({why}).",
    en="The head-end's configuration is unusable ({why}).",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
