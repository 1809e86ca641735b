"""Block transfer: A2's numbers, resuming, gaps and lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cosem.blocks import (
    Block,
    BlockReader,
    Transfers,
    block_of_put,
    cut,
    parse_content_range,
    parse_range,
    put_blocks,
)
from torwart.wire.cosem.message import Request, Response

pytestmark = pytest.mark.requirement("WAN-1.2")


def test_example_of_7_12_1() -> None:
    """A resource of 1000 bytes in two blocks, with the very headers of the standard's example."""
    body = bytes(range(250)) * 4

    assert cut(body, parse_range("bytes 0-511")) == (body[:512], "bytes 0-511/1000")
    assert cut(body, parse_range("bytes 512-")) == (body[512:], "bytes 512-999/1000")
    assert parse_range("bytes=1024-2047") == Block(1024, 2047)
    assert parse_content_range("bytes 1024-2047/2048") == Block(1024, 2047, 2048)


@pytest.mark.parametrize("text", ["", "bytes", "bytes=-5", "bytes=5-1", "bytes=0-1,3-4", "items=0-1", "bytes=a-b"])
def test_wrong_ranges_are_refused(text: str) -> None:
    """Suffixes, lists and nonsense are no range here."""
    with pytest.raises(Refusal) as caught:
        parse_range(text)

    assert caught.value.code == "cosem.range"


@pytest.mark.parametrize("text", ["", "bytes 5-1/9", "bytes 0-9/9", "bytes=0-1/2", "bytes 0-1"])
def test_wrong_content_ranges_are_refused(text: str) -> None:
    """A Content-Range must be consistent in itself."""
    with pytest.raises(Refusal):
        parse_content_range(text)


@given(st.binary(min_size=1, max_size=200), st.integers(1, 60), st.data())
def test_blocks_of_a_put_make_the_body(body: bytes, size: int, data: st.DataObject) -> None:
    """Written in blocks, some of them twice because the answer was lost, the body arrives whole, and only then."""
    transfers = Transfers()
    whole = None
    for request in put_blocks(Request("PUT", "/x", {"Content-Type": "a"}, body), size):
        block = block_of_put(request)
        if block is None:
            whole = request.body
            continue
        repeated = data.draw(st.integers(1, 2)) if block.last != len(body) - 1 else 1
        for _ in range(repeated):
            assert whole is None
            whole = transfers.write("key", block, request.body)
    assert whole == body
    assert transfers.held("key") == 0


def test_an_open_range_is_the_last_block() -> None:
    """Without Content-Range the block whose range is open ends the transfer."""
    transfers = Transfers()
    first = Request("PUT", "/x", {"Range": "bytes=0-1"}, b"ab")
    last = Request("PUT", "/x", {"Range": "bytes=2-"}, b"cd")
    blocks = [block_of_put(first), block_of_put(last)]
    assert blocks == [Block(0, 1), Block(2)]

    assert transfers.write(1, Block(0, 1), b"ab") is None
    assert transfers.write(1, Block(2), b"cd") == b"abcd"


@pytest.mark.parametrize(
    "headers",
    [{"Range": "bytes=0-5"}, {"Content-Range": "bytes 0-0/9"}, {"Content-Range": "bytes 0-1/9", "Range": "bytes=0-2"}],
)
def test_a_block_that_contradicts_its_body_is_refused(headers: dict[str, str]) -> None:
    """The headers must tell exactly the bytes that came."""
    with pytest.raises(Refusal) as caught:
        block_of_put(Request("PUT", "/x", headers, b"ab"))

    assert caught.value.code == "cosem.range"


def test_gaps_and_endless_bodies_are_refused() -> None:
    """A block must join what is held, and what is held is bounded."""
    transfers = Transfers(limit=10)

    with pytest.raises(Refusal) as gap:
        transfers.write(1, Block(4, 5, 9), b"ab")
    with pytest.raises(Refusal) as endless:
        transfers.write(1, Block(0, 10), b"a" * 11)

    assert (gap.value.code, gap.value.details["held"]) == ("cosem.range", 0)
    assert endless.value.code == "http.body_too_large"


def test_only_some_transfers_are_kept() -> None:
    """A peer that begins transfers and leaves them cannot fill the memory."""
    transfers = Transfers(keep=2)
    for key in "abc":
        transfers.begin(key, b"x")
        transfers.write(key, Block(0, 0, 9), b"x")

    assert [transfers.known(key) for key in "abc"] == [None, b"x", b"x"]
    assert [transfers.held(key) for key in "abc"] == [0, 1, 1]


@given(st.binary(min_size=1, max_size=300), st.integers(1, 80))
def test_a_reader_collects_the_blocks(body: bytes, size: int) -> None:
    """The client's reader asks exactly for what is missing until it has all."""
    reader = BlockReader(Request("GET", "/x"), size)
    while not reader.done:
        asked = parse_range(reader.next().header("Range"))
        piece, where = cut(body, asked)
        reader.feed(Response(206, {"Content-Range": where}, piece))
    assert reader.body == body


def test_a_reader_starts_anew_and_refuses_other_blocks() -> None:
    """After 416 it begins again; a block it did not ask for is refused; a whole answer is taken."""
    reader = BlockReader(Request("GET", "/x"), 2)
    reader.feed(Response(206, {"Content-Range": "bytes 0-1/4"}, b"ab"))
    with pytest.raises(Refusal):
        reader.feed(Response(206, {"Content-Range": "bytes 0-1/4"}, b"ab"))
    with pytest.raises(Refusal):
        reader.feed(Response(404))
    reader.feed(Response(416))
    assert reader.next().header("Range") == "bytes=0-1"
    reader.feed(Response(200, {}, b"abcd"))
    assert (reader.done, reader.body) == (True, b"abcd")


def test_a_reader_does_not_collect_without_end() -> None:
    """A resource larger than its limit, or without told size, is refused at the first block."""
    for where in ("bytes 0-1/99", "bytes 0-1/*"):
        with pytest.raises(Refusal) as caught:
            BlockReader(Request("GET", "/x"), 2, limit=50).feed(Response(206, {"Content-Range": where}, b"ab"))
        assert caught.value.code == "cosem.answer"
