"""The certificate profile of the SM-PKI: what we issue is judged by OpenSSL, what breaks the profile by our checks."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.sim.pki import Credential, Fault, TestPki, new_key
from torwart.wire.certificate import (
    Contact,
    Content,
    Role,
    Subject,
    Trust,
    Use,
    check,
    common_name,
    end_of_day,
    findings,
    identify,
    load_certificate,
    subject_for,
)
from torwart.wire.certificate.names import entity_of
from torwart.wire.certificate.pem import load_revocation_list
from torwart.wire.certificate.profile import extensions as profile_extensions

DEVICE = "EPPC0212345678"
NOW = datetime.now(UTC)
OpenSsl = Callable[..., bytes]

_EXTENSION = re.compile(r"^            (X509v3 [^:]+): ?(critical)?\s*$", re.M)
_COMMON = [
    ("X509v3 Authority Key Identifier", ""),
    ("X509v3 Subject Key Identifier", ""),
    ("X509v3 Key Usage", "critical"),
    ("X509v3 Certificate Policies", ""),
]
_SAN = ("X509v3 Subject Alternative Name", "")
_IAN = ("X509v3 Issuer Alternative Name", "")
_BASIC = ("X509v3 Basic Constraints", "critical")
_EKU = ("X509v3 Extended Key Usage", "critical")
_CRL = ("X509v3 CRL Distribution Points", "")


def _text(openssl: OpenSsl, certificate: x509.Certificate) -> str:
    return openssl("x509", "-noout", "-text", stdin=certificate.public_bytes(Encoding.PEM)).decode()


def _triple(pki: TestPki, role: Role) -> tuple[Credential, Credential, Credential]:
    triple = {Role.GWA: pki.gwa, Role.GWH: pki.gwh, Role.EMT: pki.emt}.get(role) or pki.operational_triple(DEVICE)
    return triple.tls, triple.sig, triple.enc


# -- what we issue ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WAN-3.2")
@pytest.mark.parametrize("role", [Role.GWA, Role.GWH, Role.EMT, Role.SMGW])
def test_extensions_stand_in_the_order_and_criticality_of_the_profile(
    pki: TestPki, openssl: OpenSsl, role: Role
) -> None:
    """OpenSSL sees the table of spec/04 §3.2: order, criticality, no SAN for gateways, EKU only for TLS."""
    for credential, use in zip(_triple(pki, role), (Use.TLS, Use.SIG, Use.ENC), strict=True):
        names = [] if role is Role.SMGW else [_SAN]
        purpose = [_EKU] if use is Use.TLS else []

        found = _EXTENSION.findall(_text(openssl, credential.certificate))

        assert found == [*_COMMON, *names, _IAN, _BASIC, *purpose, _CRL]


@pytest.mark.requirement("WAN-3.2")
def test_key_usage_bits_are_those_of_the_triple(pki: TestPki, openssl: OpenSsl) -> None:
    """TLS and SIG sign, ENC agrees and enciphers (03 02 03 28), and nobody does both."""
    usages = [re.search(r"Key Usage: critical\s+(.+)", _text(openssl, c.certificate)) for c in pki.gwa]
    octets = pki.gwa.enc.certificate.extensions.get_extension_for_class(x509.KeyUsage).value.public_bytes()

    assert [usage and usage[1] for usage in usages] == [
        "Digital Signature",
        "Digital Signature",
        "Key Encipherment, Key Agreement",
    ]
    assert octets == bytes.fromhex("03020328")


@pytest.mark.requirement("WAN-3.2")
def test_policy_names_and_addresses_are_readable_by_openssl(pki: TestPki, openssl: OpenSsl) -> None:
    """Policy OID and CPS, mail and URI, DNS names for TLS only, and clientAuth with serverAuth."""
    tls, sig = (_text(openssl, each.certificate) for each in (pki.gwa.tls, pki.gwa.sig))

    assert "Policy: 0.4.0.127.0.7.3.4.1.1.1" in tls
    assert "CPS: https://www.bsi.bund.de" in tls
    assert "TLS Web Client Authentication, TLS Web Server Authentication" in tls
    assert re.search(r"Subject Alternative Name: \s+email:\S+, URI:\S+, DNS:\S+", tls)
    assert re.search(r"Subject Alternative Name: \s+email:\S+, URI:\S+\n", sig)
    assert re.search(r"Issuer Alternative Name: \s+email:smpki@torwart-test.ca.torwart.example, URI:\S+\n", sig)
    assert "URI:http://crl.torwart.example/torwart-test-ca.crl" in sig


@pytest.mark.requirement("WAN-3.2")
def test_sub_ca_certificate_is_that_of_the_profile(pki: TestPki, openssl: OpenSsl) -> None:
    """CA:TRUE with pathlen 0, certSign and cRLSign, the BSI's addresses as issuer."""
    text = _text(openssl, pki.sub_ca.certificate)

    assert _EXTENSION.findall(text) == [*_COMMON, _SAN, _IAN, _BASIC, _CRL]
    assert "CA:TRUE, pathlen:0" in text
    assert "Certificate Sign, CRL Sign" in text
    assert "email:smartmetering-pki@bsi.bund.de, URI:https://www.bsi.bund.de" in text


