"""What clients and operators order for gateways in operation: renewal, removal, wake-up, connectivity test."""

import time
from datetime import UTC, datetime

import pytest
from staging import Scene, eventually

from torwart.processes.definition import process
from torwart.services import certificate as certificates
from torwart.services import revocation
from torwart.sim.gateway.fault import Fault
from torwart.store.models import Certificate, Exchange, Fact, Gateway, Meter
from torwart.wire.certificate import Use, identify
from torwart.wire.profiles import CommunicationProfile, ProfileKind


def _refused(device: str, since: datetime) -> set[str]:
    rows = Fact.objects.filter(kind="refused", device=device, at__gte=since)
    return {str(row.details.get("why")) for row in rows}


# --- P16 ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P16", "G-8")
def test_a_renewal_brings_the_next_set_and_retires_the_old_one(scene: Scene) -> None:
    """The gateway calls with the new certificate, the old one is retired here and its keys are gone there."""
    device = scene.in_operation()
    before = scene.stage.link.connected(device)
    line = scene.play("renewal", device)
    after = scene.stage.link.connected(device)

    assert line.state == "succeeded", line
    assert line.steps == tuple(step.name for step in process("renewal").steps)
    first, second = scene.issued(device)
    assert [identify(c).sequence for c in (first[0], second[0])] == [1, 2]
    assert before is not None
    assert after is not None
    assert int(after["serial"], 16) in {c.serial_number for c in second}
    assert int(before["serial"], 16) in {c.serial_number for c in first}
    states = Certificate.objects.filter(gateway__device_id=device, seal=False).order_by("sequence")
    assert [c.state for c in states] == ["retired"] * 3 + ["active"] * 3
    assert line.result["sequence"] == 2


@pytest.mark.requirement("P16")
def test_a_gateway_without_operational_certificates_has_nothing_to_renew(scene: Scene) -> None:
    """A renewal before the commissioning is refused with what to do first."""
    line = scene.play("renewal", scene.take())

    assert (line.state, line.code, line.side) == ("failed", "process.nothing_to_renew", "client")


# --- P10 ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def returned(scene: Scene) -> str:
    """A gateway that was in operation and has been removed for return."""
    device = scene.in_operation(han="yes", tafs=["1", "7"])
    line = scene.remove(device, "return")
    assert line.state == "succeeded", line
    assert line.steps == tuple(step.name for step in process("removal").steps)
    assert line.result["revoked"] == 3
    assert line.result["profiles_deleted"] == 5
    return device


@pytest.mark.requirement("P10")
def test_a_returned_gateway_holds_nothing_of_its_consumers(scene: Scene, returned: str) -> None:
    """Profiles, pairings, values, logs and accesses of consumers are gone from the device itself."""
    memory = scene.gateway(returned).core.memory
    left = list(memory.profiles.values())

    assert {p.kind for p in left} <= {ProfileKind.ADMINISTRATOR, ProfileKind.WAKE_UP, ProfileKind.COMMUNICATION}
    assert {p.id for p in left if isinstance(p, CommunicationProfile)} <= {"management", "admin-service", "ntp"}
    assert not memory.pairings
    assert not memory.series
    assert scene.events(returned)["consumer_wiped"] >= 1


@pytest.mark.requirement("P10")
def test_a_returned_gateway_is_out_of_operation_and_its_meters_free(scene: Scene, returned: str) -> None:
    """Our data say so: state, certificates revoked, no meter, no active profile."""
    gateway = Gateway.objects.get(device_id=returned)

    assert gateway.state == "removed"
    assert not Meter.objects.filter(gateway=gateway).exists()
    own = Certificate.objects.filter(gateway=gateway, seal=False)
    assert set(own.values_list("state", flat=True)) == {"revoked"}
    ours = ("administrator", "communication", "wake_up")
    assert not gateway.profiles.filter(state__in=("active", "wanted")).exclude(kind__in=ours).exists()


