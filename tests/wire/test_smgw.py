"""The gateway's object model, asked and answered over both ends: one table for simulator and processes."""

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.wire import logbook
from torwart.wire.cosem import ClientConnection, Request, Response, ServerConnection
from torwart.wire.cosem.message import MEDIA_TYPE_CMS, MEDIA_TYPE_XML
from torwart.wire.cosem.query import Query
from torwart.wire.cosem.resources import LATER, ActionResult, BoundObjects, Later, Reply, StoredTree, application_error
from torwart.wire.cosem.server import ResourceServer
from torwart.wire.cosem.tree import MethodResponse, encode
from torwart.wire.cosem.uri import Level, parse_target
from torwart.wire.profiles import EvaluationProfile, MeterProfile, Profile, ProfileKind, Scenario, profile_address
from torwart.wire.profiles.evaluation import Assignment
from torwart.wire.smgw import (
    EVENT_TARGET,
    OBJECTS,
    READINGS_TARGET,
    RESULT_TARGET,
    CertificateEntry,
    ClockReading,
    ContractState,
    ContractStatus,
    DeviceStatus,
    Event,
    Firmware,
    ImageActivation,
    ImageBlock,
    ImageStart,
    ImageState,
    ImageStatus,
    LateResult,
    LmnDevice,
    LogFill,
    LogKind,
    OperatingState,
    Question,
    RequestOrder,
    SelfTest,
    SendOrder,
    Smgw,
    Standing,
    event_request,
    readings_request,
    result_contact,
    told,
)
from torwart.wire.smgw import table as objects
from torwart.wire.smgw.values import from_data, to_data

pytestmark = pytest.mark.requirement("WAN-1.1", "WAN-1.13")

GATEWAY = DeviceId("EPPC0212345678")
METER = DeviceId("1LGZ0072999211")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
SMALL = st.integers(0, 100)
FIRMWARES = st.builds(Firmware, TEXT, st.binary(max_size=32), TEXT)
CLOCKS = st.builds(ClockReading, INSTANTS, st.booleans(), st.none() | INSTANTS)
SELF_TESTS = st.builds(SelfTest, st.booleans(), INSTANTS, TEXT)
STATUSES = st.builds(
    DeviceStatus,
    st.just(GATEWAY),
    FIRMWARES,
    st.sampled_from(OperatingState),
    st.sampled_from(Standing),
    CLOCKS,
    INSTANTS,
    st.booleans(),
    st.none() | st.integers(-128, 127),
    st.none() | SELF_TESTS,
    st.lists(st.builds(LogFill, st.sampled_from(LogKind), SMALL, SMALL), max_size=3).map(tuple),
)
LMN_DEVICES = st.builds(
    LmnDevice,
    st.just(METER),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    TEXT,
    st.none() | INSTANTS,
    st.none() | st.binary(min_size=8, max_size=8),
    TEXT,
)
EVENTS = st.builds(
    Event,
    device=st.just(GATEWAY),
    number=SMALL,
    at=INSTANTS,
    seconds_index=SMALL,
    level=st.sampled_from(["INFO", "WARNING", "ERROR", "FATAL"]),
    vendor=TEXT,
    event=SMALL,
    text=TEXT,
    log=st.sampled_from(LogKind),
    record_number=SMALL,
    success=st.booleans(),
    subject=TEXT,
    parameters=st.lists(TEXT, max_size=3).map(tuple),
)
VALUES = st.one_of(
    STATUSES,
    LMN_DEVICES,
    EVENTS,
    SELF_TESTS,
    CLOCKS,
    FIRMWARES,
    st.builds(CertificateEntry, st.sampled_from(Standing), st.just("TLS"), st.binary(max_size=9)),
    st.builds(RequestOrder, TEXT, TEXT, SMALL, st.booleans(), TEXT),
    st.builds(ContractStatus, TEXT, SMALL, st.sampled_from(ContractState), st.none() | INSTANTS, SMALL, TEXT),
    st.builds(SendOrder, TEXT, st.none() | INSTANTS, st.none() | INSTANTS),
    st.builds(ImageStart, TEXT, SMALL),
    st.builds(ImageBlock, SMALL, st.binary(max_size=9)),
    st.builds(ImageActivation, st.none() | INSTANTS),
    st.builds(ImageStatus, st.sampled_from(ImageState), TEXT, SMALL, SMALL, TEXT),
)
STATUS = DeviceStatus(
    GATEWAY,
    Firmware("TW-1.0.0", bytes(32)),
    OperatingState.NORMAL,
    Standing.SEAL,
    ClockReading(AT, True),
    AT,
    True,
    -71,
)


