"""The sandbox with real processes: a client's programmer makes gateways and lets days pass (spec/07 point 8)."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from interface_stage import System, inbox, interface_scene, system
from staging import SHORT, Scene
from torwart_client import TorwartClient

from torwart.rules.lead_time import earliest_planned
from torwart.services import audit, client, interface
from torwart.services import ticket as tickets
from torwart.sim.emt.files import EmtFiles
from torwart.sim.emt.hooks import HookServer
from torwart.store.models import Gateway
from torwart.wire.certificate import Role, identify

pytestmark = pytest.mark.requirement("O-7")


@pytest.fixture(scope="module")
def stage(stage_database_apart: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = tmp_path_factory.mktemp("sandbox")
    patience = {**SHORT, "gateway_total": 14 * 86400.0, "tell_client": 86400.0}
    worker = {"patience": patience, "wake_ups": 100, "lease": 2.0}
    with interface_scene(made, stage_database_apart, count=1, sandbox=True, worker=worker) as scene:
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


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    """Whether it holds in time. Each look of a client's system is a handshake, and those are rationed."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.4)
    return True


def made(emt: System, behaviour: str, **more: Any) -> dict[str, Any]:
    """A gateway of this behaviour, delivered."""
    answer = emt.call("POST", "/v1/sandbox/gateways", {"behaviour": behaviour, **more})
    assert answer.status == 202, answer
    (item,) = answer.json()["items"]
    return until(emt, item["id"], lambda found: found["state"] != "wanted")


def until(emt: System, name: str, holds: Any, seconds: float = 20) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def look() -> bool:
        found.update(emt.get(f"/v1/sandbox/gateways/{name}"))
        return bool(holds(found))

    assert eventually(look, seconds), found
    return found


def advance(emt: System, by: str) -> dict[str, Any]:
    answer = emt.call("POST", "/v1/sandbox/clock", {"advance": by})
    assert answer.status == 200, answer
    moved: dict[str, Any] = answer.json()
    return moved


def ended(emt: System, number: str, seconds: float = 60) -> dict[str, Any]:
    """The operation as it ended."""
    deadline, found = time.monotonic() + seconds, emt.get(f"/v1/operations/{number}")
    while found["state"] not in ("done", "failed", "cancelled", "withdrawn", "refused") and time.monotonic() < deadline:
        found = emt.get(f"/v1/operations/{number}?wait=5s")
    return found


def test_a_good_gateway_is_made_commissioned_and_found(scene: Scene, emt: System) -> None:
    """It comes by a signed note with test seal certificates, has its order's fields ready, and goes on when ordered."""
    assert emt.get("/v1/capabilities")["sandbox"] == "/v1/sandbox"
    gateway = made(emt, "good")
    assert gateway["state"] == "ready", gateway
    assert (gateway["powered"], gateway["device"][:6]) == (False, "EPPC0D")
    row = Gateway.objects.get(device_id=gateway["device"])
    assert (row.client_id, row.state) == (scene.stage.site.client, "delivered")

    placed = emt.order("commissioning", gateway["fields"], key=f"good-{gateway['id']}")
    done = ended(emt, placed["id"])
    assert done["state"] == "done", str(done)
    assert until(emt, gateway["id"], lambda found: found["connected"])["powered"]


def test_a_planned_order_starts_when_time_has_been_moved_there(emt: System) -> None:
    """Nothing happens for days of service time, then it does; gateways and certificates do not notice."""
    gateway = commissioned(emt)
    at = earliest_planned(now(emt)) + timedelta(days=3)
    fields = {"gateway": gateway["device"], "requested_at": at.isoformat()}
    placed = emt.order("connectivity-test", fields, key=f"planned-{gateway['id']}")
    assert placed["planned"]
    moved = emt.call("POST", "/v1/sandbox/clock", {"until": (at - timedelta(minutes=5)).isoformat()})
    assert moved.status == 200, moved
    time.sleep(2)
    waits = emt.get(f"/v1/operations/{placed['id']}")
    assert (waits["state"], waits["step"]) == ("accepted", "")
    advance(emt, "PT6M")
    done = ended(emt, placed["id"])
    assert done["state"] == "done", str(done)
    assert datetime.fromisoformat(done["state_since"]) >= at


