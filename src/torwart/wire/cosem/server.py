"""The resource server: one checked request in, one response out, over a tree of objects and containers.

It knows no connection and no clock. Which verb a level of the tree takes is one table (``_VERBS``, A2 §8.2.4–16);
every refusal becomes a response through ``message.status_of``. Protected bodies pass two hooks, so this module
knows nothing of CMS.
"""

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.cosem import (
    COSEM_APPLICATION,
    COSEM_BODY,
    COSEM_MEDIA_TYPE,
    COSEM_NOT_ACCEPTABLE,
    COSEM_NOT_ALLOWED,
    COSEM_NOT_FOUND,
    COSEM_RANGE,
    HTTP_BODY_TOO_LARGE,
    HTTP_HEADER_MISSING,
    HTTP_HOST_WRONG,
    HTTP_METHOD_UNKNOWN,
)
from torwart.wire.cosem import tree
from torwart.wire.cosem.blocks import Transfers, block_of_put, content_range, cut, parse_range
from torwart.wire.cosem.data import structure, utf8_string, visible_string
from torwart.wire.cosem.message import (
    MEDIA_TYPE_CMS,
    MEDIA_TYPE_XML,
    METHODS,
    MediaType,
    Request,
    Response,
    accepts,
    parse_contact,
    parse_correlation,
    status_of,
)
from torwart.wire.cosem.query import Query, parse_query
from torwart.wire.cosem.resources import LATER, ActionResult, Bundle, Instance, Reply, Tree
from torwart.wire.cosem.uri import Address, Level, Target, parse_target
from torwart.wire.cosem.view import UNLIMITED, View, find

Access = Callable[[str, Address, str], bool]
"""(peer's role, resource, method) → may it. A resource on which a peer may nothing does not exist for it."""

Hook = Callable[[bytes], bytes]

MAX_CONTENT = 4 * 1024 * 1024
"""Bytes of a request's content after decompression."""

RETRY_AFTER = 60
"""Seconds told with a 408, as in the example of A2 §7.3.2.5."""


def everyone(_peer: str, _address: Address, _method: str) -> bool:
    return True


