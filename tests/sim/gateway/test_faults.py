"""Every fault of the list shows its effect in a real exchange, and only while it is on."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from torwart.kernel.refusals import Refusal
from torwart.sim.gateway import Fault, http_fault
from torwart.sim.gateway.event import EVENTS, EventKind
from torwart.sim.pki import TestPki
from torwart.wire import cms
from torwart.wire.certificate import load_certificate
from torwart.wire.profiles import Schedule
from torwart.wire.smgw import ImageState, LogKind, OperatingState, RequestOrder, Standing

SPAN = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def simulates(*faults: Fault) -> pytest.MarkDecorator:
    return pytest.mark.requirement(*(f"SIM-{fault.value}" for fault in faults))


async def quiet(w: Any, seconds: float = 0.15) -> None:
    """Let everything that could happen, happen."""
    await asyncio.sleep(seconds)


def test_every_fault_explains_itself() -> None:
    """Words and explanations are unique, so that a person can choose from the list."""
    assert len({fault.value for fault in Fault}) == len(Fault) == len({fault.explanation for fault in Fault})
    assert all(fault.explanation.endswith(".") for fault in Fault)


def test_every_event_has_its_row() -> None:
    """Each kind of event stands in the table once, with a number of its own."""
    assert set(EVENTS) == set(EventKind)
    assert len({event.id for event in EVENTS.values()}) == len(EVENTS)


@simulates(Fault.SILENT)
def test_silent(world: Any) -> None:
    """A silent device opens nothing and hears no wake-up; told to speak again it calls."""

    async def story() -> None:
        async with world(Fault.SILENT) as w:
            await quiet(w)
            assert not w.head_end.sessions
            assert not w.gateway.wake_up(w.wake_up())
            w.fleet.set_fault(str(w.device), Fault.SILENT, on=False)
            await w.connected()
            await w.synchronised()
            w.fleet.set_fault("*", Fault.SILENT)
            await w.head_end.until(lambda: not w.head_end.sessions)

    asyncio.run(story())


@simulates(Fault.LATE)
def test_late(world: Any) -> None:
    """A late device reacts after six hours of simulated time, not before."""

    async def story() -> None:
        async with world(Fault.LATE) as w:
            await quiet(w)
            w.timeline.advance(timedelta(hours=5, minutes=59))
            await quiet(w)
            assert not w.head_end.sessions
            w.timeline.advance(timedelta(minutes=2))
            await w.connected()

    asyncio.run(story())


@simulates(Fault.DROP_HANDSHAKE)
def test_drop_handshake(world: Any) -> None:
    """The head-end sees handshakes that break; without the fault the next attempt succeeds."""

    async def story() -> None:
        async with world(Fault.DROP_HANDSHAKE) as w:
            await w.head_end.until(lambda: any(r.code == "sim.connection_lost" for r in w.head_end.refused))
            assert not w.head_end.sessions
            w.gateway.set_fault(Fault.DROP_HANDSHAKE, on=False)
            w.timeline.advance(timedelta(minutes=15))
            await w.connected()

    asyncio.run(story())


@simulates(Fault.DROP_REQUEST, Fault.DROP_BODY)
@pytest.mark.parametrize(("fault", "done"), [(Fault.DROP_REQUEST, False), (Fault.DROP_BODY, True)])
def test_drops_in_an_exchange(world: Any, fault: Fault, done: bool) -> None:
    """The connection breaks in the exchange; dropped in the request nothing was done, in the body it was."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            w.gateway.set_fault(fault)
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.self_test())
            assert refusal.value.code in ("http.ended", "sim.connection_lost")
            assert (w.gateway.resources.self_test is not None) is done
            w.gateway.set_fault(fault, on=False)
            w.timeline.advance(timedelta(minutes=15))
            await w.connected(after=1)
            await w.ask(w.smgw.self_test())

    asyncio.run(story())


