"""Profiles: round trips, our schema, canonical form, secrets that never come back, comparison, refusals."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

import torwart.wire.profiles
from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.wire.cms import Suite
from torwart.wire.profiles import (
    AdministratorProfile,
    CommunicationProfile,
    Endpoint,
    EvaluationProfile,
    HanProfile,
    MeterProfile,
    Peer,
    Profile,
    ProxyProfile,
    Retry,
    Scenario,
    Schedule,
    WakeUpProfile,
    differences,
    parse_profile,
)
from torwart.wire.profiles.evaluation import (
    Assignment,
    BillingPeriod,
    DayProfile,
    DayTimeProfile,
    SpecialDayProfile,
    TariffChangeTrigger,
    TariffStage,
    Threshold,
    TimeTrigger,
    WeekProfile,
)
from torwart.wire.profiles.han import Role, Scheme, StaticAddress, check_of
from torwart.wire.profiles.meter import EMS, KLC, ComType, MeterExtension, Protocol

pytestmark = pytest.mark.requirement("WAN-1.7", "WAN-4.3")

SCHEMA = etree.XMLSchema(etree.parse(Path(torwart.wire.profiles.__file__).with_name("profile-1.xsd")))

IDS = st.from_regex("[0-9a-z]([0-9a-z-]{0,20}[0-9a-z])?", fullmatch=True)
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Co"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=20
)
DER = st.binary(min_size=1, max_size=40)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
HOSTS = st.sampled_from(["gwa.example.org", "192.0.2.7", "[2001:db8::1]", "localhost"])
ENDPOINTS = st.builds(Endpoint, HOSTS, st.integers(1, 65535))
METERS = st.builds(lambda n: DeviceId.of("1", "LGZ", 0, n), st.integers(0, 99_999_999))
OBIS = st.sampled_from(["1-0:1.8.0", "1-0:2.8.0", "1-0:16.7.0", "7-0:3.0.0*12"]).map(ObisCode)
PEERS = st.builds(
    Peer,
    st.lists(ENDPOINTS, min_size=1, max_size=3).map(tuple),
    st.lists(DER, min_size=1, max_size=3).map(tuple),
    DER,
    DER,
    st.none() | st.just("gwa.example.org"),
)
SCHEDULES = st.builds(Schedule, st.sampled_from([900, 3600, 86400]), st.integers(0, 899), st.integers(0, 899))
COMMUNICATIONS = st.builds(
    CommunicationProfile,
    id=IDS,
    scenario=st.sampled_from(Scenario),
    peer=PEERS,
    suite=st.sampled_from(Suite),
    session_limit=st.integers(60, 172800),
    response_timeout=st.integers(1, 600),
    contact=st.none() | st.just("https://h/cosem/ldevs/a.sm/objects/1-0000000000ff/methods/1"),
    schedule=st.none() | SCHEDULES,
    retry=st.builds(Retry, st.integers(1, 9), st.integers(10, 900), st.integers(0, 9)),
)
STAGES = (TariffStage(1, ObisCode("1-0:1.8.1"), "HT"), TariffStage(2, ObisCode("1-0:1.8.2"), "NT <&>"))
TRIGGER = TariffChangeTrigger(
    TimeTrigger(
        (
            DayProfile(1, (DayTimeProfile(time(6), 1), DayTimeProfile(time(22), 2))),
            DayProfile(2, (DayTimeProfile(time(0), 2),)),
        ),
        WeekProfile(1, 1, 1, 1, 1, 2, 2),
        (SpecialDayProfile(date(2026, 12, 25), 2),),
    )
)
COMMON = {
    "id": IDS,
    "tariff_id": WORDS,
    "usage_point": WORDS,
    "valid_from": INSTANTS,
    "assignment": st.lists(st.builds(Assignment, METERS, OBIS), min_size=1, max_size=3, unique=True).map(tuple),
    "recipient": st.lists(IDS, min_size=1, max_size=3, unique=True).map(tuple),
    "tariff_name": st.just("") | WORDS,
    "consumer": st.just("") | WORDS,
    "registration_period": st.sampled_from([60, 900, 3600, 86400]),
    "schedule": st.none() | SCHEDULES,
    "pseudonym": st.none() | WORDS,
}
BILLING = st.none() | st.builds(BillingPeriod, INSTANTS, st.sampled_from(["P1M", "P1D", "P10Y"]))
EVALUATIONS = st.one_of(
    st.builds(EvaluationProfile, tariff_use_case=st.sampled_from([1, 6, 7]), billing_period=BILLING, **COMMON),
    st.builds(
        EvaluationProfile,
        tariff_use_case=st.just(2),
        billing_period=BILLING,
        tariff_stage=st.just(STAGES),
        default_tariff_number=st.sampled_from([1, 2]),
        tariff_change_trigger=st.just(TRIGGER),
        **COMMON,
    ),
    st.builds(
        EvaluationProfile,
        tariff_use_case=st.sampled_from([9, 10, 14]),
        threshold=st.lists(st.builds(Threshold, OBIS, st.integers(-9, 0), st.integers(0, 9)), max_size=2).map(tuple),
        **COMMON,
    ),
)
ENDS = st.integers(1, 10**6).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))
HANS = st.one_of(
    st.builds(
        HanProfile.with_password,
        IDS,
        st.just("consumer1"),
        st.just("eppc0212345678"),
        WORDS,
        st.lists(IDS, max_size=2).map(tuple),
    ),
    st.builds(HanProfile, IDS, st.just(Role.SRV), st.just("technician"), DER, valid_until=ENDS),
    st.builds(
        HanProfile,
        IDS,
        st.sampled_from([Role.CON, Role.CLS]),
        st.just("u"),
        DER,
        static_address=st.none() | st.just(StaticAddress("192.168.1.200", 24, "192.168.1.1")),
    ),
)
METER_PROFILES = st.one_of(
    st.builds(
        MeterProfile.with_key,
        METERS,
        st.lists(OBIS, min_size=1, max_size=3, unique=True).map(tuple),
        st.binary(min_size=16, max_size=16),
        protocol=st.sampled_from(Protocol),
        tenant=st.just("") | WORDS,
        certificate=st.none() | DER,
    ),
    st.builds(
        MeterProfile,
        METERS,
        st.lists(OBIS, min_size=1, max_size=3, unique=True).map(tuple),
        st.booleans(),
        st.integers(1, 86400),
        st.sampled_from(ComType),
        st.just("eHZ"),
    ),
)
PROXIES = st.builds(
    ProxyProfile,
    IDS,
    st.sampled_from(Scheme),
    st.just(DeviceId("ETHE0300004261")),
    DER,
    st.just("box1.example"),
    st.lists(ENDPOINTS, min_size=1, max_size=2).map(tuple),
    st.lists(DER, min_size=1, max_size=2).map(tuple),
    st.none() | HOSTS,
    st.booleans(),
)
ADMINISTRATORS = st.builds(
    AdministratorProfile,
    IDS,
    WORDS,
    st.lists(DER, min_size=1, max_size=2).map(tuple),
    DER,
    DER,
    st.lists(DER, min_size=1, max_size=2).map(tuple),
    st.sampled_from(["INFO", "FATAL"]),
)
WAKE_UPS = st.builds(WakeUpProfile, IDS, st.booleans(), st.integers(1, 65535), DER, st.integers(1, 3600))
PROFILES: st.SearchStrategy[Profile] = st.one_of(
    COMMUNICATIONS, EVALUATIONS, HANS, METER_PROFILES, PROXIES, ADMINISTRATORS, WAKE_UPS
)


@given(PROFILES)
def test_profiles_round_trip(profile: Profile) -> None:
    """Every profile is read back from its container, secrets included, and has the same digest."""
    again = parse_profile(profile.to_xml())

    assert again == profile
    assert again.digest == profile.digest


@given(PROFILES)
def test_our_own_part_fits_our_schema(profile: Profile) -> None:
    """lxml finds what we write valid by profile-1.xsd; of a meter profile its extension."""
    root = etree.fromstring(profile.to_xml())
    if isinstance(profile, MeterProfile):
        root = root.find("{urn:torwart:profile-1}meterExtension")

    SCHEMA.assertValid(root)


@given(PROFILES)
def test_what_a_gateway_gives_back_equals_what_was_wanted(profile: Profile) -> None:
    """Without its secrets a profile compares equal and digests equal, and the secret is nowhere in it."""
    actual = parse_profile(profile.without_secrets().to_xml())

    assert differences(profile, actual) == []
    assert (actual.canonical(), actual.digest) == (profile.canonical(), profile.digest)


def test_secrets_are_neither_shown_nor_compared() -> None:
    """A meter's key stands in what is written and nowhere else; its check value is compared."""
    key = bytes(range(16))
    wanted = MeterProfile.with_key(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),), key)
    other = MeterProfile.with_key(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),), bytes(16))

    assert b"AAECAwQFBgcICQoLDA0ODw==" in wanted.to_xml()
    assert b"AAECAwQFBgcICQoLDA0ODw==" not in wanted.canonical()
    assert "\\x00" not in repr(wanted)
    assert wanted.without_secrets().extension.key is None
    expected = f"extension.key_check: wanted {check_of(key)}, found {check_of(bytes(16))}"
    assert differences(wanted, other) == [expected]


