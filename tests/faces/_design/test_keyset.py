"""Pages of long lists: every row once, in order, forwards and backwards, one query each."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torwart.faces._design import keyset
from torwart.store.models import Access

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("db")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5), st.sampled_from([("-at", "-id"), ("at", "-id")]))
def test_paging_shows_every_row_once(minutes: list[int], size: int, order: tuple[str, str]) -> None:
    """Whatever the sizes and however many rows share an instant; and the way back shows the same pages."""
    Access.objects.all().delete()
    for minute in minutes:
        Access.objects.create(at=NOW + timedelta(minutes=minute), address="", what="page", path="/")
    expected = list(Access.objects.order_by(*order).values_list("pk", flat=True))
    pages, at = [], ""
    while True:
        page = keyset.page(Access.objects.all(), order=order, at=at, size=size)
        pages.append(page)
        at = page.next
        if not at:
            break
    assert [row.pk for page in pages for row in page.rows] == expected
    back = pages[-1]
    for before in reversed(pages[:-1]):
        back = keyset.page(Access.objects.all(), order=order, at=back.previous, size=size)
        assert [row.pk for row in back.rows] == [row.pk for row in before.rows]
    assert back.previous == ""


def test_a_page_is_one_query_and_never_counts() -> None:
    """At any depth."""
    for _ in range(5):
        Access.objects.create(at=NOW, address="", what="page", path="/")
    first = keyset.page(Access.objects.all(), order=("-id",), size=2)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        keyset.page(Access.objects.all(), order=("-id",), at=first.next, size=2)
    assert len(queries) == 1
    assert "COUNT" not in queries[0]["sql"].upper()
    assert "OFFSET" not in queries[0]["sql"].upper()


@pytest.mark.requirement("P-1")
def test_what_stands_in_the_address_says_nothing() -> None:
    """No row number can be read from a mark: the difference of two would tell how much happened for others."""
    for _ in range(3):
        Access.objects.create(at=NOW, address="", what="page", path="/")
    page = keyset.page(Access.objects.all(), order=("-id",), size=2)
    plain = base64.urlsafe_b64decode(page.next + "=" * (-len(page.next) % 4))
    assert not plain.startswith(b'[">')
    changed = page.next[:-2] + ("AA" if page.next[-2:] != "AA" else "BB")
    assert keyset.page(Access.objects.all(), order=("-id",), at=changed, size=2).rows == page.rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.text(max_size=40), st.sampled_from(["", "WyI+Il0", "bnVsbA", "WyI+IiwgW3siYXQiOiAieCJ9XV0", "W10"]))
)
def test_a_page_token_that_is_not_ours_shows_the_first_page(token: str) -> None:
    """Whatever stands in the address."""
    assert keyset.page(Access.objects.none(), order=("-id",), at=token).rows == []
