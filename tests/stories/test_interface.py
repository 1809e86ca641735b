"""The EMT–GWA interface with real processes: TLS by head-end or nginx, orders, webhooks, results (spec/07, KL 4.1)."""

import asyncio
import json
import os
import re
import shlex
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import torwart_client as client
from foreign import need
from interface_stage import System, inbox, interface_scene, system, tls_context
from staging import Scene, eventually

from torwart.processes import api_call
from torwart.processes.definition import catalogue
from torwart.processes.summary import Header
from torwart.services import revocation
from torwart.sim.emt.files import EmtFiles
from torwart.sim.emt.hooks import HookServer
from torwart.store.models import Gateway, InterfaceCall, Order
from torwart.wire.certificate import Role
from torwart.wire.webhook import verify

pytestmark = pytest.mark.requirement("O-7", "O-2")


@pytest.fixture(scope="module")
def stage(stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with interface_scene(tmp_path_factory.mktemp("interface"), stage_database_apart, count=4) as scene:
        yield scene


@pytest.fixture
def scene(stage: Scene) -> Scene:
    stage.turn()
    return stage


@pytest.fixture
def emt(scene: Scene) -> System:
    return system(scene)


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with inbox() as made:
        yield made


def test_an_order_goes_in_and_its_result_comes_back(scene: Scene, emt: System, hooks: HookServer) -> None:
    """A commissioning ordered by the client's system runs on a gateway; webhook, feed and look agree on its end."""
    added = emt.call("POST", "/v1/webhooks", {"url": hooks.url}, key="hook")
    assert added.status == 201, added
    keys = [key["public"] for key in added.json()["keys"]]
    device = scene.take()
    placed = emt.order("commissioning", {**scene.fields(device), "reference": "E2E"}, key="commission")
    number = placed["id"]
    run_id = str(Order.objects.select_related("run").get(number=number).run.run_id)
    scene.install({device: run_id})
    scene.ended(run_id)
    found = emt.get(f"/v1/operations/{number}?wait=20s")

    assert (found["state"], found["reference"]) == ("done", "E2E")
    assert found["result"]
    history = emt.get(f"/v1/operations/{number}/history")
    assert {step["state"] for step in history["steps"]} == {"done"}
    assert history["transcript"]
    assert eventually(lambda: [e["type"] for e in hooks.events(number)][-1:] == ["de.torwart.operation.done"], 20)
    states = [event["type"].rpartition(".")[2] for event in hooks.events(number)]
    assert states == ["submitted", "in_progress", "done"]
    assert all(verify(headers, body, keys, now=time.time()) for headers, body, _ in hooks.got)
    feed = [event for event in emt.get("/v1/events")["items"] if event["subject"] == number]
    assert feed == hooks.events(number)
    assert feed[-1]["data"]["result"]["rows"]
    again = emt.order("commissioning", {**scene.fields(device), "reference": "E2E"}, key="commission")
    assert again == placed
    assert Order.objects.filter(reference="E2E").count() == 1
    calls = list(InterfaceCall.objects.filter(key="commission").values_list("method", "status"))
    assert calls == [("POST", 202), ("POST", 202)]


def test_openssl_gets_the_capabilities(scene: Scene, emt: System) -> None:
    """The foreign judge: openssl s_client with the EMT's certificate speaks TLS and reads the living manual."""
    files, port = EmtFiles(scene.stage.site.directory / "emt"), emt.address[1]
    request = b"GET /v1/capabilities HTTP/1.1\r\nHost: emt-api\r\nConnection: close\r\n\r\n"
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-ign_eof", "-tls1_2"),
            *("-cert", files.chain, "-key", files.key, "-CAfile", files.root),
            *("-curves", "brainpoolP256r1", "-verify_return_error"),
        ],
        input=request,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert b"verify error" not in done.stderr, done.stderr
    assert done.stdout.startswith(b"HTTP/1.1 200"), done.stderr
    assert b"delivery-note-import" in done.stdout


def turned_away(caller: System) -> bool:
    """No answer at all: TLS ends it, in TLS 1.2 within the handshake."""
    try:
        caller.call("GET", "/v1/capabilities")
    except (ssl.SSLError, ConnectionError):
        return True
    return False


