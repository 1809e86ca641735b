"""The object model of our gateway, once: the simulator binds it, the processes ask by it.

Modelled on IEC 62056-6-2 where a class of it fits (1 data, 7 profile generic, 8 clock, 18 image transfer, 64 security
setup; class and method numbers recalled, so ours) and extended with classes 9010–9021 of the manufacturer range.
Nothing here is the object model of DIN VDE V 0418-63-8, which is not at hand.

A slow method answers 202 and brings its result later to the contact (A2 §7.5), if the gateway chooses so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from torwart.kernel.identifiers import DeviceId
from torwart.wire.cosem.data import Data
from torwart.wire.cosem.query import Query
from torwart.wire.cosem.resources import LATER, Binding, Later, Reply
from torwart.wire.cosem.uri import ObjectId
from torwart.wire.smgw.model import (
    CertificateEntry,
    ClockReading,
    ContractStatus,
    DeviceStatus,
    Event,
    Firmware,
    ImageActivation,
    ImageBlock,
    ImageStart,
    ImageStatus,
    LmnDevice,
    RequestOrder,
    SelfTest,
    SendOrder,
    Standing,
)
from torwart.wire.smgw.values import from_data, to_data


@dataclass(frozen=True, slots=True)
class Attribute:
    """``type``: Python type hint of the value; ``number``: COSEM type if it is a whole number."""

    index: int
    type: Any
    number: str = "long64"


@dataclass(frozen=True, slots=True)
class Method:
    """``parameter`` and ``result``: Python type hints, ``None`` for none. ``slow``: may answer later."""

    index: int
    parameter: Any = None
    result: Any = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class ObjectSpec:
    """One object of the management logical device."""

    id: ObjectId
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    methods: Mapping[str, Method] = field(default_factory=dict)
    documented: bool = False
    """Read as a whole it is a document of its own vocabulary (logbook)."""

    def bind(
        self,
        read: Mapping[str, Callable[..., Any]],
        call: Mapping[str, Callable[..., Any]] | None = None,
        document: Callable[..., bytes] | None = None,
    ) -> Binding:
        """The server's side, in plain values. ``read[name](owner, query)``, ``call[name](owner[, parameter], reply)``
        where ``reply`` is given to slow methods only; such a one may return ``LATER``. ``document(owner, query)``.
        """
        readers = {self.attributes[name].index: _reader(self.attributes[name], act) for name, act in read.items()}
        callers = {self.methods[name].index: _caller(self.methods[name], act) for name, act in (call or {}).items()}
        return Binding(self.id, readers=readers, callers=callers, document=document)


def _reader(attribute: Attribute, read: Callable[..., Any]) -> Callable[[Any, Query], Data]:
    return lambda owner, query: to_data(read(owner, query), attribute.number)


def _caller(method: Method, act: Callable[..., Any]) -> Callable[[Any, Data | None, Reply | None], Data | Later | None]:
    def call(owner: Any, parameter: Data | None, reply: Reply | None) -> Data | Later | None:
        arguments: list[Any] = [owner]
        if method.parameter is not None:
            arguments.append(from_data(method.parameter, parameter or Data("null-data")))
        if method.slow:
            arguments.append(reply)
        result = act(*arguments)
        if result is LATER:
            return Later.LATER
        return None if method.result is None else to_data(result)

    return call


LOGICAL_DEVICE_NAME = ObjectSpec(ObjectId(1, "00002a0000ff"), {"value": Attribute(2, str)})
"""A2 §5.1: "Pro Management Logical Device MUSS ein Logical-Device-Name Objekt vorhanden sein"."""

CLOCK = ObjectSpec(
    ObjectId(8, "0000010000ff"), {"time": Attribute(2, datetime), "reading": Attribute(-1, ClockReading)}
)

FIRMWARE = ObjectSpec(ObjectId(1, "0100000200ff"), {"value": Attribute(2, Firmware)})
"""1-0:0.2.0, active firmware identifier."""

STATUS = ObjectSpec(ObjectId(1, "0000600a01ff"), {"value": Attribute(2, DeviceStatus)})
"""0-0:96.10.1, status register."""

DEVICE = ObjectSpec(
    ObjectId(9010, "01005e318060"),
    {"self_test": Attribute(2, SelfTest | None)},
    {"self_test": Method(1, result=SelfTest, slow=True), "restart": Method(2)},
)

SECURITY = ObjectSpec(
    ObjectId(64, "00002b0000ff"),
    {"certificates": Attribute(6, tuple[CertificateEntry, ...])},
    {
        "generate_key_pairs": Method(4, slow=True),
        "certificate_request": Method(5, RequestOrder, bytes, slow=True),
        "import_certificates": Method(6, tuple[bytes, ...]),
        "remove_certificates": Method(8, Standing),
        "activate_certificates": Method(-1),
    },
)
"""One call makes or takes the whole triple TLS, SIG, ENC; ``activate`` switches from the next set to it. After
``activate`` and after removing the set in use the gateway connects anew.
"""

LMN = ObjectSpec(
    ObjectId(9011, "01005e318002"),
    {"devices": Attribute(2, tuple[LmnDevice, ...])},
    {"pair": Method(1, DeviceId, LmnDevice, slow=True), "unpair": Method(2, DeviceId)},
)
"""Name of the meter list in real gateways (spec/04 §4.1)."""

CONTRACTS = ObjectSpec(
    ObjectId(9012, "01005e318020"),
    {"contracts": Attribute(2, tuple[ContractStatus, ...])},
    {"send_now": Method(1, SendOrder, int, slow=True), "wipe_consumer": Method(2, str)},
)
"""``wipe_consumer`` deletes what a consumer could see: values, log, HAN user data (change of consumer, removal)."""

IMAGE = ObjectSpec(
    ObjectId(18, "00002c0000ff"),
    {"status": Attribute(6, ImageStatus)},
    {
        "initiate": Method(1, ImageStart, ImageStatus),
        "block": Method(2, ImageBlock),
        "verify": Method(3, None, ImageStatus, slow=True),
        "activate": Method(4, ImageActivation, slow=True),
    },
)

_CLEAR = {"clear": Method(1)}
SYSTEM_LOG = ObjectSpec(ObjectId(7, "0000636201ff"), methods=_CLEAR, documented=True)
CALIBRATION_LOG = ObjectSpec(ObjectId(7, "0000636202ff"), methods=_CLEAR, documented=True)
CONSUMER_LOG = ObjectSpec(ObjectId(7, "0000636203ff"), documented=True)
"""The consumer log's name is that of real exports (spec/04 §4.2), the others are ours beside it."""

