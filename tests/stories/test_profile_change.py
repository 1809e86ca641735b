"""P11 as the client tells it: from one instant on a gateway evaluates something else, or sends it to somebody else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from staging import Scene, eventually

from torwart.config.demo.stage import emt_config
from torwart.processes.definition import process
from torwart.services import emt as emts
from torwart.sim.emt import Behaviour, EmtReceiver
from torwart.sim.gateway.fault import Fault
from torwart.store.models import Profile, ProfileReading
from torwart.wire.certificate import Role
from torwart.wire.profiles import CommunicationProfile, EvaluationProfile, HanProfile

PERMISSION = {"permission_ground": "contract", "permission_by": "Stadtwerk Musterstadt"}


@dataclass
class Second:
    """Another EMT of the same client, with a server of its own."""

    name: str
    receiver: EmtReceiver


@pytest.fixture(scope="module")
def second(scene: Scene) -> Iterator[Second]:
    stage = scene.stage
    triple = stage.site.pki.issue_triple(Role.EMT, "Energie Nord.EMT.TEST")

    async def opened() -> EmtReceiver:
        receiver = EmtReceiver(emt_config(stage.site, triple))
        await receiver.start()
        return receiver

    receiver = stage.call(opened())
    emts.register(stage.site.client, "Energie Nord", "{}:{}".format(*receiver.address), triple.certificates, actor="t")
    yield Second("Energie Nord", receiver)
    stage.call(receiver.stop())


def change(scene: Scene, device: str, **fields: Any) -> dict[str, Any]:
    """Order fields of a change, as they are after their check."""
    wanted = {"tafs": ["7"], "emts": [scene.stage.site.emt], "valid_from": soon(), **PERMISSION, **fields}
    return {"gateway": device, **wanted}


def soon(seconds: float = 0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def held(scene: Scene, device: str) -> Mapping[str, EvaluationProfile]:
    """The evaluations in the gateway's own memory, by id."""
    profiles = scene.gateway(device).core.memory.profiles.values()
    return {profile.id: profile for profile in profiles if isinstance(profile, EvaluationProfile)}


def received(receiver: EmtReceiver, device: str) -> set[str]:
    """The contracts under which an EMT has got values of this gateway."""
    return {contract for (name, contract, _), found in receiver.received.items() if name == device and found.values}


def play(scene: Scene, device: str, **fields: Any) -> Any:
    return scene.ended(scene.stage.order("profile_change", device, change(scene, device, **fields)))


@pytest.mark.requirement("P11", "RB", "G-5")
def test_a_change_replaces_what_the_gateway_evaluates(scene: Scene) -> None:
    """TAF 7 becomes TAF 1 and 2: the gateway holds and delivers the new evaluations and none of the old."""
    device = scene.in_operation(tafs=["7"], han="yes")
    (old,) = held(scene, device)
    line = play(
        scene, device, tafs=["1", "2"], switch_times=["1 Mo-Fr 17:00-20:00", "3 Mo-So 00:00-05:00"], default_stage="2"
    )

    assert line.state == "succeeded", line
    assert line.steps == tuple(step.name for step in process("profile_change").steps if step.name != "first_value")
    new = held(scene, device)
    assert sorted(profile.tariff_use_case for profile in new.values()) == [1, 2]
    assert old not in new
    tariff = next(profile for profile in new.values() if profile.tariff_use_case == 2)
    assert [stage.tariff_number for stage in tariff.tariff_stage] == [1, 2, 3]
    assert eventually(
        lambda: {f"{p.logical_name}.{p.id}.sm" for p in new.values()} <= received(scene.stage.emt, device)
    )
    (access,) = [p for p in scene.gateway(device).core.memory.profiles.values() if isinstance(p, HanProfile)]
    assert set(access.contract) == set(new)


