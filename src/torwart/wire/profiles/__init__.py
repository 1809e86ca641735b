"""Configuration profiles of a gateway: dataclasses, their container XML, their check values and their comparison."""

from torwart.kernel.refusals.profile import PROFILE_FIELD, PROFILE_MALFORMED
from torwart.wire.cosem.uri import Address, container_address
from torwart.wire.profiles.base import CONTAINER_CLASS, KINDS, Profile, ProfileKind, differences
from torwart.wire.profiles.communication import (
    SCENARIO_NAMES,
    AdministratorProfile,
    CommunicationProfile,
    Endpoint,
    Peer,
    Retry,
    Scenario,
    Schedule,
    WakeUpProfile,
)
from torwart.wire.profiles.evaluation import EvaluationProfile, contract_name
from torwart.wire.profiles.han import HanProfile, ProxyProfile
from torwart.wire.profiles.meter import MeterProfile
from torwart.wire.xml import Element, local_name, parse

PROFILES: dict[ProfileKind, type[Profile]] = {
    cls.kind: cls
    for cls in (
        MeterProfile,
        CommunicationProfile,
        EvaluationProfile,
        HanProfile,
        ProxyProfile,
        AdministratorProfile,
        WakeUpProfile,
    )
}

_BY_ROOT = {cls.root: cls for cls in PROFILES.values()}


def parse_profile(body: bytes) -> Profile:
    """Read any profile by what its container holds; refuses ``xml.*``, ``profile.malformed``, ``profile.field``."""
    return profile_of(parse(body))


def profile_of(root: Element) -> Profile:
    """The profile of an already parsed container."""
    for child in root:
        cls = _BY_ROOT.get(local_name(child))
        if cls is not None:
            return cls.of_element(root)
    raise PROFILE_MALFORMED(why=f"{local_name(root)[:60]} holds no profile we know")


def profile_address(kind: ProfileKind, name: str, *, taf: int = 0, scenario: Scenario | None = None) -> Address:
    """Where a profile lives. ``taf`` is needed for evaluation, ``scenario`` for communication profiles."""
    if kind is ProfileKind.EVALUATION:
        container = contract_name(taf)
    elif kind is ProfileKind.COMMUNICATION:
        if scenario is None:
            raise PROFILE_FIELD(profile=name[:60], field="scenario", why="it is needed to find a communication profile")
        container = SCENARIO_NAMES[scenario]
    else:
        container = str(PROFILES[kind].logical_name)
    return container_address(f"{name.lower()}.sm", CONTAINER_CLASS, container)


__all__ = [
    "CONTAINER_CLASS",
    "KINDS",
    "PROFILES",
    "AdministratorProfile",
    "CommunicationProfile",
    "Endpoint",
    "EvaluationProfile",
    "HanProfile",
    "MeterProfile",
    "Peer",
    "Profile",
    "ProfileKind",
    "ProxyProfile",
    "Retry",
    "Scenario",
    "Schedule",
    "WakeUpProfile",
    "differences",
    "parse_profile",
    "profile_address",
    "profile_of",
]