@pytest.mark.requirement("WAN-3.1")
def test_names_are_printable_strings_unless_they_need_utf8(pki: TestPki, openssl: OpenSsl) -> None:
    """RDN order CN, O, OU, C, serialNumber, street, postalCode, L, ST; UTF8String only for what needs it."""
    subject = Subject("Groß.EMT", "SM-Test-PKI-DE", 3, "9900000000004", "DE", "Straße 1", "10115", "Berlin", "Berlin")
    parsed = openssl("asn1parse", "-inform", "DER", stdin=subject.name().public_bytes()).decode()

    assert re.findall(r"OBJECT +:(\w+)\n.*prim: (\w+) +:(.*)", parsed.replace("\r", "")) == [
        ("commonName", "UTF8STRING", "Groß.EMT"),
        ("organizationName", "PRINTABLESTRING", "SM-Test-PKI-DE"),
        ("organizationalUnitName", "PRINTABLESTRING", "9900000000004"),
        ("countryName", "PRINTABLESTRING", "DE"),
        ("serialNumber", "PRINTABLESTRING", "3"),
        ("streetAddress", "UTF8STRING", "Straße 1"),
        ("postalCode", "PRINTABLESTRING", "10115"),
        ("localityName", "PRINTABLESTRING", "Berlin"),
        ("stateOrProvinceName", "PRINTABLESTRING", "Berlin"),
    ]
    assert Subject.of(subject.name()) == subject


_word = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=64).filter(
    lambda text: len(text.encode()) <= 64  # the X.509 library counts octets where X.520 counts characters
)


@pytest.mark.requirement("WAN-3.1")
@given(_word, st.integers(1, 10**9), _word, _word)
@settings(max_examples=60, deadline=None)
def test_any_name_comes_back_as_it_went_in(name: str, sequence: int, organisation: str, city: str) -> None:
    """A distinguished name survives encoding, whatever the letters."""
    subject = Subject(name, organisation, sequence, locality=city)

    assert Subject.of(subject.name()) == subject


@pytest.mark.requirement("WAN-3.1")
@pytest.mark.parametrize(
    "subject",
    [
        Subject("x" * 65 + ".EMT", "O"),
        Subject("x.EMT", "O", 0),
        Subject("x.EMT", "O", unit="9" * 65),
        Subject("x.EMT", "O", country="DEU"),
    ],
)
def test_names_outside_the_limits_are_not_written(subject: Subject) -> None:
    """At most 64 characters, sequence from 1, two-letter country."""
    with pytest.raises(Refusal) as caught:
        subject.name()

    assert caught.value.code == "pki.name"


