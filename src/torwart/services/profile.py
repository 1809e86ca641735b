"""Profiles of a gateway: what we want there, composed from order and master data, kept in versions; what was read back.

Composing is repeatable: the same order and master data give the same profiles, secrets fetched from the key store
each time and never stored with the profile.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals.process import EMT_UNKNOWN
from torwart.ports.key_store import KeyStore
from torwart.rules import switch_time
from torwart.rules.service_time import local
from torwart.rules.switch_time import SwitchTime
from torwart.services import administrator
from torwart.services import certificate as certificates
from torwart.services import gateway as gateways
from torwart.services.transcript import run_key
from torwart.store import statement
from torwart.store.models import Emt, Gateway, Meter
from torwart.wire import profiles as wire
from torwart.wire.certificate import Use
from torwart.wire.profiles.communication import Endpoint, Peer, Scenario, Schedule
from torwart.wire.profiles.evaluation import (
    Assignment,
    BillingPeriod,
    DayProfile,
    DayTimeProfile,
    EvaluationProfile,
    SpecialDayProfile,
    TariffChangeTrigger,
    TariffStage,
    TimeTrigger,
    WeekProfile,
)
from torwart.wire.profiles.meter import MeterProfile

IMPORT, EXPORT = ObisCode("1-0:1.8.0"), ObisCode("1-0:2.8.0")
QUARTER_HOUR = 900
DAY = 86400
CONSUMER = "consumer1"
"""The tenant of a gateway whose metering point is commissioned: its HAN user, and whom its evaluations belong to."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where gateways reach this installation and whom they believe. Addresses are host and port; certificates DER.

    ``tls``: what the head-ends show; ``trust``: root and Sub-CAs; ``contact``: URI that takes events and
    asynchronous answers on ADMIN-SERVICE (A2 §7.5).
    """

    management: tuple[str, int]
    admin_service: tuple[str, int]
    ntp: tuple[str, int]
    tls: tuple[bytes, ...]
    trust: tuple[bytes, ...]
    contact: str


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def wan(gateway: Gateway, network: Network, keys: KeyStore) -> list[wire.Profile]:
    """The administrator's own profiles: whom to obey, whom to call for management, events and time, what wakes."""
    sig = _der(administrator.key(keys, gateway.client_id, Use.SIG).certificate)
    enc = _der(administrator.key(keys, gateway.client_id, Use.ENC).certificate)
    found: list[wire.Profile] = [
        wire.AdministratorProfile("administrator", "Torwart", network.tls, sig, enc, network.trust)
    ]
    for name, scenario, address in (
        ("management", Scenario.MANAGEMENT, network.management),
        ("admin-service", Scenario.ADMIN_SERVICE, network.admin_service),
        ("ntp", Scenario.NTP_TLS, network.ntp),
    ):
        peer = Peer((Endpoint(*address),), network.tls, sig, enc)
        contact = network.contact if scenario is Scenario.ADMIN_SERVICE else None
        schedule = Schedule(DAY, spread=3600) if scenario is Scenario.NTP_TLS else None
        found.append(wire.CommunicationProfile(name, scenario, peer, contact=contact, schedule=schedule))
    port = str(gateway.wan.get("wake_up", "")).rpartition(":")[2]
    if port.isdigit():
        found.append(wire.WakeUpProfile("wake-up", True, int(port), sig))
    return found


def meter(device: Meter, keys: KeyStore) -> MeterProfile:
    """The meter's profile with its key, so that gateway and meter find each other (pairing)."""
    registers = tuple(ObisCode.parse(code) for code in device.details.get("obis") or [IMPORT])
    if not device.key_label:
        return MeterProfile(DeviceId(device.device_id), registers)
    return MeterProfile.with_key(DeviceId(device.device_id), registers, keys.secret(device.key_label))


