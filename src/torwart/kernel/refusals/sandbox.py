"""Refusals of the sandbox of the test system (spec/07 point 8)."""

from torwart.kernel.refusals import Retry, Side, kind

_SOURCE = "spec/07 point 8"

SANDBOX_DURATION = kind(
    "sandbox.duration",
    de="„{given}“ ist keine Dauer. Schreiben Sie Tage, Stunden, Minuten und Sekunden nach ISO 8601: P3D, PT72H, PT90S.",
    en="“{given}” is no duration. Write days, hours, minutes and seconds by ISO 8601: P3D, PT72H, PT90S.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
SANDBOX_ONE_OF = kind(
    "sandbox.one_of",
    de="Nennen Sie genau eines von beiden: „advance“ (eine Dauer) oder „until“ (ein Zeitpunkt).",
    en="Name exactly one of the two: “advance” (a duration) or “until” (an instant).",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
SANDBOX_BACKWARDS = kind(
    "sandbox.backwards",
    de="Die Zeit der Sandbox geht nur vorwärts. Nennen Sie eine Dauer größer null oder einen Zeitpunkt, "
    "der noch kommt.",
    en="The sandbox's time goes forward only. Name a duration greater than zero or an instant still to come.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE + "; M-4",
)
SANDBOX_TOO_FAR = kind(
    "sandbox.too_far",
    de="Die Zeit der Sandbox kann der wirklichen höchstens {days} Tage voraus sein; frei sind noch {left} Stunden. Der "
    "Betrieb kann eine neue Testinstallation aufsetzen.",
    en="The sandbox's time can be ahead of the real one by {days} days at most; {left} hours are left. The provider "
    "can set up a fresh test installation.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
SANDBOX_TOO_MANY = kind(
    "sandbox.too_many",
    de="So viele Gateways sind in der Sandbox nicht möglich: höchstens {limit} zugleich, {left} sind noch frei. "
    "Zurücksetzen nimmt die vorhandenen heraus.",
    en="The sandbox has no room for so many gateways: {limit} at a time at most, {left} are left. A reset takes out "
    "those there are.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
SANDBOX_GATEWAY_UNKNOWN = kind(
    "sandbox.gateway_unknown",
    de="Dieses Gateway gibt es in Ihrer Sandbox nicht.",
    en="There is no such gateway in your sandbox.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
SANDBOX_NO_HOST = kind(
    "sandbox.live",
    de="Diese Installation ist keine Sandbox: „torwart simulate sandbox“ läuft nur mit TORWART_ENVIRONMENT=test und "
    "TORWART_SANDBOX=1.",
    en="This installation is no sandbox: “torwart simulate sandbox” runs only with TORWART_ENVIRONMENT=test and "
    "TORWART_SANDBOX=1.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source=_SOURCE,
)
