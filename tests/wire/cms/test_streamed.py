"""SignedData read as a stream: the same verdicts as for the whole message, and nothing believed that is not signed."""

import contextlib
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire import cms
from torwart.wire.cms import TOLERANT

CONTENT = bytes(range(256)) * 1000


def streamed(message, signers, limit=2**20, switches=TOLERANT):
    out = io.BytesIO()
    verified = cms.verify_stream(io.BytesIO(message), out, signers=signers, limit=limit, switches=switches)
    return verified, out.getvalue()


def code(message, signers, **options):
    with pytest.raises(Refusal) as caught:
        streamed(message, signers, **options)
    return caught.value.code


@pytest.fixture(scope="module")
def signers(quick):
    return {quick.signer.ski: quick.sig_key.public_key()}


@pytest.fixture(scope="module")
def message(quick):
    return cms.sign(CONTENT, signer=quick.signer)


@pytest.fixture(scope="module")
def short(quick):
    return cms.sign(b"<Lieferschein/>" * 3, signer=quick.signer)


@pytest.mark.requirement("P01")
def test_a_streamed_message_gives_the_same_as_a_whole_one(message, signers):
    """Content, signer and type are those ``verify`` finds."""
    whole = cms.verify(message, signers=signers)
    verified, content = streamed(message, signers)

    assert (content, verified.size) == (CONTENT, len(CONTENT))
    assert (verified.signer_ski, verified.content_type) == (whole.signer_ski, whole.content_type)


@pytest.mark.requirement("P01")
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("form", [(), ("-stream",)], ids=["definite", "in pieces"])
def test_what_the_foreign_peer_signs_is_verified(quick, signers, openssl, digest, form):
    """openssl's files, definite or streamed, with its certificate and further attributes inside."""
    options = ("-signer", quick.file("sig.pem"), "-inkey", quick.file("sig.key"), "-keyid", "-md", digest)
    signed = openssl(
        "cms", "-sign", *options, "-nodetach", "-binary", "-outform", "DER", *form, message=CONTENT
    )  # fmt: skip
    verified, content = streamed(signed, signers)

    assert content == CONTENT
    assert len(verified.certificates) == 1


@pytest.mark.requirement("P01")
def test_refusals_have_the_names_they_have_for_whole_messages(message, signers, quick):
    """Unknown signer, altered content, detached, too large, other type: each by its own name."""
    altered = message.replace(CONTENT[:300], bytes(300), 1)
    assert code(message, {}) == "cms.signer_unknown"
    assert code(altered, signers) == "cms.digest_wrong"
    assert code(cms.sign(CONTENT, signer=quick.signer, detached=True), signers) == "cms.detached"
    assert code(message, signers, limit=len(CONTENT) - 1) == "cms.too_large"
    assert code(cms.seal(CONTENT, recipient=quick.recipient), signers) == "cms.content_type"
    assert code(message + b"\0", signers) == "cms.malformed"
    assert code(message[:-1], signers) == "cms.malformed"


@pytest.mark.requirement("P01")
@given(data=st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_streams_pass_only_what_was_signed(data, short, signers):
    """Cut or flipped anywhere: only refusals, and whatever passes is the very content that was signed."""
    good = bytearray(short)
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(good[: data.draw(st.integers(len(good) - 3, len(good)))])
    with contextlib.suppress(Refusal):
        _, content = streamed(cut, signers)
        assert content == b"<Lieferschein/>" * 3


@pytest.mark.requirement("P01")
def test_memory_does_not_grow_with_the_content(quick, signers):
    """A stream of 64 MiB is checked with a few buffers, never as a whole."""
    import tempfile
    import tracemalloc

    size = 64 * 2**20
    with tempfile.TemporaryFile() as file:
        file.write(cms.sign(bytes(size), signer=quick.signer))
        file.seek(0)
        tracemalloc.start()
        with tempfile.TemporaryFile() as out:
            verified = cms.verify_stream(file, out, signers=signers, limit=size)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    assert verified.size == size
    assert peak < 4 * 2**20
