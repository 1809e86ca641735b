"""What all profiles share: a name, an address on the gateway, a canonical form with digest, comparison.

A profile is one container, written and read as a whole (A2 §7.9), on a logical device of its own: real gateways name
their containers ``<obis>.<logical device>.sm`` (``01005e318021.taf1-1.sm``, ``00000000e000.1lgz….sm``, spec/04 §4),
which reads as container ``<obis>`` on logical device ``<name>.sm``. So the path is
``/cosem/ldevs/<name>.sm/containers/<class>-<obis>``. The class id of a container is ours.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from enum import StrEnum
from typing import ClassVar, NoReturn, Self

from lxml import etree

from torwart.kernel.refusals.profile import PROFILE_FIELD, PROFILE_KIND, PROFILE_MALFORMED
from torwart.kernel.words import Words
from torwart.wire.cosem.uri import Address, container_address
from torwart.wire.profiles import form
from torwart.wire.xml import Element, local_name, parse, serialise

CONTAINER_CLASS = 9001
"""Class id of a profile container in its path; ours, from IEC 62056-6-2's manufacturer range (8192–32767)."""

_NAME = re.compile(r"(?!-)[0-9a-z-]{1,60}(?<!-)")


class ProfileKind(StrEnum):
    """The kinds of profiles, by the German words of the trade in spec/04 §1.7."""

    METER = "meter"
    COMMUNICATION = "communication"
    EVALUATION = "evaluation"
    HAN = "han"
    PROXY = "proxy"
    ADMINISTRATOR = "administrator"
    WAKE_UP = "wake_up"


KINDS: dict[ProfileKind, Words] = {
    ProfileKind.METER: Words("Zählerprofil", "meter"),
    ProfileKind.COMMUNICATION: Words("WAN-Kommunikationsprofil", "communication"),
    ProfileKind.EVALUATION: Words("Auswertungsprofil", "evaluation"),
    ProfileKind.HAN: Words("HAN-Kommunikationsprofil", "HAN"),
    ProfileKind.PROXY: Words("Proxy-Kommunikationsprofil", "proxy"),
    ProfileKind.ADMINISTRATOR: Words("Administratorprofil", "administrator"),
    ProfileKind.WAKE_UP: Words("Weckrufprofil", "wake-up"),
}


class Profile(ABC):
    """A configuration profile. Subclasses are frozen dataclasses with a field ``id`` of ``[0-9a-z-]``, 1–60."""

    __slots__ = ()

    kind: ClassVar[ProfileKind]
    root: ClassVar[str]
    """The element inside the container that tells the kind."""

    id: str

    @property
    @abstractmethod
    def logical_name(self) -> str:
        """OBIS of the container, twelve hex digits."""
        ...

    @property
    def address(self) -> Address:
        return container_address(f"{self.id}.sm", CONTAINER_CLASS, self.logical_name)

    @property
    def container_id(self) -> str:
        """As real gateways write it: ``01005e318027.taf7-1.sm``."""
        return f"{self.logical_name}.{self.id}.sm"

    def element(self, *, secrets: bool = True) -> Element:
        root = etree.Element(form.tag("container"), nsmap={"tw": form.NAMESPACE})
        root.set("id", self.container_id)
        form.write_fields(etree.SubElement(root, form.tag(self.root)), self, secrets=secrets)
        return root

    def to_xml(self) -> bytes:
        """The document to write, secrets included: it travels protected by CMS only."""
        return serialise(self.element())

    def canonical(self) -> bytes:
        """The bytes that are equal exactly when all comparable fields are: without secrets, exclusive C14N."""
        return etree.tostring(self.element(secrets=False), method="c14n", exclusive=True)

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, in hex."""
        return hashlib.sha256(self.canonical()).hexdigest()

    def without_secrets(self) -> Self:
        """As a gateway gives it back."""
        return form.without_secrets(self)

    @classmethod
    def of_element(cls, root: Element) -> Self:
        """Read a container's root element; refuses ``profile.kind`` another profile, ``profile.malformed``."""
        inner = [child for child in root if isinstance(child.tag, str)]
        if root.tag != form.tag("container") or len(inner) != 1:
            raise PROFILE_MALFORMED(why=f"{local_name(root)[:60]} is no container of one profile")
        if inner[0].tag != form.tag(cls.root):
            raise PROFILE_KIND(expected=cls.kind.value, found=local_name(inner[0])[:60])
        profile = form.read_fields(cls, inner[0])
        if root.get("id") != profile.container_id:
            raise PROFILE_MALFORMED(why=f"the container says {str(root.get('id'))[:80]!r}, not {profile.container_id}")
        return profile

    @classmethod
    def from_xml(cls, body: bytes) -> Self:
        return cls.of_element(parse(body))

    def check_id(self) -> None:
        if not _NAME.fullmatch(self.id):
            self.refuse("id", f"{self.id[:60]!r} is not 1–60 of 0-9, a-z and -")

    def check_texts(self, *names: str) -> None:
        """The fields that must be one line XML can carry, and not empty."""
        for name in names:
            value = getattr(self, name)
            if not value or not form.is_text(value):
                self.refuse(name, "a non-empty line of text is expected")

    def refuse(self, field: str, why: str) -> NoReturn:
        raise PROFILE_FIELD(profile=f"{self.kind.value} {self.id[:60]}", field=field, why=why)


def differences(wanted: Profile, actual: Profile) -> list[str]:
    """What of ``actual`` is not as ``wanted``, field by field; empty when the gateway holds what it should."""
    return form.differences(wanted, actual)
