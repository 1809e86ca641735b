"""SignedData: against a foreign peer, and every departure from the profile refused by its own kind."""

import hashlib

import pytest
from asn1crypto import cms as foreign
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals import KINDS, Refusal, Side
from torwart.wire.cms import ID_AUTH_ENVELOPED_DATA, ID_DATA, TOLERANT, sign, verify
from torwart.wire.cms.algorithms import ATTRIBUTE_CONTENT_TYPE, ATTRIBUTE_MESSAGE_DIGEST
from torwart.wire.cms.attributes import attribute
from torwart.wire.cms.der import OCTET_STRING, oid, sequence, set_of, tlv

pytestmark = pytest.mark.requirement("WAN-1.4")

CONTENT = b"<object id='0000010000ff'/>\n\x00\xff" * 7
SIGNED = (1, 0)
INFO = (*SIGNED, 3, 0)


def refusal(message, **options):
    with pytest.raises(Refusal) as caught:
        verify(message, **options)
    return caught.value.code


def test_the_foreign_peer_verifies_what_we_sign(party, openssl):
    """What we sign, openssl verifies, finding the signer by key identifier alone."""
    message = sign(CONTENT, signer=party.signer)

    options = ("-inform", "DER", "-binary", "-noverify", "-nointern", "-certfile", party.file("sig.pem"))
    assert openssl("cms", "-verify", *options, message=message) == CONTENT


def test_the_foreign_peer_verifies_a_detached_signature(party, openssl, tmp_path):
    """A detached signature has no content inside, and openssl verifies it beside the content."""
    message = sign(CONTENT, signer=party.signer, detached=True)
    (tmp_path / "content").write_bytes(CONTENT)

    options = ("-inform", "DER", "-binary", "-noverify", "-certfile", party.file("sig.pem"))
    verified = openssl("cms", "-verify", *options, "-content", str(tmp_path / "content"), message=message)

    assert CONTENT not in message
    assert verified == CONTENT


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("form", [(), ("-stream",)])
def test_we_verify_what_the_foreign_peer_signs(party, openssl, digest, form):
    """Signatures of openssl by key identifier are verified, DER or streamed BER, with each hash of DS 5.3.3.2.1."""
    options = ("-sign", "-signer", party.file("sig.pem"), "-inkey", party.file("sig.key"), "-keyid", "-md", digest)
    message = openssl("cms", *options, "-nodetach", "-binary", "-outform", "DER", *form, message=CONTENT)

    verified = verify(message, signers=party.signers, switches=TOLERANT)

    assert (verified.content, verified.content_type, verified.signer_ski) == (CONTENT, ID_DATA, party.signer.ski)
    assert verified.certificates == (party.sig_certificate,)
    assert (message[1] == 0x80) is bool(form)


def test_we_verify_a_detached_signature_of_the_foreign_peer(quick, openssl):
    """A detached signature of openssl holds for its content and for no other."""
    options = ("-sign", "-signer", quick.file("sig.pem"), "-inkey", quick.file("sig.key"), "-keyid", "-nocerts")
    message = openssl("cms", *options, "-binary", "-outform", "DER", message=CONTENT)

    verified = verify(message, signers=quick.signers, content=CONTENT, switches=TOLERANT)

    assert verified.content == CONTENT
    assert refusal(message, signers=quick.signers, content=CONTENT + b".", switches=TOLERANT) == "cms.digest_wrong"


