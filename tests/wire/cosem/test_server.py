"""The resource server: A2's verbs, statuses, depths, containers, blocks, asynchronous answers, and hostile requests."""

import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import COSEM_TOO_SLOW
from torwart.wire.cosem.blocks import BlockReader, put_blocks
from torwart.wire.cosem.data import Data, octet_string, visible_string
from torwart.wire.cosem.message import MEDIA_TYPE_CMS, MEDIA_TYPE_XML, METHODS, Request, Response, new_correlation
from torwart.wire.cosem.query import Query
from torwart.wire.cosem.resources import (
    LATER,
    ActionResult,
    Binding,
    BoundObjects,
    Later,
    Reply,
    StoredDevice,
    StoredTree,
    application_error,
)
from torwart.wire.cosem.server import MAX_CONTENT, ResourceServer
from torwart.wire.cosem.tree import (
    Attribute,
    Attributes,
    Container,
    Containers,
    Cosem,
    Devices,
    Listing,
    LogicalDevice,
    MethodCall,
    MethodResponse,
    Methods,
    Node,
    Object,
    Objects,
    decode,
    decode_as,
    encode,
)
from torwart.wire.cosem.uri import Address, Level, ObjectId

pytestmark = pytest.mark.requirement("WAN-1.2")

GATEWAY = "eppc0212345678.sm"
METER = "1lgz0072999211.sm"
CLOCK = f"/cosem/ldevs/{GATEWAY}/objects/8-0000010000ff"
REGISTER = f"/cosem/ldevs/{METER}/objects/3-0100010801ff"
CONTAINER = f"/cosem/ldevs/{METER}/containers/1-00005e3101ff"
CONTACT = "https://hes.example/hes/cosem/ldevs/gwa.sm/objects/9000-0000000000ff/methods/2"

BODIES = [encode(Attribute(3, Data("long", 1))), encode(MethodCall(Data("long", 1)))]


class Gateway:
    """The state behind the bound objects."""

    def __init__(self) -> None:
        self.offset = 0
        self.replies: list[Reply | None] = []

    def reset(self, parameter: Data | None, _reply: Reply | None) -> Data | None:
        self.offset = parameter.number if parameter else 0
        return Data("integer", 0) if parameter else None

    def self_test(self, _parameter: Data | None, reply: Reply | None) -> Later:
        if reply is None:
            raise COSEM_TOO_SLOW()
        self.replies.append(reply)
        return LATER

    def fail(self, _parameter: Data | None, _reply: Reply | None) -> None:
        raise application_error(ActionResult.TEMPORARY_FAILURE, "the module is busy")


def _set_offset(gateway: Gateway, data: Data) -> None:
    gateway.offset = data.number


BINDINGS = {
    binding.id: binding
    for binding in (
        Binding(
            ObjectId(8, "0000010000ff"),
            readers={2: lambda _, __: octet_string(b"\0" * 12), 3: lambda gateway, _: Data("long", gateway.offset)},
            writers={3: _set_offset},
            callers={1: Gateway.reset, 2: Gateway.self_test, 3: Gateway.fail},
        ),
        Binding(ObjectId(1, "00002a0000ff"), readers={2: lambda _, __: visible_string(GATEWAY)}),
    )
}
MEMBERS = (Object(ObjectId(3, "0100010801ff"), 0, Listing.of([Attribute(2, Data("long", 1))])),)


class Managed:
    """The management device: bound objects, no containers."""

    def __init__(self, gateway: Gateway) -> None:
        self.objects = BoundObjects(BINDINGS, gateway)
        self.containers: dict = {}


