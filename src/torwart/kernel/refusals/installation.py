"""Refusals of setting up and starting an installation."""

from torwart.kernel.refusals import Retry, Side, kind

CHILD_DIED = kind(
    "installation.child_died",
    de="Der Prozess „{name}“ endete beim Start mit Code {code}. Sein Protokoll:\n{log}",
    en="Process “{name}” ended while starting, with code {code}. Its log:\n{log}",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
CHILD_SILENT = kind(
    "installation.child_silent",
    de="Der Prozess „{name}“ wurde in {seconds} s nicht bereit. Sein Protokoll:\n{log}",
    en="Process “{name}” did not get ready within {seconds} s. Its log:\n{log}",
    side=Side.OURS,
    retry=Retry.LATER,
)
CONFIGURATION_INVALID = kind(
    "installation.configuration",
    de="Die Konfiguration {path} ist unbrauchbar: {why}",
    en="Configuration {path} is unusable: {why}",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
)