@pytest.mark.requirement("P11", "RB")
def test_our_data_follow_what_was_read_back(scene: Scene) -> None:
    """After the change the new versions are active and equal to what was read, the old ones removed."""
    device = scene.in_operation(tafs=["1"])
    assert play(scene, device).state == "succeeded"

    rows = Profile.objects.filter(gateway__device_id=device, kind="evaluation")
    active = dict(rows.filter(state="active").values_list("name", "digest"))
    read = ProfileReading.objects.filter(gateway__device_id=device, name__contains="taf")
    assert dict(read.values_list("name", "digest")) == active
    assert [name for name in active if "taf7" in name] == list(active)
    assert set(rows.exclude(name__in=active).values_list("state", flat=True)) <= {"removed", "superseded"}


@pytest.mark.requirement("P11")
def test_the_gateway_changes_at_the_instant_ordered(scene: Scene) -> None:
    """Until then the old evaluation counts, from then on the new one: no overlap, no gap, nothing lost."""
    device = scene.in_operation(tafs=["7"])
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    run_id = scene.stage.order("profile_change", device, change(scene, device, tafs=["1"], valid_from=at.isoformat()))
    line = scene.until(run_id, lambda line: line.step == "in_force" and line.state == "waiting")
    old, new = sorted(held(scene, device).values(), key=lambda profile: profile.id, reverse=True)

    assert (old.tariff_use_case, old.valid_until, new.valid_from) == (7, at, at)
    assert new.id not in scene.gateway(device).core.memory.starts
    line = scene.ended(run_id)
    assert line.state == "succeeded", line
    assert datetime.now(UTC) >= at
    assert datetime.fromisoformat(line.result["in_force_from"]) == at
    assert list(held(scene, device)) == [new.id]


@pytest.mark.requirement("P11", "G-7")
def test_a_new_recipient_confirms_its_first_value(scene: Scene, second: Second) -> None:
    """The gateway learns the way to the new recipient, who gets values and says so; the old way is gone."""
    device = scene.in_operation(tafs=["7"])
    line = play(scene, device, emts=[second.name])

    assert line.state == "succeeded", line
    assert line.steps == tuple(step.name for step in process("profile_change").steps)
    assert line.result["first_value_at"]
    (profile,) = held(scene, device).values()
    assert f"{profile.logical_name}.{profile.id}.sm" in received(second.receiver, device)
    ways = [
        p.id
        for p in scene.gateway(device).core.memory.profiles.values()
        if isinstance(p, CommunicationProfile) and p.id.startswith("emt-")
    ]
    assert tuple(ways) == profile.recipient


@pytest.mark.requirement("P11")
def test_one_metering_point_changes_and_its_neighbour_does_not(scene: Scene) -> None:
    """Ordered by market location, only that location's meter is evaluated anew."""
    device = scene.in_operation(meters=2, tafs=["7"])
    before = held(scene, device)
    first, other = scene.fields(device)["malos"]
    meter = scene.fields(device)["meters"][0].lower()
    fields = change(scene, device, gateway="", metering_point=first, tafs=["1"])
    line = scene.ended(scene.stage.order("profile_change", "", fields))

    assert line.state == "succeeded", line
    assert line.gateway == device
    after = held(scene, device)
    kept = [name for name in before if meter not in name]
    assert {name: profile for name, profile in after.items() if meter not in name} == {n: before[n] for n in kept}
    assert [profile.tariff_use_case for name, profile in after.items() if meter in name] == [1]
    assert {profile.usage_point for profile in after.values()} == {first, other}


@pytest.mark.requirement("P11")
def test_the_second_change_follows_the_first(scene: Scene) -> None:
    """Changes can be ordered one after the other; each leaves exactly what it says."""
    device = scene.in_operation(tafs=["7"])
    for tafs in (["1"], ["7"], ["1", "6"]):
        assert play(scene, device, tafs=tafs).state == "succeeded"
        assert sorted(str(profile.tariff_use_case) for profile in held(scene, device).values()) == tafs