@given(VALUES)
def test_plain_values_round_trip(value: Any) -> None:
    """Every dataclass of the model survives its COSEM structure."""
    assert from_data(type(value), to_data(value)) == value


@given(VALUES)
def test_a_longer_structure_is_read_a_shorter_refused(value: Any) -> None:
    """A newer gateway may say more; what says less than we need is refused."""
    data = to_data(value)

    assert from_data(type(value), replace(data, value=(*data.parts, to_data("more")))) == value
    with pytest.raises(Refusal):
        from_data(type(value), replace(data, value=data.parts[:-1]))


class FakeGateway:
    """The state behind the bindings of this test."""

    def __init__(self) -> None:
        self.acts: list[tuple[Any, ...]] = []
        self.reply: Reply | None = None

    def act(self, *arguments: Any) -> None:
        self.acts.append(arguments)

    def self_test(self, reply: Reply | None) -> SelfTest | Later:
        if reply is None:
            return SelfTest(True, AT)
        self.reply = reply
        return LATER


LOG = logbook.build(
    "0000636201ff",
    "eppc0212345678",
    [logbook.Entry(1, 5, AT, logbook.Level.INFO, "TORWART-SIM", 10001, template="Gateway started")],
)


def _log(_: FakeGateway, query: Query) -> bytes:
    level = logbook.Level.of_letter(query.q_level) if query.q_level else None
    return replace(LOG, entries=tuple(e for e in LOG.entries if level in (None, e.level))).to_xml()


def _refuse(_: FakeGateway, _order: RequestOrder, _reply: Reply | None) -> bytes:
    raise application_error(ActionResult.HARDWARE_FAULT, "the module is broken")


BINDINGS = {
    binding.id: binding
    for binding in (
        objects.STATUS.bind({"value": lambda _, __: STATUS}),
        objects.CLOCK.bind({"time": lambda _, __: AT, "reading": lambda _, __: STATUS.clock}),
        objects.FIRMWARE.bind({"value": lambda _, __: STATUS.firmware}),
        objects.DEVICE.bind(
            {"self_test": lambda _, __: None},
            {"self_test": FakeGateway.self_test, "restart": lambda owner: owner.act("restart")},
        ),
        objects.SECURITY.bind(
            {"certificates": lambda _, __: (CertificateEntry(Standing.SEAL, "TLS", b"der"),)},
            {
                "generate_key_pairs": lambda owner, _: owner.act("generate"),
                "certificate_request": _refuse,
                "import_certificates": lambda owner, given: owner.act("import", given),
                "remove_certificates": lambda owner, standing: owner.act("remove", standing),
                "activate_certificates": lambda owner: owner.act("activate"),
            },
        ),
        objects.LMN.bind(
            {"devices": lambda _, __: (LmnDevice(METER, True, True, True),)},
            {
                "pair": lambda _, meter, __: LmnDevice(meter, True, True, True),
                "unpair": lambda owner, meter: owner.act("unpair", meter),
            },
        ),
        objects.CONTRACTS.bind(
            {"contracts": lambda _, __: (ContractStatus("taf7-1", 7, ContractState.RUNNING),)},
            {
                "send_now": lambda owner, order, _: owner.act("send", order) or 96,
                "wipe_consumer": lambda owner, name: owner.act("wipe", name),
            },
        ),
        objects.IMAGE.bind(
            {"status": lambda _, __: ImageStatus(ImageState.IDLE, "", 4096, 0)},
            {
                "initiate": lambda _, start: ImageStatus(ImageState.TRANSFER, start.identifier, 4096, 0),
                "block": lambda owner, block: owner.act("block", block),
                "verify": lambda _, __: ImageStatus(ImageState.VERIFIED, "1", 4096, 1),
                "activate": lambda owner, order, _: owner.act("activate image", order),
            },
        ),
        objects.SYSTEM_LOG.bind({}, {"clear": lambda owner: owner.act("clear")}, _log),
    )
}


