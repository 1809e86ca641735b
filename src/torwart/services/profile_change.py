"""Changing the evaluations of a gateway in operation (P11): whom it concerns, what is to stand there, what does.

The new version of a profile stands beside the old one under a name of its own: the gateway itself changes from one to
the other at the instant both hold, whether anybody can reach it then or not.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from torwart.kernel.gateway_state import GatewayState
from torwart.kernel.identifiers import MeLoId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.precondition import NO_METER
from torwart.kernel.refusals.process import POINT_AMBIGUOUS, POINT_ELSEWHERE, POINT_UNKNOWN
from torwart.kernel.words import Words
from torwart.ports.key_store import KeyStore
from torwart.rules import precondition, switch_time
from torwart.rules.lead_time import spoken
from torwart.services import emt as emts
from torwart.services import gateway as gateways
from torwart.services import profile as profiles
from torwart.services.profile import Tariff
from torwart.store.models import Emt, Gateway, Meter, Profile, ReadingConfirmation
from torwart.wire import profiles as wire
from torwart.wire.profiles.communication import Scenario
from torwart.wire.profiles.evaluation import PRESENT_VALUES

CERTIFICATES_LEFT = timedelta(days=30)
"""How long a recipient's certificates must be valid beyond the change (P14: "EMT cert ≥ x days valid")."""

_GENERATION = re.compile(r"taf[0-9]+-[0-9a-z]{14}-([0-9]+)")


# Whom it concerns


def gateway_of(client: int | None, order: Mapping[str, Any]) -> str:
    """The gateway of the ordered metering point, or the one named; both must fit. Of a stranger's point nothing is
    known (P-1): ``process.point_unknown``.
    """
    point, named = order["metering_point"], order["gateway"]
    if not point:
        return str(named)
    rows = Meter.objects.filter(_measures(point), gateway__isnull=False)
    rows = rows if client is None else rows.filter(client=client)
    found = sorted(set(rows.values_list("gateway__device_id", flat=True)))
    if not found:
        raise POINT_UNKNOWN(point=point)
    if named:
        if named not in found:
            raise POINT_ELSEWHERE(point=point, gateway=named)
        return str(named)
    if len(found) > 1:
        raise POINT_AMBIGUOUS(point=point, gateways=", ".join(found))
    return found[0]


def _measures(point: str) -> Q:
    """Meters of a metering location, or of a market location."""
    return Q(melo=point) if len(point) == len(MeLoId.example) else Q(malos__contains=[point])


def _meters(gateway: Gateway, order: Mapping[str, Any]) -> list[Meter]:
    """The meters in operation whose evaluations are to change: those of the metering point, or all of the gateway."""
    rows = Meter.objects.filter(gateway=gateway, state="operational").order_by("device_id")
    return list(rows.filter(_measures(order["metering_point"])) if order["metering_point"] else rows)


def unmet(gateway: str, order: Mapping[str, Any], now: datetime) -> list[Refusal]:
    """All that stands against the change now: the gateway's state, meters, what they can, and the recipients."""
    device = gateways.get(gateway)
    standing = precondition.in_operation(gateway, GatewayState(device.state))
    if standing is not None:
        return [standing]
    meters = _meters(device, order)
    at = max(now, datetime.fromisoformat(order["valid_from"]))
    return precondition.unmet(
        None if meters else NO_METER(gateway=gateway),
        *(
            precondition.taf_possible(meter.device_id, profiles.registers_of(meter), int(taf))
            for meter in meters
            for taf in order["tafs"]
        ),
        *(
            precondition.emt_usable(name, emts.standing(device.client_id, name), at, CERTIFICATES_LEFT)
            for name in order["emts"]
        ),
    )


# What is to stand there


