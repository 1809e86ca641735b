"""Imports that die, and imports at the same time: nothing is lost, nothing comes in twice (P01)."""

import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from delivering import bring, made, refusals, stranger_of
from django.db import connection

from torwart.adapters.key_store import FileKeyStore
from torwart.config import site as sites
from torwart.services import delivery_note as notes
from torwart.services.delivery_note import batch
from torwart.store.models import DeliveryNote, DeliveryNoteItem, Gateway, Meter


@pytest.fixture
def site(own_database: str, tmp_path: Path) -> sites.Site:
    """A fresh installation's data: PKI, keys, client."""
    return sites.create(tmp_path / "site", database=own_database)


class _FullDisk(FileKeyStore):
    """A key store whose disk is full at the second time."""

    puts = 0

    def put_secrets(self, secrets: Mapping[str, bytes]) -> None:
        self.puts += 1
        if self.puts == 2:
            raise OSError("no space left on device")
        super().put_secrets(secrets)


@pytest.mark.requirement("P01")
def test_an_import_that_fails_leaves_nothing(site: sites.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither rows nor secrets of the devices that were through already; the same file is imported whole later."""
    monkeypatch.setattr(batch, "_SIZE", 2)
    note = sites.signed_note(site, made(site.pki, 3))
    before = site.keys.labels()
    with pytest.raises(OSError, match="no space"):
        bring(site, note, keys=_FullDisk(site.keys._vault))

    assert site.keys.labels() == before
    assert not Gateway.objects.exists()
    assert not DeliveryNote.objects.exists()
    assert bring(site, note).imported == 6


_KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from torwart.config.installation import django_setup
django_setup(sys.argv[1], migrated=False)
from torwart.adapters.key_store import FileKeyStore
from torwart.services.delivery_note import batch, import_note
from torwart.sim.pki import TestPki

class Deadly(FileKeyStore):
    puts = 0
    def put_secrets(self, secrets):
        super().put_secrets(secrets)
        Deadly.puts += 1
        if Deadly.puts == 2:
            os.kill(os.getpid(), signal.SIGKILL)

batch._SIZE = 2
here = Path(sys.argv[2])
pki = TestPki.load(here / "pki")
import_note(Path(sys.argv[3]), client=int(sys.argv[4]), keys=Deadly.open(here / "keys", key_file=here / "keys.key"),
            trust=pki.trust, makers=[pki.gwh.sig.certificate], at=datetime.now(UTC), actor="test")
"""


@pytest.mark.requirement("P01")
def test_a_killed_import_loses_nothing_and_imports_nothing_twice(site: sites.Site, tmp_path: Path) -> None:
    """kill -9 in the middle: no row is there; the repeat imports all, and nothing that died stays in the key store."""
    devices = made(site.pki, 3)
    note = tmp_path / "note.p7m"
    note.write_bytes(sites.signed_note(site, devices))
    command = [sys.executable, "-c", _KILLED, site.database, str(site.directory), str(note), str(site.client)]
    killed = subprocess.run(command, capture_output=True, check=False)
    assert killed.returncode == -9, killed.stderr.decode()
    left = site.keys.labels(f"client-{site.client}.1emh")
    assert (len(left), Gateway.objects.count(), DeliveryNote.objects.count()) == (2, 0, 0)

    wrong = [replace(item, maker_type="unbekannt") for item in sites.items(site, devices[:1])]
    bring(site, sites.signed_items(site, wrong, number="LS-2"))
    assert site.keys.labels(f"client-{site.client}.1emh") == left[1:]
    assert bring(site, note).imported == 6
    keys = {meter.device: meter.key for each in devices for meter in each.meters}
    assert {row.device_id: site.keys.secret(row.key_label) for row in Meter.objects.all()} == keys


@pytest.mark.requirement("P01", "P-1")
def test_who_is_slower_with_a_number_is_told_so(site: sites.Site) -> None:
    """Another client takes one of the numbers while we import: that device is refused, the others come in, and its
    secret does not stay."""
    stranger = stranger_of(site)
    devices = made(site.pki, 2)
    taken = str(devices[0].meters[0].device)
    with psycopg.connect(site.database) as other, ThreadPoolExecutor(1) as pool:
        other.execute(
            "INSERT INTO store_meter (device_id, client_id, state) VALUES (%s, %s, 'delivered')", [taken, stranger]
        )
        importing = pool.submit(_import_and_close, site, sites.signed_note(site, devices))
        _wait_for_a_lock(site)
        other.commit()
        report = importing.result(30)

    assert refusals(report) == [(taken, "els.taken")]
    assert report.imported == 3
    assert not [label for label in site.keys.labels() if taken.lower() in label]


def _import_and_close(site: sites.Site, note: bytes) -> notes.Report:
    try:
        return bring(site, note)
    finally:
        connection.close()


def _wait_for_a_lock(site: sites.Site) -> None:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(site.database, autocommit=True) as watch:
        for _ in range(500):
            if watch.execute(waiting).fetchone():
                return
            time.sleep(0.02)
    raise AssertionError("the import never waited")


@pytest.mark.requirement("P01")
def test_the_same_note_twice_at_once_is_imported_once(site: sites.Site) -> None:
    """Two workers with one file: one imports, the other gets its answer."""
    note = sites.signed_note(site, made(site.pki, 3))
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: _import_and_close(site, note), range(2)))

    assert sorted(report.repeated for report in reports) == [False, True]
    assert {report.imported for report in reports} == {6}
    assert (Gateway.objects.count(), DeliveryNoteItem.objects.count()) == (3, 6)