def make(**options: object) -> tuple[ResourceServer, StoredTree, Gateway]:
    gateway = Gateway()
    resources = StoredTree(GATEWAY, {GATEWAY: Managed(gateway)})
    for tariff in ("0100010801ff", "0100010802ff"):
        node = Object(ObjectId(3, tariff), 0, Listing.of([Attribute(2, Data("long64", 5))]))
        resources.create(Address(Level.OBJECT, METER, ObjectId(3, tariff)), node)
    resources.create(
        Address(Level.DEVICE_CONTAINER, METER, ObjectId(1, "00005e3101ff")), Container("00005e3101ff", 1, MEMBERS)
    )
    return ResourceServer(resources, hosts=[GATEWAY], **options), resources, gateway


def ask(server: ResourceServer, method: str, target: str, node: Node | None = None, **headers: str) -> Response:
    given = {"Host": GATEWAY, "Content-Length": "0", **({"Content-Type": MEDIA_TYPE_XML} if node else {})}
    request = Request(method, target, given, encode(node) if node else b"").with_headers(**headers)
    return server.handle(request)


def test_an_attribute_is_read_and_written() -> None:
    """Get and Set of one attribute (A2 §8.2.10)."""
    server, _, gateway = make()

    written = ask(server, "PUT", f"{CLOCK}/attributes/3", Attribute(3, Data("long", 60)))
    read = ask(server, "GET", f"{CLOCK}/attributes/3")

    assert (written.status, written.body, gateway.offset) == (204, b"", 60)
    assert read.status == 200
    assert read.header("Content-Type") == MEDIA_TYPE_XML
    assert decode(read.body) == Attribute(3, Data("long", 60))


def test_attribute_0_is_all_positive_attributes() -> None:
    """A2 Tabelle 4: index 0 is the special case of all attributes above 0."""
    answer = decode_as(Attributes, ask(make()[0], "GET", f"{CLOCK}/attributes/0").body)

    assert [attribute.index for attribute in answer.list.items] == [1, 2, 3]


def test_depths_of_7_10() -> None:
    """Whole list, trailing slash and q.depth=1 alike shallow, q.depth=0 only the count."""
    server, _, _ = make()
    path = f"/cosem/ldevs/{METER}/objects"
    ids = [ObjectId(3, "0100010801ff"), ObjectId(3, "0100010802ff")]

    full = decode_as(Objects, ask(server, "GET", path).body)

    assert [(found.id, found[2]) for found in full.list.items] == [(name, Data("long64", 5)) for name in ids]
    shallow = Objects(Listing.of([Object(name) for name in ids]))
    assert decode(ask(server, "GET", path + "/").body) == shallow
    assert decode(ask(server, "GET", path + "?q.depth=1").body) == shallow
    assert decode(ask(server, "GET", path + "?q.depth=0").body) == Objects(Listing((), 2))


def test_paging_counts_what_is_delivered() -> None:
    """q.fromidx and q.count page; count tells the elements delivered (§7.10)."""
    answer = ask(make()[0], "GET", f"/cosem/ldevs/{METER}/objects/?q.fromidx=2&q.count=5")

    assert decode(answer.body) == Objects(Listing.of([Object(ObjectId(3, "0100010802ff"))]))


def test_every_level_of_the_tree_is_readable() -> None:
    """All list and element resources of A2 Abbildung 2 answer their element."""
    server, _, _ = make()
    expected: dict[str, type] = {
        "/cosem": Cosem,
        "/cosem/ldevs": Devices,
        f"/cosem/ldevs/{METER}": LogicalDevice,
        f"/cosem/ldevs/{METER}/objects": Objects,
        CLOCK: Object,
        f"{CLOCK}/attributes": Attributes,
        f"{CLOCK}/attributes/1": Attribute,
        f"{CLOCK}/methods": Methods,
        f"/cosem/ldevs/{METER}/containers": Containers,
        CONTAINER: Container,
        "/cosem/containers": Containers,
    }

    assert {path: type(decode(ask(server, "GET", path).body)) for path in expected} == expected


