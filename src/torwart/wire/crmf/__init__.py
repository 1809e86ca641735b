"""Certificate request packages and signed orders, as a Sub-CA takes them (spec/04 §3.5).

A package is bytes, and each further signature wraps it:

    build_package             ContentInfo {…1.1.1, CertReqMessages}                        three inner signatures
    add_outer_signature       ContentInfo {…1.1.2, SignedData(…1.1.1)}                     by the still valid SIG key
    add_authorisation         ContentInfo {…1.1.3, SignedData(…1.1.1 or …1.1.2)}           by the GWA, for a gateway

``parse_package`` reads any of them, BER or DER; every signature is checked on its own, so that a CA can answer with
the return code of exactly the one that fails. ``sign_revocation`` and ``sign_device_admin`` make the orders of
CertificateRevocationRequest and UpdateDeviceAdmin in structures of our own (TR-03109-4 appendix C is not at hand).
"""

from torwart.wire.crmf.orders import (
    Action,
    CertificateReference,
    DeviceAdminOrder,
    RevocationOrder,
    parse_device_admin,
    parse_revocation,
    sign_device_admin,
    sign_revocation,
)
from torwart.wire.crmf.package import (
    Package,
    Signature,
    add_authorisation,
    add_outer_signature,
    build_package,
    parse_package,
    signature_of,
)
from torwart.wire.crmf.template import CertificateRequest, KeyHolder, LocalKey

__all__ = [
    "Action",
    "CertificateReference",
    "CertificateRequest",
    "DeviceAdminOrder",
    "KeyHolder",
    "LocalKey",
    "Package",
    "RevocationOrder",
    "Signature",
    "add_authorisation",
    "add_outer_signature",
    "build_package",
    "parse_device_admin",
    "parse_package",
    "parse_revocation",
    "sign_device_admin",
    "sign_revocation",
    "signature_of",
]
