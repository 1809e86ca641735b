"""A complete test installation on disk: PKI, keys, database, delivery note, and the configuration of every process.

Demonstration, stories and benchmarks stand on it. Nothing of it is for a live environment: its keys are test keys.
"""

import io
import os
import secrets
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from torwart.adapters.key_store import FileKeyStore
from torwart.config.installation import database_url, django_setup
from torwart.kernel.identifiers import MaLoId, MeLoId
from torwart.rules.precondition import GatewayType
from torwart.services import administrator
from torwart.services import approved_configuration as approved_configurations
from torwart.services import client as clients
from torwart.services import delivery_note as delivery_notes
from torwart.services import emt as emts
from torwart.sim.gateway.config import GatewayConfig
from torwart.sim.mailbox import MailCa
from torwart.sim.pki import Credential, TestPki, Triple
from torwart.wire import cms, els
from torwart.wire.certificate import Role, Use, identify, load_certificates
from torwart.wire.smgw import result_contact

OPERATOR = "Stadtwerke Musterstadt"
OPERATOR_CODE = "9905048000007"
MAKER = "Musterwerk GmbH"
FIRMWARE = "TW-1.0.0"
GATEWAY_TYPE, METER_TYPE, CC_CERTIFICATE = "SMGW G3", "mME BZ3", "BSI-DSZ-CC-0919"
_PREFIX = "torwart_site_"
ADMIN_HOST = "gwa.sm"
"""How gateways name the ADMIN-SERVICE of this site in their requests."""


@dataclass
class Site:
    """``directory`` holds everything but the database, which is a fresh one on the server ``database`` names."""

    directory: Path
    pki: TestPki
    database: str
    client: int = 0
    emt: str = ""
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def keys(self) -> FileKeyStore:
        return FileKeyStore.open(self.directory / "keys", key_file=self.directory / "keys.key")

    @property
    def pki_dir(self) -> Path:
        return self.directory / "pki"


