"""The web service of the SM-PKI: seven operations of TR-03129-4 as SOAP 1.1 document/literal, both directions.

Rules of this package
1. What we send and what we accept comes from one table, in the order of the schema in the WSDL (``codec``).
2. Return codes are closed lists per operation, taken from the same schema (``messages``).
3. Whatever breaks the schema or the prose of TR-03129-4 §2.2.1 raises ``ca.protocol``; what we ourselves must not
   send raises ``ca.message``.
"""

from torwart.wire.smpki_service.codec import (
    LARGEST,
    NAMESPACE,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from torwart.wire.smpki_service.messages import (
    LONGEST_MESSAGE,
    OPERATIONS,
    RETURN_CODES,
    STATUS_CODES,
    CertificateRevocationRequest,
    CertificateType,
    GeneralMessage,
    GetCertificateChain,
    GetServiceStatus,
    Request,
    RequestCertificate,
    Response,
    SendCertificates,
    UpdateDeviceAdmin,
    explain,
    operation_of,
    shorten,
)

__all__ = [
    "LARGEST",
    "LONGEST_MESSAGE",
    "NAMESPACE",
    "OPERATIONS",
    "RETURN_CODES",
    "STATUS_CODES",
    "CertificateRevocationRequest",
    "CertificateType",
    "GeneralMessage",
    "GetCertificateChain",
    "GetServiceStatus",
    "Request",
    "RequestCertificate",
    "Response",
    "SendCertificates",
    "UpdateDeviceAdmin",
    "decode_request",
    "decode_response",
    "encode_request",
    "encode_response",
    "explain",
    "operation_of",
    "shorten",
]