@simulates(Fault.SLOW_LORIS)
def test_slow_loris(world: Any) -> None:
    """The answer drips octet by octet until the head-end's time limit ends it."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            w.gateway.set_fault(Fault.SLOW_LORIS)
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.read_clock(), timeout=0.3)
            assert refusal.value.code == "http.timeout"

    asyncio.run(story())


@simulates(
    Fault.WRONG_CERTIFICATE, Fault.EXPIRED_CERTIFICATE, Fault.FOREIGN_CA, Fault.REVOKED_CERTIFICATE, Fault.WRONG_CN
)
def test_certificates_shown(world: Any, pki: TestPki) -> None:
    """Under each certificate fault the device shows the certificate that is wrong in just that way."""

    async def shown(fault: Fault, own_pki: TestPki) -> Any:
        async with world(fault, own_pki=own_pki) as w:
            await w.head_end.until(lambda: w.head_end.shown or w.head_end.refused)
            return load_certificate(w.head_end.shown[0]) if w.head_end.shown else w.head_end.refused[0]

    own = TestPki.create(pki.now)
    for fault in (Fault.EXPIRED_CERTIFICATE, Fault.FOREIGN_CA):
        refusal = asyncio.run(shown(fault, own))
        assert refusal.code == {"expired-certificate": "tls.expired", "foreign-ca": "tls.unknown_ca"}[fault.value]
    wrong = asyncio.run(shown(Fault.WRONG_CERTIFICATE, own))
    assert cms.ski_of(wrong)
    assert not [e for e in wrong.extensions if e.oid.dotted_string == "2.5.29.37"]
    other = asyncio.run(shown(Fault.WRONG_CN, own))
    assert "EPPC0299999999.SMGW" in other.subject.rfc4514_string()
    revoked = asyncio.run(shown(Fault.REVOKED_CERTIFICATE, own))
    assert revoked.serial_number in own.sub_ca.revocations


@simulates(Fault.SEAL_CERTIFICATE)
def test_seal_instead_of_operational(world: Any) -> None:
    """With operational certificates active the device still shows its seal."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.ask(w.smgw.generate_key_pairs())
            from torwart.wire.certificate import Role
            from torwart.wire.crmf import parse_package

            package = parse_package(await w.ask(w.smgw.certificate_request(RequestOrder("O", "GWA", 1))))
            triple = w.pki.issue_triple(Role.SMGW, str(w.device), public_keys=package.public_keys)
            await w.ask(w.smgw.import_certificates([c.certificate_der for c in triple]))
            w.gateway.set_fault(Fault.SEAL_CERTIFICATE)
            await w.ask(w.smgw.activate_certificates())
            session = await w.connected(after=1)
            assert session.certificate == w.gateway.core.config.seal.tls.certificate
            assert w.gateway.links.real_standing is Standing.CURRENT

    asyncio.run(story())


