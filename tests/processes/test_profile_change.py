"""P11 ordered: what a client must say, what stands against it, when it begins, what stays when it is taken back."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from clientele import DEVICE, MONDAY, clientele
from order_desk import Desk, desk

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import READ_BACK_DIFFERS
from torwart.processes import ordering
from torwart.processes.definition import process
from torwart.processes.ordering import Header
from torwart.processes.telling import Telling
from torwart.rules.service_time import local
from torwart.services import emt as emts
from torwart.services import profile as profiles
from torwart.services import profile_change as verbs
from torwart.sim.pki import TestPki
from torwart.store.models import Gateway, Meter, Order, Profile
from torwart.wire.certificate import Role

pytestmark = [pytest.mark.requirement("P11")]
MELO, MALO, METER = "DE0003604780400000000000010000176", "51238696781", "1EMH0012345678"
NEW_YEAR = "2026-06-15T00:00:00+02:00"
WANTED: Mapping[str, Any] = {
    "metering_point": MALO,
    "tafs": ["7"],
    "emts": ["Stadtwerk"],
    "valid_from": NEW_YEAR,
    "permission_ground": "contract",
    "permission_by": "Stadtwerk",
}


@pytest.fixture
def shop(own_database: str, pki: TestPki) -> Desk:
    made = desk()
    made.register(process("profile_change"))
    _equip(made.people.client.pk, DEVICE, METER, MELO, MALO)
    triple = pki.issue_triple(
        Role.EMT, "Stadtwerk.EMT", not_before=MONDAY - timedelta(days=1), not_after=MONDAY + timedelta(days=50)
    )
    emts.register(made.people.client.pk, "Stadtwerk", "127.0.0.1:1", triple.certificates, actor="test")
    return made


def _equip(client: int, gateway: str, meter: str, melo: str, malo: str) -> None:
    device = Gateway.objects.get(device_id=gateway)
    Meter.objects.create(
        device_id=meter, client_id=client, gateway=device, state="operational", melo=melo, malos=[malo]
    )


def examined(shop: Desk, client: int | None = None, **changes: Any) -> ordering.Examined:
    return ordering.examine(
        "profile_change",
        {**WANTED, **changes},
        client=client or shop.people.client.pk,
        now=shop.clock.time,
        header=Header(),
        orderer=shop.people.orderer,
    )


def codes(shop: Desk, **changes: Any) -> dict[str, str]:
    """What is wrong, by field; ``""`` for what stands against the order as a whole."""
    found = examined(shop, **changes)
    wrong = {name: refusal.code for name, refusal in found.errors.items()}
    return wrong | ({"": " ".join(each.code for each in found.unmet)} if found.unmet else {})


@pytest.mark.parametrize("point", [MELO, MALO, "5123 8696 781"])
def test_a_metering_point_is_enough_to_find_the_gateway(shop: Desk, point: str) -> None:
    """The order is about the gateway that measures there, as if it had been named."""
    found = examined(shop, metering_point=point)
    assert found.good, (found.errors, found.unmet)
    assert found.fields["gateway"] == DEVICE
    number = shop.place("profile_change", **{**WANTED, "metering_point": point})
    assert shop.order(number).gateway.device_id == DEVICE


@pytest.mark.requirement("P-1")
def test_a_strangers_metering_point_is_unknown(shop: Desk) -> None:
    """Another client's point answers like one that does not exist, with its gateway named or not."""
    stranger = clientele("Fremde", gateway="EPPC0200000077", code="")
    _equip(stranger.client.pk, "EPPC0200000077", "1EMH0087654321", "DE0003604780400000000000010000999", "")
    melo = "DE0003604780400000000000010000999"
    nothing = "DE0003604780400000000000010000998"
    assert codes(shop, metering_point=melo) == {"": "process.point_unknown"}
    assert codes(shop, metering_point=nothing) == {"": "process.point_unknown"}
    assert codes(shop, metering_point=melo, gateway="EPPC0200000077") == {"": "process.point_unknown"}
    assert codes(shop, metering_point="", gateway="EPPC0200000077") == {"": "process.gateway_unknown"}


def test_point_and_gateway_must_fit(shop: Desk) -> None:
    """Both may be named; a pair that is none is refused, and nothing at all is asked for."""
    assert codes(shop, gateway=DEVICE) == {}
    assert codes(shop, metering_point="", gateway=DEVICE) == {}
    assert codes(shop, gateway="EPPC0200000005") == {"": "process.point_elsewhere"}
    assert codes(shop, metering_point="") == {"gateway": "process.field_missing"}