def create(directory: Path, *, client: str = OPERATOR, database: str = "") -> Site:
    """Make a new installation in ``directory``: PKI, key set of the client, database with client and GWA.

    ``database``: URL of an empty database to use instead of a fresh one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    key_file = directory / "keys.key"
    key_file.touch(mode=0o600)
    key_file.write_bytes(secrets.token_bytes(32))
    site = Site(directory, TestPki.create(datetime.now(UTC)), database or _new_database())
    django_setup(site.database, migrated=False)
    _migrate()
    site.client = clients.create(client, actor="site")
    clients.add_participant(site.client, OPERATOR_CODE, client, actor="site", now=site.pki.now)
    site.pki.gwa = key_set(site)
    kind = GatewayType(GATEWAY_TYPE, FIRMWARE)
    approved_configurations.certify(CC_CERTIFICATE, kind, actor="site", end=site.pki.now + timedelta(days=365))
    approved_configurations.approve(kind, METER_TYPE, actor="site")
    site.pki.write(site.pki_dir)
    return site


def _new_database() -> str:
    """A database of our own beside what the server holds already."""
    base = psycopg.conninfo.conninfo_to_dict(database_url())
    name = f"{_PREFIX}{os.getpid()}_{secrets.token_hex(3)}"
    with psycopg.connect(**{**base, "dbname": "postgres"}, autocommit=True) as connection:  # type: ignore[arg-type]
        _forget_leftovers(connection)
        connection.execute(f'CREATE DATABASE "{name}"')
    user, host = base.get("user", ""), base.get("host", "")
    port = f"&port={base['port']}" if "port" in base else ""
    return f"postgresql://{user}@/{name}?host={host}{port}"


def _forget_leftovers(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Drop the databases of sites whose process is gone (killed, so that it could not clean up)."""
    for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
        owner = str(name).removeprefix(_PREFIX).partition("_")[0] if str(name).startswith(_PREFIX) else ""
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def drop_database(site: Site) -> None:
    """Forget the site's database."""
    from django.db import connections

    connections.close_all()
    base = psycopg.conninfo.conninfo_to_dict(site.database)
    with psycopg.connect(**{**base, "dbname": "postgres"}, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(f'DROP DATABASE IF EXISTS "{base["dbname"]}" WITH (FORCE)')


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def key_set(site: Site) -> Triple:
    """The client's GWA keys: SIG and ENC made in the key store and certified there, TLS as a file for head-ends."""
    keys = site.keys
    public = {use: keys.generate(administrator.label(site.client, use, 1)) for use in (Use.SIG, Use.ENC)}
    tls = site.pki.gwa.tls
    made = site.pki.issue_triple(
        Role.GWA,
        site.pki.name,
        public_keys={**public, Use.TLS: tls.certificate.public_key()},  # type: ignore[dict-item]
    )
    for use in (Use.SIG, Use.ENC):
        certificate = made.of(use).certificate
        administrator.register(keys, site.client, certificate, identify(certificate).sequence, use)
    return Triple(Credential(made.tls.certificate, tls.key), made.sig, made.enc)


# Configuration files


def write_headend(site: Site, *, ports: Mapping[str, int] | None = None, api: Path | None = None) -> Path:
    """``headend.toml``: listeners on loopback, each on a free port unless ``ports`` names one. ``api``: the unix socket
    of the EMT–GWA interface, then with EMT-API.
    """
    given = ports or {}
    gwa = identify(site.pki.gwa.tls.certificate).common_name.lower().replace(" ", "-")
    _write_chain(site, "headend-chain.pem", site.pki.gwa.tls)
    names = ["MANAGEMENT", "ADMIN-SERVICE", "NTP", "EMT-SERVICE", *(["EMT-API"] if api else [])]
    listen = "\n".join(f'"{name}" = "127.0.0.1:{given.get(name, 0)}"' for name in names)
    sub_ca, seal_ca, root = (_authority_file(site, a) for a in (site.pki.sub_ca, site.pki.seal_ca, site.pki.root))
    return _write(
        site.directory / "headend.toml",
        f"""[tls]
chain = "headend-chain.pem"
key = "pki/{gwa}.tls.key.pem"
root = "{root}"
sub_cas = ["{sub_ca}"]
seal_cas = ["{seal_ca}"]

[listen]
{listen}

[headend]
clock_is_trusted = true

[limits]
certificate_rate = 5.0
certificate_burst = 50
connections_per_emt = 40
{_api(site, api) if api else ""}""",
    )


def _api(site: Site, socket: Path) -> str:
    """The head-end's table about the interface, and its secret as a file."""
    secret = site.directory / "api.secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(32))
    return f'''
[api]
socket = "{socket}"
secret = "{secret.name}"
'''


def _write_chain(site: Site, name: str, credential: Credential) -> None:
    chain = site.pki.chain_of(credential.certificate)
    (site.directory / name).write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in chain[:2]))


def _authority_file(site: Site, authority: Any) -> str:
    name = f"{authority.identity.common_name}".replace(" ", "-").lower()
    return f"pki/{name}.cert.pem"