class Management:
    """The gateway's management logical device."""

    def __init__(self, gateway: FakeGateway) -> None:
        self.objects = BoundObjects(BINDINGS, gateway)
        self.containers: dict[Any, Any] = {}


class Line:
    """Client, server and gateway on one simulated line; content is "protected" by reversing it."""

    def __init__(self) -> None:
        self.gateway = FakeGateway()
        tree = StoredTree(GATEWAY.host, {GATEWAY.host: Management(self.gateway)})
        self.server = ResourceServer(tree, hosts=[GATEWAY.host], protect=_mirror, unprotect=_mirror)
        self._client, self._ends = ClientConnection(GATEWAY.host), ServerConnection()

    def ask(self, question: Question[Any]) -> Any:
        return question.answer(self.exchange(question.protected(_mirror)), _mirror)

    def exchange(self, request: Request) -> Response:
        received = self._ends.receive(self._client.send(request))
        assert received is not None
        answer = self._client.receive(self._ends.send(self.server.handle(received)))
        assert answer is not None
        return answer


def _mirror(body: bytes) -> bytes:
    return body[::-1]


SMGW = Smgw(GATEWAY)


def test_looking_at_a_gateway() -> None:
    """Each look answers the plain value the gateway holds."""
    line = Line()

    assert line.ask(SMGW.read_status()) == STATUS
    assert line.ask(SMGW.read_clock()) == STATUS.clock
    assert line.ask(SMGW.read_firmware()) == STATUS.firmware
    assert line.ask(SMGW.read_certificates()) == (CertificateEntry(Standing.SEAL, "TLS", b"der"),)
    assert line.ask(SMGW.list_lmn()) == (LmnDevice(METER, True, True, True),)
    assert line.ask(SMGW.list_contracts()) == (ContractStatus("taf7-1", 7, ContractState.RUNNING),)
    assert line.ask(SMGW.image_status()) == ImageStatus(ImageState.IDLE, "", 4096, 0)


def test_reading_a_log() -> None:
    """A log comes in its own vocabulary, filtered by the query."""
    line = Line()

    assert line.ask(SMGW.read_log(LogKind.SYSTEM)) == LOG
    assert line.ask(SMGW.read_log(LogKind.SYSTEM, level="E", since=AT, count=5)).entries == ()
    request = SMGW.read_log(LogKind.SYSTEM, since=AT, count=5).request
    assert request.target.endswith("/objects/7-0000636201ff?q.count=5&q.fromtime=2026-03-01T12:00:00%2B00:00")


def test_acting_on_a_gateway() -> None:
    """Each act reaches the gateway with its plain parameter and brings its plain result."""
    line = Line()

    results = [
        line.ask(question)
        for question in (
            SMGW.restart(),
            SMGW.generate_key_pairs(),
            SMGW.import_certificates([b"a", b"b"]),
            SMGW.activate_certificates(),
            SMGW.retire_seal(),
            SMGW.unpair_meter(METER),
            SMGW.send_reading_now("taf7-1", AT),
            SMGW.wipe_consumer_data("consumer1"),
            SMGW.clear_log(LogKind.SYSTEM),
            SMGW.image_block(3, b"xyz"),
            SMGW.image_activate(AT),
        )
    ]

    assert results == [None, None, None, None, None, None, 96, None, None, None, None]
    assert line.gateway.acts == [
        ("restart",),
        ("generate",),
        ("import", (b"a", b"b")),
        ("activate",),
        ("remove", Standing.SEAL),
        ("unpair", METER),
        ("send", SendOrder("taf7-1", AT)),
        ("wipe", "consumer1"),
        ("clear",),
        ("block", ImageBlock(3, b"xyz")),
        ("activate image", ImageActivation(AT)),
    ]
    assert line.ask(SMGW.pair_meter(METER)) == LmnDevice(METER, True, True, True)
    assert line.ask(SMGW.image_initiate("1.1", 9000)) == ImageStatus(ImageState.TRANSFER, "1.1", 4096, 0)
    assert line.ask(SMGW.image_verify()).state is ImageState.VERIFIED
    assert line.ask(SMGW.self_test()) == SelfTest(True, AT)