def test_differences_name_each_field() -> None:
    """One line for each field that is not as wanted, with its path."""
    peer = Peer((Endpoint("a", 1), Endpoint("b", 2)), (b"x",), b"s", b"e")
    wanted = CommunicationProfile("emt1", Scenario.INFO_REPORT, peer, schedule=Schedule(900))
    actual = replace(
        wanted,
        peer=replace(peer, addresses=(Endpoint("a", 9),), signature_certificate=b"t"),
        schedule=None,
        session_limit=60,
    )

    assert differences(wanted, actual) == [
        "peer.addresses: wanted 2 entries, found 1",
        "peer.addresses[0].port: wanted 1, found 9",
        "peer.signature_certificate: wanted 1 octets 73…, found 1 octets 74…",
        "session_limit: wanted 172800, found 60",
        "schedule: wanted other values, found nothing",
    ]


def test_addresses_follow_real_gateways() -> None:
    """Containers are named as in real exports: TAF contracts, meters, consumers (spec/04 §4)."""
    taf7 = example_evaluation()
    meter = MeterProfile(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),))
    consumer = HanProfile("consumer1", Role.CON, "u", b"x")

    assert taf7.container_id == "01005e318027.taf7-60.sm"
    assert meter.container_id == "00000000e000.1lgz0072999211.sm"
    assert consumer.container_id == "01005e318011.consumer1.sm"
    assert taf7.address.path == "/cosem/ldevs/taf7-60.sm/containers/9001-01005e318027"