@simulates(Fault.CLOCK_5S, Fault.CLOCK_20S, Fault.CLOCK_2H)
@pytest.mark.parametrize(
    ("fault", "event"), [(Fault.CLOCK_5S, 10200), (Fault.CLOCK_20S, 10201), (Fault.CLOCK_2H, 10202)]
)
def test_clock_off(world: Any, fault: Fault, event: int) -> None:
    """5 s are set right in silence, 20 s are reported (over 1 %), 2 h make the time invalid (over 3 %)."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.synchronised()
            w.gateway.set_fault(fault)
            before = len(w.gateway.core.memory.logs[LogKind.CALIBRATION])
            w.timeline.advance(timedelta(seconds=61))
            await w.gateway.time.poll()
            newest = w.gateway.core.memory.logs[LogKind.CALIBRATION].newest_first()
            assert event in {entry.event for entry in newest[: len(newest) - before]}
            assert w.gateway.core.clock.valid is (fault is not Fault.CLOCK_2H)
            state = (await w.ask(w.smgw.read_status())).state
            assert (state is OperatingState.SECURE_MEASUREMENT) is (fault is Fault.CLOCK_2H)
            if event != 10200:
                await w.told(event)

    asyncio.run(story())


@simulates(Fault.NTP_LATE)
def test_ntp_late(world: Any) -> None:
    """An answer that comes after more than 9 s is ignored: the time stays invalid, and the GWA is told."""

    async def story() -> None:
        async with world(Fault.NTP_LATE) as w:
            ignored = await w.told(10203)
            assert ignored.parameters == ("ntp.delayed",)
            assert not w.gateway.core.clock.valid

    asyncio.run(story())


@simulates(Fault.REFUSE_PROFILE_4XX, Fault.REFUSE_PROFILE_COSEM)
@pytest.mark.parametrize(
    ("fault", "code"), [(Fault.REFUSE_PROFILE_4XX, "cosem.answer"), (Fault.REFUSE_PROFILE_COSEM, "cosem.application")]
)
def test_refuses_profiles(world: Any, fault: Fault, code: str) -> None:
    """A profile is refused by HTTP status or COSEM status, and is not there afterwards."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            w.gateway.set_fault(fault)
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.write_profile(w.meter_profile()))
            assert refusal.value.code == code
            w.gateway.set_fault(fault, on=False)
            assert await w.ask(w.smgw.list_profiles()) == ()

    asyncio.run(story())


@simulates(Fault.FORGET_PROFILE)
def test_forgets_profiles(world: Any) -> None:
    """The write is answered with success, the read-back shows what was there before."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            first = w.meter_profile()
            await w.ask(w.smgw.write_profile(first))
            w.gateway.set_fault(Fault.FORGET_PROFILE)
            second = w.meter_profile(key=bytes(16))
            await w.ask(w.smgw.write_profile(second))
            back = await w.ask(w.smgw.read_back(second))
            assert back.digest == first.digest != second.digest

    asyncio.run(story())


@simulates(Fault.REBOOT_IN_WRITE)
def test_reboots_in_a_write(world: Any) -> None:
    """The device restarts in the middle: nothing of the write is kept, everything before is; the repeat succeeds."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.connected()
            await w.ask(w.smgw.write_profile(w.meter_profile()))
            w.gateway.set_fault(Fault.REBOOT_IN_WRITE)
            with pytest.raises(Refusal):
                await w.ask(w.smgw.write_profile(w.emt_profile()))
            await w.connected(after=1)
            assert await w.ask(w.smgw.list_profiles()) == (w.meter_profile().address,)
            await w.ask(w.smgw.write_profile(w.emt_profile()))
            assert [e.event for e in w.events()].count(10001) >= 1

    asyncio.run(story())


@simulates(Fault.KEY_GENERATION)
def test_key_generation_fails(world: Any) -> None:
    """The module makes no keys: the GWA gets an application error and an event."""

    async def story() -> None:
        async with world(Fault.KEY_GENERATION) as w:
            await w.connected()
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.generate_key_pairs())
            assert refusal.value.code == "cosem.application"
            await w.told(10401)

    asyncio.run(story())


CMS_FAULTS = [
    (Fault.CMS_FLIPPED_MAC, "cms.mac_wrong"),
    (Fault.CMS_WRONG_RECIPIENT, "cms.wrong_recipient"),
    (Fault.CMS_WRONG_SIGNER, "cms.signature_wrong"),
    (Fault.CMS_BOMB, "cms.bomb"),
]


