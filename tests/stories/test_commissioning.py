"""P03 as the customer tells it: a fitter hangs up a gateway, and a while later its readings arrive."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from cryptography import x509
from django.db import connection
from staging import Scene, eventually

from torwart.processes.commissioning import STEPS
from torwart.services import audit
from torwart.sim.gateway.fault import Fault
from torwart.store.models import (
    AuditEntry,
    Certificate,
    Exchange,
    Gateway,
    Meter,
    Profile,
    ProfileReading,
    ReadingConfirmation,
    Run,
)
from torwart.wire.certificate import identify


@pytest.fixture(scope="module")
def commissioned(scene: Scene) -> str:
    """A gateway with two meters, TAF 1 and 7 and HAN access, in operation."""
    return scene.in_operation(meters=2, tafs=["1", "7"], han="yes")


@pytest.mark.requirement("P03", "G-3")
def test_every_step_of_the_catalogue_is_seen_in_its_order(scene: Scene, commissioned: str) -> None:
    """From the order to the first value at the EMT each step appears once, is done, and follows the one before."""
    run = Run.objects.get(gateway__device_id=commissioned)
    steps = list(run.steps.order_by("position"))

    assert [step.name for step in steps] == [step.name for step in STEPS]
    assert {step.state for step in steps} == {"done"}
    assert all(one.ended_at <= next_.started_at for one, next_ in pairwise(steps))
    assert (run.state, run.started_at <= run.ended_at <= datetime.now(UTC)) == ("succeeded", True)


@pytest.mark.requirement("P03", "G-3", "G-7")
def test_what_is_in_operation_is_proven_at_both_ends(scene: Scene, commissioned: str) -> None:
    """Our data, the gateway's own memory and the EMT agree: certificates, profiles, pairing, first values."""
    gateway, sim = Gateway.objects.get(device_id=commissioned), scene.gateway(commissioned)
    meters = Meter.objects.filter(gateway=gateway)
    (issued,) = scene.issued(commissioned)

    assert gateway.state == "operational"
    assert {(meter.state, meter.first_value_at is not None) for meter in meters} == {("operational", True)}
    assert sorted(meter.device_id for meter in meters) == sorted(sim.core.memory.pairings)
    assert {c.serial_number for c in issued} == {
        int(serial, 16)
        for serial in Certificate.objects.filter(gateway=gateway, state="active").values_list("serial", flat=True)
    }
    assert set(Profile.objects.filter(gateway=gateway).values_list("state", flat=True)) == {"active"}
    assert Profile.objects.filter(gateway=gateway).count() == len(sim.core.memory.profiles)
    confirmed = ReadingConfirmation.objects.filter(gateway=gateway).values_list("meter", flat=True)
    assert set(confirmed) == {meter.device_id for meter in meters}


@pytest.mark.requirement("P03", "MsbG-52")
def test_seal_certificates_are_retired_and_their_keys_destroyed(scene: Scene, commissioned: str) -> None:
    """After the exchange the seal certificates open nothing any more, here and on the gateway."""
    seals = Certificate.objects.filter(gateway__device_id=commissioned, seal=True)

    assert set(seals.values_list("state", flat=True)) == {"retired"}
    assert scene.events(commissioned)["seal_retired"] == 1
    assert scene.gateway(commissioned).state().standing == "current"


@pytest.mark.requirement("P03")
def test_the_connection_is_the_operational_one(scene: Scene, commissioned: str) -> None:
    """The head-end holds a connection with the new TLS certificate and not with the seal."""
    connection_ = scene.stage.link.connected(commissioned)
    tls = next(c for c in scene.issued(commissioned)[0] if identify(c).use == "TLS")

    assert connection_ is not None
    assert (connection_["seal"], int(connection_["serial"], 16)) == (False, tls.serial_number)


@pytest.mark.requirement("P03", "RB", "G-5")
def test_everything_written_is_read_back_as_wanted(scene: Scene, commissioned: str) -> None:
    """What was read back equals what was wanted, profile by profile; nothing rests on the gateway's word alone."""
    wanted = dict(Profile.objects.filter(gateway__device_id=commissioned).values_list("name", "digest"))
    actual = dict(ProfileReading.objects.filter(gateway__device_id=commissioned).values_list("name", "digest"))

    assert wanted
    assert actual == wanted


