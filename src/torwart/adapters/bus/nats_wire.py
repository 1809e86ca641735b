"""The client's side of the NATS protocol as text and bytes: what we say, and a reader of what the server says.

Source: docs.nats.io, "Client Protocol". Lines end with CR LF; MSG and HMSG are followed by as many bytes as they name.
"""

import json
from typing import Any, NamedTuple

_MOST_LINE = 65_536
"""A control line is short; INFO is the longest. More without an end is no NATS server."""


class Message(NamedTuple):
    """MSG or HMSG; ``headers`` as received, without the payload."""

    subject: str
    sid: int
    reply: str
    headers: bytes
    data: bytes


class Info(NamedTuple):
    """What the server says of itself first."""

    values: dict[str, Any]


class Ping(NamedTuple):
    pass


class Pong(NamedTuple):
    pass


class Failed(NamedTuple):
    """-ERR with its text; the server closes the connection after most of them."""

    text: str


Said = Message | Info | Ping | Pong | Failed


class Reader:
    """Takes bytes as they come and gives what is complete. Raises ``ValueError`` for what no server says."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Said]:
        data = self._rest + data if self._rest else data
        found: list[Said] = []
        at = 0
        while (end := data.find(b"\r\n", at)) >= 0:
            line = data[at:end]
            if line[:4] in (b"MSG ", b"HMSG"):
                message, after = _message(line, data, end + 2)
                if message is None:
                    break
                found.append(message)
                at = after
            else:
                said = _control(line)
                if said is not None:
                    found.append(said)
                at = end + 2
        else:
            if len(data) - at > _MOST_LINE:
                raise ValueError("line without an end")
        self._rest = data[at:]
        return found


def _message(line: bytes, data: bytes, begin: int) -> tuple[Message | None, int]:
    """``MSG <subject> <sid> [reply] <size>`` or ``HMSG … <header size> <size>``; ``None`` while bytes are missing."""
    if line[:1] == b"H":
        _, subject, sid, *reply, head, size = line.decode().split()
    else:
        _, subject, sid, *reply, size = line.decode().split()
        head = "0"
    body, after = begin + int(head), begin + int(size) + 2
    if len(data) < after:
        return None, begin
    back = reply[0] if reply else ""
    return Message(subject, int(sid), back, data[begin:body], data[body : after - 2]), after


def _control(line: bytes) -> Said | None:
    word, _, rest = line.partition(b" ")
    match word.upper():
        case b"PING":
            return Ping()
        case b"PONG":
            return Pong()
        case b"INFO":
            return Info(json.loads(rest))
        case b"-ERR":
            return Failed(rest.decode(errors="replace").strip(" '"))
        case b"+OK":
            return None
    raise ValueError("unknown word")


def fields(headers: bytes) -> tuple[str, dict[str, str]]:
    """Status (``503``: nobody serves that subject) and fields of a header block ``NATS/1.0[ status]``."""
    first, *lines = headers.decode(errors="replace").split("\r\n")
    status = first.partition(" ")[2][:3]
    pairs = (line.partition(":") for line in lines if line)
    return status, {name: value.strip() for name, _, value in pairs}


def connect(options: dict[str, Any]) -> bytes:
    return b"CONNECT " + json.dumps(options).encode() + b"\r\n"


def sub(subject: str, queue: str, sid: int) -> bytes:
    group = f"{_plain(queue)} " if queue else ""
    return f"SUB {_plain(subject)} {group}{sid}\r\n".encode()


def unsub(sid: int) -> bytes:
    return f"UNSUB {sid}\r\n".encode()


def pub(subject: str, reply: str, payload: bytes, headers: dict[str, str] | None = None) -> bytes:
    """PUB, or HPUB if there are ``headers``, whose values are words of ours."""
    to = f"{_plain(subject)} {reply} " if reply else f"{_plain(subject)} "
    if not headers:
        return b"PUB %s%d\r\n%s\r\n" % (to.encode(), len(payload), payload)
    head = "".join(["NATS/1.0\r\n", *(f"{name}: {value}\r\n" for name, value in headers.items()), "\r\n"]).encode()
    return b"HPUB %s%d %d\r\n%s%s\r\n" % (to.encode(), len(head), len(head) + len(payload), head, payload)


PING, PONG = b"PING\r\n", b"PONG\r\n"


def _plain(subject: str) -> str:
    """A subject is one word; a space or a line end in it would be another command."""
    if not subject or " " in subject or not subject.isprintable():
        raise ValueError(f"no subject: {subject!r}")
    return subject