def test_methods_are_called() -> None:
    """Action with and without parameter and result (§8.2.12)."""
    server, _, gateway = make()

    with_result = ask(server, "POST", f"{CLOCK}/methods/1", MethodCall(Data("long", 9)))
    without = ask(server, "POST", f"{CLOCK}/methods/1")

    assert (with_result.status, decode(with_result.body)) == (200, MethodResponse(None, Data("integer", 0)))
    assert (without.status, without.body, gateway.offset) == (200, b"", 0)


def test_an_application_error_is_500_with_status_and_reason() -> None:
    """§8.2.12: a status greater than 0 is transmitted with 500."""
    answer = ask(make()[0], "POST", f"{CLOCK}/methods/3")

    result = decode_as(MethodResponse, answer.body)
    assert (answer.status, result.status) == (500, ActionResult.TEMPORARY_FAILURE)
    assert result.data is not None
    assert result.data.parts[0].text == "cosem.application"
    assert "the module is busy" in result.data.parts[1].text


def test_the_asynchronous_flow_of_7_5() -> None:
    """202 now, later a POST to the contact with the same x-CID carrying the result."""
    server, _, gateway = make()
    correlation = new_correlation()

    accepted = ask(server, "POST", f"{CLOCK}/methods/2", x_CID=correlation, x_ContactURI=CONTACT)
    (reply,) = gateway.replies
    assert reply is not None
    notify = server.notification(reply, MethodResponse(0, Data("boolean", True)))

    assert (accepted.status, accepted.body) == (202, b"")
    assert (notify.method, notify.header("Host")) == ("POST", "hes.example")
    assert notify.target == "/hes/cosem/ldevs/gwa.sm/objects/9000-0000000000ff/methods/2"
    assert notify.header("x-CID") == correlation
    assert decode(notify.body) == MethodResponse(0, Data("boolean", True))


@pytest.mark.parametrize(
    "headers", [{}, {"x_CID": "uuid:f50701ab-5a39-4fa6-853f-58aef4297228"}, {"x_ContactURI": CONTACT}]
)
def test_without_correlation_or_contact_no_asynchronous_answer(headers: dict[str, str]) -> None:
    """§7.3.1.9: then the request "wird … mit einer Fehlermeldung 408 Request Timeout beendet"."""
    answer = ask(make()[0], "POST", f"{CLOCK}/methods/2", **headers)

    assert (answer.status, answer.retry_after) == (408, 60)


def test_a_configured_contact_is_enough() -> None:
    """§7.5: the contact may be made known by configuration."""
    server, _, gateway = make(contact=CONTACT)

    assert ask(server, "POST", f"{CLOCK}/methods/2", x_CID=new_correlation()).status == 202
    assert len(gateway.replies) == 1


def test_resources_come_and_go() -> None:
    """PUT on a free URI creates (201), on a taken one overwrites (204), DELETE removes (204), then 404 (§7.11)."""
    server, _, _ = make()
    path = "/cosem/ldevs/taf7-1.sm/containers/1-01005e318027"
    node = Container("01005e318027", 1, MEMBERS)

    statuses = [
        ask(server, "GET", path).status,
        ask(server, "DELETE", path).status,
        ask(server, "PUT", path, node).status,
        ask(server, "PUT", path, node).status,
        ask(server, "GET", path).status,
        ask(server, "DELETE", path).status,
        ask(server, "GET", path).status,
    ]
    assert statuses == [404, 404, 201, 204, 200, 204, 404]


def test_an_empty_body_creates_an_empty_resource() -> None:
    """§7.11.1: "Falls kein HTTP-Body vorhanden ist, wird die Ressource leer angelegt"."""
    server, _, _ = make()

    assert ask(server, "PUT", "/cosem/ldevs/1abc0000000001.sm").status == 201
    assert decode(ask(server, "GET", "/cosem/ldevs/1abc0000000001.sm").body) == LogicalDevice(
        "1abc0000000001.sm", Listing((), 0)
    )