@simulates(*(fault for fault, _ in CMS_FAULTS))
@pytest.mark.parametrize(("fault", "code"), CMS_FAULTS)
def test_wrong_cms(world: Any, fault: Fault, code: str) -> None:
    """Each wrong message is refused by the receiver for exactly what is wrong with it."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            w.gateway.set_fault(fault)
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.read_clock())
            assert refusal.value.code == code

    asyncio.run(story())


@simulates(Fault.CMS_CBC_CMAC, Fault.CMS_UNCOMPRESSED, Fault.CMS_INDEFINITE)
def test_unusual_cms_is_taken(world: Any) -> None:
    """CBC-CMAC, missing compression and BER of indefinite length are unusual and must be understood."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            answers = []
            for fault in (Fault.CMS_CBC_CMAC, Fault.CMS_UNCOMPRESSED, Fault.CMS_INDEFINITE):
                w.gateway.set_fault(fault)
                body = (await w.head_end.exchange(str(w.device), w.smgw.read_clock())).body
                w.gateway.set_fault(fault, on=False)
                sig = w.head_end.knows[str(w.device)][0]
                signers = {cms.ski_of(sig): sig.public_key()}
                opened = cms.open_protected(body, agreer=w.head_end.agreer, signers=signers)
                answers.append((opened.suite, opened.compressed, body[1] == 0x80))
            assert answers[0] == (cms.Suite.CBC_CMAC, True, False)
            assert answers[1] == (cms.Suite.GCM, False, False)
            assert answers[2] == (cms.Suite.GCM, True, True)

    asyncio.run(story())


@simulates(Fault.CHUNKED, Fault.HEADER_FLOOD)
@pytest.mark.parametrize("fault", [Fault.CHUNKED, Fault.HEADER_FLOOD])
def test_wrong_http_responses(world: Any, fault: Fault) -> None:
    """Chunked answers and header floods end the connection with a refusal by name."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            w.gateway.set_fault(fault)
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.read_clock())
            assert refusal.value.code in ("http.length_required", "http.header_too_long")

    asyncio.run(story())


@simulates(*http_fault.REQUEST_FAULTS)
@pytest.mark.parametrize("fault", sorted(http_fault.REQUEST_FAULTS))
def test_wrong_http_requests(world: Any, fault: Fault) -> None:
    """Wrong requests on ADMIN-SERVICE are refused; the event is not lost but comes once the fault is gone."""

    async def story() -> None:
        async with world(fault) as w:
            await w.head_end.until(lambda: w.gateway.reporter.failures > 0)
            assert all(len(p.content) for p in w.head_end.posted)
            w.gateway.set_fault(fault, on=False)
            w.timeline.advance(timedelta(minutes=10))
            await w.told(10001)
            assert w.gateway.core.memory.notices == []

    asyncio.run(story())


@simulates(Fault.DUPLICATE_EVENTS, Fault.REORDER_EVENTS)
def test_duplicates_and_disorder(world: Any) -> None:
    """Events come twice with the same number, or the newest first; numbers show it."""

    async def story() -> None:
        async with world(Fault.DUPLICATE_EVENTS) as w:
            await w.head_end.until(lambda: len(w.events()) >= 2)
            assert w.events()[0].number == w.events()[1].number
            w.head_end.admin_status = 503
            w.gateway.set_fault(Fault.DUPLICATE_EVENTS, on=False)
            w.gateway.set_fault(Fault.REORDER_EVENTS)
            for _ in range(3):
                w.gateway.core.log(EventKind.ALARM_TEST, "x")
                w.gateway.core.log(EventKind.KEYS_FAILED)
            await w.head_end.until(lambda: w.gateway.reporter.failures > 0)
            start = len(w.events())
            w.head_end.admin_status = 204
            w.timeline.advance(timedelta(minutes=10))
            await w.head_end.until(lambda: len(w.events()) >= start + 6)
            numbers = [event.number for event in w.events()[start:]]
            assert numbers == sorted(numbers, reverse=True)

    asyncio.run(story())


@simulates(Fault.ALARM_STORM)
def test_alarm_storm(world: Any) -> None:
    """Ten thousand alarms arise within a simulated minute and wait their turn; what is sent is sent once."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.told(10001)
            w.gateway.set_fault(Fault.ALARM_STORM)
            w.timeline.advance(timedelta(minutes=1))
            raised = w.gateway.core.memory.next_notice
            assert raised >= 10_000
            await w.head_end.until(lambda: len(w.events()) > 50)
            numbers = [event.number for event in w.events()]
            assert numbers == sorted(set(numbers))

    asyncio.run(story())


