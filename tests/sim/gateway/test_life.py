"""The life of a gateway from its seal to its readings, against a head-end made of codecs only."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from torwart.kernel.identifiers import ObisCode
from torwart.kernel.refusals import Refusal
from torwart.sim.gateway.tariff import midnights
from torwart.wire.certificate import Role
from torwart.wire.crmf import parse_package
from torwart.wire.profiles import (
    AdministratorProfile,
    CommunicationProfile,
    Endpoint,
    Peer,
    Scenario,
    Schedule,
    WakeUpProfile,
)
from torwart.wire.profiles.evaluation import (
    DayProfile,
    DayTimeProfile,
    TariffChangeTrigger,
    TariffStage,
    TimeTrigger,
    WeekProfile,
)
from torwart.wire.smgw import LateResult, LogKind, RequestOrder, Standing, result_contact, told

pytestmark = pytest.mark.requirement("P03")


def refusal_of(caught: pytest.ExceptionInfo[Refusal]) -> str:
    return caught.value.code


def test_first_contact_is_made_with_the_seal_and_the_time_is_set(world: Any) -> None:
    """A new device calls MANAGEMENT with its seal certificate, asks the time once and believes it."""

    async def story() -> None:
        async with world() as w:
            session = await w.connected()
            assert session.certificate == w.gateway.core.config.seal.tls.certificate
            await w.synchronised()
            clock = await w.ask(w.smgw.read_clock())
            assert clock.valid
            assert abs((clock.at - datetime.now(UTC)).total_seconds()) < 1
            assert w.head_end.asked_time == 1
            status = await w.ask(w.smgw.read_status())
            assert (status.standing, status.metering) == (Standing.SEAL, False)

    asyncio.run(story())


def test_operational_certificates_replace_the_seal(world: Any) -> None:
    """Keys are made on the device, certificates of exactly these keys are taken, the seal is destroyed for good."""

    async def story() -> None:
        async with world() as w:
            await w.commission()
            entries = await w.ask(w.smgw.read_certificates())
            assert {entry.standing for entry in entries} == {Standing.CURRENT}
            assert not w.gateway.core.module.has(Standing.SEAL)
            session = w.head_end.sessions[str(w.device)]
            assert session.certificate.issuer == w.pki.sub_ca.certificate.subject
            booted = await w.told(10001)
            assert (booted.device, booted.number) == (w.device, 1)

    asyncio.run(story())


def test_a_renewal_is_signed_with_the_old_key(world: Any) -> None:
    """The renewal package bears the outer signature of the operational SIG key; inner signatures hold too."""

    async def story() -> None:
        async with world() as w:
            await w.commission()
            await w.ask(w.smgw.generate_key_pairs())
            order = RequestOrder("SM-Test-PKI-DE", "GWA", 2, renewal=True)
            package = parse_package(await w.ask(w.smgw.certificate_request(order)))
            package.check_inner()
            sig = w.head_end.knows[str(w.device)][0]
            package.check_outer({package.outer.ski: sig.public_key()})
            assert package.subject.sequence == 2

    asyncio.run(story())


@pytest.mark.parametrize("wrong", ["other device", "other key", "foreign PKI", "two only"])
def test_wrong_certificates_are_refused(world: Any, wrong: str) -> None:
    """A certificate of another name, another key or another PKI is not installed, nor an incomplete set."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.ask(w.smgw.generate_key_pairs())
            package = parse_package(await w.ask(w.smgw.certificate_request(RequestOrder("O", "GWA", 1))))
            keys = package.public_keys
            triple = {
                "other device": lambda: w.pki.issue_triple(Role.SMGW, "EPPC0299999999", public_keys=keys),
                "other key": lambda: w.pki.issue_triple(Role.SMGW, str(w.device)),
                "foreign PKI": lambda: w.pki.foreign.issue_triple(Role.SMGW, str(w.device), public_keys=keys),
                "two only": lambda: w.pki.issue_triple(Role.SMGW, str(w.device), public_keys=keys),
            }[wrong]()
            certificates = [credential.certificate_der for credential in triple]
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.import_certificates(certificates[: 2 if wrong == "two only" else 3]))
            assert refusal_of(refusal) == "cosem.application"
            with pytest.raises(Refusal):
                await w.ask(w.smgw.activate_certificates())
            assert (await w.told(10404)).level == "ERROR"

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.4")
def test_only_the_configured_administrator_is_obeyed(world: Any) -> None:
    """A message signed by another GWA of the same PKI is refused, although its certificate chains."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            other = w.pki.issue_triple(Role.GWA, "Jemand anders")
            from torwart.wire import cms

            w.head_end.signer = cms.LocalSigner(other.sig.key, other.sig.certificate)
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.certificate_request(RequestOrder("O", "GWA", 1)))
            assert refusal_of(refusal) == "cosem.application"
            assert refusal.value.details["code"] == "cms.signer_unknown"

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.7")
def test_profiles_are_written_whole_and_read_back_without_secrets(world: Any) -> None:
    """What is read back equals what was written, except write-only keys; lists and deletion agree."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.connected()
            profiles = [w.meter_profile(), w.emt_profile()]
            for profile in profiles:
                await w.ask(w.smgw.write_profile(profile))
                back = await w.ask(w.smgw.read_back(profile))
                assert back.digest == profile.digest
            assert (await w.ask(w.smgw.read_back(profiles[0]))).extension.key is None
            listed = await w.ask(w.smgw.list_profiles())
            assert set(listed) == {profile.address for profile in profiles}
            await w.ask(w.smgw.remove(profiles[1]))
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.read_back(profiles[1]))
            assert refusal_of(refusal) == "cosem.not_found"

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.7")
def test_profiles_that_do_not_fit_together_are_refused(world: Any) -> None:
    """An evaluation needs its meter's and its recipient's profile; what it needs cannot be deleted under it."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.connected()
            with pytest.raises(Refusal):
                await w.ask(w.smgw.write_profile(w.contract()))
            await w.ask(w.smgw.write_profile(w.meter_profile()))
            with pytest.raises(Refusal):
                await w.ask(w.smgw.write_profile(w.contract()))
            await w.ask(w.smgw.write_profile(w.emt_profile()))
            await w.ask(w.smgw.write_profile(w.contract()))
            for needed in (w.meter_profile(), w.emt_profile()):
                with pytest.raises(Refusal):
                    await w.ask(w.smgw.remove(needed))
            assert len(await w.ask(w.smgw.list_profiles())) == 3

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.7")
def test_the_administrators_own_profiles_are_obeyed(world: Any) -> None:
    """New addresses, suite, session limit and report level count from the moment they are written."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            tls, sig, enc = (credential.certificate_der for credential in w.pki.gwa)
            peer = Peer((Endpoint(*w.head_end.management),), (tls,), sig, enc)
            management = CommunicationProfile("management", Scenario.MANAGEMENT, peer, session_limit=600)
            trust = tuple(w.gateway.core.config.initial.trust)
            administrator = AdministratorProfile("gwa", "GWA", (tls,), sig, enc, trust, report_level="FATAL")
            wake_up = WakeUpProfile("wake-up", False, 5000, sig, 60)
            for profile in (management, administrator, wake_up):
                await w.ask(w.smgw.write_profile(profile))
            rules = w.gateway.core.memory.rules
            assert (rules.session_seconds, rules.report_level, rules.wake_up_window) == (600.0, "FATAL", 60)
            assert not w.gateway.wake_up(w.wake_up())

            before = w.head_end.session_count
            w.timeline.advance(timedelta(seconds=601))
            await w.connected(after=before)

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.1")
def test_a_closed_channel_stays_closed_until_something_wants_it(world: Any) -> None:
    """After the GWA has hung up in order the gateway does not call again by itself; a wake-up makes it call."""

    async def story() -> None:
        async with world() as w:
            session = await w.connected()
            await w.synchronised()
            assert w.gateway.wake_up(w.wake_up(w.gateway.core.clock.now()))
            session.end()
            await w.head_end.until(lambda: not w.head_end.sessions)
            w.timeline.advance(timedelta(hours=3))
            await asyncio.sleep(0.1)
            assert not w.head_end.sessions
            assert w.gateway.wake_up(w.wake_up(w.gateway.core.clock.now()))
            await w.connected(after=1)

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.1", "WAN-2")
def test_a_session_lasts_at_most_48_hours(world: Any) -> None:
    """When the limit has come the gateway closes and shakes hands anew, without being woken."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            w.timeline.advance(timedelta(hours=48, seconds=1))
            await w.connected(after=1)

    asyncio.run(story())


def test_a_broken_line_is_tried_again_with_growing_pauses(world: Any) -> None:
    """While nobody answers the pauses grow up to a quarter of an hour; then the gateway is back."""

    async def story() -> None:
        async with world(power=False) as w:
            address = w.head_end.management
            await w.head_end._servers[0].stop()
            w.gateway.power_on()
            for _ in range(6):
                failed = w.gateway.management.failures
                await w.head_end.until(lambda failed=failed: w.gateway.management.failures > failed)
                w.timeline.advance(timedelta(seconds=900))
            w.head_end._servers[0]._handler = w.head_end._management
            await w.head_end._servers[0].start(*address)
            w.timeline.advance(timedelta(seconds=900))
            await w.connected()

    asyncio.run(story())


def test_readings_reach_the_emt_and_the_gwa_hears_of_it(world: Any) -> None:
    """The start value comes at once, quarter-hours follow by schedule; each value bears the gateway's signature."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            await w.measure(w.contract(schedule=Schedule(period=3600)))
            await w.head_end.until(lambda: w.emt.values == 1)
            (received,) = w.emt.received.values()
            assert received.contract == "01005e318027.taf7-1.sm"
            sent = await w.told(16001)
            assert sent.parameters == ("1", "emt-1")

            w.timeline.advance(timedelta(hours=2))
            await w.head_end.until(lambda: w.emt.values > 8)
            assert w.emt.refused == []
            contracts = await w.ask(w.smgw.list_contracts())
            await w.head_end.until(lambda: w.gateway.core.memory.sent_count["taf7-1"] == w.emt.values)
            assert [(c.contract, c.state.value) for c in contracts] == [("taf7-1", "running")]
            devices = await w.ask(w.smgw.list_lmn())
            assert [(d.meter, d.paired, d.seen) for d in devices] == [(w.meter.device, True, True)]
            assert devices[0].status_word is not None

    asyncio.run(story())


