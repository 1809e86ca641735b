"""State tables: what they allow, what they refuse, and that none can trap a state."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.client_state import CLIENT, ClientState, ClientVerb
from torwart.kernel.contact_state import CONTACT_MAIL, SECURE, MailState, MailVerb, best
from torwart.kernel.gateway_state import ADMINISTERED, COMMISSIONING, GATEWAY, GatewayState, GatewayVerb
from torwart.kernel.order_state import ORDER, OrderState, OrderVerb
from torwart.kernel.refusals import Refusal
from torwart.kernel.run_state import RUN, WAITING_FOR, RunState, RunVerb, WaitingFor
from torwart.kernel.state import StateTable
from torwart.kernel.ticket_state import TICKET, TicketState, TicketVerb
from torwart.kernel.words import Words

TABLES = [
    pytest.param(RUN, RunState, RunVerb, id="run"),
    pytest.param(GATEWAY, GatewayState, GatewayVerb, id="gateway"),
    pytest.param(ORDER, OrderState, OrderVerb, id="order"),
    pytest.param(TICKET, TicketState, TicketVerb, id="ticket"),
    pytest.param(CLIENT, ClientState, ClientVerb, id="client"),
    pytest.param(CONTACT_MAIL, MailState, MailVerb, id="contact mail"),
]
every_table = pytest.mark.parametrize(("table", "states", "verbs"), TABLES)


@every_table
def test_every_state_and_verb_has_words(table: StateTable, states: type[StrEnum], verbs: type[StrEnum]) -> None:
    """Nothing in a table is without its German and English word, and no two states share one."""
    assert set(table.states) == set(states)
    assert set(table.verbs) == set(verbs)
    for language in ("de", "en"):
        words = [w.text(language) for w in table.states.values()]
        assert len(set(words)) == len(words)
        assert all(words)


@every_table
@given(data=st.data())
def test_any_walk_follows_the_table(
    table: StateTable, states: type[StrEnum], verbs: type[StrEnum], data: st.DataObject
) -> None:
    """Whatever verbs come, each is taken exactly when the state allows it, else refused with what is possible."""
    state = table.initial
    for verb in data.draw(st.lists(st.sampled_from(list(verbs)), max_size=30)):
        if verb in table.allowed(state):
            assert table.can(state, verb)
            state = table.next(state, verb)
            continue
        with pytest.raises(Refusal) as caught:
            table.next(state, verb)
        assert caught.value.code == "state.not_allowed"
        for allowed in table.allowed(state):
            assert table.verbs[allowed].en in caught.value.text("en")
    assert state in table.reachable(table.initial)


@every_table
def test_every_state_is_reached_and_ends(table: StateTable, states: type[StrEnum], verbs: type[StrEnum]) -> None:
    """From the first state all are reached, and from each a final one."""
    assert table.reachable(table.initial) == set(states)
    assert all(table.reachable(s) & set(table.final) for s in states)


@every_table
def test_the_diagram_shows_every_transition(table: StateTable, states: type[StrEnum], verbs: type[StrEnum]) -> None:
    """The picture is the table: one arrow per pair of states, labelled with all its verbs, ends marked."""
    diagram = table.mermaid("en").splitlines()

    assert diagram[0] == "stateDiagram-v2"
    arrows = {tuple(line.strip().split(": ")[0].split(" --> ")): line for line in diagram if " --> " in line}
    assert set(arrows) == (
        {(str(s), str(t)) for _, s, t in table.edges()}
        | {("[*]", str(table.initial))}
        | {(str(s), "[*]") for s in table.final}
    )
    assert all(table.verbs[v].en in arrows[str(s), str(t)] for v, s, t in table.edges())


@pytest.mark.requirement("O-8")
def test_the_run_table_is_that_of_the_catalogue() -> None:
    """received → accepted | refused → waiting → running → succeeded | failed | cancelled."""
    assert RUN.final == (RunState.REFUSED, RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)
    assert RUN.next(RUN.next(RUN.initial, RunVerb.ACCEPT), RunVerb.WAIT) is RunState.WAITING
    assert RUN.allowed(RunState.WAITING) == (RunVerb.RESUME, RunVerb.FAIL, RunVerb.CANCEL)
    assert RUN.sources(RunVerb.REFUSE) == (RunState.RECEIVED,)
    assert set(WAITING_FOR) == set(WaitingFor)


@pytest.mark.requirement("P03", "P04")
def test_commissioning_walks_from_delivery_note_to_operation() -> None:
    """The steps of a commissioning are the only way from delivered to in operation, in this order."""
    state = GATEWAY.initial
    for verb in (
        GatewayVerb.RESERVE,
        GatewayVerb.CONTACT,
        GatewayVerb.PERSONALISE,
        GatewayVerb.CONNECT,
        GatewayVerb.OPERATE,
    ):
        state = GATEWAY.next(state, verb)
    assert state is GatewayState.OPERATIONAL


@pytest.mark.requirement("P19", "G-14")
def test_a_lifted_block_starts_again() -> None:
    """Whatever was blocked goes back to delivered: trust returns by a whole commissioning."""
    for state in GATEWAY.sources(GatewayVerb.BLOCK):
        blocked = GATEWAY.next(state, GatewayVerb.BLOCK)
        assert GATEWAY.next(blocked, GatewayVerb.UNBLOCK) is GatewayState.DELIVERED
    assert not {GatewayState.BLOCKED} & (COMMISSIONING | ADMINISTERED)


@pytest.mark.parametrize(
    ("moves", "complaint"),
    [
        ((("go", ("a",), "b"), ("go", ("a",), "c"), ("end", ("b",), "c")), "two states"),
        ((("go", ("a",), "b"), ("end", ("a",), "b")), "cannot be reached: c"),
        ((("go", ("a", "b"), "b"), ("end", ("a",), "c")), "never end: b"),
        ((("go", ("a",), "b"), ("go", ("b",), "c")), "verbs without words or use: end"),
        ((("go", ("a",), "b"), ("end", ("b",), "d")), "without words: d"),
    ],
)
def test_a_table_with_a_trap_cannot_be_made(moves: tuple, complaint: str) -> None:
    """Ambiguous, orphaned, endless, unspoken or unknown entries fail at import."""
    letters = StrEnum("Letters", ["a", "b", "c", "d"])
    verbs = StrEnum("Verbs", ["go", "end"])
    with pytest.raises(ValueError, match=complaint):
        StateTable(
            subject=Words("x", "x"),
            initial=letters.a,
            states={s: Words(s, s) for s in (letters.a, letters.b, letters.c)},
            verbs={v: Words(v, v) for v in verbs},
            moves=tuple((verbs(v), tuple(letters(s) for s in sources), letters(t)) for v, sources, t in moves),
        )


@pytest.mark.requirement("S-MAIL-2", "S-MAIL-3")
@given(states=st.lists(st.sampled_from([state for state in MailState if state is not MailState.UNKNOWN])))
def test_a_new_or_expired_certificate_never_takes_away_what_a_tested_one_allows(states: list[MailState]) -> None:
    """A contact is as far as the best of its certificates; without any it is unknown."""
    found = best(states)

    assert (found in SECURE) == any(state in SECURE for state in states)
    assert found in (states or [MailState.UNKNOWN])


@pytest.mark.requirement("O-10")
def test_an_order_is_withdrawn_only_before_it_stands() -> None:
    """Withdrawing is for the first minute; afterwards an order is cancelled, and a finished one neither."""
    assert ORDER.sources(OrderVerb.WITHDRAW) == (OrderState.SUBMITTED,)
    assert not {OrderState.DONE, OrderState.WITHDRAWN} & set(ORDER.sources(OrderVerb.CANCEL))