def test_the_profile_is_kept_to_the_letter(party):
    """Version 3, SHA-256 without parameters, SKI, two signed attributes, ECDSA in X9.62 form, and nothing else."""
    parsed = foreign.ContentInfo.load(sign(CONTENT, signer=party.signer, content_type=ID_AUTH_ENVELOPED_DATA))
    signed = parsed["content"]
    (info,) = signed["signer_infos"]

    assert parsed["content_type"].native == "signed_data"
    assert [a.dump() for a in signed["digest_algorithms"]] == [sequence(oid("2.16.840.1.101.3.4.2.1"))]
    assert (signed["version"].native, info["version"].native) == ("v3", "v3")
    assert signed["encap_content_info"]["content_type"].dotted == ID_AUTH_ENVELOPED_DATA
    assert (signed["certificates"].native, signed["crls"].native) == (None, None)
    assert (info["sid"].name, info["sid"].native) == ("subject_key_identifier", party.signer.ski)
    assert [a["type"].native for a in info["signed_attrs"]] == ["content_type", "message_digest"]
    assert info["signed_attrs"][1]["values"].native == [hashlib.sha256(CONTENT).digest()]
    assert info["signature_algorithm"].dump() == sequence(oid("1.2.840.10045.4.3.2"))
    assert info["unsigned_attrs"].native is None
    signed_octets = info["signed_attrs"].untag().dump()
    party.sig_key.public_key().verify(info["signature"].native, signed_octets, ec.ECDSA(hashes.SHA256()))


def test_the_own_certificate_may_be_attached(party, openssl):
    """With the certificate inside, openssl needs no other, and we hand it back."""
    message = sign(CONTENT, signer=party.signer, certificate=party.sig_certificate)

    verified = verify(message, signers=party.signers)
    options = ("-inform", "DER", "-binary", "-purpose", "any", "-CAfile", party.file("sig.pem"))

    assert verified.certificates == (party.sig_certificate,)
    assert openssl("cms", "-verify", *options, message=message) == CONTENT


def test_a_foreign_certificate_is_refused(quick, stranger):
    """A certificate of another key, alone or beside the own one, is no part of the profile."""
    other = sign(CONTENT, signer=quick.signer, certificate=stranger.sig_certificate)
    both = sign(CONTENT, signer=quick.signer, certificate=quick.sig_certificate, chain=[stranger.sig_certificate])

    assert refusal(other, signers=quick.signers) == "cms.signer_certificate"
    assert refusal(both, signers=quick.signers) == "cms.signer_certificate"
    assert len(verify(both, signers=quick.signers, switches=TOLERANT).certificates) == 2
    assert refusal(other, signers=quick.signers, switches=TOLERANT) == "cms.signer_certificate"


def test_an_unreadable_certificate_is_refused(quick, tree):
    """What is attached as a certificate and is none is refused, not raised."""
    message = tree.parse(sign(CONTENT, signer=quick.signer, certificate=quick.sig_certificate))
    message[SIGNED][3].children = [tree.parse(sequence(tlv(OCTET_STRING, b"none")))]

    assert refusal(message.encode(), signers=quick.signers) == "cms.signer_certificate"


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_an_attached_certificate_changed_in_any_bit_raises_only_refusals(quick):
    """The certificate is not covered by the signature; whatever stands there is accepted for its key, or refused."""
    message = sign(CONTENT, signer=quick.signer, certificate=quick.sig_certificate)
    certificate = quick.sig_certificate.public_bytes(Encoding.DER)
    start = message.index(certificate)
    outcomes = set()
    for at in range(start, start + len(certificate)):
        for bit in range(8):
            changed = bytearray(message)
            changed[at] ^= 1 << bit
            outcomes.add(content_or_code(bytes(changed), quick))

    assert outcomes == {CONTENT, "cms.signer_certificate", "cms.malformed"}


def content_or_code(message, party):
    try:
        return verify(message, signers=party.signers).content
    except Refusal as refusal:
        return refusal.code


def test_only_configured_signers_count(quick, stranger):
    """A stranger's signature is refused even when its certificate is attached, and when it takes a known SKI."""
    message = sign(CONTENT, signer=stranger.signer, certificate=stranger.sig_certificate)
    stranger_under_our_name = {quick.signer.ski: stranger.sig_key.public_key()}

    assert refusal(message, signers=quick.signers) == "cms.signer_unknown"
    assert refusal(sign(CONTENT, signer=quick.signer), signers=stranger_under_our_name) == "cms.signature_wrong"


