"""AuthEnvelopedData: against a foreign peer that knows its agreement by another name, and every departure refused."""

import pytest
from asn1crypto import cms as foreign
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap

from torwart.kernel.refusals import Refusal
from torwart.wire.cms import Kdf, LocalAgreer, Recipient, SharedInfo, Suite, Switches, seal, unseal
from torwart.wire.cms import content as content_encryption
from torwart.wire.cms.algorithms import ID_COMPRESSED_DATA, ID_DATA, KEY_ENCRYPTIONS
from torwart.wire.cms.content import cmac
from torwart.wire.cms.der import OCTET_STRING, SET, Reader, oid, sequence, set_of, tlv
from torwart.wire.cms.envelope import _read_expected, _read_recipient

pytestmark = pytest.mark.requirement("WAN-1.4")

CONTENT = b"<profile tariff='TAF7'/>" * 11
ECKA_EG = {hash_name: oid(f"0.4.0.127.0.7.1.1.5.1.1.{arc}") for hash_name, arc in
           (("sha256", 3), ("sha384", 4), ("sha512", 5))}  # fmt: skip
DH_SINGLE_PASS = {hash_name: oid(f"1.3.132.1.11.{arc}") for hash_name, arc in
                  (("sha256", 1), ("sha384", 2), ("sha512", 3))}  # fmt: skip

ENVELOPE = (1, 0)
KARI = (*ENVELOPE, 1, 0)
INFO = (*ENVELOPE, 2)


def refusal(message, agreer, **options):
    with pytest.raises(Refusal) as caught:
        unseal(message, agreer=agreer, **options)
    return caught.value.code


@pytest.mark.parametrize("hash_name", list(ECKA_EG))
def test_the_foreign_peer_decrypts_what_we_encrypt(party, tree, openssl, hash_name):
    """Under the name openssl has for the same agreement, it opens our GCM envelope."""
    message = tree.parse(seal(CONTENT, recipient=party.recipient, switches=Switches(kdf=Kdf(hash_name))))
    renamed = message.replace(ECKA_EG[hash_name], DH_SINGLE_PASS[hash_name]).encode()

    options = ("-inform", "DER", "-binary", "-recip", party.file("enc.pem"), "-inkey", party.file("enc.key"))
    assert openssl("cms", "-decrypt", *options, message=renamed) == CONTENT


def test_gcm_with_attributes_by_hand(quick):
    """openssl 3.0 knows no authAttrs, so: GCM over their DER SET OF as associated data, as RFC 5083 2.2 defines it."""
    envelope = foreign.ContentInfo.load(seal(CONTENT, recipient=quick.recipient, compress=True))["content"]
    kari = envelope["recipient_infos"][0].chosen
    info = envelope["auth_encrypted_content_info"]
    nonce = info["content_encryption_algorithm"]["parameters"].native
    wrap = sequence(oid("2.16.840.1.101.3.4.1.5"))
    shared_info = sequence(wrap, tlv(0xA2, tlv(OCTET_STRING, bytes.fromhex("00000080"))))

    kek = X963KDF(hashes.SHA256(), 16, shared_info).derive(_z(quick, kari))
    key = aes_key_unwrap(kek, kari["recipient_encrypted_keys"][0]["encrypted_key"].native)
    aad = envelope["auth_attrs"].untag().dump()
    plaintext = AESGCM(key).decrypt(_nonce(nonce), info["encrypted_content"].native + envelope["mac"].native, aad)

    assert aad == set_of([sequence(oid("1.2.840.113549.1.9.3"), tlv(0x31, oid(ID_COMPRESSED_DATA)))])
    assert foreign.CompressedData.load(plaintext).decompressed == CONTENT


def _nonce(parameters):
    return parameters["0"]


def _z(party, kari):
    point = kari["originator"].chosen["public_key"].native
    return party.enc_key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(party.enc_key.curve, point))


def encrypted_by_openssl(openssl, party, *, bits="128", wrap="128", hash_name="sha256", form=(), content=CONTENT):
    options = ("-binary", "-outform", "DER", "-recip", party.file("enc.pem"), "-keyid", f"-aes-{bits}-gcm")
    agreement = ("-keyopt", f"ecdh_kdf_md:{hash_name}", f"-aes{wrap}-wrap")
    return openssl("cms", "-encrypt", *options, *agreement, *form, message=content)


