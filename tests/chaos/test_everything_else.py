"""Head-end, bus and database are killed with SIGKILL while gateways are being commissioned."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from killing import nothing_twice, trail_is_intact
from staging import SHORT, Scene, devices, eventually

from torwart.adapters.bus import NatsServer
from torwart.adapters.database import embedded, stop
from torwart.config.installation import django_setup
from torwart.store.models import Gateway

GATEWAYS = 10
PATIENCE = {**SHORT, "first_value_total": 120.0}
MOMENTS = ("keys", "exchange", "emt")
"""Not the first seconds: a gateway whose question for the time was lost repeats it after two minutes only."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An installation with everything of its own, the database server too (durable, as in the field)."""
    home = tmp_path / "postgresql"
    embedded(home)
    url = embedded(home)
    django_setup(url, migrated=False)
    worker = {"patience": PATIENCE, "lease": 2.0}
    scene = Scene(tmp_path / "stage", devices(GATEWAYS), workers=2, worker=worker, database=url)
    try:
        scene.start()
        scene.turn()
        yield scene
    finally:
        scene.stage.stop()
        stop(home)


def kill_headend(scene: Scene) -> None:
    """Dead, and half a second later there again on the same ports."""
    scene.stage.family["headend"].kill()
    time.sleep(0.5)
    scene.stage.start_headend()


def kill_bus(scene: Scene) -> None:
    """The same for the bus."""
    stage = scene.stage
    port = stage.nats.port
    os.kill(stage.nats.pid, signal.SIGKILL)
    stage.nats.stop()
    time.sleep(0.5)
    stage.nats = NatsServer(port)


def kill_database(scene: Scene) -> None:
    """The same for the database: all its processes."""
    home = scene.stage.directory.parent / "postgresql"
    postmaster = int((home.resolve() / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    time.sleep(0.5)
    embedded(home)
    scene.turn()


@pytest.mark.chaos
@pytest.mark.timeout(400)
@pytest.mark.requirement("SIM-killed")
@pytest.mark.parametrize("kill", [kill_headend, kill_bus, kill_database], ids=["head-end", "bus", "database"])
def test_commissionings_outlive_a_dead_component(scene: Scene, kill: Callable[[Scene], None]) -> None:
    """Killed three times at different moments of ten commissionings, the component comes back and all succeed."""
    runs = {}
    for moment in MOMENTS:
        taken = {device: scene.order_only(device) for device in (scene.take() for _ in range(3))}
        scene.install(taken)
        for run_id in taken.values():
            scene.until(run_id, lambda line, moment=moment: moment in line.steps or line.state == "succeeded")
        kill(scene)
        runs |= taken
    for run_id in runs.values():
        line = scene.ended(run_id, 120)
        assert line.state == "succeeded", line
    for device in runs:
        nothing_twice(scene, device, "generate asked")  # its answer may be what was lost
        assert Gateway.objects.get(device_id=device).state == "operational"
        assert eventually(lambda device=device: scene.stage.link.connected(device) is not None, 30)
    assert trail_is_intact()


@pytest.mark.chaos
@pytest.mark.requirement("SIM-killed")
def test_a_database_killed_between_orders_keeps_what_it_said_yes_to(scene: Scene) -> None:
    """An order that was accepted is there after the crash of a durable server."""
    run_id = scene.order_only(scene.take())
    kill_database(scene)

    assert eventually(lambda: _answers(scene), 20)
    assert scene.line(run_id).run_id == run_id


def _answers(scene: Scene) -> bool:
    with psycopg.connect(scene.stage.site.database) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)
