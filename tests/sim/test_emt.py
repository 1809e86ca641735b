"""The EMT receiver: what it takes, what it refuses, how it misbehaves, and that its confirmation arrives."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.sim.emt import Behaviour, EmtConfig, EmtReceiver
from torwart.sim.gateway import Fault
from torwart.sim.gateway.cms_fault import protect_with
from torwart.sim.pki import TestPki, Triple
from torwart.wire import cms, readings
from torwart.wire.certificate import Identity, identify
from torwart.wire.emt_confirmation import MEDIA_TYPE, TARGET, Confirmation
from torwart.wire.profiles import Retry, Schedule

pytestmark = pytest.mark.requirement("P03", "WAN-1.11")

DEVICE = DeviceId.parse("EPPC0200000001")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def receiver(pki: TestPki) -> EmtReceiver:
    trust = tuple(c.public_bytes(Encoding.DER) for c in pki.trust_chain)
    return EmtReceiver(EmtConfig(pki.emt, (), trust))


def message(
    pki: TestPki, triple: Triple, *, sign_with: Triple | None = None, signed: bool = True, attached: bool = True
) -> bytes:
    """Two readings of a meter, signed one by one and protected for the EMT."""
    entries = tuple(
        readings.Reading(AT + timedelta(minutes=15 * n), 1000 + n, -1, readings.WATT_HOUR, bytes(8)) for n in range(2)
    )
    column = readings.Column(ObisCode("1-0:1.8.0"), "1emh0000000001", entries)
    document = readings.Readings("01005e318027", "taf7-1", (column,))
    inner = sign_with or triple
    signer = cms.LocalSigner(triple.sig.key, triple.sig.certificate)
    if signed:
        document = readings.sign(document, DEVICE, cms.LocalSigner(inner.sig.key, inner.sig.certificate).sign)
    return protect_with(
        (),
        document.to_xml(),
        signer=signer,
        recipient=cms.Recipient.of(pki.emt.enc.certificate),
        suite=cms.Suite.GCM,
        certificate=triple.sig.certificate if attached else None,
    )


def caller(triple: Triple) -> Identity:
    return identify(triple.tls.certificate)


def test_readings_are_counted_and_repeats_are_not(pki: TestPki) -> None:
    """The same delivery twice is two deliveries and two values."""
    triple = pki.operational_triple(str(DEVICE))
    emt = receiver(pki)
    for _ in range(2):
        emt.take(caller(triple), message(pki, triple))

    (received,) = emt.received.values()
    assert (received.values, received.deliveries, received.first) == (2, 2, AT)
    assert received.last_value == {"1-0:1.8.0": 1001}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("not attached", "cms.signer_unknown"),
        ("attached of another gateway", "cms.signer_unknown"),
        ("foreign PKI", "pki.issuer_unknown"),
        ("readings unsigned", "readings.signature"),
        ("readings signed by another", "readings.signature"),
    ],
)
def test_what_is_not_the_callers_own_is_refused(pki: TestPki, wrong: str, code: str) -> None:
    """The message must be the calling gateway's, by certificate and by the signature on every reading."""
    triple = pki.operational_triple(str(DEVICE))
    other = pki.operational_triple("EPPC0200000002")
    foreign = pki.foreign.operational_triple(str(DEVICE))
    made = {
        "not attached": lambda: message(pki, triple, attached=False),
        "attached of another gateway": lambda: message(pki, other),
        "foreign PKI": lambda: message(pki, foreign),
        "readings unsigned": lambda: message(pki, triple, signed=False),
        "readings signed by another": lambda: message(pki, triple, sign_with=other),
    }[wrong]()
    emt = receiver(pki)
    with pytest.raises(Refusal) as refusal:
        emt.take(caller(triple), made)

    assert refusal.value.code == code
    assert emt.received == {}


def test_damaged_messages_are_refused_and_never_more(pki: TestPki) -> None:
    """Cut anywhere or with any bit flipped, a message is refused by name."""
    triple = pki.operational_triple(str(DEVICE))
    whole = message(pki, triple)
    emt = receiver(pki)
    for position in range(0, len(whole), 23):
        for damaged in (whole[:position], whole[:position] + bytes((whole[position] ^ 4,)) + whole[position + 1 :]):
            with pytest.raises(Refusal):
                emt.take(caller(triple), damaged)

    assert emt.received == {}


