"""Asking a gateway: each operation is a ``Question`` – the request to send and how to understand its answer.

    question = Smgw(device).read_status()
    answer = link.exchange(device, command_of(question.request))
    status = question.answer(Response(answer.status, answer.headers, answer.body), unprotect)

Protection of content is a hook on both ways, because CMS is end to end between worker and gateway.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import (
    COSEM_ANSWER,
    COSEM_APPLICATION,
    COSEM_BODY,
    COSEM_NOT_FOUND,
    COSEM_TOO_SLOW,
)
from torwart.kernel.refusals.profile import PROFILE_FIELD, PROFILE_MALFORMED, PROFILE_TAF
from torwart.wire import logbook
from torwart.wire.cosem import tree
from torwart.wire.cosem.data import Data
from torwart.wire.cosem.message import (
    MEDIA_TYPE_CMS,
    MEDIA_TYPE_XML,
    MediaType,
    Request,
    Response,
    new_correlation,
)
from torwart.wire.cosem.query import Query
from torwart.wire.cosem.uri import Address, Level, ObjectId
from torwart.wire.profiles import Profile, ProfileKind, Scenario, parse_profile, profile_address
from torwart.wire.smgw import table
from torwart.wire.smgw.model import (
    CertificateEntry,
    ClockReading,
    ContractStatus,
    DeviceStatus,
    Firmware,
    ImageActivation,
    ImageBlock,
    ImageStart,
    ImageStatus,
    LmnDevice,
    LogKind,
    RequestOrder,
    SelfTest,
    SendOrder,
    Standing,
)
from torwart.wire.smgw.values import from_data, to_data

T = TypeVar("T")
Hook = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """``request`` carries its content unprotected; ``read`` makes the result of an opened body (``b""``: none).

    ``slow``: the gateway may answer 202 and bring the result later (``result``), if ``with_reply`` said where to.
    """

    request: Request
    read: Callable[[bytes], T]
    slow: bool = False

    def with_reply(self, contact: str, correlation: str = "") -> "Question[T]":
        """The same with x-CID (a fresh one unless given) and x-ContactURI (A2 §7.5)."""
        headers = {**self.request.headers, "x-CID": correlation or new_correlation(), "x-ContactURI": contact}
        return replace(self, request=replace(self.request, headers=headers))

    @property
    def correlation(self) -> str:
        """The x-CID by which a late result is recognised; "" without."""
        return self.request.header("x-CID")

    def protected(self, protect: Hook) -> Request:
        """The request with its content protected; one without content stays as it is."""
        if not self.request.body:
            return self.request
        headers = {**self.request.headers, "Content-Type": MEDIA_TYPE_CMS}
        return replace(self.request, headers=headers, body=protect(self.request.body))

    def later(self, response: Response) -> bool:
        """Whether the result follows by notification."""
        return self.slow and response.status == 202

    def answer(self, response: Response, unprotect: Hook | None = None) -> T:
        """The result, or a refusal: ``cosem.application`` and ``cosem.not_found`` as the gateway said,
        ``cosem.too_slow`` for 202 and 408, ``cosem.answer`` for any other status.
        """
        body = _opened(response, unprotect)
        if response.status in (200, 201, 204):
            return self._read(body, response.status)
        raise _no(response, body, self.request.target)

    def result(self, body: bytes) -> T:
        """The result a notification brought, from its opened body."""
        return self._read(body, 200)

    def _read(self, body: bytes, status: int) -> T:
        try:
            return self.read(body)
        except Refusal as refusal:
            if refusal.kind in (PROFILE_FIELD, PROFILE_TAF):
                # What the gateway holds breaks our rules: its fault, not that of our order.
                raise PROFILE_MALFORMED(why=refusal.text("en")) from refusal
            if refusal.kind is COSEM_BODY:
                raise COSEM_ANSWER(status=status, expected=self.request.target, why=refusal.text("en")) from refusal
            raise


def _opened(response: Response, unprotect: Hook | None) -> bytes:
    if not response.body:
        return b""
    if MediaType.parse(response.header("Content-Type")).is_cms:
        if unprotect is None:
            raise COSEM_ANSWER(status=response.status, expected=MEDIA_TYPE_XML, why="its content is protected")
        return unprotect(response.body)
    # With a way to open content, content that is not protected cannot be believed.
    if unprotect is not None:
        raise COSEM_ANSWER(status=response.status, expected=MEDIA_TYPE_CMS, why="its content is not protected")
    return response.body


def _no(response: Response, body: bytes, target: str) -> Refusal:
    if response.status == 404:
        return COSEM_NOT_FOUND(path=target)
    if response.status in (202, 408):
        return COSEM_TOO_SLOW(retry_after=response.retry_after)
    if response.status in (422, 500) and body:
        return error_of(tree.decode_as(tree.MethodResponse, body), response.status)
    return COSEM_ANSWER(status=response.status, expected="2xx", why=target)


def error_of(response: tree.MethodResponse, status: int = 500) -> Refusal:
    """The application error a gateway told, with its own code and words if it gave any."""
    told = response.data.parts if response.data is not None and response.data.type == "structure" else ()
    code, text = (told[0].text, told[1].text) if len(told) == 2 else ("", "")
    return COSEM_APPLICATION(
        status=response.status or status, why=f"{text} [{code}]" if code else "no reason given", code=code
    )


def _nothing(_body: bytes) -> None:
    return None


def _returned(hint: Any) -> Callable[[bytes], Any]:
    """Reads a method's result."""

    def read(body: bytes) -> Any:
        if not body:
            raise COSEM_BODY(why="the method returned nothing")
        response = tree.decode_as(tree.MethodResponse, body)
        if response.status:
            raise error_of(response)
        if hint is None:
            return None
        if response.data is None:
            raise COSEM_BODY(why="the method returned nothing")
        return from_data(hint, response.data)

    return (lambda body: read(body) if body else None) if hint is None else read


