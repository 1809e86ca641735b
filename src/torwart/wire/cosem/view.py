"""From resources to nodes: what a GET shows, cut at a depth, filtered by what the peer may see (A2 §7.10)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from torwart.kernel.refusals.cosem import COSEM_NOT_FOUND
from torwart.wire.cosem import tree
from torwart.wire.cosem.query import Query, page
from torwart.wire.cosem.resources import Bundle, Device, Instance, Tree
from torwart.wire.cosem.uri import Address, Level

T = TypeVar("T")

UNLIMITED = 1 << 30
"""Depth of "URI ohne trailing /: unlimitiert" (A2 Tabelle 15)."""


def _lookup(found: Mapping[Any, T], key: object, address: Address) -> T:
    value = found.get(key)
    if value is None:
        raise COSEM_NOT_FOUND(path=address.path)
    return value


def find(resources: Tree, address: Address) -> Any:
    """The device, object or container an address leads to or through; ``cosem.not_found`` if it ends nowhere."""
    if address.level is Level.CONTAINER:
        return _lookup(resources.containers, address.object_id, address)
    if not address.device:
        return resources
    device = _lookup(resources.devices, address.device, address)
    if address.object_id is None:
        return device
    if address.level is Level.DEVICE_CONTAINER:
        return _lookup(device.containers, address.object_id, address)
    instance: Instance = _lookup(device.objects, address.object_id, address)
    if address.level is Level.METHOD and address.index not in instance.methods():
        raise COSEM_NOT_FOUND(path=address.path)
    if address.level is Level.ATTRIBUTE and address.index and address.index not in instance.attributes():
        raise COSEM_NOT_FOUND(path=address.path)
    return instance


class View:
    """Turns resources into nodes, cut at a depth, showing only what the peer may see."""

    def __init__(self, resources: Tree, query: Query, visible: Callable[[Address], bool]) -> None:
        self._tree = resources
        self._query = query
        self._visible = visible

    def node(self, at: Address, depth: int) -> tree.Node:
        found = find(self._tree, at)
        return _NODES[at.level](self, at, found, depth)

    def _list(self, addresses: list[Address], item: Callable[..., T], depth: int, *, paged: bool) -> tree.Listing[T]:
        shown: Sequence[Address] = [address for address in addresses if self._visible(address)]
        if paged:
            shown = page(shown, self._query)
        items = tuple(item(address, find(self._tree, address), depth - 1) for address in shown) if depth else ()
        return tree.Listing(items, len(shown))

    def cosem(self, at: Address, found: Tree, depth: int) -> tree.Cosem:
        if not depth:
            return tree.Cosem()
        containers = self.containers(at, found, depth - 1, False) if found.containers else None
        return tree.Cosem(self.devices(at, found, depth - 1, False), containers)

    def devices(self, _: Address, found: Tree, depth: int, paged: bool = True) -> tree.Listing[tree.LogicalDevice]:
        addresses = [Address(Level.DEVICE, name) for name in found.devices]
        return self._list(addresses, self.device, depth, paged=paged)

    def device(self, at: Address, found: Device, depth: int) -> tree.LogicalDevice:
        if not depth:
            return tree.LogicalDevice(at.device)
        containers = self.device_containers(at, found, depth - 1, False) if found.containers else None
        return tree.LogicalDevice(at.device, self.objects(at, found, depth - 1, False), containers)

    def objects(self, at: Address, found: Device, depth: int, paged: bool = True) -> tree.Listing[tree.Object]:
        addresses = [Address(Level.OBJECT, at.device, name) for name in found.objects]
        return self._list(addresses, self.object, depth, paged=paged)

    def whole_object(self, at: Address, found: Instance, depth: int) -> tree.Node:
        """An object asked for itself and in full may show itself as a document of its own vocabulary."""
        document = found.document(self._query) if depth == UNLIMITED else None
        return self.object(at, found, depth) if document is None else tree.Foreign(document)

    def object(self, at: Address, found: Instance, depth: int) -> tree.Object:
        assert at.object_id is not None
        if not depth:
            return tree.Object(at.object_id, found.version)
        methods = self.methods(at, found, depth - 1, False) if found.methods() else None
        return tree.Object(at.object_id, found.version, self.attributes(at, found, depth - 1, False), methods)

    def attributes(self, at: Address, found: Instance, depth: int, paged: bool = True) -> tree.Listing[tree.Attribute]:
        addresses = [at.attribute(index) for index in found.attributes()]
        return self._list(addresses, self.attribute, depth, paged=paged)

    def attribute(self, at: Address, found: Instance, depth: int) -> Any:
        if at.index == 0:  # A2 Tabelle 4: "Alle Attribute>0"
            addresses = [at.attribute(index) for index in found.attributes() if index > 0]
            return tree.Attributes(self._list(addresses, self.attribute, depth, paged=True))
        return tree.Attribute(at.index, found.get(at.index, self._query) if depth else None)

    def methods(self, at: Address, found: Instance, depth: int, paged: bool = True) -> tree.Listing[tree.Method]:
        addresses = [at.method(index) for index in found.methods()]
        return self._list(addresses, lambda address, _, __: tree.Method(address.index), depth, paged=paged)

    def device_containers(
        self, at: Address, found: Device, depth: int, paged: bool = True
    ) -> tree.Listing[tree.Container]:
        addresses = [Address(Level.DEVICE_CONTAINER, at.device, name) for name in found.containers]
        return self._list(addresses, self.listed_container, depth, paged=paged)

    def containers(self, _: Address, found: Tree, depth: int, paged: bool = True) -> tree.Listing[tree.Container]:
        addresses = [Address(Level.CONTAINER, "", name) for name in found.containers]
        return self._list(addresses, self.listed_container, depth, paged=paged)

    def listed_container(self, at: Address, found: Bundle, depth: int) -> tree.Container:
        """In a list a container bears its id and class, so that its path can be built; a foreign one within."""
        assert at.object_id is not None
        content = found.read() if depth else tree.Container("")
        return replace(content, id=at.object_id.logical_name, class_id=at.object_id.class_id)

    def container(self, at: Address, found: Bundle, depth: int) -> tree.Container:
        return found.read() if depth else self.listed_container(at, found, 0)


_NODES: dict[Level, Callable[[View, Address, Any, int], tree.Node]] = {
    Level.COSEM: View.cosem,
    Level.DEVICES: lambda view, *rest: tree.Devices(view.devices(*rest)),
    Level.DEVICE: View.device,
    Level.OBJECTS: lambda view, *rest: tree.Objects(view.objects(*rest)),
    Level.OBJECT: View.whole_object,
    Level.ATTRIBUTES: lambda view, *rest: tree.Attributes(view.attributes(*rest)),
    Level.ATTRIBUTE: View.attribute,
    Level.METHODS: lambda view, *rest: tree.Methods(view.methods(*rest)),
    Level.DEVICE_CONTAINERS: lambda view, *rest: tree.Containers(view.device_containers(*rest)),
    Level.DEVICE_CONTAINER: View.container,
    Level.CONTAINERS: lambda view, *rest: tree.Containers(view.containers(*rest)),
    Level.CONTAINER: View.container,
}
