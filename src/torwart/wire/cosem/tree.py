"""The resource tree as XML of ``urn:k461-dke-de:cor-1`` (A2 §8.2) and as frozen dataclasses; ``encode``/``decode``.

Every level is a dataclass; ``None`` in place of a list means "not part of this representation" (cut by
``q.depth``), which is not the same as an empty list. ``Listing.count`` is what the ``count`` attribute says: "die
tatsächlich gelieferten Unterelemente" (§7.10); with ``q.depth=0`` the standard's own example gives the count and no
elements, so it is a field of its own.

Where the schema fragments of §8.2 contradict the examples beside them (an ``attribute`` element within an
``attribute``, a ``container`` within a ``container``, lists without repetition), we follow the examples;
``cor-1.xsd`` beside this file is the schema of what is written here.

A container may hold objects (§8.2.14), logical devices (§8.2.16) or, as real gateways do, one document of its own
vocabulary: then it is ``Container(id, foreign=<element>)`` and the document is its body.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from lxml import etree

from torwart.kernel.refusals.cosem import COSEM_BODY, COSEM_DATA
from torwart.wire.cosem.data import Data
from torwart.wire.cosem.uri import ObjectId, is_canonical_device, parse_index
from torwart.wire.cosem.xmldata import COD, add_data, children, only_child, read_data
from torwart.wire.xml import Element, local_name, parse, serialise

COR = "urn:k461-dke-de:cor-1"
NSMAP: dict[str, str] = {"cor": COR, "cod": COD}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list resource: what of it is shown and how many elements it has."""

    items: tuple[T, ...] = ()
    count: int = 0

    @classmethod
    def of(cls, items: Sequence[T]) -> "Listing[T]":
        return cls(tuple(items), len(items))


@dataclass(frozen=True, slots=True)
class Attribute:
    index: int
    data: Data | None = None


@dataclass(frozen=True, slots=True)
class Method:
    index: int


@dataclass(frozen=True, slots=True)
class Object:
    id: ObjectId
    version: int = 0
    attributes: Listing[Attribute] | None = None
    methods: Listing[Method] | None = None

    def __getitem__(self, index: int) -> Data:
        """The value of attribute ``index``; ``KeyError`` if it is not shown."""
        for attribute in self.attributes.items if self.attributes else ():
            if attribute.index == index and attribute.data is not None:
                return attribute.data
        raise KeyError(index)


@dataclass(frozen=True, slots=True)
class Container:
    """``id``: logical name (12 hex digits), or whatever a foreign container calls itself."""

    id: str
    class_id: int | None = None
    objects: tuple[Object, ...] | None = None
    foreign: bytes | None = None
    devices: tuple["LogicalDevice", ...] | None = None


@dataclass(frozen=True, slots=True)
class LogicalDevice:
    id: str
    objects: Listing[Object] | None = None
    containers: Listing[Container] | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """An object shown as a document of its own vocabulary (logs and readings in the profile_generic form)."""

    document: bytes


@dataclass(frozen=True, slots=True)
class Cosem:
    devices: Listing[LogicalDevice] | None = None
    containers: Listing[Container] | None = None


@dataclass(frozen=True, slots=True)
class Objects:
    list: Listing[Object]


@dataclass(frozen=True, slots=True)
class Attributes:
    list: Listing[Attribute]


@dataclass(frozen=True, slots=True)
class Methods:
    list: Listing[Method]


@dataclass(frozen=True, slots=True)
class Containers:
    list: Listing[Container]


@dataclass(frozen=True, slots=True)
class Devices:
    list: Listing[LogicalDevice]


@dataclass(frozen=True, slots=True)
class MethodCall:
    """Body of a POST on a method (§8.2.12): ``methodRequestParameter``."""

    parameter: Data


@dataclass(frozen=True, slots=True)
class MethodResponse:
    """``status`` 0 goes with HTTP 200, greater with 500 (§8.2.12); absent means 0."""

    status: int | None = None
    data: Data | None = None


Node = (
    Cosem
    | Devices
    | LogicalDevice
    | Objects
    | Object
    | Attributes
    | Attribute
    | Methods
    | Method
    | Containers
    | Container
    | Foreign
    | MethodCall
    | MethodResponse
)


def _cor(name: str) -> str:
    return f"{{{COR}}}{name}"


def encode(node: Node) -> bytes:
    """The document of a node, UTF-8 with declaration. A foreign container's document is its own body."""
    if isinstance(node, Foreign):
        return node.document
    if isinstance(node, Container) and node.foreign is not None:
        return node.foreign
    return serialise(_element(node))


def _element(node: Any, parent: Element | None = None) -> Element:
    name, write = _WRITERS[type(node)]
    element = etree.Element(_cor(name), nsmap=NSMAP) if parent is None else etree.SubElement(parent, _cor(name))
    write(element, node)
    return element