@pytest.mark.requirement("P10", "WAN-3.3")
def test_a_returned_gateways_certificates_are_on_the_revocation_list(scene: Scene, returned: str) -> None:
    """The Sub-CA's list holds all three, each once."""
    serials = [c.serial_number for c in scene.issued(returned)[0]]
    listed = scene.revoked()

    assert [listed.count(serial) for serial in serials] == [1, 1, 1]
    known = {int(serial, 16) for serial in certificates.revoked_serials(returned)}
    assert revocation.lists(scene.stage.ca, scene.stage.site.pki.trust, known)


@pytest.mark.requirement("P10", "WAN-3.3")
def test_a_returned_gateway_is_turned_away(scene: Scene, returned: str) -> None:
    """It was hung up on, and whenever it calls again the head-end refuses its revoked certificate."""
    since = datetime.now(UTC)
    assert eventually(lambda: scene.stage.link.connected(returned) is None)
    scene.call_again(returned)

    assert eventually(lambda: "tls.revoked" in _refused(returned, since)), _refused(returned, since)
    assert scene.stage.link.connected(returned) is None


@pytest.mark.requirement("P10", "P19", "G-14")
def test_a_stolen_gateway_is_not_spoken_to_but_blocked_and_revoked(scene: Scene) -> None:
    """Theft: no exchange with the gateway, its certificates revoked as compromised, the gateway on the blocklist."""
    device = scene.in_operation()
    last = Exchange.objects.filter(gateway__device_id=device).latest("id").pk
    line = scene.remove(device, "stolen")
    gateway = Gateway.objects.get(device_id=device)

    assert line.state == "succeeded", line
    assert line.steps == ("accepted", "revocation", "out")
    assert not Exchange.objects.filter(gateway__device_id=device, pk__gt=last).exists()
    assert (gateway.state, gateway.blocked_at is not None) == ("blocked", True)
    serials = {c.serial_number for c in scene.issued(device)[0]}
    assert serials <= set(scene.revoked())
    since = datetime.now(UTC)
    assert eventually(lambda: scene.stage.link.connected(device) is None)
    scene.call_again(device)
    assert eventually(lambda: _refused(device, since) & {"tls.revoked", "headend.blocked"})


@pytest.mark.requirement("P10")
def test_what_is_not_installed_cannot_be_removed(scene: Scene) -> None:
    """The state table says no, in words."""
    line = scene.remove(scene.take(), "return")

    assert (line.state, line.side) == ("failed", "client")
    assert line.code == "precondition.wrong_state"


# --- P20 ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P20", "WAN-1.5", "G-10")
def test_a_hung_up_gateway_is_woken_by_a_datagram_and_its_latency_told(scene: Scene) -> None:
    """The gateway takes the signed UDP packet, calls, and the run tells after how many milliseconds."""
    device = scene.in_operation()
    before = scene.events(device)["wake_up_taken"]
    scene.stage.hang_up(device)
    time.sleep(1.0)  # packets are dated to the second, and commissioning may have woken it in this one
    line = scene.play("wake_up", device)

    assert line.state == "succeeded", line
    assert (line.result["connected"], line.result["woken"]) == (True, True)
    assert 0 <= line.result["latency_ms"] < 3000
    assert scene.events(device)["wake_up_taken"] == before + 1
    assert scene.stage.link.connected(device) is not None


@pytest.mark.requirement("P20")
def test_a_connected_gateway_is_not_woken(scene: Scene) -> None:
    """Who is connected already is told so; no packet is sent."""
    device = scene.in_operation()
    sent = Exchange.objects.filter(gateway__device_id=device, purpose="wake-up").count()
    line = scene.play("wake_up", device)

    assert line.result == {"state": "succeeded", "connected": True, "woken": False, "latency_ms": 0} or line.result == {
        "connected": True, "woken": False, "latency_ms": 0,
    }  # fmt: skip
    assert Exchange.objects.filter(gateway__device_id=device, purpose="wake-up").count() == sent