def test_a_logical_device_is_created_with_objects_and_grows() -> None:
    """§8.2.6: the body's objects are made; a second PUT makes or overwrites members."""
    server, _, _ = make()
    path = "/cosem/ldevs/1abc0000000001.sm"
    ask(server, "PUT", path, LogicalDevice("1abc0000000001.sm", Listing.of(MEMBERS)))
    more = Object(ObjectId(3, "0100020801ff"), 0, Listing.of([Attribute(2, Data("long", 2))]))
    changed = Object(MEMBERS[0].id, 0, Listing.of([Attribute(2, Data("long", 9))]))

    answer = ask(server, "PUT", path, LogicalDevice("1abc0000000001.sm", Listing.of([more, changed])))
    found = decode_as(Objects, ask(server, "GET", path + "/objects").body)

    assert answer.status == 204
    assert [(item.id.logical_name, item[2].number) for item in found.list.items] == [
        ("0100010801ff", 9),
        ("0100020801ff", 2),
    ]
    assert ask(server, "DELETE", path).status == 204


def test_the_management_device_cannot_be_deleted() -> None:
    """§8.2.6: "Das Management Logical Device kann nicht gelöscht werden"."""
    answer = ask(make()[0], "DELETE", f"/cosem/ldevs/{GATEWAY}")

    assert (answer.status, answer.header("Allow")) == (405, "GET, PUT")


def test_a_refused_container_keeps_its_content() -> None:
    """Containers are atomic: a content that does not fit changes nothing (§7.9)."""
    server, _, _ = make()

    wrong = ask(server, "PUT", CONTAINER, Container("00005e3102ff", 1))

    assert wrong.status == 422
    assert decode(ask(server, "GET", CONTAINER).body) == Container("00005e3101ff", 1, MEMBERS)


def test_containers_of_the_physical_device() -> None:
    """§8.2.15, §8.2.16: containers beside the logical devices bundle some of them."""
    server, _, _ = make()
    path = "/cosem/containers/1-00005e3102ff"
    node = Container("00005e3102ff", devices=(LogicalDevice(METER, Listing.of(MEMBERS)),))

    assert ask(server, "PUT", path).status == 201
    assert decode(ask(server, "GET", path).body) == Container("00005e3102ff", 1)
    assert ask(server, "PUT", path, node).status == 204
    assert decode(ask(server, "GET", path).body) == node
    listed = decode_as(Containers, ask(server, "GET", "/cosem/containers").body).list.items
    assert [(item.class_id, item.id, item.devices) for item in listed] == [(1, "00005e3102ff", node.devices)]
    assert decode(ask(server, "GET", "/cosem?q.depth=0").body) == Cosem()
    assert [ask(server, "DELETE", path).status for _ in range(2)] == [204, 404]
    assert ask(server, "PUT", path, LogicalDevice(METER)).status == 422


def test_objects_are_created_overwritten_and_deleted() -> None:
    """§8.2.8: PUT makes an object empty or with values, then overwrites them; DELETE removes it."""
    server, _, _ = make()
    path = f"/cosem/ldevs/{METER}/objects/3-0100100700ff"
    node = Object(ObjectId(3, "0100100700ff"), 0, Listing.of([Attribute(2, Data("long", 5))]))

    assert ask(server, "PUT", path).status == 201
    assert ask(server, "PUT", path, node).status == 204
    assert decode_as(Object, ask(server, "GET", path).body)[2] == Data("long", 5)
    assert ask(server, "PUT", path, MethodCall(Data("long", 5))).status == 422
    assert ask(server, "DELETE", path).status == 204
    assert ask(server, "PUT", f"/cosem/ldevs/{GATEWAY}/objects/3-0100100700ff", node).status == 500