def _write_list(element: Element, listing: Listing[Any]) -> None:
    element.set("count", str(listing.count))
    for item in listing.items:
        _element(item, element)


def _add_list(parent: Element, name: str, listing: Listing[Any] | None) -> None:
    if listing is not None:
        _write_list(etree.SubElement(parent, _cor(name)), listing)


def _write_cosem(element: Element, node: Cosem) -> None:
    _add_list(element, "ldevs", node.devices)
    _add_list(element, "containers", node.containers)


def _write_device(element: Element, node: LogicalDevice) -> None:
    element.set("id", device_attribute(node.id))
    _add_list(element, "objects", node.objects)
    _add_list(element, "containers", node.containers)


def _write_object(element: Element, node: Object) -> None:
    element.set("id", node.id.logical_name)
    element.set("class-id", str(node.id.class_id))
    element.set("version", str(node.version))
    _add_list(element, "attributes", node.attributes)
    _add_list(element, "methods", node.methods)


def _write_attribute(element: Element, node: Attribute) -> None:
    element.set("id", str(node.index))
    if node.data is not None:
        add_data(element, node.data)


def _write_container(element: Element, node: Container) -> None:
    element.set("id", node.id)
    if node.class_id is not None:
        element.set("class-id", str(node.class_id))
    if node.foreign is not None:
        element.append(parse(node.foreign))
    for member in (*(node.objects or ()), *(node.devices or ())):
        _element(member, element)


def _write_response(element: Element, node: MethodResponse) -> None:
    if node.status is not None:
        etree.SubElement(element, _cor("methodResponseStatus")).text = str(node.status)
    if node.data is not None:
        add_data(etree.SubElement(element, _cor("methodResponseData")), node.data)


_WRITERS: dict[type, tuple[str, Callable[[Element, Any], None]]] = {
    Cosem: ("cosem", _write_cosem),
    Devices: ("ldevs", lambda element, node: _write_list(element, node.list)),
    LogicalDevice: ("ldev", _write_device),
    Objects: ("objects", lambda element, node: _write_list(element, node.list)),
    Object: ("object", _write_object),
    Attributes: ("attributes", lambda element, node: _write_list(element, node.list)),
    Attribute: ("attribute", _write_attribute),
    Methods: ("methods", lambda element, node: _write_list(element, node.list)),
    Method: ("method", lambda element, node: element.set("id", str(node.index))),
    Containers: ("containers", lambda element, node: _write_list(element, node.list)),
    Container: ("container", _write_container),
    MethodCall: ("methodRequestParameter", lambda element, node: add_data(element, node.parameter)),
    MethodResponse: ("methodResponse", _write_response),
}


def device_attribute(device: str) -> str:
    """The ``id`` of an ldev element: a canonical id as it is, as the examples print it; any other
    Logical_DeviceID as hexBinary, as §6.3 wants. A canonical id has a dot and so is never mistaken for hex.
    """
    return device if is_canonical_device(device) else device.encode("latin-1").hex()


def device_of_attribute(text: str) -> str:
    """Inverse of ``device_attribute``; refuses ``cosem.body`` what is neither."""
    if is_canonical_device(text):
        return text
    try:
        octets = bytes.fromhex(text)
    except ValueError as error:
        raise COSEM_BODY(why=f"ldev id {text[:60]!r} is neither canonical nor hexBinary") from error
    if not octets or len(octets) * 2 != len(text):
        raise COSEM_BODY(why=f"ldev id {text[:60]!r} is neither canonical nor hexBinary")
    return octets.decode("latin-1")


def decode(body: bytes) -> Node:
    """Read a body; which class it is depends on its root. Refuses ``xml.*``, ``cosem.body``, ``cosem.data``.

    A root of a foreign namespace is a foreign container if it is named ``container``, else a foreign document.
    """
    return read(parse(body))


def read(root: Element) -> Node:
    """The node of an already parsed root element."""
    namespace, _, name = root.tag.rpartition("}")
    reader = _READERS.get(name) if namespace == "{" + COR else None
    if reader is not None:
        node: Node = reader(root)
        return node
    if namespace in ("{" + COR, "{" + COD, "") or not root.get("id"):
        raise COSEM_BODY(why=f"{name[:60]} in namespace {namespace[1:61]!r} is no resource")
    document = serialise(root)
    return Container(root.get("id") or "", foreign=document) if name == "container" else Foreign(document)


N = TypeVar("N")


def decode_as(kind: type[N], body: bytes) -> N:
    """As ``decode``, refusing ``cosem.body`` when the body is another resource than a ``kind``."""
    node = decode(body)
    if not isinstance(node, kind):
        raise COSEM_BODY(why=f"{type(node).__name__} instead of {kind.__name__}")
    return node


