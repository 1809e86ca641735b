"""Chains of mail certificates: what OpenSSL and the revocation lists say, each under its own name."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.refusals import Refusal
from torwart.sim.mailbox import MailCa
from torwart.wire.smime import Caution, CertificateUse, Chain, TrustStore, validate

from .conftest import NOW, SENDER, Cms, People

DAY = timedelta(days=1)


def judged(certificate: x509.Certificate, trust: TrustStore, at=NOW, attached=(), use=CertificateUse.SIGN) -> Chain:  # type: ignore[no-untyped-def]
    return validate(certificate, use=use, trust=trust, at=at, attached=attached)


def refused(*arguments: object, **more: object) -> str:
    with pytest.raises(Refusal) as caught:
        judged(*arguments, **more)  # type: ignore[arg-type]
    return caught.value.code


def test_a_chain_may_start_anywhere_we_say(people: People) -> None:
    """Root, issuing CA or the certificate itself can be the anchor (TR-03116-4 6.2); the missing link is found."""
    own, issuing, root = people.sender().certificate, people.ca.issuing.certificate, people.ca.root.certificate

    assert judged(own, TrustStore((root,)), attached=[issuing]).certificates == (own, issuing, root)
    assert judged(own, TrustStore((root,), (issuing,))).certificates == (own, issuing, root)
    assert judged(own, TrustStore((issuing,))).certificates == (own, issuing)
    assert judged(own, TrustStore((own,))) == Chain((own,), ())
    assert refused(own, TrustStore((root,))) == "smime.issuer_unknown"
    assert refused(own, TrustStore(())) == "smime.issuer_unknown"
    assert refused(own, MailCa.create(NOW).trust, attached=[issuing, root]) == "smime.issuer_unknown"


def test_time_is_asked_of_every_link(people: People) -> None:
    """Before and after its own time and its CA's time: named, with whose certificate it is."""
    own, trust = people.sender().certificate, people.ca.trust

    assert refused(own, trust, at=NOW + 366 * DAY) == "smime.expired"
    assert refused(own, trust, at=NOW - 2 * DAY) == "smime.not_yet_valid"
    long = people.ca.issue(SENDER, use="sign", not_after=NOW + 3000 * DAY).certificate
    with pytest.raises(Refusal) as caught:
        judged(long, trust, at=NOW + 2000 * DAY)
    assert (caught.value.code, caught.value.details["name"]) == ("smime.expired", "Torwart Test Mail CA")


def test_an_end_user_is_no_ca(people: People) -> None:
    """A certificate signed by another end user's key is refused, though every signature is right."""
    middle = people.sender()
    assert isinstance(middle.key, ec.EllipticCurvePrivateKey)
    forged = MailCa(people.ca.root, middle, NOW).issue("boss@client.test", use="sign").certificate

    assert refused(forged, people.ca.trust, attached=[middle.certificate]) == "smime.chain"


def test_revocation_lists_are_asked(people: People) -> None:
    """Revoked is refused from its date on; no list and a late list are cautions; another CA's list says nothing."""
    own, root, issuing = people.sender().certificate, people.ca.root.certificate, people.ca.issuing.certificate

    def trust(*crls: x509.CertificateRevocationList) -> TrustStore:
        return TrustStore((root,), (issuing,), crls)

    assert judged(own, trust()).cautions == (Caution.NO_CRL,)
    assert judged(own, trust(people.ca.crl(), people.ca.root_crl())).cautions == ()
    late = judged(own, trust(people.ca.crl(), people.ca.root_crl()), at=NOW + 8 * DAY)
    assert late.cautions == (Caution.CRL_LATE,)
    assert refused(own, trust(people.ca.crl([own]))) == "smime.revoked"
    assert refused(own, trust(people.ca.crl([own], at=NOW - DAY), people.ca.crl([own]))) == "smime.revoked"
    newer = trust(people.ca.crl([own], at=NOW - DAY), people.ca.crl())
    assert judged(own, newer).cautions == (Caution.NO_CRL,)  # the hold was lifted; the root's list is missing
    forged = MailCa(people.ca.root, MailCa.create(NOW).issuing, NOW)
    assert judged(own, trust(forged.crl([own]))).cautions == (Caution.NO_CRL,)


def test_sha1_in_the_chain_is_noted(people: People, cms: Cms) -> None:
    """TR-03116-4 Table 32 demands SHA-256; SHA-1 is accepted with a caution, others are refused."""
    ca, ca_key = cms.files(people.ca.issuing)
    extensions = cms.folder / "extensions"
    extensions.write_text(f"subjectAltName=email:{SENDER}\nkeyUsage=critical,digitalSignature\n")
    _, key = cms.files(people.sender())
    request = cms.run("req", "-new", "-key", key, "-subj", "/CN=Erika")
    issue = ("x509", "-req", "-CA", ca, "-CAkey", ca_key, "-days", "30", "-extfile", extensions, "-outform", "DER")
    sha1 = x509.load_der_x509_certificate(cms.run(*issue, "-sha1", stdin=request))
    sha224 = x509.load_der_x509_certificate(cms.run(*issue, "-sha224", stdin=request))
    soon = datetime.now(UTC) + DAY

    assert Caution.SHA1_CHAIN in judged(sha1, people.ca.trust, at=soon).cautions
    assert refused(sha224, people.ca.trust, at=soon) == "smime.chain"
