"""Four-eyes approvals as the provider's people see them."""

from django.db.models import QuerySet

from torwart.store.models import Approval

_PEOPLE = ("requested_by", "decided_by", "client", "ticket")


def approvals(*, pending: bool) -> QuerySet[Approval]:
    """Those that wait for a decision, or those that have one; with people, client and ticket beside them."""
    rows = Approval.objects.select_related(*_PEOPLE)
    return rows.filter(state="pending") if pending else rows.exclude(state="pending")


def approval(pk: int) -> Approval | None:
    return Approval.objects.select_related(*_PEOPLE).filter(pk=pk).first()


def waiting() -> int:
    """How many wait; counting stops at 100."""
    return Approval.objects.filter(state="pending").order_by()[:100].count()