def test_a_method_takes_only_its_parameter() -> None:
    """A POST with another element than methodRequestParameter is refused."""
    assert ask(make()[0], "POST", f"{CLOCK}/methods/1", Attribute(1, Data("long", 1))).status == 422


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("HEAD", "/cosem", 501),
        ("OPTIONS", "/cosem", 501),
        ("POST", "/cosem/ldevs", 405),
        ("PUT", "/cosem/ldevs", 405),
        ("DELETE", f"{CLOCK}/attributes/2", 405),
        ("GET", f"{CLOCK}/methods/1", 405),
        ("POST", CLOCK, 405),
        ("GET", "/other", 404),
        ("GET", "/cosem/ldevs/1abc0000000001.sm", 404),
        ("GET", f"{CLOCK}/attributes/9", 404),
        ("PUT", f"{CLOCK}/attributes/9", 404),
        ("POST", f"{CLOCK}/methods/9", 404),
        ("GET", "/cosem/ldevs/x/objects/nonsense", 404),
        ("GET", f"{CONTAINER}/objects", 404),
        ("PUT", f"{CLOCK}/attributes/2", 422),
        ("GET", "/cosem?q.depth=x", 400),
    ],
)
def test_statuses(method: str, target: str, status: int) -> None:
    """A2 Tabelle 12, row by row."""
    assert ask(make()[0], method, target).status == status


def test_a_405_tells_what_is_allowed() -> None:
    """RFC 9110 §15.5.6 wants an Allow header."""
    assert ask(make()[0], "DELETE", f"{CLOCK}/attributes/2").header("Allow") == "GET, PUT"


def test_writing_what_cannot_be_written_is_an_application_error() -> None:
    """A read-only attribute answers 500 with read-write-denied."""
    answer = ask(make()[0], "PUT", f"{CLOCK}/attributes/2", Attribute(2, octet_string(b"\0" * 12)))

    assert answer.status == 500
    assert decode_as(MethodResponse, answer.body).status == ActionResult.READ_WRITE_DENIED


@pytest.mark.parametrize("missing", ["Host", "Content-Length"])
def test_a_missing_mandatory_header_is_400(missing: str) -> None:
    """§7.3.1: "Requests in denen Muss Header Felder fehlen, müssen mit HTTP-Error 400 … abgelehnt werden"."""
    headers = {"Host": GATEWAY, "Content-Length": "0"}
    del headers[missing]

    assert make()[0].handle(Request("GET", "/cosem", headers)).status == 400


def test_a_wrong_host_is_403() -> None:
    """Table 12, 403: wrong host name; a port and upper case make no other name."""
    server, _, _ = make()

    assert ask(server, "GET", "/cosem/", Host="ethe0212345678.sm").status == 403
    assert ask(server, "GET", "/cosem/", Host=GATEWAY.upper() + ":443").status == 200


def test_content_types() -> None:
    """A body needs a type we know (400, 415); an Accept that excludes ours is 406."""
    server, _, _ = make()
    body = encode(Attribute(3, Data("long", 1)))
    base = {"Host": GATEWAY, "Content-Length": str(len(body))}
    target = f"{CLOCK}/attributes/3"

    statuses = [
        server.handle(Request("PUT", target, base, body)).status,
        server.handle(Request("PUT", target, {**base, "Content-Type": "text/plain"}, body)).status,
        server.handle(Request("PUT", target, {**base, "Content-Type": MEDIA_TYPE_CMS}, body)).status,
        ask(server, "GET", target, Accept="application/json").status,
    ]
    assert statuses == [400, 415, 415, 406]


def test_hidden_resources_do_not_exist() -> None:
    """§7.6: what a peer may not touch answers 404 and is in no list; what it may only read answers 405 to a write."""

    def access(peer: str, address: Address, method: str) -> bool:
        return address.device != METER and method in ("GET", "POST") and peer == "EMT"

    server, _, _ = make(access=access)

    def status(method: str, target: str) -> int:
        return server.handle(Request(method, target, {"Host": GATEWAY, "Content-Length": "0"}), "EMT").status

    assert status("GET", REGISTER) == 404
    assert status("PUT", f"{CLOCK}/attributes/3") == 405
    listed = server.handle(Request("GET", "/cosem/ldevs/", {"Host": GATEWAY, "Content-Length": "0"}), "EMT")
    assert decode(listed.body) == Devices(Listing.of([LogicalDevice(GATEWAY)]))
    assert ask(server, "GET", "/cosem").status == 404


