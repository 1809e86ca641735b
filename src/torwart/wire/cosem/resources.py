"""What a resource server serves: the small Protocols its tree fulfils, and ready-made lean implementations.

A simulated gateway describes its objects once as ``Binding`` tables of functions over its own state; the objects
themselves come into being only while a request touches them, so a thousand gateways share one set of tables.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Protocol

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import COSEM_APPLICATION, COSEM_BODY, COSEM_NOT_FOUND
from torwart.wire.cosem import tree
from torwart.wire.cosem.data import Data, octet_string
from torwart.wire.cosem.message import Contact
from torwart.wire.cosem.query import Query
from torwart.wire.cosem.uri import Address, Level, ObjectId


class ActionResult(IntEnum):
    """Values of ``methodResponseStatus``. A2 only says 0 and greater; the numbers are those of DLMS action-result
    (recalled from IEC 62056-5-3, ours here).
    """

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_VIOLATED = 13
    ABORTED = 15
    OTHER_REASON = 250


def application_error(result: ActionResult, why: str) -> Refusal:
    """The refusal an object raises when it cannot do what is asked: answered 500 with ``result``."""
    return COSEM_APPLICATION(status=int(result), why=why)


@dataclass(frozen=True, slots=True)
class Reply:
    """Where the result of a slow act goes: same x-CID, to the contact (A2 §7.5). Given only if both are known."""

    correlation: str
    contact: Contact


class Later(Enum):
    """What ``call`` returns when the result follows by ``ResourceServer.notification``."""

    LATER = "later"


LATER = Later.LATER


class Instance(Protocol):
    """A COSEM object. Refusals it raises become responses by ``message.status_of``."""

    @property
    def version(self) -> int: ...

    def attributes(self) -> Sequence[int]:
        """The indices there are; 1 is the logical name."""
        ...

    def methods(self) -> Sequence[int]: ...

    def get(self, index: int, query: Query) -> Data: ...

    def set(self, index: int, data: Data) -> None: ...

    def document(self, query: Query) -> bytes | None:
        """The whole object in a vocabulary of its own (logs, readings: spec/04 §4.1, §4.2); ``None``: in A2's."""
        ...

    def call(self, index: int, parameter: Data | None, reply: Reply | None) -> Data | Later | None:
        """Act. Without ``reply`` an act that takes longer than the response time refuses ``cosem.too_slow``."""
        ...


class Bundle(Protocol):
    """A container: read and written as a whole or not at all (A2 §7.9)."""

    def read(self) -> tree.Container: ...

    def write(self, content: tree.Container) -> None:
        """Replace the content; a refusal leaves the old content untouched."""
        ...


class Device(Protocol):
    @property
    def objects(self) -> Mapping[ObjectId, Instance]: ...

    @property
    def containers(self) -> Mapping[ObjectId, Bundle]: ...


class Tree(Protocol):
    """A physical device. ``create`` and ``delete`` refuse what may not come or go."""

    @property
    def management(self) -> str:
        """Id of the management logical device ("kann nicht gelöscht werden", A2 §8.2.6)."""
        ...

    @property
    def devices(self) -> Mapping[str, Device]: ...

    @property
    def containers(self) -> Mapping[ObjectId, Bundle]: ...

    def create(self, address: Address, content: tree.Node | None) -> None:
        """Make the resource at a free address; ``None``: "wird die Ressource leer angelegt" (A2 §7.11.1)."""
        ...

    def delete(self, address: Address) -> None: ...


Reader = Callable[..., Data]
Writer = Callable[..., None]
Caller = Callable[..., Data | Later | None]
Shower = Callable[..., bytes]


@dataclass(frozen=True, slots=True)
class Binding:
    """One object of many equal devices. ``readers[index](owner, query)``, ``writers[index](owner, data)``,
    ``callers[index](owner, parameter, reply)``, ``document(owner, query)``; attribute 1 is added by itself.
    """

    id: ObjectId
    version: int = 0
    readers: Mapping[int, Reader] = field(default_factory=dict)
    writers: Mapping[int, Writer] = field(default_factory=dict)
    callers: Mapping[int, Caller] = field(default_factory=dict)
    document: Shower | None = None


class Bound:
    """A binding together with the owner whose state it shows."""

    __slots__ = ("_binding", "_owner")

    def __init__(self, binding: Binding, owner: object) -> None:
        self._binding = binding
        self._owner = owner

    @property
    def version(self) -> int:
        return self._binding.version

    def attributes(self) -> Sequence[int]:
        return sorted({1, *self._binding.readers})

    def methods(self) -> Sequence[int]:
        return sorted(self._binding.callers)

    def get(self, index: int, query: Query) -> Data:
        reader = self._binding.readers.get(index)
        if reader is not None:
            return reader(self._owner, query)
        if index == 1:
            return octet_string(bytes.fromhex(self._binding.id.logical_name))
        raise COSEM_NOT_FOUND(path=f"{self._binding.id}/attributes/{index}")

    def set(self, index: int, data: Data) -> None:
        writer = self._binding.writers.get(index)
        if writer is None:
            raise application_error(ActionResult.READ_WRITE_DENIED, f"attribute {index} cannot be written")
        writer(self._owner, data)

    def document(self, query: Query) -> bytes | None:
        return self._binding.document(self._owner, query) if self._binding.document else None

    def call(self, index: int, parameter: Data | None, reply: Reply | None) -> Data | Later | None:
        return self._binding.callers[index](self._owner, parameter, reply)


