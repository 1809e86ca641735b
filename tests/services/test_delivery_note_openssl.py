"""A maker with openssl and a text editor: the commands of the user guide run as they stand, and their file is taken."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from torwart.config import site as sites
from torwart.services import delivery_note as notes
from torwart.sim.pki import Credential
from torwart.store.models import Gateway, Meter

GUIDE = Path(__file__).parents[2] / "docs" / "user" / "delivery-note.md"
MK0 = bytes(range(16))


@pytest.fixture
def site(own_database: str, tmp_path: Path) -> sites.Site:
    return sites.create(tmp_path / "site", database=own_database)


def pem(credential: Credential, certificate: Path, key: Path | None = None) -> None:
    certificate.write_bytes(credential.certificate.public_bytes(Encoding.PEM))
    if key:
        key.write_bytes(credential.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def run_guide(here: Path) -> None:
    """Every command of the guide, one after the other, in one shell."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.S | re.M)
    script = "set -eu\n" + "\n".join(blocks)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script], cwd=here, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(blocks) == 5


@pytest.mark.requirement("P01", "G-2")
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_the_commands_of_the_guide_make_a_note_we_import(site: sites.Site, tmp_path: Path, streamed: bool) -> None:
    """PEM files, openssl and plain text are all a maker needs; gateway and meter come in, the key opens."""
    here = tmp_path / "maker"
    here.mkdir()
    pem(site.pki.gwh.sig, here / "hersteller.cert.pem", here / "hersteller.key.pem")
    (here / "gwa-enc.cert.pem").write_bytes(site.pki.gwa.enc.certificate.public_bytes(Encoding.PEM))
    seal = site.pki.seal_triple("EPPC0200000001")
    for use, credential in (("tls", seal.tls), ("sig", seal.sig), ("enc", seal.enc)):
        pem(credential, here / f"smgw-{use}.cert.pem")
    (here / "mk0.bin").write_bytes(MK0)
    run_guide(here)
    if streamed:
        sign = "openssl cms -sign -stream -binary -nodetach -in lieferschein.xml -outform DER -out lieferschein.p7m"
        signer = "-signer hersteller.cert.pem -inkey hersteller.key.pem -keyid -md sha512"
        subprocess.run([*sign.split(), *signer.split()], cwd=here, check=True, capture_output=True)

    report = notes.import_note(
        here / "lieferschein.p7m",
        client=site.client,
        keys=site.keys,
        trust=site.pki.trust,
        makers=[site.pki.gwh.sig.certificate],
        at=datetime.now(UTC),
        actor="test",
    )

    assert [(d.device, d.result, d.en) for d in report.devices] == [
        ("EPPC0200000001", "imported", ""),
        ("1EMH0000000001", "imported", ""),
    ]
    assert Gateway.objects.get().maker == "Musterwerk GmbH"
    assert site.keys.secret(Meter.objects.get().key_label) == MK0
