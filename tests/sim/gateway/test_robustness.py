"""Whatever the other side sends, the gateway answers by name or hangs up, and lives on."""

import asyncio
import random
from typing import Any

import pytest

from torwart.kernel.refusals import Refusal
from torwart.wire import cms
from torwart.wire.cosem import MEDIA_TYPE_CMS, Request
from torwart.wire.smgw import RequestOrder

pytestmark = pytest.mark.requirement("WAN-1.2", "WAN-1.4")


async def again(w: Any, before: int) -> None:
    """After a hang-up: wake it, and it is there."""
    if not w.head_end.sessions:
        w.gateway.management.want()
        await w.connected(after=before)


def test_damaged_messages_never_harm(world: Any) -> None:
    """Protected requests with flipped bits or cut off are refused with 422 or another status; nothing is done."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            chance = random.Random(7)
            enc = w.head_end.knows[str(w.device)][1]
            question = w.smgw.certificate_request(RequestOrder("O", "U", 1))
            whole = cms.protect(question.request.body, signer=w.head_end.signer, recipient=cms.Recipient.of(enc))
            for _ in range(150):
                position = chance.randrange(len(whole))
                damaged = bytearray(whole)
                damaged[position] ^= 1 << chance.randrange(8)
                body = bytes(damaged) if chance.random() < 0.7 else whole[:position]
                request = Request(
                    "POST", question.request.target, {**question.request.headers, "Content-Type": MEDIA_TYPE_CMS}, body
                )
                caller = w.head_end.sessions[str(w.device)].caller
                assert (await caller.exchange(request)).status >= 400
            assert (await w.ask(w.smgw.read_clock())).at is not None

    asyncio.run(story())


def test_garbage_ends_the_session_and_nothing_else(world: Any) -> None:
    """Bytes that are no HTTP are answered with an error and the connection ends; the next one works."""

    async def story() -> None:
        async with world() as w:
            chance = random.Random(11)
            await w.connected()
            for number in range(12):
                before = w.head_end.session_count
                stream = w.head_end.sessions[str(w.device)].stream
                garbage = [
                    bytes(chance.randrange(256) for _ in range(200)) + b"\r\n\r\n",
                    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
                    b"POST /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" * 2,
                ][number % 4]
                await stream.write(garbage)
                try:
                    while await stream.read():
                        pass
                except Refusal:
                    pass
                await w.head_end.until(lambda: not w.head_end.sessions)
                await again(w, before)
            assert (await w.ask(w.smgw.read_clock())).at is not None

    asyncio.run(story())


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/cosem/ldevs/eppc0200000001.sm/objects/9-0000010000ff/attributes/2", 404),
        ("GET", "/elsewhere", 404),
        ("PUT", "/cosem/ldevs/eppc0200000001.sm/objects/8-0000010000ff", 404),
        ("DELETE", "/cosem/ldevs/eppc0200000001.sm", 405),
        ("DELETE", "/cosem/ldevs/eppc0200000001.sm/objects/8-0000010000ff", 405),
        ("POST", "/cosem/ldevs/eppc0200000001.sm/objects/64-00002b0000ff/methods/99", 404),
        ("PATCH", "/cosem", 501),
    ],
)
def test_requests_that_make_no_sense_get_their_status(world: Any, method: str, target: str, status: int) -> None:
    """What is not there, not allowed or not implemented is told apart."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            stream = w.head_end.sessions[str(w.device)].stream
            head = f"{method} {target} HTTP/1.1\r\nHost: {w.device.host}\r\nContent-Length: 0\r\n\r\n"
            await stream.write(head.encode())
            answer = await stream.read()
            assert answer.startswith(f"HTTP/1.1 {status} ".encode()) or (status == 404 and b" 20" in answer[:16])

    asyncio.run(story())


def test_a_wrong_host_is_refused(world: Any) -> None:
    """A request for another gateway is none of this one's (403)."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            caller = w.head_end.sessions[str(w.device)].caller
            response = await caller.exchange(Request("GET", "/cosem", {"Host": "eppc0299999999.sm"}))
            assert response.status == 403

    asyncio.run(story())
