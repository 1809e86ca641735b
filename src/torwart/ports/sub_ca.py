"""The Sub-CA as we call it (TR-03129-4): certificates in, certificates out, return codes as the standard names them."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CaAnswer:
    """What the Sub-CA said: ``return_code`` as TR-03129-4 §2.2.2 spells it, certificates as DER, its message if any."""

    return_code: str
    certificates: tuple[bytes, ...] = field(default=())
    message: str = ""


class SubCA(Protocol):
    """Blocking client of one Sub-CA. An unreachable or slow CA raises ``Refusal`` ``ca.unreachable`` (retry later);
    an answer that breaks the schema ``ca.protocol``. Return codes are returned, not raised.
    """

    def request_certificate(self, package: bytes, *, certificate_type: str, message_id: str | None) -> CaAnswer:
        """RequestCertificate. ``certificate_type``: SMGW-W, SMGW-G, GWA, GWH, EMT. With ``message_id`` the CA may
        answer ``ok_syntax`` and call back later with that id; without it must answer synchronously.
        """
        ...

    def get_certificate_chain(self, issuer_name: str, *, message_id: str | None = None) -> CaAnswer: ...

    def revoke(self, request: bytes) -> CaAnswer:
        """CertificateRevocationRequest (revoke, suspend, unsuspend); always synchronous."""
        ...

    def update_device_admin(self, request: bytes) -> CaAnswer: ...

    def general_message(self, *, caller: str, message_id: str, subject: str, body: str) -> CaAnswer: ...

    def service_status(self, *, message_id: str) -> CaAnswer: ...

    def revocation_list(self) -> bytes:
        """The CA's present CRL, DER, from its distribution point."""
        ...
