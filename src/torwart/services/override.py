"""Overriding a precondition that is not met: asked for by one operator, decided by another person (four eyes).

A yes starts what was asked for in the same transaction, so that no approval lies about to be used later.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from torwart.kernel.refusals import Refusal
from torwart.services import approval as approvals
from torwart.services import gateway as gateways
from torwart.store.models import Approval

ACTION = "precondition.override"


def ask(
    process: str,
    gateway: str,
    fields: Mapping[str, Any],
    unmet: Sequence[Refusal],
    reason: str,
    *,
    user: int,
    ticket: str = "",
    now: datetime,
) -> int:
    """Ask that ``process`` may run on ``gateway`` with these canonical fields although ``unmet``; the approval's id."""
    named = [{"code": each.code, "de": each.text("de"), "en": each.text("en")} for each in unmet]
    payload = {"process": process, "gateway": gateway, "fields": dict(fields), "unmet": named}
    client = gateways.get(gateway).client_id
    subject = f"gateway:{gateway}"
    return approvals.request(ACTION, subject, payload, reason, user=user, client=client, ticket=ticket, now=now)


def decide(
    approval: int,
    *,
    user: int,
    approve: bool,
    remark: str,
    now: datetime,
    start: Callable[[Mapping[str, Any], str], str],
) -> str:
    """Decide; a yes starts it (``start`` gets what was asked for, and who acts) and answers the run's id."""
    with transaction.atomic():
        approvals.decide(approval, user=user, approve=approve, remark=remark, now=now)
        if not approve:
            return ""
        return start(Approval.objects.get(pk=approval).payload, f"approval:{approval}")