def test_who_is_not_an_emt_of_this_pki_is_turned_away(scene: Scene) -> None:
    """A foreign PKI, a gateway, the administrator itself and a revoked EMT get no answer."""
    site = scene.stage.site
    foreign = site.pki.foreign
    stranger = System(
        ("127.0.0.1", site.ports["EMT-API"]), tls_context(site.directory, foreign, foreign.emt.tls, "foreign")
    )
    stranger.context.load_verify_locations(site.directory / "emt/root.pem")
    revoked = site.pki.issue_triple(Role.EMT, "Widerruf", unit="9903100000006")
    was = system(scene, revoked.tls, name="revoked")
    assert was.call("GET", "/v1/operations").status == 403, "let in by TLS, coupled with nobody"
    site.pki.revoke(revoked.tls.certificate)
    assert revocation.refresh(scene.stage.ca, site.pki.trust, scene.stage.link, datetime.now(UTC))
    scene.policy_known()

    assert turned_away(stranger)
    assert turned_away(system(scene, site.pki.gwa.tls, name="gwa"))
    assert turned_away(system(scene, site.pki.emt.sig, name="sig"))
    assert turned_away(was)


def test_a_system_coupled_with_nobody_learns_nothing(scene: Scene) -> None:
    """A good certificate of the SM-PKI alone opens nothing: 403 for what exists and what does not."""
    other = scene.stage.site.pki.issue_triple(Role.EMT, "Niemandes EMT", unit="9903100000006")
    caller = system(scene, other.tls, name="nobody")
    answers = {caller.call("GET", path).json()["code"] for path in ("/v1/operations", "/v1/nothing", "/v1/webhooks")}

    assert answers == {"interface.peer_not_coupled"}


def test_the_sdk_orders_waits_and_reads(scene: Scene, emt: System, hooks: HookServer) -> None:
    """torwart-client over real TLS: order, wait for the result, history, lists, webhook verified, refusals by kind."""
    device = scene.take()
    Gateway.objects.filter(device_id=device).update(state="operational")
    here = scene.stage.site.directory
    tls = client.tls_context(
        certificate=here / "emt" / "chain.pem", key=here / "emt" / "key.pem", trust=here / "emt" / "root.pem"
    )
    with client.TorwartClient(f"https://127.0.0.1:{emt.address[1]}", tls, language="en") as torwart:
        hook = torwart.add_webhook(hooks.url)
        placed = torwart.connectivity_test(gateway=device, reference="SDK", key="sdk-1")
        assert torwart.connectivity_test(gateway=device, reference="SDK", key="sdk-1") == placed
        ended = torwart.wait(placed.id, seconds=60)
        assert (ended.state, ended.subject) == ("done", device)
        assert {step.state for step in torwart.history(placed.id).steps} == {"done"}
        assert [found.id for found in torwart.operations(reference="SDK")] == [placed.id]
        mine = [event.type.rpartition(".")[2] for event, _ in torwart.events() if event.subject == placed.id]
        assert mine == ["submitted", "in_progress", "done"]
        assert eventually(lambda: len(hooks.events(placed.id)) == 3, 20)
        verifier = client.WebhookVerifier(key.public for key in hook.keys)
        assert [verifier.verify(headers, body).type for headers, body, _ in hooks.got]
        assert len(torwart.rotate_webhook(hook.id).keys) == 2
        assert eventually(lambda: all(each.state == "delivered" for each in torwart.deliveries(hook.id)), 20)
        with pytest.raises(client.KeyReused):
            torwart.wake_up(gateway=device, key="sdk-1")
        with pytest.raises(client.Invalid) as refused:
            torwart.commissioning(**{**_nonsense(), "gateway": device})
        assert "#/melo" in {each.pointer for each in refused.value.errors}
        with pytest.raises(client.OnlyByForm):
            torwart.order("delivery-note-import", {})
        with pytest.raises(client.NotFound):
            torwart.get("A-000000000")
        torwart.remove_webhook(hook.id)
        assert hook.id not in {each.id for each in torwart.webhooks()}

    async def story() -> str:
        async with client.AsyncTorwartClient(f"https://127.0.0.1:{emt.address[1]}", tls) as torwart:
            found = [each async for each in torwart.operations(reference="SDK")]
            return (await torwart.wait(found[0].id)).state

    assert asyncio.run(story()) == "done"