def test_a_silent_gateway_lets_the_deadline_pass(emt: System) -> None:
    """Its order waits, its deadline runs out as service time passes, and speaking again it still succeeds."""
    gateway = made(emt, "silent")
    placed = emt.order("commissioning", gateway["fields"], key=f"silent-{gateway['id']}")
    assert eventually(lambda: emt.get(f"/v1/operations/{placed['id']}")["waiting_for"] == "device", 20)
    due = datetime.fromisoformat(placed["due"]["at"])
    late = due + timedelta(hours=1)
    assert late - now(emt) < timedelta(days=13), "the gateway would have been given up"
    emt.call("POST", "/v1/sandbox/clock", {"until": late.isoformat()})
    found = emt.get(f"/v1/operations/{placed['id']}")
    assert found["state"] == "in_progress"
    assert tickets.clock(found["ticket"]).remaining(now(emt)) < timedelta()
    emt.call("PUT", f"/v1/sandbox/gateways/{gateway['id']}", {"behaviour": "good"})
    assert ended(emt, placed["id"])["state"] == "done"


def test_one_that_is_turned_away_and_one_that_breaks(emt: System) -> None:
    """A wrong certificate keeps a gateway out until it is mended; one that reboots in mid-write still gets there."""
    wrong, breaking = made(emt, "wrong_certificate"), made(emt, "breaks_mid_update", meters=2)
    assert len(breaking["meters"]) == 2
    kept_out = emt.order("commissioning", wrong["fields"], key=f"wrong-{wrong['id']}")
    through = emt.order("commissioning", breaking["fields"], key=f"breaks-{breaking['id']}")
    assert ended(emt, through["id"])["state"] == "done"
    found = emt.get(f"/v1/operations/{kept_out['id']}")
    assert (found["state"], found["waiting_for"]) == ("in_progress", "device")
    emt.call("PUT", f"/v1/sandbox/gateways/{wrong['id']}", {"behaviour": "good"})
    assert ended(emt, kept_out["id"])["state"] == "done"


def test_power_goes_off_and_on(emt: System) -> None:
    """Somebody on site pulls the plug: the gateway is gone, and comes back."""
    gateway = commissioned(emt)
    path = f"/v1/sandbox/gateways/{gateway['id']}"
    emt.call("POST", f"{path}/power", {"on": False})
    until(emt, gateway["id"], lambda found: not found["connected"] and not found["powered"])
    emt.call("POST", f"{path}/power", {"on": True})
    until(emt, gateway["id"], lambda found: found["connected"] and found["powered"])


def test_a_webhook_nobody_takes_is_dead_after_three_days(emt: System, hooks: HookServer) -> None:
    """The back-off of three days passes in seconds; what is dead is shown, and a reset forgets it."""
    hooks.behave = lambda number: 503
    added = emt.call("POST", "/v1/webhooks", {"url": hooks.url}, key="dead-hook").json()
    emt.call("POST", f"/v1/webhooks/{added['id']}/test")
    assert eventually(lambda: bool(hooks.got), 20)
    assert emt.get(f"/v1/webhooks/{added['id']}")["pending"] == 1
    advance(emt, "P3DT1H")
    assert eventually(lambda: emt.get(f"/v1/webhooks/{added['id']}")["dead"] == 1, 20)
    assert len(hooks.got) == 2
    emt.call("DELETE", f"/v1/webhooks/{added['id']}")


def test_what_is_anothers_is_nothing(scene: Scene, emt: System) -> None:
    """Another client sees and touches none of it (P-1), has gateways of its own, and its reset leaves ours alone."""
    gateway = commissioned(emt)
    stranger = strangers_system(scene)
    path = f"/v1/sandbox/gateways/{gateway['id']}"
    nothing = stranger.call("GET", "/v1/sandbox/gateways/00000000-0000-4000-8000-000000000000").json()
    for method, where, body in (
        ("GET", path, None),
        ("PUT", path, {"behaviour": "silent"}),
        ("POST", f"{path}/power", {"on": False}),
    ):
        answer = stranger.call(method, where, body)
        assert answer.status == 404, answer
        assert {**answer.json(), "instance": ""} == {**nothing, "instance": ""}
    assert stranger.get("/v1/sandbox/gateways") == {"items": []}
    own = made(stranger, "good")
    assert own["state"] == "ready", own
    reset = stranger.call("POST", "/v1/sandbox/reset").json()
    assert (reset["gateways"], reset["cancelled"]) == (1, [])
    assert emt.get(path)["connected"]


