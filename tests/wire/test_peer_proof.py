"""Who is behind a request: only a front that knows the secret can say it."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.sim.pki import TestPki
from torwart.wire.peer_proof import PEER, PROOF, SECRET, TARGET, WINDOW, peer_of, prove

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
PROVEN = {"method": "POST", "target": "/v1/operations/wake%2Dup?x=%31"}
ASKED = {"method": "POST", "path": "/v1/operations/wake-up", "query": "x=%31"}


def test_what_the_head_end_proves_is_believed() -> None:
    """The certificate comes out as it went in, for a minute."""
    headers = prove(KEY, **PROVEN, certificate=b"certificate", at=NOW)

    assert peer_of(KEY, **ASKED, headers=headers, now=NOW + WINDOW) == b"certificate"


@pytest.mark.parametrize(
    "asked",
    [
        {"now": NOW + WINDOW + 1},
        {"now": NOW - WINDOW - 1},
        {"method": "GET"},
        {"query": ""},
        {"path": "/v1/operations/removal"},
    ],
)
def test_a_proof_holds_for_one_request_and_one_minute(asked: dict[str, object]) -> None:
    """Taken from a log it opens nothing else, and nothing later."""
    headers = prove(KEY, **PROVEN, certificate=b"certificate", at=NOW)

    with pytest.raises(Refusal) as refused:
        peer_of(KEY, **{**ASKED, "headers": headers, "now": NOW, **asked})  # type: ignore[arg-type]
    assert refused.value.code == "interface.peer_unproven"


@given(st.dictionaries(st.sampled_from([PEER, PROOF, SECRET, TARGET]), st.text(max_size=60)))
def test_whatever_is_claimed_without_the_secret_is_refused(headers: dict[str, str]) -> None:
    """No text in these headers makes anybody somebody."""
    with pytest.raises(Refusal) as refused:
        peer_of(KEY, **ASKED, headers=headers, now=NOW)
    assert refused.value.code == "interface.peer_unproven"


def test_a_proof_does_not_carry_another_certificate() -> None:
    """Swapping the certificate under a good proof is noticed."""
    good = prove(KEY, **PROVEN, certificate=b"mine", at=NOW)
    other = prove(KEY, **PROVEN, certificate=b"yours", at=NOW)

    with pytest.raises(Refusal):
        peer_of(KEY, **ASKED, headers={**good, PEER: other[PEER]}, now=NOW)


def test_a_reverse_proxy_proves_itself_with_the_secret(pki: TestPki) -> None:
    """nginx sends the certificate as percent-encoded PEM; with a wrong secret or no certificate it is nobody."""
    certificate = pki.emt.tls.certificate
    escaped = quote(certificate.public_bytes(Encoding.PEM))
    good = {PEER: escaped, SECRET: KEY.hex()}

    assert peer_of(KEY, **ASKED, headers=good, now=NOW) == certificate.public_bytes(Encoding.DER)
    for wrong in ({**good, SECRET: KEY[::-1].hex()}, {**good, PEER: "no certificate"}, {SECRET: KEY.hex()}):
        with pytest.raises(Refusal):
            peer_of(KEY, **ASKED, headers=wrong, now=NOW)
