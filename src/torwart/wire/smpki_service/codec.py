"""SOAP 1.1 document/literal envelopes of the SM-PKI's web service, out and in.

One table (``_FORMS``) holds the elements of every message, in the order of the schema in the WSDL; encoder and decoder
read it, so what we send and what we accept cannot drift apart.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any

from lxml import etree

from torwart.kernel.refusals.ca import CA_MESSAGE, CA_PROTOCOL
from torwart.wire import xml
from torwart.wire.smpki_service.messages import (
    REQUESTS,
    CertificateType,
    Request,
    RequestCertificate,
    Response,
    check_request,
    check_response,
    operation_of,
)

NAMESPACE = "uri://bsi.bund.de/Smart-Meter-PKI-Protocol/1.3"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
LARGEST = 4 * 1024 * 1024
"""Bytes of a whole envelope; a chain with a triple stays below 20 KiB."""

# -- the messages as tables: (element, field, form, must be there), in schema order ----------------------------------


class _Form(StrEnum):
    TEXT = "text"
    BASE64 = "base64"
    SEQUENCE = "sequence"
    FIXED = "fixed"
    CALLBACK = "callback"


_Row = tuple[str, str, _Form, bool]
_CALLBACK: tuple[_Row, ...] = (
    ("callbackIndicator", "message_id", _Form.CALLBACK, True),
    ("messageID", "message_id", _Form.TEXT, False),
)
_NO_CALLBACK: _Row = ("callbackIndicator", "", _Form.FIXED, True)
_FORMS: Mapping[str, tuple[_Row, ...]] = {
    "RequestCertificate": (*_CALLBACK, ("certReq", "request", _Form.BASE64, True)),
    "GetCertificateChain": (*_CALLBACK, ("certReference", "reference", _Form.TEXT, True)),
    "SendCertificates": (
        ("messageID", "message_id", _Form.TEXT, False),
        ("statusInfo", "status", _Form.TEXT, True),
        ("statusInfoMessage", "status_message", _Form.TEXT, False),
        ("certificateSeq", "certificates", _Form.SEQUENCE, False),
    ),
    "CertificateRevocationRequest": (_NO_CALLBACK, ("certRevReq", "request", _Form.BASE64, True)),
    "UpdateDeviceAdmin": (_NO_CALLBACK, ("updDevAdminReq", "request", _Form.BASE64, True)),
    "GeneralMessage": (
        ("callerID", "caller", _Form.TEXT, True),
        ("messageID", "message_id", _Form.TEXT, True),
        ("subject", "subject", _Form.TEXT, True),
        ("body", "body", _Form.TEXT, True),
    ),
    "GetServiceStatus": (("messageID", "message_id", _Form.TEXT, True),),
}
_RESPONSE: tuple[_Row, ...] = (
    ("returnCode", "return_code", _Form.TEXT, True),
    ("returnCodeMessage", "message", _Form.TEXT, False),
)
# The WSDL spells the sequence of GetCertificateChain_Res differently from that of RequestCertificate_Res.
_SEQUENCE_NAMES = {"RequestCertificate": "certificateSeq", "GetCertificateChain": "certificateSequence"}
_POSSIBLE, _NOT_POSSIBLE = "callback_possible", "callback_not_possible"


def _response_form(operation: str) -> tuple[_Row, ...]:
    name = _SEQUENCE_NAMES.get(operation)
    return ((name, "certificates", _Form.SEQUENCE, False), *_RESPONSE) if name else _RESPONSE


# -- out ---------------------------------------------------------------------------------------------------------


def encode_request(request: Request) -> bytes:
    """The SOAP envelope of a request; ``ca.message`` for what the standard does not allow to send."""
    operation = operation_of(request)
    check_request(request, CA_MESSAGE)
    certificate_type = request.certificate_type if isinstance(request, RequestCertificate) else None
    values = {field.name: getattr(request, field.name) for field in fields(request)}
    return _envelope(f"{operation}_Req", _FORMS[operation], values, certificate_type)


def encode_response(response: Response) -> bytes:
    """The SOAP envelope of a response; ``ca.message`` for what the standard does not allow to send."""
    check_response(response, CA_MESSAGE)
    values = {"return_code": response.return_code, "message": response.message, "certificates": response.certificates}
    return _envelope(f"{response.operation}_Res", _response_form(response.operation), values, None)


def _envelope(
    name: str, form: tuple[_Row, ...], values: Mapping[str, Any], certificate_type: CertificateType | None
) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP, "tns": NAMESPACE})
    if certificate_type is not None:
        header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
        etree.SubElement(header, _tag("certType")).text = certificate_type.value
    message = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), _tag(name))
    for element, field, kind, _ in form:
        _write(message, element, kind, values.get(field))
    return xml.serialise(envelope)


def _write(message: xml.Element, element: str, form: _Form, value: Any) -> None:
    if form is _Form.FIXED:
        value = _NOT_POSSIBLE
    elif form is _Form.CALLBACK:
        value = _POSSIBLE if value is not None else _NOT_POSSIBLE
    elif form is _Form.BASE64:
        value = base64.b64encode(value).decode()
    elif form is _Form.SEQUENCE:
        if value:
            sequence = etree.SubElement(message, _tag(element))
            for certificate in value:
                etree.SubElement(sequence, _tag("certificate")).text = base64.b64encode(certificate).decode()
        return
    if value is not None:
        try:
            etree.SubElement(message, _tag(element)).text = value
        except ValueError as error:
            raise CA_MESSAGE(why=f"{element}: {error}") from error


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


# -- in ----------------------------------------------------------------------------------------------------------


def decode_request(data: bytes) -> Request:
    """Read any of the seven requests; ``ca.protocol`` or an ``xml.*`` refusal for anything else."""
    header, message = _open(data)
    operation, _, direction = xml.local_name(message).rpartition("_")
    if direction != "Req" or operation not in REQUESTS:
        raise CA_PROTOCOL(why=xml.local_name(message))
    values = _read(message, _FORMS[operation])
    if operation == "RequestCertificate":
        values["certificate_type"] = _certificate_type(header)
    request = REQUESTS[operation](**values)
    check_request(request, CA_PROTOCOL)
    return request


def decode_response(data: bytes, operation: str) -> Response:
    """Read the response to ``operation``; ``ca.protocol`` or an ``xml.*`` refusal for anything else."""
    _, message = _open(data)
    if xml.local_name(message) != f"{operation}_Res":
        raise CA_PROTOCOL(why=xml.local_name(message))
    response = Response(operation, **_read(message, _response_form(operation)))
    check_response(response, CA_PROTOCOL)
    return response


def _open(data: bytes) -> tuple[xml.Element | None, xml.Element]:
    """SOAP header (if any) and the one element of the body."""
    envelope = xml.parse(data, max_size=LARGEST)
    if envelope.tag != f"{{{SOAP}}}Envelope":
        raise CA_PROTOCOL(why=f"{envelope.tag}")
    parts = {part.tag: part for part in _children(envelope)}
    body = parts.get(f"{{{SOAP}}}Body")
    messages = _children(body) if body is not None else []
    if len(messages) != 1 or etree.QName(messages[0]).namespace != NAMESPACE:
        raise CA_PROTOCOL(why="soap:Body")
    return parts.get(f"{{{SOAP}}}Header"), messages[0]


def _children(parent: xml.Element) -> list[xml.Element]:
    return [child for child in parent if isinstance(child.tag, str)]


def _certificate_type(header: xml.Element | None) -> CertificateType | None:
    found = header.findtext(_tag("certType")) if header is not None else None
    if found is None:
        return None
    try:
        return CertificateType(found.strip())
    except ValueError as error:
        raise CA_PROTOCOL(why=f"certType {found!r}") from error


def _read(message: xml.Element, form: tuple[_Row, ...]) -> dict[str, Any]:
    """Field values by the table; elements must stand in its order, each at most once, and nothing else."""
    values: dict[str, Any] = {}
    children = _children(message)
    indicator: str | None = None
    for element, field, kind, mandatory in form:
        child = children.pop(0) if children and children[0].tag == _tag(element) else None
        if child is None:
            if mandatory:
                raise CA_PROTOCOL(why=f"{xml.local_name(message)}: {element}")
            continue
        if kind in (_Form.FIXED, _Form.CALLBACK):
            indicator = _indicator(child, kind)
        else:
            values[field] = _value(child, kind)
    if children:
        raise CA_PROTOCOL(why=f"{xml.local_name(message)}: {xml.local_name(children[0])}")
    # §2.2.1 messageID: "REQUIRED if … callback_possible … MUST be omitted, if … callback_not_possible".
    if indicator is not None and (indicator == _POSSIBLE) is not (values.get("message_id") is not None):
        raise CA_PROTOCOL(why=f"{indicator}, messageID")
    return values


def _indicator(child: xml.Element, form: _Form) -> str:
    text = child.text or ""
    allowed = (_NOT_POSSIBLE,) if form is _Form.FIXED else (_POSSIBLE, _NOT_POSSIBLE)
    if text not in allowed or len(child):
        raise CA_PROTOCOL(why=f"callbackIndicator {text!r}")
    return text


def _value(child: xml.Element, form: _Form) -> str | bytes | tuple[bytes, ...]:
    if form is _Form.SEQUENCE:
        certificates = _children(child)
        if not certificates or any(each.tag != _tag("certificate") for each in certificates):
            raise CA_PROTOCOL(why=xml.local_name(child))
        return tuple(_base64(each) for each in certificates)
    if len(child):  # not even a comment, which would cut the text in two
        raise CA_PROTOCOL(why=xml.local_name(child))
    return _base64(child) if form is _Form.BASE64 else child.text or ""


def _base64(element: xml.Element) -> bytes:
    if len(element):
        raise CA_PROTOCOL(why=xml.local_name(element))
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CA_PROTOCOL(why=f"{xml.local_name(element)}: base64") from error
