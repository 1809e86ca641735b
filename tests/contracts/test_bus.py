"""The contract of the bus: one suite, every implementation (in one process, over a real NATS server)."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from torwart.adapters.bus import BlockingBus, InProcessBus, NatsBus, NatsServer
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.gateway import GATEWAY_BUSY
from torwart.ports.bus import Bus
from torwart.ports.gateway_link import Answer, Command, Fact, Policy

MEBIBYTE = 1024 * 1024
Story = Callable[[Bus, Bus], Awaitable[None]]
Play = Callable[[Story], None]


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with NatsServer() as running:
        yield running


@pytest.fixture(params=["in_process", "nats"])
def play(request: pytest.FixtureRequest) -> Play:
    """Runs a story with two ends of one bus: both connections to a server, or twice the same in-process bus."""
    url = request.getfixturevalue("server").url if request.param == "nats" else ""

    @asynccontextmanager
    async def ends() -> AsyncIterator[tuple[Bus, Bus]]:
        if url:
            one, other = await NatsBus.connect(url), await NatsBus.connect(url)
        else:
            one = other = InProcessBus()
        try:
            yield one, other
        finally:
            await one.close()
            await other.close()

    async def run(story: Story) -> None:
        async with ends() as (one, other):
            await story(one, other)

    return lambda story: asyncio.run(run(story))


async def echo(subject: str, payload: bytes) -> bytes:
    return subject.encode() + b"|" + payload


async def refused(call: Awaitable[object]) -> str:
    with pytest.raises(Refusal) as caught:
        await call
    return caught.value.code


def test_a_request_gets_the_answer_of_who_serves_the_subject(play: Play) -> None:
    """A command finds the head-end that holds the gateway, and its answer finds the way back."""

    async def story(worker: Bus, headend: Bus) -> None:
        await headend.subscribe("gw.EABC0012345678.cmd", echo)
        assert await worker.request("gw.EABC0012345678.cmd", b"\0\xff", timeout=2) == b"gw.EABC0012345678.cmd|\0\xff"

    play(story)


def test_no_responder_is_known_at_once(play: Play) -> None:
    """A gateway nobody holds is known as not connected without waiting for a time-out."""

    async def story(worker: Bus, headend: Bus) -> None:
        start = time.perf_counter()
        assert await refused(worker.request("gw.EABC0012345679.cmd", b"", timeout=5)) == "bus.no_responder"
        assert time.perf_counter() - start < 1

    play(story)


def test_a_late_answer_is_a_timeout(play: Play) -> None:
    """A responder that stays silent ends in bus.timeout, and the late answer harms no later request."""

    async def story(worker: Bus, headend: Bus) -> None:
        async def slow(subject: str, payload: bytes) -> bytes:
            await asyncio.sleep(0.2)
            return b"late"

        await headend.subscribe("slow", slow)
        await headend.subscribe("fast", echo)
        assert await refused(worker.request("slow", b"", timeout=0.05)) == "bus.timeout"
        await asyncio.sleep(0.25)
        assert await worker.request("fast", b"x", timeout=2) == b"fast|x"

    play(story)


def test_no_answer_meant_is_a_timeout(play: Play) -> None:
    """A handler that returns None answers nothing."""

    async def story(worker: Bus, headend: Bus) -> None:
        async def silent(subject: str, payload: bytes) -> None:
            return None

        await headend.subscribe("silent", silent)
        assert await refused(worker.request("silent", b"", timeout=0.05)) == "bus.timeout"

    play(story)


def test_a_failing_handler_is_told_without_its_content(play: Play) -> None:
    """What a handler raises reaches the requester as bus.handler_failed: a refusal by its code, else by its kind."""

    async def story(worker: Bus, headend: Bus) -> None:
        async def refuses(subject: str, payload: bytes) -> bytes:
            raise GATEWAY_BUSY(gateway="x", waiting=3)

        async def breaks(subject: str, payload: bytes) -> bytes:
            raise ValueError("secret")

        await headend.subscribe("refuses", refuses)
        await headend.subscribe("breaks", breaks)
        for subject, why in (("refuses", "gateway.busy"), ("breaks", "ValueError")):
            with pytest.raises(Refusal) as caught:
                await worker.request(subject, b"", timeout=2)
            assert (caught.value.code, caught.value.details["why"]) == ("bus.handler_failed", why)

    play(story)


def test_publish_reaches_every_subscriber_and_once_each_queue_group(play: Play) -> None:
    """A nudge reaches all who listen now; of a queue group exactly one member gets it."""

    async def story(worker: Bus, headend: Bus) -> None:
        got: list[str] = []

        def note(name: str) -> Callable[[str, bytes], Awaitable[None]]:
            async def handler(subject: str, payload: bytes) -> None:
                got.append(name)

            return handler

        await headend.subscribe("news", note("a"))
        await worker.subscribe("news", note("b"))
        await headend.subscribe("news", note("g"), queue="group")
        await worker.subscribe("news", note("g"), queue="group")
        for _ in range(10):
            await worker.publish("news", b"")
        await until(lambda: len(got) == 30)
        await asyncio.sleep(0.05)
        assert sorted(got) == ["a"] * 10 + ["b"] * 10 + ["g"] * 10

    play(story)


def test_publish_to_nobody_is_no_error(play: Play) -> None:
    """A nudge that nobody hears is lost, and that is all."""

    async def story(worker: Bus, headend: Bus) -> None:
        await worker.publish("nobody.listens", b"x")

    play(story)


@pytest.mark.parametrize(
    ("pattern", "hit", "miss"),
    [
        ("gw.*.cmd", "gw.a.cmd", "gw.a.b.cmd"),
        ("gw.*.cmd", "gw.a.cmd", "gw.a"),
        ("gw.>", "gw.a.b.cmd", "gw"),
        ("*", "gw", "gw.a"),
    ],
)
def test_wildcards_match_whole_tokens(play: Play, pattern: str, hit: str, miss: str) -> None:
    """``*`` stands for one token, ``>`` for one or more at the end."""

    async def story(worker: Bus, headend: Bus) -> None:
        await headend.subscribe(pattern, echo)
        assert await worker.request(hit, b"", timeout=2) == hit.encode() + b"|"
        assert await refused(worker.request(miss, b"", timeout=2)) == "bus.no_responder"

    play(story)


def test_an_ended_subscription_serves_no_more(play: Play) -> None:
    """Once a gateway's connection is gone and its subscription ended, requests learn it at once."""

    async def story(worker: Bus, headend: Bus) -> None:
        for subject in ("exact", "wild.*"):
            subscription = await headend.subscribe(subject, echo)
            await subscription.unsubscribe()
            await subscription.unsubscribe()
            await asyncio.sleep(0.02)
            assert await refused(worker.request(subject.replace("*", "x"), b"", timeout=2)) == "bus.no_responder"

    play(story)


