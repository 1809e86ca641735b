"""Refusals about what an EMT tells us."""

from torwart.kernel.refusals import Side, kind

EMT_CONFIRMATION_MALFORMED = kind(
    "emt.confirmation_malformed",
    de="Die Empfangsbestätigung des EMT ist nicht lesbar ({why}). Der EMT muss sie neu senden.",
    en="The EMT's confirmation of receipt cannot be read ({why}). The EMT has to send it again.",
    side=Side.EMT,
)