def test_taf2_delivers_stages_error_register_and_the_meters_own(world: Any) -> None:
    """Stages + error register = what the meter's own register moved since the start value."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            stages = tuple(TariffStage(n, ObisCode(f"1-0:1.8.{n}")) for n in (1, 2))
            day = DayProfile(1, (DayTimeProfile(time(6), 1), DayTimeProfile(time(22), 2)))
            trigger = TariffChangeTrigger(TimeTrigger((day,), WeekProfile(*[1] * 7)))
            contract = w.contract(
                2, tariff_stage=stages, default_tariff_number=2, tariff_change_trigger=trigger, schedule=Schedule(900)
            )
            await w.measure(contract)
            await w.head_end.until(lambda: w.emt.values > 0)
            (received,) = w.emt.received.values()
            start = received.last_value["1-0:1.8.0"]
            for _ in range(4):
                deliveries = received.deliveries
                w.timeline.advance(timedelta(hours=6))
                await w.head_end.until(lambda deliveries=deliveries: received.deliveries > deliveries)
            values = received.last_value
            assert set(values) == {"1-0:1.8.0", "1-0:1.8.1", "1-0:1.8.2", "1-0:1.8.63"}
            moved = values["1-0:1.8.0"] - start
            assert values["1-0:1.8.1"] + values["1-0:1.8.2"] + values["1-0:1.8.63"] == moved > 0
            assert values["1-0:1.8.1"] > 0

    asyncio.run(story())


def test_taf6_is_read_on_demand_and_answered_later(world: Any) -> None:
    """An order to send at once is answered 202; the number of values comes to the contact under the same x-CID."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            await w.measure(w.contract(6))
            await w.head_end.until(lambda: w.emt.values == 1)
            began = w.gateway.core.clock.now()
            w.timeline.advance(timedelta(hours=40))
            days = len(list(midnights(began, w.gateway.core.clock.now())))
            question = w.smgw.send_reading_now("taf6-1").with_reply(result_contact("127.0.0.1"))
            assert question.later(await w.head_end.exchange(str(w.device), question))

            def results() -> list[LateResult]:
                said = [told(p.request.target, dict(p.request.headers), p.content) for p in w.head_end.posted]
                return [r for r in said if isinstance(r, LateResult) and r.correlation == question.correlation]

            await w.head_end.until(results)
            assert question.result(results()[0].body) == days + 1

    asyncio.run(story())


