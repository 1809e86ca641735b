"""The head-end as a process of its own: command line, NATS, signals."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from torwart.adapters.bus import NatsBus, NatsServer
from torwart.ports.gateway_link import SUBJECT_FACT, SUBJECT_POLICY, Fact, Policy
from torwart.sim.pki import TestPki
from torwart.wire.tls import Credentials, TlsEngine, client_context

DEVICE = "EPPC0212345678"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.requirement("WAN-1.1")
def test_the_command_serves_gateways_and_ends_in_good_order(pki: TestPki, tmp_path: Path, config_file: Any) -> None:
    """Started before NATS and before any worker, it serves once both are there; SIGTERM says goodbye to everyone."""
    nats_port = free_port()
    path = config_file(tmp_path)
    command = [sys.executable, "-m", "torwart", "headend", "--config", str(path)]
    process = subprocess.Popen(
        [*command, "--bus", f"nats://127.0.0.1:{nats_port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with NatsServer(nats_port) as nats:
            asyncio.run(_story(pki, process, nats.url))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    assert process.returncode == 0


async def _story(pki: TestPki, process: "subprocess.Popen[str]", url: str) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    ready = json.loads(await asyncio.to_thread(process.stdout.readline))
    port = ready["ports"]["MANAGEMENT"]
    said: list[str] = []
    bus = await NatsBus.connect(url)
    facts: list[Fact] = []

    async def policy(subject: str, payload: bytes) -> bytes:
        return Policy(version=1, commissioning=[DEVICE]).encode()

    async def store(subject: str, payload: bytes) -> bytes:
        facts.append(Fact.decode(payload))
        return b"ok"

    await bus.subscribe(SUBJECT_POLICY, policy)
    await bus.subscribe(SUBJECT_FACT, store)
    triple = pki.seal_triple(DEVICE)
    mine = Credentials((triple.tls.certificate_der, pki.seal_ca.credential.certificate_der), triple.tls.key)
    context = client_context(mine, [pki.root.credential.certificate_der], lambda chain: None)
    async with asyncio.timeout(20):
        while True:
            engine = TlsEngine(context)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                while not engine.handshake():
                    writer.write(engine.data_to_send())
                    engine.receive_data(await reader.readexactly(1) + await reader.read(65536))
                break
            except (ConnectionError, asyncio.IncompleteReadError):  # no policy yet: turned away
                writer.close()
                await asyncio.sleep(0.1)
        writer.write(engine.data_to_send())
        assert engine.negotiated.version == "1.3"
        while not facts:
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGUSR1)
        wanted = {"configuration read anew", "open_management 1"}  # signals come in any order
        while wanted:
            said.append(await asyncio.to_thread(process.stderr.readline))
            wanted -= {text for text in wanted if text in said[-1]}
        process.send_signal(signal.SIGTERM)
        while data := await reader.read(65536):
            engine.receive_data(data)
            assert engine.read() == b""
        assert engine.closed
        rest = await asyncio.to_thread(process.stderr.read)
        assert "drained" in rest
    assert [fact.kind for fact in facts] == ["connected", "disconnected"]
    assert not any("PRIVATE KEY" in line for line in said)
    writer.close()
    await bus.close()


def test_a_wrong_configuration_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    """Exit code 4 (our own configuration) and the refusal's text, not a traceback."""
    path = tmp_path / "headend.toml"
    path.write_text("[listen]\nMOON = '127.0.0.1:0'\n")
    done = subprocess.run(
        [sys.executable, "-m", "torwart", "headend", "--config", str(path)], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 4
    assert "headend.config" in done.stderr
    assert "Traceback" not in done.stderr