def test_stages_belong_to_taf_2(shop: Desk) -> None:
    """With TAF 2 both fields are needed, without it neither is taken; times keep to the grid and to one stage."""
    missing = "process.field_missing"
    assert codes(shop, tafs=["2"]) == {"switch_times": missing, "default_stage": missing}
    assert codes(shop, tafs=["2"], switch_times=["1 Mo-Fr 06:00-22:00"], default_stage="2") == {}
    assert codes(shop, switch_times=["1 Mo-Fr 06:00-22:00"]) == {"switch_times": "profile.stages_not_asked"}
    assert codes(shop, default_stage="2") == {"default_stage": "profile.stages_not_asked"}
    off = {"tafs": ["2"], "switch_times": ["1 Mo-Fr 06:10-22:00"], "default_stage": "2"}
    assert codes(shop, **off) == {"switch_times": "profile.switch_time_grid"}
    assert codes(shop, **off, registration_minutes="5") == {}
    twice = ["1 Mo-Fr 06:00-22:00", "3 Mi 12:00-13:00"]
    assert codes(shop, tafs=["2"], switch_times=twice, default_stage="2") == {
        "switch_times": "profile.switch_time_overlap"
    }


def test_what_stands_against_it_is_said_at_once(shop: Desk) -> None:
    """State, meters, what they can, and recipients whose certificates end too soon: each with its remedy."""
    assert codes(shop, emts=["Niemand"]) == {"": "precondition.emt_unknown"}
    late = local(MONDAY + timedelta(days=30)).isoformat()
    assert codes(shop, valid_from=late) == {"": "precondition.emt_certificate_invalid"}
    Meter.objects.update(details={"obis": ["1-0:2.8.0"]})
    staged = {"switch_times": ["1 Mo-Fr 06:00-22:00"], "default_stage": "2"}
    assert codes(shop, tafs=["2"], **staged) == {"": "precondition.taf_not_possible"}
    assert codes(shop) == {}
    Meter.objects.update(details={"obis": ["7-0:3.0.0"]})
    assert codes(shop) == {"": "precondition.taf_not_possible"}
    Meter.objects.update(state="delivered")
    assert codes(shop, metering_point="", gateway=DEVICE) == {"": "precondition.no_meter"}
    Gateway.objects.update(state="connected")
    assert codes(shop) == {"": "precondition.wrong_state"}


def test_the_permission_is_part_of_the_order(shop: Desk) -> None:
    """§ 25(3) MsbG: without ground and name there is no order, and both stand in its evidence."""
    missing = codes(shop, permission_ground="", permission_by="")
    assert missing == {"permission_ground": "process.field_missing", "permission_by": "process.field_missing"}
    number = shop.place("profile_change", **WANTED)
    said = {row[0]: row[2] for row in shop.order(number).summary}
    assert said["Grundlage"].startswith("Vertrag")
    assert said["Wer die Berechtigung erteilt hat"] == "Stadtwerk"


@pytest.mark.requirement("T-3")
def test_valid_from_is_the_requested_time(shop: Desk) -> None:
    """Far enough ahead the order is planned and due then; nobody may name another time, and none that has passed."""
    number = shop.place("profile_change", **WANTED)
    order = shop.order(number)
    begin = datetime.fromisoformat(NEW_YEAR)
    assert (order.planned, order.due_at, order.requested_at) == (True, begin, begin)
    assert order.starts_at == begin - process("profile_change").ahead
    Order.objects.all().update(state="done")
    with pytest.raises(Refusal) as refused:
        shop.place("profile_change", requested=begin + timedelta(hours=1), **WANTED)
    assert refused.value.code == "order.time_in_field"
    past = local(MONDAY - timedelta(hours=1)).isoformat()
    assert codes(shop, valid_from=past) == {"valid_from": "service_time.in_the_past"}
    soon = {**WANTED, "valid_from": local(MONDAY + timedelta(hours=1)).isoformat()}
    near = shop.order(shop.place("profile_change", **soon))
    assert (near.planned, near.starts_at) == (False, near.withdrawable_until)


@pytest.mark.requirement("O-10")
def test_until_it_begins_it_is_cancelled_without_a_trace(shop: Desk) -> None:
    """It waits for its time and holds nobody up; cancelled then, nothing stays."""
    number = shop.played("profile_change", **WANTED)
    assert shop.states(number) == ("accepted", "waiting_time", "received")
    assert shop.played() != number  # a connectivity test on the same gateway is not kept waiting
    stays = ordering.cancel(
        shop.engine, number, client=None, actor="user:e", reason="doch nicht", now=shop.clock.on(days=1)
    )
    assert stays == []
    shop.on(days=30)
    assert shop.states(number)[0] == "cancelled"


def _until(*steps: str) -> Callable[[Telling], Mapping[str, Any]]:
    """A story that comes so far and waits."""

    def tell(run: Telling) -> Mapping[str, Any]:
        for step in steps:
            run.enter(step)
        run.wait_until("never", "never", lambda: None, until=None)
        return {}

    return tell