def test_the_confirmation_reaches_the_head_end_signed(world: Any) -> None:
    """After the first value the EMT tells the head-end which, signed with its SIG key, until it is accepted."""

    async def story() -> None:
        async with world(emt=True) as w:
            w.head_end.emt_status = 503
            await w.commission()
            await w.measure(w.contract())
            await w.head_end.until(lambda: len(w.head_end.emt_posts) >= 2)
            assert w.emt.confirming.waiting == 1
            w.head_end.emt_status = 204
            await w.head_end.until(lambda: w.emt.confirming.accepted == 1)
            request = w.head_end.emt_posts[-1]
            assert (request.target, request.header("Content-Type")) == (TARGET, MEDIA_TYPE)
            own = w.pki.emt.sig.certificate
            verified = cms.verify(request.body, signers={cms.ski_of(own): own.public_key()})
            confirmation = Confirmation.decode(verified.content)
            assert confirmation.device == str(w.device)
            assert confirmation.meter == str(w.meter.device)
            assert (confirmation.contract, confirmation.values) == ("01005e318027.taf7-1.sm", 1)
            assert abs((confirmation.first - datetime.now(UTC)).total_seconds()) < 5

    asyncio.run(story())


@pytest.mark.parametrize("behaviour", [Behaviour.DOWN, Behaviour.ERROR_500, Behaviour.SLOW])
def test_an_emt_that_is_away_gets_its_readings_later(world: Any, behaviour: Behaviour) -> None:
    """Down, failing or too slow: the gateway says so once, tries again, and nothing is lost or sent twice."""

    async def story() -> None:
        async with world(emt=True) as w:
            w.emt.behaviour = behaviour
            await w.commission()
            await w.ask(w.smgw.write_profile(w.meter_profile()))
            await w.ask(w.smgw.pair_meter(w.meter.device))
            profile = w.emt_profile(response_timeout=1, retry=Retry(first=2, longest=4))
            await w.ask(w.smgw.write_profile(profile))
            await w.ask(w.smgw.write_profile(w.contract(schedule=Schedule(3600))))
            failed = await w.told(16002)
            assert failed.parameters[0] == "emt-1"
            assert w.emt.values == 0
            w.timeline.advance(timedelta(hours=1))
            w.emt.behaviour = Behaviour.GOOD
            w.timeline.advance(timedelta(seconds=10))
            await w.head_end.until(lambda: w.emt.values >= 5)
            assert len([event for event in w.events() if event.event == 16002]) == 1

    asyncio.run(story())


@pytest.mark.parametrize("fault", [Fault.CMS_FLIPPED_MAC, Fault.CMS_WRONG_SIGNER, Fault.CMS_WRONG_RECIPIENT])
def test_wrong_readings_are_refused_by_the_emt(world: Any, fault: Fault) -> None:
    """Readings that break in one way are not counted, and the EMT knows why; repaired they come."""

    async def story() -> None:
        async with world(emt=True) as w:
            await w.commission()
            await w.ask(w.smgw.write_profile(w.meter_profile()))
            await w.ask(w.smgw.pair_meter(w.meter.device))
            await w.ask(w.smgw.write_profile(w.emt_profile(retry=Retry(first=2, longest=4))))
            await w.ask(w.smgw.write_profile(w.contract()), timeout=10)
            await w.head_end.until(lambda: w.emt.values == 1)
            w.gateway.set_fault(fault)
            w.timeline.advance(timedelta(hours=26))
            await w.head_end.until(lambda: w.emt.refused)
            assert w.emt.refused[-1].code.startswith("cms.")
            assert w.emt.values == 1
            w.gateway.set_fault(fault, on=False)
            w.timeline.advance(timedelta(seconds=10))
            await w.head_end.until(lambda: w.emt.values > 50)

    asyncio.run(story())


def test_only_gateways_are_let_in(world: Any) -> None:
    """Someone who is no gateway does not get through the handshake."""

    async def story() -> None:
        from torwart.sim.tls_transport import open_tls
        from torwart.wire.tls import Credentials, TlsEngine, client_context

        async with world(emt=True) as w:
            trust = [c.public_bytes(Encoding.DER) for c in w.pki.trust_chain]
            gwh = w.pki.gwh.tls
            context = client_context(Credentials((gwh.certificate_der,), gwh.key), trust, lambda _: None)

            async def attempt() -> None:
                await (await open_tls(TlsEngine(context), w.emt.address)).read()

            with pytest.raises(Refusal):
                await attempt()
            await w.head_end.until(lambda: w.emt.refused)
            assert w.emt.refused[0].code == "pki.role"

    asyncio.run(story())