def emt(device: Emt) -> wire.CommunicationProfile:
    """The way to one EMT: its address and its three certificates."""
    known = certificates.of_emt(device)
    host, _, port = device.endpoint.partition("/")[0].rpartition(":")
    peer = Peer(
        (Endpoint(host, int(port)),),
        (_der(known[Use.TLS]),),
        _der(known[Use.SIG]),
        _der(known[Use.ENC]),
    )
    return wire.CommunicationProfile(f"emt-{device.pk}", Scenario.INFO_REPORT, peer)


def emts(client: int, names: Sequence[str]) -> list[Emt]:
    """The client's EMTs of these names, each once, or the refusal that names the first unknown one."""
    found = {row.name: row for row in Emt.objects.filter(client=client, name__in=names, state="active")}
    for name in names:
        if name not in found:
            raise EMT_UNKNOWN(emt=name)
    return [found[name] for name in names]


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a client may wish of an evaluation. ``times`` and ``default``: stages of TAF 2; ``registration`` and
    ``send`` in seconds; ``billing``: ISO 8601 in months or years (``P1M``), ``""`` as the gateway does by itself
    (monthly).

    Without wishes: high tariff on weekdays 06–22, low tariff else; registered each quarter of an hour, sent daily.
    """

    times: tuple[SwitchTime, ...] = (switch_time.parse("1 Mo-Fr 06:00-22:00"),)
    default: int = 2
    registration: int = QUARTER_HOUR
    send: int = DAY
    billing: str = ""


def evaluation(
    taf: int,
    device: Meter,
    recipients: Iterable[Emt],
    usage_point: str,
    valid_from: datetime,
    tariff: Tariff | None = None,
    suffix: str = "",
) -> EvaluationProfile:
    """The evaluation of one meter under one tariff use case (TAF 1, 2, 6 or 7), sent to these EMTs. ``suffix`` tells a
    later one from an earlier one of the same meter and use case beside it.
    """
    tariff = tariff or Tariff()
    registers = [code for code in (IMPORT, EXPORT) if str(code) in registers_of(device)]
    return EvaluationProfile(
        id=f"taf{taf}-{device.device_id.lower()}{suffix}",
        tariff_use_case=taf,
        tariff_id=f"TAF{taf}",
        usage_point=usage_point or device.device_id,
        valid_from=valid_from,
        assignment=tuple(Assignment(DeviceId(device.device_id), code) for code in registers),
        recipient=tuple(f"emt-{row.pk}" for row in recipients),
        consumer=CONSUMER,
        registration_period=tariff.registration,
        billing_period=BillingPeriod(_month_of(valid_from), tariff.billing) if tariff.billing else None,
        schedule=Schedule(tariff.send, spread=min(3600, tariff.send // 4)) if taf != 6 else None,
        **(_stages(tariff) if taf == 2 else {}),
    )


def registers_of(device: Meter) -> list[str]:
    """The registers a meter is known to have."""
    return [str(code) for code in device.details.get("obis") or [str(IMPORT)]]


def _month_of(at: datetime) -> datetime:
    """The beginning of the month, by the local calendar: where billing periods are counted from."""
    return local(at).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _stages(tariff: Tariff) -> dict[str, Any]:
    """The tariff stages of TAF 2 and when they change; days that are alike share a day profile."""
    week = switch_time.week(tariff.times, tariff.default)
    special = switch_time.special_days(tariff.times, tariff.default)
    alike = {day: number for number, day in enumerate(dict.fromkeys([*week, *special.values()]), start=1)}
    days = tuple(
        DayProfile(number, tuple(DayTimeProfile(start, stage) for start, stage in day)) for day, number in alike.items()
    )
    trigger = TimeTrigger(
        days,
        WeekProfile(*(alike[day] for day in week)),
        tuple(SpecialDayProfile(on, alike[day]) for on, day in special.items()),
    )
    return {
        "tariff_stage": tuple(
            TariffStage(stage, ObisCode(f"1-0:1.8.{stage}"), f"Tarifstufe {stage}")
            for stage in switch_time.stages(tariff.times, tariff.default)
        ),
        "default_tariff_number": tariff.default,
        "tariff_change_trigger": TariffChangeTrigger(trigger),
    }


def ordered(
    order: Mapping[str, Any], gateway: Gateway, keys: KeyStore, valid_from: datetime
) -> dict[str, list[wire.Profile]]:
    """What a commissioning order wants beside the WAN profiles, by group: meter, han, emt, evaluation.

    ``order``: ``meters``, ``emts``, ``tafs``, ``malos``, ``melo``, ``han`` ("yes"/"no"); ``valid_from``: when its
    evaluations begin.
    """
    devices = gateways.meters(order["meters"])
    recipients = emts(gateway.client_id, order["emts"])
    points = [*order.get("malos", []), *[order.get("melo", "")] * len(devices)]
    evaluations: list[wire.Profile] = [
        evaluation(int(taf), device, recipients, point, valid_from)
        for device, point in zip(devices, points, strict=False)
        for taf in dict.fromkeys(order["tafs"])
    ]
    return {
        "meter": [meter(device, keys) for device in devices],
        "han": _han(order, gateway, keys, [profile.id for profile in evaluations]),
        "emt": [emt(row) for row in recipients],
        "evaluation": evaluations,
    }


def _han(order: Mapping[str, Any], gateway: Gateway, keys: KeyStore, contracts: list[str]) -> list[wire.Profile]:
    """The consumer's access, if it is ordered."""
    return [han(gateway, keys, contracts)] if order.get("han") == "yes" else []


