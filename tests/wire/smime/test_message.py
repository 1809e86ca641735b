"""Whole secure mails: read by OpenSSL as we write them, read by us as OpenSSL writes them, and every fault by name."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest

from torwart.kernel.refusals import Refusal
from torwart.sim.mailbox import REFUSED, MailFault, Secure
from torwart.wire.mail import Limits, read
from torwart.wire.mail.mime import parts, split
from torwart.wire.smime import (
    Caution,
    SmimeIdentity,
    TrustStore,
    encrypt,
    is_protected,
    open_mail,
    protect,
    sign,
)

from .conftest import INSIDE, KEYS, MAIL, NOW, SENDER, Cms, People

pytestmark = pytest.mark.requirement("S-MAIL-1")


# -- with OpenSSL as judge --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("legacy", [False, True], ids=["gcm", "cbc"])
@pytest.mark.parametrize("opaque", [False, True], ids=["detached", "opaque"])
def test_openssl_reads_what_we_write(key: str, legacy: bool, opaque: bool, people: People, cms: Cms) -> None:
    """Every kind of key, both content ciphers, both forms of signature: decrypted and verified to the same octets."""
    recipient = people.recipient(key)
    raw = protect(
        MAIL, signer=people.sender(key).signer(), recipients=[recipient.certificate], legacy=legacy, opaque=opaque
    )

    assert cms.verify(cms.decrypt(raw, recipient), people.ca) == INSIDE


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("cipher", ["-aes-128-gcm", "-aes-256-gcm", "-aes-128-cbc", "-aes-256-cbc"])
@pytest.mark.parametrize("form", [(), ("-nodetach",), ("-nodetach", "-stream"), ("-keyid",)], ids=str)
def test_we_read_what_openssl_writes(key: str, cipher: str, form: tuple[str, ...], people: People, cms: Cms) -> None:
    """Every kind of key and cipher, detached, opaque, BER as streamed, signer by key identifier; CBC with a caution."""
    recipient = people.recipient(key)
    options = tuple(option for option in form if option != "-nodetach")
    if key == "rsa3072":  # OpenSSL cannot stream PSS
        form = tuple(option for option in form if option != "-stream")
    raw = cms.encrypt(cms.sign(INSIDE, people.sender(key), *form), recipient, cipher, *options)
    opened = people.open(raw, recipient)

    assert opened.order == ("encrypted", "signed")
    assert (opened.signed, opened.encrypted, opened.addresses) == (True, True, (SENDER,))
    assert (Caution.CBC in opened.cautions) is cipher.endswith("cbc")
    assert read(opened.entity).text == "Grüße aus dem Stadtwerk"
    assert read(opened.entity).attachments == read(MAIL).attachments


def test_what_we_write_is_the_profile(people: People, cms: Cms) -> None:
    """TR-03116-4 4.3 and 4.4: PSS with SHA-256, OAEP with SHA-256, ECDH with SHA-256 and AES-128 wrap, AES-128-GCM."""
    recipients = [people.recipient(key).certificate for key in ("rsa3072", "brainpool")]
    encrypted = cms.printed(protect(MAIL, signer=people.sender("rsa3072").signer(), recipients=recipients))
    signed = cms.printed(sign(MAIL, signer=people.sender("rsa3072").signer(), opaque=True))

    assert "id-smime-ct-authEnvelopedData" in encrypted
    assert "algorithm: aes-128-gcm" in encrypted
    assert "rsaesOaep" in encrypted
    assert "dhSinglePass-stdDH-sha256kdf-scheme" in encrypted
    assert "id-aes128-wrap" in encrypted
    assert "ukm: \n" in encrypted  # 4.4.2: ephemeral data in the key derivation
    assert "signatureAlgorithm: \n          algorithm: rsassaPss" in signed
    assert signed.count("sha256") >= 3
    assert "sha1" not in encrypted + signed


def test_legacy_is_cbc_and_nothing_else(people: People, cms: Cms) -> None:
    """For a contact marked so: EnvelopedData with AES-256-CBC, keys as ever."""
    printed = cms.printed(encrypt(MAIL, recipients=[people.recipient("rsa3072").certificate], legacy=True))

    assert "pkcs7-envelopedData" in printed
    assert "algorithm: aes-256-cbc" in printed
    assert "rsaesOaep" in printed


# -- layers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", REFUSED)
def test_every_broken_form_is_refused_by_its_name(fault: MailFault, people: People) -> None:
    """Each broken form of spec/05 has its own refusal."""
    identity = SmimeIdentity(SENDER, people.sender().signer(), ())
    raw = Secure(identity, [people.recipient().certificate], people.ca, NOW, fault).apply(MAIL)

    assert people.refused(raw) == REFUSED[fault]


@pytest.mark.parametrize(
    ("fault", "order", "signed", "cautions"),
    [
        (MailFault.NONE, ("encrypted", "signed"), True, ()),
        (MailFault.NO_CHAIN, ("encrypted", "signed"), True, ()),
        (MailFault.OPAQUE, ("encrypted", "signed"), True, ()),
        (MailFault.CBC, ("encrypted", "signed"), True, (Caution.CBC,)),
        (MailFault.TRIPLE, ("signed", "encrypted", "signed"), True, ()),
        (MailFault.SIGNED_OUTSIDE, ("signed", "encrypted"), False, (Caution.SIGNED_OUTSIDE,)),
    ],
)
def test_unusual_forms_are_accepted(
    fault: MailFault, order: tuple[str, ...], signed: bool, cautions: tuple[Caution, ...], people: People
) -> None:
    """Opaque, triple wrapped, chain missing, CBC: read, with what has to be recorded."""
    identity = SmimeIdentity(SENDER, people.sender().signer(), ())
    opened = people.open(Secure(identity, [people.recipient().certificate], people.ca, NOW, fault).apply(MAIL))

    assert (opened.order, opened.signed) == (order, signed)
    assert tuple(caution for caution in opened.cautions if caution is not Caution.NO_CRL) == cautions
    assert opened.entity == MAIL.replace(INSIDE, b"") + INSIDE


@pytest.mark.requirement("P-1")
def test_a_stolen_ciphertext_is_not_the_thiefs(people: People) -> None:
    """Somebody who signs another's encrypted mail gets neither its content as his own nor a signed mail."""
    stolen = encrypt(MAIL.replace(b"erika@", b"thief@"), recipients=[people.recipient().certificate])
    thief = people.ca.issue("thief@client.test", use="sign").signer()
    opened = people.open(sign(stolen, signer=thief))
    assert (opened.signed, opened.signer, opened.addresses, opened.offered) == (False, None, (), ())

    inside = sign(MAIL.replace(b"erika@", b"thief@"), signer=people.sender().signer())
    protected = encrypt(inside, recipients=[people.recipient().certificate])
    assert people.refused(sign(protected, signer=thief)) == "smime.signer_not_sender"