def plan(gateway: str, order: Mapping[str, Any], held: Sequence[str]) -> dict[str, Any]:
    """What the change consists of, decided once. ``held``: ids of the contracts the gateway holds by its own word.

    ``meters``: whose evaluations change; ``suffix``: of the new ones' names; ``replaced``: names of the old ones, each
    with the end it has already or ``""``, ``old`` their ids; ``unheld``: names we wanted once and the gateway does not
    hold; ``missing``: recipients the gateway has no communication profile of; ``new``: those that have got nothing so
    far.
    """
    device = gateways.get(gateway)
    meters = _meters(device, order)
    if not meters:
        raise NO_METER(gateway=gateway)
    kept = _evaluations(device)
    affected = {meter.device_id for meter in meters}
    concerned = {
        name: profile
        for name, profile in kept.items()
        if profile.tariff_use_case not in PRESENT_VALUES
        and affected & {str(assigned.meter) for assigned in profile.assignment}
    }
    replaced = {name: profile for name, profile in concerned.items() if profile.id in held}
    wanted = profiles.emts(device.client_id, order["emts"])
    before = {name for profile in replaced.values() for name in profile.recipient}
    reached = {
        profile.id
        for profile in _parsed(device, "communication", "active").values()
        if isinstance(profile, wire.CommunicationProfile)
    }
    return {
        "meters": sorted(affected),
        "suffix": f"-{_generation(device) + 1}",
        "replaced": {name: _end(profile) for name, profile in sorted(replaced.items())},
        "old": sorted(profile.id for profile in replaced.values()),
        "unheld": sorted(concerned.keys() - replaced.keys()),
        "missing": [row.name for row in wanted if _way(row) not in reached],
        "new": [row.name for row in wanted if _way(row) not in before],
    }


def _end(profile: wire.EvaluationProfile) -> str:
    return profile.valid_until.isoformat() if profile.valid_until else ""


def _way(row: Emt) -> str:
    """Id of the communication profile that leads to an EMT."""
    return f"emt-{row.pk}"


def _parsed(device: Gateway, kind: str, *states: str) -> dict[str, wire.Profile]:
    """The newest version of each profile of a kind by name, among those in one of these states."""
    rows = Profile.objects.filter(gateway=device, kind=kind, state__in=states or ("wanted", "active"))
    return {row.name: wire.parse_profile(bytes(row.content)) for row in rows.order_by("name", "version")}


def _evaluations(device: Gateway) -> dict[str, wire.EvaluationProfile]:
    found = _parsed(device, "evaluation").items()
    return {name: profile for name, profile in found if isinstance(profile, wire.EvaluationProfile)}


def _generation(device: Gateway) -> int:
    """The highest number a name of ours has had on this gateway; profiles of a commissioning have none."""
    names = Profile.objects.filter(gateway=device, kind="evaluation").values_list("name", flat=True)
    numbers = (_GENERATION.search(name) for name in names)
    return max((int(number[1]) for number in numbers if number), default=1)


@dataclass(frozen=True, slots=True)
class Change:
    """What a change writes and deletes. ``ended``: old evaluations with their end; ``between``: the consumer's access
    while both stand there, ``after``: once the old ones are gone; ``gone``: what is deleted in the end.
    """

    ways: list[wire.Profile]
    new: list[wire.Profile]
    ended: list[wire.EvaluationProfile]
    between: list[wire.Profile]
    after: list[wire.Profile]
    gone: list[wire.Profile]


def begin_of(order: Mapping[str, Any], earliest: datetime) -> datetime:
    """When the new profiles begin: as ordered, but never before ``earliest``."""
    return max(datetime.fromisoformat(order["valid_from"]), earliest.replace(microsecond=0) + timedelta(seconds=1))


def compose(gateway: str, order: Mapping[str, Any], decided: Mapping[str, Any], at: datetime, keys: KeyStore) -> Change:
    """The profiles of the change that ``plan`` has decided, with the instant ``at`` of the change."""
    device = gateways.get(gateway)
    recipients = profiles.emts(device.client_id, order["emts"])
    tariff = tariff_of(order)
    new: list[wire.Profile] = [
        profiles.evaluation(int(taf), meter, recipients, _point(meter), at, tariff, decided["suffix"])
        for meter in gateways.meters(decided["meters"])
        for taf in dict.fromkeys(order["tafs"])
    ]
    kept = _evaluations(device)
    old = {name: kept[name] for name in decided["replaced"] if name in kept}
    rest = [p for name, p in kept.items() if name not in old and p.id not in {one.id for one in new}]
    needed = {name for p in [*rest, *new] if isinstance(p, wire.EvaluationProfile) for name in p.recipient}
    # The old ones by what was decided: once they are removed our data no longer know them.
    old_ids, new_ids = decided["old"], [p.id for p in new]
    return Change(
        ways=[profiles.emt(row) for row in recipients if row.name in decided["missing"]],
        new=new,
        ended=[
            replace(p, valid_until=_until(decided["replaced"][name], at))
            for name, p in old.items()
            if p.valid_from < at
        ],
        between=_access(device, keys, [], new_ids),
        after=_access(device, keys, old_ids, new_ids),
        gone=[*old.values(), *_idle(device, needed, old)],
    )


