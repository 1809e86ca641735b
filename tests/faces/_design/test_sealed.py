"""Sealed numbers (P-1): short, the same for the same thing, and no token opens as another kind of thing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.faces._design.sealed import KINDS
from torwart.services import sealed

pytestmark = pytest.mark.requirement("P-1")
_NUMBERS = st.integers(0, 2**64 - 1)


@given(st.sampled_from(KINDS), _NUMBERS)
def test_a_token_opens_as_what_it_was_sealed_for_and_nothing_else(kind: str, number: int) -> None:
    """The same thing has the same token, short and fit for addresses; another kind does not open it."""
    token = sealed.seal(kind, number)
    assert re.fullmatch(r"[A-Za-z0-9_-]{32}", token)
    assert token == sealed.seal(kind, number)
    assert sealed.opened(kind, token) == number
    assert [other for other in KINDS if sealed.opened(other, token) is not None] == [kind]


@given(st.sampled_from(KINDS), _NUMBERS, st.integers(0, 31), st.sampled_from("Aa0_-"))
def test_what_was_changed_does_not_open(kind: str, number: int, place: int, sign: str) -> None:
    """Nor does any other text, whatever is in it."""
    token = sealed.seal(kind, number)
    changed = token[:place] + sign + token[place + 1 :]
    if changed != token:
        assert sealed.opened(kind, changed) is None
    for text in (token[:-1], token + "A", f"{token}====", f" {token}", f"{token[:31]}ß", str(number), "", "\0" * 32):
        assert sealed.opened(kind, text) is None