def test_layers_are_limited(people: People) -> None:
    """Five layers are taken off, six are refused."""
    raw = MAIL
    for _ in range(5):
        raw = sign(raw, signer=people.sender().signer())
    assert people.open(raw).order == ("signed",) * 5

    assert people.refused(sign(raw, signer=people.sender().signer())) == "smime.layers"


def test_a_mail_without_protection_is_left_alone(people: People) -> None:
    """Plain mail, and what other worlds sign, comes back as it is: neither signed nor encrypted."""
    pgp = MAIL.replace(b"multipart/mixed;", b'multipart/signed; protocol="application/pgp-signature";')
    for raw in (MAIL, pgp):
        opened = people.open(raw)
        assert (opened.entity, opened.signed, opened.encrypted, opened.order) == (raw, False, False, ())
        assert not is_protected(raw)

    assert is_protected(sign(MAIL, signer=people.sender().signer()))
    assert is_protected(encrypt(MAIL, recipients=[people.recipient().certificate]))


def test_a_mail_signed_only_is_signed_only(people: People) -> None:
    """A signature without encryption counts as such, and the other way round."""
    signed = people.open(sign(MAIL, signer=people.sender().signer()))
    assert (signed.signed, signed.encrypted) == (True, False)

    encrypted = people.open(encrypt(MAIL, recipients=[people.recipient().certificate]))
    assert (encrypted.signed, encrypted.encrypted, encrypted.signer) == (False, True, None)
    assert encrypted.entity == MAIL