class BoundObjects(Mapping[ObjectId, Instance]):
    """All bindings of one owner as the ``objects`` of a device; holds two references, makes objects on demand."""

    __slots__ = ("_bindings", "_owner")

    def __init__(self, bindings: Mapping[ObjectId, Binding], owner: object) -> None:
        self._bindings = bindings
        self._owner = owner

    def __getitem__(self, key: ObjectId) -> Instance:
        return Bound(self._bindings[key], self._owner)

    def __iter__(self) -> Iterator[ObjectId]:
        return iter(self._bindings)

    def __len__(self) -> int:
        return len(self._bindings)


class StoredObject:
    """An object that remembers what was written to it; ``write_once`` attributes (the logical name) cannot be set."""

    __slots__ = ("_values", "version")

    def __init__(self, values: Mapping[int, Data], version: int = 0) -> None:
        self._values = dict(values)
        self.version = version

    @classmethod
    def of(cls, node: tree.Object) -> "StoredObject":
        shown = node.attributes.items if node.attributes else ()
        values = {1: octet_string(bytes.fromhex(node.id.logical_name))}
        return cls(values | {a.index: a.data for a in shown if a.data is not None}, node.version)

    def attributes(self) -> Sequence[int]:
        return sorted(self._values)

    def methods(self) -> Sequence[int]:
        return ()

    def get(self, index: int, query: Query) -> Data:
        if index not in self._values:
            raise COSEM_NOT_FOUND(path=f"attributes/{index}")
        return self._values[index]

    def set(self, index: int, data: Data) -> None:
        if index == 1 and self._values.get(1) != data:
            raise application_error(ActionResult.READ_WRITE_DENIED, "the logical name cannot be written")
        self._values[index] = data

    def document(self, query: Query) -> bytes | None:
        return None

    def call(self, index: int, parameter: Data | None, reply: Reply | None) -> Data | Later | None:
        raise COSEM_NOT_FOUND(path=f"methods/{index}")


class StoredContainer:
    """A container that remembers its content after ``check`` let it in."""

    __slots__ = ("_check", "_content")

    def __init__(self, content: tree.Container, check: Callable[[tree.Container], None] = lambda _: None) -> None:
        check(content)
        self._check = check
        self._content = content

    def read(self) -> tree.Container:
        return self._content

    def write(self, content: tree.Container) -> None:
        self._check(content)
        self._content = content


@dataclass(slots=True)
class StoredDevice:
    """A logical device of stored objects and containers."""

    objects: dict[ObjectId, Instance] = field(default_factory=dict)
    containers: dict[ObjectId, Bundle] = field(default_factory=dict)


@dataclass(slots=True)
class StoredTree:
    """A physical device in memory: everything may be created and deleted except its management device."""

    management: str
    devices: dict[str, Device] = field(default_factory=dict)
    containers: dict[ObjectId, Bundle] = field(default_factory=dict)

    def create(self, address: Address, content: tree.Node | None) -> None:
        """A container or object on a logical device that does not exist yet makes that device too."""
        if address.level is Level.DEVICE:
            self.devices[address.device] = StoredDevice()
            if isinstance(content, tree.LogicalDevice):
                for node in content.objects.items if content.objects else ():
                    self._device(address.device).objects[node.id] = StoredObject.of(node)
            return
        assert address.object_id is not None
        if address.level is Level.OBJECT:
            node = content if isinstance(content, tree.Object) else tree.Object(address.object_id)
            self._device(address.device).objects[address.object_id] = StoredObject.of(node)
            return
        bundle = StoredContainer(_container(address.object_id, content))
        if address.level is Level.CONTAINER:
            self.containers[address.object_id] = bundle
        else:
            self._device(address.device).containers[address.object_id] = bundle

    def _device(self, device: str) -> StoredDevice:
        found = self.devices.setdefault(device, StoredDevice())
        if not isinstance(found, StoredDevice):
            raise application_error(ActionResult.SCOPE_VIOLATED, "this logical device cannot grow")
        return found

    def delete(self, address: Address) -> None:
        if address.level is Level.DEVICE:
            del self.devices[address.device]
            return
        assert address.object_id is not None
        if address.level is Level.CONTAINER:
            del self.containers[address.object_id]
        elif address.level is Level.OBJECT:
            del self._device(address.device).objects[address.object_id]
        else:
            del self._device(address.device).containers[address.object_id]


def _container(name: ObjectId, content: tree.Node | None) -> tree.Container:
    if content is None:
        return tree.Container(name.logical_name, name.class_id)
    if not isinstance(content, tree.Container):
        raise COSEM_BODY(why=f"{type(content).__name__} instead of Container")
    return content