def test_reading_in_blocks_is_of_one_snapshot() -> None:
    """A change during a transfer does not show in it (§7.12.1); the next transfer shows it."""
    server, _, gateway = make()
    reader = BlockReader(Request("GET", CLOCK, {"Host": GATEWAY, "Content-Length": "0"}), 100)
    before = ask(server, "GET", CLOCK).body
    while not reader.done:
        reader.feed(server.handle(reader.next()))
        gateway.offset += 1

    assert reader.body == before
    assert ask(server, "GET", CLOCK).body != before


def test_a_lost_transfer_is_416() -> None:
    """A block of a transfer the server does not know, or behind the end, cannot be had."""
    server, _, _ = make()

    lost = ask(server, "GET", CLOCK, Range="bytes=100-199")
    assert (lost.status, lost.header("Content-Range")) == (416, "bytes */0")
    size = len(ask(server, "GET", CLOCK).body)
    ask(server, "GET", CLOCK, Range="bytes=0-9")
    behind = ask(server, "GET", CLOCK, Range=f"bytes={size}-")
    assert (behind.status, behind.header("Content-Range")) == (416, f"bytes */{size}")


def test_writing_in_blocks_happens_with_the_last() -> None:
    """Intermediate blocks answer 206 and change nothing; a gap tells how much is held."""
    server, _, gateway = make()
    body = encode(Attribute(3, Data("long", 77)))
    headers = {"Host": GATEWAY, "Content-Length": "0", "Content-Type": MEDIA_TYPE_XML}
    requests = list(put_blocks(Request("PUT", f"{CLOCK}/attributes/3", headers, body), 50))

    first = server.handle(requests[0])
    gap = server.handle(requests[2])
    assert (first.status, first.header("Content-Range"), gateway.offset) == (206, "bytes 0-49/*", 0)
    assert (gap.status, gap.header("Content-Range")) == (416, "bytes */50")
    statuses = [server.handle(request).status for request in requests[1:]]
    assert statuses == [206] * (len(requests) - 2) + [204]
    assert gateway.offset == 77


def test_post_is_not_transferred_in_blocks() -> None:
    """§7.12.1: "nur für Idempotente Operationen (PUT, GET) zugelassen"."""
    assert ask(make()[0], "POST", f"{CLOCK}/methods/1", Range="bytes=0-1").status == 416


def test_protected_bodies_pass_the_hooks() -> None:
    """With hooks only protected bodies are taken and given, also in errors and blocks."""
    server, _, gateway = make(protect=lambda body: body[::-1], unprotect=lambda body: body[::-1])
    body = encode(Attribute(3, Data("long", 5)))[::-1]
    headers = {"Host": GATEWAY, "Content-Length": "9", "Content-Type": MEDIA_TYPE_CMS}

    written = server.handle(Request("PUT", f"{CLOCK}/attributes/3", headers, body))
    read = ask(server, "GET", f"{CLOCK}/attributes/3")
    failed = ask(server, "POST", f"{CLOCK}/methods/3")

    assert (written.status, gateway.offset) == (204, 5)
    assert read.header("Content-Type") == failed.header("Content-Type") == MEDIA_TYPE_CMS
    assert decode(read.body[::-1]) == Attribute(3, Data("long", 5))
    assert decode_as(MethodResponse, failed.body[::-1]).status == ActionResult.TEMPORARY_FAILURE
    assert ask(server, "PUT", f"{CLOCK}/attributes/3", Attribute(3, Data("long", 5))).status == 415


