"""Long random damage to everything a gateway or EMT may send: only refusals may come of it."""

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.wire import logbook
from torwart.wire.cosem import ClientConnection, Request, Response, ServerConnection
from torwart.wire.cosem.data import Data, array, octet_string, structure
from torwart.wire.cosem.http import encode_request, encode_response
from torwart.wire.cosem.literal import parse_literal
from torwart.wire.cosem.query import parse_query
from torwart.wire.cosem.tree import Attribute, Listing, LogicalDevice, Object, Objects, decode, encode
from torwart.wire.cosem.uri import ObjectId, parse_target
from torwart.wire.profiles import MeterProfile, parse_profile
from torwart.wire.readings import READINGS_NAME, Column, Reading, Readings
from torwart.wire.smgw import Event, event_of, event_request

pytestmark = [pytest.mark.fuzz, pytest.mark.requirement("WAN-1.2", "WAN-4.1", "WAN-4.2", "WAN-4.3")]

ROUNDS = 4000
AT = datetime(2026, 3, 1, tzinfo=UTC)
METER = DeviceId("1LGZ0072999211")
OBJECT = Object(ObjectId(3, "0100010801ff"), 0, Listing.of([Attribute(2, array(structure(octet_string(b"\1"))))]))
READINGS = Readings(READINGS_NAME, "taf7-1", (Column(ObisCode("1-0:1.8.0"), "1lgz", (Reading(AT, 5, -1, 30, 4),)),))
ENTRY = logbook.Entry(1, 1, AT, logbook.Level.INFO, "v", 1, template="[A]", extensions=("b",))
EVENT = Event(DeviceId("EPPC0212345678"), 1, AT, 1, "INFO", "v", 1, "text", parameters=("a",))


def _server(message: bytes) -> None:
    server = ServerConnection()
    server.receive(message)
    server.receive(b"")


def _client(message: bytes) -> None:
    client = ClientConnection("h")
    client.send(Request("GET", "/"))
    client.receive(message)
    client.receive(b"")


SUBJECTS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "objects": (encode(Objects(Listing.of([OBJECT]))), decode),
    "device": (encode(LogicalDevice("1lgz0072999211.sm", Listing.of([OBJECT]))), decode),
    "profile": (MeterProfile.with_key(METER, (ObisCode("1-0:1.8.0"),), bytes(16)).to_xml(), parse_profile),
    "readings": (READINGS.to_xml(), Readings.from_xml),
    "log": (logbook.build("0000636201ff", "e", [ENTRY]).to_xml(), logbook.parse),
    "event": (event_request(EVENT, "h").body, event_of),
    "request": (encode_request(Request("PUT", "/cosem", {"Content-Type": "a/b"}, b"body"), "h"), _server),
    "response": (encode_response(Response(206, {"Content-Range": "bytes 0-3/9"}, b"body")), _client),
    "literal": (b"[{boolean:1,octet-string:1234},long:[1,2]]", lambda text: parse_literal(text.decode("latin-1"))),
    "query": (
        b"sa.filtercolumn={long:3,octet-string:0100010800ff}&q.count=x1f&q.fromtime=2026-01-01",
        lambda text: parse_query(text.decode("latin-1")),
    ),
    "target": (
        b"/cosem/ldevs/%01a/objects/3-0100010800ff/attributes/-1?q.depth=1",
        lambda text: parse_target(text.decode("latin-1")),
    ),
}


def damaged(rng: random.Random, message: bytes) -> bytes:
    """One to four cuts, doublings, insertions or replacements."""
    data = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([0, 1, 1, 2, 9, 40]))
        piece = bytes(data[start:end])
        other = rng.randrange(len(data) + 1)
        data[start:end] = rng.choice([b"", piece * 2, rng.randbytes(1), b"<", b"0", bytes(data[other : other + 9])])
    return bytes(data)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_damage_is_refused_or_harmless(subject: str) -> None:
    """Whatever damage does to a message, reading it answers something or refuses by name."""
    message, read = SUBJECTS[subject]
    rng = random.Random(subject)
    read(message)
    refused = 0
    for _ in range(ROUNDS):
        try:
            read(damaged(rng, message))
        except Refusal:
            refused += 1
    assert refused > ROUNDS // 20


def test_random_values_are_refused_or_values() -> None:
    """Any Python value offered to any type makes a value that survives the wire, or a refusal."""
    offers = [None, True, -1, 0, 255, 2**63, 2**64, "0101", "x\x00", b"", b"1234", b"12345678", (), (1,), 1.5, [], {}]
    kinds = ["null-data", "array", "boolean", "bit-string", "octet-string", "visible-string", "long64", "float32", "?"]
    for kind in kinds:
        for offer in offers:
            try:
                made = Data(kind, offer)  # type: ignore[arg-type]
            except Refusal:
                continue
            assert decode(encode(Attribute(2, made))) == Attribute(2, made)