def test_the_foreign_peer_adds_attributes_the_profile_does_not_know(quick, openssl):
    """Signing time and capabilities are refused by the profile and tolerated where only RFC 5652 is asked."""
    options = ("-sign", "-signer", quick.file("sig.pem"), "-inkey", quick.file("sig.key"), "-keyid", "-nocerts")
    message = openssl("cms", *options, "-nodetach", "-binary", "-outform", "DER", message=CONTENT)

    assert refusal(message, signers=quick.signers) == "cms.signed_attributes"
    assert verify(message, signers=quick.signers, switches=TOLERANT).content == CONTENT


def test_issuer_and_serial_do_not_name_a_signer(quick, openssl):
    """Without -keyid openssl names the signer by issuer and serial number; the profile wants the SKI."""
    options = ("-sign", "-signer", quick.file("sig.pem"), "-inkey", quick.file("sig.key"))
    by_issuer = openssl("cms", *options, "-nodetach", "-binary", "-outform", "DER", message=CONTENT)

    assert refusal(by_issuer, signers=quick.signers, switches=TOLERANT) == "cms.version"


def test_two_signers_are_refused(quick, stranger, openssl):
    """Exactly one signer info is prescribed."""
    ours = ("-signer", quick.file("sig.pem"), "-inkey", quick.file("sig.key"))
    theirs = ("-signer", stranger.file("sig.pem"), "-inkey", stranger.file("sig.key"))
    options = ("-nodetach", "-binary", "-keyid", "-outform", "DER")
    message = openssl("cms", "-sign", *ours, *theirs, *options, message=CONTENT)

    assert refusal(message, signers=quick.signers | stranger.signers, switches=TOLERANT) == "cms.signers"


def _other(oid_text):
    return sequence(oid(oid_text))