@pytest.mark.requirement("P20")
def test_nobody_wakes_a_gateway_without_end(scene: Scene) -> None:
    """The rate limit refuses one wake-up too many and says from when on the next is possible."""
    device = scene.in_operation()
    for _ in range(scene.wake_ups + 1):
        scene.stage.hang_up(device)
        line = scene.play("wake_up", device)
        if line.state == "failed":
            break

    assert (line.state, line.code, line.side) == ("failed", "precondition.wake_up_too_often", "client")
    assert Exchange.objects.filter(gateway__device_id=device, purpose="wake-up").count() == scene.wake_ups


@pytest.mark.requirement("P20", "SIM-silent")
def test_a_wake_up_without_call_is_an_answer(scene: Scene) -> None:
    """The gateway stays silent: the run ends in time and says so."""
    device = scene.in_operation()
    scene.fault(device, Fault.SILENT)
    assert eventually(lambda: scene.stage.link.connected(device) is None)
    line = scene.play("wake_up", device)

    assert (line.state, line.result["connected"], line.result["latency_ms"]) == ("succeeded", False, None)


# --- P22 ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P22")
def test_a_good_gateway_gets_a_green_light(scene: Scene) -> None:
    """Connected, clock right, meter seen, signal good: green, with what was measured."""
    device = scene.in_operation()
    scene.stage.hang_up(device)
    line = scene.play("connectivity_test", device)

    assert line.state == "succeeded", line
    assert (line.result["light"], abs(line.result["clock_offset_ms"]) < 9000) == ("green", True)
    assert [meter["seen"] for meter in line.result["meters"].values()] == [True]
    assert line.steps == tuple(step.name for step in process("connectivity_test").steps)


@pytest.mark.requirement("P22", "SIM-silent")
def test_a_silent_gateway_gets_a_red_light_in_time(scene: Scene) -> None:
    """Silence is an answer: red with what to check, as soon as the test's time is over and not much later."""
    device = scene.in_operation()
    scene.fault(device, Fault.SILENT)
    assert eventually(lambda: scene.stage.link.connected(device) is None)
    began = time.monotonic()
    line = scene.play("connectivity_test", device)

    assert (line.state, line.result["light"]) == ("succeeded", "red")
    assert "ruft nicht an" in line.result["text"]["de"]
    assert time.monotonic() - began < scene.patience["test_total"] + 1.5


@pytest.mark.requirement("P22", "SIM-meter-not-seen")
def test_a_missing_meter_is_named_by_the_red_light(scene: Scene) -> None:
    """The technician reads which meter the gateway does not see."""
    device = scene.in_operation()
    scene.fault(device, Fault.METER_ABSENT)
    line = scene.play("connectivity_test", device)

    (meter,) = line.result["meters"]
    assert (line.result["light"], meter in line.result["text"]["de"]) == ("red", True)


@pytest.mark.requirement("P22", "SIM-clock-20s")
def test_a_wrong_clock_gives_a_red_light(scene: Scene) -> None:
    """A clock beyond the limit is found and told in milliseconds."""
    device = scene.in_operation()
    scene.fault(device, Fault.CLOCK_20S)
    line = scene.play("connectivity_test", device)

    assert (line.result["light"], line.result["clock_offset_ms"] > 15_000) == ("red", True)


@pytest.mark.requirement("P03", "G-8")
def test_the_certificate_in_use_is_the_active_one(scene: Scene) -> None:
    """What our data call active is what the gateway shows."""
    device = scene.in_operation()
    active = certificates.of_gateway(Gateway.objects.get(device_id=device), "active", seal=False)
    shown = scene.stage.link.connected(device)

    assert shown is not None
    assert active[Use.TLS].serial_number == int(shown["serial"], 16)