def test_payloads_up_to_a_mebibyte_and_no_more(play: Play) -> None:
    """The largest allowed message passes both ways; one byte more is refused where it is sent."""

    async def story(worker: Bus, headend: Bus) -> None:
        async def mirror(subject: str, payload: bytes) -> bytes:
            return payload

        async def too_much(subject: str, payload: bytes) -> bytes:
            return payload + b"x"

        await headend.subscribe("mirror", mirror)
        await headend.subscribe("too_much", too_much)
        largest = b"x" * MEBIBYTE
        assert await worker.request("mirror", largest, timeout=5) == largest
        assert await refused(worker.request("mirror", largest + b"x", timeout=5)) == "bus.too_large"
        assert await refused(worker.publish("mirror", largest + b"x")) == "bus.too_large"
        with pytest.raises(Refusal) as caught:
            await worker.request("too_much", largest, timeout=5)
        assert caught.value.details["why"] == "bus.too_large"

    play(story)


def test_handlers_of_one_subject_run_side_by_side(play: Play) -> None:
    """One slow message does not hold up the next."""

    async def story(worker: Bus, headend: Bus) -> None:
        async def slow(subject: str, payload: bytes) -> bytes:
            await asyncio.sleep(0.1)
            return payload

        await headend.subscribe("slow", slow)
        start = time.perf_counter()
        answers = await asyncio.gather(*(worker.request("slow", bytes([n]), timeout=5) for n in range(20)))
        assert answers == [bytes([n]) for n in range(20)]
        assert time.perf_counter() - start < 1

    play(story)


def test_a_closed_bus_is_unavailable(play: Play) -> None:
    """After close every call says so instead of hanging."""

    async def story(worker: Bus, headend: Bus) -> None:
        await worker.close()
        assert await refused(worker.request("x", b"", timeout=1)) == "bus.unavailable"
        assert await refused(worker.publish("x", b"")) == "bus.unavailable"
        assert await refused(worker.subscribe("x", echo)) == "bus.unavailable"

    play(story)