def write_worker(
    site: Site,
    *,
    bus: str,
    ca_url: str,
    crl_url: str,
    name: str = "worker",
    callbacks: str = "",
    patience: Mapping[str, Any] | None = None,
    threads: int = 6,
    lease: float = 3.0,
    wake_ups: int = 1000,
) -> Path:
    """``<name>.toml`` for one worker; ``callbacks``: where it takes the Sub-CA's callbacks, if it does; ``wake_ups``:
    how many a gateway may get an hour.
    """
    gwa = identify(site.pki.gwa.tls.certificate).common_name.lower().replace(" ", "-")
    maker = identify(site.pki.gwh.sig.certificate).common_name.lower().replace(" ", "-")
    sub_ca, seal_ca, root = (_authority_file(site, a) for a in (site.pki.sub_ca, site.pki.seal_ca, site.pki.root))
    waits = "\n".join(
        f"{key} = {list(value) if isinstance(value, tuple) else value}" for key, value in (patience or {}).items()
    )
    return _write(
        site.directory / f"{name}.toml",
        f"""[bus]
url = "{bus}"

[keys]
directory = "keys"
key_file = "keys.key"

[trust]
root = "{root}"
sub_cas = ["{sub_ca}"]
seal_cas = ["{seal_ca}"]
makers = ["pki/{maker}.sig.cert.pem"]
bundle = "pki/chain.pem"

[ca]
url = "{ca_url}"
crl_url = "{crl_url}"
chain = "headend-chain.pem"
key = "pki/{gwa}.tls.key.pem"

[network]
management = "127.0.0.1:{site.ports["MANAGEMENT"]}"
admin_service = "127.0.0.1:{site.ports["ADMIN-SERVICE"]}"
ntp = "127.0.0.1:{site.ports["NTP"]}"
tls = ["pki/{gwa}.tls.cert.pem"]
contact = "{result_contact(ADMIN_HOST)}"

[worker]
threads = {threads}
lease = {lease}
callbacks = "{callbacks}"

[wake_up]
count = {wake_ups}
gap = 0

[patience]
{waits}
""",
    )


def _write(path: Path, text: str) -> Path:
    tomllib.loads(text)
    path.write_text(text)
    return path


def write_sandbox(site: Site) -> Path:
    """``sandbox.toml`` for the host of the sandbox's gateways."""
    here = site.directory
    return _write(
        here / "sandbox.toml",
        f"""pki = "{site.pki_dir}"
keys = "{here / "keys"}"
key_file = "{here / "keys.key"}"
state = "{here / "sandbox"}"
management = "127.0.0.1:{site.ports["MANAGEMENT"]}"
admin_service = "127.0.0.1:{site.ports["ADMIN-SERVICE"]}"
ntp = "127.0.0.1:{site.ports["NTP"]}"
emt_service = "127.0.0.1:{site.ports["EMT-SERVICE"]}"
""",
    )


# Delivery note


def signed_note(
    site: Site, devices: Iterable[GatewayConfig], *, number: str = "LS-2026-0001", **otherwise: Any
) -> bytes:
    """The maker's delivery note for these devices: seal certificates, meters' keys for our ENC key, CMS-signed.

    ``otherwise``: fields of the head that are to differ.
    """
    return signed_items(site, items(site, devices), number=number, **otherwise)


def signed_items(site: Site, devices: Iterable[els.Device], **otherwise: Any) -> bytes:
    """The same for devices as they shall stand in the note."""
    now = site.pki.now
    ordinary = els.Head(
        number="LS-2026-0001",
        message_type="ERSTLIEFERUNG",
        created_at=now,
        delivered_on=now.date(),
        maker=MAKER,
        maker_flag=site.pki.maker,
        operator=OPERATOR,
        operator_code=OPERATOR_CODE,
        administrator=site.pki.name,
    )
    out, head = io.BytesIO(), replace(ordinary, **otherwise)
    els.write(head, [els.Carrier("BOX-1", "SAFETYBOX", ("S-1001",))], devices, out)
    signer = cms.LocalSigner(site.pki.gwh.sig.key, site.pki.gwh.sig.certificate)
    return cms.sign(out.getvalue(), signer=signer, certificate=site.pki.gwh.sig.certificate)


def items(site: Site, devices: Iterable[GatewayConfig]) -> Iterable[els.Device]:
    """How the maker writes these devices and their meters into a note."""
    enc = site.pki.gwa.enc.certificate
    recipient, fingerprint = cms.Recipient.of(enc), enc.fingerprint(hashes.SHA256())
    chain = tuple(c.public_bytes(Encoding.DER) for c in (site.pki.seal_ca.certificate, site.pki.root.certificate))
    for device in devices:
        yield els.GatewayItem(
            id=device.device,
            maker_type=GATEWAY_TYPE,
            firmware=FIRMWARE,
            wan_type="LTE",
            cc_certificate=CC_CERTIFICATE,
            carrier="BOX-1",
            tls=device.seal.tls.certificate_der,
            sig=device.seal.sig.certificate_der,
            enc=device.seal.enc.certificate_der,
            chain=chain,
        )
        for meter in device.meters:
            secret = els.Secret("LMN_MK0", fingerprint, cms.seal(meter.key, recipient=recipient))
            registers = ("1-0:1.8.0", "1-0:2.8.0") if meter.pv_kwp else ("1-0:1.8.0",)
            yield els.MeterItem(
                id=meter.device,
                maker_type=METER_TYPE,
                firmware="1.0",
                sector="Strom",
                lmn="HDLC_RS485",
                obis=registers,
                secrets=(secret,),
            )