@simulates(Fault.FROZEN_VALUE, Fault.MISSING_EXPORT)
def test_meter_values_that_stand_or_miss(world: Any) -> None:
    """A frozen register delivers the same value hour after hour; a missing 2.8.0 is delivered as no value."""

    async def story() -> None:
        from torwart.kernel.identifiers import ObisCode
        from torwart.wire.profiles.evaluation import Assignment

        async with world(Fault.FROZEN_VALUE, Fault.MISSING_EXPORT, emt=True) as w:
            await w.commission()
            both = tuple(Assignment(w.meter.device, ObisCode(code)) for code in ("1-0:1.8.0", "1-0:2.8.0"))
            await w.measure(w.contract(assignment=both, schedule=Schedule(3600)))
            await w.head_end.until(lambda: w.emt.values == 2)
            (received,) = w.emt.received.values()
            first = dict(received.last_value)
            assert first["1-0:2.8.0"] is None
            w.timeline.advance(timedelta(hours=5))
            await w.head_end.until(lambda: received.deliveries > 1)
            assert received.last_value == first

    asyncio.run(story())


@simulates(Fault.METER_ABSENT, Fault.METER_WRONG_KEY)
@pytest.mark.parametrize("fault", [Fault.METER_ABSENT, Fault.METER_WRONG_KEY])
def test_meters_that_do_not_pair(world: Any, fault: Fault) -> None:
    """A meter that is not seen or has another key cannot be paired; the LMN list shows which of the two it is."""

    async def story() -> None:
        async with world(fault) as w:
            await w.connected()
            await w.ask(w.smgw.write_profile(w.meter_profile()))
            with pytest.raises(Refusal) as refusal:
                await w.ask(w.smgw.pair_meter(w.meter.device))
            assert refusal.value.code == "cosem.application"
            (device,) = await w.ask(w.smgw.list_lmn())
            assert (device.configured, device.paired, device.seen) == (True, False, fault is Fault.METER_WRONG_KEY)
            await w.told(10501)
            w.gateway.set_fault(fault, on=False)
            assert (await w.ask(w.smgw.pair_meter(w.meter.device))).paired

    asyncio.run(story())


@simulates(Fault.METER_ABSENT)
def test_a_meter_that_goes_and_comes(world: Any) -> None:
    """A paired meter that is lost is reported, its values are marked, and its return is reported too."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            await w.measure(w.contract(schedule=Schedule(900)))
            w.gateway.set_fault(Fault.METER_ABSENT)
            w.timeline.advance(timedelta(minutes=30))
            assert (await w.told(10502)).parameters == (str(w.meter.device),)
            w.gateway.set_fault(Fault.METER_ABSENT, on=False)
            w.timeline.advance(timedelta(minutes=30))
            await w.told(10503)
            states = [c.status >> 45 & 1 for c in w.gateway.core.memory.series[str(w.meter.device)].between(*SPAN)]
            assert {0, 1} == set(states)

    asyncio.run(story())


@simulates(Fault.LOG_FULL)
def test_log_full_stops_metering(world: Any) -> None:
    """With a full calibration log nothing is registered any more and the GWA hears of it; cleared, it goes on."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            await w.measure(w.contract(schedule=Schedule(900)))
            await w.head_end.until(lambda: w.emt.values == 1)
            w.gateway.set_fault(Fault.LOG_FULL)
            await w.told(17001)
            await w.told(10260)
            series = w.gateway.core.memory.series[str(w.meter.device)]
            count = len(series)
            w.timeline.advance(timedelta(hours=1))
            assert len(series) == count
            status = await w.ask(w.smgw.read_status())
            assert (status.metering, status.state) == (False, OperatingState.SECURE_APPLICATION)
            w.gateway.set_fault(Fault.LOG_FULL, on=False)
            w.timeline.advance(timedelta(hours=1))
            assert len(series) >= count + 4

    asyncio.run(story())


