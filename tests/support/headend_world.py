"""Reading ordinary HTTP answers off a TLS peer of the head-end's tests."""

from dataclasses import dataclass
from typing import Any

import h11


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def read_response(peer: Any, *, head: bool = False) -> Answer:
    """One answer; what follows it stays with the peer for the next call."""
    http = h11.Connection(h11.CLIENT)
    method = b"HEAD" if head else b"GET"
    http.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    http.send(h11.EndOfMessage())
    early: bytes = peer.__dict__.pop("left_over", b"")
    if early:
        http.receive_data(early)
    response: Any = None
    body = b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await peer.read())
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            peer.left_over = http.trailing_data[0]
            headers = {name.decode(): value.decode() for name, value in response.headers}
            return Answer(response.status_code, headers, body)