@pytest.mark.parametrize(
    ("bits", "wrap", "hash_name"),
    [("128", "128", "sha256"), ("192", "192", "sha384"), ("256", "256", "sha512"), ("256", "256", "sha256")],
)
def test_we_decrypt_what_the_foreign_peer_encrypts(party, tree, openssl, bits, wrap, hash_name):
    """An envelope of openssl under the name ECKA-EG is opened, with each key size DS 5.3.2.2 lists."""
    message = tree.parse(encrypted_by_openssl(openssl, party, bits=bits, wrap=wrap, hash_name=hash_name))
    renamed = message.replace(DH_SINGLE_PASS[hash_name], ECKA_EG[hash_name]).encode()

    opened = unseal(renamed, agreer=party.agreer)

    assert (opened.content, opened.suite, opened.compressed) == (CONTENT, Suite.GCM, False)


@pytest.mark.requirement("P01")
@pytest.mark.parametrize("hash_name", list(ECKA_EG))
def test_other_names_of_the_agreement_are_taken_where_they_are_allowed(party, openssl, hash_name):
    """What openssl encrypts is opened as it is by whoever allows its names, and refused by the profile as written."""
    message = encrypted_by_openssl(openssl, party, hash_name=hash_name)

    assert unseal(message, agreer=party.agreer, switches=Switches(secg_names=True)).content == CONTENT
    assert refusal(message, party.agreer) == "cms.algorithm"


def test_we_decrypt_a_streamed_envelope(party, openssl):
    """The indefinite form with the ciphertext in pieces, as openssl streams it, is opened."""
    content = CONTENT * 100
    message = encrypted_by_openssl(openssl, party, form=("-stream",), content=content)
    assert message.startswith(b"\x30\x80")

    # In the indefinite form only the two definite sequences around the identifier have a length to follow.
    old, new = DH_SINGLE_PASS["sha256"], ECKA_EG["sha256"]
    wrap = sequence(oid("2.16.840.1.101.3.4.1.5"))
    at = message.index(old)
    assert message[at - 2 : at] == bytes((0x30, len(old + wrap)))
    grown = bytes((0x30, len(new + wrap))) + new
    message = _grown(message, at - 2, message[at - 2 : at] + old, grown)

    assert unseal(message, agreer=party.agreer).content == content


def _grown(message: bytes, at: int, old: bytes, new: bytes) -> bytes:
    """Put ``new`` for ``old`` at ``at`` and lengthen the definite RecipientInfos around it."""
    more = len(new) - len(old)
    start = message.index(b"\xa1\x81", 0, at)
    changed = bytearray(message)
    for length_at in (start + 2, start - 1):
        changed[length_at] += more
    changed[at : at + len(old)] = new
    return bytes(changed)


def test_the_profile_is_kept_to_the_letter(party):
    """Version 0, one key agreement recipient by SKI, ephemeral key on its curve, no ukm, AES-128 wrap."""
    parsed = foreign.ContentInfo.load(seal(CONTENT, recipient=party.recipient, compress=True))
    envelope = parsed["content"]
    (recipient,) = envelope["recipient_infos"]
    kari = recipient.chosen
    (key,) = kari["recipient_encrypted_keys"]
    info = envelope["auth_encrypted_content_info"]
    originator = kari["originator"].chosen

    assert parsed["content_type"].native == "authenticated_enveloped_data"
    assert (envelope["version"].native, kari["version"].native) == ("v0", "v3")
    assert envelope["originator_info"].native is None
    assert kari["originator"].name == "originator_key"
    assert originator["algorithm"]["parameters"].chosen.dotted == _curve_oid(party)
    assert originator["public_key"].native[0] == 4
    assert kari["ukm"].native is None
    assert kari["key_encryption_algorithm"].dump() == sequence(
        ECKA_EG["sha256"], sequence(oid("2.16.840.1.101.3.4.1.5"))
    )
    assert key["rid"].chosen.native == {"subject_key_identifier": party.recipient.ski, "date": None, "other": None}
    assert len(key["encrypted_key"].native) == 24
    assert info["content_type"].dotted == ID_COMPRESSED_DATA
    assert [a["type"].native for a in envelope["auth_attrs"]] == ["content_type"]
    assert len(envelope["mac"].native) == 16
    assert envelope["unauth_attrs"].native is None