OBJECTS: dict[str, ObjectSpec] = {
    "logical_device_name": LOGICAL_DEVICE_NAME,
    "clock": CLOCK,
    "firmware": FIRMWARE,
    "status": STATUS,
    "device": DEVICE,
    "security": SECURITY,
    "lmn": LMN,
    "contracts": CONTRACTS,
    "image": IMAGE,
    "system_log": SYSTEM_LOG,
    "calibration_log": CALIBRATION_LOG,
    "consumer_log": CONSUMER_LOG,
}

# The other direction: what the GWA and an EMT offer to a gateway (Notify is "POST auf Methode", A2 Tabelle 5).

GWA_POC = "/gwa"
GWA_DEVICE = "gwa.sm"
EVENTS = ObjectSpec(
    ObjectId(9020, "01005e318061"), methods={"notify": Method(1, Event), "result": Method(2, slow=False)}
)
"""``notify`` takes events; ``result`` takes late results of slow methods, found by their x-CID."""

EMT_POC = "/emt"
EMT_DEVICE = "emt.sm"
READINGS = ObjectSpec(ObjectId(9021, "01005e318062"), methods={"deliver": Method(1)})
"""``deliver`` takes readings: its body is the profile_generic document itself (spec/04 §4.1), not a COSEM value."""
