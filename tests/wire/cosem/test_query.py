"""Selective access and universal queries: A2's example, first occurrence wins, round trips, refusals."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cosem.data import Data
from torwart.wire.cosem.query import Column, Query, between, entries, page, parse_query

pytestmark = pytest.mark.requirement("WAN-1.2")


def code_of(read: Callable[[str], object], text: str) -> str:
    """The refusal's code, "" if ``text`` is read."""
    try:
        read(text)
    except Refusal as refusal:
        return refusal.code
    return ""


COLUMNS = st.builds(
    Column,
    st.integers(0, 65535),
    st.from_regex("[0-9a-f]{12}", fullmatch=True),
    st.integers(1, 127),
    st.integers(0, 99),
)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
ORDINALS = st.none() | st.integers(1, 999_999)
QUERIES = st.builds(
    Query,
    sa_fromidx=ORDINALS,
    sa_count=ORDINALS,
    sa_toidx=ORDINALS,
    sa_fromcol=st.none() | st.integers(0, 99),
    sa_tocol=st.none() | st.integers(0, 99),
    sa_retrievecolumns=st.lists(COLUMNS, max_size=3).map(tuple),
    sa_filtercolumn=st.none() | COLUMNS,
    sa_fromtype=st.none() | st.integers(0, 99).map(lambda n: Data("long", n)),
    sa_totype=st.none() | st.binary(min_size=1, max_size=9).map(lambda o: Data("octet-string", o)),
    q_fromidx=ORDINALS,
    q_count=st.none() | st.integers(0, 99),
    q_depth=st.none() | st.integers(0, 99),
    q_fromtime=st.none() | INSTANTS,
    q_totime=st.none() | INSTANTS,
    q_level=st.none() | st.sampled_from("IWEF"),
    q_obis=st.none() | st.just("1-0:1.8.0*255"),
    q_type=st.none() | st.text(min_size=1, max_size=8),
)


@given(QUERIES)
def test_queries_round_trip(query: Query) -> None:
    """A query is read back from the string it writes, and that string is a URI query."""
    text = query.encode()

    assert parse_query(text) == query
    assert text.isascii()
    assert " " not in text
    assert "#" not in text


def test_example_of_7_8_2() -> None:
    """A2's descriptor example: class 3, 1-0:1.8.0, attribute 2, data index 5."""
    query = parse_query("sa.filtercolumn={long:3,octet-string:0100010800ff,integer:2,long:5}")

    assert query.sa_filtercolumn == Column(3, "0100010800ff", 2, 5)


def test_the_first_occurrence_wins() -> None:
    """A2 §7.8: "gilt der Wert seines ersten Auftretens"."""
    assert parse_query("q.count=3&q.count=nonsense").q_count == 3


def test_hex_and_empty_values() -> None:
    """Numbers may be hexadecimal with x; an empty value is the row's default."""
    query = parse_query("sa.fromidx=x1f&sa.count=0xA&sa.toidx=&unknown=1")

    assert (query.sa_fromidx, query.sa_count, query.sa_toidx) == (31, 10, None)


def test_prose_names_of_the_bounds() -> None:
    """sa.from and sa.to of the prose are read as sa.fromtype and sa.totype of the table."""
    assert parse_query("sa.from=long:3&sa.to=long:9") == parse_query("sa.fromtype=long:3&sa.totype=long:9")


@pytest.mark.parametrize(
    "text",
    [
        "q.depth=-1",
        "q.depth=1.5",
        "q.fromidx=0",
        "sa.fromidx=abc",
        "sa.filtercolumn=long:3",
        "sa.filtercolumn={long:3}",
        "sa.fromtype=3",
        "q.fromtime=gestern",
        "q.unknown=1",
        "sa.unknown=1",
        "&".join(f"q.count={n}" for n in range(99)),
    ],
)
def test_wrong_queries_are_refused(text: str) -> None:
    """A condition that cannot be read or is unknown cannot hold, so it is refused."""
    with pytest.raises(Refusal) as caught:
        parse_query(text)

    assert caught.value.code == "cosem.query"


@given(st.text("qs.a&=fromidxtype:%{}[]0123456789countdepth", max_size=50))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    """Reading arbitrary text answers a query or a refusal."""
    assert code_of(parse_query, text) in ("", "cosem.query")


def test_paging_and_entries() -> None:
    """q.* pages lists, sa.* array entries; all conditions hold together."""
    items = list(range(1, 11))

    assert list(page(items, Query(q_fromidx=3, q_count=2))) == [3, 4]
    assert list(page(items, Query(q_count=0))) == items
    assert list(entries(items, Query(sa_fromidx=2, sa_toidx=9, sa_count=3))) == [2, 3, 4]
    assert list(entries(items, Query(sa_fromidx=8, sa_toidx=9, sa_count=30))) == [8, 9]


def test_times_are_half_open() -> None:
    """q.fromtime is inclusive, q.totime exclusive (Detailspezifikationen, Tabelle 6.5)."""
    hours = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in range(5)]
    query = parse_query("q.fromtime=2026-01-01T01:00:00Z&q.totime=2026-01-01T03:00:00Z")

    assert between(hours, query, lambda at: at) == hours[1:3]
