"""The XML of the resource tree: A2's examples, round trips, schema, and nothing but refusals for damage."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import torwart.wire.cosem
from torwart.kernel.refusals import Refusal
from torwart.wire.cosem.data import Data, array, octet_string
from torwart.wire.cosem.tree import (
    COR,
    Attribute,
    Attributes,
    Container,
    Containers,
    Cosem,
    Devices,
    Listing,
    LogicalDevice,
    Method,
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
from torwart.wire.cosem.uri import ObjectId
from torwart.wire.cosem.xmldata import COD

pytestmark = pytest.mark.requirement("WAN-1.2")

SCHEMA = etree.XMLSchema(etree.parse(Path(torwart.wire.cosem.__file__).with_name("cor-1.xsd")))
NAMES = st.from_regex("[0-9a-f]{12}", fullmatch=True)
IDS = st.builds(ObjectId, st.integers(0, 65535), NAMES)
VALUES = st.sampled_from(
    [
        Data("long", 3),
        octet_string(b"\1\2"),
        Data("UTF8-string", "ü <&>"),
        array(Data("null-data"), Data("boolean", True)),
    ]
)
ATTRIBUTES = st.builds(Attribute, st.integers(-128, 127), VALUES | st.none())
METHODS = st.builds(Method, st.integers(-128, 127))


def listing(items: st.SearchStrategy) -> st.SearchStrategy[Listing]:
    return st.lists(items, max_size=3).map(Listing.of) | st.integers(0, 9).map(lambda count: Listing((), count))


OBJECTS = st.builds(Object, IDS, st.integers(0, 255), st.none() | listing(ATTRIBUTES), st.none() | listing(METHODS))
FOREIGN = b"<?xml version='1.0' encoding='UTF-8'?>\n<k:container xmlns:k=\"urn:x\" id=\"a\"><k:b/></k:container>"
CONTAINERS = st.builds(
    Container,
    NAMES,
    st.none() | st.integers(0, 65535),
    st.none() | st.lists(OBJECTS, min_size=1, max_size=2).map(tuple),
)
SIMPLE_DEVICES = st.builds(LogicalDevice, st.just("1lgz0072999211.sm"), st.none() | listing(OBJECTS))
DEVICE_CONTAINERS = st.builds(
    Container, NAMES, st.none(), devices=st.lists(SIMPLE_DEVICES, min_size=1, max_size=2).map(tuple)
)
DEVICES = st.builds(
    LogicalDevice,
    st.sampled_from(["1lgz0072999211.sm", "001b44113ab7.eui", "\x01MFC1234", "eppc0212345678.sm.example.org"]),
    st.none() | listing(OBJECTS),
    st.none() | listing(CONTAINERS),
)
NODES: st.SearchStrategy[Node] = st.one_of(
    ATTRIBUTES,
    METHODS,
    OBJECTS,
    CONTAINERS,
    DEVICES,
    st.builds(Cosem, st.none() | listing(DEVICES), st.none() | listing(CONTAINERS | DEVICE_CONTAINERS)),
    DEVICE_CONTAINERS,
    listing(ATTRIBUTES).map(Attributes),
    listing(METHODS).map(Methods),
    listing(OBJECTS).map(Objects),
    listing(CONTAINERS).map(Containers),
    listing(DEVICES).map(Devices),
    VALUES.map(MethodCall),
    st.builds(MethodResponse, st.none() | st.integers(0, 255), st.none() | VALUES),
)


def document(xml: str) -> bytes:
    """A2's example snippets omit their namespaces; put them in."""
    root = etree.fromstring(xml.replace("”", '"').replace("“", '"'))
    for element in root.iter():
        inside = element.tag in ("octet-string", "long", "integer")
        element.tag = f"{{{COD if inside else COR}}}{element.tag}"
    return etree.tostring(root)


@given(NODES)
def test_nodes_round_trip_and_fit_the_schema(node: Node) -> None:
    """Every node is read back from what it writes, and lxml finds it valid by our schema."""
    body = encode(node)

    assert decode(body) == node
    SCHEMA.assertValid(etree.fromstring(body))


def test_example_of_7_10_depth_1() -> None:
    """The shallow list of A2 §7.10."""
    body = document(
        "<objects count=”2” ><object class-id=”3” version=”0” id=”0100010801ff” />"
        "<object class-id=”3” version=”0” id=”0100010802ff” /></objects>"
    )

    expected = Objects(Listing.of([Object(ObjectId(3, "0100010801ff")), Object(ObjectId(3, "0100010802ff"))]))
    assert decode(body) == expected


def test_example_of_7_10_depth_0() -> None:
    """With q.depth=0 the example shows the count of two and no element."""
    assert decode(document("<objects count=”2” />")) == Objects(Listing((), 2))