def test_a_meter_profile_as_a_real_gateway_writes_it() -> None:
    """A container with more attributes than we know and a kaf_object beside it is read (spec/04 §4.3)."""
    body = b"""<klc:container xmlns:klc="urn:k461-dke-de:kaf_lmn_container-1"
        xmlns:adevs="urn:k461-dke-de:abstract_device_setup-1" xmlns:adls="urn:k461-dke-de:abstract_device_lmn_setup-1"
        xmlns:cox="urn:k461-dke-de:extension-1" xmlns:ems="urn:k461-dke-de:e_meter_sensor_setup-1"
        xmlns:kli="urn:k461-dke-de:kaf_lmn_index-1" id="00000000e000.1lgz0072999211.sm">
      <klc:e_meter_device_object class_id="32809" class_version="0" id="00000000e001.1lgz0072999211.sm">
        <ems:attributes count="19">
          <cox:logical_name id="1">00000000e001.1lgz0072999211.sm</cox:logical_name>
          <adevs:device_identifier id="2">1lgz0072999211</adevs:device_identifier>
          <adevs:device_type id="3">basemeter</adevs:device_type>
          <adevs:active id="4">true</adevs:active>
          <adevs:samplerate id="5">900</adevs:samplerate>
          <adevs:unknown id="6"/>
          <adls:com_type id="7">TLS</adls:com_type>
          <ems:values id="16" count="2"><ems:value id="0100010800ff"/><ems:value id="0100020800ff"/></ems:values>
          <ems:more id="19"><ems:nested/></ems:more>
        </ems:attributes>
      </klc:e_meter_device_object>
      <klc:kaf_object><kli:attributes count="3"/></klc:kaf_object>
    </klc:container>"""

    expected = MeterProfile(
        DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"), ObisCode("1-0:2.8.0")), device_type="basemeter"
    )
    assert parse_profile(body) == expected


