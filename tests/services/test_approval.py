"""Four eyes (P-2): asked by one, decided by another, whatever roles and however many clicks at once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from clientele import MONDAY, clientele, staff
from django.db import IntegrityError, connection, transaction

from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.services import approval as approvals
from torwart.store.models import Approval, AuditEntry, User

pytestmark = [pytest.mark.requirement("P-2")]


def ask(user: User, subject: str = "gateway:EPPC0200000001") -> int:
    return approvals.request(
        "certificate.revoke",
        subject,
        {"reason": "keyCompromise"},
        "Gestohlen gemeldet",
        user=user.pk,
        client=None,
        now=MONDAY,
    )


def refused(do: Callable[[], Any]) -> str:
    with pytest.raises(Refusal) as caught:
        do()
    return caught.value.code


def decide(pk: int, user: User, *, approve: bool = True) -> None:
    approvals.decide(pk, user=user.pk, approve=approve, remark="geprüft", now=MONDAY)


def test_a_second_person_approves(db: None) -> None:
    """Then, and only then, the action is approved, for exactly what was asked; both people are in the audit trail."""
    anna, paul = staff("Anna", Role.OPERATOR), staff("Paul", Role.APPROVER)
    pk = ask(anna)
    assert approvals.approved("certificate.revoke", "gateway:EPPC0200000001") is None
    decide(pk, paul)
    found = approvals.approved("certificate.revoke", "gateway:EPPC0200000001")

    assert found is not None
    assert (found.pk, found.payload, found.decided_by) == (pk, {"reason": "keyCompromise"}, paul)
    assert approvals.approved("certificate.revoke", "gateway:EPPC0200000002") is None
    entries = AuditEntry.objects.filter(subject=f"approval:{pk}").order_by("id")
    assert [(e.actor, e.action) for e in entries] == [
        ("user:anna@torwart.example", "approval.requested"),
        ("user:paul@torwart.example", "approval.approved"),
    ]


def test_nobody_is_on_both_sides(db: None) -> None:
    """Also who holds both roles cannot decide what they asked for; the table itself refuses the row."""
    both = staff("Beide", Role.OPERATOR, Role.APPROVER)
    pk = ask(both)
    assert refused(lambda: decide(pk, both)) == "approval.own"
    assert Approval.objects.get().state == "pending"
    with pytest.raises(IntegrityError, match="approval_four_eyes"), transaction.atomic():
        Approval.objects.filter(pk=pk).update(decided_by=both, state="approved")


def test_roles_are_needed_on_both_sides(db: None) -> None:
    """An auditor asks nothing, an operator decides nothing, a client's person neither, one who has left neither."""
    anna, other, auditor = staff("Anna", Role.OPERATOR), staff("Otto", Role.OPERATOR), staff("Ada", Role.AUDITOR)
    stranger = clientele().user
    gone = staff("Weg", Role.APPROVER)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    pk = ask(anna)

    for person in (auditor, stranger, gone):
        assert refused(lambda person=person: ask(person)) == "approval.role"
    for person in (other, auditor, stranger, gone):
        assert refused(lambda person=person: decide(pk, person)) == "approval.role"
    assert refused(lambda: decide(pk + 1, other)) == "approval.unknown"


def test_what_is_decided_stays_decided(db: None) -> None:
    """A rejection cannot be turned; what was rejected or withdrawn is not approved."""
    anna, paul = staff("Anna", Role.OPERATOR), staff("Paul", Role.APPROVER)
    pk = ask(anna)
    decide(pk, paul, approve=False)
    assert refused(lambda: decide(pk, paul)) == "approval.decided"
    other = ask(anna)
    assert refused(lambda: approvals.withdraw(other, user=paul.pk, now=MONDAY)) == "approval.unknown"
    approvals.withdraw(other, user=anna.pk, now=MONDAY)
    assert refused(lambda: decide(other, paul)) == "approval.decided"
    assert approvals.approved("certificate.revoke", "gateway:EPPC0200000001") is None


def test_a_reason_is_needed(db: None) -> None:
    """Nobody decides on what nobody explains."""
    anna = staff("Anna", Role.OPERATOR)
    assert (
        refused(lambda: approvals.request("x", "y", {}, "  ", user=anna.pk, client=None, now=MONDAY))
        == "approval.reason"
    )


def test_two_decisions_at_once_are_one(own_database: str) -> None:
    """Yes and no at the same moment: one counts, the other is told that it has been decided."""
    anna = staff("Anna", Role.OPERATOR)
    deciders = [staff("Paul", Role.APPROVER), staff("Petra", Role.APPROVER)]
    pk = ask(anna)
    answers: list[str] = []
    together = threading.Barrier(2)

    def one(person: User, approve: bool) -> None:
        together.wait()
        try:
            decide(pk, person, approve=approve)
            answers.append("decided")
        except Refusal as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(p, bool(i))) for i, p in enumerate(deciders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["approval.decided", "decided"]
    row = Approval.objects.get()
    assert row.decided_by == deciders[row.state == "approved"]