def test_a_part_that_is_signed_signs_nothing_else(people: People) -> None:
    """A signed part inside an unsigned whole (a list's footer, an attacker's frame) does not make the whole signed."""
    signed = sign(INSIDE, signer=people.sender().signer())
    frame = f"From: {SENDER}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nPay me\r\n--b\r\n".encode()
    opened = people.open(frame + signed + b"\r\n--b--\r\n")

    assert (opened.signed, opened.order) == (False, ())


# -- people and keys --------------------------------------------------------------------------------------------------


def test_several_recipients_open_the_same_mail(people: People) -> None:
    """One mail for RSA, P-256 and brainpool keys: each opens it, a stranger does not."""
    credentials = [people.recipient(key) for key in KEYS]
    raw = encrypt(MAIL, recipients=[credential.certificate for credential in credentials])

    assert [people.open(raw, credential).entity for credential in credentials] == [MAIL] * len(KEYS)
    assert people.refused(raw, people.ca.issue("x@torwart.test", use="encrypt")) == "smime.not_for_us"


def test_old_keys_still_open_old_mail(people: People) -> None:
    """Whoever has several encryption certificates opens mail for any of them, expired ones too."""
    old = people.ca.issue(
        "service@torwart.test", use="encrypt", not_before=NOW.replace(year=NOW.year - 2), not_after=NOW
    )

    assert people.open(encrypt(MAIL, recipients=[old.certificate]), people.recipient(), old).entity == MAIL


def test_certificates_come_with_the_signature(people: People) -> None:
    """S-MAIL-1: the sender's encryption certificate comes along and is offered; a stranger's or a false one is not."""
    encryption = people.issued(SENDER, "encrypt", "p256").certificate
    signer = people.sender().signer(encryption)
    assert people.open(sign(MAIL, signer=signer)).offered == (people.sender().certificate, encryption)

    for other in (people.recipient().certificate, people.ca.create(NOW).issue(SENDER, use="encrypt").certificate):
        opened = people.open(sign(MAIL, signer=people.sender().signer(other)))
        assert opened.offered == (people.sender().certificate,)


def test_the_mail_says_what_we_take_and_where_to(people: People, cms: Cms) -> None:
    """RFC 8551 2.5: capabilities with AES-128-GCM first, and which certificate to encrypt for."""
    encryption = people.issued(SENDER, "encrypt", "p256").certificate
    printed = cms.printed(sign(MAIL, signer=people.sender().signer(encryption), opaque=True))

    capabilities = re.search(r"S/MIME Capabilities.*?SEQUENCE.*?OBJECT +:([\w-]+)", printed, re.DOTALL)
    assert capabilities is not None
    assert capabilities[1] == "aes-128-gcm"
    assert "id-smime-aa-encrypKeyPref" in printed
    assert printed.count(f"{encryption.serial_number:X}") >= 1


def test_a_sender_is_one_person(people: People) -> None:
    """Two From fields, or two people in one, cannot have signed."""
    raw = sign(MAIL, signer=people.sender().signer())

    assert people.refused(b"From: x@client.test\r\n" + raw) == "smime.signer_not_sender"
    assert people.refused(raw.replace(b"From: ", b"From: x@client.test, ")) == "smime.signer_not_sender"
    assert people.refused(raw.replace(b"From: ", b"X-From: ")) == "smime.signer_not_sender"


# -- forms of transport -----------------------------------------------------------------------------------------------


