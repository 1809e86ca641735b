"""The audit trail commits with its cause, is chained from the first row on, and shows every later change (M-4)."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.db import connection, transaction
from django.db.utils import DatabaseError

from torwart.config.commands import audit as command
from torwart.kernel.refusals import Refusal
from torwart.services import audit
from torwart.services.audit_export import verify_export
from torwart.store.models import AuditEntry, Client

pytestmark = pytest.mark.requirement("M-4")


def write(count: int, **payload: Any) -> None:
    for number in range(count):
        audit.append(actor="operator:anna", action="test.done", subject=f"gateway:{number}", payload=payload)


def sql(statement: str, *, past_triggers: bool = False) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        if past_triggers:
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)


def test_an_entry_commits_with_its_cause(own_database: str) -> None:
    """If the cause is rolled back there is no entry, and if it commits there is one."""
    with transaction.atomic():
        Client.objects.create(name="never")
        write(1)
        transaction.set_rollback(True)
    with transaction.atomic():
        Client.objects.create(name="is")
        write(1)

    assert (Client.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_linking_chains_every_entry_once(own_database: str) -> None:
    """All committed entries get places 1, 2, 3 … and the chain is intact."""
    client = Client.objects.create(name="Stadtwerke").pk
    write(3, text="ä – 𝄞", number=2**53 - 1, list=[None, True, {"b": 1, "a": 2}])
    audit.append(actor="a", action="b", subject="c", client=client, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert audit.link_pending(limit=3) == 3
    assert audit.link_pending() == 1
    assert audit.link_pending() == 0
    verdict = audit.verify()

    assert (verdict.intact, verdict.seq, verdict.pending, verdict.unchained) == (True, 4, 0, 0)
    assert audit.head() == (4, verdict.head)


def test_entries_that_wait_are_counted_not_reported_as_broken(own_database: str) -> None:
    """Between an entry and its link the trail is intact and says how many wait."""
    write(2)
    verdict = audit.verify()

    assert (verdict.intact, verdict.seq, verdict.pending) == (True, 0, 2)


def test_many_writers_and_two_linkers_make_one_chain(own_database: str) -> None:
    """Under concurrent writers and linkers nothing is linked twice, nothing is left out."""
    stop = threading.Event()

    def writer() -> None:
        write(50)
        connection.close()

    linkers = [threading.Thread(target=audit.keep_linking, args=[stop], kwargs={"every": 0.001}) for _ in range(2)]
    writers = [threading.Thread(target=writer) for _ in range(4)]
    for thread in linkers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in linkers:
        thread.join()
    audit.link_pending()
    verdict = audit.verify()

    assert (verdict.intact, verdict.seq, verdict.pending) == (True, 200, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE store_auditentry SET actor = 'nobody'",
        "DELETE FROM store_auditentry",
        "TRUNCATE store_auditentry CASCADE",
        "UPDATE store_auditlink SET seq = seq + 1",
        "DELETE FROM store_auditlink",
        "TRUNCATE store_auditlink",
    ],
)
def test_the_database_refuses_to_change_the_trail(own_database: str, statement: str) -> None:
    """Entries and links can only be added, whatever the program tries."""
    write(1)
    audit.link_pending()
    with pytest.raises(DatabaseError, match="append-only"):
        sql(statement)

    assert audit.verify().seq == 1


@pytest.mark.parametrize(
    ("statement", "seq", "fault"),
    [
        ("UPDATE store_auditentry SET actor = 'nobody' WHERE subject = 'gateway:1'", 2, "changed"),
        ("UPDATE store_auditentry SET payload = '{\"a\": 2}' WHERE subject = 'gateway:1'", 2, "changed"),
        ("UPDATE store_auditentry SET at = at + interval '1 microsecond' WHERE subject = 'gateway:2'", 3, "changed"),
        ("DELETE FROM store_auditlink WHERE seq = 2", 3, "gap"),
        ("UPDATE store_auditlink SET hash = previous WHERE seq = 1", 1, "changed"),
        ("UPDATE store_auditlink SET previous = hash WHERE seq = 2", 2, "torn"),
    ],
)
def test_every_change_past_the_triggers_is_found(own_database: str, statement: str, seq: int, fault: str) -> None:
    """Whoever changes, removes or re-links an entry with full rights breaks the chain at that place."""
    write(4, a=1)
    audit.link_pending()
    sql(statement, past_triggers=True)
    broken = audit.verify().broken

    assert broken is not None
    assert (broken.seq, broken.fault.value) == (seq, fault)


def test_a_chain_cut_at_its_end_is_found_by_a_published_head(own_database: str) -> None:
    """Cutting off the end leaves a valid chain; the published head shows it, and the entry stands outside."""
    write(3)
    audit.link_pending()
    published = dict([audit.head() or (0, b"")])
    sql("DELETE FROM store_auditlink WHERE seq = 3", past_triggers=True)
    verdict = audit.verify(published)

    assert verdict.broken is not None
    assert (verdict.broken.fault.value, verdict.unchained) == ("cut_off", 1)


def test_an_entry_written_past_the_program_does_not_stop_the_chain(own_database: str) -> None:
    """What cannot be chained stays outside and is reported; later entries are chained."""
    sql(
        "INSERT INTO store_auditentry (at, actor, action, subject, payload) "
        "VALUES (now(), 'x', 'x', 'x', '{\"float\": 1.5}')"
    )
    write(1)
    audit.link_pending()
    verdict = audit.verify()

    assert (verdict.intact, verdict.broken, verdict.seq, verdict.unchained) == (False, None, 1, 1)


@pytest.mark.parametrize("value", [1.5, 2**53, b"x", {1: 2}, "\0", "\ud800", {"deep": [object()]}])
def test_what_has_no_single_text_is_refused(db: None, value: Any) -> None:
    """Values that could be read differently elsewhere do not enter the trail."""
    with pytest.raises(Refusal) as refused:
        audit.append(actor="a", action="b", subject="c", payload={"value": value})

    assert refused.value.code == "audit.not_plain"


@pytest.fixture
def exported(own_database: str, tmp_path: Path) -> Path:
    write(5, words="Zähler „Süd“", deep={"b": [1, 2], "a": None})
    audit.link_pending()
    path = tmp_path / "trail.jsonl"
    path.write_text("".join(f"{line}\n" for line in audit.export()), encoding="utf-8")
    return path


def stranger(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the published script as a stranger would: no packages, no environment."""
    script = str(resources.files("torwart.config").joinpath("verify_trail.py"))
    return subprocess.run([sys.executable, "-I", "-S", script, *arguments], capture_output=True, text=True, check=False)