class ResourceServer:
    """Serves one tree.

    ``hosts``: names this server answers to (A2: wrong ones are 403). ``poc``: prefix of the tree. ``contact``: URI
    for asynchronous answers when a request names none ("Dies kann durch Konfiguration … geschehen", §7.5).
    ``unprotect``/``protect`` open and make protected bodies; with ``unprotect`` only protected ones are taken.
    """

    __slots__ = (
        "_access",
        "_contact",
        "_hosts",
        "_media_type",
        "_poc",
        "_protect",
        "_transfers",
        "_tree",
        "_unprotect",
    )

    def __init__(
        self,
        resources: Tree,
        *,
        hosts: Collection[str],
        poc: str = "",
        access: Access = everyone,
        unprotect: Hook | None = None,
        protect: Hook | None = None,
        media_type: str = "",
        contact: str = "",
        transfers: Transfers | None = None,
    ) -> None:
        self._tree = resources
        self._hosts = frozenset(host.lower() for host in hosts)
        self._poc = poc
        self._access = access
        self._unprotect = unprotect
        self._protect = protect
        self._media_type = media_type or (MEDIA_TYPE_CMS if protect else MEDIA_TYPE_XML)
        self._contact = contact
        self._transfers = transfers or Transfers()

    def handle(self, request: Request, peer: str = "GWA") -> Response:
        """Answer a request of a peer with the role ``peer``. Never raises a refusal: it becomes the response."""
        try:
            self._check(request)
            target = parse_target(request.target, self._poc)
            verb = self._verb(request.method, target.address, peer)
            return verb(self, request, target, peer)
        except Refusal as refusal:
            return self._error(refusal)

    def notification(self, reply: Reply, result: tree.MethodResponse) -> Request:
        """The POST that brings a slow act's result to its contact, "mit gleicher x-CID" (A2 §7.5)."""
        headers = {"Host": reply.contact.host, "x-CID": reply.correlation}
        return Request("POST", reply.contact.target, *self._content(tree.encode(result), headers))

    def _check(self, request: Request) -> None:
        # A2 §7.6 and Tabelle 12, 501: HEAD, OPTIONS … are not implemented.
        if request.method not in METHODS:
            raise HTTP_METHOD_UNKNOWN(method=request.method[:20])
        # A2 §7.3.1: "Requests in denen Muss Header Felder fehlen, müssen mit HTTP-Error 400 … abgelehnt werden."
        for header in ("Host", "Content-Length"):
            if not request.has(header):
                raise HTTP_HEADER_MISSING(header=header)
        # A2 Tabelle 12, 403: "Falscher Hostname". A port is no part of the name.
        host = request.header("Host").lower()
        if host.rpartition(":")[0] not in self._hosts and host not in self._hosts:
            raise HTTP_HOST_WRONG(host=host[:80])

    def _verb(self, method: str, address: Address, peer: str) -> "_Verb":
        verbs = _VERBS[address.level]
        allowed = [verb for verb in METHODS if verb in verbs and self._access(peer, address, verb)]
        # A2 §7.6: what is not exposed "MUSS mit einem Fehlercode 404 Not found beantwortet werden".
        if not allowed:
            raise COSEM_NOT_FOUND(path=address.path) if verbs else COSEM_NOT_ALLOWED(**_details(method, address, []))
        if method not in allowed:
            raise COSEM_NOT_ALLOWED(**_details(method, address, allowed))
        return verbs[method]

    def _visible(self, peer: str, address: Address) -> bool:
        return any(self._access(peer, address, verb) for verb in _VERBS[address.level])

    # Bodies

    def _content(self, xml: bytes, headers: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
        """Headers with Content-Type, and the body, protected if this server protects."""
        body = self._protect(xml) if self._protect else xml
        return {**headers, "Content-Type": self._media_type}, body

    def _body(self, request: Request, body: bytes) -> tree.Node | None:
        """The content of a request, opened and read; ``None`` if it has none.

        A2 Tabelle 7: with a body, Content-Type "ist … verpflichtend".
        """
        if not body:
            return None
        if not request.has("Content-Type"):
            raise HTTP_HEADER_MISSING(header="Content-Type")
        given = MediaType.parse(request.header("Content-Type"))
        if given.is_cms != (self._unprotect is not None) or not (given.is_cms or given.is_xml):
            known = MEDIA_TYPE_CMS if self._unprotect else MEDIA_TYPE_XML
            raise COSEM_MEDIA_TYPE(given=request.header("Content-Type")[:120], known=known)
        content = self._unprotect(body) if self._unprotect else body
        return tree.decode(_decompress(content, request.header("Content-Encoding").strip().lower()))

    def _error(self, refusal: Refusal) -> Response:
        status = status_of(refusal)
        headers: dict[str, str] = {}
        if status == 405:
            headers["Allow"] = str(refusal.details.get("allowed", ""))
        elif status == 408:
            headers["Retry-After"] = str(RETRY_AFTER)
        elif status == 416:
            headers["Content-Range"] = f"bytes */{refusal.details.get('total', refusal.details.get('held', '*'))}"
        if status not in (422, 500):
            return Response(status, headers)
        # A2 §7.4: "Der Response-Body kann detaillierte Informationen … enthalten."
        told = refusal.details.get("status") if refusal.kind is COSEM_APPLICATION else None
        result = told if isinstance(told, int) else int(ActionResult.OTHER_REASON)
        why = structure(visible_string(refusal.code), utf8_string(_printable(refusal.text("en"))))
        return Response(status, *self._content(tree.encode(tree.MethodResponse(result, why)), headers))

    # GET

    def _get(self, request: Request, target: Target, peer: str) -> Response:
        query = parse_query(target.query)
        offered = MediaType.parse(self._media_type)
        if not accepts(request.header("Accept"), offered):
            raise COSEM_NOT_ACCEPTABLE(offered=self._media_type, accept=request.header("Accept")[:120])
        if not request.has("Range"):
            return Response(200, *self._content(self._represent(target, query, peer), {}))
        asked = parse_range(request.header("Range"))
        key = (peer, request.target)
        if asked.first == 0:
            self._transfers.begin(key, self._content(self._represent(target, query, peer), {})[1])
        body = self._transfers.known(key)
        if body is None:
            raise COSEM_RANGE(range=request.header("Range")[:80], why="no such transfer is under way", total=0)
        piece, where = cut(body, asked)
        return Response(206, {"Content-Type": self._media_type, "Content-Range": where}, piece)

    def _represent(self, target: Target, query: Query, peer: str) -> bytes:
        # A2 Tabelle 15: "URI mit trailing /: 1, URI ohne trailing /: unlimitiert".
        depth = query.q_depth if query.q_depth is not None else 1 if target.shallow else UNLIMITED
        return tree.encode(
            View(self._tree, query, lambda address: self._visible(peer, address)).node(target.address, depth)
        )

    # PUT

    def _put(self, request: Request, target: Target, peer: str) -> Response:
        body = request.body
        block = block_of_put(request)
        if block is not None:
            key = (peer, request.target)
            whole = self._transfers.write(key, block, body)
            if whole is None:
                held = self._transfers.held(key)
                return Response(206, {"Content-Range": content_range(0, held - 1, None)})
            body = whole
        node = self._body(request, body)
        address = target.address
        if self._exists(address):
            _PUTTERS[address.level](self, address, node)
            return Response(204)
        if address.level is Level.ATTRIBUTE:
            raise COSEM_NOT_FOUND(path=address.path)
        _check_address(address, node)
        self._tree.create(address, node)
        return Response(201)

    def _exists(self, address: Address) -> bool:
        try:
            find(self._tree, address)
        except Refusal:
            return False
        return True

    def _put_device(self, address: Address, node: tree.Node | None) -> None:
        """A2 §8.2.6: "werden Unterelemente/Objekte neu angelegt oder überschrieben"."""
        _check_address(address, node)
        for member in node.objects.items if isinstance(node, tree.LogicalDevice) and node.objects else ():
            inner = Address(Level.OBJECT, address.device, member.id)
            if self._exists(inner):
                self._put_object(inner, member)
            else:
                self._tree.create(inner, member)

    def _put_object(self, address: Address, node: tree.Node | None) -> None:
        _check_address(address, node)
        instance: Instance = find(self._tree, address)
        for attribute in node.attributes.items if isinstance(node, tree.Object) and node.attributes else ():
            if attribute.data is not None and attribute.index != 1:
                instance.set(attribute.index, attribute.data)

    def _put_attribute(self, address: Address, node: tree.Node | None) -> None:
        if not isinstance(node, tree.Attribute) or node.data is None or node.index != address.index:
            raise COSEM_BODY(why=f"attribute {address.index} with its value is expected")
        instance: Instance = find(self._tree, address)
        instance.set(address.index, node.data)

    def _put_container(self, address: Address, node: tree.Node | None) -> None:
        _check_address(address, node)
        bundle: Bundle = find(self._tree, address)
        empty = tree.Container(str(address.object_id and address.object_id.logical_name))
        bundle.write(node if isinstance(node, tree.Container) else empty)

    # POST, DELETE

    def _post(self, request: Request, target: Target, peer: str) -> Response:
        # A2 §7.12.1: "http-Blocktransfer ist nur für Idempotente Operationen (PUT, GET) zugelassen".
        if request.has("Range") or request.has("Content-Range"):
            raise COSEM_RANGE(range=request.header("Range")[:80], why="POST is not transferred in blocks", total=0)
        instance: Instance = find(self._tree, target.address)
        node = self._body(request, request.body)
        if node is not None and not isinstance(node, tree.MethodCall):
            raise COSEM_BODY(why="methodRequestParameter is expected")
        result = instance.call(target.address.index, node.parameter if node else None, self._reply(request))
        if result is LATER:
            return Response(202)
        if result is None:
            return Response(200)
        assert not isinstance(result, type(LATER))
        return Response(200, *self._content(tree.encode(tree.MethodResponse(data=result)), {}))

    def _reply(self, request: Request) -> Reply | None:
        """Where a late result goes; ``None`` without x-CID or known contact: "ist eine asynchrone Antwort nicht
        möglich" (A2 §7.3.1.9).
        """
        contact = request.header("x-ContactURI") or self._contact
        if not request.has("x-CID") or not contact:
            return None
        return Reply(parse_correlation(request.header("x-CID")), parse_contact(contact))

    def _delete(self, request: Request, target: Target, peer: str) -> Response:
        address = target.address
        find(self._tree, address)
        # A2 §8.2.6: "Das Management Logical Device kann nicht gelöscht werden."
        if address.level is Level.DEVICE and address.device == self._tree.management:
            raise COSEM_NOT_ALLOWED(**_details("DELETE", address, ["GET", "PUT"]))
        self._tree.delete(address)
        return Response(204)


def _details(method: str, address: Address, allowed: Sequence[str]) -> dict[str, str]:
    return {"method": method, "path": address.path, "allowed": ", ".join(allowed)}


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)