def _until(end: str, at: datetime) -> datetime:
    """The end of an old evaluation: the change, unless an earlier attempt has ended it before."""
    return min(at, datetime.fromisoformat(end)) if end else at


def _point(meter: Meter) -> str:
    return next(iter(meter.malos), "") or meter.melo


def _access(device: Gateway, keys: KeyStore, without: Sequence[str], more: Sequence[str]) -> list[wire.Profile]:
    """The consumer's access with other contracts, if there is one whose password we hold."""
    found = _parsed(device, "han", "active").values()
    access = next((p for p in found if isinstance(p, wire.HanProfile) and p.id == profiles.CONSUMER), None)
    if access is None or not profiles.has_password(device, keys):
        return []
    contracts = [name for name in access.contract if name not in {*without, *more}]
    return [profiles.han(device, keys, [*contracts, *more])]


def _idle(device: Gateway, needed: set[str], old: Mapping[str, wire.EvaluationProfile]) -> list[wire.Profile]:
    """Ways to recipients that only the old evaluations used."""
    used = {name for profile in old.values() for name in profile.recipient}
    return [
        profile
        for profile in _parsed(device, "communication").values()
        if isinstance(profile, wire.CommunicationProfile)
        and profile.scenario is Scenario.INFO_REPORT
        and profile.id in used - needed
    ]


def tariff_of(order: Mapping[str, Any]) -> Tariff:
    """The order's wishes; what it leaves out is as without any."""
    usual = Tariff()
    times = tuple(map(switch_time.parse, order.get("switch_times") or ()))
    return Tariff(
        times=times or usual.times,
        default=int(order.get("default_stage") or usual.default),
        registration=60 * int(order.get("registration_minutes") or usual.registration // 60),
        send=3600 * int(order.get("send_hours") or usual.send // 3600),
        billing=order.get("billing_period") or usual.billing,
    )


# What stands there


def first_values(gateway: str, contracts: Sequence[str], recipients: Sequence[str]) -> str | None:
    """When the first value was captured that each of these recipients has confirmed under the new contracts (names of
    their containers), once there is one of every contract for everybody.
    """
    rows = ReadingConfirmation.objects.filter(
        gateway__device_id=gateway, emt__name__in=recipients, content__contract__in=contracts
    )
    first: dict[tuple[str, str], str] = {}
    for name, content in rows.order_by("-id").values_list("emt__name", "content"):
        first[name, content["contract"]] = content["first"]
    complete = len(first) == len(recipients) * len(contracts)
    return min(first.values()) if complete and first else None


def remains(run_id: str, gateway: str) -> list[tuple[Words, str]]:
    """What a change that failed leaves on the gateway, as far as it is proven, and what may stand there besides."""
    rows = Profile.objects.filter(
        Q(state="active") | Q(state="wanted", run__run_id=run_id), gateway__device_id=gateway, kind="evaluation"
    )
    return [(_standing_words(row), _standing(row)) for row in rows.order_by("state", "name")]


def _standing_words(row: Profile) -> Words:
    if row.state == "wanted":
        return Words("Vielleicht auf dem Gateway, nicht nachgewiesen", "Perhaps on the gateway, not proven")
    return Words("Auf dem Gateway, nachgewiesen", "On the gateway, proven")


def _standing(row: Profile) -> str:
    """Name and validity, in words that need no language."""
    profile = wire.parse_profile(bytes(row.content))
    if not isinstance(profile, wire.EvaluationProfile):
        return row.name
    end = f" – {spoken(profile.valid_until)}" if profile.valid_until else " – …"
    return f"TAF {profile.tariff_use_case} ({profile.id}): {spoken(profile.valid_from)}{end}"
