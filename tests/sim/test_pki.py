"""The test PKI in memory and on disk, and ``torwart pki``."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.config.commands.pki import command
from torwart.kernel.refusals import Refusal
from torwart.sim.pki import Fault, Terms, TestPki, new_key
from torwart.sim.pki.authority import years_later
from torwart.wire.certificate import Role, Use, findings, identify, load_certificates

NOW = datetime.now(UTC)
DEVICE = "EPPC0212345678"
OpenSsl = Callable[..., bytes]


def _run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


# -- in memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("WAN-3.2")
def test_everything_in_a_new_pki_keeps_to_the_profile(pki: TestPki) -> None:
    """Authorities, ready-made triples and the Sub-CA's service certificate have no findings."""
    certificates = [
        *pki.trust_chain,
        *pki.gwa.certificates,
        *pki.gwh.certificates,
        *pki.emt.certificates,
        *pki.seal_triple(DEVICE).certificates,
        pki.service_credential().certificate,
    ]

    assert [findings(certificate, at=NOW) for certificate in certificates] == [[]] * len(certificates)


@pytest.mark.requirement("WAN-3.2")
def test_triples_are_issued_for_keys_of_others(pki: TestPki) -> None:
    """With public keys given there are certificates and no private keys."""
    keys = {use: new_key().public_key() for use in (Use.TLS, Use.SIG, Use.ENC)}

    triple = pki.operational_triple(DEVICE, public_keys=keys)

    assert [each.certificate.public_key() for each in triple] == list(keys.values())
    assert [each.private_key for each in triple] == [None] * 3
    with pytest.raises(ValueError):
        _ = triple.of(Use.ENC).key


def test_the_gwa_serves_under_its_scenarios_names(pki: TestPki) -> None:
    """One TLS certificate for management, admin-service and time server, and localhost for tests."""
    names = pki.contact(Role.GWA, pki.name).dns

    assert [name.partition(".")[0] for name in names] == [
        "torwart-test",
        "management",
        "admin-service",
        "ntp",
        "localhost",
    ]


def test_lifetimes_and_curves_are_configuration(pki: TestPki) -> None:
    """spec/04 §7 no. 7: every lifetime is a setting; so are the authorities' curves (TR-03116-3 table 5)."""
    terms = Terms(
        end_user_years=1, sub_ca_years=3, root_years=6, root_curve="brainpoolP512r1", sub_ca_curve="brainpoolP384r1"
    )
    other = TestPki.create(NOW, terms=terms)
    ends = [each.not_valid_after_utc.year for each in (other.gwa.sig.certificate, *other.trust_chain[:2])]
    hashes = [each.signature_hash_algorithm for each in (other.trust_chain[0], other.gwa.sig.certificate)]

    start = (NOW - timedelta(days=30)).year
    assert ends == [NOW.year + 1, start + 6, start + 3]
    assert [each and each.name for each in hashes] == ["sha512", "sha384"]
    other.trust.validate(other.gwa.sig.certificate, at=NOW)


def test_leap_days_end_in_february() -> None:
    """A certificate from 29 February ends on the 28th where there is no 29th."""
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)

    assert years_later(leap, 2) == datetime(2030, 2, 28, 12, tzinfo=UTC)
    assert years_later(leap, 4) == datetime(2032, 2, 29, 12, tzinfo=UTC)


def test_certificates_of_strangers_have_no_authority_here(pki: TestPki) -> None:
    """Asking for the issuer of a certificate from elsewhere is a mistake of the caller."""
    other = TestPki.create(NOW, name="Anderswo", maker="Anders")

    with pytest.raises(ValueError):
        pki.authority(other.gwa.tls.certificate)


# -- on disk -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    result = _run("init", "--out", tmp_path / "pki", "--gateway", DEVICE)
    assert result.exit_code == 0, result.output
    return tmp_path / "pki"


@pytest.mark.requirement("WAN-3.1")
def test_init_writes_every_certificate_key_and_list(directory: Path) -> None:
    """Three CAs with key and CRL, triples of GWA, GWH, EMT and gateways, named by owner and use."""
    owners = ["torwart-test.gwa", "ppc.gwh", "stadtwerk-musterstadt.emt", f"{DEVICE.lower()}.smgw.seal"]
    triples = [
        f"{owner}.{use}.{kind}.pem" for owner in owners for use in ("tls", "sig", "enc") for kind in ("cert", "key")
    ]
    authorities = ["sm-test-root.ca", "torwart-test.ca", "ppc-guetesiegel.ca"]
    lists = [f"{name}.{kind}.pem" for name in authorities for kind in ("cert", "key", "crl")]
    service = ["torwart-test.ca.tls.cert.pem", "torwart-test.ca.tls.key.pem"]
    names = {path.name for path in directory.iterdir()}

    assert names == {*triples, *lists, *service, "chain.pem", "crls.pem", "pki.json"}
    keys = [path for path in directory.iterdir() if path.name.endswith(".key.pem")]
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}