def test_a_written_meter_profile_has_the_real_shape() -> None:
    """Class, version, attribute ids and OBIS in hex are where real gateways have them."""
    root = etree.fromstring(MeterProfile(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),)).to_xml())
    device = root.find(f"{{{KLC}}}e_meter_device_object")
    assert device is not None
    attributes = device.find(f"{{{EMS}}}attributes")
    assert attributes is not None

    assert (device.get("class_id"), device.get("class_version")) == ("32809", "0")
    assert [(etree.QName(a).localname, a.get("id")) for a in attributes] == [
        ("logical_name", "1"),
        ("device_identifier", "2"),
        ("device_type", "3"),
        ("active", "4"),
        ("samplerate", "5"),
        ("com_type", "7"),
        ("values", "16"),
    ]
    assert attributes.get("count") == "7"
    assert attributes[-1][0].get("id") == "0100010800ff"


def example_evaluation(**changes: object) -> EvaluationProfile:
    values: dict = {
        "id": "taf7-60",
        "tariff_use_case": 7,
        "tariff_id": "t1",
        "usage_point": "DE0003604780400000000000010000176",
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "assignment": (Assignment(DeviceId("1LGZ0072999211"), ObisCode("1-0:1.8.0")),),
        "recipient": ("emt1",),
    }
    return EvaluationProfile(**(values | changes))


def taf2(**changes: object) -> EvaluationProfile:
    values: dict = {
        "tariff_use_case": 2,
        "tariff_stage": STAGES,
        "default_tariff_number": 2,
        "tariff_change_trigger": TRIGGER,
    }
    return example_evaluation(**(values | changes))


def trigger(**changes: object) -> TariffChangeTrigger:
    return TariffChangeTrigger(replace(TRIGGER.time_trigger, **changes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": "TAF7"}, "id"),
        ({"id": "-a"}, "id"),
        ({"tariff_id": ""}, "tariff_id"),
        ({"usage_point": "a\nb"}, "usage_point"),
        ({"registration_period": 59}, "registration_period"),
        ({"registration_period": 7000}, "registration_period"),
        ({"valid_from": datetime(2026, 1, 1)}, "valid_from"),
        ({"valid_until": datetime(2026, 1, 1, tzinfo=UTC)}, "valid_until"),
        ({"assignment": ()}, "assignment"),
        ({"recipient": ()}, "recipient"),
        ({"recipient": ("a", "a")}, "recipient"),
        ({"billing_period": BillingPeriod(datetime(2026, 1, 1, tzinfo=UTC), "1 month")}, "billing_period"),
        ({"tariff_use_case": 10, "billing_period": BillingPeriod(datetime(2026, 1, 1, tzinfo=UTC))}, "billing_period"),
        ({"threshold": (Threshold(ObisCode("1-0:14.7.0")),)}, "threshold"),
        ({"schedule": Schedule(1)}, "schedule.period"),
        ({"tariff_stage": STAGES}, "tariff_stage"),
        ({"pseudonym": ""}, "pseudonym"),
    ],
)
def test_evaluation_profiles_are_checked(changes: dict[str, object], field: str) -> None:
    """What a contract must not be is refused by its field."""
    with pytest.raises(Refusal) as caught:
        example_evaluation(**changes)

    assert (caught.value.code, caught.value.details["field"]) == ("profile.field", field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tariff_stage": ()}, "tariff_stage"),
        ({"tariff_stage": (STAGES[0], STAGES[0])}, "tariff_stage"),
        ({"tariff_stage": (TariffStage(63, ObisCode("1-0:1.8.63")),)}, "tariff_stage"),
        ({"default_tariff_number": 3}, "default_tariff_number"),
        ({"tariff_change_trigger": None}, "tariff_change_trigger"),
        ({"tariff_change_trigger": trigger(day_profile=())}, "day_profile"),
        ({"tariff_change_trigger": trigger(week_profile=None, special_day_profile=())}, "week_profile"),
        ({"tariff_change_trigger": trigger(week_profile=WeekProfile(1, 1, 1, 1, 1, 1, 9))}, "week_profile"),
        (
            {"tariff_change_trigger": trigger(day_profile=(DayProfile(1, (DayTimeProfile(time(6), 7),)),))},
            "day_time_profile",
        ),
        (
            {
                "tariff_change_trigger": trigger(
                    day_profile=(DayProfile(1, (DayTimeProfile(time(6), 1), DayTimeProfile(time(5), 2))),)
                )
            },
            "day_time_profile",
        ),
        (
            {"tariff_change_trigger": trigger(special_day_profile=(SpecialDayProfile(date(2026, 1, 1), 1),) * 2)},
            "special_day_profile",
        ),
    ],
)
def test_stages_of_taf_2_are_checked(changes: dict[str, object], field: str) -> None:
    """TAF 2 needs stages, a default among them and times that name what exists."""
    with pytest.raises(Refusal) as caught:
        taf2(**changes)

    assert (caught.value.code, caught.value.details["field"]) == ("profile.field", field)


