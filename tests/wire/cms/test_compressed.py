"""CompressedData against a foreign reader, and everything that can be wrong with it."""

import zlib

import pytest
from asn1crypto import cms as foreign
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cms import DEFAULT_LIMITS, Limits
from torwart.wire.cms.algorithms import ID_DATA, ZLIB
from torwart.wire.cms.compressed import compress, expand
from torwart.wire.cms.der import OCTET_STRING, oid, sequence, tlv

pytestmark = pytest.mark.requirement("WAN-1.4")

CONTENT = b"<p:object class_id='7'/>" * 90


def element(packed, *, version=b"\x02\x01\x00", algorithm=ZLIB, content_type=ID_DATA, after=b""):
    info = sequence(oid(content_type), tlv(0xA0, tlv(OCTET_STRING, packed)))
    return sequence(version, algorithm, info, after)


def refusal(message, limits=DEFAULT_LIMITS):
    with pytest.raises(Refusal) as caught:
        expand(message, limits)
    return caught.value.code


def test_a_foreign_reader_unpacks_what_we_pack():
    """asn1crypto reads version 0, zlib and id-data, and Python's zlib the stream."""
    parsed = foreign.CompressedData.load(compress(CONTENT), strict=True)

    assert parsed["version"].native == "v0"
    assert parsed["compression_algorithm"].native == {"algorithm": "zlib", "parameters": None}
    assert parsed["encap_content_info"]["content_type"].dotted == ID_DATA
    assert parsed.decompressed == CONTENT


@pytest.mark.parametrize("level", [0, 1, 9])
def test_we_unpack_what_others_pack(level):
    """Each level of zlib, and a stream in the smallest window, is unpacked."""
    small = zlib.compressobj(level, wbits=9)

    assert expand(element(zlib.compress(CONTENT, level)), DEFAULT_LIMITS) == CONTENT
    assert expand(element(small.compress(CONTENT) + small.flush()), DEFAULT_LIMITS) == CONTENT


@given(st.binary(max_size=3000))
def test_every_content_comes_back(content):
    """Packing and unpacking is the identity."""
    assert expand(compress(content), DEFAULT_LIMITS) == content


@pytest.mark.requirement("SIM-gzip-bomb")
def test_a_bomb_is_not_unpacked():
    """100 MiB of zeros in 100 KiB stop at the ratio, and an honest but large document at the size."""
    engine = zlib.compressobj(9)
    packed = b"".join(engine.compress(bytes(2**20)) for _ in range(100)) + engine.flush()
    document = compress(bytes(range(256)) * 40)

    assert refusal(element(packed)) == "cms.bomb"
    assert refusal(document, Limits(content=10_000)) == "cms.bomb"
    assert len(expand(document, Limits(content=10_240))) == 10_240


def test_short_documents_may_compress_well():
    """The ratio counts only above its threshold: 60,000 equal octets are no bomb."""
    assert expand(compress(bytes(60_000)), DEFAULT_LIMITS) == bytes(60_000)
    assert refusal(compress(bytes(60_000)), Limits(ratio_from=1000)) == "cms.bomb"


def test_every_departure_has_its_own_refusal():
    """Version, algorithm, inner type, structure and stream are each refused by name."""
    packed = zlib.compress(CONTENT)
    gzip = zlib.compressobj(wbits=31)

    assert refusal(element(packed, version=b"\x02\x01\x02")) == "cms.version"
    assert refusal(element(packed, algorithm=sequence(oid("1.2.3")))) == "cms.algorithm"
    assert refusal(element(packed, content_type="1.2.840.113549.1.7.2")) == "cms.content_type"
    assert refusal(element(packed, after=b"\x05\x00")) == "cms.malformed"
    assert refusal(element(packed)[:-1]) == "cms.malformed"
    assert refusal(element(packed[:-1])) == "cms.malformed"
    assert refusal(element(packed + b"\x00")) == "cms.malformed"
    assert refusal(element(packed[:-1] + bytes([packed[-1] ^ 1]))) == "cms.malformed"
    assert refusal(element(gzip.compress(CONTENT) + gzip.flush())) == "cms.malformed"
    assert refusal(element(b"")) == "cms.malformed"
    assert refusal(CONTENT) == "cms.malformed"