@pytest.mark.requirement("WAN-1.8")
def test_logs_are_read_filtered_and_cleared(world: Any) -> None:
    """Entries come newest first and by level; a cleared log is empty, its numbers go on."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.synchronised()
            whole = (await w.ask(w.smgw.read_log(LogKind.SYSTEM))).entries
            numbers = [entry.record_number for entry in whole]
            assert numbers == sorted(numbers, reverse=True)
            assert {entry.event for entry in whole} >= {10001, 10110}
            assert (await w.ask(w.smgw.read_log(LogKind.SYSTEM, level="F"))).entries == ()
            assert len((await w.ask(w.smgw.read_log(LogKind.SYSTEM, count=1))).entries) == 1
            await w.ask(w.smgw.clear_log(LogKind.CALIBRATION))
            assert (await w.ask(w.smgw.read_log(LogKind.CALIBRATION))).entries == ()

    asyncio.run(story())


def test_self_test_restart_and_wiping(world: Any) -> None:
    """The self-test passes on a healthy device, a restart brings it back, wiping takes what the consumer could see."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            await w.measure(w.contract())
            assert (await w.ask(w.smgw.self_test())).passed
            await w.head_end.until(lambda: w.emt.values == 1)
            assert w.gateway.core.memory.series
            await w.ask(w.smgw.wipe_consumer_data("consumer-1"))
            assert not w.gateway.core.memory.series
            before = w.head_end.session_count
            await w.ask(w.smgw.restart())
            w.timeline.advance(timedelta(seconds=1))
            await w.connected(after=before)
            assert len(await w.ask(w.smgw.list_profiles())) == 3

    asyncio.run(story())
