"""The DER writer and reader, and the road from BER to DER."""

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cms import ber
from torwart.wire.cms.der import OCTET_STRING, OID, SEQUENCE, NotDER, Reader, dotted, oid, sequence, set_of, tlv

pytestmark = pytest.mark.requirement("WAN-1.4")

ARCS = st.lists(st.integers(0, 2**40), min_size=1, max_size=9)


@given(st.integers(0, 2), st.integers(0, 39), ARCS)
def test_object_identifiers_are_those_of_a_foreign_encoder(first, second, arcs):
    """Dotted to octets and back agrees with asn1crypto, also for arcs above 2^32."""
    text = ".".join(str(arc) for arc in (first, second, *arcs))

    assert oid(text) == core.ObjectIdentifier(text).dump()
    assert dotted(oid(text)) == text


@pytest.mark.parametrize("text", ["", "1", "3.1", "1.40", "1.-2", "a.b", "2.5.-4"])
def test_what_is_no_object_identifier_is_told(text):
    """Nonsense is a ValueError, because only our own code writes identifiers."""
    with pytest.raises(ValueError, match=r"object identifier|int\(\)|unpack"):
        oid(text)


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x2a\x86", b"\x2a\x80\x01", b"\x81" * 5000 + b"\x01"])
def test_a_received_identifier_must_be_whole_and_minimal(content):
    """An empty, cut, padded or endless identifier is not DER."""
    with pytest.raises(NotDER):
        dotted(tlv(OID, content))


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536, 2**24])
def test_lengths_are_written_and_read(size):
    """Every form of length is the minimal one and is read again."""
    element = tlv(OCTET_STRING, bytes(size))

    assert element == core.OctetString(bytes(size)).dump()
    assert Reader(element).value(OCTET_STRING) == bytes(size)


@pytest.mark.parametrize(
    "element",
    [
        b"", b"\x04", b"\x04\x01", b"\x04\x80", b"\x04\x81", b"\x04\x81\x01\x00", b"\x04\x82\x00\x80" + bytes(128),
        b"\x04\x84\xff\xff\xff\xff", b"\x04\xff", b"\x05\x00", b"\x04\x81\x00",
    ],
)  # fmt: skip
def test_what_is_not_der_is_told(element):
    """Cut, overlong, indefinite and over-wide elements are not DER."""
    with pytest.raises(NotDER):
        Reader(element).value(OCTET_STRING)


def test_an_element_cannot_leave_the_one_around_it():
    """A length that points behind its enclosing element is not followed."""
    inner = Reader(sequence(b"\x04\x05abc") + b"de").enter(SEQUENCE)

    with pytest.raises(NotDER):
        inner.value(OCTET_STRING)


def test_sets_are_sorted():
    """SET OF is written in ascending order of the encodings (X.690 11.6)."""
    assert set_of([b"\x04\x01b", b"\x02\x01\x07", b"\x04\x01a"]) == b"\x31\x09\x02\x01\x07\x04\x01a\x04\x01b"


NODES = st.recursive(
    st.tuples(st.sampled_from([0x02, 0x04, 0x06, 0x80, 0x81]), st.binary(max_size=150)),
    lambda children: st.tuples(st.sampled_from([0x30, 0x31, 0xA0, 0xA1]), st.lists(children, max_size=4)),
    max_leaves=12,
)


def as_der(node):
    tag, content = node
    return tlv(tag, content if isinstance(content, bytes) else b"".join(as_der(child) for child in content))


def as_ber(node, form):
    """The same with every liberty BER has, chosen by the digits of ``form``."""
    tag, content = node
    if isinstance(content, bytes):
        if tag == OCTET_STRING and form % 2:
            middle = len(content) // 2
            pieces = tlv(OCTET_STRING, content[:middle]) + as_ber((OCTET_STRING, content[middle:]), form // 2)
            return b"\x24\x80" + pieces + b"\x00\x00"
        return bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content
    inner = b"".join(as_ber(child, form // 3 + index) for index, child in enumerate(content))
    return bytes((tag, 0x80)) + inner + b"\x00\x00" if form % 3 else tlv(tag, inner)


@given(NODES, st.integers(0, 2**16))
def test_ber_becomes_the_der_it_means(node, form):
    """Indefinite, overlong and piecewise encodings become DER; DER stays what it is."""
    assert ber.to_der(as_ber(node, form)) == as_der(node)
    assert ber.to_der(as_der(node)) == as_der(node)


def twin_or_code(octets):
    try:
        return ber.to_der(octets)
    except Refusal as refusal:
        return refusal.code


@given(st.binary(max_size=60))
def test_any_octets_are_read_or_refused(octets):
    """Whatever comes, it is DER afterwards or refused."""
    twin = twin_or_code(octets)

    assert twin == "cms.malformed" or ber.to_der(twin) == twin


def test_a_message_of_brackets_or_crumbs_is_refused():
    """Depth is limited, with and without lengths, before the stack is; and so is the number of elements."""
    open_brackets = b"\x30\x80" * 100_000
    closed = b""
    for _ in range(60):
        closed = tlv(SEQUENCE, closed)

    crumbs = b"\x30\x80" + b"\x05\x00" * 100_000 + b"\x00\x00"
    for message in (open_brackets, closed, crumbs):
        with pytest.raises(Refusal, match=r"cms\.malformed"):
            ber.to_der(message)


@pytest.mark.parametrize(
    "octets",
    [
        b"\x04\x80\x00\x00", b"\x1f\x81\x01\x00", b"\x30\x03\x24\x80\x00", b"\x24\x03\x02\x01\x00", b"\x30\x80",
        b"\x30\x80\x00", b"\x30\x04\x30\x80\x00\x00\x05\x00", b"\x30\x00\x00\x00", b"\x30\x02\x04\x01\x05",
        b"\x31\x80\x00\x00",
    ],
)  # fmt: skip
def test_what_is_not_ber_either_is_refused(octets):
    """Primitive without length, long tags, strings of other things, missing ends, leftovers, others."""
    with pytest.raises(Refusal, match=r"cms\.malformed"):
        ber.read(octets, one_empty_sequence)


def one_empty_sequence(reader):
    reader.enter(SEQUENCE).close()
    reader.close()