@pytest.mark.requirement("M-4")
def test_the_trail_tells_intents_before_irreversible_acts(scene: Scene, commissioned: str) -> None:
    """Order, intents and moves stand in the audit trail in the order in which they were, and its chain holds."""
    told = scene.audited(commissioned)
    actions = [action for _, action, _ in told]
    intents = {payload["act"]: index for index, (_, action, payload) in enumerate(told) if action == "act.intended"}

    assert actions[0] == "commissioning.ordered"
    assert actions[-1] == "run.succeeded"
    assert {"generate asked 0", "request certificates", "activate", "retire seal"} <= intents.keys()
    assert intents["activate"] < actions.index("certificate.active") < intents["retire seal"]
    assert intents["retire seal"] < actions.index("certificate.retired") < actions.index("gateway.personalise")
    assert eventually(lambda: audit.link_pending() == 0 and not audit.verify().pending)
    assert audit.verify().intact


@pytest.mark.requirement("O-8")
def test_the_transcript_holds_exchanges_and_no_secrets(scene: Scene, commissioned: str) -> None:
    """Every exchange of the run is there with its line, sizes and digests; no meter key, no password anywhere."""
    exchanges = Exchange.objects.filter(gateway__device_id=commissioned)
    purposes = set(exchanges.values_list("purpose", flat=True))

    assert {"status", "clock", "generate key pairs", "import certificates", "activate certificates"} <= purposes
    assert exchanges.filter(status__in=(200, 201, 202, 204)).count() >= 25
    assert not exchanges.filter(run__isnull=True).exists()
    label = f"client-{scene.stage.site.client}.{commissioned.lower()}.han.consumer1"
    keys = [meter.key for meter in scene.gateway(commissioned).core.config.meters]
    _assert_nowhere([*keys, scene.stage.site.keys.secret(label)])


