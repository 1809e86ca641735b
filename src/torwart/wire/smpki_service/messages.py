"""Messages of the SM-PKI's web service as values, their closed lists of codes, and what the prose demands of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from torwart.kernel.refusals import Kind, Refusal

LONGEST_MESSAGE = 1024
"""Bytes of returnCodeMessage and statusInfoMessage (TR-03129-4 §2.2.1)."""


class CertificateType(StrEnum):
    """certType in the SOAP header (TR-03129-4 §2.3.2, "it is recommended to supply the type")."""

    SMGW_W = "SMGW-W"
    SMGW_G = "SMGW-G"
    GWA = "GWA"
    GWH = "GWH"
    EMT = "EMT"
    SUB_CA = "Sub-CA"


_GENERAL = ("failure_syntax", "failure_other_error", "failure_internal_error")
_SIGNATURES = ("failure_inner_signature", "failure_outer_signature", "failure_authorization_signature")
_QUEUED = ("ok_syntax", "failure_synchronous_processing_not_possible")
_REFUSED = ("failure_incorrect_request", "failure_request_not_accepted", "failure_unauthorized_request")
_STATUS = frozenset(
    ("ok_cert_available", *_REFUSED, *_GENERAL, *_SIGNATURES, "failure_domain_parameters", "failure_cert_not_available")
)
_SYNCHRONOUS = frozenset(
    ("ok_received_correctly", "failure_incorrect_request", "failure_request_not_accepted", *_GENERAL)
)
_SHORT = frozenset(("ok_received_correctly", *_GENERAL))

RETURN_CODES: Mapping[str, frozenset[str]] = {
    "RequestCertificate": frozenset(
        (*_QUEUED, *_REFUSED, *_GENERAL, *_SIGNATURES, "ok_cert_available", "failure_domain_parameters")
    ),
    "GetCertificateChain": frozenset((*_QUEUED, *_GENERAL, "ok_cert_available", "failure_cert_not_available")),
    "SendCertificates": _SHORT | {"failure_messageID_unknown"},
    "CertificateRevocationRequest": _SYNCHRONOUS,
    "UpdateDeviceAdmin": _SYNCHRONOUS,
    "GeneralMessage": _SHORT,
    "GetServiceStatus": _SHORT,
}
"""TR-03129-4 §2.3.1–2.3.7, "The following return codes are possible", as in the WSDL's schema."""

STATUS_CODES = _STATUS
"""statusInfo of SendCertificates (§2.3.4)."""


@dataclass(frozen=True, slots=True)
class RequestCertificate:
    """§2.3.2. ``message_id`` is given exactly when the caller can take a callback (§2.2.1)."""

    request: bytes
    message_id: str | None = None
    certificate_type: CertificateType | None = None


@dataclass(frozen=True, slots=True)
class GetCertificateChain:
    """§2.3.3. ``reference``: "the distinguished name of the issuer from the certificate that needs to be verified"."""

    reference: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class SendCertificates:
    """§2.3.4. Without ``message_id`` it announces new certificates unasked."""

    status: str
    certificates: tuple[bytes, ...] = ()
    message_id: str | None = None
    status_message: str | None = None


@dataclass(frozen=True, slots=True)
class CertificateRevocationRequest:
    """§2.3.5, always synchronous. ``request``: a signed order (``wire.crmf.sign_revocation``)."""

    request: bytes


@dataclass(frozen=True, slots=True)
class UpdateDeviceAdmin:
    """§2.3.7, always synchronous. ``request``: a signed order (``wire.crmf.sign_device_admin``)."""

    request: bytes


@dataclass(frozen=True, slots=True)
class GeneralMessage:
    """§2.3.1: "human readable plain text"."""

    caller: str
    message_id: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class GetServiceStatus:
    """§2.3.6."""

    message_id: str


Request = (
    RequestCertificate
    | GetCertificateChain
    | SendCertificates
    | CertificateRevocationRequest
    | UpdateDeviceAdmin
    | GeneralMessage
    | GetServiceStatus
)


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to ``operation``. ``certificates`` only with ``ok_cert_available``; ``message`` ≤ 1024 bytes."""

    operation: str
    return_code: str
    certificates: tuple[bytes, ...] = ()
    message: str | None = None


REQUESTS: Mapping[str, type[Request]] = {
    kind.__name__: kind
    for kind in (
        RequestCertificate,
        GetCertificateChain,
        SendCertificates,
        CertificateRevocationRequest,
        UpdateDeviceAdmin,
        GeneralMessage,
        GetServiceStatus,
    )
}
OPERATIONS = tuple(REQUESTS)


def operation_of(request: Request) -> str:
    """Name of the operation, also its soapAction (WSDL binding)."""
    return type(request).__name__


# -- what the prose demands beyond the schema; ``refusal`` says on which side of the wire we are ---------------------


def check_request(request: Request, refusal: Kind) -> None:
    if isinstance(request, SendCertificates):
        if request.status not in STATUS_CODES:
            raise refusal(why=f"statusInfo {request.status!r}")
        _check_certificates(request.status, request.certificates, refusal)
        _check_length("statusInfoMessage", request.status_message, refusal)
    message_id = getattr(request, "message_id", None)
    if message_id is not None and not message_id.strip():
        raise refusal(why="messageID")


def check_response(response: Response, refusal: Kind) -> None:
    allowed = RETURN_CODES.get(response.operation)
    if allowed is None or response.return_code not in allowed:
        raise refusal(why=f"{response.operation}: {response.return_code!r}")
    _check_certificates(response.return_code, response.certificates, refusal)
    _check_length("returnCodeMessage", response.message, refusal)


def _check_certificates(code: str, certificates: tuple[bytes, ...], refusal: Kind) -> None:
    # §2.2.1 certificateSeq: "It is REQUIRED if certificates have to be sent with the response. It MUST be missing
    # if no certificates will be sent". §2.2.2 ok_cert_available: "contains one or more certificates".
    if bool(certificates) is not (code == "ok_cert_available"):
        raise refusal(why=f"{code}: {len(certificates)} certificates")


def _check_length(element: str, text: str | None, refusal: Kind) -> None:
    # §2.2.1: "The maximum length of a message MUST NOT exceed 1024 bytes."
    if text is not None and len(text.encode("utf-8", "surrogatepass")) > LONGEST_MESSAGE:
        raise refusal(why=f"{element} > {LONGEST_MESSAGE}")


def shorten(text: str) -> str:
    """Cut a text to what fits into returnCodeMessage, never inside a character."""
    return text.encode()[:LONGEST_MESSAGE].decode(errors="ignore")


def explain(refusal: Refusal) -> str:
    """A refusal as returnCodeMessage."""
    return shorten(refusal.text("en"))
