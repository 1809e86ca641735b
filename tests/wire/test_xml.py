"""The hardened XML reader: hostile documents are refused by name and cost nothing."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.xml import canonical, local_name, parse, serialise

pytestmark = pytest.mark.requirement("WAN-1.2")

XXE = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
LAUGHS = (
    b"<!DOCTYPE r [<!ENTITY a 'ha'>"
    + b"".join(b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
    + b"]><r a='&m;'>&m;</r>"
)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (XXE, "xml.forbidden"),
        (LAUGHS, "xml.forbidden"),
        (b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>', "xml.forbidden"),
        (b"<r>&unknown;</r>", "xml.malformed"),
        (b"<r>", "xml.malformed"),
        (b"", "xml.malformed"),
        (b"\x00", "xml.encoding"),
        ("<r/>".encode("utf-16"), "xml.encoding"),
        ("<r/>".encode("utf-16-le"), "xml.encoding"),
        ("<r/>".encode("utf-16-be"), "xml.encoding"),
        ("<r/>".encode("utf-32"), "xml.encoding"),
        (b"<r>\xff\xfe</r>", "xml.malformed"),
        (b"<a>" * 41 + b"</a>" * 41, "xml.too_deep"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "xml.malformed"),
        (b"<r>" + b" " * 4_194_304 + b"</r>", "xml.too_large"),
        (b"<r a='1' a='2'/>", "xml.malformed"),
        (b"<x:r/>", "xml.malformed"),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else value,
)
def test_hostile_documents_are_refused(document: bytes, code: str) -> None:
    """DTDs, entities, other encodings, depth, size and broken syntax each have their refusal, quickly."""
    started = time.process_time()

    with pytest.raises(Refusal) as caught:
        parse(document)

    assert caught.value.code == code
    assert time.process_time() - started < 1


def test_a_lying_declaration_changes_nothing() -> None:
    """A document that claims another encoding is still read as UTF-8 (A2 §8.2.2)."""
    root = parse('<?xml version="1.0" encoding="ISO-8859-1"?><r>ü</r>'.encode())

    assert root.text == "ü"


def test_depth_at_the_limit_is_read() -> None:
    """Forty levels are allowed, forty-one are not."""
    assert local_name(parse(b"<a>" * 40 + b"</a>" * 40)) == "a"


def test_serialising_declares_utf_8() -> None:
    """What we write declares its encoding, and canonical form ignores attribute order and comments."""
    assert serialise(parse("<r>ü</r>".encode())) == "<?xml version='1.0' encoding='UTF-8'?>\n<r>ü</r>".encode()
    assert canonical(parse(b'<r b="1" a="2"><!-- x --></r>')) == b'<r a="2" b="1"></r>'


@given(st.binary(max_size=60) | st.text("<>/ar&;!'\"= \n", max_size=60).map(str.encode))
def test_any_bytes_are_a_document_or_refused(document: bytes) -> None:
    """Arbitrary bytes answer an element or a refusal."""
    try:
        parse(document)
    except Refusal:
        return
