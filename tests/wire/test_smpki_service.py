"""The web service of the SM-PKI, judged by the schema inside the BSI's WSDL."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from torwart.kernel.refusals import Refusal
from torwart.wire import smpki_service as service
from torwart.wire.smpki_service import (
    OPERATIONS,
    RETURN_CODES,
    STATUS_CODES,
    CertificateRevocationRequest,
    CertificateType,
    GeneralMessage,
    GetCertificateChain,
    GetServiceStatus,
    RequestCertificate,
    Response,
    SendCertificates,
    UpdateDeviceAdmin,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)

WSDL = etree.parse(str(Path(__file__).parents[1] / "data/wsdl/WSDL_TR-03129-4_v1.3.1_Smartmeter.wsdl"))
XS = "{http://www.w3.org/2001/XMLSchema}"
SCHEMA = etree.XMLSchema(WSDL.find(f".//{XS}schema"))
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"

pytestmark = pytest.mark.requirement("WAN-3.4")

_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40).filter(
    lambda text: text.strip() and "\ufffe" not in text and "\uffff" not in text
)
_ids = st.none() | _text
_certificates = st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=4).map(tuple)
_requests = st.one_of(
    st.builds(RequestCertificate, st.binary(max_size=80), _ids, st.none() | st.sampled_from(CertificateType)),
    st.builds(GetCertificateChain, _text, _ids),
    st.builds(SendCertificates, st.just("ok_cert_available"), _certificates, _ids, st.none() | _text),
    st.builds(SendCertificates, st.sampled_from(sorted(STATUS_CODES - {"ok_cert_available"})), st.just(()), _ids),
    st.builds(CertificateRevocationRequest, st.binary(max_size=80)),
    st.builds(UpdateDeviceAdmin, st.binary(max_size=80)),
    st.builds(GeneralMessage, _text, _text, _text, _text),
    st.builds(GetServiceStatus, _text),
)


def _response(operation: str, code: str) -> Response:
    return Response(operation, code, (b"one", b"two") if code == "ok_cert_available" else (), "Grüße")


_RESPONSES = [_response(operation, code) for operation in OPERATIONS for code in sorted(RETURN_CODES[operation])]


def _body(envelope: bytes) -> etree._Element:
    return etree.fromstring(envelope).find(f"{SOAP}Body")[0]


@given(_requests)
@settings(max_examples=150, deadline=None)
def test_every_request_is_valid_by_the_wsdl_and_comes_back_unchanged(request_: service.Request) -> None:
    """What we send satisfies the BSI's schema and means the same to the reader."""
    envelope = encode_request(request_)

    SCHEMA.assertValid(_body(envelope))
    assert decode_request(envelope) == request_


@pytest.mark.parametrize("response", _RESPONSES, ids=lambda r: f"{r.operation}-{r.return_code}")
def test_every_response_is_valid_by_the_wsdl_and_comes_back_unchanged(response: Response) -> None:
    """Every return code of every operation satisfies the BSI's schema."""
    envelope = encode_response(response)

    SCHEMA.assertValid(_body(envelope))
    assert decode_response(envelope, response.operation) == response


def _enumeration(element: str, child: str) -> set[str]:
    path = f".//{XS}element[@name='{element}']//{XS}element[@name='{child}']//{XS}enumeration"
    return {found.get("value") for found in WSDL.iterfind(path)}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_return_codes_are_the_closed_lists_of_the_wsdl(operation: str) -> None:
    """Our lists of return codes are exactly those the schema enumerates."""
    assert _enumeration(f"{operation}_Res", "returnCode") == RETURN_CODES[operation]


def test_status_codes_are_the_closed_list_of_the_wsdl() -> None:
    """statusInfo of SendCertificates has exactly the codes of the schema."""
    assert _enumeration("SendCertificates_Req", "statusInfo") == STATUS_CODES


def test_operations_are_those_of_the_wsdl() -> None:
    """The seven operations of the port type, under their soapAction names."""
    soap_actions = WSDL.iterfind(".//{http://schemas.xmlsoap.org/wsdl/soap/}operation")

    assert [action.get("soapAction") for action in soap_actions] == [
        "RequestCertificate",
        "SendCertificates",
        "GetCertificateChain",
        "CertificateRevocationRequest",
        "GeneralMessage",
        "GetServiceStatus",
        "UpdateDeviceAdmin",
    ]
    assert set(OPERATIONS) == {
        action.get("soapAction") for action in WSDL.iterfind(".//{http://schemas.xmlsoap.org/wsdl/soap/}operation")
    }


def test_certificate_type_travels_in_the_soap_header() -> None:
    """certType is a header of its own, not part of the schema-checked body (§2.3.2)."""
    envelope = encode_request(RequestCertificate(b"x", None, CertificateType.SMGW_W))

    header = etree.fromstring(envelope).find(f"{SOAP}Header")
    assert [(child.tag, child.text) for child in header] == [(f"{{{service.NAMESPACE}}}certType", "SMGW-W")]


