"""COSEM over HTTP (TR-03109-1 Anlage II): values, paths, queries, XML, HTTP framing and the resource server."""

from torwart.wire.cosem.data import NULL, Data
from torwart.wire.cosem.http import ClientConnection, Limits, ServerConnection
from torwart.wire.cosem.message import (
    MEDIA_TYPE_CMS,
    MEDIA_TYPE_CMS_V2,
    MEDIA_TYPE_OCTETS,
    MEDIA_TYPE_XML,
    MediaType,
    Request,
    Response,
    new_correlation,
)
from torwart.wire.cosem.query import Column, Query
from torwart.wire.cosem.uri import Address, Level, ObjectId, canonical_device, parse_target

__all__ = [
    "MEDIA_TYPE_CMS",
    "MEDIA_TYPE_CMS_V2",
    "MEDIA_TYPE_OCTETS",
    "MEDIA_TYPE_XML",
    "NULL",
    "Address",
    "ClientConnection",
    "Column",
    "Data",
    "Level",
    "Limits",
    "MediaType",
    "ObjectId",
    "Query",
    "Request",
    "Response",
    "ServerConnection",
    "canonical_device",
    "new_correlation",
    "parse_target",
]