@pytest.mark.requirement("WAN-3.3")
def test_lifetimes_end_at_the_end_of_the_day_and_inside_the_issuers(pki: TestPki) -> None:
    """End users two years, Sub-CA five, root eight, seal seven; all until 23:59:59 and within their issuer."""
    seal = pki.seal_triple(DEVICE).sig.certificate
    lives = ((pki.gwa.sig.certificate, 2), (seal, 7), (pki.sub_ca.certificate, 5), (pki.root.certificate, 8))
    for certificate, years in lives:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        assert (end.hour, end.minute, end.second) == (23, 59, 59)
        assert end.year - start.year == years
    assert seal.not_valid_after_utc <= pki.seal_ca.certificate.not_valid_after_utc


@pytest.mark.requirement("WAN-3.3")
def test_end_of_day_is_counted_in_utc() -> None:
    """00:30 in Berlin still belongs to the UTC day before."""
    berlin = datetime.fromisoformat("2026-01-14T00:30:00+01:00")

    assert end_of_day(berlin) == datetime(2026, 1, 13, 23, 59, 59, tzinfo=UTC)


@pytest.mark.requirement("WAN-3.3")
def test_both_chains_and_crls_satisfy_openssl(pki: TestPki, openssl: OpenSsl, tmp_path: Path) -> None:
    """openssl verify with all CRLs accepts operational and seal certificates; openssl crl accepts every list."""
    root, both = tmp_path / "root.pem", tmp_path / "sub.pem"
    root.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    both.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in pki.trust_chain[1:]))
    lists = tmp_path / "crls.pem"
    lists.write_bytes(b"".join(crl.public_bytes(Encoding.PEM) for crl in pki.crls()))
    leaves = [*pki.gwa, *pki.gwh, *pki.emt, *pki.seal_triple(DEVICE), *pki.operational_triple(DEVICE)]
    for number, leaf in enumerate(leaves):
        (tmp_path / f"{number}.pem").write_bytes(leaf.certificate_pem)

    judged = openssl(
        *("verify", "-x509_strict", "-crl_check_all", "-CAfile", root, "-untrusted", both, "-CRLfile", lists),
        *(tmp_path / f"{number}.pem" for number in range(len(leaves))),
    )

    assert judged.decode().count(": OK") == len(leaves)
    for authority in pki.authorities:
        issuer = tmp_path / "issuer.pem"
        issuer.write_bytes(authority.credential.certificate_pem)
        openssl("crl", "-verify", "-noout", "-CAfile", issuer, stdin=pki.crl(authority).public_bytes(Encoding.PEM))


@pytest.mark.requirement("WAN-2")
def test_authorities_sign_with_the_hash_of_their_curve(pki: TestPki) -> None:
    """TR-03116-3 §3 table 5: root brainpoolP384r1 with SHA-384, Sub-CAs brainpoolP256r1 with SHA-256."""
    algorithms = [c.signature_hash_algorithm and c.signature_hash_algorithm.name for c in pki.trust_chain]

    assert algorithms == ["sha384", "sha384", "sha384"]
    assert pki.gwa.tls.certificate.signature_hash_algorithm.name == "sha256"  # type: ignore[union-attr]
    assert [c.public_key().curve.name for c in pki.trust_chain] == [  # type: ignore[union-attr]
        "brainpoolP384r1",
        "brainpoolP256r1",
        "brainpoolP256r1",
    ]


# -- whose it is -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WAN-3.1")
def test_identity_tells_role_use_and_name(pki: TestPki) -> None:
    """Role by suffix, use by key usage, OU and extension as they stand."""
    triple = pki.issue_triple(Role.EMT, "TEN", unit="9900123456789", extension="MAKLIEF", sequence=4)
    found = [identify(certificate) for certificate in triple.certificates]

    assert [each.use for each in found] == [Use.TLS, Use.SIG, Use.ENC]
    assert {(f.role, f.name, f.common_name, f.sequence, f.unit, f.extension) for f in found} == {
        (Role.EMT, "TEN", "TEN.EMT.MAKLIEF", 4, "9900123456789", "MAKLIEF")
    }
    assert identify(pki.root.certificate).role is Role.ROOT
    assert identify(pki.sub_ca.certificate).use is Use.CA
    assert identify(pki.service_credential().certificate).use is Use.TLS