def test_starting_over(scene: Scene, emt: System, hooks: HookServer) -> None:
    """Open operations are cancelled, gateways go off and out, the trail and the time stay; again it finds nothing."""
    hooks.behave = lambda number: 503
    added = emt.call("POST", "/v1/webhooks", {"url": hooks.url}, key="reset-hook").json()
    gateway = made(emt, "silent")
    placed = emt.order("commissioning", gateway["fields"], key=f"reset-{gateway['id']}")
    assert eventually(lambda: bool(hooks.got), 20)
    before = emt.get("/v1/sandbox/clock")

    answer = emt.call("POST", "/v1/sandbox/reset")
    assert answer.status == 200, answer
    told = answer.json()
    assert placed["id"] in told["cancelled"]
    assert told["gateways"] >= 1
    assert emt.get(f"/v1/operations/{placed['id']}")["state"] == "cancelled"
    assert emt.get("/v1/sandbox/gateways") == {"items": []}
    assert Gateway.objects.filter(device_id=gateway["device"]).exists()
    hook = emt.get(f"/v1/webhooks/{added['id']}")
    assert (hook["pending"], hook["dead"]) == (0, 0)
    again = emt.call("POST", "/v1/sandbox/reset").json()
    assert (again["cancelled"], again["gateways"], again["deliveries"]) == ([], 0, 0)
    assert emt.get("/v1/sandbox/clock")["ahead"] >= before["ahead"]
    while audit.link_pending():
        pass
    assert audit.verify().intact


def test_a_killed_host_comes_back_with_its_gateways(scene: Scene, emt: System) -> None:
    """Killed and started again, it has the same devices, with power where they had it, and they call again."""
    gateway = commissioned(emt)
    scene.stage.family["sandbox"].kill()
    scene.stage.start_sandbox()
    fields = {"gateway": gateway["device"]}

    def answers() -> bool:
        placed = emt.order("connectivity-test", fields, key=f"again-{time.monotonic_ns()}")
        done = ended(emt, placed["id"])
        return done["state"] == "done" and "✗" not in str(done["result"])

    assert answers()
    assert until(emt, gateway["id"], lambda found: found["connected"])["powered"]


def test_the_example_of_the_manual(scene: Scene, tmp_path: Path) -> None:
    """What docs/api/sandbox.md shows works with the published client."""
    text = (Path(__file__).parents[2] / "docs/api/sandbox.md").read_text(encoding="utf-8")
    example = text.partition("```python\n")[2].partition("```")[0]
    stage = scene.stage
    tls = EmtFiles.write(tmp_path, stage.site.pki).context()
    printed: list[object] = []
    given = {"TorwartClient": TorwartClient, "url": stage.api_url, "tls": tls, "print": printed.append}
    exec(compile(example, "docs/api/sandbox.md", "exec"), given)
    assert printed == ["done"]


def test_the_sandbox_of_the_readme_by_copy_and_paste(scene: Scene, tmp_path: Path) -> None:
    """A gateway nobody hears, time that passes, and a gateway that speaks again: done."""
    site = scene.stage.site
    EmtFiles.write(site.directory / "emt", site.pki, url=scene.stage.api_url)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".demo").symlink_to(site.directory)
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (block,) = [each for each in re.findall(r"```\n(.*?)```", text, flags=re.S) if "torwart.sandbox" in each]

    done = subprocess.run(["bash", "-e", "-c", block], cwd=tmp_path, capture_output=True, timeout=90, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().splitlines()[-1] == "done"


def commissioned(emt: System) -> dict[str, Any]:
    """A good gateway in operation: one there is, or a new one."""
    for known in emt.get("/v1/sandbox/gateways")["items"]:
        if known["connected"] and known["behaviour"] == "good":
            found: dict[str, Any] = known
            return found
    gateway = made(emt, "good")
    placed = emt.order("commissioning", gateway["fields"], key=f"good-{gateway['id']}")
    assert ended(emt, placed["id"])["state"] == "done"
    return until(emt, gateway["id"], lambda found: found["connected"])


def now(emt: System) -> datetime:
    return datetime.fromisoformat(emt.get("/v1/sandbox/clock")["now"])


def strangers_system(scene: Scene) -> System:
    """The system of a second client, coupled like ours; its GWA keys are made when it needs them."""
    pki = scene.stage.site.pki
    shown = pki.issue_triple(Role.EMT, "Zweite Stadtwerke", unit="9903100000006").tls
    other = client.create("Zweite Stadtwerke", actor="test")
    client.add_participant(other, "9903100000006", "Zweite Stadtwerke", actor="test", now=pki.now)
    name = identify(shown.certificate).common_name
    interface.couple(other, name, software="Testsystem", software_version="1.0", actor="test")
    return system(scene, shown, name="stranger")