def test_a_slow_act_answers_later() -> None:
    """202 first; the result comes to the contact with the same x-CID and is understood by the question."""
    line = Line()
    question = SMGW.self_test().with_reply(result_contact("gwa.example.org"))

    accepted = line.exchange(question.protected(_mirror))
    assert question.later(accepted)
    assert line.gateway.reply is not None
    notify = line.server.notification(line.gateway.reply, MethodResponse(0, to_data(SelfTest(False, AT, "flash"))))

    assert notify.target == RESULT_TARGET
    message = told(notify.target, dict(notify.headers), _mirror(notify.body))
    assert isinstance(message, LateResult)
    assert message.correlation == question.correlation
    assert question.result(message.body) == SelfTest(False, AT, "flash")
    with pytest.raises(Refusal) as caught:
        question.answer(accepted, _mirror)
    assert caught.value.code == "cosem.too_slow"


def test_a_late_failure_is_a_refusal() -> None:
    """A notification with a status greater than 0 is refused like a synchronous 500."""
    with pytest.raises(Refusal) as caught:
        SMGW.self_test().result(encode(MethodResponse(2)))

    assert (caught.value.code, caught.value.details["status"]) == ("cosem.application", 2)


def test_what_the_gateway_refuses_is_told_in_its_words() -> None:
    """An application error carries the gateway's code and reason."""
    with pytest.raises(Refusal) as caught:
        Line().ask(SMGW.certificate_request(RequestOrder("Stadtwerk", "9900000000000", 1)))

    assert caught.value.code == "cosem.application"
    assert caught.value.details["status"] == ActionResult.HARDWARE_FAULT
    assert "the module is broken" in str(caught.value.details["why"])


def profiles() -> list[Profile]:
    meter = MeterProfile.with_key(METER, (ObisCode("1-0:1.8.0"),), bytes(range(16)))
    contract = EvaluationProfile(
        "taf7-1",
        7,
        "t",
        "DE0003604780400000000000010000176",
        AT,
        (Assignment(METER, ObisCode("1-0:1.8.0")),),
        ("emt1",),
    )
    return [meter, contract]


def test_profiles_are_written_read_back_listed_and_deleted() -> None:
    """Create, read back, replace, list, delete: each profile is one container on its own logical device."""
    line = Line()
    for profile in profiles():
        line.ask(SMGW.write_profile(profile))
        line.ask(SMGW.write_profile(profile))
        assert line.ask(SMGW.read_back(profile)) == profile
    assert line.ask(SMGW.list_profiles()) == tuple(profile.address for profile in profiles())
    assert line.ask(SMGW.read_profile(ProfileKind.METER, "1lgz0072999211")) == profiles()[0]
    assert line.ask(SMGW.read_profile(ProfileKind.EVALUATION, "taf7-1", taf=7)) == profiles()[1]
    line.ask(SMGW.remove(profiles()[0]))
    line.ask(SMGW.delete_profile(ProfileKind.EVALUATION, "taf7-1", taf=7))
    with pytest.raises(Refusal) as caught:
        line.ask(SMGW.read_back(profiles()[1]))
    assert caught.value.code == "cosem.not_found"


def test_a_profile_that_breaks_our_rules_is_the_gateways_fault() -> None:
    """A read-back profile out of range is refused as the gateway's, not as our order's fault."""
    body = profiles()[1].to_xml().replace(b">900<", b">7<")

    with pytest.raises(Refusal) as caught:
        SMGW.read_back(profiles()[1]).answer(Response(200, {"Content-Type": MEDIA_TYPE_XML}, body))

    assert (caught.value.code, caught.value.side.value) == ("profile.malformed", "gateway")


