"""How a fleet lives: which gateways there are in which state, and what was ordered for each of them, drawn at random.

The shares follow what operators of such fleets report: nine in ten gateways are in operation, 3 % of those in our care
are silent, 1 % of all last orders fail, two in a hundred are still open. The same seed draws the same fleet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import TypeVar

from torwart.kernel.gateway_state import ADMINISTERED, GATEWAY, GatewayState, GatewayVerb
from torwart.kernel.order_state import OPEN, OrderState

SILENT, FAILING, METERS_A_GATEWAY = 0.03, 0.01, 1.2
_Any = TypeVar("_Any")
_S, _V, _O = GatewayState, GatewayVerb, OrderState
_IN = (_V.RESERVE, _V.CONTACT, _V.PERSONALISE, _V.CONNECT, _V.OPERATE)
WAYS: Mapping[GatewayState, tuple[float, tuple[GatewayVerb, ...]]] = {
    _S.OPERATIONAL: (91.0, _IN),
    _S.CONNECTED: (0.6, _IN[:4]),
    _S.PERSONALISED: (0.2, _IN[:3]),
    _S.CONTACTED: (0.2, _IN[:2]),
    _S.RESERVED: (1.0, _IN[:1]),
    _S.DELIVERED: (3.5, ()),
    _S.SUSPENDED: (0.3, (*_IN, _V.SUSPEND)),
    _S.BLOCKED: (0.2, (*_IN, _V.BLOCK)),
    _S.REMOVED: (2.0, (*_IN, _V.REMOVE)),
    _S.HANDED_OVER: (0.5, (*_IN, _V.HAND_OVER)),
    _S.RETIRED: (0.5, (*_IN, _V.REMOVE, _V.RETIRE)),
}
"""Share in per cent of each state, and the verbs that lead there from delivered."""
_ORDERED = (("connectivity_test", 40.0), ("commissioning", 25.0), ("wake_up", 22.0), ("renewal", 13.0))
_ENDS = ((_O.DONE, 97.4), (_O.FAILED, 100 * FAILING), (_O.CANCELLED, 0.8), (_O.IN_PROGRESS, 0.8))
_WAITS_IN_STOCK = (
    (_O.ACCEPTED, 50.0),
    (_O.PROPOSED, 5.0),
    (_O.WITHDRAWN, 20.0),
    (_O.CANCELLED, 20.0),
    (_O.REFUSED, 5.0),
)
_YEARS = timedelta(days=1000)
_NETWORK = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Life:
    """One gateway. ``number`` counts from 0, ``client`` and ``note`` from 0; ``contact``: its last call."""

    number: int
    client: int
    state: GatewayState
    delivered: datetime
    since: datetime
    commissioned: datetime | None
    contact: datetime | None
    device: str
    meters: tuple[str, ...]

    @property
    def ours(self) -> bool:
        return self.state in ADMINISTERED or self.state is _S.SUSPENDED

    def moves(self) -> Iterator[tuple[datetime, GatewayVerb, GatewayState, GatewayState]]:
        """How it came into its state: when, by what, from, to; oldest first."""
        verbs, before = WAYS[self.state][1], _S.DELIVERED
        for place, verb in enumerate(verbs):
            last = place + 1 == len(verbs)
            start = self.commissioned if self.commissioned and place < len(_IN) else self.since
            at = self.since if last else start - timedelta(minutes=20 * (len(verbs) - place))
            after = GATEWAY.next(before, verb)
            yield at, verb, before, after
            before = after


@dataclass(frozen=True, slots=True)
class Case:
    """One order. ``begun`` and ``ended`` are empty where that has not happened."""

    life: Life
    process: str
    state: OrderState
    submitted: datetime
    requested: datetime | None
    begun: datetime | None
    ended: datetime | None

    @property
    def open(self) -> bool:
        return self.state in OPEN


def lives(gateways: int, clients: int, *, now: datetime, random: Random) -> Iterator[Life]:
    """The gateways; clients differ in size by the law of such markets: the first has some ten times the median."""
    states, shares = list(WAYS), list(accumulate(share for share, _ in WAYS.values()))
    owners, sizes = range(clients), list(accumulate(1 / (3 + place) for place in range(clients)))
    for number in range(gateways):
        (state,) = random.choices(states, cum_weights=shares)
        (client,) = random.choices(owners, cum_weights=sizes)
        yield _life(number, client, state, now, random)


def _life(number: int, client: int, state: GatewayState, now: datetime, random: Random) -> Life:
    way = WAYS[state][1]
    delivered = now - _YEARS * random.uniform(0.05, 1)
    commissioned = None
    since = delivered
    if len(way) >= len(_IN):
        commissioned = since = delivered + (now - delivered) * random.uniform(0.05, 0.9)
        if len(way) > len(_IN):
            since = commissioned + (now - commissioned) * random.uniform(0.1, 0.95)
    elif way:
        since = now - timedelta(minutes=random.randrange(20, 3 * 1440))
    return Life(
        number,
        client,
        state,
        delivered,
        since,
        commissioned,
        _last_call(state, since, now, random),
        f"EPPC{number // 10**8 + 2:02X}{number % 10**8:08d}",
        tuple(f"1EMH{place:02X}{number % 10**8:08d}" for place in range(1 + (random.random() < METERS_A_GATEWAY - 1))),
    )


def _last_call(state: GatewayState, since: datetime, now: datetime, random: Random) -> datetime | None:
    """Who is in our care calls several times a day; who has left called last when it left."""
    if state in (_S.DELIVERED, _S.RESERVED):
        return None
    if state not in ADMINISTERED:
        return since
    if random.random() < SILENT:
        return now - _NETWORK - timedelta(minutes=random.randrange(1, 20 * 1440))
    return now - timedelta(seconds=random.randrange(30, 8 * 3600))


def cases(fleet: Sequence[Life], *, now: datetime, random: Random) -> list[Case]:
    """One order a gateway, in the order in which they were placed."""
    return sorted((_case(life, now, random) for life in fleet), key=lambda case: case.submitted)


def _case(life: Life, now: datetime, random: Random) -> Case:
    if life.state is _S.DELIVERED:
        return _in_stock(life, now, random)
    if life.commissioned is None:
        submitted = life.since - timedelta(hours=random.randrange(2, 40))
        return Case(life, "commissioning", _O.IN_PROGRESS, submitted, None, life.since, None)
    process, state = _chosen(_ORDERED, random), _chosen(_ENDS, random)
    if state is not _O.DONE and process == "commissioning":
        process = "connectivity_test"
    if life.state in (_S.REMOVED, _S.RETIRED):
        process, state = "removal", _O.DONE
    if state is _O.IN_PROGRESS:
        submitted = now - timedelta(minutes=random.randrange(10, 4 * 1440))
        return Case(life, process, state, submitted, None, submitted + timedelta(seconds=60), None)
    if process == "commissioning":
        begun = life.commissioned - timedelta(minutes=140)
    elif process == "removal":
        begun = life.since - timedelta(minutes=30)
    else:
        begun = life.commissioned + (now - life.commissioned) * random.uniform(0.01, 0.99)
    ended = begun + timedelta(seconds=random.randrange(20, 7200))
    return Case(life, process, state, begun - timedelta(seconds=60), None, begun, min(ended, now))


def _in_stock(life: Life, now: datetime, random: Random) -> Case:
    state = _chosen(_WAITS_IN_STOCK, random)
    if state in OPEN:
        submitted = now - timedelta(minutes=random.randrange(10, 5 * 1440))
        return Case(life, "commissioning", state, submitted, now + timedelta(days=random.randrange(2, 30)), None, None)
    submitted = life.delivered + (now - life.delivered) * random.uniform(0.1, 0.95)
    wish = submitted + timedelta(days=10)
    return Case(life, "commissioning", state, submitted, wish, None, submitted + timedelta(seconds=45))


def _chosen(shares: Sequence[tuple[_Any, float]], random: Random) -> _Any:
    return random.choices([each for each, _ in shares], [share for _, share in shares])[0]
