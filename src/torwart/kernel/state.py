"""State machines as tables.

Rules of this file
1. Everything that decides what may follow what stands in a table; no other module compares states to decide it.
2. Buttons, ``allowed_actions`` of the API, diagrams and tests are read from the table, never written a second time.
3. A table that could trap or orphan a state cannot be made: it fails when its module is imported.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from torwart.kernel.refusals.state import NOT_ALLOWED
from torwart.kernel.words import Words

S = TypeVar("S", bound=StrEnum)
V = TypeVar("V", bound=StrEnum)
Move = tuple[V, tuple[S, ...], S]
"""One line of a table: this verb leads from each of these states to that one."""

_NOTHING = Words("nichts mehr (Endzustand)", "nothing more (final state)")


@dataclass(frozen=True)
class StateTable(Generic[S, V]):
    """A state machine. From a state, a verb leads to exactly one state; a state without verbs is final.

    ``states`` and ``verbs`` give each its words, in the order to show them. Raises ``ValueError`` for a table with
    a verb that leads to two states, a state that cannot be reached, or one from which no final state can be reached.
    """

    subject: Words
    initial: S
    states: Mapping[S, Words]
    verbs: Mapping[V, Words]
    moves: tuple[Move[V, S], ...]
    _next: dict[tuple[S, V], S] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for verb, source, target in self.edges():
            if (source, verb) in self._next:
                raise ValueError(f"{source} --{verb}--> leads to two states")
            self._next[source, verb] = target
        self._check_complete()

    def edges(self) -> Iterator[tuple[V, S, S]]:
        """Every single transition as (verb, source, target), in table order."""
        for verb, sources, target in self.moves:
            for source in sources:
                yield verb, source, target

    def allowed(self, state: S) -> tuple[V, ...]:
        """The verbs possible in ``state``, in the order of the table."""
        return tuple(verb for verb in self.verbs if (state, verb) in self._next)

    def can(self, state: S, verb: V) -> bool:
        return (state, verb) in self._next

    def next(self, state: S, verb: V) -> S:
        """Where ``verb`` leads from ``state``; raises ``Refusal`` ``state.not_allowed``, naming what is possible."""
        if (state, verb) not in self._next:
            possible = [self.verbs[v] for v in self.allowed(state)] or [_NOTHING]
            raise NOT_ALLOWED(
                subject_de=self.subject.de,
                subject_en=self.subject.en,
                verb_de=self.verbs[verb].de,
                verb_en=self.verbs[verb].en,
                state_de=self.states[state].de,
                state_en=self.states[state].en,
                allowed_de=", ".join(w.de for w in possible),
                allowed_en=", ".join(w.en for w in possible),
            )
        return self._next[state, verb]

    def is_final(self, state: S) -> bool:
        return not self.allowed(state)

    @property
    def final(self) -> tuple[S, ...]:
        """The states nothing leads out of."""
        return tuple(s for s in self.states if self.is_final(s))

    def sources(self, verb: V) -> tuple[S, ...]:
        """The states in which ``verb`` is possible."""
        return tuple(s for s in self.states if (s, verb) in self._next)

    def reachable(self, start: S) -> set[S]:
        """``start`` and every state some sequence of verbs leads to from it."""
        return _closure(start, [(source, target) for _, source, target in self.edges()])

    def mermaid(self, language: str | None = None) -> str:
        """The table as a Mermaid state diagram, for the documentation."""
        lines = ["stateDiagram-v2"]
        lines += [f"    {state.value}: {words.text(language)}" for state, words in self.states.items()]
        lines.append(f"    [*] --> {self.initial.value}")
        labels: dict[tuple[S, S], list[str]] = {}
        for verb, source, target in self.edges():
            labels.setdefault((source, target), []).append(self.verbs[verb].text(language))
        lines += [f"    {s.value} --> {t.value}: {', '.join(verbs)}" for (s, t), verbs in labels.items()]
        lines += [f"    {state.value} --> [*]" for state in self.final]
        return "\n".join(lines) + "\n"

    def _check_complete(self) -> None:
        edges = list(self.edges())
        unknown = {s for _, source, target in edges for s in (source, target)} - set(self.states)
        unspoken = {verb for verb, _, _ in edges} ^ set(self.verbs)
        orphans = set(self.states) - self.reachable(self.initial)
        back = [(target, source) for _, source, target in edges]
        ending = {s for end in self.final for s in _closure(end, back)}
        for what, found in (
            ("states without words", unknown),
            ("verbs without words or use", unspoken),
            ("states that cannot be reached", orphans),
            ("states that never end", set(self.states) - ending),
        ):
            if found:
                raise ValueError(f"{self.subject.en}: {what}: {', '.join(sorted(found))}")


def _closure(start: S, steps: Iterable[tuple[S, S]]) -> set[S]:
    following: dict[S, list[S]] = {}
    for source, target in steps:
        following.setdefault(source, []).append(target)
    found, waiting = {start}, [start]
    while waiting:
        new = [t for t in following.get(waiting.pop(), []) if t not in found]
        found.update(new)
        waiting.extend(new)
    return found
