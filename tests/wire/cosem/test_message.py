"""HTTP messages as values: media types, correlation ids, contacts, the status table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import KINDS, Refusal
from torwart.wire.cosem.message import (
    MEDIA_TYPE_CMS,
    MEDIA_TYPE_CMS_V2,
    MEDIA_TYPE_XML,
    METHODS,
    STATUS,
    Contact,
    MediaType,
    Request,
    Response,
    accepts,
    new_correlation,
    parse_contact,
    parse_correlation,
    status_of,
)

pytestmark = pytest.mark.requirement("WAN-1.2")

VERSION_1 = "uuid:f50701ab-5a39-1fa6-853f-58aef4297228"


@pytest.mark.parametrize(
    ("text", "cms"),
    [
        ("application/vnd.de-dke-k461-cosem +xml;encap=cms-tr03109", True),
        ("application/vnd.de-dke-k461-cosem+xml; encap=cms-tr03109-zlib", True),
        (MEDIA_TYPE_CMS_V2, True),
        (MEDIA_TYPE_XML, False),
        ("application/octet-stream", False),
    ],
)
def test_media_types_tell_protected_content(text: str, cms: bool) -> None:
    """The spellings of A2, of v2.0 and of the field are all understood, also with the standard's stray blank."""
    assert MediaType.parse(text).is_cms is cms


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("", True),
        ("*/*", True),
        ("application/*;q=0.5", True),
        (MEDIA_TYPE_CMS, True),
        ("text/html, " + MEDIA_TYPE_XML, True),
        ("application/json", False),
        (MEDIA_TYPE_XML + ";encap=other", False),
    ],
)
def test_accept_is_compared_with_the_type_offered(accept: str, taken: bool) -> None:
    """An absent Accept takes everything (§7.3.1.5); parameters named must agree."""
    assert accepts(accept, MediaType.parse(MEDIA_TYPE_CMS)) is taken


def test_correlation_ids() -> None:
    """The example of §7.3.1.7 is read, also with the blank §7.5 prints; ours are version 4 and differ."""
    example = "uuid:f50701ab-5a39-4fa6-853f-58aef4297228"

    assert parse_correlation(example) == parse_correlation("uuid: f50701ab-5a39-4fa6-853f-58aef4297228") == example
    assert parse_correlation(new_correlation()) != new_correlation()


@pytest.mark.parametrize(
    "value", ["", "f50701ab-5a39-4fa6-853f-58aef4297228", "uuid:f50701ab-5a39-1fa6-853f-58aef4297228"]
)
def test_wrong_correlation_ids_are_refused(value: str) -> None:
    """A correlation id without scheme or of another version than 4 is refused."""
    with pytest.raises(Refusal) as caught:
        parse_correlation(value)

    assert caught.value.code == "cosem.correlation"


def test_contact_uris() -> None:
    """A contact is an https URI of a method below any point of contact (§7.3.1.9)."""
    target = "/hes/cosem/ldevs/gwa.sm/objects/9000-0000000000ff/methods/1"

    assert parse_contact(f"https://Head.example:8443{target}") == Contact("head.example:8443", target)
    assert parse_contact(f"https://h{target}").uri == f"https://h{target}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "http://h/cosem/ldevs/a.sm/objects/1-0000000000ff/methods/1",
        "https://h/cosem/ldevs/a.sm/objects/1-0000000000ff",
        "https://h/other",
        "https://h/cosem/ldevs/a.sm/objects/x/methods/1",
        "https:///cosem/ldevs/a.sm/objects/1-0000000000ff/methods/1",
    ],
)
def test_wrong_contacts_are_refused(value: str) -> None:
    """Without https, or naming anything but a method, an URI is no contact."""
    with pytest.raises(Refusal) as caught:
        parse_contact(value)

    assert caught.value.code == "cosem.contact"


def test_headers_are_found_whatever_their_case() -> None:
    """Comparison of header names is case-insensitive (§7.3)."""
    request = Request("GET", "/", {"X-cid": "1"}).with_headers(Content_Type="a")

    assert (request.header("x-CID"), request.header("content-type"), request.header("none")) == ("1", "a", "")


def test_every_refusal_has_a_status_of_the_table() -> None:
    """Whatever kind of refusal reaches the server, it answers a status it has a text for."""
    assert {status_of(Refusal(kind, {})) for kind in KINDS.values()} <= STATUS.keys()


def test_which_requests_may_be_repeated() -> None:
    """A2 Tabelle 6: all but POST are idempotent."""
    assert [method for method in METHODS if Request(method, "/").idempotent] == ["GET", "PUT", "DELETE"]


def test_success_and_completion() -> None:
    """2xx is positive, but 202 and 206 are not the end (§7.4)."""
    assert [Response(status).complete for status in (200, 201, 202, 204, 206, 404)] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]
    assert Response(202).ok


def test_retry_after_is_delta_seconds_only() -> None:
    """Dates and nonsense are ignored."""
    assert Response(408, {"Retry-After": "60"}).retry_after == 60
    assert Response(408, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}).retry_after is None


@given(st.text(max_size=40))
def test_any_text_is_a_media_type(text: str) -> None:
    """Reading a media type never raises."""
    assert MediaType.parse(text).name == MediaType.parse(text).name.lower()
