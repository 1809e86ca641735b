"""What a GET selects: selective access (``sa.*``, A2 §7.8.1) and universal queries (``q.*``, §7.8.2).

Read rules, all of §7.8: parameters are AND-ed; of a repeated one "gilt der Wert seines ersten Auftretens"; only
for Get ("Ein Query-Parameter für die Dienste Delete, Create, Action MUSS ignoriert werden"), so ``parse_query`` is
called for GET alone. A parameter of these two families that we do not know is refused: a condition nobody can
check cannot be known to hold. Other names are none of ours and ignored.

The table calls the bounds ``sa.fromtype``/``sa.totype``, its prose ``sa.from``/``sa.to``: both are read, the
table's names are written. ``q.type``, ``q.obis``, ``q.level`` come from the Detailspezifikationen, Tabelle 6.5.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import COSEM_QUERY
from torwart.wire.cosem.data import Data
from torwart.wire.cosem.literal import parse_literal, to_literal

T = TypeVar("T")

MAX_PARAMETERS = 40

_DECIMAL = re.compile("[0-9]{1,9}")
_HEX = re.compile("0?x([0-9a-fA-F]{1,8})")


@dataclass(frozen=True, slots=True)
class Column:
    """A column descriptor ``{class,logical name[,attribute[,data index]]}`` (A2 §7.8.2)."""

    class_id: int
    logical_name: str
    attribute: int = 0
    data_index: int = 0

    def literal(self) -> str:
        """As the standard's example writes it; a class id beyond ``long`` is written ``long-unsigned``."""
        name = "long" if self.class_id < 0x8000 else "long-unsigned"
        members = [f"{name}:{self.class_id}", f"octet-string:{self.logical_name}"]
        if self.attribute or self.data_index:
            members.append(f"integer:{self.attribute}")
        if self.data_index:
            members.append(f"long:{self.data_index}")
        return "{" + ",".join(members) + "}"

    @classmethod
    def of(cls, data: Data) -> "Column":
        members = data.parts
        if not 2 <= len(members) <= 4:
            raise ValueError("a column descriptor has two to four members")
        return cls(members[0].number, members[1].octets.hex(), *(member.number for member in members[2:]))


def _whole(text: str) -> int:
    """ "1..n (decimal), hex (x)": ``10``, ``xa`` or ``0xa``."""
    match = _HEX.fullmatch(text)
    if match:
        return int(match[1], 16)
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal or x-hex number")
    return int(text)


def _ordinal(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise ValueError("counts from 1")
    return number


def _time(text: str) -> datetime:
    """ISO 8601; a time without zone is read as UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _column(text: str) -> Column:
    return Column.of(parse_literal(text))


def _columns(text: str) -> tuple[Column, ...]:
    """``Descriptor,{Descriptor}``: the list is an array literal without its brackets."""
    return tuple(Column.of(member) for member in parse_literal(f"[{text}]").parts)


def _plain(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Query:
    """Everything a GET may select by; ``None`` (or empty) where the parameter is absent: then it limits nothing."""

    sa_fromidx: int | None = None
    sa_count: int | None = None
    sa_toidx: int | None = None
    sa_fromcol: int | None = None
    sa_tocol: int | None = None
    sa_retrievecolumns: tuple[Column, ...] = ()
    sa_filtercolumn: Column | None = None
    sa_fromtype: Data | None = None
    sa_totype: Data | None = None
    q_fromidx: int | None = None
    q_count: int | None = None
    q_depth: int | None = None
    q_fromtime: datetime | None = None
    q_totime: datetime | None = None
    q_type: str | None = None
    q_obis: str | None = None
    q_level: str | None = None

    def encode(self) -> str:
        """The query string (without ``?``), "" if nothing is selected."""
        pairs = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value not in (None, ()):
                name = field.name.replace("_", ".", 1)
                pairs.append(f"{name}={quote(_write(value), safe=_SAFE)}")
        return "&".join(pairs)


_SAFE = "{}[]:,-._~"
"""Kept readable as in the standard's examples; ``+`` and ``&`` are always escaped."""

_READERS: dict[str, Callable[[str], Any]] = {
    "sa.fromidx": _ordinal,
    "sa.count": _ordinal,
    "sa.toidx": _ordinal,
    "sa.fromcol": _whole,
    "sa.tocol": _whole,
    "sa.retrievecolumns": _columns,
    "sa.filtercolumn": _column,
    "sa.fromtype": parse_literal,
    "sa.totype": parse_literal,
    "q.fromidx": _ordinal,
    "q.count": _whole,
    "q.depth": _whole,
    "q.fromtime": _time,
    "q.totime": _time,
    "q.type": _plain,
    "q.obis": _plain,
    "q.level": _plain,
}
_ALIASES = {"sa.from": "sa.fromtype", "sa.to": "sa.totype"}


def _write(value: object) -> str:
    if isinstance(value, Data):
        return to_literal(value)
    if isinstance(value, Column):
        return value.literal()
    if isinstance(value, tuple):
        return ",".join(map(_write, value))
    return value.isoformat() if isinstance(value, datetime) else str(value)


def parse_query(text: str) -> Query:
    """Read a query string; refuses ``cosem.query`` values out of range and unknown ``sa.``/``q.`` parameters.

    An empty value is the default of its row ("Leer: Unlimitiert").
    """
    found: dict[str, Any] = {}
    if not text:
        return Query()
    parameters = text.split("&")
    if len(parameters) > MAX_PARAMETERS:
        raise COSEM_QUERY(name="…", value="…", why=f"more than {MAX_PARAMETERS} parameters")
    for parameter in parameters:
        raw_name, _, raw_value = parameter.partition("=")
        name = unquote(raw_name)
        name = _ALIASES.get(name, name)
        if not name.startswith(("sa.", "q.")):
            continue
        field = name.replace(".", "_", 1)
        if field not in found:
            found[field] = _read(name, unquote(raw_value))
    return Query(**{field: value for field, value in found.items() if value is not None})


def _read(name: str, value: str) -> Any:
    reader = _READERS.get(name)
    if reader is None:
        raise COSEM_QUERY(name=name[:40], value=value[:80], why="unknown parameter")
    if not value:
        return None
    try:
        return reader(value)
    except (ValueError, OverflowError) as error:
        raise COSEM_QUERY(name=name, value=value[:80], why=str(error)) from error
    except Refusal as refusal:
        raise COSEM_QUERY(name=name, value=value[:80], why=str(refusal)) from refusal


def page(items: Sequence[T], query: Query) -> Sequence[T]:
    """The slice of a list that ``q.fromidx`` and ``q.count`` select ("Blättern durch große Listen", §7.10)."""
    start = (query.q_fromidx or 1) - 1
    return items[start : start + query.q_count] if query.q_count else items[start:]


def between(items: Iterable[T], query: Query, time_of: Callable[[T], datetime]) -> list[T]:
    """The items from ``q.fromtime`` (inclusive) to before ``q.totime`` (Detailspezifikationen, Tabelle 6.5)."""
    low, high = query.q_fromtime, query.q_totime
    return [item for item in items if (low is None or time_of(item) >= low) and (high is None or time_of(item) < high)]


def entries(items: Sequence[T], query: Query) -> Sequence[T]:
    """The entries of an array attribute that ``sa.fromidx``, ``sa.toidx`` and ``sa.count`` select together."""
    start = (query.sa_fromidx or 1) - 1
    stop = len(items) if query.sa_toidx is None else query.sa_toidx
    if query.sa_count is not None:
        stop = min(stop, start + query.sa_count)
    return items[start:stop]