def test_a_lost_server_fails_what_is_under_way_and_comes_back() -> None:
    """NATS down: what is under way and what is new is bus.unavailable at once; with the server all comes back."""

    async def story() -> None:
        first = await asyncio.to_thread(NatsServer)
        worker, headend = await NatsBus.connect(first.url), await NatsBus.connect(first.url)
        second: NatsServer | None = None

        async def stuck(subject: str, payload: bytes) -> None:
            await asyncio.sleep(30)

        try:
            await headend.subscribe("stuck", stuck)
            await headend.subscribe("echo", echo)
            under_way = asyncio.create_task(worker.request("stuck", b"", timeout=20))
            await asyncio.sleep(0.1)
            await asyncio.to_thread(first.stop)
            assert await refused(under_way) == "bus.unavailable"
            assert await refused(worker.request("echo", b"", timeout=5)) == "bus.unavailable"
            assert await refused(worker.publish("echo", b"")) == "bus.unavailable"
            second = await asyncio.to_thread(NatsServer, first.port)

            async def served() -> bool:
                try:
                    return await worker.request("echo", b"again", timeout=1) == b"echo|again"
                except Refusal as refusal:
                    if refusal.code not in ("bus.unavailable", "bus.no_responder"):
                        raise
                    return False

            deadline = time.monotonic() + 10
            while not await served():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
        finally:
            await worker.close()
            await headend.close()
            first.stop()
            if second is not None:
                second.stop()

    asyncio.run(story())


def test_no_server_at_all_is_said_in_time() -> None:
    """Connecting to nothing ends in bus.unavailable after the given time."""

    async def story() -> None:
        start = time.perf_counter()
        assert await refused(NatsBus.connect("nats://127.0.0.1:1", timeout=0.3)) == "bus.unavailable"
        assert time.perf_counter() - start < 3

    asyncio.run(story())


def test_threads_call_and_serve_through_the_blocking_face(server: NatsServer) -> None:
    """Worker threads request, serve and learn refusals without touching an event loop."""
    worker = BlockingBus.start(lambda: NatsBus.connect(server.url))
    other = BlockingBus.start(lambda: NatsBus.connect(server.url))
    try:
        threads: set[int] = set()

        def handler(subject: str, payload: bytes) -> bytes:
            threads.add(threading.get_ident())
            return payload[::-1]

        end = other.subscribe("reverse", handler)
        assert worker.request("reverse", b"abc", timeout=2) == b"cba"
        assert threading.get_ident() not in threads
        worker.publish("reverse", b"x")
        end()
        time.sleep(0.02)
        with pytest.raises(Refusal) as caught:
            worker.request("reverse", b"", timeout=2)
        assert caught.value.code == "bus.no_responder"
    finally:
        worker.close()
        other.close()
    with pytest.raises(Refusal) as caught:
        worker.request("reverse", b"", timeout=2)
    assert caught.value.code == "bus.unavailable"


def test_a_blocking_bus_that_cannot_connect_says_so() -> None:
    """The refusal of the connection attempt is raised in the thread that asked."""
    with pytest.raises(Refusal) as caught:
        BlockingBus.start(lambda: NatsBus.connect("nats://127.0.0.1:1", timeout=0.2))
    assert caught.value.code == "bus.unavailable"


def test_messages_survive_the_way(play: Play) -> None:
    """Command, answer, fact and policy come out of the bus as they went in, bodies of any bytes included."""
    messages = (
        Command("PUT", "/cosem", {"Host": "eabc.sm"}, bytes(range(256)), 20.0, "request"),
        Answer(200, {"a": "b"}, b"\0\n", "", {"since": "x"}),
        Fact("id", "notify", "EABC0012345678", "2027-01-01T00:00:00Z", {"scenario": "ADMIN-SERVICE"}, b"\xff"),
        Policy(7, {"CN=x": ["1f"]}, ["EABC0012345678"], None),
    )

    async def story(worker: Bus, headend: Bus) -> None:
        async def mirror(subject: str, payload: bytes) -> bytes:
            return payload

        await headend.subscribe("mirror", mirror)
        for message in messages:
            assert type(message).decode(await worker.request("mirror", message.encode(), timeout=2)) == message

    play(story)


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