def _valued(hint: Any) -> Callable[[bytes], Any]:
    """Reads an attribute's value."""

    def read(body: bytes) -> Any:
        attribute = tree.decode_as(tree.Attribute, body)
        return from_data(hint, attribute.data or Data("null-data"))

    return read


@dataclass(frozen=True, slots=True)
class Smgw:
    """Makes the questions to one gateway. ``poc``: prefix of its resource tree."""

    device: DeviceId
    poc: str = ""

    # Looking

    def read_status(self) -> Question[DeviceStatus]:
        return self._get(table.STATUS, "value")

    def read_clock(self) -> Question[ClockReading]:
        return self._get(table.CLOCK, "reading")

    def read_firmware(self) -> Question[Firmware]:
        return self._get(table.FIRMWARE, "value")

    def read_certificates(self) -> Question[tuple[CertificateEntry, ...]]:
        return self._get(table.SECURITY, "certificates")

    def list_lmn(self) -> Question[tuple[LmnDevice, ...]]:
        return self._get(table.LMN, "devices")

    def list_contracts(self) -> Question[tuple[ContractStatus, ...]]:
        return self._get(table.CONTRACTS, "contracts")

    def read_log(
        self,
        kind: LogKind,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        count: int | None = None,
        level: str | None = None,
    ) -> Question[logbook.Logbook]:
        """Entries from ``since`` (inclusive) to ``until`` (exclusive), newest first, at most ``count``; ``level``
        I, W, E or F (Detailspezifikationen, Tabelle 6.5).
        """
        query = Query(q_fromtime=since, q_totime=until, q_count=count, q_level=level)
        request = self._request("GET", self._object(_LOGS[kind]), query=query)
        return Question(request, logbook.parse)

    # Acting

    def self_test(self) -> Question[SelfTest]:
        return self._call(table.DEVICE, "self_test")

    def restart(self) -> Question[None]:
        return self._call(table.DEVICE, "restart")

    def clear_log(self, kind: LogKind) -> Question[None]:
        """Forget the entries of a log the GWA has kept; the consumer's log cannot be cleared by it."""
        return self._call(_LOGS[kind], "clear")

    def generate_key_pairs(self) -> Question[None]:
        """Make a new triple in the security module; a set that waits unused is replaced."""
        return self._call(table.SECURITY, "generate_key_pairs")

    def certificate_request(self, order: RequestOrder) -> Question[bytes]:
        """The request package (``torwart.wire.crmf``) for the waiting keys, DER."""
        return self._call(table.SECURITY, "certificate_request", order)

    def import_certificates(self, certificates: Sequence[bytes]) -> Question[None]:
        """Certificates of the waiting keys, and their Sub-CA if it is new; DER."""
        return self._call(table.SECURITY, "import_certificates", tuple(certificates))

    def activate_certificates(self) -> Question[None]:
        """Use the waiting set from now on; the gateway connects anew with it."""
        return self._call(table.SECURITY, "activate_certificates")

    def retire_seal(self) -> Question[None]:
        """Destroy the maker's seal keys and certificates."""
        return self._call(table.SECURITY, "remove_certificates", Standing.SEAL)

    def pair_meter(self, meter: DeviceId) -> Question[LmnDevice]:
        return self._call(table.LMN, "pair", meter)

    def unpair_meter(self, meter: DeviceId) -> Question[None]:
        return self._call(table.LMN, "unpair", meter)

    def send_reading_now(
        self, contract: str, since: datetime | None = None, until: datetime | None = None
    ) -> Question[int]:
        """Let a contract deliver at once; the result is how many values were sent."""
        return self._call(table.CONTRACTS, "send_now", SendOrder(contract, since, until))

    def wipe_consumer_data(self, consumer: str) -> Question[None]:
        return self._call(table.CONTRACTS, "wipe_consumer", consumer)

    # Firmware

    def image_status(self) -> Question[ImageStatus]:
        return self._get(table.IMAGE, "status")

    def image_initiate(self, identifier: str, size: int) -> Question[ImageStatus]:
        """Begin a transfer, or go on with one of the same identifier and size: ``missing`` says where."""
        return self._call(table.IMAGE, "initiate", ImageStart(identifier, size))

    def image_block(self, number: int, octets: bytes) -> Question[None]:
        return self._call(table.IMAGE, "block", ImageBlock(number, octets))

    def image_verify(self) -> Question[ImageStatus]:
        return self._call(table.IMAGE, "verify")

    def image_activate(self, at: datetime | None = None) -> Question[None]:
        return self._call(table.IMAGE, "activate", ImageActivation(at))

    # Profiles

    def write_profile(self, profile: Profile) -> Question[None]:
        """Create or replace it, as a whole or not at all (A2 §7.9)."""
        return Question(self._request("PUT", profile.address, profile.to_xml()), _nothing)

    def read_back(self, profile: Profile) -> Question[Profile]:
        """What the gateway holds where ``profile`` should be."""
        return Question(self._request("GET", profile.address), parse_profile)

    def read_profile(
        self,
        kind: ProfileKind,
        name: str,
        *,
        taf: int = 0,
        scenario: Scenario | None = None,
    ) -> Question[Profile]:
        """``taf`` for evaluation, ``scenario`` for communication profiles: their names depend on it."""
        return Question(self._request("GET", profile_address(kind, name, taf=taf, scenario=scenario)), parse_profile)

    def delete_profile(
        self,
        kind: ProfileKind,
        name: str,
        *,
        taf: int = 0,
        scenario: Scenario | None = None,
    ) -> Question[None]:
        return Question(self._request("DELETE", profile_address(kind, name, taf=taf, scenario=scenario)), _nothing)

    def remove(self, profile: Profile) -> Question[None]:
        return Question(self._request("DELETE", profile.address), _nothing)

    def list_profiles(self) -> Question[tuple[Address, ...]]:
        """Addresses of all profiles on the gateway."""
        request = self._request("GET", Address(Level.DEVICES), query=Query(q_depth=3))
        return Question(request, _profile_addresses)

    # How

    def _object(self, spec: table.ObjectSpec) -> Address:
        return Address(Level.OBJECT, self.device.host, spec.id)

    def _request(self, method: str, address: Address, body: bytes = b"", query: Query | None = None) -> Request:
        text = query.encode() if query else ""
        headers = {"Host": self.device.host, **({"Content-Type": MEDIA_TYPE_XML} if body else {})}
        return Request(method, self.poc + address.path + (f"?{text}" if text else ""), headers, body)

    def _get(self, spec: table.ObjectSpec, name: str) -> Question[Any]:
        attribute = spec.attributes[name]
        return Question(self._request("GET", self._object(spec).attribute(attribute.index)), _valued(attribute.type))

    def _call(self, spec: table.ObjectSpec, name: str, parameter: Any = None) -> Question[Any]:
        method = spec.methods[name]
        body = b"" if method.parameter is None else tree.encode(tree.MethodCall(to_data(parameter)))
        request = self._request("POST", self._object(spec).method(method.index), body)
        return Question(request, _returned(method.result), method.slow)


_LOGS = {
    LogKind.SYSTEM: table.SYSTEM_LOG,
    LogKind.CALIBRATION: table.CALIBRATION_LOG,
    LogKind.CONSUMER: table.CONSUMER_LOG,
}


def _profile_addresses(body: bytes) -> tuple[Address, ...]:
    devices = tree.decode_as(tree.Devices, body)
    found = []
    for device in devices.list.items:
        for container in device.containers.items if device.containers else ():
            if container.class_id is None:
                raise COSEM_BODY(why=f"container {container.id} without class-id")
            name = ObjectId.of(container.class_id, container.id)
            found.append(Address(Level.DEVICE_CONTAINER, device.id, name))
    return tuple(found)
