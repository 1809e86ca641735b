"""The services where the peer is HTTP client: what a gateway or an EMT hands over goes to a worker before its 2xx.

ADMIN-SERVICE: a gateway's POSTs (events, alarms, answers to asynchronous calls – Notify in A2 §7.5); their content is
CMS for a worker's eyes, opaque here. EMT-SERVICE: an EMT's confirmation that readings arrived (our own form).
"""

import uuid
from hashlib import sha256

from torwart.headend.config import Scenario
from torwart.headend.session import Session
from torwart.headend.station import Station
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.headend import HEADEND_SLOW, HEADEND_TOO_OFTEN
from torwart.wire.cosem import Limits, MediaType, Request, Response, ServerConnection
from torwart.wire.emt_confirmation import TARGET as CONFIRMATIONS
from torwart.wire.tls import Negotiated

_LIMITS = Limits(body=1024 * 1024 - 32 * 1024)
"""A request with its headers must fit into one message of the bus (1 MiB)."""
_TOLD_HEADERS = ("content-type", "x-cid", "x-contacturi", "host")
_SAME = uuid.UUID("6c2a8f0e-5d0b-4f43-9f0f-0d6f1f6b7a51")


class _ServiceSession(Session):
    """A connection on which the peer asks. One request at a time; a second before the answer ends the session."""

    __slots__ = ("_http",)

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._http = ServerConnection(_LIMITS)

    async def respond(self, request: Request) -> Response:
        """The answer to one request."""
        raise NotImplementedError

    def received(self, data: bytes) -> None:
        fresh = not self._http.receiving
        try:
            request = self._http.receive(data)
        except Refusal as refusal:
            self.send(self._http.refuse(refusal))
            self.close(refusal)
            return
        if request is not None:
            self.station.spawn(self._answer(request))
        elif fresh:
            self.touch()  # a request has begun: from here it has its time, however it trickles

    async def _answer(self, request: Request) -> None:
        self.station.metrics[f"requests_{self.scenario.value.lower().replace('-', '_')}"] += 1
        response = await self.respond(request)
        if not self.is_open or not self._http.busy:  # it ended meanwhile
            return
        self.send(self._http.send(response))
        if self._http.closed:
            self.close()
            return
        self.touch()
        self.settled()

    def quiet_seconds(self) -> float:
        limits = self.station.limits
        return limits.request_seconds if self._http.receiving else limits.idle_seconds

    def too_slow(self) -> Refusal | None:
        if self._http.receiving:
            return HEADEND_SLOW(what="request", seconds=self.station.limits.request_seconds)
        return None

    @property
    def busy(self) -> bool:
        return self._http.busy

    async def hand_over(self, kind: str, request: Request, *, fact_id: str = "") -> Response:
        """Give the request to a worker as a fact; only what is stored is answered as done."""
        assert self.peer is not None
        headers = {name: value for name in _TOLD_HEADERS if (value := request.header(name))}
        details = {**self.details(), "target": request.target, "headers": headers}
        fact = self.station.facts.make(kind, self.peer.device, details, request.body, fact_id=fact_id)
        if await self.station.facts.deliver(fact):
            return Response(204)
        self.station.metrics["requests_put_off"] += 1
        return Response(503, {"Retry-After": str(self.station.limits.retry_after)})


class AdminServiceSession(_ServiceSession):
    """A gateway tells us something. Resources to fetch (firmware and the like) there are none yet: 404."""

    scenario = Scenario.ADMIN_SERVICE
    told = True
    __slots__ = ()

    def opened(self, agreed: Negotiated) -> None:
        assert self.peer is not None
        self.station.facts.tell("connected", self.peer.device, {**self.details(), **agreed.details()})

    async def respond(self, request: Request) -> Response:
        if request.method != "POST":
            return Response(404 if request.method == "GET" else 405)
        return await self.hand_over("notify", request, fact_id=self._fact_id(request))

    def _fact_id(self, request: Request) -> str:
        """The same protected content again is the same fact: a gateway that missed our 204 repeats its POST.

        Protected content never repeats by chance: each message has its own content key (TR-03116-3 §8.1).
        """
        assert self.peer is not None
        if not request.body or not MediaType.parse(request.header("content-type")).is_cms:
            return ""
        content = sha256(request.body).hexdigest()
        return str(uuid.uuid5(_SAME, f"{self.peer.device} {request.target} {content}"))


class EmtServiceSession(_ServiceSession):
    """An EMT confirms readings."""

    scenario = Scenario.EMT_SERVICE
    __slots__ = ("_counted",)

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._counted = False

    def opened(self, agreed: Negotiated) -> None:
        assert self.peer is not None
        held = self.station.held_by_emt
        if held[self.peer.device] >= self.station.limits.connections_per_emt:
            self.close(HEADEND_TOO_OFTEN(device=self.peer.device))
            return
        held.add(self.peer.device)
        self._counted = True

    def ended(self) -> None:
        if self._counted and self.peer is not None:
            self.station.held_by_emt.remove(self.peer.device)

    async def respond(self, request: Request) -> Response:
        if request.target != CONFIRMATIONS:
            return Response(404)
        if request.method != "POST":
            return Response(405)
        return await self.hand_over("emt", request)
