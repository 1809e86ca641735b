"""Refusals of four-eyes approvals (P-2)."""

from torwart.kernel.refusals import Retry, Side, kind

APPROVAL_UNKNOWN = kind(
    "approval.unknown",
    de="Diese Freigabe gibt es nicht. Laden Sie die Liste neu.",
    en="There is no such approval. Reload the list.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="P-2",
)
APPROVAL_OWN = kind(
    "approval.own",
    de="Sie haben diese Freigabe selbst beantragt. Entscheiden muss eine zweite Person.",
    en="You have asked for this approval yourself. A second person must decide.",
    side=Side.OURS,
    source="P-2: never both sides of one four-eyes approval",
)
APPROVAL_ROLE = kind(
    "approval.role",
    de="Dafür brauchen Sie die Rolle „{role_de}“.",
    en="For that you need the role “{role_en}”.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="P-2",
)
APPROVAL_DECIDED = kind(
    "approval.decided",
    de="Über diese Freigabe ist schon entschieden ({state}).",
    en="This approval has already been decided ({state}).",
    side=Side.OURS,
    source="P-2",
)
APPROVAL_REASON = kind(
    "approval.reason",
    de="Schreiben Sie in einem Satz, warum die Freigabe nötig ist.",
    en="Write in a sentence why the approval is needed.",
    side=Side.OURS,
    retry=Retry.AFTER_CHANGE,
    source="P-2",
)