def _decompress(content: bytes, encoding: str) -> bytes:
    """Undo Content-Encoding. A2 Tabelle 10: ``deflate``, "Kompression vor der Encapsulation"; ``gzip`` and ``zlib``
    are taken too because the Detailspezifikationen name one and cite the other (REQ.Webservice.HttpClient.130).
    """
    if encoding in ("", "identity"):
        return content
    if encoding not in ("deflate", "zlib", "gzip"):
        raise COSEM_MEDIA_TYPE(given=f"Content-Encoding {encoding[:40]}", known="deflate, gzip, zlib")
    unpacker = zlib.decompressobj(wbits=47)  # zlib or gzip header, whichever is there
    try:
        plain = unpacker.decompress(content, MAX_CONTENT + 1)
    except zlib.error as error:
        raise COSEM_BODY(why=f"it cannot be decompressed: {error}") from error
    if len(plain) > MAX_CONTENT:
        raise HTTP_BODY_TOO_LARGE(size=len(plain), limit=MAX_CONTENT)
    if not unpacker.eof:
        raise COSEM_BODY(why="its compressed data end too early")
    return plain


def _check_address(address: Address, node: tree.Node | None) -> None:
    """A body names the same resource as its path does."""
    if node is None:
        return
    fits = {
        Level.DEVICE: isinstance(node, tree.LogicalDevice) and node.id == address.device,
        Level.OBJECT: isinstance(node, tree.Object) and node.id == address.object_id,
        Level.DEVICE_CONTAINER: isinstance(node, tree.Container) and _is_container_at(node, address),
        Level.CONTAINER: isinstance(node, tree.Container) and _is_container_at(node, address),
    }
    if not fits[address.level]:
        raise COSEM_BODY(why=f"{type(node).__name__} {getattr(node, 'id', '')} does not belong at {address.path}")


