"""Four-eyes approvals: one person asks with a reason, another decides; never the same (P-2).

That two different people stand behind each decision is said three times: here, by the lock on the row that makes
decisions of two people wait for each other, and by a constraint of the table.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from torwart.kernel.refusals.approval import (
    APPROVAL_DECIDED,
    APPROVAL_OWN,
    APPROVAL_REASON,
    APPROVAL_ROLE,
    APPROVAL_UNKNOWN,
)
from torwart.kernel.role import ROLES, Role
from torwart.services import audit
from torwart.store.models import Approval, Ticket, User

PENDING, APPROVED, REJECTED, WITHDRAWN = "pending", "approved", "rejected", "withdrawn"
LONGEST_REASON = 2000


def request(
    action: str,
    subject: str,
    payload: Mapping[str, Any],
    reason: str,
    *,
    user: int,
    client: int | None,
    ticket: str = "",
    now: datetime,
) -> int:
    """An operator asks that ``action`` be allowed on ``subject``; the id. ``payload``: exactly what would be done."""
    with transaction.atomic():
        person = _with_role(user, Role.OPERATOR)
        row = Approval.objects.create(
            action=action,
            subject=subject,
            payload=dict(payload),
            reason=_checked(reason),
            client_id=client,
            ticket=Ticket.objects.filter(number=ticket).first() if ticket else None,
            requested_by=person,
            requested_at=now,
        )
        _audit(row, "approval.requested", person, now, {"reason": row.reason, "payload": row.payload})
    return row.pk


def decide(pk: int, *, user: int, approve: bool, remark: str, now: datetime) -> None:
    """A second person with the role for it decides. Whoever asked is refused, also with that role."""
    with transaction.atomic():
        row = _pending(pk)
        person = _with_role(user, Role.APPROVER)
        if row.requested_by_id == person.pk:
            raise APPROVAL_OWN()
        state = APPROVED if approve else REJECTED
        Approval.objects.filter(pk=pk).update(
            state=state, decided_by=person, decided_at=now, remark=remark.strip()[:LONGEST_REASON]
        )
        _audit(row, f"approval.{state}", person, now, {"remark": remark.strip()[:LONGEST_REASON]})


def withdraw(pk: int, *, user: int, now: datetime) -> None:
    """Whoever asked takes the request back."""
    with transaction.atomic():
        row = _pending(pk)
        if row.requested_by_id != user:
            raise APPROVAL_UNKNOWN()
        Approval.objects.filter(pk=pk).update(state=WITHDRAWN)
        _audit(row, "approval.withdrawn", row.requested_by, now, {})


def approved(action: str, subject: str) -> Approval | None:
    """The newest approval of ``action`` on ``subject``; what it allows is its ``payload`` and nothing else."""
    return Approval.objects.filter(action=action, subject=subject, state=APPROVED).order_by("-id").first()


def _pending(pk: int) -> Approval:
    row = Approval.objects.select_for_update(of=("self",)).select_related("requested_by").filter(pk=pk).first()
    if row is None:
        raise APPROVAL_UNKNOWN()
    if row.state != PENDING:
        raise APPROVAL_DECIDED(state=row.state)
    return row


def _with_role(user: int, role: Role) -> User:
    person = User.objects.filter(pk=user, client__isnull=True, is_active=True).first()
    if person is None or not person.has_role(role):
        raise APPROVAL_ROLE(role_de=ROLES[role].de, role_en=ROLES[role].en)
    return person


def _checked(reason: str) -> str:
    plain = reason.strip()
    if not plain or len(plain) > LONGEST_REASON:
        raise APPROVAL_REASON()
    return plain


def _audit(row: Approval, action: str, person: User, now: datetime, payload: Mapping[str, Any]) -> None:
    audit.append(
        actor=f"user:{person.email}",
        action=action,
        subject=f"approval:{row.pk}",
        payload={"action": row.action, "subject": row.subject, **payload},
        client=row.client_id,
        at=now,
    )
