"""Signatures, judged by pyHanko as second opinion: it and we must agree on every signature and every certificate."""

import asyncio
from datetime import timedelta

import pytest
from asn1crypto import cms as asn1
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.sign.validation import KeyUsageConstraints
from pyhanko.sign.validation.generic_cms import async_validate_cms_signature, async_validate_detached_cms
from pyhanko_certvalidator import ValidationContext

from torwart.sim.mailbox import MailCa
from torwart.sim.mailbox.fault import Careless
from torwart.wire.smime import TrustStore, sign
from torwart.wire.smime.signed import make_signed

from .conftest import KEYS, MAIL, NOW, SENDER, People

LATER = NOW + timedelta(hours=1)
OPINIONS = {
    "good": ("INTACT:TRUSTED", ""),
    "other": ("INTACT:UNTRUSTED", "smime.issuer_unknown"),
    "revoked": ("INTACT:REVOKED", "smime.revoked"),
    "encrypts": ("INTACT:UNTRUSTED", "smime.usage"),
    "tampered": ("INVALID", "smime.tampered"),
}


def hanko(element: bytes, content: bytes | None, ca: MailCa, crls: list[x509.CertificateRevocationList]) -> str:
    """pyHanko's one-line verdict about a SignedData."""
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(ca.root.certificate.public_bytes(Encoding.DER))],
        crls=[crl.public_bytes(Encoding.DER) for crl in crls],
        moment=LATER,
        allow_fetching=False,
        revocation_mode="require",
    )
    usage = KeyUsageConstraints(key_usage={"digital_signature"}, extd_key_usage={"email_protection"})
    signed = asn1.SignedData.load(element)
    if content is None:
        verdict = async_validate_cms_signature(signed, validation_context=context, key_usage_settings=usage)
    else:
        verdict = async_validate_detached_cms(
            content, signed, signer_validation_context=context, key_usage_settings=usage
        )
    return str(asyncio.run(verdict).summary())


@pytest.mark.requirement("S-MAIL-1")
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("case", OPINIONS)
def test_pyhanko_and_we_agree(case: str, key: str, people: People) -> None:
    """Good, foreign issuer, revoked, wrong usage, changed text: the same verdict, ours by name."""
    verdict, code = OPINIONS[case]
    credential = people.issued(SENDER, "encrypt" if case == "encrypts" else "sign", key)
    ca = MailCa.create(NOW) if case == "other" else people.ca
    crls = [ca.crl([credential.certificate] if case == "revoked" else []), ca.root_crl()]
    signer = Careless(credential)
    element = make_signed(MAIL, signer=signer, detached=True)
    assert hanko(element, MAIL + (b"!" if case == "tampered" else b""), ca, crls) == verdict

    raw = sign(MAIL, signer=signer)
    raw = raw.replace(b"Stadtwerk", b"Staatwerk") if case == "tampered" else raw
    trust = TrustStore((ca.root.certificate,), (ca.issuing.certificate,), tuple(crls))
    if code:
        assert people.refused(raw, trust=trust, at=LATER) == code
    else:
        opened = people.open(raw, trust=trust, at=LATER)
        assert (opened.signed, opened.cautions) == (True, ())


@pytest.mark.parametrize("key", KEYS)
def test_pyhanko_reads_opaque_signatures(key: str, people: People) -> None:
    """The content inside the signature is believed by pyHanko too."""
    element = make_signed(MAIL, signer=people.sender(key).signer(), detached=False)

    assert hanko(element, None, people.ca, [people.ca.crl(), people.ca.root_crl()]) == "INTACT:TRUSTED"
