"""The audit trail as a file: lines of JSON that a stranger can check; needs no database (M-4)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torwart.kernel.refusals.audit import AUDIT_UNREADABLE
from torwart.rules.audit_chain import Break, Link, Verifier, canonical


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking a chain found: how far it was read and its head there, the first break, entries that wait for
    their link, and entries that have neither a link nor wait for one (written past the program).
    """

    seq: int
    head: bytes
    broken: Break | None
    pending: int = 0
    unchained: int = 0

    @property
    def intact(self) -> bool:
        return self.broken is None and not self.unchained


def line(link: Link) -> str:
    """A link as one line: ``seq``, ``previous`` and ``hash`` (hex), ``entry``."""
    shown = {"seq": link.seq, "previous": link.previous.hex(), "hash": link.hash.hex(), "entry": link.entry}
    return canonical(shown).decode()


def verify_export(lines: Iterable[str], heads: Mapping[int, bytes] | None = None) -> Verdict:
    """Check an exported trail from its first link on; ``heads`` are published seq → hash.

    Raises ``Refusal`` ``audit.unreadable`` for a line that is no link.
    """
    return judge(map(_parsed, enumerate(lines, 1)), heads or {})


def judge(links: Iterable[Link], heads: Mapping[int, bytes]) -> Verdict:
    """Check links as they come, in constant memory."""
    verifier = Verifier(heads)
    for each in links:
        if broken := verifier.check(each):
            return Verdict(verifier.seq, verifier.head, broken)
    return Verdict(verifier.seq, verifier.head, verifier.end())


def _parsed(numbered: tuple[int, str]) -> Link:
    number, text = numbered
    try:
        found = json.loads(text)
        previous, own = bytes.fromhex(found["previous"]), bytes.fromhex(found["hash"])
        return Link(int(found["seq"]), previous, own, dict(found["entry"]))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise AUDIT_UNREADABLE(line=number, why=f"{type(error).__name__} {error}"[:200]) from error
