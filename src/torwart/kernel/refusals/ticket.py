"""Refusals of tickets (Vorgänge): numbers nobody has, texts that say nothing, efforts that cannot be."""

from torwart.kernel.refusals import Retry, Side, kind

TICKET_UNKNOWN = kind(
    "ticket.unknown",
    de="Einen Vorgang {number} gibt es nicht. Prüfen Sie die Nummer.",
    en="There is no ticket {number}. Check the number.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="P-1",
)
TICKET_TEXT = kind(
    "ticket.text",
    de="Schreiben Sie einen Text von höchstens {limit} Zeichen.",
    en="Write a text of at most {limit} characters.",
    side=Side.CLIENT,
    retry=Retry.AFTER_CHANGE,
    source="C-2, C-3",
)
TICKET_OF_ORDER = kind(
    "ticket.of_order",
    de="{number} gehört zu einem laufenden Auftrag und endet mit ihm. Stornieren Sie den Auftrag, wenn er enden soll.",
    en="{number} belongs to a running order and ends with it. Cancel the order if it is to end.",
    side=Side.OURS,
    source="O-2, O-3",
)
TICKET_ASSIGNEE = kind(
    "ticket.assignee",
    de="Vorgänge kann nur ein aktiver Operator übernehmen. Wählen Sie einen aus der Liste.",
    en="Only an active operator can take a ticket. Choose one from the list.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="P-2",
)
TICKET_EFFORT = kind(
    "ticket.effort",
    de="Geben Sie den Aufwand in ganzen Minuten (1 bis {limit}) und den Grund an.",
    en="Enter the effort in whole minutes (1 to {limit}) and the reason.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="O-5, M-2 (KL 4.2 footnote, 5)",
)
TICKET_OVER = kind(
    "ticket.over",
    de="{number} ist beendet, dort liest niemand mehr mit. Stellen Sie Ihre Frage bitte als neuen Vorgang.",
    en="{number} has ended, nobody reads there any more. Please ask your question as a new ticket.",
    side=Side.CLIENT,
    source="C-2",
)