def _curve_oid(party):
    return {"secp256r1": "1.2.840.10045.3.1.7", "brainpoolP256r1": "1.3.36.3.3.2.8.1.1.7"}[party.enc_key.curve.name]


@pytest.mark.parametrize("with_parameters", [False, True])
def test_cbc_cmac_by_hand(quick, with_parameters):
    """CBC-CMAC rebuilt from its definition: unwrap Kenc ‖ Kmac, CMAC over ciphertext and DER attributes, unpad CBC."""
    switches = Switches(cmac_parameters=with_parameters, shared_info=SharedInfo.NONE)
    message = seal(CONTENT, recipient=quick.recipient, suite=Suite.CBC_CMAC, compress=False, switches=switches)
    envelope = foreign.ContentInfo.load(message)["content"]
    kari = envelope["recipient_infos"][0].chosen
    info = envelope["auth_encrypted_content_info"]
    parameters = info["content_encryption_algorithm"]["parameters"].dump() if with_parameters else b""
    iv = parameters[4:20] if with_parameters else bytes(16)

    kek = X963KDF(hashes.SHA256(), 16, None).derive(_z(quick, kari))
    keys = aes_key_unwrap(kek, kari["recipient_encrypted_keys"][0]["encrypted_key"].native)
    ciphertext = info["encrypted_content"].native
    expected = []
    if with_parameters:
        content_type = sequence(oid("1.2.840.113549.1.9.3"), tlv(0x31, oid(ID_DATA)))
        expected = [content_type, sequence(oid("0.4.0.127.0.7.1.3.1.1.1"), tlv(0x31, parameters))]
    aad = set_of(expected) if with_parameters else b""
    decryptor = Cipher(algorithms.AES(keys[:16]), modes.CBC(iv)).decryptor()
    padded = decryptor.update(ciphertext) + decryptor.finalize()

    assert info["content_encryption_algorithm"]["algorithm"].dotted == "0.4.0.127.0.7.1.3.1.1.2"
    assert len(keys) == 32
    assert envelope["mac"].native == cmac(keys[16:], ciphertext + aad)
    assert padded == CONTENT + bytes([16 - len(CONTENT) % 16]) * (16 - len(CONTENT) % 16)
    assert [a.dump() for a in envelope["auth_attrs"] or []] == sorted(expected)


@pytest.mark.parametrize("row", KEY_ENCRYPTIONS.values(), ids=lambda row: row.identifier.hex())
def test_key_derivation_is_that_of_x963(row):
    """Each row of the table derives what a foreign X9.63 KDF derives, with and without SharedInfo."""
    hash_name = {32: hashes.SHA256, 48: hashes.SHA384, 64: hashes.SHA512}[row.hash(b"").digest_size]
    z = bytes(range(32))
    info = sequence(row.wrap, tlv(0xA2, tlv(OCTET_STRING, (row.size * 8).to_bytes(4, "big"))))

    assert row.derive(z, SharedInfo.RFC5753) == X963KDF(hash_name(), row.size, info).derive(z)
    assert row.derive(z, SharedInfo.NONE) == X963KDF(hash_name(), row.size, None).derive(z)


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("kdf", Kdf)
@pytest.mark.parametrize("named_curve", [True, False])
@pytest.mark.parametrize("cmac_parameters", [True, False])
def test_every_switch_of_the_sender_is_understood(quick, suite, kdf, named_curve, cmac_parameters):
    """Whatever a sender chooses within the profile, the receiver needs no switch for it."""
    switches = Switches(kdf=kdf, named_curve=named_curve, cmac_parameters=cmac_parameters)
    for compress in (True, False):
        message = seal(CONTENT, recipient=quick.recipient, suite=suite, compress=compress, switches=switches)

        opened = unseal(message, agreer=quick.agreer)

        assert (opened.content, opened.suite, opened.compressed) == (CONTENT, suite, compress)


