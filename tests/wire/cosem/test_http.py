"""Both ends of an HTTP connection back to back, and each against peers that break A2's rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cosem.http import ClientConnection, Limits, ServerConnection, encode_request, encode_response
from torwart.wire.cosem.message import METHODS, Request, Response

pytestmark = pytest.mark.requirement("WAN-1.2")

VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
NAMES = st.from_regex("x-[a-z]{1,12}", fullmatch=True)
HEADERS = st.dictionaries(NAMES, VALUES, max_size=4)
TARGETS = st.from_regex(r"/[!-~]{0,60}", fullmatch=True)
REQUESTS = st.builds(Request, st.sampled_from(METHODS), TARGETS, HEADERS, st.binary(max_size=300))
STATUSES = st.sampled_from([200, 201, 202, 206, 400, 404, 500, 503])
RESPONSES = st.builds(Response, STATUSES, HEADERS, st.binary(max_size=300)) | st.just(Response(204))
GET = b"GET /cosem HTTP/1.1\r\nHost: eppc.sm\r\nContent-Length: 0\r\n\r\n"


def pieces(data: st.DataObject, message: bytes) -> list[bytes]:
    """A fake network: the message in arbitrary pieces."""
    cuts = sorted(data.draw(st.lists(st.integers(1, max(1, len(message) - 1)), max_size=5)))
    parts = [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)], strict=True)]
    return [part for part in parts if part]


def last(receive: object, parts: list[bytes]) -> object:
    """Feed all pieces; only the last may complete the message."""
    results = [receive(part) for part in parts]  # type: ignore[operator]
    assert results[:-1] == [None] * (len(results) - 1)
    return results[-1]


@given(st.lists(st.tuples(REQUESTS, RESPONSES), min_size=1, max_size=3), st.data())
def test_two_ends_understand_each_other(exchanges: list[tuple[Request, Response]], data: st.DataObject) -> None:
    """Several exchanges on one connection, cut anywhere: each end gets what the other sent."""
    client, server = ClientConnection("eppc0212345678.sm"), ServerConnection()
    for request, response in exchanges:
        got = last(server.receive, pieces(data, client.send(request)))
        assert isinstance(got, Request)
        assert (got.method, got.target, got.body) == (request.method, request.target, request.body)
        assert {name: got.header(name) for name in request.headers} == request.headers
        assert got.header("Host") == "eppc0212345678.sm"
        answer = last(client.receive, pieces(data, server.send(response)))
        assert isinstance(answer, Response)
        assert (answer.status, answer.body) == (response.status, response.body)
        assert {name: answer.header(name) for name in response.headers} == response.headers
    assert not client.closed
    assert not server.closed


@settings(max_examples=300)
@given(REQUESTS, st.data())
def test_a_damaged_request_is_refused_or_another_one(request: Request, data: st.DataObject) -> None:
    """A flipped bit or a cut never raises anything but a refusal, and every refusal can be answered."""
    message = bytearray(encode_request(request, "h"))
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    server = ServerConnection()
    try:
        server.receive(bytes(message))
        server.receive(b"")
    except Refusal as refusal:
        assert server.closed
        answer = server.refuse(refusal)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 ")


@settings(max_examples=300)
@given(RESPONSES, st.data())
def test_a_damaged_response_is_refused_or_another_one(response: Response, data: st.DataObject) -> None:
    """The client's end likewise."""
    message = bytearray(encode_response(response))
    message[data.draw(st.integers(0, len(message) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    client = ClientConnection("h")
    client.send(Request("GET", "/"))
    try:
        client.receive(bytes(message))
        client.receive(b"")
    except Refusal:
        assert client.closed


def refused(message: bytes, limits: Limits | None = None) -> tuple[str, int]:
    """Code and status with which a server refuses ``message``."""
    server = ServerConnection(limits or Limits())
    with pytest.raises(Refusal) as caught:
        server.receive(message)
    answer = server.refuse(caught.value)
    assert server.closed
    return caught.value.code, int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize(
    ("message", "code", "status"),
    [
        (GET + b"G", "http.pipelining", 400),
        (GET + GET, "http.pipelining", 400),
        (b"GET /cosem HTTP/1.1\r\n\r\n", "http.malformed", 400),
        (b"GET /cosem HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "http.malformed", 400),
        (b"GET /cosem HTTP/1.0\r\nHost: a\r\n\r\n", "http.version", 506),
        (b"GET /cosem HTTP/2.0\r\nHost: a\r\n\r\n", "http.version", 506),
        (b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", "http.uri_too_long", 414),
        (b"GET /" + b"a" * 40_000, "http.uri_too_long", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nx-a: " + b"a" * 249 + b"\r\n\r\n", "http.header_too_long", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x-a: bcdefghij\r\n" * 65 + b"\r\n", "http.header_too_long", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x-a: bcdefghij\r\n" * 2000, "http.header_too_long", 431),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "http.length_required", 411),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "http.length_required", 411),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", "http.body_too_large", 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "http.malformed", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "http.malformed", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", "http.malformed", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", "http.malformed", 400),
    ],
    ids=lambda value: str(value)[:45],
)
def test_a_peer_that_breaks_the_rules_is_refused(message: bytes, code: str, status: int) -> None:
    """Each breach of A2 §7 or RFC 9112 has its refusal and its status, and ends the connection."""
    assert refused(message) == (code, status)


def test_a_header_line_of_255_bytes_is_taken() -> None:
    """The limit counts name, colon, blank, value, CR and LF (§7.3)."""
    line = b"x-a: " + b"a" * 248 + b"\r\n"

    assert len(line) == 255
    assert ServerConnection().receive(b"GET / HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n") is not None


def test_a_request_during_processing_is_pipelining() -> None:
    """Bytes that arrive before the response is sent end the session; nothing is answered to them."""
    server = ServerConnection()
    assert server.receive(GET) is not None

    with pytest.raises(Refusal) as caught:
        server.receive(b"G")

    assert caught.value.code == "http.pipelining"
    assert server.refuse(caught.value) == b""


def test_a_request_may_be_repeated_on_the_connection() -> None:
    """The connection persists (§7.1) and an idle one holds no parser."""
    server = ServerConnection()
    for _ in range(3):
        assert server.receive(GET) is not None
        assert server.send(Response(200)).startswith(b"HTTP/1.1 200 OK\r\n")
        assert not server.receiving
    assert server.receive(b"") is None
    assert server.closed


def test_a_client_that_hangs_up_early_is_not_forgotten() -> None:
    """The transport ends while a request is being processed: the answer can be made, the connection stays closed."""
    server = ServerConnection()
    server.receive(GET)
    assert server.receive(b"") is None

    assert server.send(Response(200)).startswith(b"HTTP/1.1 200")
    assert server.closed


def test_connection_close_is_kept_by_both() -> None:
    """A Connection header announces the end after the response (§7.1)."""
    client, server = ClientConnection("h"), ServerConnection()
    server.receive(client.send(Request("GET", "/", {"Connection": "close"})))

    answer = client.receive(server.send(Response(200)))

    assert answer is not None
    assert client.closed
    assert server.closed
    with pytest.raises(Refusal):
        client.send(Request("GET", "/"))


def test_a_response_without_request_cannot_be_sent() -> None:
    """§7.1: "Eine Response ohne Request ist nicht möglich"."""
    with pytest.raises(Refusal) as caught:
        ServerConnection().send(Response(200))

    assert caught.value.code == "http.unfit"


def test_a_transport_that_ends_in_a_request_is_told() -> None:
    """A half request is an end in the middle, a whole connection without one is not."""
    server = ServerConnection()
    server.receive(b"GET / HT")
    assert server.receiving

    with pytest.raises(Refusal) as caught:
        server.receive(b"")

    assert caught.value.code == "http.ended"
    assert server.refuse(caught.value) == b""
    assert server.receive(b"") is None
    with pytest.raises(Refusal):
        server.receive(GET)


def client_with_request(method: str = "GET") -> ClientConnection:
    client = ClientConnection("h")
    client.send(Request(method, "/"))
    return client


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "http.unsolicited"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "http.length_required"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "http.version"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n", "http.body_too_large"),
        (b"HTTP/1.1 200 OK\r\nx-a: " + b"a" * 300 + b"\r\n\r\n", "http.header_too_long"),
        (b"HTTP/1.1 200 OK\r\n" + b"x-a: aaaaaaaaaaaaaaa\r\n" * 3000, "http.header_too_long"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 9, "http.malformed"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "http.malformed"),
        (b"hello", None),
        (b"hello\r\n\r\n", "http.malformed"),
        (b"", "http.ended"),
    ],
    ids=lambda value: str(value)[:45],
)
def test_a_server_that_breaks_the_rules_is_refused(message: bytes, code: str | None) -> None:
    """Each breach by the server has its refusal and ends the session."""
    client = client_with_request()
    if code is None:
        assert client.receive(message) is None
        return
    with pytest.raises(Refusal) as caught:
        client.receive(message)

    assert caught.value.code == code
    assert client.closed


def test_a_response_without_content_length_has_no_body() -> None:
    """§7.3.2.3: "Fehlt der Content-Length Header wird ein leerer Body angenommen"."""
    client = client_with_request()

    answer = client.receive(b"HTTP/1.1 200 OK\r\n\r\n")

    assert answer == Response(200)
    assert not client.closed


def test_interim_responses_are_waited_through() -> None:
    """§7.4: after 1xx the client waits for another response."""
    client = client_with_request()
    assert client.receive(b"HTTP/1.1 100 Continue\r\n\r\n") is None

    answer = client.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    assert answer is not None
    assert answer.status == 200


def test_one_request_at_a_time() -> None:
    """A second request before the response is refused, the first is still answered."""
    client = client_with_request()

    with pytest.raises(Refusal) as caught:
        client.send(Request("GET", "/b"))

    assert caught.value.code == "http.busy"
    assert client.receive(b"HTTP/1.1 204 No Content\r\n\r\n") == Response(204)


def test_bytes_nobody_asked_for_end_the_session() -> None:
    """A response without request ends the session, also one that comes after the timeout."""
    idle, late = ClientConnection("h"), client_with_request("POST")
    assert late.expire().code == "http.timeout"

    with pytest.raises(Refusal) as unsolicited:
        idle.receive(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(Refusal) as too_late:
        late.receive(b"HTTP/1.1 200 OK\r\n\r\n")

    assert (unsolicited.value.code, too_late.value.code) == ("http.unsolicited", "http.ended")
    assert idle.closed


def test_the_end_of_an_idle_session_is_no_fault() -> None:
    """A transport that ends between exchanges just closes."""
    client = ClientConnection("h")

    assert client.receive(b"") is None
    assert client.closed


@pytest.mark.parametrize(
    "request_",
    [
        Request("PATCH", "/"),
        Request("GET", "/ a"),
        Request("GET", "cosem"),
        Request("GET", "/" + "a" * 4000),
        Request("GET", "/", {"x-a": "b\r\nx-c: d"}),
        Request("GET", "/", {"x a": "b"}),
        Request("GET", "/", {"x-a": "a" * 300}),
        Request("GET", "/", {"x-a": "\u20ac"}),
    ],
)
def test_what_must_not_be_sent_is_refused(request_: Request) -> None:
    """Unknown methods, overlong or unprintable targets and headers never leave, nor can a header smuggle a line."""
    client = ClientConnection("h")
    with pytest.raises(Refusal) as caught:
        client.send(request_)

    assert caught.value.code == "http.unfit"
    assert client.pending is None


def test_204_has_neither_body_nor_length() -> None:
    """Table 12: "Der Content-Length Header fehlt"."""
    assert encode_response(Response(204)) == b"HTTP/1.1 204 No Content\r\n\r\n"
    with pytest.raises(Refusal):
        encode_response(Response(204, body=b"x"))
