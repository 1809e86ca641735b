"""Drafts: one's own, kept as typed, sent once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from portal_world import Town, town

from torwart.kernel.refusals import Refusal
from torwart.services import draft as drafts
from torwart.store.models import Draft

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def owner(db: None) -> Town:
    return town(gateways=1)


def _begin(owner: Town, **values: Any) -> int:
    return drafts.begin(owner.contact.pk, "wake_up", values, now=NOW)


@pytest.mark.requirement("O-1")
def test_what_was_typed_is_kept_right_or_wrong(owner: Town) -> None:
    """Later entries replace earlier ones by name; pages gone through are remembered once."""
    pk = _begin(owner, gateway="x", reason="a")
    assert drafts.keep(pk, owner.contact.pk, {"reason": "b"}, done=["order"], now=NOW)
    assert drafts.keep(pk, owner.contact.pk, {}, done=["order", "termin"], now=NOW)

    row = Draft.objects.get(pk=pk)
    assert (row.values, row.done) == ({"gateway": "x", "reason": "b"}, ["order", "termin"])


@pytest.mark.requirement("P-1", "P-4")
def test_a_draft_is_ones_own(owner: Town) -> None:
    """Somebody else can neither change nor delete nor send it."""
    pk = _begin(owner)
    other = owner.reader.pk

    assert drafts.keep(pk, other, {"reason": "x"}, now=NOW) is False
    assert drafts.delete(pk, other) is False
    assert drafts.send(pk, other, lambda values: "A-1") is None
    assert Draft.objects.get(pk=pk).values == {}


@pytest.mark.requirement("O-2")
def test_a_draft_is_sent_once(owner: Town) -> None:
    """Sending again answers the first number and places nothing; a sent draft stays as it is."""
    pk, placed = _begin(owner), []

    def place(values: Any) -> str:
        placed.append(values)
        return f"A-{len(placed)}"

    numbers = [drafts.send(pk, owner.contact.pk, place) for _ in range(3)]

    assert (numbers, len(placed)) == (["A-1"] * 3, 1)
    assert drafts.keep(pk, owner.contact.pk, {"reason": "x"}, now=NOW) is False
    assert drafts.delete(pk, owner.contact.pk) is False


@pytest.mark.requirement("O-2")
def test_what_is_refused_leaves_the_draft(owner: Town) -> None:
    """A refusal while placing changes nothing, so that the person can mend it."""
    pk = _begin(owner, reason="a")

    def refuse(values: Any) -> str:
        raise drafts.DRAFT_TOO_MANY(most=1)

    with pytest.raises(Refusal):
        drafts.send(pk, owner.contact.pk, refuse)
    row = Draft.objects.get(pk=pk)
    assert (row.values, row.placed) == ({"reason": "a"}, "")


def test_drafts_have_a_limit(owner: Town) -> None:
    """The one above the limit is refused with what to do; sent ones do not count."""
    last = [_begin(owner) for _ in range(drafts.MOST)][-1]
    with pytest.raises(Refusal) as refused:
        _begin(owner)
    assert refused.value.code == "draft.too_many"
    drafts.send(last, owner.contact.pk, lambda values: "A-1")
    assert _begin(owner) > last