def _nonsense() -> dict[str, Any]:
    return {
        "melo": "DE1",
        "malos": ["1"],
        "address": "x",
        "meters": ["1EMH0000000001"],
        "wan_type": "LTE",
        "tafs": ["7"],
        "emts": ["x"],
        "han": "no",
        "install_at": datetime.now(UTC),
        "technician": "x",
        "technician_phone": "+49 261 1",
    }


# --- nginx in front ---------------------------------------------------------------------------------------------------


@contextmanager
def nginx(scene: Scene) -> Iterator[int]:
    """The configuration of docs/operator/emt-api-nginx.conf, with this site's files in it."""
    site = scene.stage.site
    here = site.directory
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    text = Path("docs/operator/emt-api-nginx.conf").read_text()
    crl = here / "crl.pem"
    crl.write_bytes(b"".join(c.public_bytes(_pem()) for c in site.pki.crls(datetime.now(UTC))))
    chain = here / "trust.pem"
    chain.write_bytes(
        b"".join(c.public_bytes(_pem()) for c in (site.pki.sub_ca.certificate, site.pki.root.certificate))
    )
    gwa_key = next((here / "pki").glob("*gwa*.tls.key.pem"), None) or here / "gwa.key"
    if not gwa_key.exists():
        gwa_key.touch(mode=0o600)
        gwa_key.write_bytes(site.pki.gwa.tls.key_pem)
    for mark, value in {
        "192.0.2.10:8446": f"127.0.0.1:{port}",
        "/etc/torwart/gwa-tls.pem": here / "headend-chain.pem",
        "/etc/torwart/gwa-tls.key": gwa_key,
        "/etc/torwart/sm-pki.pem": chain,
        "/etc/torwart/sm-pki-crl.pem": crl,
        "/run/torwart/api.sock": scene.stage.socket,
        "THE-SECRET": (here / "api.secret").read_text(),
    }.items():
        assert mark in text, mark
        text = text.replace(mark, str(value))
    conf = here / "nginx.conf"
    who = "user root; " if os.geteuid() == 0 else ""
    conf.write_text(
        f"{who}daemon off; pid {here}/nginx.pid; error_log {here}/nginx.log info; events {{}}\n"
        f"http {{ access_log off; {''.join(f'{t}_temp_path {here}/{t};' for t in _TEMPORARY)}\n{text}\n}}\n"
    )
    process = subprocess.Popen([need("nginx"), "-p", str(here), "-c", str(conf)], stderr=subprocess.PIPE)
    try:
        assert eventually(lambda: _listens(port), 10), (here / "nginx.log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(10)


_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def _pem() -> object:
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.PEM


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_nginx_in_front_says_who_calls_and_nobody_can_say_it_for_it(scene: Scene, emt: System) -> None:
    """By the documented configuration the same system is known; headers a caller adds change nothing."""
    site = scene.stage.site
    with nginx(scene) as port:
        through = System(("127.0.0.1", port), emt.context)
        assert through.get("/v1/operations") == emt.get("/v1/operations")
        told = through.call("GET", "/v1/capabilities", Torwart_Version="2026-11-23")
        assert told.headers["torwart-version"] == "2026-11-23"
        stolen = "https%3A-not-a-certificate"
        spoofed = through.call("GET", "/v1/operations", Torwart_Peer=stolen, Torwart_Proof="1.2", Torwart_Target="/x")
        assert spoofed.json() == emt.get("/v1/operations"), "the caller's own certificate counts"
        other = site.pki.issue_triple(Role.EMT, "Niemandes EMT 2", unit="9903100000006")
        nobody = System(("127.0.0.1", port), tls_context(site.directory, site.pki, other.tls, "nobody2"))
        mine = site.pki.emt.tls.certificate_pem.decode()
        refused = nobody.call("GET", "/v1/operations", Torwart_Peer=quote(mine), Torwart_Proxy_Secret="x" * 64)
        assert (refused.status, refused.json()["code"]) == (403, "interface.peer_not_coupled")
        bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        bare.maximum_version = ssl.TLSVersion.TLSv1_2
        bare.set_ecdh_curve("brainpoolP256r1")
        bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
        nothing = System(("127.0.0.1", port), bare).call("GET", "/v1/operations")
        assert nothing.status == 400, "nginx: no certificate, no request"
        site.pki.revoke(other.tls.certificate)
    with nginx(scene) as port:
        nobody = System(("127.0.0.1", port), nobody.context)
        assert nobody.call("GET", "/v1/operations").status == 400, "nginx reads the revocation list"


# --- the README -------------------------------------------------------------------------------------------------------


def _quick_start() -> list[str]:
    """The blocks a reader copies, in their order: ten lines of Python, curl, and the sandbox (``test_sandbox``)."""
    text = Path("README.md").read_text(encoding="utf-8")
    part = text.partition("### Your own system in ten lines")[2].partition("\n### ")[0]
    return re.findall(r"```\n(.*?)```", part, flags=re.S)


def _pasted(block: str, directory: Path) -> str:
    """What a shell prints for a block pasted into it."""
    done = subprocess.run(["bash", "-e", "-c", block], cwd=directory, capture_output=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_the_quick_start_works_by_copy_and_paste(scene: Scene, emt: System, tmp_path: Path) -> None:
    """README, beside a demonstration that stays up: the order is done, and a key used twice orders once."""
    device = str(scene.stage.devices[0].device)
    Gateway.objects.filter(device_id=device).update(state="operational")
    site = scene.stage.site
    EmtFiles.write(site.directory / "emt", site.pki, url=scene.stage.api_url)
    need("curl")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".demo").symlink_to(site.directory)
    python, curl, _ = _quick_start()

    lines = _pasted(python, tmp_path).splitlines()
    assert lines[0].split()[1] == "submitted"
    assert lines[1] == "done"
    assert lines[2].startswith("Traffic light: ")
    code = python.partition("<<'END'\n")[2].partition("END\n")[0].splitlines()
    assert len([line for line in code if line]) <= 10
    placed, listed = _documents(_pasted(curl, tmp_path))
    assert [each["id"] for each in listed["items"]] == [placed["id"]]
    assert _documents(_pasted(curl, tmp_path))[0] == placed
    assert Order.objects.filter(reference="curl", process="wake_up").count() == 1


def test_an_orders_examples_in_the_portal_work_by_copy_and_paste(scene: Scene, emt: System, tmp_path: Path) -> None:
    """What the portal shows for an order: by curl one order however often it is pasted, and the lines of Python run."""
    device = str(scene.stage.devices[0].device)
    Gateway.objects.filter(device_id=device).update(state="operational")
    EmtFiles.write(tmp_path, scene.stage.site.pki, url=scene.stage.api_url)
    need("curl")
    header = Header(reference="it's $HOME", remark="a\nJSON\n`b`")
    call = api_call.of(catalogue()["connectivity_test"], {"gateway": device}, header)
    first, again = (_documents(_pasted(call.curl(scene.stage.api_url, "pasted-1"), tmp_path))[0] for _ in range(2))

    assert first == again
    order = Order.objects.get(number=first["id"])
    assert (order.process, order.fields["gateway"], order.reference, order.remark) == (
        "connectivity_test",
        device,
        header.reference,
        header.remark,
    )
    emt.call("POST", f"/v1/operations/{first['id']}/withdraw", {})
    program = tmp_path / "order.py"
    program.write_text(call.python(scene.stage.api_url).replace("torwart.wait(order.id)", "torwart.withdraw(order.id)"))
    told = _pasted(shlex.join([sys.executable, str(program)]), tmp_path).split()
    assert (told[1], told[0] != first["id"]) == ("withdrawn", True)


def _documents(text: str) -> list[Any]:
    """JSON documents one behind the other."""
    found, decoder = [], json.JSONDecoder()
    while text:
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:].lstrip()
    return found
