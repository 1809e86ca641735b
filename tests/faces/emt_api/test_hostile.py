"""Calls by somebody who means ill, or whose program does: one answer each, in time, and nothing happens (spec/07)."""

import json
import time
from typing import Any

import pytest
from clientele import DEVICE, Clientele
from cryptography.hazmat.primitives.serialization import Encoding
from django.test import Client, override_settings
from interface_world import SECRET, Caller, coupled

from torwart.sim.pki import TestPki
from torwart.store.models import Order
from torwart.wire.certificate import Role
from torwart.wire.peer_proof import prove

pytestmark = pytest.mark.requirement("O-7")
PATH = "/v1/operations/wake-up"
WAKE = json.dumps({"gateway": DEVICE, "reason": "Test"}).encode()


def post(caller: Caller, body: bytes, kind: str = "application/json", **headers: str) -> Any:
    proof = prove(SECRET, method="POST", target=PATH, certificate=caller.certificate, at=time.time())
    return caller.http.generic("POST", PATH, body, kind, headers={**proof, "Idempotency-Key": "k", **headers})


@pytest.mark.parametrize(
    "body",
    [
        b'{"gateway": "EPPC0299999999", "gateway": "' + DEVICE.encode() + b'"}',
        b'{"gateway": "' + DEVICE.encode() + b'", "reason": NaN}',
        b'{"gateway": -Infinity}',
        WAKE.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + WAKE,
        b'{"gateway": "\xff\xfe"}',
        b"[" * 200_000,
        b'{"a":' * 90_000 + b"1" + b"}" * 90_000,
        b'{"gateway": ' + b"9" * 500_000 + b"}",
        b"{",
        b"\x1f\x8b\x08\x00",
        b"gateway=1",
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_can_be_read_in_two_ways_or_none_is_not_read(caller: Caller, body: bytes) -> None:
    """Members twice, numbers that are none, other encodings, depths without end: 400, at once."""
    answer = post(caller, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert len(answer.content) < 1000
    assert not Order.objects.exists()


@pytest.mark.parametrize("body", [b"null", b"true", b'"x"', b"[]", b"7", b"", b'{"gateway": "a\\u0000b"}', b'{"x": 1}'])
def test_what_is_no_order_is_told_by_pointer(caller: Caller, body: bytes) -> None:
    """JSON of another shape: 422 with what is wrong where."""
    answer = post(caller, body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("kind", "coding", "status"),
    [
        ("application/json", "", 202),
        ("application/json; charset=utf-8", "", 202),
        ("Application/JSON", "identity", 202),
        ("text/plain", "", 415),
        ("application/x-www-form-urlencoded", "", 415),
        ("multipart/form-data; boundary=x", "", 415),
        ("application/xml", "", 415),
        ("", "", 415),
        ("application/json", "gzip", 415),
    ],
)
def test_a_body_is_json_by_its_own_word(caller: Caller, kind: str, coding: str, status: int) -> None:
    """Nothing is guessed from content, and nothing unpacked; without a body none is asked for."""
    answer = post(caller, WAKE, kind, **({"Content-Encoding": coding} if coding else {}))
    assert answer.status_code == status
    assert Order.objects.count() == (status == 202)
    assert caller.post("/v1/operations/A-000000000/withdraw").status_code == 404
    assert caller.call("GET", "/v1/operations", headers={"Content-Type": "text/plain"}).status_code == 200


def test_many_errors_are_told_by_some_and_cost_nobody_time(caller: Caller) -> None:
    """What somebody sends does not come back many times over; a hundred thousand members are not even looked at."""
    answer = post(caller, json.dumps({f"x{number}": 1 for number in range(150)}).encode())
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 100
    assert len(answer.content) < 60_000
    began = time.process_time()
    assert post(caller, json.dumps({f"{number:x}": 1 for number in range(100_000)}).encode()).status_code == 400
    assert time.process_time() - began < 1


def test_a_certificate_coupled_with_nobody_is_not_asked_about_for_ever(world: Clientele, pki: TestPki) -> None:
    """429 for it after as many calls as a client has, and no client's calls are used up by that."""
    stranger = pki.issue_triple(Role.EMT, "Niemandes EMT", unit="9903100000006").tls.certificate
    with override_settings(TORWART_API_RATE=(3, 60.0)):
        http = Client()
        nobody = Caller(stranger.public_bytes(Encoding.DER), http)
        somebody = coupled(world, pki.emt.tls.certificate, http=http)
        statuses = [nobody.get("/v1/operations").status_code for _ in range(5)]
        assert statuses == [403, 403, 403, 429, 429]
        assert somebody.get("/v1/operations")["RateLimit-Remaining"] == "2"


def test_several_couplings_share_their_clients_calls(world: Clientele, pki: TestPki) -> None:
    """Nobody calls more often by coupling more systems."""
    other = pki.issue_triple(Role.EMT, "Zweites System", unit="9903100000006").tls.certificate
    with override_settings(TORWART_API_RATE=(3, 60.0)):
        http = Client()
        systems = [coupled(world, each, http=http) for each in (pki.emt.tls.certificate, other)]
        statuses = [systems[turn % 2].get("/v1/operations").status_code for turn in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