def import_note(site: Site, note: bytes) -> delivery_notes.Report:
    """Import a signed note for the site's client."""
    return delivery_notes.import_note(
        note,
        client=site.client,
        keys=site.keys,
        trust=site.pki.trust,
        makers=[site.pki.gwh.sig.certificate],
        at=datetime.now(UTC),
        actor="demo",
    )


def register_emt(site: Site, endpoint: str) -> str:
    """The site's EMT as the client's master data know it (P13): address and certificates; its name."""
    site.emt = "Stadtwerk Musterstadt"
    emts.register(site.client, site.emt, endpoint, site.pki.emt.certificates, actor="site")
    return site.emt


def orders(devices: Sequence[GatewayConfig], emt: str, wake_up: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """A commissioning order for each device, as a client would place it: (device id, fields)."""
    for number, device in enumerate(devices):
        yield (
            device.device,
            {
                "gateway": device.device,
                "meters": [meter.device for meter in device.meters],
                "melo": MeLoId.parse(f"DE00036056068{number:020d}"),
                "malos": [MaLoId.complete(f"5{number:06d}{k:03d}") for k in range(len(device.meters))],
                "address": f"Musterweg {number + 1}, 56068 Koblenz",
                "install_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
                "technician": "Erika Muster",
                "technician_phone": "+49 261 123456",
                "wan_type": "LTE",
                "wan_address": wake_up,
                "tafs": [["7"], ["1", "7"], ["2"], ["6", "7"]][number % 4],
                "emts": [emt],
                "han": "yes" if number % 3 == 0 else "no",
            },
        )


# Mail room

SERVICE = "service@torwart.example"


def write_mailroom(site: Site, ca: MailCa, outside: tuple[str, int]) -> Path:
    """``mailroom.toml``: our own signing and encryption certificates from ``ca``, whose mail we believe; mail goes out
    to the server at ``outside`` and comes in on a free port of loopback.
    """
    for use in ("sign", "encrypt"):
        made = ca.issue(SERVICE, use=use, common_name="Torwart Betrieb")
        chain = b"".join(c.public_bytes(Encoding.PEM) for c in (made.certificate, *made.chain))
        (site.directory / f"mail-{use}.pem").write_bytes(chain)
        key = site.directory / f"mail-{use}.key"
        key.touch(mode=0o600)
        key.write_bytes(made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (site.directory / "mail-root.pem").write_bytes(ca.root.certificate.public_bytes(Encoding.PEM))
    (site.directory / "mail-issuing.pem").write_bytes(ca.issuing.certificate.public_bytes(Encoding.PEM))
    return _write(
        site.directory / "mailroom.toml",
        f"""[identity]
address = "{SERVICE}"
sign = {{ certificate = "mail-sign.pem", key = "mail-sign.key" }}
decrypt = [{{ certificate = "mail-encrypt.pem", key = "mail-encrypt.key" }}]

[trust]
anchors = ["mail-root.pem"]
intermediates = ["mail-issuing.pem"]

[receive]
listen = "127.0.0.1:0"

[send]
server = "{outside[0]}:{outside[1]}"
starttls = "never"
""",
    )


def encryption_certificate(site: Site) -> x509.Certificate:
    """What the outside encrypts for us with."""
    return load_certificates((site.directory / "mail-encrypt.pem").read_bytes())[0]
