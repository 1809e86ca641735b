"""Paths of the resource tree and canonical names: A2's examples, inverse functions, nothing but refusals."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cosem.uri import (
    Address,
    Level,
    ObjectId,
    canonical_device,
    container_address,
    device_of_eui,
    device_of_number,
    object_address,
    parse_path,
    parse_target,
)

pytestmark = pytest.mark.requirement("WAN-1.2")


def code_of(read: Callable[[str], object], text: str) -> str:
    """The refusal's code, "" if ``text`` is read."""
    try:
        read(text)
    except Refusal as refusal:
        return refusal.code
    return ""


DEVICES = st.text(st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="/"), min_size=1, max_size=20)
OBJECT_IDS = st.builds(ObjectId, st.integers(0, 65535), st.from_regex("[0-9a-f]{12}", fullmatch=True))
INDEXES = st.integers(-128, 127)
ADDRESSES = st.one_of(
    st.sampled_from([Level.COSEM, Level.DEVICES, Level.CONTAINERS]).map(Address),
    st.builds(Address, st.sampled_from([Level.DEVICE, Level.OBJECTS, Level.DEVICE_CONTAINERS]), DEVICES),
    st.builds(
        Address,
        st.sampled_from([Level.OBJECT, Level.ATTRIBUTES, Level.METHODS, Level.DEVICE_CONTAINER]),
        DEVICES,
        OBJECT_IDS,
    ),
    st.builds(Address, st.sampled_from([Level.ATTRIBUTE, Level.METHOD]), DEVICES, OBJECT_IDS, INDEXES),
    st.builds(Address, st.just(Level.CONTAINER), st.just(""), OBJECT_IDS),
)


@given(ADDRESSES)
def test_paths_round_trip(address: Address) -> None:
    """Every address is read back from the path it writes."""
    assert parse_path(address.path) == address


def test_example_of_6_4() -> None:
    """A2 §6.4's example path names register 1-0:1.8.0*255, attribute 3."""
    target = parse_target("/gw/cosem/ldevs/1lgz0072999211.sm/objects/3-0100010800ff/attributes/3", "/gw")

    assert target.address == object_address("1lgz0072999211.sm", 3, "0100010800ff").attribute(3)


def test_example_of_6_3() -> None:
    """A2 §6.3's example: Logical_DeviceID 0x01 MFC1234 stands as %01MFC1234 in the URI."""
    address = parse_path("/cosem/ldevs/%01MFC1234")

    assert address.device == "\x01MFC1234"
    assert address.path == "/cosem/ldevs/%01MFC1234"


def test_containers_stand_at_both_places() -> None:
    """Containers exist under a logical device and under the physical one (A2 Abbildung 2)."""
    assert parse_path("/cosem/containers/1-00005e3101ff").level is Level.CONTAINER
    assert container_address("a.sm", 1, "00005e3101ff").path == "/cosem/ldevs/a.sm/containers/1-00005e3101ff"


def test_a_missing_group_f_becomes_ff() -> None:
    """A2 §6.4: "Fehlt der Wert für Value-Group F enthält die Repräsentation ff"."""
    assert ObjectId.of(3, "0100010800") == ObjectId(3, "0100010800ff")


def test_trailing_slash_and_query_are_taken_apart() -> None:
    """A trailing slash means depth 1; the query stays raw."""
    target = parse_target("/cosem/ldevs/?q.count=3")

    assert (target.address.level, target.shallow, target.query) == (Level.DEVICES, True, "q.count=3")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/other",
        "/cosemx",
        "/cosem/objects",
        "/cosem/ldevs//objects",
        "/cosem/ldevs/a/b",
        "/cosem/ldevs/a/objects/3",
        "/cosem/ldevs/a/objects/03-0100010800ff",
        "/cosem/ldevs/a/objects/65536-0100010800ff",
        "/cosem/ldevs/a/objects/3-0100010800FF",
        "/cosem/ldevs/a/objects/3-0100010800",
        "/cosem/ldevs/a/objects/3-0100010800ff/attributes/128",
        "/cosem/ldevs/a/objects/3-0100010800ff/attributes/-129",
        "/cosem/ldevs/a/objects/3-0100010800ff/attributes/01",
        "/cosem/ldevs/a/objects/3-0100010800ff/attributes/-0",
        "/cosem/ldevs/a/objects/3-0100010800ff/methods/1/2",
        "/cosem/ldevs/a/containers/1-00005e3101ff/objects",
        "/cosem/containers/1-00005e3101ff/ldevs",
    ],
)
def test_what_is_not_in_the_tree_is_refused(path: str) -> None:
    """No path outside the grammar is an address; members of containers are not addressable (A2 §7.9)."""
    with pytest.raises(Refusal) as caught:
        parse_target(path)

    assert caught.value.code in ("cosem.not_found", "cosem.device_id", "cosem.object_id", "cosem.index")


@given(st.text("/cosemldvbjtainr%-0123456789f?", max_size=60))
def test_any_path_is_read_or_refused(path: str) -> None:
    """Reading arbitrary text answers a target or a refusal."""
    assert code_of(parse_target, "/cosem" + path) in (
        "",
        "cosem.not_found",
        "cosem.device_id",
        "cosem.object_id",
        "cosem.index",
    )


def test_canonical_names() -> None:
    """A2 Tabelle 3: lower case, no blanks, postfix .sm; EUI without separators, postfix .eui."""
    assert device_of_number("1 LGZ 00 7299 9211") == "1lgz0072999211.sm"
    assert device_of_eui("00-1B-44-11-3A-B7") == "001b44113ab7.eui"
    assert canonical_device("EPPC0212345678.SM") == "eppc0212345678.sm"


@pytest.mark.parametrize("text", ["", "eppc0212345678", "a" * 64 + ".sm", "-a.sm", "a-.sm", "ä.sm", "a_b.sm", ".sm"])
def test_what_is_no_canonical_name_is_refused(text: str) -> None:
    """Names with other characters, wrong length, hyphens at an end or no numbering scheme are refused."""
    with pytest.raises(Refusal) as caught:
        canonical_device(text)

    assert caught.value.code == "cosem.device_id"
