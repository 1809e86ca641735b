"""Meter profiles in the container XML of real gateways (spec/04 §4.3), with what it does not show in our own element.

Real: ``klc:container`` > ``klc:e_meter_device_object`` (class 32809) > ``ems:attributes``. Known are attributes 1 to 5
(names below), 7 and 16; real devices write nineteen, we write those seven and read over the others. ``klc:kaf_object``
is read over too: its content is in no source at hand. ``tw:meterExtension`` is ours: sector, protocol, LMN certificate
and key, tenant. The key (MK0, 16 octets) is write-only; its check value can be read back.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Self

from lxml import etree

from torwart.kernel.identifiers import DeviceId, ObisCode
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.profile import PROFILE_KIND, PROFILE_MALFORMED
from torwart.wire.profiles import form
from torwart.wire.profiles.base import Profile, ProfileKind
from torwart.wire.profiles.han import check_of
from torwart.wire.xml import Element, local_name

_BASE = "urn:k461-dke-de:"
KLC = _BASE + "kaf_lmn_container-1"
ADEVS = _BASE + "abstract_device_setup-1"
ADLS = _BASE + "abstract_device_lmn_setup-1"
COX = _BASE + "extension-1"
EMS = _BASE + "e_meter_sensor_setup-1"
KLI = _BASE + "kaf_lmn_index-1"
_NSMAP = {"klc": KLC, "adevs": ADEVS, "adls": ADLS, "cox": COX, "ems": EMS, "kli": KLI, "tw": form.NAMESPACE}

METER_CLASS = 32809
CONTAINER_NAME = "00000000e000"
OBJECT_NAME = "00000000e001"


class ComType(StrEnum):
    """How the meter is connected; only TLS is seen in a real profile, the others are ours."""

    TLS = "TLS"
    CMAC = "CMAC"
    OMS = "OMS"


class Protocol(StrEnum):
    SML_HDLC = "SML-HDLC"
    WMBUS = "WMBUS"


@dataclass(frozen=True, slots=True)
class MeterExtension:
    """What the real profile's known part lacks. ``certificate``: MTR_LMN_TLS, DER."""

    protocol: Protocol = Protocol.SML_HDLC
    certificate: bytes | None = None
    key_check: str | None = None
    key: bytes | None = field(default=None, repr=False, metadata={"write_only": True})
    tenant: str = ""
    replay_counter: int | None = None


@dataclass(frozen=True, slots=True)
class MeterProfile(Profile):
    """One meter. ``sample_rate`` in seconds; ``values``: the registers to capture."""

    kind: ClassVar[ProfileKind] = ProfileKind.METER
    root: ClassVar[str] = "e_meter_device_object"
    logical_name: ClassVar[str] = CONTAINER_NAME

    meter: DeviceId
    values: tuple[ObisCode, ...]
    active: bool = True
    sample_rate: int = 900
    com_type: ComType = ComType.TLS
    device_type: str = "eHZ"
    extension: MeterExtension = field(default_factory=MeterExtension)

    @classmethod
    def with_key(cls, meter: DeviceId, values: tuple[ObisCode, ...], key: bytes, **extension: object) -> Self:
        """A meter whose MK0 is ``key``."""
        inner = MeterExtension(key_check=check_of(key), key=key, **extension)  # type: ignore[arg-type]
        return cls(meter, values, extension=inner)

    @property
    def id(self) -> str:  # type: ignore[override]
        """The meter's canonical name without its postfix."""
        return self.meter.host.removesuffix(".sm")

    def __post_init__(self) -> None:
        if self.meter.is_gateway:
            self.refuse("meter", "this is a gateway's id")
        if not 1 <= len(self.values) <= 64 or len(set(self.values)) != len(self.values):
            self.refuse("values", "one to 64 registers, each once")
        if not 1 <= self.sample_rate <= 86400:
            self.refuse("sample_rate", "1 to 86400 seconds")
        if not self.device_type or not form.is_text(self.device_type):
            self.refuse("device_type", "a non-empty line of text is expected")
        key = self.extension.key
        if key is not None and (len(key) != 16 or self.extension.key_check != check_of(key)):
            # TR-03116-3 §6: MK is an AES-128 key.
            self.refuse("extension.key", "16 octets with their check value")

    def element(self, *, secrets: bool = True) -> Element:
        root = etree.Element(f"{{{KLC}}}container", nsmap=_NSMAP)
        root.set("id", self.container_id)
        device = etree.SubElement(root, f"{{{KLC}}}{self.root}")
        device.set("class_id", str(METER_CLASS))
        device.set("class_version", "0")
        device.set("id", f"{OBJECT_NAME}.{self.meter.host}")
        attributes = etree.SubElement(device, f"{{{EMS}}}attributes")
        for namespace, name, index, text in self._attributes():
            element = etree.SubElement(attributes, f"{{{namespace}}}{name}", id=str(index))
            element.text = text
        values = etree.SubElement(attributes, f"{{{EMS}}}values", id="16", count=str(len(self.values)))
        for value in self.values:
            etree.SubElement(values, f"{{{EMS}}}value", id=value.hex.lower())
        attributes.set("count", str(len(attributes)))
        form.write_fields(etree.SubElement(root, form.tag("meterExtension")), self.extension, secrets=secrets)
        return root

    def _attributes(self) -> tuple[tuple[str, str, int, str], ...]:
        return (
            (COX, "logical_name", 1, f"{OBJECT_NAME}.{self.meter.host}"),
            (ADEVS, "device_identifier", 2, self.meter.host.removesuffix(".sm")),
            (ADEVS, "device_type", 3, self.device_type),
            (ADEVS, "active", 4, "true" if self.active else "false"),
            (ADEVS, "samplerate", 5, str(self.sample_rate)),
            (ADLS, "com_type", 7, self.com_type.value),
        )

    @classmethod
    def of_element(cls, root: Element) -> Self:
        device = root.find(f"{{{KLC}}}{cls.root}")
        if root.tag != f"{{{KLC}}}container" or device is None:
            raise PROFILE_KIND(expected=cls.kind.value, found=local_name(root)[:60])
        attributes = device.find(f"{{{EMS}}}attributes")
        if attributes is None:
            raise PROFILE_MALFORMED(why="e_meter_device_object lacks its attributes")
        found = {local_name(child): child for child in attributes if isinstance(child.tag, str)}
        extension = root.find(form.tag("meterExtension"))
        try:
            profile = cls(
                meter=DeviceId.parse(_text(found, "device_identifier")),
                values=tuple(ObisCode.from_hex(value.get("id", "")) for value in found.get("values", ())),
                active=bool(("false", "true").index(_text(found, "active"))),
                sample_rate=form.whole(_text(found, "samplerate")),
                com_type=ComType(_text(found, "com_type")),
                device_type=_text(found, "device_type"),
                extension=MeterExtension() if extension is None else form.read_fields(MeterExtension, extension),
            )
        except (ValueError, Refusal) as error:
            raise PROFILE_MALFORMED(why=f"meter profile: {error}"[:200]) from error
        if (root.get("id") or "").lower() != profile.container_id:
            raise PROFILE_MALFORMED(why=f"the container says {str(root.get('id'))[:80]!r}, not {profile.container_id}")
        return profile


def _text(found: dict[str, Element], name: str) -> str:
    element = found.get(name)
    if element is None:
        raise PROFILE_MALFORMED(why=f"attribute {name} is missing")
    text = (element.text or "").strip()
    if not form.is_text(text):
        raise PROFILE_MALFORMED(why=f"attribute {name} is no line of text")
    return text