def image(pki: TestPki, size: int = 40_000) -> bytes:
    signer = cms.LocalSigner(pki.gwh.sig.key, pki.gwh.sig.certificate)
    return cms.sign(bytes(size), signer=signer, certificate=pki.gwh.sig.certificate)


async def transfer(w: Any, octets: bytes, version: str) -> None:
    status = await w.ask(w.smgw.image_initiate(version, len(octets)))
    while status.missing * status.block_size < len(octets):
        start = status.missing * status.block_size
        await w.ask(w.smgw.image_block(status.missing, octets[start : start + status.block_size]))
        status = await w.ask(w.smgw.image_status())


def test_firmware_is_taken_and_survives_the_reboot(world: Any) -> None:
    """A signed image becomes active with a reboot and is what the gateway then says it runs."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            octets = image(w.pki)
            await transfer(w, octets, "TW-2.0.0")
            assert (await w.ask(w.smgw.image_verify())).state is ImageState.VERIFIED
            await w.ask(w.smgw.image_activate())
            w.timeline.advance(timedelta(seconds=1))
            await w.connected(after=1)
            firmware = await w.ask(w.smgw.read_firmware())
            assert (firmware.version, firmware.digest) == ("TW-2.0.0", hashlib.sha256(octets).digest())

    asyncio.run(story())


@simulates(Fault.REBOOT_IN_FIRMWARE)
def test_reboot_in_firmware_write(world: Any) -> None:
    """The transfer breaks with a reboot, the partial image is gone, the old firmware runs; it can begin anew."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            w.gateway.set_fault(Fault.REBOOT_IN_FIRMWARE)
            with pytest.raises(Refusal):
                await transfer(w, image(w.pki), "TW-2.0.0")
            await w.connected(after=1)
            assert (await w.ask(w.smgw.image_status())).state is ImageState.IDLE
            await transfer(w, image(w.pki), "TW-2.0.0")
            assert (await w.ask(w.smgw.image_verify())).state is ImageState.VERIFIED

    asyncio.run(story())


@simulates(Fault.FIRMWARE_HASH, Fault.FIRMWARE_SIGNATURE, Fault.FIRMWARE_OLD)
@pytest.mark.parametrize("fault", [Fault.FIRMWARE_HASH, Fault.FIRMWARE_SIGNATURE, Fault.FIRMWARE_OLD, None])
def test_firmware_that_is_not_taken(world: Any, fault: Fault | None) -> None:
    """Wrong hash and wrong signature are found before activation; an image of nobody's too; the old one comes back."""

    async def story() -> None:
        async with world(*([fault] if fault else [])) as w:
            await w.connected()
            octets = image(w.pki) if fault else image(w.pki.foreign)
            await transfer(w, octets, "TW-2.0.0")
            verified = await w.ask(w.smgw.image_verify())
            if fault is Fault.FIRMWARE_OLD:
                await w.ask(w.smgw.image_activate())
                w.timeline.advance(timedelta(seconds=1))
                await w.connected(after=1)
            else:
                assert verified.state is ImageState.VERIFICATION_FAILED
                assert verified.why
                with pytest.raises(Refusal):
                    await w.ask(w.smgw.image_activate())
            assert (await w.ask(w.smgw.read_firmware())).version == "TW-1.0.0"

    asyncio.run(story())


def test_blocks_out_of_order_are_refused(world: Any) -> None:
    """A block that skips one is refused; the status names the one that is missing."""

    async def story() -> None:
        async with world() as w:
            await w.connected()
            await w.ask(w.smgw.image_initiate("TW-2.0.0", 40_000))
            with pytest.raises(Refusal):
                await w.ask(w.smgw.image_block(1, bytes(16_384)))
            assert (await w.ask(w.smgw.image_status())).missing == 0

    asyncio.run(story())