def test_transport_may_change_what_it_does_change(people: People) -> None:
    """Line ends, old type names, octet-stream, binary, wrong encodings: the same mail."""
    signer = people.sender().signer()
    detached, opaque = sign(MAIL, signer=signer), sign(MAIL, signer=signer, opaque=True)
    head, _, body = opaque.partition(b"\r\n\r\n")
    plain = re.sub(rb"Content-Transfer-Encoding: base64\r\n", b"", head)
    variants = [
        detached.replace(b"\r\n", b"\n"),
        detached.replace(b"pkcs7-signature", b"x-pkcs7-signature"),
        opaque.replace(b"\r\n", b"\n"),
        opaque.replace(b"application/pkcs7-mime", b"application/x-pkcs7-mime"),
        opaque.replace(b"application/pkcs7-mime; smime-type=signed-data;", b"Application/Octet-Stream;"),
        plain + b"\r\n\r\n" + body,
        plain + b"\r\nContent-Transfer-Encoding: binary\r\n\r\n" + b64decode(body),
        head + b"\r\n\r\n" + body.replace(b"\r\n", b""),
    ]

    for raw in variants:
        opened = people.open(raw)
        assert (opened.signed, read(opened.entity).text) == (True, "Grüße aus dem Stadtwerk")


@pytest.mark.parametrize("wanted", ["detached", "opaque", "encrypted"])
def test_text_changed_on_the_way_is_noticed(wanted: str, people: People) -> None:
    """One letter of the content, of the signature or of the ciphertext: refused, never read."""
    signer = people.sender().signer()
    raw = {
        "detached": sign(MAIL, signer=signer),
        "opaque": sign(MAIL, signer=signer, opaque=True),
        "encrypted": encrypt(MAIL, recipients=[people.recipient().certificate]),
    }[wanted]
    if wanted == "detached":
        assert people.refused(raw.replace(b"Stadtwerk", b"Staatwerk")) == "smime.tampered"
    else:
        lines = raw.rstrip().split(b"\r\n")
        lines[-1] = (b"A" if lines[-1][:1] != b"A" else b"B") + lines[-1][1:]
        assert people.refused(b"\r\n".join(lines)) in {"smime.signature_wrong", "smime.ciphertext"}


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw.replace(b"\r\n\r\n", b"\r\n\r\n!", 1),
        lambda raw: raw.replace(b"\r\n\r\nMI", b"\r\n\r\nMA", 1),
        lambda raw: raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n",
        lambda raw: raw.split(b"\r\n\r\n")[0] + b"\r\n\r\nMIAAAAAA",
        lambda raw: raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n" + b64encode(b"\x30\x80" * 40),
    ],
)
def test_what_is_no_cms_is_malformed(change: Callable[[bytes], bytes], people: People) -> None:
    """Cut, garbled, empty, bottomless: refused by name (a foreign character in base64 is passed over)."""
    raw = encrypt(MAIL, recipients=[people.recipient().certificate])
    changed = change(raw)
    if b"!" in changed:
        assert people.open(changed).entity == MAIL
    else:
        assert people.refused(changed) == "smime.malformed"


def test_a_signature_stands_beside_exactly_one_part(people: People) -> None:
    """Part missing, a third part, or content both inside and beside: ``smime.malformed``."""
    signer = people.sender().signer()
    detached = sign(MAIL, signer=signer)
    boundary = split(detached).parameter("boundary").encode()
    first, second = parts(split(detached))
    opaque = split(sign(MAIL, signer=signer, opaque=True))
    both = b64encode(opaque.content())
    for pieces in ([first], [first, second, second], [first, second.split(b"\r\n\r\n")[0] + b"\r\n\r\n" + both]):
        body = b"".join(b"--" + boundary + b"\r\n" + piece + b"\r\n" for piece in pieces) + b"--" + boundary + b"--"
        head = detached.partition(b"\r\n\r\n")[0]
        assert people.refused(head + b"\r\n\r\n" + body) == "smime.malformed"


# -- what only openssl writes -----------------------------------------------------------------------------------------