EDITS = {
    "no signer": (lambda m, n: m[SIGNED][3].children.clear(), "cms.signers"),
    "version 1": (lambda m, n: setattr(m[SIGNED][0], "content", b"\x01"), "cms.version"),
    "signer version 4": (lambda m, n: setattr(m[INFO][0], "content", b"\x04"), "cms.version"),
    "signer version 1": (lambda m, n: setattr(m[INFO][0], "content", b"\x01"), "cms.signer_identifier"),
    "crls": (lambda m, n: m[SIGNED].children.insert(3, n(0xA1)), "cms.revocations"),
    "unsigned attributes": (lambda m, n: m[INFO].children.append(n(0xA1)), "cms.unsigned_attributes"),
    "no signed attributes": (lambda m, n: m[INFO].children.pop(3), "cms.signed_attributes"),
    "sha-1": (lambda m, n: m.replace(_other("2.16.840.1.101.3.4.2.1"), _other("1.3.14.3.2.26")), "cms.algorithm"),
    "sha-384 outside": (lambda m, n: setattr(m[SIGNED][1, 0, 0], "content", m[INFO][2, 0].content[:-1] + b"\x02"),
                        "cms.algorithm"),
    "ecdsa-plain": (lambda m, n: m.replace(_other("1.2.840.10045.4.3.2"), _other("0.4.0.127.0.7.1.1.4.1.3")),
                    "cms.algorithm"),
    "ecdsa with sha-384": (lambda m, n: m.replace(_other("1.2.840.10045.4.3.2"), _other("1.2.840.10045.4.3.3")),
                           "cms.algorithm"),
    "another content type": (lambda m, n: m[SIGNED][2].replace(oid(ID_DATA), oid(ID_AUTH_ENVELOPED_DATA)),
                             "cms.signed_attributes"),
    "no digest": (lambda m, n: m[INFO][3].children.pop(), "cms.signed_attributes"),
    "digest twice": (lambda m, n: m[INFO][3].children.append(m[INFO][3, 1]), "cms.malformed"),
    "two digest values": (lambda m, n: m[INFO][3, 1, 1].children.append(n(4, bytes(32))), "cms.digest_wrong"),
    "changed content": (lambda m, n: setattr(m[SIGNED][2, 1, 0], "content", CONTENT + b"."), "cms.digest_wrong"),
    "changed digest": (lambda m, n: setattr(m[INFO][3, 1, 1, 0], "content", bytes(32)), "cms.digest_wrong"),
    "zero signature": (lambda m, n: setattr(m[INFO][5], "content", bytes.fromhex("3006020100020100")),
                       "cms.signature_wrong"),
    "empty signature": (lambda m, n: setattr(m[INFO][5], "content", b""), "cms.signature_wrong"),
    "enveloped data": (lambda m, n: m.replace(oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.7.3")),
                       "cms.content_type"),
    "a flood of digests": (lambda m, n: m[SIGNED][1].children.extend([n(0x30)] * 100), "cms.malformed"),
    "a field too many": (lambda m, n: m[SIGNED].children.append(n(4)), "cms.malformed"),
    "a field too few": (lambda m, n: m[SIGNED].children.pop(), "cms.malformed"),
}  # fmt: skip


@pytest.mark.requirement("SIM-flipped-mac", "SIM-wrong-signer")
@pytest.mark.parametrize("name", list(EDITS))
def test_every_departure_has_its_own_refusal(quick, tree, name):
    """A SignedData changed in one place is refused by the kind that names this place."""
    change, code = EDITS[name]
    message = tree.parse(sign(CONTENT, signer=quick.signer))

    change(message, tree)

    assert refusal(message.encode(), signers=quick.signers) == code
    assert refusal(message.encode(indefinite=True), signers=quick.signers) == code


def test_content_is_given_exactly_once(quick):
    """A detached signature without content and an attached one with a second content are refused."""
    attached = sign(CONTENT, signer=quick.signer)
    detached = sign(CONTENT, signer=quick.signer, detached=True)

    assert refusal(detached, signers=quick.signers) == "cms.detached"
    assert refusal(attached, signers=quick.signers, content=CONTENT) == "cms.detached"


def test_the_order_of_attributes_does_not_matter(quick, tree):
    """The signature covers the DER of the attributes (RFC 5652 5.4), so their order on the wire is free."""
    message = tree.parse(sign(CONTENT, signer=quick.signer))
    message[INFO][3].children.reverse()

    assert verify(message.encode(), signers=quick.signers).content == CONTENT


def test_null_parameters_of_a_digest_are_read(quick, tree):
    """RFC 5754 2: implementations MUST accept SHA-2 with absent and with NULL parameters."""
    message = tree.parse(sign(CONTENT, signer=quick.signer))
    plain = sequence(oid("2.16.840.1.101.3.4.2.1"))
    message.replace(plain, sequence(oid("2.16.840.1.101.3.4.2.1"), b"\x05\x00"))

    assert verify(message.encode(), signers=quick.signers).content == CONTENT


def test_an_empty_content_can_be_signed(quick):
    """Nothing is a content too, attached or detached."""
    assert verify(sign(b"", signer=quick.signer), signers=quick.signers).content == b""
    detached = sign(b"", signer=quick.signer, detached=True)
    assert verify(detached, signers=quick.signers, content=b"").content == b""


def test_attributes_are_written_in_der_order(quick, tree):
    """For short and long content types alike the signed attributes stand in DER order."""
    for content_type in ("1.2", ID_DATA, "0.4.0.127.0.7.4.1.1.1", "1.2.840.113549.1.9.16.1.23" + ".99999999" * 8):
        message = sign(CONTENT, signer=quick.signer, content_type=content_type)
        attributes = [child.encode() for child in tree.parse(message)[INFO][3].children]
        digest = attribute(ATTRIBUTE_MESSAGE_DIGEST, tlv(OCTET_STRING, hashlib.sha256(CONTENT).digest()))

        assert set_of(attributes)[2:] == b"".join(attributes)
        assert sorted(attributes) == sorted([attribute(ATTRIBUTE_CONTENT_TYPE, oid(content_type)), digest])
        assert verify(message, signers=quick.signers).content_type == content_type


def test_refusals_of_this_subject_name_side_and_source():
    """Each kind of the subject says whose fault it is and by which text, in both languages with the same fields."""
    kinds = [kind for code, kind in KINDS.items() if code.startswith("cms.")]

    assert {kind.side for kind in kinds} == {Side.GATEWAY, Side.OURS}
    assert all(kind.source for kind in kinds)
