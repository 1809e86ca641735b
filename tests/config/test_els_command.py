"""``torwart els``: schema and examples that fit each other, and a check that tells what the import would."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from torwart.config.commands.els import command
from torwart.kernel.refusals import Refusal
from torwart.sim.pki import TestPki
from torwart.wire import cms

pytestmark = pytest.mark.requirement("P01")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments])


def test_the_printed_example_satisfies_the_printed_schema() -> None:
    """Both are what makers get, and libxml2 is satisfied."""
    schema = etree.XMLSchema(etree.fromstring(run("schema").stdout.encode()))

    assert schema.validate(etree.fromstring(run("example").stdout.encode()))


def test_the_examples_check_well(tmp_path: Path) -> None:
    """The XML is good as it stands; the CSV template lacks the certificates and says so."""
    (tmp_path / "xml").write_text(run("example").stdout)
    (tmp_path / "csv").write_text(run("example", "--csv").stdout)
    good, template = run("check", "--json", tmp_path / "xml"), run("check", "--json", tmp_path / "csv")

    assert (good.exit_code, json.loads(good.stdout)["kinds"]) == (0, {"SMGW": 1, "Zaehler": 1, "Steuereinrichtung": 1})
    assert template.exit_code == 1
    (mistake,) = json.loads(template.stdout)["mistakes"]
    assert (mistake["device"], mistake["code"]) == ("EPPC0211358875", "els.cell")


def test_mistakes_are_told_device_by_device(tmp_path: Path) -> None:
    """A number twice and a number that is none are listed; the exit code says that something is wrong."""
    text = run("example").stdout
    meter = text[text.index("<Zaehler") : text.index("</Zaehler>") + len("</Zaehler>")]
    bad = meter.replace("1EMH0012345678", "1EMHXX12345678")
    (tmp_path / "xml").write_text(text.replace(meter, meter + meter + bad))
    told = run("check", tmp_path / "xml")

    assert told.exit_code == 1
    assert told.stdout.count("1EMH0012345678") == 2
    assert "1EMHXX12345678" in told.stdout


def test_signed_files_are_checked_with_the_makers_certificate(tmp_path: Path, pki: TestPki) -> None:
    """The right certificate tells the signer; without one it is asked for, with another one the file is refused."""
    maker, other = pki.gwh.sig, pki.emt.sig
    signed = cms.sign(run("example").stdout.encode(), signer=cms.LocalSigner(maker.key, maker.certificate))
    (tmp_path / "p7m").write_bytes(signed)
    for name, credential in (("maker", maker), ("other", other)):
        (tmp_path / name).write_bytes(credential.certificate.public_bytes(Encoding.PEM))
    good = run("check", "--json", tmp_path / "p7m", "--maker", tmp_path / "maker")

    assert (good.exit_code, json.loads(good.stdout)["signer"]) == (0, "PPC.GWH")
    assert run("check", tmp_path / "p7m").exit_code == 2
    refused = run("check", tmp_path / "p7m", "--maker", tmp_path / "other").exception
    assert isinstance(refused, Refusal)
    assert refused.code == "cms.signer_unknown"