def _attribute_of(element: Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise COSEM_BODY(why=f"{local_name(element)} lacks its attribute {name}")
    return value


def _number(text: str, name: str, high: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) > high:
        raise COSEM_DATA(what=text[:40], type=name)
    return int(text)


def _read_list(element: Element, item: str) -> Listing[Any]:
    """The elements of a list; a ``count`` that does not tell their number is refused unless the list is cut."""
    items = []
    for child in children(element):
        if child.tag != _cor(item):
            raise COSEM_BODY(why=f"{local_name(child)[:60]} in a list of {item}")
        items.append(_READERS[item](child))
    given = element.get("count")
    count = len(items) if given is None else _number(given, "count", 0xFFFFFFFF)
    if items and count != len(items):
        raise COSEM_BODY(why=f"count={count} but {len(items)} {item} elements")
    return Listing(tuple(items), count)


_ITEMS = {
    "ldevs": "ldev",
    "objects": "object",
    "attributes": "attribute",
    "methods": "method",
    "containers": "container",
}
"""A2 §7.10: "Die Unterelemente einer Listen-Ressource besitzen den Namen der Listenressource ohne mit „s“ zu enden"."""


def _lists(element: Element, *allowed: str) -> dict[str, Listing[Any]]:
    found: dict[str, Listing[Any]] = {}
    for child in children(element):
        name = local_name(child)
        if child.tag != _cor(name) or name not in allowed or name in found:
            raise COSEM_BODY(why=f"{name[:60]} is not expected in {local_name(element)}")
        found[name] = _read_list(child, _ITEMS[name])
    return found


def _read_cosem(element: Element) -> Cosem:
    lists = _lists(element, "ldevs", "containers")
    return Cosem(lists.get("ldevs"), lists.get("containers"))


def _read_device(element: Element) -> LogicalDevice:
    lists = _lists(element, "objects", "containers")
    device = device_of_attribute(_attribute_of(element, "id"))
    return LogicalDevice(device, lists.get("objects"), lists.get("containers"))


def _read_object(element: Element) -> Object:
    lists = _lists(element, "attributes", "methods")
    class_id = _number(_attribute_of(element, "class-id"), "Cosem-Class-Id", 0xFFFF)
    version = _number(_attribute_of(element, "version"), "Unsigned8", 0xFF)
    name = ObjectId.of(class_id, _attribute_of(element, "id"))
    return Object(name, version, lists.get("attributes"), lists.get("methods"))


def _read_attribute(element: Element) -> Attribute:
    index = parse_index(_attribute_of(element, "id"))
    return Attribute(index, read_data(only_child(element)) if children(element) else None)


def _read_container(element: Element) -> Container:
    name = _attribute_of(element, "id")
    given = element.get("class-id")
    class_id = None if given is None else _number(given, "Cosem-Class-Id", 0xFFFF)
    found = children(element)
    if len(found) == 1 and not found[0].tag.startswith("{" + COR):
        return Container(name, class_id, foreign=serialise(found[0]))
    kinds = {child.tag for child in found}
    if kinds == {_cor("ldev")}:
        return Container(name, class_id, devices=tuple(map(_read_device, found)))
    if kinds - {_cor("object")}:
        raise COSEM_BODY(why="a container holds objects, logical devices or one foreign document")
    return Container(name, class_id, tuple(map(_read_object, found)) if found else None)


def _read_call(element: Element) -> MethodCall:
    return MethodCall(read_data(only_child(element)))


def _read_response(element: Element) -> MethodResponse:
    parts = {local_name(child): child for child in children(element)}
    if len(parts) != len(children(element)) or parts.keys() - {"methodResponseStatus", "methodResponseData"}:
        raise COSEM_BODY(why="methodResponse holds status and data, each at most once")
    status, data = parts.get("methodResponseStatus"), parts.get("methodResponseData")
    return MethodResponse(
        None if status is None else _number((status.text or "").strip(), "Unsigned8", 0xFF),
        None if data is None else read_data(only_child(data)),
    )


_READERS: dict[str, Callable[[Element], Any]] = {
    "cosem": _read_cosem,
    "ldevs": lambda element: Devices(_read_list(element, "ldev")),
    "ldev": _read_device,
    "objects": lambda element: Objects(_read_list(element, "object")),
    "object": _read_object,
    "attributes": lambda element: Attributes(_read_list(element, "attribute")),
    "attribute": _read_attribute,
    "methods": lambda element: Methods(_read_list(element, "method")),
    "method": lambda element: Method(parse_index(_attribute_of(element, "id"))),
    "containers": lambda element: Containers(_read_list(element, "container")),
    "container": _read_container,
    "methodRequestParameter": _read_call,
    "methodResponse": _read_response,
}