@pytest.mark.requirement("WAN-4.5")
def test_gateway_names_are_case_tolerant(pki: TestPki) -> None:
    """CN of a gateway may come in lower case; the id is upper case for us."""
    identity = identify(pki.operational_triple(DEVICE.lower()).tls.certificate)

    assert (identity.name, identity.common_name) == (DEVICE, f"{DEVICE}.SMGW")


@pytest.mark.requirement("WAN-3.1")
@pytest.mark.parametrize(
    "name",
    ["Meier", "Meier.XYZ", ".EMT", "EPPC021234567.SMGW", "1LGZ0072999211.SMGW", f"{DEVICE}.SMGW.X", "A.CA.B", ""],
)
def test_names_outside_the_pki_are_refused(name: str) -> None:
    """Only the suffixes of the SM-PKI, gateways only with a gateway's id, authorities only with helper extensions."""
    with pytest.raises(Refusal) as caught:
        entity_of(name)

    assert caught.value.code == "pki.name"


@pytest.mark.requirement("WAN-3.1")
def test_entities_are_the_same_under_all_their_extensions() -> None:
    """The extension tells key sets apart, not participants."""
    assert entity_of(common_name(Role.GWA, "Nord", "CLIENT7")) == "Nord.GWA"
    assert entity_of("SM-Root.CA.TLS") == "SM-Root.CA"


# -- what breaks the profile -------------------------------------------------------------------------------------------

_Alter = Callable[[list[tuple[x509.ExtensionType, bool]]], list[tuple[x509.ExtensionType, bool]]]


