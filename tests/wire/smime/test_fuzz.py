"""Hostile CMS inside mail: cut, flipped, re-cut; nothing but a named refusal, and never a changed content as signed."""

from base64 import b64encode
from functools import cache

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.sim.mailbox import MailCa
from torwart.wire.mail.mime import parts, split
from torwart.wire.smime import Opened, encrypt, sign

from .conftest import INSIDE, MAIL, NOW, People

FORMS = ("detached", "opaque", "gcm", "cbc", "rsa")
FIELDS = b"From: erika@client.test\r\n"


@cache
def material(form: str) -> tuple[People, bytes]:
    """People of this module, and the CMS octets of one mail in this form."""
    people = everybody()
    signer = people.sender().signer()
    recipient = people.recipient("rsa3072" if form == "rsa" else "p256").certificate
    if form == "detached":
        return people, split(parts(split(sign(MAIL, signer=signer)))[1]).content()
    if form == "opaque":
        return people, split(sign(MAIL, signer=signer, opaque=True)).content()
    return people, split(encrypt(MAIL, recipients=[recipient], legacy=form == "cbc")).content()


@cache
def everybody() -> People:
    return People(MailCa.create(NOW))


def opened(form: str, der: bytes) -> Opened | str:
    """What becomes of a mail around these octets: opened, or the code of the refusal."""
    people, _ = material(form)
    body = b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64encode(der)
    raw = FIELDS + b"Content-Type: application/pkcs7-mime" + body
    if form == "detached":
        head = b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=b\r\n\r\n'
        raw = (
            FIELDS
            + head
            + b"--b\r\n"
            + INSIDE
            + b"\r\n--b\r\nContent-Type: application/pkcs7-signature"
            + body
            + b"\r\n--b--"
        )
    try:
        return people.open(raw, people.recipient("rsa3072" if form == "rsa" else "p256"))
    except Refusal as refusal:
        return refusal.code


def check(form: str, der: bytes) -> None:
    """Refused under a name of the subject, or opened to the very content; GCM lets nothing else through."""
    outcome = opened(form, der)
    if isinstance(outcome, str):
        assert outcome.startswith(("smime.", "mail."))
    elif form != "cbc":  # CBC alone proves nothing, and says so
        assert outcome.entity == FIELDS + INSIDE
        assert outcome.signed is (form in {"detached", "opaque"})


@pytest.mark.parametrize("form", FORMS)
def test_the_material_is_good(form: str) -> None:
    """Unchanged, each form opens; else the tests below would prove nothing."""
    outcome = opened(form, material(form)[1])

    assert isinstance(outcome, Opened)
    assert outcome.entity == FIELDS + INSIDE


flips = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4)
numbers = st.integers(0, 600)
empties = st.sampled_from([b"\x05\x00", b"\x30\x00", b"\x31\x00", b"\x04\x00", b"\xa0\x00"])
_relaxed = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@_relaxed
@given(st.sampled_from(FORMS), flips)
def test_flipped_octets(form: str, changes: list[tuple[float, int]]) -> None:
    """Octets changed anywhere."""
    flip(form, changes)


@_relaxed
@given(st.sampled_from(FORMS), st.floats(0, 1), st.binary(max_size=8))
def test_cut_octets(form: str, end: float, tail: bytes) -> None:
    """Cut anywhere, with something else behind."""
    der = material(form)[1]
    check(form, der[: int(end * len(der))] + tail)


@_relaxed
@given(st.sampled_from(FORMS), st.floats(0, 1), st.floats(0, 1), st.integers(0, 64))
def test_moved_octets(form: str, source: float, target: float, size: int) -> None:
    """A piece taken from one place and put in another: elements appear twice, in wrong order, in wrong places."""
    der = material(form)[1]
    piece = der[int(source * len(der)) :][:size]
    at = int(target * len(der))
    check(form, der[:at] + piece + der[at + size :])


@_relaxed
@given(st.sampled_from(FORMS), numbers, empties)
@example("opaque", 21, b"\x31\x00")  # a name without a name: ``cryptography`` finds out when it is asked for
def test_replaced_elements(form: str, number: int, empty: bytes) -> None:
    """Any element of the tree replaced by an empty one, all lengths around it right again."""
    check(form, replaced(material(form)[1], [number], empty))


@pytest.mark.fuzz
@settings(_relaxed, max_examples=20000)
@given(st.sampled_from(FORMS), flips, numbers, empties)
def test_much_of_it(form: str, changes: list[tuple[float, int]], number: int, empty: bytes) -> None:
    """The same for longer."""
    flip(form, changes)
    check(form, replaced(material(form)[1], [number], empty))


def flip(form: str, changes: list[tuple[float, int]]) -> None:
    der = bytearray(material(form)[1])
    for at, octet in changes:
        der[int(at * len(der))] ^= octet
    check(form, bytes(der))


def replaced(der: bytes, left: list[int], by: bytes) -> bytes:
    """The element with the number ``left[0]`` (in the order they begin) replaced; lengths are written anew."""
    out, at = b"", 0
    while at < len(der):
        start, length = at + 2, der[at + 1]
        if length > 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(der[start : start + size], "big"), start + size
        content = der[start : start + length]
        left[0] -= 1
        if left[0] == -1:
            out += by
        else:
            content = replaced(content, left, by) if der[at] & 0x20 else content
            size_octets = len(content).to_bytes(4, "big").lstrip(b"\0")
            out += der[at : at + 1]
            out += bytes([len(content)]) if len(content) < 0x80 else bytes([0x80 | len(size_octets)]) + size_octets
            out += content
        at = start + length
    return out
