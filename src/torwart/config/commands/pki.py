"""``torwart pki``: make a test PKI on disk, look into certificates, issue more of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from cryptography import x509
from rich.console import Console
from rich.progress import track
from rich.table import Table

from torwart.kernel.refusals.pki import PKI_EXISTS
from torwart.kernel.words import Words

_HELP = {
    "group": Words("Test-PKI: anlegen, ansehen, ausstellen.", "Test PKI: create, inspect, issue."),
    "init": Words(
        "Legt eine ganze Test-SM-PKI als PEM-Dateien in DIR an.", "Create a whole test SM-PKI as PEM files in DIR."
    ),
    "show": Words(
        "Zeigt die Zertifikate einer Datei und was am Profil nicht stimmt (Exit-Code 1, wenn etwas nicht stimmt).",
        "Show the certificates of a file and what breaks the profile (exit code 1 if anything does).",
    ),
    "issue": Words(
        "Stellt ein Tripel TLS/SIG/ENC aus und legt es in DIR ab.", "Issue a triple TLS/SIG/ENC and put it into DIR."
    ),
}
_SPARE = "EPPC0200000000"
_ROLES = ("GWA", "GWH", "EMT", "SMGW")


@click.group(help=_HELP["group"].text())
def command() -> None:
    """Group of the PKI commands."""


@command.command(help=_HELP["init"].text())
@click.option("--out", "directory", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--force", is_flag=True, help="Überschreibt eine vorhandene / overwrite an existing one")
@click.option("--faults", is_flag=True, help="dazu falsche Zertifikate / wrong certificates, too: DIR/faults")
@click.option("--name", default="Torwart Test", show_default=True, help="Sub-CA, GWA")
@click.option("--maker", default="PPC", show_default=True, help="GWH")
@click.option("--gateway", "gateways", multiple=True, metavar="ID", help="EPPC0212345678 …")
def init(directory: Path, force: bool, faults: bool, name: str, maker: str, gateways: tuple[str, ...]) -> None:
    from torwart.sim.pki import Fault, TestPki
    from torwart.sim.pki.files import write_triple
    from torwart.wire.certificate import Role

    if (directory / "pki.json").exists() and not force:
        raise PKI_EXISTS(directory=directory)
    pki = TestPki.create(datetime.now(UTC), name=name, maker=maker)
    for fault in Fault if faults else ():
        triple = pki.faulty_triple(fault, Role.SMGW, (*gateways, _SPARE)[0])
        write_triple(directory / "faults" / fault, triple)
    for device in track(gateways, "SMGW-G", disable=not gateways, console=Console(stderr=True)):
        write_triple(directory, pki.seal_triple(device), "seal")
    pki.write(directory)
    click.echo(f"{len(list(directory.glob('*.pem')))} PEM → {directory}")


@command.command(help=_HELP["issue"].text())
@click.option("--pki", "directory", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--role", type=click.Choice(_ROLES, case_sensitive=False), required=True)
@click.option("--seal", is_flag=True, help="SMGW-G")
@click.option("--sequence", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--unit", default="", help="OU")
@click.argument("name")
def issue(directory: Path, role: str, seal: bool, sequence: int, unit: str, name: str) -> None:
    from torwart.sim.pki import TestPki
    from torwart.sim.pki.files import write_triple
    from torwart.wire.certificate import Role

    pki = TestPki.load(directory)
    pki.now = datetime.now(UTC)
    triple = pki.issue_triple(Role(role), name, ca=pki.seal_ca if seal else pki.sub_ca, sequence=sequence, unit=unit)
    write_triple(directory, triple, "seal" if seal else "")
    for certificate in triple.certificates:
        click.echo(certificate.subject.rfc4514_string())


@command.command(help=_HELP["show"].text())
@click.option("--json", "as_json", is_flag=True)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def show(file: Path, as_json: bool) -> None:
    from torwart.wire.certificate import load_certificates

    views = [_view(certificate) for certificate in load_certificates(file.read_bytes())]
    if as_json:
        click.echo(json.dumps(views, indent=2, ensure_ascii=False))
    else:
        for view in views:
            Console().print(_table(view))
    if any(view["findings"] for view in views):
        raise SystemExit(1)


def _view(certificate: x509.Certificate) -> dict[str, Any]:
    from cryptography.hazmat.primitives.hashes import SHA256

    from torwart.kernel.refusals import Refusal
    from torwart.wire.certificate import findings, identify

    view: dict[str, Any] = {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc.isoformat(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "sha256": certificate.fingerprint(SHA256()).hex(),
    }
    try:
        identity = identify(certificate)
        view |= {"role": identity.role.value, "use": identity.use.value, "ski": identity.ski.hex()}
    except Refusal:
        view |= {"role": "?", "use": "?"}
    problems = findings(certificate, at=datetime.now(UTC))
    view["findings"] = [{"code": problem.code, "text": problem.text()} for problem in problems]
    return view


def _table(view: dict[str, Any]) -> Table:
    table = Table(show_header=False, title=str(view["subject"]), title_justify="left")
    for key, value in view.items():
        if key != "findings":
            table.add_row(key, str(value))
    for finding in view["findings"]:
        table.add_row("✗ " + finding["code"], finding["text"])
    if not view["findings"]:
        table.add_row("✓", Words("hält das Profil ein", "keeps to the profile").text())
    return table
