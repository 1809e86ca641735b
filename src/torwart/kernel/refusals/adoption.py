"""Refusals when a stranger's question is given to a client."""

from torwart.kernel.refusals import Retry, Side, kind

ADOPTION_KNOWN = kind(
    "adoption.known",
    de="{number} gehört schon einem Auftraggeber und bleibt bei ihm.",
    en="{number} already belongs to a client and stays with it.",
    side=Side.OURS,
    source="P-1",
)
ADOPTION_CLIENT = kind(
    "adoption.client",
    de="Diesen Auftraggeber gibt es nicht oder er ist beendet. Wählen Sie einen aus der Liste.",
    en="There is no such client, or it has ended. Choose one from the list.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