def test_a_stranger_verifies_the_export_without_us(exported: Path) -> None:
    """Thirty lines of Python and the file are enough, and they come to the same head."""
    seq, hash_ = audit.head() or (0, b"")
    done = stranger(str(exported), f"{seq}:{hash_.hex()}")

    assert (done.returncode, done.stdout) == (0, f"intact {seq} {hash_.hex()}\n")


def changed(line: dict[str, Any]) -> None:
    line["entry"]["subject"] = "gateway:other"


def rehashed(line: dict[str, Any]) -> None:
    line["hash"] = "00" * 32


@pytest.mark.parametrize("spoil", [changed, rehashed])
def test_stranger_and_command_find_the_same_break(exported: Path, spoil: Callable[[dict[str, Any]], None]) -> None:
    """A line changed in the file is found by the stranger's script and by ours, at the same place."""
    lines = exported.read_text(encoding="utf-8").splitlines()
    third = json.loads(lines[2])
    spoil(third)
    lines[2] = json.dumps(third)
    exported.write_text("\n".join(lines), encoding="utf-8")
    ours = CliRunner().invoke(command.command, ["verify", "--file", str(exported), "--json"])

    assert (stranger(str(exported)).returncode, stranger(str(exported)).stderr) == (1, "broken at link 3\n")
    assert (ours.exit_code, json.loads(ours.stdout)["broken"]) == (1, {"seq": 3, "fault": "changed"})


def test_a_shortened_file_is_found_by_the_published_head(exported: Path) -> None:
    """A file whose end was cut off does not reach the published head."""
    seq, hash_ = audit.head() or (0, b"")
    lines = exported.read_text(encoding="utf-8").splitlines()
    exported.write_text("\n".join(lines[:3]), encoding="utf-8")

    assert stranger(str(exported), f"{seq}:{hash_.hex()}").returncode == 1
    assert verify_export(lines[:3], {seq: hash_}).intact is False
    assert verify_export(lines, {seq: hash_}).intact is True


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"seq": 1, "previous": "zz", "hash": "", "entry": {}}', "\0", "{" * 9999]
)
def test_a_file_that_is_no_trail_is_refused(line: str) -> None:
    """Anything that is no link is refused with the number of its line."""
    with pytest.raises(Refusal) as refused:
        verify_export([line])

    assert (refused.value.code, refused.value.details["line"]) == ("audit.unreadable", 1)


def test_the_commands_tell_head_and_verdict(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``audit head`` links what waits and prints what ``audit verify --head`` accepts."""
    monkeypatch.setenv("TORWART_DATABASE_URL", own_database)
    write(2)
    head = CliRunner().invoke(command.command, ["head"]).stdout.strip()
    verified = CliRunner().invoke(command.command, ["verify", "--head", head])
    exported = CliRunner().invoke(command.command, ["export", "--after", "1"])

    assert (head[:2], verified.exit_code, head in verified.stdout) == ("2:", 0, True)
    assert [json.loads(line)["seq"] for line in exported.stdout.splitlines()] == [2]
