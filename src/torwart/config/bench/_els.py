"""The parts of benchmark ``els``, each run in a process of its own so that memory and CPU are those of the part.

``python -m torwart.config.bench._els PART …``; each part prints its figures as one line of JSON.
"""

import io
import json
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection
from lxml import etree
from psycopg import sql

from torwart.adapters.key_store import FileKeyStore
from torwart.config.bench.harness import rate
from torwart.config.installation import django_setup
from torwart.sim.pki import TestPki
from torwart.wire import cms, els
from torwart.wire.certificate import Use

# Models can be imported from here on; which database is meant, each part says.
django_setup("postgresql:///unused", migrated=False)
from torwart.config import site as sites  # noqa: E402
from torwart.services.delivery_note import import_note, importing  # noqa: E402
from torwart.services.delivery_note.batch import Importer  # noqa: E402

_METERS_A_GATEWAY = 1.2
_TABLES = ("carrier", "gateway", "certificate", "meter", "custody", "deliverynoteitem")
_SHA = ec.ECDSA(hashes.SHA256())
_CHUNK = 2**16


# --- preparing -----------------------------------------------------------------------------------------------------


def prepare(directory: str, database: str, devices: str) -> dict[str, Any]:
    """An installation without devices, and the maker's signed notes: all devices, and a tenth of them."""
    here = Path(directory)
    _on_server(database, f'DROP DATABASE IF EXISTS "{_name(database)}" WITH (FORCE)')
    _on_server(database, f'CREATE DATABASE "{_name(database)}"')
    site = sites.create(here / "site", database=database)
    count = int(devices)
    with ProcessPoolExecutor() as pool:
        for name, first, amount in (("large", 0, count), ("small", count, count // 10)):
            _write_note(pool, here, site, name, first, amount)
    return {"database": database, "client": site.client}


def _write_note(pool: ProcessPoolExecutor, here: Path, site: sites.Site, name: str, first: int, amount: int) -> None:
    """Sign ``amount`` devices, numbered from ``first``; the content also stands beside, for the floor."""
    ends = range(first, first + amount, 1000)
    items = (each for made in pool.map(_devices, [site.pki_dir] * len(ends), ends) for each in made)
    now = site.pki.now
    head = els.Head(
        number=f"LS-{name}",
        message_type="ERSTLIEFERUNG",
        created_at=now,
        delivered_on=now.date(),
        maker=sites.MAKER,
        maker_flag=site.pki.maker,
        operator=sites.OPERATOR,
        operator_code=sites.OPERATOR_CODE,
        administrator=site.pki.name,
    )
    out = io.BytesIO()
    els.write(head, [els.Carrier("BOX-1", "SAFETYBOX", ("S-1",))], items, out)
    maker = site.pki.gwh.sig
    signed = cms.sign(out.getvalue(), signer=cms.LocalSigner(maker.key, maker.certificate))
    (here / f"{name}.xml").write_bytes(out.getvalue())
    (here / f"{name}.p7m").write_bytes(signed)


def _devices(directory: Path, first: int, count: int = 1000) -> list[els.Device]:
    """Gateways and meters in the field's proportion. The keys in their certificates are the same, for nobody looks."""
    pki = TestPki.load(directory)
    keys = {use: ec.generate_private_key(ec.BrainpoolP256R1()).public_key() for use in (Use.TLS, Use.SIG, Use.ENC)}
    enc = pki.gwa.enc.certificate
    recipient, fingerprint = cms.Recipient.of(enc), enc.fingerprint(hashes.SHA256())
    gateways = round(count / (1 + _METERS_A_GATEWAY))

    def gateway(number: int) -> els.Device:
        made = pki.seal_triple(f"EPPC02{number:08d}", public_keys=keys)
        tls, sig, enc = (certificate.public_bytes(Encoding.DER) for certificate in made.certificates)
        return els.GatewayItem(
            id=f"EPPC02{number:08d}",
            maker_type=sites.GATEWAY_TYPE,
            firmware=sites.FIRMWARE,
            firmware_hash=bytes(32),
            wan_type="LTE",
            iccid=f"8949{number:015d}",
            imei=f"35{number:013d}",
            cc_certificate=sites.CC_CERTIFICATE,
            carrier="BOX-1",
            tls=tls,
            sig=sig,
            enc=enc,
        )

    def meter(number: int) -> els.Device:
        secret = els.Secret("LMN_MK0", fingerprint, cms.seal(bytes(16), recipient=recipient))
        return els.MeterItem(
            id=f"1EMH00{number:08d}",
            maker_type=sites.METER_TYPE,
            firmware="1.0",
            calibration_year="2026",
            sector="Strom",
            lmn="HDLC_RS485",
            obis=("1-0:1.8.0", "1-0:2.8.0"),
            secrets=(secret,),
        )

    return [gateway(first + n) if n < gateways else meter(first + n) for n in range(count)]


# --- one round -----------------------------------------------------------------------------------------------------


def round_(directory: str, stage: str, name: str) -> dict[str, Any]:
    """Import the note into a copy of the database, then do the floor with the rows it made, into another copy."""
    here, given = Path(directory), json.loads(stage)
    with _copy_of(given["database"]) as ours:
        figures = _import(here, ours, given["client"], name)
        rows = _dump(here, ours, given["database"])
    with _copy_of(given["database"]) as floor:
        figures["floor"] = _floor(here / f"{name}.xml", floor, rows)
    return figures


def _import(here: Path, database: str, client: int, name: str) -> dict[str, Any]:
    django_setup(database, migrated=False)
    keys_at = here / f"keys-{name}"
    shutil.rmtree(keys_at, ignore_errors=True)
    shutil.copytree(here / "site" / "keys", keys_at)
    pki = TestPki.load(here / "site" / "pki")
    keys = FileKeyStore.open(keys_at, key_file=here / "site" / "keys.key")
    clocked = _clocked()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    units = _units()
    began, ours, theirs = time.monotonic(), time.process_time(), _cpu(backend)
    report = import_note(
        here / f"{name}.p7m",
        client=client,
        keys=keys,
        trust=pki.trust,
        makers=[pki.gwh.sig.certificate],
        at=datetime.now(UTC),
        actor="bench",
        limit=2**30,
    )
    used, served, wall = time.process_time() - ours, _cpu(backend) - theirs, time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if report.refused or report.known:
        sys.exit(f"{report.refused} refused, {report.known} known")
    verify, agree = (sum(pair) / 2 for pair in zip(units, _units(), strict=True))
    return {
        "cpu": used + served,
        "served": served,
        "wall": wall,
        "memory": memory,
        "devices": report.imported,
        "seals_floor": verify,
        "secrets_floor": agree,
        **clocked(),
    }


def _clocked() -> Callable[[], dict[str, Any]]:
    """Put clocks around the two checks that cost curve operations; answers what they took and how many there were."""
    taken = {"seals": 0.0, "seals_count": 0, "secrets": 0.0, "secrets_count": 0, "kept": 0.0}

    class Clocked(Importer):
        def seal(self, entry: Any) -> None:
            start = time.process_time()
            super().seal(entry)
            taken["seals"] += time.process_time() - start
            taken["seals_count"] += len(entry.seals)

        def open(self, entry: Any) -> None:
            start = time.process_time()
            super().open(entry)
            taken["secrets"] += time.process_time() - start
            taken["secrets_count"] += len(entry.secrets)

        def _keep_secrets(self, batch: Any) -> None:
            start = time.process_time()
            super()._keep_secrets(batch)
            taken["kept"] += time.process_time() - start

    importing.Importer = Clocked  # type: ignore[attr-defined]
    return lambda: taken


def _units() -> tuple[float, float]:
    """CPU seconds of one bare verification and one bare agreement, with ready keys."""
    key, peer = ec.generate_private_key(ec.BrainpoolP256R1()), ec.generate_private_key(ec.BrainpoolP256R1())
    public, message, theirs = key.public_key(), bytes(700), peer.public_key()
    signature, ecdh = key.sign(message, _SHA), ec.ECDH()
    return 1 / rate(lambda: public.verify(signature, message, _SHA)), 1 / rate(lambda: key.exchange(ecdh, theirs))


# --- the floor -----------------------------------------------------------------------------------------------------


def _dump(here: Path, ours: str, before: str) -> dict[str, Path]:
    """The rows the import has made, table by table, as PostgreSQL itself writes them."""
    rows = {}
    with psycopg.connect(before) as old, psycopg.connect(ours) as new:
        for table in ("deliverynote", *_TABLES):
            name = sql.Identifier(f"store_{table}")
            known = old.execute(sql.SQL("SELECT coalesce(max(id), 0) FROM {}").format(name)).fetchall()[0][0]
            rows[table] = here / f"{table}.rows"
            query = sql.SQL("COPY (SELECT * FROM {} WHERE id > {} ORDER BY id) TO STDOUT").format(name, known)
            with rows[table].open("wb") as out, new.cursor().copy(query) as copying:
                for data in copying:
                    out.write(data)
    return rows


def _floor(content: Path, database: str, rows: dict[str, Path]) -> float:
    """CPU seconds of this process and of its database session for parsing the content and copying the rows."""
    with psycopg.connect(database) as connection:
        backend = connection.info.backend_pid
        _load(connection, "deliverynote", rows["deliverynote"])
        ours, theirs = time.process_time(), _cpu(backend)
        _parse(content)
        for table in _TABLES:
            _load(connection, table, rows[table])
        connection.commit()
        return time.process_time() - ours + _cpu(backend) - theirs


def _parse(content: Path) -> None:
    namespace = f"{{{els.NAMESPACE}}}"
    for _, element in etree.iterparse(str(content), tag=[namespace + name for name in ("SMGW", "Zaehler")]):
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _load(connection: psycopg.Connection[Any], table: str, rows: Path) -> None:
    with rows.open("rb") as file, connection.cursor().copy(f"COPY store_{table} FROM STDIN") as copying:
        while data := file.read(_CHUNK):
            copying.write(data)


# --- databases -----------------------------------------------------------------------------------------------------


@contextmanager
def _copy_of(url: str) -> Iterator[str]:
    """A copy of a database for a while."""
    name = f"{_name(url)}_copy"
    _on_server(
        url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{_name(url)}"'
    )
    try:
        yield url.replace(f"/{_name(url)}?", f"/{name}?")
    finally:
        _on_server(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _name(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def _on_server(url: str, *statements: str) -> None:
    with psycopg.connect(url.replace(f"/{_name(url)}?", "/postgres?"), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _cpu(pid: int) -> float:
    """CPU seconds of one process of this machine so far, to the hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


PARTS: dict[str, Callable[..., dict[str, Any]]] = {"prepare": prepare, "round": round_}

if __name__ == "__main__":
    print(json.dumps(PARTS[sys.argv[1]](*sys.argv[2:])))