@pytest.mark.requirement("WAN-3.3")
def test_what_init_writes_satisfies_openssl(directory: Path, openssl: OpenSsl) -> None:
    """Each certificate verifies against root, chain and CRLs; each key is that of its certificate."""
    leaves = [path for path in directory.glob("*.cert.pem") if ".ca.cert" not in path.name]
    root = directory / "sm-test-root.ca.cert.pem"
    judged = openssl(
        *("verify", "-x509_strict", "-crl_check_all", "-CAfile", root, "-untrusted", directory / "chain.pem"),
        *("-CRLfile", directory / "crls.pem", *leaves),
    )

    assert judged.decode().count(": OK") == len(leaves) == 13
    for leaf in leaves:
        public = openssl("x509", "-in", leaf, "-noout", "-pubkey")
        assert openssl("pkey", "-in", str(leaf).replace(".cert.", ".key."), "-pubout") == public


def test_a_pki_comes_back_from_disk(tmp_path: Path) -> None:
    """Authorities, triples, revocations and list numbers are those that were written."""
    written = TestPki.create(NOW, name="Nord", maker="EMH")
    written.revoke(written.emt.tls.certificate, "superseded")
    written.revoke(written.gwh.tls.certificate, "certificateHold")
    written.write(tmp_path)

    read = TestPki.load(tmp_path)

    assert read.trust_chain == written.trust_chain
    assert [t.certificates for t in (read.gwa, read.gwh, read.emt)] == [
        t.certificates for t in (written.gwa, written.gwh, written.emt)
    ]
    assert [a.revocations for a in read.authorities] == [a.revocations for a in written.authorities]
    assert [a.crl_number for a in read.authorities] == [1, 1, 1]
    read.trust.validate(read.operational_triple(DEVICE).tls.certificate, at=NOW)


def test_init_does_not_overwrite_unasked(directory: Path) -> None:
    """A second init in the same place is refused; with --force it makes a new PKI."""
    before = (directory / "sm-test-root.ca.cert.pem").read_bytes()
    refused = _run("init", "--out", directory)
    forced = _run("init", "--out", directory, "--force")

    assert isinstance(refused.exception, Refusal)
    assert refused.exception.code == "pki.exists"
    assert forced.exit_code == 0
    assert (directory / "sm-test-root.ca.cert.pem").read_bytes() != before


@pytest.mark.requirement("SIM-certificates")
def test_init_writes_wrong_certificates_on_demand(tmp_path: Path, openssl: OpenSsl) -> None:
    """One directory per fault, each refused by openssl or by its name, with the CRLs that know of them."""
    assert _run("init", "--out", tmp_path, "--faults").exit_code == 0
    accepted = set()
    for directory in (tmp_path / "faults").iterdir():
        (leaf,) = directory.glob("*.tls.cert.pem")
        try:
            openssl(
                *("verify", "-crl_check_all", "-CAfile", tmp_path / "sm-test-root.ca.cert.pem"),
                *("-untrusted", tmp_path / "chain.pem", "-CRLfile", tmp_path / "crls.pem", leaf),
            )
            accepted.add(directory.name)
        except AssertionError:
            continue

    assert {path.name for path in (tmp_path / "faults").iterdir()} == {fault.value for fault in Fault}
    assert accepted == {"wrong-name", "seal"}


@pytest.mark.parametrize(("options", "issuer"), [(("--seal",), "PPC Guetesiegel.CA"), ((), "Torwart Test.CA")])
def test_issue_adds_a_triple(directory: Path, options: tuple[str, ...], issuer: str) -> None:
    """Seal or operational, by the authority on disk."""
    device = "EPPC0299999999"

    result = _run("issue", "--pki", directory, "--role", "SMGW", *options, "--sequence", 3, device)

    assert result.exit_code == 0, result.output
    found = [*directory.glob(f"{device.lower()}*.cert.pem")]
    (certificate,) = load_certificates(found[0].read_bytes())
    assert len(found) == 3
    assert f"CN={issuer}" in certificate.issuer.rfc4514_string()
    assert identify(certificate).sequence == 3


def test_show_tells_what_a_certificate_is(directory: Path) -> None:
    """Role, use and names; exit 0 because nothing is wrong."""
    result = _run("show", "--json", directory / "torwart-test.gwa.enc.cert.pem")

    (view,) = json.loads(result.output)
    assert (result.exit_code, view["role"], view["use"], view["findings"]) == (0, "GWA", "ENC", [])
    assert "GWA" in _run("show", directory / "torwart-test.gwa.enc.cert.pem").output


def test_show_lists_all_of_a_chain(directory: Path) -> None:
    """A PEM file with several certificates gives several answers."""
    views = json.loads(_run("show", "--json", directory / "chain.pem").output)

    assert [view["role"] for view in views] == ["ROOT", "Sub-CA", "Sub-CA"]


def test_show_names_findings_and_fails(pki: TestPki, tmp_path: Path) -> None:
    """Exit 1 and the refusal's code for a certificate that has expired."""
    day = timedelta(days=1)
    expired = pki.issue_triple(Role.EMT, "Alt", not_before=NOW - 3 * day, not_after=NOW - day).tls.certificate
    path = tmp_path / "alt.pem"
    path.write_bytes(expired.public_bytes(Encoding.PEM))

    result = _run("show", "--json", path)

    assert result.exit_code == 1
    assert [finding["code"] for finding in json.loads(result.output)[0]["findings"]] == ["pki.expired"]
    assert "pki.expired" in _run("show", path).output


def test_show_of_something_else_is_refused(tmp_path: Path) -> None:
    """A file that holds no certificate is refused by name."""
    path = tmp_path / "text"
    path.write_text("kein Zertifikat")

    result = _run("show", path)

    assert isinstance(result.exception, Refusal)
    assert result.exception.code == "pki.malformed"
