"""CompressedData (RFC 3274), as DS 5.3.4 wants it: zlib (RFC 1950) inside CMS."""

import zlib

from torwart.kernel.refusals.cms import CMS_ALGORITHM, CMS_BOMB, CMS_CONTENT_TYPE, CMS_MALFORMED, CMS_VERSION
from torwart.wire.cms import ber
from torwart.wire.cms.algorithms import ID_DATA, ZLIB, name_of
from torwart.wire.cms.der import INTEGER, OCTET_STRING, OID, SEQUENCE, Reader, dotted, explicit, head, oid, tlv
from torwart.wire.cms.profile import Limits

_VERSION_0 = tlv(INTEGER, b"\x00")
_DATA = oid(ID_DATA)


def compress(content: bytes) -> bytes:
    """The CompressedData element over ``content`` as id-data."""
    packed = zlib.compress(content)
    octets = head(OCTET_STRING, len(packed)) + packed
    inner = _DATA + tlv(explicit(0), octets)
    return tlv(SEQUENCE, _VERSION_0 + ZLIB + tlv(SEQUENCE, inner))


def expand(element: bytes, limits: Limits) -> bytes:
    """The content of a CompressedData element; refuses what is no such element, and ``cms.bomb``."""
    return _inflate(ber.read(element, _packed), limits)


def _packed(reader: Reader) -> bytes:
    """CompressedData ::= SEQUENCE { version (0), compressionAlgorithm, encapContentInfo } (RFC 3274 1.1)."""
    fields = reader.enter(SEQUENCE)
    reader.close()
    if not fields.skips(_VERSION_0):
        raise CMS_VERSION(structure="CompressedData", expected=0)
    if not fields.skips(ZLIB):
        found = fields.raw(SEQUENCE)
        raise CMS_ALGORITHM(what="compression", found=name_of(found))
    inner = fields.enter(SEQUENCE)
    fields.close()
    # DS 5.2.2 Table 5.3: CMS_ZLIB, „Encapsulated (id-Data)“.
    if not inner.skips(_DATA):
        raise CMS_CONTENT_TYPE(found=dotted(inner.raw(OID)), expected=ID_DATA)
    content = inner.enter(explicit(0))
    inner.close()
    packed = content.value(OCTET_STRING)
    content.close()
    return packed


def _inflate(packed: bytes, limits: Limits) -> bytes:
    allowed = min(limits.content, max(limits.ratio_from, limits.ratio * len(packed)))
    engine = zlib.decompressobj()
    try:
        content = engine.decompress(packed, allowed + 1)
    except zlib.error as error:
        raise CMS_MALFORMED(why=f"zlib: {error}") from None
    if len(content) > allowed:
        raise CMS_BOMB(size=len(packed), limit=allowed)
    if not engine.eof or engine.unused_data:
        raise CMS_MALFORMED(why="the zlib stream does not end where the content ends")
    return content