def han(gateway: Gateway, keys: KeyStore, contracts: Sequence[str]) -> wire.HanProfile:
    """The consumer's access to these contracts; the password waits in the key store for its confidential delivery."""
    label = _password_label(gateway)
    if not has_password(gateway, keys):
        keys.put_secret(label, administrator.new_password().encode())
    password = keys.secret(label).decode()
    realm = gateway.device_id.lower()
    return wire.HanProfile.with_password(CONSUMER, CONSUMER, realm, password, tuple(contracts))


def has_password(gateway: Gateway, keys: KeyStore) -> bool:
    """Whether we hold a password for the consumer of this gateway."""
    label = _password_label(gateway)
    return label in keys.labels(label)


def _password_label(gateway: Gateway) -> str:
    return f"client-{gateway.client_id}.{gateway.device_id.lower()}.han.{CONSUMER}"


_WANT = """
WITH wanted AS (
  SELECT * FROM unnest(%(kinds)s::text[], %(names)s::text[], %(digests)s::text[], %(contents)s::bytea[])
                  WITH ORDINALITY AS w (kind, name, digest, content, place)
), latest AS (
  SELECT DISTINCT ON (name) name, version, digest, state FROM store_profile
   WHERE gateway_id = %(gateway)s AND name = ANY(%(names)s) ORDER BY name, version DESC
), fresh AS (
  SELECT w.*, coalesce(l.version, 0) + 1 AS version FROM wanted AS w LEFT JOIN latest AS l USING (name)
   WHERE l.name IS NULL OR l.digest <> w.digest OR l.state NOT IN ('wanted', 'active')
), replaced AS (
  UPDATE store_profile AS p SET state = 'superseded' FROM fresh
   WHERE p.gateway_id = %(gateway)s AND p.name = fresh.name AND p.state = 'wanted'
)
INSERT INTO store_profile (gateway_id, kind, name, version, state, content, digest, run_id)
SELECT %(gateway)s, kind, name, version, 'wanted', content, digest, %(run)s FROM fresh ORDER BY place
"""