@pytest.mark.parametrize("taf", [0, 3, 5, 13, 99])
def test_tariff_use_cases_we_do_not_have_are_refused(taf: int) -> None:
    """Only TAF 1, 2, 6, 7 are evaluated and 9, 10, 14 recognised."""
    with pytest.raises(Refusal) as caught:
        example_evaluation(tariff_use_case=taf)

    assert caught.value.code == "profile.taf"


PEER = Peer((Endpoint("a", 1),), (b"x",), b"s", b"e")
PROXY = ProxyProfile("a", Scheme.HKS3, DeviceId("ETHE0300004261"), b"x", "box", (Endpoint("a", 1),), (b"x",))


def proxy(**changes: object) -> ProxyProfile:
    return replace(PROXY, **changes)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: CommunicationProfile("a", Scenario.MANAGEMENT, PEER, session_limit=172801), "session_limit"),
        (lambda: CommunicationProfile("a", Scenario.MANAGEMENT, PEER, response_timeout=0), "response_timeout"),
        (lambda: CommunicationProfile("a", Scenario.MANAGEMENT, replace(PEER, addresses=())), "peer.addresses"),
        (
            lambda: CommunicationProfile("a", Scenario.MANAGEMENT, replace(PEER, addresses=(Endpoint("a", 0),))),
            "peer.addresses",
        ),
        (
            lambda: CommunicationProfile("a", Scenario.MANAGEMENT, replace(PEER, addresses=(Endpoint("a/b", 1),))),
            "peer.addresses",
        ),
        (lambda: CommunicationProfile("a", Scenario.MANAGEMENT, replace(PEER, sni="a b")), "peer.sni"),
        (
            lambda: CommunicationProfile("a", Scenario.MANAGEMENT, replace(PEER, tls_certificates=())),
            "peer.tls_certificates",
        ),
        (lambda: CommunicationProfile("a", Scenario.INFO_REPORT, Peer((Endpoint("a", 1),), (b"x",))), "peer"),
        (lambda: CommunicationProfile("a", Scenario.MANAGEMENT, PEER, schedule=Schedule(900, 900)), "schedule"),
        (lambda: CommunicationProfile("a", Scenario.MANAGEMENT, PEER, retry=Retry(9, 1)), "retry"),
        (lambda: HanProfile("a", Role.CON, "u"), "certificate"),
        (lambda: HanProfile("a", Role.CON, "u:v", b"x"), "user"),
        (lambda: HanProfile("a", Role.SRV, "u", b"x"), "valid_until"),
        (lambda: HanProfile("a", Role.CLS, "u", digest_check="00"), "digest_check"),
        (lambda: HanProfile("a", Role.CON, "u", digest_check="00", digest_secret=b"x"), "digest_check"),
        (lambda: MeterProfile(DeviceId("EPPC0212345678"), (ObisCode("1-0:1.8.0"),)), "meter"),
        (lambda: MeterProfile(DeviceId("1LGZ0072999211"), ()), "values"),
        (
            lambda: MeterProfile.with_key(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),), b"short"),
            "extension.key",
        ),
        (lambda: MeterProfile(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),), sample_rate=0), "sample_rate"),
        (lambda: MeterProfile(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),), device_type=""), "device_type"),
        (lambda: CommunicationProfile("a", Scenario.MANAGEMENT, PEER, schedule=Schedule(1)), "schedule.period"),
        (lambda: AdministratorProfile("a", "n", (), b"s", b"e", (b"r",)), "tls_certificates"),
        (lambda: AdministratorProfile("a", "n", (b"",), b"s", b"e", (b"r",)), "certificates"),
        (lambda: WakeUpProfile("a", True, 1, b""), "signature_certificate"),
        (lambda: HanProfile("a", Role.SRV, "u", b"x", valid_until=datetime(2026, 1, 1)), "valid_until"),
        (lambda: HanProfile("a", Role.CON, "u", b"x", static_address=StaticAddress("a b", 24)), "static_address"),
        (lambda: proxy(wan_peer_addresses=()), "wan_peer_addresses"),
        (lambda: proxy(wan_peer_addresses=(Endpoint("a", 0),)), "wan_peer_addresses"),
        (lambda: proxy(wan_tls_sni="a b"), "wan_tls_sni"),
        (lambda: proxy(cls_certificate=b""), "wan_peer_certificate"),
        (lambda: WakeUpProfile("a", True, 0, b"x"), "port"),
        (lambda: WakeUpProfile("a", True, 1, b"x", 0), "window"),
        (lambda: AdministratorProfile("a", "n", (b"x",), b"s", b"e", ()), "trust"),
        (lambda: AdministratorProfile("a", "n", (b"x",), b"s", b"e", (b"r",), "LOUD"), "report_level"),
        (
            lambda: ProxyProfile(
                "a", Scheme.HKS3, DeviceId("ETHE0300004261"), b"x", "A_B", (Endpoint("a", 1),), (b"x",)
            ),
            "local_server_name",
        ),
    ],
)
def test_other_profiles_are_checked(make: object, field: str) -> None:
    """Each rule has its field."""
    with pytest.raises(Refusal) as caught:
        make()  # type: ignore[operator]

    assert (caught.value.code, caught.value.details["field"]) == ("profile.field", field)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"ems:attributes", b"ems:others"), "profile.malformed"),
        ((b"adls:com_type", b"adls:com_kind"), "profile.malformed"),
        ((b">TLS<", b">SMOKE<"), "profile.malformed"),
        ((b">true<", b">maybe<"), "profile.malformed"),
        ((b">900<", b">9_00<"), "profile.malformed"),
        ((b">eHZ<", b">e\tHZ<"), "profile.malformed"),
        ((b'id="0100010800ff"', b'id="01"'), "profile.malformed"),
        ((b"container", b"crate"), "profile.kind"),
        ((b'id="00000000e000', b'id="00000000e009'), "profile.malformed"),
    ],
)
def test_damaged_meter_profiles(change: tuple[bytes, bytes], code: str) -> None:
    """Each breach of the real form's known part is refused by name."""
    body = MeterProfile(DeviceId("1LGZ0072999211"), (ObisCode("1-0:1.8.0"),)).to_xml()
    damaged = body.replace(*change)
    assert damaged != body

    with pytest.raises(Refusal) as caught:
        parse_profile(damaged)

    assert caught.value.code == code


