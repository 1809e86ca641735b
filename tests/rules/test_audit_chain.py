"""The hash chain: canonical form judged by RFC 8785's own examples, and every kind of tampering found."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules.audit_chain import FAULTS, GENESIS, Break, Fault, Link, canonical, link, verify

pytestmark = pytest.mark.requirement("M-4")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
entries = st.dictionaries(texts, plain, max_size=4)


def chain(contents: list[dict[str, Any]]) -> list[Link]:
    links: list[Link] = []
    previous = GENESIS
    for seq, entry in enumerate(contents, start=1):
        links.append(Link(seq, previous, link(previous, seq, entry), entry))
        previous = links[-1].hash
    return links


def test_canonical_form_is_rfc_8785() -> None:
    """Sorting by UTF-16 code units and string escapes as in RFC 8785 §3.2.3 and §3.2.2.2."""
    sample = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    order = ["Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign"]
    order += ["Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh"]
    assert list(json.loads(canonical(sample)).values()) == order

    text = {"string": '\u20ac$\u000f\u000aA\'B"\\\\"/', "literals": [None, True, False]}
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical(text) == expected.encode()


def test_a_stranger_can_recompute_the_hash() -> None:
    """Nothing of ours is needed: JSON with sorted keys, SHA-256, done."""
    entry = {"action": "order.placed", "actor": "contact:7", "at": "2026-11-23T08:00:00Z"}
    text = (
        '{"entry":{"action":"order.placed","actor":"contact:7","at":"2026-11-23T08:00:00Z"},"previous":"'
        + "0" * 64
        + '","seq":1}'
    )
    assert link(GENESIS, 1, entry) == hashlib.sha256(text.encode()).digest()


@given(contents=st.lists(entries, max_size=6))
def test_an_untouched_chain_is_whole(contents: list[dict[str, Any]]) -> None:
    """Every chain verifies, also against all of its own heads."""
    links = chain(contents)

    assert verify(links) is None
    assert verify(links, {each.seq: each.hash for each in links}) is None


@given(value=plain)
def test_canonical_text_means_the_same(value: object) -> None:
    """Reading the canonical text back gives the value, and the same text again."""
    text = canonical({"v": value})

    assert json.loads(text) == {"v": value}
    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize("act", ["change", "remove", "swap", "insert", "rehash", "rewrite", "cut", "smuggle"])
def test_tampering_is_found_at_its_place(act: str) -> None:
    """Whatever is done to the third of five entries, the first broken place is named."""
    links = chain([{"n": n} for n in range(5)])
    heads = {links[-1].seq: links[-1].hash}
    third = links[2]
    tampered, expected = {
        "change": ([*links[:2], third._replace(entry={"n": 99}), *links[3:]], Break(3, Fault.CHANGED)),
        "remove": ([*links[:2], *links[3:]], Break(4, Fault.GAP)),
        "swap": ([*links[:2], links[3], third, links[4]], Break(4, Fault.GAP)),
        "insert": ([*links[:2], third, third, *links[3:]], Break(3, Fault.GAP)),
        "rehash": (
            [*links[:2], third._replace(entry={"n": 99}, hash=link(third.previous, 3, {"n": 99})), *links[3:]],
            Break(4, Fault.TORN),
        ),
        "rewrite": (chain([{"n": n * 7} for n in range(5)]), Break(5, Fault.REWRITTEN)),
        "cut": (links[:3], Break(5, Fault.CUT_OFF)),
        "smuggle": ([*links[:2], third._replace(entry={"n": 0.5}), *links[3:]], Break(3, Fault.NOT_PLAIN)),
    }[act]

    found = verify(tampered, heads)
    assert found == expected
    assert found.words is FAULTS[expected.fault]


@given(contents=st.lists(entries, min_size=1, max_size=5), data=st.data())
def test_any_other_content_breaks_the_chain(contents: list[dict[str, Any]], data: st.DataObject) -> None:
    """No entry can be exchanged for one that says something else."""
    links = chain(contents)
    place = data.draw(st.integers(0, len(links) - 1))
    other = data.draw(entries.filter(lambda e: canonical(e) != canonical(links[place].entry)))
    links[place] = links[place]._replace(entry=other)

    assert verify(links) == Break(place + 1, Fault.CHANGED)


@pytest.mark.parametrize(
    "value", [0.5, b"x", 2**53, -(2**53), {1: "x"}, {"\ud800": 1}, ["\udfff"], object(), {"a": {"b": {0.1}}}]
)
def test_what_has_no_single_text_is_refused(value: object) -> None:
    """Floats, bytes, numbers beyond 2^53, keys that are no text and broken text never enter the chain."""
    with pytest.raises(Refusal) as caught:
        canonical({"v": value})
    assert caught.value.code == "audit.not_plain"