def _forge(
    pki: TestPki,
    alter: _Alter,
    *,
    role: Role = Role.EMT,
    use: Use = Use.TLS,
    key: ec.EllipticCurvePrivateKey | None = None,
    digest: hashes.SHA256 | hashes.SHA1 | None = None,
) -> x509.Certificate:
    """A certificate that the Sub-CA signed although its extensions were altered."""
    public = (key or new_key()).public_key()
    name = DEVICE if role is Role.SMGW else "Falsch"
    contact = None if role is Role.SMGW else Contact("a@b.example", "https://b.example", ("b.example",))
    subject = subject_for(role, name, organisation="SM-Test-PKI-DE")
    start, end = pki.validity(pki.sub_ca)
    content = Content(role, use, subject, public, contact, start, end)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.name())
        .issuer_name(pki.sub_ca.certificate.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for value, critical in alter(profile_extensions(content, pki.sub_ca.certificate, "http://x")):
        builder = builder.add_extension(value, critical)
    return builder.sign(pki.sub_ca.credential.key, digest or hashes.SHA256())


def _without(oid: x509.ObjectIdentifier, extensions: list[tuple[x509.ExtensionType, bool]]) -> list[object]:
    return [(value, critical) for value, critical in extensions if value.oid != oid]


def _instead(new: x509.ExtensionType, extensions: list[tuple[x509.ExtensionType, bool]]) -> list[object]:
    return [(new if value.oid == new.oid else value, critical) for value, critical in extensions]


def _and(new: x509.ExtensionType, extensions: list[tuple[x509.ExtensionType, bool]]) -> list[object]:
    return [*extensions, (new, False)]


def _flip(oid: x509.ObjectIdentifier, extensions: list[tuple[x509.ExtensionType, bool]]) -> list[object]:
    return [(value, critical ^ (value.oid == oid)) for value, critical in extensions]


def _usage(*bits: str) -> x509.KeyUsage:
    names = ("digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign "
             "crl_sign encipher_only decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: name in bits for name in names.split()})


_SAN_MAIL = x509.SubjectAlternativeName([x509.RFC822Name("a@b.example")])
_SAN_NO_DNS = x509.SubjectAlternativeName(
    [x509.RFC822Name("a@b.example"), x509.UniformResourceIdentifier("https://b.example")]
)
_PERIOD = x509.PrivateKeyUsagePeriod(NOW, NOW + timedelta(days=1))
_BROKEN: list[tuple[str, str, dict[str, object], Callable[..., list[object]]]] = [
    ("no KeyUsage", "pki.key_usage", {}, partial(_without, ExtensionOID.KEY_USAGE)),
    ("no AKI", "pki.extension_missing", {}, partial(_without, ExtensionOID.AUTHORITY_KEY_IDENTIFIER)),
    ("no SKI", "pki.key_usage", {}, partial(_without, ExtensionOID.SUBJECT_KEY_IDENTIFIER)),
    ("no policies", "pki.extension_missing", {}, partial(_without, ExtensionOID.CERTIFICATE_POLICIES)),
    ("no IAN", "pki.extension_missing", {}, partial(_without, ExtensionOID.ISSUER_ALTERNATIVE_NAME)),
    ("no constraints", "pki.extension_missing", {}, partial(_without, ExtensionOID.BASIC_CONSTRAINTS)),
    ("no CRL point", "pki.extension_missing", {}, partial(_without, ExtensionOID.CRL_DISTRIBUTION_POINTS)),
    ("no SAN", "pki.extension_missing", {}, partial(_without, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)),
    ("SAN of a gateway", "pki.alternative_name", {"role": Role.SMGW}, partial(_and, _SAN_MAIL)),
    ("SAN without URI", "pki.alternative_name", {}, partial(_instead, _SAN_MAIL)),
    ("TLS without DNS", "pki.alternative_name", {}, partial(_instead, _SAN_NO_DNS)),
    ("CA:TRUE", "pki.basic_constraints", {}, partial(_instead, x509.BasicConstraints(True, 0))),
    ("KU not critical", "pki.criticality", {}, partial(_flip, ExtensionOID.KEY_USAGE)),
    ("EKU not critical", "pki.criticality", {}, partial(_flip, ExtensionOID.EXTENDED_KEY_USAGE)),
    ("BC not critical", "pki.criticality", {}, partial(_flip, ExtensionOID.BASIC_CONSTRAINTS)),
    ("AKI critical", "pki.criticality", {}, partial(_flip, ExtensionOID.AUTHORITY_KEY_IDENTIFIER)),
    ("too much KU", "pki.key_usage", {}, partial(_instead, _usage("digital_signature", "data_encipherment"))),
    ("KU of both", "pki.key_usage", {}, partial(_instead, _usage("digital_signature", "key_agreement"))),
    ("KU of none", "pki.key_usage", {}, partial(_instead, _usage("content_commitment"))),
    ("KU of a CA", "pki.key_usage", {}, partial(_instead, _usage("key_cert_sign", "crl_sign"))),
    (
        "EKU client only",
        "pki.extended_key_usage",
        {},
        partial(_instead, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
    ),
    (
        "EKU in ENC",
        "pki.extended_key_usage",
        {"use": Use.ENC},
        partial(_and, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
    ),
    ("usage period", "pki.extension_forbidden", {}, partial(_and, _PERIOD)),
    ("P-256", "pki.curve", {"key": ec.generate_private_key(ec.SECP256R1())}, list),
]


@pytest.mark.requirement("WAN-3.2")
@pytest.mark.parametrize(("code", "options", "alter"), [row[1:] for row in _BROKEN], ids=[row[0] for row in _BROKEN])
def test_each_departure_from_the_profile_has_its_own_refusal(
    pki: TestPki, code: str, options: dict[str, object], alter: _Alter
) -> None:
    """Every rule of spec/04 §3.2 is checked and named."""
    certificate = _forge(pki, alter, **options)  # type: ignore[arg-type]

    assert code in [finding.code for finding in findings(certificate, at=NOW)]
    with pytest.raises(Refusal):
        check(certificate)


@pytest.mark.requirement("WAN-3.2")
@pytest.mark.parametrize("role", [Role.EMT, Role.SMGW])
@pytest.mark.parametrize("use", [Use.TLS, Use.SIG, Use.ENC])
def test_what_keeps_to_the_profile_has_no_findings(pki: TestPki, role: Role, use: Use) -> None:
    """The certificates the broken ones were made from are good."""
    assert findings(_forge(pki, list, role=role, use=use), at=NOW) == []


@pytest.mark.requirement("WAN-2")
def test_compressed_points_are_refused(pki: TestPki, openssl: OpenSsl, tmp_path: Path) -> None:
    """TR-03116-3 §2.2: points must be encoded uncompressed; OpenSSL makes one that is not."""
    key = tmp_path / "key.pem"
    fresh = openssl("ecparam", "-name", "brainpoolP256r1", "-genkey", "-noout")
    openssl("ec", "-conv_form", "compressed", "-out", key, stdin=fresh)
    pem = openssl(
        *("req", "-x509", "-new", "-key", key, "-subj", "/CN=Falsch.EMT/O=X/C=DE/serialNumber=1", "-sha256"),
        *("-addext", "keyUsage=critical,digitalSignature", "-addext", "basicConstraints=critical,CA:FALSE"),
    )
    codes = [finding.code for finding in findings(load_certificate(pem))]

    assert "pki.point_format" in codes


@pytest.mark.requirement("WAN-2")
def test_keys_that_are_not_elliptic_are_refused(pki: TestPki) -> None:
    """TR-03116-3 §3 demands ECDSA on brainpool; Ed25519 is neither."""
    key = ed25519.Ed25519PrivateKey.generate()
    subject = Subject("Falsch.EMT", "X").name()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = builder.add_extension(ski, False).add_extension(_usage("digital_signature"), True).sign(key, None)
    codes = {finding.code for finding in findings(certificate)}

    assert {"pki.curve", "pki.signature_algorithm"} <= codes


@pytest.mark.requirement("WAN-3.1")
def test_wrong_role_and_wrong_use_are_refused_by_name(pki: TestPki) -> None:
    """A SIG certificate is no TLS certificate, and an EMT no GWA, however well the chain holds."""
    for options, code in (({"role": Role.GWA}, "pki.role"), ({"use": Use.TLS}, "pki.use")):
        with pytest.raises(Refusal) as caught:
            check(pki.emt.sig.certificate, **options)  # type: ignore[arg-type]
        assert caught.value.code == code


# -- chain and revocation ----------------------------------------------------------------------------------------------


@pytest.fixture
def own() -> TestPki:
    return TestPki.create(NOW)


@pytest.mark.requirement("WAN-3.3", "SIM-certificates")
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.EXPIRED, "pki.expired"),
        (Fault.NOT_YET_VALID, "pki.not_yet_valid"),
        (Fault.REVOKED, "pki.revoked"),
        (Fault.SUSPENDED, "pki.suspended"),
        (Fault.FOREIGN_CA, "pki.issuer_unknown"),
        (Fault.WRONG_NAME, "pki.role"),
        (Fault.SEAL, "pki.operational_wanted"),
    ],
)
def test_every_wrong_certificate_is_refused_for_its_own_reason(own: TestPki, fault: Fault, code: str) -> None:
    """The certificates simulators show on purpose fail for exactly the reason they were made for."""
    certificate = own.faulty_triple(fault, Role.SMGW, DEVICE).tls.certificate

    with pytest.raises(Refusal) as caught:
        own.trust.validate(certificate, at=NOW, role=Role.SMGW, use=Use.TLS, seal=False, revocations=own.revocations())

    assert caught.value.code == code


@pytest.mark.requirement("WAN-3.4")
def test_good_certificates_validate_and_seal_is_told_from_operational(pki: TestPki) -> None:
    """The issuer decides: the maker's Sub-CA makes seal certificates, the operational one the others."""
    seal, operational = pki.seal_triple(DEVICE), pki.operational_triple(DEVICE)
    for triple, wanted in ((seal, True), (operational, False)):
        for certificate in triple.certificates:
            identity = pki.trust.validate(certificate, at=NOW, seal=wanted, revocations=pki.revocations())
            assert identity.name == DEVICE

    with pytest.raises(Refusal) as caught:
        pki.trust.validate(operational.tls.certificate, at=NOW, seal=True)
    assert caught.value.code == "pki.seal_wanted"


@pytest.mark.requirement("WAN-3.3")
def test_shell_model_binds_the_end_user_to_its_issuer(pki: TestPki) -> None:
    """A certificate that outlives its Sub-CA is refused although its signature holds."""
    outliving = pki.issue_triple(
        Role.SMGW, DEVICE, not_after=pki.sub_ca.certificate.not_valid_after_utc + timedelta(seconds=1)
    )

    with pytest.raises(Refusal) as caught:
        pki.trust.validate(outliving.tls.certificate, at=NOW)

    assert caught.value.code == "pki.shell"


@pytest.mark.requirement("WAN-3.3")
def test_changed_certificate_fails_its_signature(pki: TestPki) -> None:
    """One letter of the name changed after signing."""
    forged = pki.emt.sig.certificate_der.replace(b"Stadtwerk M", b"Stadtwerk N")

    with pytest.raises(Refusal) as caught:
        pki.trust.validate(load_certificate(forged), at=NOW)

    assert caught.value.code == "pki.signature"


@pytest.mark.requirement("WAN-3.3")
def test_revocation_lists_are_believed_only_from_their_authority(own: TestPki) -> None:
    """Another PKI's list of the same name is refused; so is a list that has run out."""
    good = own.trust.revocation_list(own.crl(own.sub_ca))

    with pytest.raises(Refusal) as caught:
        own.trust.revocation_list(own.foreign.crl(own.foreign.sub_ca))
    assert caught.value.code == "pki.crl_signature"
    with pytest.raises(Refusal) as caught:
        good.refuse(own.gwa.tls.certificate, NOW + timedelta(days=8))
    assert caught.value.code == "pki.crl_expired"


@pytest.mark.requirement("WAN-3.3")
def test_suspension_ends_and_revocation_does_not(own: TestPki) -> None:
    """certificateHold can be lifted; what is revoked for good stays so with its first date."""
    held, gone = own.gwa.tls.certificate, own.emt.tls.certificate
    own.revoke(held, "certificateHold")
    own.revoke(gone, "superseded")
    own.revoke(gone, "keyCompromise", NOW + timedelta(days=1))

    assert own.sub_ca.reactivate(held.serial_number)
    assert not own.sub_ca.reactivate(gone.serial_number)
    entries = own.revocations()[own.sub_ca.certificate.subject.rfc4514_string()].entries
    assert [(serial, entry.reason) for serial, entry in entries.items()] == [(gone.serial_number, "superseded")]


@pytest.mark.requirement("WAN-3.1")
def test_only_a_root_and_its_own_sub_cas_can_be_trusted(own: TestPki) -> None:
    """Trust is made from authorities whose signatures hold; a stranger's Sub-CA is refused at once."""
    with pytest.raises(Refusal) as caught:
        Trust.of(own.root.certificate, [own.foreign.sub_ca.certificate])
    assert caught.value.code == "pki.signature"
    with pytest.raises(Refusal) as caught:
        Trust.of(own.sub_ca.certificate, [])
    assert caught.value.code == "pki.role"


# -- damaged input -----------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_damaged_certificates_raise_nothing_but_refusals(pki: TestPki, data: st.DataObject) -> None:
    """Cut or with flipped bits, a certificate is refused or read; it never breaks the reader."""
    whole = pki.gwa.tls.certificate_der
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    for der in (bytes(damaged), whole[: data.draw(st.integers(0, len(whole) - 1))]):
        try:
            certificate = load_certificate(der)
            findings(certificate, at=NOW)
            pki.trust.validate(certificate, at=NOW)
        except Refusal:
            continue
        assert der == whole


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_revocation_lists_raise_nothing_but_refusals(pki: TestPki, data: st.DataObject) -> None:
    """A CRL with a flipped bit is never believed."""
    whole = _CRL_BYTES.setdefault(id(pki), pki.sub_ca.crl_der(NOW))
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(Refusal):
        pki.trust.revocation_list(load_revocation_list(bytes(damaged)))


_CRL_BYTES: dict[int, bytes] = {}


def test_name_attributes_must_be_single(pki: TestPki) -> None:
    """Two common names in one subject are one too many."""
    twice = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("A.EMT", "B.EMT")])

    with pytest.raises(Refusal) as caught:
        Subject.of(twice)

    assert caught.value.code == "pki.name"
