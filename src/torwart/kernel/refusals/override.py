"""Refusals of overrides of preconditions (four eyes)."""

from torwart.kernel.refusals import Retry, Side, kind

OVERRIDE_NEEDLESS = kind(
    "override.needless",
    de="Nichts steht dagegen: Starten Sie den Prozess ohne Ausnahme.",
    en="Nothing stands against it: start the process without an override.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="process catalogue, four eyes",
)
