"""Whole messages: three layers, both suites, both curves, and nothing but refusals for what is broken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.wire.cms import (
    ID_AUTH_ENVELOPED_DATA,
    ID_SIGNED_DATA,
    Limits,
    Suite,
    Switches,
    open_protected,
    protect,
    seal,
    sign,
    unseal,
)
from torwart.wire.cms.algorithms import ID_DATA
from torwart.wire.cms.der import oid, sequence, tlv
from torwart.wire.cms.envelope import make_envelope

pytestmark = pytest.mark.requirement("WAN-1.4")

CONTENT = b"<?xml version='1.0'?><profile id='00000000e000.1lgz0072999211.sm'/>\n" * 30


def refusal(message, party, **options):
    with pytest.raises(Refusal) as caught:
        open_protected(message, agreer=party.agreer, signers=party.signers, **options)
    return caught.value.code


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("compress", [True, False])
def test_what_is_protected_is_opened(party, suite, compress):
    """Content, signer, suite and compression come out as they went in; the content is nowhere in the clear."""
    message = protect(CONTENT, signer=party.signer, recipient=party.recipient, suite=suite, compress=compress)

    opened = open_protected(message, agreer=party.agreer, signers=party.signers)

    assert (opened.content, opened.suite, opened.compressed) == (CONTENT, suite, compress)
    assert opened.signer_ski == party.signer.ski
    assert CONTENT[:40] not in message


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_content_comes_back(quick, data):
    """Any content of any size survives any choice of the sender."""
    content = data.draw(st.binary(max_size=400))
    suite, compress = data.draw(st.sampled_from(Suite)), data.draw(st.booleans())
    switches = Switches(named_curve=data.draw(st.booleans()), cmac_parameters=data.draw(st.booleans()))
    message = protect(
        content, signer=quick.signer, recipient=quick.recipient, suite=suite, compress=compress, switches=switches
    )

    assert open_protected(message, agreer=quick.agreer, signers=quick.signers).content == content


def test_the_foreign_peer_peels_the_layers(party, openssl):
    """openssl verifies the outer layer and finds the very AuthEnvelopedData that ``unseal`` opens."""
    message = protect(CONTENT, signer=party.signer, recipient=party.recipient)

    options = ("-inform", "DER", "-binary", "-noverify", "-certfile", party.file("sig.pem"))
    envelope = openssl("cms", "-verify", *options, message=message)

    sealed = sequence(oid(ID_AUTH_ENVELOPED_DATA), tlv(0xA0, envelope))
    assert unseal(sealed, agreer=party.agreer).content == CONTENT


def test_large_messages_go_through(quick):
    """Megabytes with lengths of three and more octets, in DER and in pieces."""
    content = bytes(range(256)) * 12_000
    message = protect(content, signer=quick.signer, recipient=quick.recipient, compress=False)

    assert open_protected(message, agreer=quick.agreer, signers=quick.signers).content == content


@pytest.mark.requirement("SIM-indefinite-ber")
@pytest.mark.parametrize("suite", Suite)
def test_indefinite_lengths_on_every_layer(quick, tree, suite):
    """BER outside and BER inside, as streaming senders write it, is opened like DER."""
    envelope = make_envelope(CONTENT, ID_DATA, recipient=quick.recipient, suite=suite, switches=Switches())
    streamed = tree.parse(envelope).encode(indefinite=True)
    message = tree.parse(sign(streamed, signer=quick.signer, content_type=ID_AUTH_ENVELOPED_DATA))
    octets = message[1, 0, 2, 1]
    octets.children = [tree(0x24, children=[tree(4, streamed[:100]), tree(4, streamed[100:])])]

    opened = open_protected(message.encode(indefinite=True), agreer=quick.agreer, signers=quick.signers)

    assert opened.content == CONTENT


@pytest.mark.parametrize("compress", [True, False])
def test_a_message_cut_anywhere_is_refused(quick, compress):
    """Each true prefix of a message is refused as malformed."""
    message = protect(b"content", signer=quick.signer, recipient=quick.recipient, compress=compress)
    codes = {refusal(message[:size], quick) for size in range(len(message))}

    assert codes == {"cms.malformed"}
    assert refusal(message + b"\x00", quick) == "cms.malformed"


@pytest.mark.requirement("SIM-flipped-mac")
@pytest.mark.parametrize("suite", Suite)
def test_a_message_changed_in_any_bit_is_refused(quick, suite):
    """Every single bit matters, outside (signed) and inside (authenticated); nothing but a refusal is raised."""
    message = protect(b"content", signer=quick.signer, recipient=quick.recipient, suite=suite)
    sealed = seal(b"content", recipient=quick.recipient, suite=suite, compress=True)
    for at in range(len(message)):
        for bit in range(8):
            changed = bytearray(message)
            changed[at] ^= 1 << bit
            assert refusal(bytes(changed), quick).startswith("cms.")
    for at in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[at] ^= 1 << bit
            with pytest.raises(Refusal):
                unseal(bytes(changed), agreer=quick.agreer)


def content_or_subject(message, party):
    try:
        return unseal(message, agreer=party.agreer).content
    except Refusal as refusal:
        return refusal.code.partition(".")[0]


@pytest.mark.fuzz
@given(st.data())
@settings(max_examples=20_000, deadline=None)
def test_mutated_messages_raise_only_refusals(quick, data):
    """Octets cut out, put in, doubled and overwritten anywhere raise a refusal or change nothing."""
    sealed = bytearray(seal(b"content", recipient=quick.recipient, suite=data.draw(st.sampled_from(Suite))))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(sealed)))
        stop = data.draw(st.integers(start, min(len(sealed), start + 40)))
        sealed[start:stop] = data.draw(st.one_of(st.binary(max_size=20), st.just(bytes(sealed[start:stop]) * 2)))
    assert content_or_subject(bytes(sealed), quick) in (b"content", "cms")


@given(st.binary(max_size=200))
def test_anything_else_is_refused(quick, octets):
    """Random octets are no message."""
    assert refusal(octets, quick) in ("cms.malformed", "cms.content_type", "cms.version")


def test_what_is_signed_but_not_encrypted_is_refused(quick):
    """DS 5.3.1 wants encryption inside and signature outside; a signed clear text is not opened."""
    assert refusal(sign(CONTENT, signer=quick.signer), quick) == "cms.content_type"
    assert refusal(seal(CONTENT, recipient=quick.recipient), quick) == "cms.content_type"


def test_encrypted_content_of_another_type_is_refused(quick):
    """Inside may be id-data or CompressedData, nothing else (Table 5.1)."""
    envelope = make_envelope(CONTENT, ID_SIGNED_DATA, recipient=quick.recipient, suite=Suite.GCM, switches=Switches())
    message = sign(envelope, signer=quick.signer, content_type=ID_AUTH_ENVELOPED_DATA)

    assert refusal(message, quick) == "cms.content_type"


@pytest.mark.requirement("SIM-uncompressed")
def test_uncompressed_content_is_refused_only_on_demand(quick):
    """Table 5.1 allows id-data; where the transfer promises zlib, a switch refuses it."""
    message = protect(CONTENT, signer=quick.signer, recipient=quick.recipient, compress=False)

    assert not open_protected(message, agreer=quick.agreer, signers=quick.signers).compressed
    assert refusal(message, quick, switches=Switches(require_compression=True)) == "cms.not_compressed"


@pytest.mark.requirement("SIM-gzip-bomb")
def test_sizes_are_limited(quick):
    """Message, content and unpacked content have limits of their own."""
    plain = protect(CONTENT, signer=quick.signer, recipient=quick.recipient, compress=False)
    packed = protect(bytes(2**20), signer=quick.signer, recipient=quick.recipient)

    assert refusal(plain, quick, limits=Limits(message=len(plain) - 1)) == "cms.too_large"
    assert refusal(plain, quick, limits=Limits(content=len(CONTENT) - 1)) == "cms.too_large"
    assert refusal(packed, quick) == "cms.bomb"
    exact = Limits(message=len(plain), content=len(CONTENT))
    assert open_protected(plain, agreer=quick.agreer, signers=quick.signers, limits=exact).content == CONTENT


@pytest.mark.requirement("SIM-wrong-signer", "SIM-wrong-recipient")
def test_wrong_signer_and_wrong_recipient_are_told_apart(quick, stranger):
    """Who signed and for whom it is encrypted fail by different kinds, and the signer is judged first."""
    foreign = protect(CONTENT, signer=stranger.signer, recipient=quick.recipient)
    astray = protect(CONTENT, signer=quick.signer, recipient=stranger.recipient)
    both = protect(CONTENT, signer=stranger.signer, recipient=stranger.recipient)

    assert refusal(foreign, quick) == "cms.signer_unknown"
    assert refusal(astray, quick) == "cms.wrong_recipient"
    assert refusal(both, quick) == "cms.signer_unknown"