def signed(cms: Cms, people: People, *options: str, key: str = "p256") -> bytes:
    return f"From: {SENDER}\r\n".encode() + cms.sign(INSIDE, people.sender(key), *options)


def test_faults_of_foreign_programs_have_names(people: People, cms: Cms) -> None:
    """No attributes, no certificate, old key transport, 3DES, what is neither: each by name."""
    rsa, ec = people.recipient("rsa3072"), people.recipient()
    assert people.refused(signed(cms, people, "-noattr")) == "smime.attributes"
    assert people.refused(signed(cms, people, "-nocerts")) == "smime.signer_certificate"
    assert people.refused(cms.encrypt(INSIDE, rsa, "-aes-128-gcm", proper=False), rsa) == "smime.key_transport"
    assert people.refused(cms.encrypt(INSIDE, ec, "-des3"), ec) == "smime.algorithm"
    digested = cms.run("cms", "-digest_create", "-outform", "SMIME", stdin=INSIDE)
    assert people.refused(f"From: {SENDER}\r\n".encode() + digested) == "smime.content_type"


def test_sha1_is_noted_or_refused(people: People, cms: Cms) -> None:
    """SHA-1 over a content is refused; in OAEP and in the key derivation it is read with a caution."""
    certificate, key = cms.files(people.sender())
    sha1 = cms.run("cms", "-sign", "-signer", certificate, "-inkey", key, "-md", "sha1", stdin=INSIDE)
    assert people.refused(f"From: {SENDER}\r\n".encode() + sha1) == "smime.algorithm"

    kdf = people.open(cms.encrypt(INSIDE, people.recipient(), "-aes-128-gcm", proper=False))
    assert kdf.cautions == (Caution.KDF_SHA1,)
    rsa = people.recipient("rsa3072")
    certificate, _ = cms.files(rsa)
    head = ("cms", "-encrypt", "-aes-128-gcm", "-from", SENDER, "-recip", certificate)
    oaep = cms.run(*head, "-keyopt", "rsa_padding_mode:oaep", stdin=INSIDE)
    assert people.open(oaep, rsa).cautions == (Caution.OAEP_SHA1,)


def test_two_signatures_side_by_side_are_refused(people: People, cms: Cms) -> None:
    """Who has signed must be one answer."""
    first, second = cms.files(people.sender()), cms.files(people.sender("p384"))
    both = cms.run(
        "cms", "-sign", "-signer", first[0], "-inkey", first[1], "-signer", second[0], "-inkey", second[1], stdin=INSIDE
    )

    assert people.refused(f"From: {SENDER}\r\n".encode() + both) == "smime.signers"


# -- trust ------------------------------------------------------------------------------------------------------------


def test_revoked_senders_are_refused(people: People) -> None:
    """A certificate on its CA's list, or a CA on the root's, is refused; a good list leaves no caution."""
    raw = sign(MAIL, signer=people.sender().signer())
    root, issuing = people.ca.root.certificate, people.ca.issuing.certificate

    def trusting(*crls: object) -> TrustStore:
        return TrustStore((root,), (issuing,), crls)  # type: ignore[arg-type]

    good = people.open(raw, trust=trusting(people.ca.crl(), people.ca.root_crl()))
    assert good.cautions == ()
    revoked = trusting(people.ca.crl([people.sender().certificate]), people.ca.root_crl())
    assert people.refused(raw, trust=revoked) == "smime.revoked"
    assert people.refused(raw, trust=trusting(people.ca.crl(), people.ca.root_crl([issuing]))) == "smime.revoked"


def test_nothing_but_a_mail_is_too_large(people: People) -> None:
    """The size limit holds before anything is decoded."""
    with pytest.raises(Refusal) as caught:
        open_mail(MAIL, decrypters=[], trust=people.ca.trust, at=NOW, limits=Limits(size=100))
    assert caught.value.code == "mail.too_large"
    with pytest.raises(Refusal) as caught:
        encrypt(MAIL, recipients=[])
    assert caught.value.code == "smime.no_recipient"