@pytest.mark.requirement("P11", "SIM-forget-profile")
def test_what_cannot_be_proven_fails_and_says_what_stands_there(scene: Scene) -> None:
    """A gateway that forgets what is written keeps its old evaluations, and the client reads just that."""
    device = scene.in_operation(tafs=["7"])
    before = held(scene, device)
    scene.fault(device, Fault.FORGET_PROFILE)
    line = play(scene, device, tafs=["1"])

    assert (line.state, line.code, line.side) == ("failed", "process.read_back_differs", "gateway")
    assert held(scene, device) == before
    remains = process("profile_change").remains
    assert remains is not None
    proven = [text for words, text in remains(line.run_id, device) if words.de.startswith("Auf dem")]
    assert [text.split()[1] for text in proven] == ["7"]
    scene.fault(device, Fault.FORGET_PROFILE, on=False)
    assert play(scene, device, tafs=["1"]).state == "succeeded"
    assert [profile.tariff_use_case for profile in held(scene, device).values()] == [1]


@pytest.mark.requirement("P11", "SIM-refuse-profile-4xx")
def test_a_refused_profile_changes_nothing(scene: Scene) -> None:
    """The gateway says no: the run fails with its side, the old evaluation goes on."""
    device = scene.in_operation(tafs=["7"])
    before = held(scene, device)
    scene.fault(device, Fault.REFUSE_PROFILE_4XX)
    line = play(scene, device, tafs=["1"])

    assert (line.state, line.side) == ("failed", "gateway")
    assert held(scene, device) == before


@pytest.mark.requirement("P11", "SIM-emt-down")
def test_the_old_profile_stays_until_the_new_recipient_confirms(scene: Scene, second: Second) -> None:
    """Without the new recipient's word the change is not done: the run waits visibly, the old profile still there."""
    device = scene.in_operation(tafs=["7"])
    (old,) = held(scene, device)
    second.receiver.behaviour = Behaviour.DOWN
    try:
        run_id = scene.stage.order("profile_change", device, change(scene, device, emts=[second.name]))
        line = scene.until(run_id, lambda line: line.step == "first_value" and line.state == "waiting")
    finally:
        second.receiver.behaviour = Behaviour.GOOD

    assert old in held(scene, device)
    assert scene.ended(run_id).state == "succeeded"
    assert old not in held(scene, device)
    assert line.gateway == device


@pytest.mark.requirement("P11", "SIM-silent")
def test_a_silent_gateway_is_woken_for_its_change(scene: Scene) -> None:
    """The gateway sleeps without connection: it is woken and changed."""
    device = scene.in_operation(tafs=["7"])
    scene.stage.hang_up(device)
    line = play(scene, device, tafs=["1"])

    assert line.state == "succeeded", line


@pytest.mark.requirement("P11")
def test_a_late_gateway_changes_when_it_is_there(scene: Scene) -> None:
    """It was without power at the instant ordered: the change begins later, without a gap, and says when."""
    device = scene.in_operation(tafs=["7"])
    scene.power_off(device)
    at = datetime.now(UTC).replace(microsecond=0)
    run_id = scene.stage.order("profile_change", device, change(scene, device, tafs=["1"], valid_from=at.isoformat()))
    scene.waiting(run_id)
    scene.stage.power_on(device)
    line = scene.ended(run_id)

    assert line.state == "succeeded", line
    begin = datetime.fromisoformat(line.result["in_force_from"])
    assert begin > at
    assert [profile.valid_from for profile in held(scene, device).values()] == [begin]


@pytest.mark.requirement("P11")
def test_only_a_gateway_in_operation_is_changed(scene: Scene) -> None:
    """One that has only been delivered is refused when ordered, with the state it must have."""
    device = scene.take()
    with pytest.raises(Exception, match=r"in operation|in Betrieb") as refused:
        scene.stage.order("profile_change", device, change(scene, device))

    assert refused.value.code == "precondition.wrong_state"  # type: ignore[attr-defined]