@pytest.mark.requirement("WAN-7.4")
def test_shared_info_must_be_the_same_on_both_ends(quick):
    """Ends that differ in SharedInfo cannot unwrap each other's keys, and the refusal points to the switch."""
    message = seal(CONTENT, recipient=quick.recipient, switches=Switches(shared_info=SharedInfo.NONE))

    assert refusal(message, quick.agreer) == "cms.key_wrong"
    assert unseal(message, agreer=quick.agreer, switches=Switches(shared_info=SharedInfo.NONE)).content == CONTENT


def test_all_curves_of_the_standard_work(make_certificate):
    """The five curves of DS 5.2.3 carry an envelope; a sixth is refused when it is configured."""
    for curve in (ec.SECP384R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1()):
        key = ec.generate_private_key(curve)
        certificate = make_certificate(key, curve.name, agreement=True)
        message = seal(CONTENT, recipient=Recipient.of(certificate))

        assert unseal(message, agreer=LocalAgreer(key, certificate)).content == CONTENT

    other = make_certificate(ec.generate_private_key(ec.SECP521R1()), "P-521", agreement=True)
    with pytest.raises(Refusal, match=r"cms\.certificate"):
        Recipient.of(other)


def test_no_two_messages_share_anything(quick):
    """Ephemeral point, wrapped key and ciphertext are new in every message (TR-03116-3 2.4 and 8.1.1)."""
    for suite in Suite:
        parsed = [foreign.ContentInfo.load(seal(CONTENT, recipient=quick.recipient, suite=suite)) for _ in range(8)]
        karis = [message["content"]["recipient_infos"][0].chosen for message in parsed]

        assert len({kari["originator"].chosen["public_key"].native for kari in karis}) == 8
        assert len({kari["recipient_encrypted_keys"][0]["encrypted_key"].native for kari in karis}) == 8
        assert len({m["content"]["auth_encrypted_content_info"]["encrypted_content"].native for m in parsed}) == 8


@pytest.mark.requirement("SIM-wrong-recipient")
def test_another_recipient_is_named(quick, stranger):
    """A message for someone else is refused with the key identifier it was meant for."""
    message = seal(CONTENT, recipient=stranger.recipient)

    with pytest.raises(Refusal) as caught:
        unseal(message, agreer=quick.agreer)

    assert caught.value.code == "cms.wrong_recipient"
    assert caught.value.details == {"ski": stranger.recipient.ski.hex()}


def test_a_key_under_our_identifier_is_not_ours(quick, stranger):
    """A message encrypted to another key under our identifier does not open."""
    false = Recipient(quick.recipient.ski, stranger.enc_key.public_key())

    assert refusal(seal(CONTENT, recipient=false), quick.agreer) == "cms.key_wrong"


def _set(path, content):
    return lambda m, n: setattr(m[path], "content", content)


def _aes(arc):
    return oid(f"2.16.840.1.101.3.4.1.{arc}")