def _is_container_at(node: tree.Container, address: Address) -> bool:
    """Its id is the logical name, alone or followed by its device as real gateways write it (``….1lgz….sm``)."""
    name, _, device = node.id.partition(".")
    assert address.object_id is not None
    return name == address.object_id.logical_name and device in ("", address.device)


_Verb = Callable[[ResourceServer, Request, Target, str], Response]

_READ: dict[str, _Verb] = {"GET": ResourceServer._get}
_READ_WRITE: dict[str, _Verb] = {**_READ, "PUT": ResourceServer._put}
_ALL: dict[str, _Verb] = {**_READ_WRITE, "DELETE": ResourceServer._delete}

_VERBS: dict[Level, dict[str, _Verb]] = {
    Level.COSEM: _READ,
    Level.DEVICES: _READ,
    Level.DEVICE: _ALL,
    Level.OBJECTS: _READ,
    Level.OBJECT: _ALL,
    Level.ATTRIBUTES: _READ,
    Level.ATTRIBUTE: _READ_WRITE,
    Level.METHODS: _READ,
    Level.METHOD: {"POST": ResourceServer._post},
    Level.DEVICE_CONTAINERS: _READ,
    Level.DEVICE_CONTAINER: _ALL,
    Level.CONTAINERS: _READ,
    Level.CONTAINER: _ALL,
}
"""The "Zulässige Operationen auf der Ressource" of A2 §8.2.4 to §8.2.16."""

_PUTTERS: dict[Level, Callable[[ResourceServer, Address, tree.Node | None], None]] = {
    Level.DEVICE: ResourceServer._put_device,
    Level.OBJECT: ResourceServer._put_object,
    Level.ATTRIBUTE: ResourceServer._put_attribute,
    Level.DEVICE_CONTAINER: ResourceServer._put_container,
    Level.CONTAINER: ResourceServer._put_container,
}