_GOOD = encode_request(RequestCertificate(b"package", "id-1", CertificateType.GWA))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"callback_possible", b"callback_not_possible"),
        (b"<tns:messageID>id-1</tns:messageID>", b""),
        (b"<tns:messageID>id-1", b"<tns:messageID> "),
        (b"callback_possible", b"perhaps"),
        (b"cGFja2FnZQ==", b"cGFja2FnZQ="),
        (b"cGFja2FnZQ==", b"cGFj<!-- cut -->a2FnZQ=="),
        (b"id-1", b"id<!-- cut -->-1"),
        (b"</tns:certReq>", b"</tns:certReq><tns:more/>"),
        (b"GWA", b"KING"),
        (b"RequestCertificate_Req", b"RequestCertificate_Res"),
        (b"RequestCertificate_Req", b"RequestPizza_Req"),
        (b"soap:Body", b"soap:Corpse"),
        (b"soap:Envelope", b"soap:Envelop"),
        (b"Smart-Meter-PKI-Protocol/1.3", b"Smart-Meter-PKI-Protocol/1.2"),
    ],
)
def test_a_broken_request_is_refused_as_protocol_error(old: bytes, new: bytes) -> None:
    """Each departure from schema or prose is refused, not guessed around."""
    assert old in _GOOD

    with pytest.raises(Refusal) as caught:
        decode_request(_GOOD.replace(old, new))

    assert caught.value.code == "ca.protocol"


def test_message_id_and_callback_indicator_belong_together() -> None:
    """§2.2.1: messageID is required with callback_possible and must be omitted otherwise."""
    with_id, without = (encode_request(RequestCertificate(b"x", message_id)) for message_id in ("m", None))

    assert re.findall(rb"callback_\w+|messageID", with_id) == [b"callback_possible", b"messageID", b"messageID"]
    assert re.findall(rb"callback_\w+|messageID", without) == [b"callback_not_possible"]


def test_revocation_never_offers_a_callback() -> None:
    """§2.3.5: callbackIndicator "must be set to callback_not_possible"; anything else is refused."""
    envelope = encode_request(CertificateRevocationRequest(b"order"))

    assert b"callback_not_possible" in envelope
    with pytest.raises(Refusal) as caught:
        decode_request(envelope.replace(b"callback_not_possible", b"callback_possible"))
    assert caught.value.code == "ca.protocol"


@pytest.mark.parametrize(
    "response",
    [
        Response("GetServiceStatus", "ok_cert_available", (b"x",)),
        Response("RequestCertificate", "ok_received_correctly"),
        Response("RequestCertificate", "ok_cert_available"),
        Response("RequestCertificate", "ok_syntax", (b"x",)),
        Response("RequestCertificate", "failure_syntax", (), "ä" * 513),
        Response("GeneralMessage", "ok"),
        Response("Nonsense", "ok_syntax"),
    ],
)
def test_a_response_the_standard_forbids_is_not_sent(response: Response) -> None:
    """Codes of other operations, certificates where none belong and messages over 1024 bytes stay here."""
    with pytest.raises(Refusal) as caught:
        encode_response(response)

    assert caught.value.code == "ca.message"


def test_message_of_1024_bytes_is_sent_and_longer_text_is_shortened_between_characters() -> None:
    """§2.2.1: 1024 bytes are the limit, counted in bytes, cut between characters."""
    longest = Response("GeneralMessage", "failure_other_error", (), "ä" * 512)

    assert decode_response(encode_response(longest), "GeneralMessage") == longest
    assert service.shorten("x" + "ä" * 600) == "x" + "ä" * 511


def test_control_characters_are_not_sent() -> None:
    """XML 1.0 cannot carry them; we refuse instead of sending something else."""
    with pytest.raises(Refusal) as caught:
        encode_request(GetServiceStatus("a\x00b"))

    assert caught.value.code == "ca.message"


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaa">]><x>&a;</x>',
        b"<x" * 50_000,
        b"\xff\xfe<\x00x\x00/\x00>\x00",
        b"",
    ],
)
def test_hostile_xml_is_refused(document: bytes) -> None:
    """No entities, no external files, no endless nesting."""
    with pytest.raises(Refusal):
        decode_request(document)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_envelopes_raise_nothing_but_refusals(data: st.DataObject) -> None:
    """A cut or flipped envelope is read differently or refused; it never breaks the reader."""
    damaged = bytearray(_GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(_GOOD) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    cut = data.draw(st.integers(0, len(_GOOD)))
    for envelope in (bytes(damaged), _GOOD[:cut]):
        try:
            read = decode_request(envelope)
        except Refusal:
            continue
        assert dataclasses.is_dataclass(read)