def test_other_documents_are_no_profiles() -> None:
    """A container without a profile we know is refused; profiles of two kinds differ in one line."""
    with pytest.raises(Refusal) as caught:
        parse_profile(b'<container id="x"><other/></container>')

    assert caught.value.code == "profile.malformed"
    assert differences(PROXY, example_evaluation()) == ["profile: wanted ProxyProfile, found EvaluationProfile"]


@pytest.mark.parametrize(
    "change",
    [(b">DE00", b">DE\x0900"), (b"<tw:usagePoint>", b"<tw:usagePoint>" + b"x" * 600)],
    ids=["control", "long"],
)
def test_texts_are_one_bounded_line(change: tuple[bytes, bytes]) -> None:
    """A text with a control character or beyond its length is refused when read."""
    with pytest.raises(Refusal) as caught:
        parse_profile(example_evaluation().to_xml().replace(*change))

    assert caught.value.code == "profile.malformed"


def test_octets_are_bounded() -> None:
    """A certificate of absurd size is refused when read."""
    body = WakeUpProfile("a", True, 1, b"x").to_xml().replace(b">eA==<", b">" + b"AAAA" * 6000 + b"<")

    with pytest.raises(Refusal) as caught:
        parse_profile(body)

    assert caught.value.code == "profile.malformed"