def _assert_nowhere(secrets: list[bytes]) -> None:
    """No text or octet column of any table holds one of these, plain, in hex or in base64."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "
                       "AND table_schema IN ('public', 'absurd')")  # fmt: skip
        for schema, table in cursor.fetchall():
            for secret in secrets:
                cursor.execute(
                    f'SELECT count(*) FROM "{schema}"."{table}" t WHERE t::text ILIKE ANY (%s)',
                    [[f"%{secret.hex()}%", f"%{secret.decode('latin-1').encode('unicode_escape').decode()}%"]],
                )
                assert cursor.fetchone() == (0,), (schema, table)


@pytest.mark.requirement("P03", "SIM-refuse-profile-4xx")
def test_a_failed_commissioning_can_be_ordered_again(scene: Scene) -> None:
    """Once the trouble is mended the same order succeeds; what was right stays: no second set of certificates."""
    device = scene.take(Fault.REFUSE_PROFILE_4XX)
    assert scene.ended(scene.commission(device)).state == "failed"
    scene.fault(device, Fault.REFUSE_PROFILE_4XX, on=False)
    again = scene.ended(scene.stage.order("commissioning", device, scene.fields(device)))

    assert again.state == "succeeded", again
    assert len(scene.issued(device)) == 1
    assert Gateway.objects.get(device_id=device).state == "operational"


@pytest.mark.requirement("P03", "SIM-key-generation-fails")
def test_a_commissioning_that_failed_early_frees_gateway_and_meters(scene: Scene) -> None:
    """Before the exchange of certificates a failure gives everything back as delivered, and the next order works."""
    device = scene.take(Fault.KEY_GENERATION)
    assert scene.ended(scene.commission(device)).state == "failed"
    gateway = Gateway.objects.get(device_id=device)
    assert (gateway.state, Meter.objects.filter(gateway=gateway).count()) == ("delivered", 0)
    scene.fault(device, Fault.KEY_GENERATION, on=False)

    assert scene.ended(scene.commission(device)).state == "succeeded"


@pytest.mark.requirement("P03", "SIM-silent")
def test_a_silent_gateway_is_woken_and_its_client_told(scene: Scene) -> None:
    """The run waits visibly and wakes; after the agreed silence the client is told once; power on, and it goes on."""
    device = scene.take()
    run_id = scene.order_only(device)
    line = scene.waiting(run_id, attempts=4)
    run = Run.objects.get(run_id=run_id)

    assert (line.step, line.code, line.side) == ("first_contact", "gateway.not_connected", "gateway")
    assert (run.waiting_for, run.next_attempt_at is not None) == ("device", True)
    assert Exchange.objects.filter(gateway__device_id=device, purpose="wake-up").count() >= 3
    assert eventually(lambda: "client.told_of_silence" in scene.actions(device))
    scene.stage.power_on(device)
    assert scene.ended(run_id).state == "succeeded"
    assert scene.actions(device).count("client.told_of_silence") == 1
    run.refresh_from_db()
    assert (run.code, run.side, run.failure, run.waiting_for) == ("", "", "", "")


@pytest.mark.requirement("P03")
def test_before_the_fitter_is_expected_nobody_is_woken_or_told(scene: Scene) -> None:
    """The run waits visibly for the installation; silence counts from then on, and no sooner."""
    device = scene.take()
    planned = datetime.now(UTC) + timedelta(seconds=4)
    run_id = scene.order_only(device, install_at=planned.isoformat())
    line = scene.until(run_id, lambda line: line.step == "first_contact" and line.state == "waiting")
    run = Run.objects.get(run_id=run_id)
    step = run.steps.get(name="first_contact")

    assert (run.waiting_for, line.attempts, line.code) == ("device", 0, "")
    assert step.detail["de"].startswith("wartet auf den Einbau am ")
    time.sleep(scene.patience["tell_client"] + 0.5)
    assert not Exchange.objects.filter(gateway__device_id=device, purpose="wake-up").exists()
    assert "client.told_of_silence" not in scene.actions(device)
    scene.waiting(run_id, attempts=1)
    assert datetime.now(UTC) >= planned
    assert eventually(lambda: "client.told_of_silence" in scene.actions(device))
    told = AuditEntry.objects.get(subject=f"gateway:{device}", action="client.told_of_silence")
    assert told.at >= planned + timedelta(seconds=scene.patience["tell_client"])
    scene.stage.power_on(device)
    assert scene.ended(run_id).state == "succeeded"


@pytest.mark.requirement("P03")
def test_an_early_fitter_waits_for_nothing(scene: Scene) -> None:
    """The gateway calls days before it was planned: it gets into operation at once, and its readings with it."""
    device = scene.take()
    planned = datetime.now(UTC) + timedelta(days=3)
    line = scene.ended(scene.commission(device, install_at=planned.isoformat()))

    assert line.state == "succeeded", line
    assert datetime.fromisoformat(line.result["first_value_at"]) < datetime.now(UTC)


@pytest.mark.requirement("P03")
def test_a_network_that_takes_no_wake_up_fails_nothing(scene: Scene) -> None:
    """The address for wake-ups cannot be reached: the run goes on waiting, and succeeds when the gateway calls."""
    device = scene.take()
    run_id = scene.order_only(device, wan_address="nowhere.invalid:7711")
    scene.waiting(run_id, attempts=3)
    scene.stage.power_on(device)

    assert scene.ended(run_id).state == "succeeded"


@pytest.mark.requirement("P03")
def test_a_cancelled_commissioning_can_be_ordered_again(scene: Scene) -> None:
    """Who cancels while the gateway is silent gets gateway and meters back, free for the next order."""
    device = scene.take()
    run_id = scene.order_only(device)
    scene.waiting(run_id, attempts=1)
    assert scene.cancel(run_id)
    gateway = Gateway.objects.get(device_id=device)

    assert scene.line(run_id).state == "cancelled"
    assert (gateway.state, Meter.objects.filter(gateway=gateway).count()) == ("delivered", 0)
    assert scene.ended(scene.commission(device)).state == "succeeded"


@pytest.mark.requirement("P03", "SIM-reboot-in-write")
def test_a_gateway_without_power_for_a_while_is_waited_for(scene: Scene) -> None:
    """Power cut in the middle of the commissioning: the run waits for the gateway and finishes when it is back."""
    device = scene.take()
    run_id = scene.commission(device)
    scene.until(run_id, lambda line: "keys" in line.steps)
    scene.power_off(device)
    assert scene.waiting(run_id, attempts=1).side in ("gateway", "network")
    scene.stage.power_on(device)

    assert scene.ended(run_id).state == "succeeded"
    assert len(scene.issued(device)) == 1


@pytest.mark.requirement("P03", "G-3")
def test_certificates_of_the_exchange_are_of_the_profile(scene: Scene, commissioned: str) -> None:
    """The three operational certificates are for this gateway, of one set with running number 1."""
    (issued,) = scene.issued(commissioned)
    identities = [identify(certificate) for certificate in issued]

    assert {identity.name for identity in identities} == {commissioned}
    assert sorted(identity.use for identity in identities) == ["ENC", "SIG", "TLS"]
    assert {identity.sequence for identity in identities} == {1}
    assert all(isinstance(c, x509.Certificate) for c in issued)