POINT = (*KARI, 1, 0, 1)
CMS_EDITS = {
    "version 2": (_set((*ENVELOPE, 0), b"\x02"), "cms.version"),
    "originator info": (lambda m, n: m[ENVELOPE].children.insert(1, n(0xA0)), "cms.originator"),
    "no recipient": (lambda m, n: m[(*ENVELOPE, 1)].children.clear(), "cms.recipient_kind"),
    "key transport": (lambda m, n: setattr(m[KARI], "tag", 0x30), "cms.recipient_kind"),
    "kari version 4": (_set((*KARI, 0), b"\x04"), "cms.version"),
    "originator by ski": (lambda m, n: m[(*KARI, 1)].children.__setitem__(0, n(0x80, bytes(20))), "cms.originator"),
    "ephemeral key of dh": (lambda m, n: m[(*KARI, 1, 0)].replace(oid("1.2.840.10045.2.1"), oid("1.2.840.10046.2.1")),
                            "cms.algorithm"),
    "point off the curve": (_set(POINT, b"\x00\x04" + bytes(63) + b"\x01"), "cms.point"),
    "point at infinity": (_set(POINT, b"\x00\x00"), "cms.point"),
    "short point": (_set(POINT, b"\x00\x04" + bytes(31)), "cms.point"),
    "no point": (_set(POINT, b""), "cms.point"),
    "unused bits": (lambda m, n: setattr(m[POINT], "content", b"\x01" + m[POINT].content[1:]), "cms.point"),
    "ukm": (lambda m, n: m[KARI].children.insert(2, n(0xA1, b"\x04\x00")), "cms.originator"),
    "dhSinglePass": (lambda m, n: m.replace(ECKA_EG["sha256"], DH_SINGLE_PASS["sha256"]), "cms.algorithm"),
    "wrap with null": (lambda m, n: m[(*KARI, 2, 1)].children.append(n(5)), "cms.algorithm"),
    "another kdf": (lambda m, n: m.replace(ECKA_EG["sha256"], ECKA_EG["sha512"]), "cms.key_wrong"),
    "two keys": (lambda m, n: m[(*KARI, 3)].children.append(m[(*KARI, 3, 0)]), "cms.recipients"),
    "no key": (lambda m, n: m[(*KARI, 3)].children.clear(), "cms.malformed"),
    "two recipients": (lambda m, n: m[(*ENVELOPE, 1)].children.append(m[KARI]), "cms.recipients"),
    "issuer and serial": (lambda m, n: setattr(m[(*KARI, 3, 0, 0)], "tag", 0x30), "cms.recipient_kind"),
    "dated key": (lambda m, n: m[(*KARI, 3, 0, 0)].children.append(n(0x18, b"20260101000000Z")), "cms.recipient_kind"),
    "changed wrapped key": (_set((*KARI, 3, 0, 1), bytes(24)), "cms.key_wrong"),
    "short wrapped key": (_set((*KARI, 3, 0, 1), bytes(7)), "cms.key_wrong"),
    "aes-128-cbc": (lambda m, n: m.replace(_aes(6), _aes(2)), "cms.algorithm"),
    "aes-256-gcm": (lambda m, n: m.replace(_aes(6), _aes(46)), "cms.key_wrong"),
    "nonce of 8": (_set((*INFO, 1, 1, 0), bytes(8)), "cms.parameters"),
    "icv of 12": (lambda m, n: m[(*INFO, 1, 1)].children.pop(), "cms.parameters"),
    "icv of 4": (_set((*INFO, 1, 1, 1), b"\x04"), "cms.parameters"),
    "no parameters": (lambda m, n: m[(*INFO, 1)].children.pop(), "cms.parameters"),
    "nonce alone": (lambda m, n: m[(*INFO, 1)].children.__setitem__(1, m[(*INFO, 1, 1, 0)]), "cms.parameters"),
    "malformed content type": (_set((*INFO, 0), b"\x2a\x86"), "cms.malformed"),
    "another nonce": (_set((*INFO, 1, 1, 0), bytes(12)), "cms.mac_wrong"),
    "another mac": (lambda m, n: setattr(m[ENVELOPE][4], "content", bytes(16)), "cms.mac_wrong"),
    "short mac": (lambda m, n: setattr(m[ENVELOPE][4], "content", m[ENVELOPE][4].content[:4]), "cms.mac_wrong"),
    "long mac": (lambda m, n: setattr(m[ENVELOPE][4], "content", m[ENVELOPE][4].content + b"\x00"), "cms.mac_wrong"),
    "ciphertext into mac": (lambda m, n: _move(m), "cms.mac_wrong"),
    "no content": (lambda m, n: m[INFO].children.pop(), "cms.mac_wrong"),
    "content type data": (lambda m, n: m[INFO].replace(oid(ID_COMPRESSED_DATA), oid(ID_DATA)),
                          "cms.authenticated_attributes"),
    "no attributes": (lambda m, n: m[ENVELOPE].children.pop(3), "cms.authenticated_attributes"),
    "attributes without content type": (lambda m, n: m[(*ENVELOPE, 3)].replace(
        oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.5")), "cms.authenticated_attributes"),
    "one attribute more": (lambda m, n: m[(*ENVELOPE, 3)].children.append(n.parse(
        sequence(oid("1.2.840.113549.1.9.5"), tlv(0x31, b"")))), "cms.mac_wrong"),
    "unauthenticated attributes": (lambda m, n: m[ENVELOPE].children.append(n(0xA2)), "cms.unauthenticated_attributes"),
    "signed data": (lambda m, n: m.replace(oid("1.2.840.113549.1.9.16.1.23"), oid("1.2.840.113549.1.7.2")),
                    "cms.content_type"),
    "a field too many": (lambda m, n: m[ENVELOPE].children.append(n(4)), "cms.malformed"),
}  # fmt: skip


def _move(message):
    """Shift the border between ciphertext and MAC by one octet."""
    ciphertext, mac = message[(*INFO, 2)], message[ENVELOPE][4]
    ciphertext.content, mac.content = ciphertext.content[:-1], ciphertext.content[-1:] + mac.content


@pytest.mark.requirement("SIM-flipped-mac", "SIM-wrong-recipient", "SIM-indefinite-ber")
@pytest.mark.parametrize("name", list(CMS_EDITS))
def test_every_departure_has_its_own_refusal(quick, tree, name):
    """An envelope changed in one place is refused by the kind that names this place, as DER and as BER."""
    change, code = CMS_EDITS[name]
    message = tree.parse(seal(CONTENT, recipient=quick.recipient, compress=True))

    change(message, tree)

    assert refusal(message.encode(), quick.agreer) == code
    assert refusal(message.encode(indefinite=True), quick.agreer) == code


CMAC_EDITS = {
    "another iv": (_set((*INFO, 1, 1, 0), bytes(16)), "cms.authenticated_attributes"),
    "another iv, attribute too": (lambda m, n: [_set(at, bytes(16))(m, n) for at in (
        (*INFO, 1, 1, 0), (*ENVELOPE, 3, 1, 1, 0, 0))], "cms.mac_wrong"),
    "iv of 8": (_set((*INFO, 1, 1, 0), bytes(8)), "cms.parameters"),
    "mac of 12": (lambda m, n: m[(*INFO, 1, 1)].children.append(n(2, b"\x0c")), "cms.parameters"),
    "iv not authenticated": (lambda m, n: m[(*ENVELOPE, 3)].children.pop(), "cms.authenticated_attributes"),
    "no attributes": (lambda m, n: m[ENVELOPE].children.pop(3), "cms.authenticated_attributes"),
    "parameters dropped": (lambda m, n: m[(*INFO, 1)].children.pop(), "cms.authenticated_attributes"),
    "another mac": (lambda m, n: setattr(m[ENVELOPE][4], "content", bytes(16)), "cms.mac_wrong"),
    "short ciphertext": (lambda m, n: setattr(m[(*INFO, 2)], "content", bytes(15)), "cms.mac_wrong"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CMAC_EDITS))
def test_departures_of_cbc_cmac_are_refused(quick, tree, name):
    """With parameters present, DS 5.4 wants them authenticated; every other change hits the MAC."""
    change, code = CMAC_EDITS[name]
    switches = Switches(cmac_parameters=True)
    message = tree.parse(seal(CONTENT, recipient=quick.recipient, suite=Suite.CBC_CMAC, switches=switches))

    change(message, tree)

    assert refusal(message.encode(), quick.agreer) == code


def test_the_mac_length_may_be_spelled_out():
    """``aes-MacLen`` 16 is the default; a sender that writes it, and authenticates what it wrote, is understood."""
    parameters = sequence(tlv(OCTET_STRING, bytes(range(16))), b"\x02\x01\x10")
    received = content_encryption.received(sequence(oid("0.4.0.127.0.7.1.3.1.1.2"), parameters))

    assert (received.iv, received.parameters, received.key_size) == (bytes(range(16)), parameters, 32)


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("named_curve", [True, False])
def test_the_short_way_of_reading_reads_the_same(party, suite, named_curve):
    """Recipients written as we write them are compared instead of taken apart; both ways read the same."""
    message = seal(CONTENT, recipient=party.recipient, suite=suite, switches=Switches(named_curve=named_curve))
    infos = foreign.ContentInfo.load(message)["content"]["recipient_infos"].dump()

    assert _read_expected(Reader(infos)) == _read_recipient(Reader(infos).enter(SET)) is not None


def test_other_hints_beside_the_key_identifier_are_not_looked_at(quick, tree):
    """Table 5.5 (other o): „Kann Hinweise für den Empfänger enthalten“."""
    message = tree.parse(seal(CONTENT, recipient=quick.recipient))
    message[(*KARI, 3, 0, 0)].children.append(tree.parse(sequence(oid("1.2.3"))))

    assert unseal(message.encode(), agreer=quick.agreer).content == CONTENT
