"""The hash chain of the audit trail: whoever changes, removes or inserts an entry breaks it visibly (M-4).

Theory of operation
- ``hash = SHA-256(canonical({"entry": …, "previous": "<64 hex digits>", "seq": n}))``; the first entry has seq 1
  and 64 zeros as previous. A stranger needs the exported file, a JSON library and SHA-256, nothing of ours.
- Canonical is RFC 8785 (JSON Canonicalization Scheme) for the values we allow: text, whole numbers up to 2^53 - 1,
  true, false, null, lists and objects. No floats: their text differs between languages.
- The chain alone shows every change but one: cutting off its end, or writing the whole of it anew. Therefore heads
  (seq → hash) are published from time to time, and ``verify`` compares with them.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.audit import AUDIT_NOT_PLAIN
from torwart.kernel.words import Words

GENESIS = bytes(32)
_GREATEST = 2**53 - 1


class Link(NamedTuple):
    """An entry in its place: ``hash`` covers the other three."""

    seq: int
    previous: bytes
    hash: bytes
    entry: Mapping[str, Any]


class Fault(StrEnum):
    """What is wrong where a chain breaks."""

    CHANGED = "changed"
    TORN = "torn"
    GAP = "gap"
    NOT_PLAIN = "not_plain"
    REWRITTEN = "rewritten"
    CUT_OFF = "cut_off"


FAULTS: dict[Fault, Words] = {
    Fault.CHANGED: Words("der Eintrag wurde verändert", "the entry has been changed"),
    Fault.TORN: Words("er schließt nicht an den vorigen an", "it does not join the one before"),
    Fault.GAP: Words("es fehlen Einträge davor", "entries before it are missing"),
    Fault.NOT_PLAIN: Words("er enthält etwas, das nie verkettet wurde", "it contains what was never chained"),
    Fault.REWRITTEN: Words("er weicht vom veröffentlichten Kettenkopf ab", "it differs from the published head"),
    Fault.CUT_OFF: Words("die Kette endet vor dem veröffentlichten Kopf", "the chain ends before the published head"),
}


@dataclass(frozen=True, slots=True)
class Break:
    """The first place where a chain is broken."""

    seq: int
    fault: Fault

    @property
    def words(self) -> Words:
        return FAULTS[self.fault]


@dataclass(slots=True)
class Verifier:
    """Checks a chain link by link in constant memory; see ``verify``. ``seq`` and ``head`` say how far it has come."""

    heads: Mapping[int, bytes] = field(default_factory=dict)
    seq: int = 0
    head: bytes = GENESIS

    def check(self, link_: Link) -> Break | None:
        """Check the next link; after a break the verifier must not be used further."""
        fault = self._fault(link_)
        if fault:
            return Break(link_.seq, fault)
        self.seq, self.head = link_.seq, link_.hash
        return None

    def end(self) -> Break | None:
        """Whether a published head lies beyond the end."""
        latest = max(self.heads, default=0)
        return Break(latest, Fault.CUT_OFF) if latest > self.seq else None

    def _fault(self, link_: Link) -> Fault | None:
        if link_.seq != self.seq + 1:
            return Fault.GAP
        if link_.previous != self.head:
            return Fault.TORN
        try:
            right = link(link_.previous, link_.seq, link_.entry)
        except Refusal:
            return Fault.NOT_PLAIN
        if right != link_.hash:
            return Fault.CHANGED
        return Fault.REWRITTEN if self.heads.get(link_.seq, right) != right else None


def link(previous: bytes, seq: int, entry: Mapping[str, Any]) -> bytes:
    """The hash that binds ``entry`` to its place; raises ``audit.not_plain`` for what has no canonical form."""
    return hashlib.sha256(canonical({"entry": entry, "previous": previous.hex(), "seq": seq})).digest()


def verify(links: Iterable[Link], heads: Mapping[int, bytes] | None = None) -> Break | None:
    """The first break of a whole chain, from its first entry on, or ``None``. ``heads``: published seq → hash."""
    verifier = Verifier(heads or {})
    for each in links:
        if found := verifier.check(each):
            return found
    return verifier.end()


def canonical(value: Mapping[str, Any]) -> bytes:
    """RFC 8785: no blanks, keys sorted by their UTF-16 code units, UTF-8; raises ``audit.not_plain``."""
    return json.dumps(_plain(value, "entry"), ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object, where: str) -> object:
    """``value`` with its keys in order, checked to have exactly one text."""
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, where)
        case int() if abs(value) <= _GREATEST:
            return int(value)
        case Mapping():
            keys = sorted((_key(key, where) for key in value), key=lambda key: key.encode("utf-16-be"))
            return {key: _plain(value[key], f"{where}.{key}") for key in keys}
        case list() | tuple():
            return [_plain(item, f"{where}[{number}]") for number, item in enumerate(value)]
    raise AUDIT_NOT_PLAIN(where=where, what=type(value).__name__)


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise AUDIT_NOT_PLAIN(where=where, what=type(key).__name__)
    return _text(key, where)


def _text(text: str, where: str) -> str:
    """A plain ``str``; one with a lone surrogate has no UTF-8."""
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise AUDIT_NOT_PLAIN(where=where, what="surrogate")
    return str(text)