def want(gateway: Gateway, run_id: str, wanted: Iterable[wire.Profile]) -> None:
    """Keep these profiles as wanted, in their order, each a new version if it differs from the last."""
    profiles = list(wanted)
    contents = [profile.canonical() for profile in profiles]
    rows = {
        "kinds": [profile.kind.value for profile in profiles],
        "names": [profile.container_id for profile in profiles],
        "digests": [hashlib.sha256(content).hexdigest() for content in contents],
        "contents": contents,
    }
    statement.changed(_WANT, {"gateway": gateway.pk, "run": run_key(run_id), **rows})


_READ = """
WITH found AS (
  SELECT * FROM unnest(%(names)s::text[], %(digests)s::text[], %(contents)s::bytea[]) AS f (name, digest, content)
), kept AS (
  INSERT INTO store_profilereading (gateway_id, name, content, digest, read_at)
  SELECT %(gateway)s, name, content, digest, now() FROM found
      ON CONFLICT (gateway_id, name)
      DO UPDATE SET content = excluded.content, digest = excluded.digest, read_at = excluded.read_at
), proven AS (
  SELECT p.id, p.name FROM store_profile AS p JOIN found USING (name, digest)
   WHERE p.gateway_id = %(gateway)s AND p.state = 'wanted'
), replaced AS (
  UPDATE store_profile AS p SET state = 'superseded' FROM proven
   WHERE p.gateway_id = %(gateway)s AND p.name = proven.name AND p.state = 'active'
)
SELECT id FROM proven
"""
_PROVEN = "UPDATE store_profile SET state = 'active', active_at = now() WHERE id = ANY(%(proven)s) AND state = 'wanted'"


def read_back(gateway: Gateway, actual: Mapping[str, wire.Profile | None]) -> None:
    """Keep what stands on the gateway now: one row a name, and what is as wanted becomes active."""
    contents = [profile.canonical() if profile is not None else b"" for profile in actual.values()]
    rows = {
        "names": list(actual),
        "digests": [hashlib.sha256(content).hexdigest() if content else "" for content in contents],
        "contents": contents,
    }
    proven = [pk for (pk,) in statement.rows(_READ, {"gateway": gateway.pk, **rows})]
    # At most one version of a name is active at any instant: the one before has made room in the statement above.
    statement.changed(_PROVEN, {"proven": proven})


ADMINISTRATIVE = ("administrator", "wake_up")
"""Kinds that stay on a gateway to the end: without them nobody could speak to it any more."""
_REMOVAL_ORDER = tuple(map(wire.ProfileKind, ("evaluation", "han", "proxy", "communication", "meter")))
_OWN = (Scenario.MANAGEMENT, Scenario.ADMIN_SERVICE, Scenario.NTP_TLS)


def removable(gateway: Gateway) -> list[wire.Profile]:
    """What we know to stand on the gateway or want there, but for the administrator's own profiles; what refers to
    others comes before them.
    """
    rows = (
        gateway.profiles.filter(state__in=("wanted", "active")).exclude(kind__in=ADMINISTRATIVE).order_by("name", "id")
    )
    known = {row.name: wire.parse_profile(bytes(row.content)) for row in rows.order_by("name", "id")}
    found = [p for p in known.values() if not (isinstance(p, wire.CommunicationProfile) and p.scenario in _OWN)]
    return sorted(found, key=lambda p: _REMOVAL_ORDER.index(p.kind))


def consumers(gateway: Gateway) -> list[str]:
    """Whom our profiles on this gateway know as consumers."""
    rows = gateway.profiles.filter(state__in=("wanted", "active"), kind__in=("evaluation", "han"))
    found = [wire.parse_profile(bytes(row.content)) for row in rows]
    named = {p.consumer if isinstance(p, EvaluationProfile) else getattr(p, "user", "") for p in found}
    return sorted(named - {""})


def removed(gateway: Gateway, names: Iterable[str]) -> None:
    """These stand on the gateway no more."""
    gateway.profiles.filter(name__in=list(names), state__in=("wanted", "active")).update(state="removed")
    gateway.profile_readings.filter(name__in=list(names)).delete()