def test_an_ntp_peer_has_no_content_certificates() -> None:
    """NTP in TLS carries no protected content, so its peer needs a TLS certificate only."""
    profile = CommunicationProfile("ntp", Scenario.NTP_TLS, Peer((Endpoint("a", 1),), (b"x",)))

    assert parse_profile(profile.to_xml()) == profile


def test_reading_as_another_kind_is_refused() -> None:
    """A caller that expects one kind does not get another."""
    for cls in (WakeUpProfile, MeterProfile):
        with pytest.raises(Refusal) as caught:
            cls.from_xml(example_evaluation().to_xml())
        assert caught.value.code == "profile.kind"


@pytest.mark.parametrize(
    "change",
    [
        (b"<tw:tariffId>t1</tw:tariffId>", b""),
        (b"<tw:tariffId>t1</tw:tariffId>", b"<tw:tariffId>t1</tw:tariffId><tw:tariffId>t1</tw:tariffId>"),
        (b"<tw:tariffId>t1</tw:tariffId>", b"<tw:tariffId><tw:x/></tw:tariffId>"),
        (b"<tw:tariffId>t1</tw:tariffId>", b"<tw:tariffId>t1</tw:tariffId><tw:unknown/>"),
        (b">900<", b">9e2<"),
        (b"2026-01-01T00:00:00Z", b"2026-01-01T00:00:00"),
        (b"taf7-60.sm", b"taf7-61.sm"),
        (b"1LGZ0072999211", b"1LGZ"),
        (b"<tw:evaluationProfile>", b"<!-- x --><tw:evaluationProfile>"),
    ],
)
def test_damaged_documents(change: tuple[bytes, bytes]) -> None:
    """Missing, doubled, nested, unknown and mistyped elements are refused; a comment is not damage."""
    body = example_evaluation().to_xml()
    damaged = body.replace(*change)
    assert damaged != body
    if b"<!--" in damaged:
        assert parse_profile(damaged) == example_evaluation()
        return
    with pytest.raises(Refusal) as caught:
        parse_profile(damaged)

    assert caught.value.code == "profile.malformed"


@settings(max_examples=300)
@given(PROFILES, st.data())
def test_a_damaged_profile_is_refused_or_another_one(profile: Profile, data: st.DataObject) -> None:
    """Cut off or with a flipped bit, a container is refused by name or is another profile; nothing else is raised."""
    body = bytearray(profile.to_xml())
    if data.draw(st.booleans()):
        del body[data.draw(st.integers(0, len(body) - 1)) :]
    else:
        body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        parse_profile(bytes(body))
    except Refusal:
        return


def test_key_and_extension_are_of_one_piece() -> None:
    """A key whose check value is another's is refused."""
    with pytest.raises(Refusal):
        MeterProfile(
            DeviceId("1LGZ0072999211"),
            (ObisCode("1-0:1.8.0"),),
            extension=MeterExtension(key=bytes(16), key_check="0"),
        )