@pytest.mark.parametrize(
    ("encoding", "pack", "status"),
    [
        ("deflate", zlib.compress, 204),
        ("zlib", zlib.compress, 204),
        ("gzip", lambda body: zlib.compress(body, wbits=31), 204),
        ("identity", lambda body: body, 204),
        ("br", lambda body: body, 415),
        ("deflate", lambda body: body, 422),
        ("deflate", lambda body: zlib.compress(body)[:-9], 422),
        ("deflate", lambda body: zlib.compress(body + b" " * (MAX_CONTENT + 1)), 413),
    ],
)
def test_content_encodings(encoding: str, pack: Callable[[bytes], bytes], status: int) -> None:
    """Compressed content is unpacked within bounds; a bomb, a cut or an unknown encoding is refused."""
    server, _, _ = make()
    body = pack(encode(Attribute(3, Data("long", 5))))
    headers = {"Host": GATEWAY, "Content-Length": "9", "Content-Type": MEDIA_TYPE_XML, "Content-Encoding": encoding}

    assert server.handle(Request("PUT", f"{CLOCK}/attributes/3", headers, body)).status == status


def test_queries_are_ignored_except_for_get() -> None:
    """§7.8: "Ein Query-Parameter für die Dienste Delete, Create, Action MUSS ignoriert werden"."""
    server, _, _ = make()

    assert ask(server, "POST", f"{CLOCK}/methods/1?q.depth=nonsense").status == 200
    assert ask(server, "PUT", "/cosem/ldevs/1abc0000000001.sm?q.depth=nonsense").status == 201
    assert ask(server, "DELETE", "/cosem/ldevs/1abc0000000001.sm?sa.x=1").status == 204


def test_selection_reaches_the_object() -> None:
    """sa.* parameters are handed to the object that is read."""
    seen: list[Query] = []

    def buffer(_: object, query: Query) -> Data:
        seen.append(query)
        return Data("array", ())

    resources = StoredTree(GATEWAY, {GATEWAY: StoredDevice()})
    name = ObjectId(7, "0100630100ff")
    device = Managed(Gateway())
    device.objects = BoundObjects({name: Binding(name, readers={2: buffer})}, None)
    resources.devices[GATEWAY] = device
    server = ResourceServer(resources, hosts=[GATEWAY])

    ask(server, "GET", f"/cosem/ldevs/{GATEWAY}/objects/{name}/attributes/2?sa.count=3")

    assert seen == [Query(sa_count=3)]


@settings(max_examples=300)
@given(
    st.sampled_from([*METHODS, "HEAD"]),
    st.sampled_from([CLOCK, REGISTER, CONTAINER, "/cosem", "/cosem/ldevs/neu.sm"]),
    st.text("/attributesmethodsobjects0123456789-?q.depth=", max_size=20),
    st.binary(max_size=60)
    | st.sampled_from([encode(Attribute(3, Data("long", 1))), encode(MethodCall(Data("long", 1)))]),
    st.dictionaries(
        st.sampled_from(["Range", "Content-Range", "x-CID", "x-ContactURI", "Accept", "Content-Encoding"]),
        st.sampled_from(["bytes=0-9", "bytes 0-9/20", "uuid:", "https://", "deflate", "a/b", "x"]),
    ),
)
def test_any_request_is_answered(method: str, path: str, tail: str, body: bytes, extra: dict[str, str]) -> None:
    """Whatever comes, the server answers a status and raises nothing."""
    headers = {"Host": GATEWAY, "Content-Length": "1", "Content-Type": MEDIA_TYPE_XML, **extra}

    assert 200 <= make()[0].handle(Request(method, path + tail, headers, body)).status < 600


def test_stored_objects_protect_their_logical_name() -> None:
    """The logical name of a stored object cannot be changed, unknown members are not there."""
    server, _, _ = make()

    assert ask(server, "PUT", f"{REGISTER}/attributes/1", Attribute(1, octet_string(b"\0" * 6))).status == 500
    assert ask(server, "GET", f"{REGISTER}/attributes/7").status == 404
    with pytest.raises(Refusal):
        make()[1].devices[METER].objects[ObjectId(3, "0100010801ff")].call(1, None, None)
