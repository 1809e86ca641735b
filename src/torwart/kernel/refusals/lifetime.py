"""Refusals about lifetimes of certificates."""

from torwart.kernel.refusals import Retry, Side, kind

THRESHOLDS = kind(
    "lifetime.thresholds",
    de="Die Schwellen {given} (Tage vor Ablauf) müssen fallen und größer als 0 sein, zum Beispiel 90, 60, 30.",
    en="The thresholds {given} (days before the end) must fall and be greater than 0, for example 90, 60, 30.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="P16",
)
