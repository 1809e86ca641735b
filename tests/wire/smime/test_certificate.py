"""Mail certificates: for what, for whom, strong enough, and which one is chosen."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates

from torwart.kernel.refusals import Refusal
from torwart.wire.smime import (
    CertificateUse,
    LocalDecrypter,
    LocalSigner,
    addresses,
    certificate_uses,
    choose_encryption,
    load_mail_certificates,
)

from .conftest import KEYS, NOW, SENDER, People

SIGN, ENCRYPT = CertificateUse.SIGN, CertificateUse.ENCRYPT
DAY = timedelta(days=1)


@pytest.mark.parametrize("key", KEYS)
def test_uses_come_from_key_usage(key: str, people: People) -> None:
    """digitalSignature signs; keyEncipherment (RSA) or keyAgreement (EC) encrypts."""
    assert certificate_uses(people.issued(SENDER, "sign", key).certificate) == {SIGN}
    assert certificate_uses(people.issued(SENDER, "encrypt", key).certificate) == {ENCRYPT}
    assert certificate_uses(people.issued(SENDER, "both", key).certificate) == {SIGN, ENCRYPT}


def test_certificates_of_other_purposes_have_no_use(people: People) -> None:
    """A TLS client certificate is not for mail; a CA without extended key usage neither signs nor encrypts."""
    assert certificate_uses(people.ca.issue(SENDER, email_protection=False).certificate) == frozenset()
    assert certificate_uses(people.ca.issuing.certificate) == frozenset()


def test_addresses_come_from_the_alternative_name_first(people: People) -> None:
    """rfc822Name, in lower case; the subject's emailAddress only where there is none; never the common name."""
    assert addresses(people.ca.issue("Erika@Client.TEST").certificate) == (SENDER,)
    assert addresses(people.ca.issue(SENDER, in_subject=True).certificate) == (SENDER,)
    assert addresses(people.ca.issue(SENDER, common_name="evil@client.test").certificate) == (SENDER,)
    assert addresses(people.ca.root.certificate) == ()


@pytest.mark.requirement("S-MAIL-4")
def test_one_expired_certificate_never_blocks(people: People) -> None:
    """Of several, the valid one for encryption is chosen, of two valid ones the one that lasts longer."""
    expired = people.ca.issue(SENDER, use="encrypt", not_before=NOW - 9 * DAY, not_after=NOW - DAY).certificate
    early = people.ca.issue(SENDER, use="encrypt", not_before=NOW + DAY).certificate
    signing = people.ca.issue(SENDER, use="sign").certificate
    weak = people.ca.issue(SENDER, use="encrypt", key="rsa2048").certificate
    short = people.ca.issue(SENDER, use="encrypt", not_after=NOW + DAY).certificate
    long = people.ca.issue(SENDER, use="encrypt", not_after=NOW + 9 * DAY).certificate

    assert choose_encryption([expired, early, signing, weak, short, long], NOW) == long
    assert choose_encryption([expired, short], NOW) == short
    with pytest.raises(Refusal) as caught:
        choose_encryption([expired, early, signing, weak], NOW)
    assert caught.value.code == "smime.no_recipient"


def test_uploads_come_in_every_usual_wrapping(people: People) -> None:
    """DER, PEM, several in one PEM, PKCS#7 bundles; anything else is refused by name."""
    own, chain = people.sender().certificate, people.ca.issuing.certificate
    pem, der = own.public_bytes(Encoding.PEM), own.public_bytes(Encoding.DER)

    assert load_mail_certificates(der) == load_mail_certificates(pem) == (own,)
    assert load_mail_certificates(b"Bag Attributes\n" + pem + chain.public_bytes(Encoding.PEM)) == (own, chain)
    for encoding in (Encoding.DER, Encoding.PEM):
        assert set(load_mail_certificates(serialize_certificates([own, chain], encoding))) == {own, chain}
    for wrong in (b"", b"hello", der[:-1], der[:40], pem[:60], pem.replace(b"A", b"B"), b"0\x80"):
        with pytest.raises(Refusal) as caught:
            load_mail_certificates(wrong)
        assert caught.value.code == "smime.certificate"


def test_our_own_keys_must_fit(people: People) -> None:
    """A signer with another's certificate, or one for encryption, is a fault of ours and found at once."""
    sender, other = people.sender(), people.recipient()
    for make in (
        lambda: LocalSigner(sender.key, other.certificate),
        lambda: LocalSigner(other.key, other.certificate),
        lambda: LocalDecrypter(sender.key, sender.certificate),
        lambda: LocalDecrypter(sender.key, other.certificate),
    ):
        with pytest.raises(Refusal) as caught:
            make()
        assert caught.value.code == "smime.own_key"