def test_profile_addresses_need_what_their_name_depends_on() -> None:
    """A communication profile is found by its scenario, an evaluation profile by its use case."""
    address = profile_address(ProfileKind.COMMUNICATION, "ntp", scenario=Scenario.NTP_TLS)

    assert address.path == "/cosem/ldevs/ntp.sm/containers/9001-01005e318044"
    for kind in (ProfileKind.COMMUNICATION, ProfileKind.EVALUATION):
        with pytest.raises(Refusal):
            profile_address(kind, "x")


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (Response(200, {"Content-Type": MEDIA_TYPE_XML}, b"<x/>"), "cosem.answer"),
        (Response(200, {"Content-Type": MEDIA_TYPE_CMS}, b"<x"), "xml.malformed"),
        (Response(200), "xml.malformed"),
        (Response(404), "cosem.not_found"),
        (Response(408, {"Retry-After": "5"}), "cosem.too_slow"),
        (Response(301), "cosem.answer"),
        (Response(500), "cosem.answer"),
        (Response(500, {"Content-Type": MEDIA_TYPE_CMS}, encode(MethodResponse(3))), "cosem.application"),
        (Response(503), "cosem.answer"),
    ],
)
def test_other_answers_are_refused(response: Response, code: str) -> None:
    """Every status but success, unprotected content where protection is due, and other content has its refusal."""
    with pytest.raises(Refusal) as caught:
        SMGW.read_status().answer(response, lambda body: body)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (encode(MethodResponse(0)), "cosem.answer"),
        (encode(MethodResponse(None, to_data("text"))), "cosem.data"),
        (b"", "cosem.answer"),
        (encode(MethodResponse(4, to_data((1, 2)))), "cosem.application"),
    ],
)
def test_wrong_results_are_refused(body: bytes, code: str) -> None:
    """A result that is missing, of another type or a failure is never taken for one."""
    with pytest.raises(Refusal) as caught:
        SMGW.self_test().result(body)

    assert caught.value.code == code


def test_an_act_without_result_understands_an_empty_success() -> None:
    """A method without result may answer with or without a document."""
    assert SMGW.restart().result(b"") is None
    assert SMGW.restart().result(encode(MethodResponse(0))) is None


def test_unknown_words_of_an_enumeration_are_refused() -> None:
    """An operating state we do not know is not guessed."""
    data = to_data(STATUS)
    damaged = replace(data, value=(*data.parts[:2], replace(data.parts[2], value="fine"), *data.parts[3:]))

    with pytest.raises(Refusal) as caught:
        from_data(DeviceStatus, damaged)

    assert caught.value.code == "cosem.data"


def test_protected_content_needs_a_way_to_open_it() -> None:
    """Without a hook protected content is refused instead of being parsed."""
    with pytest.raises(Refusal) as caught:
        SMGW.read_status().answer(Response(200, {"Content-Type": MEDIA_TYPE_CMS}, b"x"))

    assert caught.value.code == "cosem.answer"


@given(EVENTS)
def test_events_are_told_and_understood(event: Event) -> None:
    """A Notify on the event target carries the event whole."""
    request = event_request(event, "gwa.example.org")

    assert request.target == EVENT_TARGET
    assert told(request.target, dict(request.headers), request.body) == event


def test_other_targets_and_levels_are_refused() -> None:
    """A POST elsewhere, a result without x-CID and an unknown level are refused."""
    event = Event(GATEWAY, 1, AT, 1, "LOUD", "v", 1, "t")
    for target, body, code in (
        ("/gwa/other", b"", "cosem.not_found"),
        (RESULT_TARGET, b"", "cosem.correlation"),
        (EVENT_TARGET, event_request(event, "h").body, "cosem.body"),
    ):
        with pytest.raises(Refusal) as caught:
            told(target, {}, body)
        assert caught.value.code == code


def test_readings_go_to_an_emts_method() -> None:
    """The delivery is a POST on a method below the EMT's point of contact, its body the document itself."""
    request = readings_request(b"<p/>", "emt.example.org")

    assert (request.method, request.target, request.body) == ("POST", READINGS_TARGET, b"<p/>")
    for target, poc in ((READINGS_TARGET, "/emt"), (EVENT_TARGET, "/gwa")):
        assert parse_target(target, poc).address.level is Level.METHOD


def test_the_table_is_consistent() -> None:
    """Every object has its own id, names map to distinct indices, and all hints can be written."""
    ids = [spec.id for spec in OBJECTS.values()]
    assert len(set(ids)) == len(ids)
    for spec in OBJECTS.values():
        for members in (spec.attributes, spec.methods):
            indexes = [member.index for member in members.values()]
            assert len(set(indexes)) == len(indexes)
    dataclasses = [method.parameter for spec in OBJECTS.values() for method in spec.methods.values()]
    assert all(fields(hint) for hint in dataclasses if is_dataclass(hint))