def test_example_of_8_2_5() -> None:
    """A2 §8.2.5 prints a logical device's id as canonical name."""
    body = document("<ldevs count=“1“><ldev id=”1din0a12345678.sm” /></ldevs>")

    assert decode(body) == Devices(Listing.of([LogicalDevice("1din0a12345678.sm")]))


def test_example_of_8_2_9() -> None:
    """Attributes with their values (A2 §8.2.9, with the schema's element names)."""
    body = document(
        "<attributes count=”2”><attribute id=”1” ><octet-string>0100010800ff</octet-string></attribute>"
        "<attribute id=”2” ><integer>1</integer></attribute></attributes>"
    )

    expected = [Attribute(1, octet_string(bytes.fromhex("0100010800ff"))), Attribute(2, Data("integer", 1))]
    assert decode(body) == Attributes(Listing.of(expected))


def test_example_of_8_2_13() -> None:
    """Containers with their objects (A2 §8.2.13)."""
    body = document(
        "<containers count=”1”><container id=”00005e3101ff”><object class-id=”3” version=”0” id=”0100010801ff”/>"
        "<object class-id=”3” version=”0” id=”0100010802ff”/></container></containers>"
    )

    members = (Object(ObjectId(3, "0100010801ff")), Object(ObjectId(3, "0100010802ff")))
    assert decode(body) == Containers(Listing.of([Container("00005e3101ff", None, members)]))


def test_logical_device_id_of_6_3_in_xml() -> None:
    """A2 §6.3: the XML form of 0x01 MFC1234 is hexBinary."""
    assert b'id="014d464331323334"' in encode(LogicalDevice("\x01MFC1234"))


def test_a_foreign_document_is_a_container_of_its_own() -> None:
    """Real gateways' containers have their own vocabulary; they pass unchanged, alone and within a list."""
    assert decode(FOREIGN) == Container("a", foreign=FOREIGN)
    assert encode(Container("a", foreign=FOREIGN)) == FOREIGN
    listed = decode_as(Containers, encode(Containers(Listing.of([Container("00005e3101ff", 1, foreign=FOREIGN)]))))
    inner = listed.list.items[0].foreign
    assert inner is not None
    assert etree.tostring(etree.fromstring(inner), method="c14n", exclusive=True) == etree.tostring(
        etree.fromstring(FOREIGN), method="c14n", exclusive=True
    )


def test_attribute_values_by_index() -> None:
    """An object answers the value of an attribute it shows."""
    shown = Object(ObjectId(8, "0000010000ff"), 0, Listing.of([Attribute(2, Data("long", 7))]))

    assert shown[2] == Data("long", 7)
    with pytest.raises(KeyError):
        shown[3]


@pytest.mark.parametrize(
    "xml",
    [
        "<object/>",
        '<object id="0100010801ff" class-id="65536" version="0"/>',
        '<object id="0100010801ff" class-id="1" version="256"/>',
        '<object id="xyz" class-id="1" version="0"/>',
        '<objects count="3"><object id="0100010801ff" class-id="1" version="0"/></objects>',
        '<objects count="-1"/>',
        '<objects><ldev id="a.sm"/></objects>',
        '<attribute id="200"/>',
        '<attribute id="1"><long>1</long><long>1</long></attribute>',
        '<ldev id="xyz"/>',
        '<ldev id="abc"/>',
        '<ldev id="1 2"/>',
        '<container id="00005e3101ff"><attribute id="1"/></container>',
        "<ldevs><ldev/></ldevs>",
        "<methodRequestParameter/>",
        "<methodResponse><methodResponseStatus>256</methodResponseStatus></methodResponse>",
        "<methodResponse><unknown/></methodResponse>",
        "<unknown/>",
        '<cosem><ldevs count="0"/><ldevs count="0"/></cosem>',
    ],
)
def test_wrong_documents_are_refused(xml: str) -> None:
    """What the schema does not allow is refused by name."""
    with pytest.raises(Refusal) as caught:
        decode(document(xml))

    assert caught.value.code.startswith("cosem.")


def test_decode_as_refuses_another_resource() -> None:
    """A caller that expects an attribute does not get an object."""
    with pytest.raises(Refusal) as caught:
        decode_as(Attribute, encode(MethodCall(Data("long", 1))))

    assert caught.value.code == "cosem.body"


@settings(max_examples=300)
@given(NODES, st.data())
def test_a_damaged_document_is_refused_or_another_one(node: Node, data: st.DataObject) -> None:
    """Cut off or with a flipped bit, a document is refused or reads as some node; nothing else is raised."""
    body = bytearray(encode(node))
    if data.draw(st.booleans()):
        del body[data.draw(st.integers(0, len(body) - 1)) :]
    else:
        body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        encode(decode(bytes(body)))
    except Refusal:
        return