@pytest.mark.requirement("O-10")
def test_once_profiles_are_written_it_goes_to_its_end(shop: Desk) -> None:
    """The gateway would change by itself, so nobody is told that the order is cancelled."""
    shop.tell(_until("accepted", "reached", "recipients"), "profile_change")
    number = shop.played("profile_change", **WANTED)
    shop.on(days=14)
    with pytest.raises(Refusal) as refused:
        ordering.cancel(shop.engine, number, client=None, actor="user:e", reason="zu spät", now=shop.clock.time)
    assert refused.value.code == "order.not_cancellable"
    assert shop.states(number)[0] == "in_progress"


@pytest.mark.requirement("O-10")
def test_while_the_gateway_is_not_reached_it_is_cancelled_without_a_trace(shop: Desk) -> None:
    """Looking at a gateway changes nothing there."""
    shop.tell(_until("accepted", "reached"), "profile_change")
    number = shop.played("profile_change", **WANTED)
    shop.on(days=14)
    stays = ordering.cancel(shop.engine, number, client=None, actor="user:e", reason="zu spät", now=shop.clock.time)
    assert stays == []
    assert shop.states(number)[0] == "cancelled"


def _unproven(run: Telling) -> Mapping[str, Any]:
    """Old profile proven, new one only written; then the gateway holds something else."""
    run.enter("accepted")
    run.write("written", lambda: _write(run))
    raise READ_BACK_DIFFERS(gateway=run.gateway, differences="taf1")


def _write(run: Telling) -> None:
    gateway = Gateway.objects.get(device_id=run.gateway)
    recipients = profiles.emts(gateway.client_id, ["Stadtwerk"])
    meter = Meter.objects.get()
    old = profiles.evaluation(7, meter, recipients, MALO, MONDAY)
    profiles.want(gateway, run.run_id, [old])
    profiles.read_back(gateway, {old.container_id: old})
    begin = datetime.fromisoformat(NEW_YEAR)
    profiles.want(gateway, run.run_id, [profiles.evaluation(1, meter, recipients, MALO, begin, suffix="-2")])


@pytest.mark.requirement("O-3")
def test_a_failure_says_what_stays_on_the_gateway(shop: Desk) -> None:
    """Mail and order name each evaluation with its validity: what is proven, and what may stand there besides."""
    shop.tell(_unproven, "profile_change")
    number = shop.played("profile_change", **WANTED)
    shop.on(days=14)

    assert shop.states(number)[0] == "failed"
    rows = shop.order(number).result["rows"]
    assert [(row[1], row[2].split(":")[0]) for row in rows] == [
        ("On the gateway, proven", f"TAF 7 (taf7-{METER.lower()})"),
        ("Perhaps on the gateway, not proven", f"TAF 1 (taf1-{METER.lower()}-2)"),
    ]
    (mail,) = shop.mails("order.failed")
    assert "Was auf dem Gateway bleibt" in mail.text
    assert "taf1-1emh0012345678-2): 15.06.2026 00:00" in " ".join(mail.text.split())


@pytest.mark.requirement("O-3")
def test_its_result_in_words(db: None) -> None:
    """Since when it holds, how much was written and removed, and the first value of new recipients only."""
    told = process("profile_change").result
    assert told is not None
    result = {"in_force_from": NEW_YEAR, "first_value_at": "", "profiles": ["a", "b"], "removed": ["c"]}
    assert [value for _, value in told(result)] == ["15.06.2026 00:00", "2", "1"]
    assert [value for _, value in told({**result, "first_value_at": NEW_YEAR})][-1] == "15.06.2026 00:00"


def test_wishes_become_the_profile(shop: Desk) -> None:
    """Stages, grid, sending and billing of the order are those of the evaluation; alike days share a day profile."""
    fields = examined(
        shop,
        tafs=["2"],
        switch_times=["1 Mo-Fr 17:00-20:00", "3 Mo-So 00:00-05:00", "2 2026-12-24 00:00-24:00"],
        default_stage="2",
        registration_minutes="60",
        send_hours="6",
        billing_period="P3M",
    ).fields
    begin = datetime.fromisoformat(fields["valid_from"])
    recipients = profiles.emts(shop.people.client.pk, fields["emts"])
    made = profiles.evaluation(2, Meter.objects.get(), recipients, MALO, begin, verbs.tariff_of(fields))
    assert made.tariff_change_trigger is not None
    trigger = made.tariff_change_trigger.time_trigger
    assert len(trigger.day_profile) == 3
    assert trigger.week_profile is not None
    assert trigger.week_profile.days == (1, 1, 1, 1, 1, 2, 2)
    assert [(str(s.special_day_date), s.day_id) for s in trigger.special_day_profile] == [("2026-12-24", 3)]
    assert [str(stage.obis_code) for stage in made.tariff_stage] == ["1-0:1.8.1", "1-0:1.8.2", "1-0:1.8.3"]
    assert (made.registration_period, made.schedule and made.schedule.period) == (3600, 6 * 3600)
    assert made.billing_period is not None
    assert (made.billing_period.duration, f"{made.billing_period.start:%d.%m. %H:%M}") == ("P3M", "01.06. 00:00")
    assert not Profile.objects.exists()
