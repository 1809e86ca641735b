"""An order as a call: what the portal shows is what the interface takes, in JSON, by curl and by the client."""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import torwart_client
from answering import OPERATION, Server, answering, mutual

from torwart.kernel.words import Words
from torwart.processes import api_call
from torwart.processes.definition import Field, FieldKind, Process, catalogue
from torwart.processes.summary import Header
from torwart.sim.emt.files import EmtFiles
from torwart.sim.pki import TestPki
from torwart.wire import webhook as signing

AT = datetime.fromisoformat("2026-11-30T09:30:00+01:00")
URL = "https://gwa.example:8446"
OFFERED = [process for process in catalogue().values() if process.over_interface]
every_process = pytest.mark.parametrize("process", OFFERED, ids=lambda process: process.name)


def full(process: Process) -> api_call.ApiCall:
    """Every field filled in, with what must not upset a shell or a program."""
    given = {each.name: [each.example] if each.many else each.example for each in process.fields}
    return api_call.of(process, given, Header(AT, "9903100000006", "R'1\"$(id)`", "Zeile 1\nJSON\n\\"))


@every_process
def test_a_body_read_again_is_the_order(process: Process) -> None:
    """Fields and header come back as they were; what was left out stays out."""
    call = full(process)
    values, header = api_call.read(json.loads(call.json))
    small = api_call.of(process, {}, Header())

    assert header == Header(AT, "9903100000006", "R'1\"$(id)`", "Zeile 1\nJSON\n\\")
    assert set(values) == {each.name for each in process.fields}
    assert small.body == {}
    assert call.path == f"/v1/operations/{process.name.replace('_', '-')}"


@every_process
def test_the_curl_command_sends_this_body(process: Process) -> None:
    """A shell takes it as it stands; nothing in an entry is a command."""
    call = full(process)
    shell = f'curl() {{ printf "%s\\n" "$1"; cat; }}; {call.curl(URL, "key-1")}'
    done = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
    address, _, body = done.stdout.partition("\n")

    assert address == URL + call.path
    assert "Idempotency-Key: key-1" in call.curl(URL, "key-1")
    assert json.loads(body) == call.body


@pytest.fixture(scope="module")
def emt(pki: TestPki, tmp_path_factory: pytest.TempPathFactory) -> EmtFiles:
    """The files the lines name, where they are run."""
    return EmtFiles.write(tmp_path_factory.mktemp("emt"), pki)


@pytest.fixture(scope="module")
def front(pki: TestPki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Who takes the call: mutual TLS with certificates of the SM-PKI."""
    files = EmtFiles.write(tmp_path_factory.mktemp("front"), pki, pki.gwa.tls)
    with answering(mutual(files.chain, files.key, files.root)) as server:
        yield server


@every_process
def test_the_program_sends_this_body(
    process: Process, emt: EmtFiles, front: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lines run as they stand, over mutual TLS, with the client's own methods; the end is told."""
    front.script, front.asked = [(202, {}, OPERATION), (200, {}, {**OPERATION, "state": "done"})], []
    monkeypatch.chdir(emt.directory)
    call = full(process)
    exec(call.python(front.url), {})
    (method, path, key, sent), (looked, *_) = front.asked

    assert (method, path, looked) == ("POST", call.path, "GET")
    assert key
    assert {name: _instant(value) for name, value in sent.items()} == {
        name: _instant(value) for name, value in call.body.items()
    }
    assert capsys.readouterr().out == f"{OPERATION['id']} done\n"


def _instant(value: Any) -> Any:
    """A time as such, however it is written; anything else as it is."""
    try:
        return datetime.fromisoformat(value) if "T" in value else value
    except (TypeError, ValueError):
        return value


def test_the_receiver_shown_takes_what_we_sign_and_nothing_else() -> None:
    """The lines run as they stand: ours is taken, once; another's raises."""
    keys = [signing.private_key(bytes(32), "hook", name) for name in ("new", "old", "other")]
    known: dict[str, Any] = {}
    exec(api_call.verifying([signing.public_text(key) for key in keys[:2]]), known)
    event = {"specversion": "1.0", "id": "e1", "source": "s", "type": "t", "subject": "A-1", "time": AT.isoformat()}
    body = json.dumps({**event, "datacontenttype": "application/json", "data": {}}).encode()
    for key in keys[:2]:
        assert known["receive"](signing.headers("e1", int(time.time()), body, [key]), body) == 204
    assert known["seen"] == {"e1"}
    with pytest.raises(torwart_client.BadSignature):
        known["receive"](signing.headers("e1", int(time.time()), body, keys[2:]), body)


def test_numbers_are_numbers() -> None:
    """What the form keeps as text goes as the interface describes it."""
    field = Field("count", Words("n", "n"), Words("", ""), "3", kind=FieldKind.NUMBER)

    assert api_call.written(field, "3") == 3
    assert api_call.written(field, field.example) == 3
