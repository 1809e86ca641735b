"""The Sub-CA's decisions: who may have what, and which return code says why not (TR-03129-4 §2.3).

The desk knows no socket: a caller (by the TLS certificate shown) and a request come in, a response goes out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from torwart.kernel.refusals import Kind, Refusal
from torwart.kernel.refusals.crmf import (
    CRMF_AUTHORISATION_SIGNATURE,
    CRMF_DOMAIN_PARAMETERS,
    CRMF_INNER_SIGNATURE,
    CRMF_ORDER_SIGNATURE,
    CRMF_OUTER_SIGNATURE,
)
from torwart.kernel.refusals.pki import PKI_REVOKED
from torwart.sim.pki import Authority, TestPki
from torwart.sim.sub_ca.registry import Caller, Queued, Registry
from torwart.wire.certificate import Content, Identity, Role, Use
from torwart.wire.certificate.names import canonical_name, entity_of, split_common_name
from torwart.wire.cms.keys import public_key_of, ski_of
from torwart.wire.crmf import (
    Action,
    Package,
    Signature,
    parse_device_admin,
    parse_package,
    parse_revocation,
    signature_of,
)
from torwart.wire.smpki_service import (
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
)

_CODES: Mapping[str, str] = {
    CRMF_INNER_SIGNATURE.code: "failure_inner_signature",
    CRMF_OUTER_SIGNATURE.code: "failure_outer_signature",
    CRMF_AUTHORISATION_SIGNATURE.code: "failure_authorization_signature",
    CRMF_DOMAIN_PARAMETERS.code: "failure_domain_parameters",
}
_TYPE_OF = {Role.GWA: CertificateType.GWA, Role.GWH: CertificateType.GWH, Role.EMT: CertificateType.EMT}
TRIPLE = (Use.TLS, Use.SIG, Use.ENC)


class Denied(Exception):
    """A request ends with this return code; never leaves the desk."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request for certificates: everything is proven, only signing is left."""

    caller: str
    message_id: str | None
    raw: bytes
    package: Package
    authority: Authority
    admin: str


class Desk:
    """Decides on requests. ``clock`` says the present; ``suspended`` are callers the CA has put on hold."""

    def __init__(self, pki: TestPki, registry: Registry, clock: Callable[[], datetime]) -> None:
        self._pki = pki
        self._registry = registry
        self._clock = clock
        self._trust = pki.trust
        self.suspended: set[str] = set()
        self.messages: list[tuple[str, GeneralMessage]] = []

    def answer(self, caller: Caller, request: Request) -> Response:
        """Work on a request at once. RequestCertificate is answered synchronously here; queueing is the server's."""
        operation = operation_of(request)
        try:
            certificates = self._work(caller, request)
        except Denied as denied:
            return Response(operation, denied.code, (), denied.message or None)
        except Refusal as refusal:
            return Response(operation, _CODES.get(refusal.code, "failure_incorrect_request"), (), explain(refusal))
        code = "ok_cert_available" if certificates else "ok_received_correctly"
        return Response(operation, code, tuple(each.public_bytes(Encoding.DER) for each in certificates))

    def _work(self, caller: Caller, request: Request) -> list[x509.Certificate]:
        if isinstance(request, RequestCertificate):
            return self._request_certificate(caller, request)
        if isinstance(request, GetCertificateChain):
            return self._chain(request.reference)
        if isinstance(request, CertificateRevocationRequest):
            self._revoke(caller, request.request)
        elif isinstance(request, UpdateDeviceAdmin):
            self._update_admin(caller, request.request)
        elif isinstance(request, GeneralMessage):
            self.messages.append((caller.common_name, request))
        elif isinstance(request, SendCertificates):
            # §2.4.2: SendCertificates is for a Sub-CA "if [it] supports callback messages sent by the Root-CA".
            raise Denied("failure_messageID_unknown")
        elif not isinstance(request, GetServiceStatus):
            raise Denied("failure_syntax")
        return []

    # -- certificates -------------------------------------------------------------------------------------------

    def check_request(self, caller: Caller, request: RequestCertificate) -> Order:
        """Everything RequestCertificate has to prove; raises ``Denied`` or a ``Refusal``. Nothing is signed yet."""
        if caller.common_name in self.suspended:
            raise Denied("failure_request_not_accepted", "the applicant has been suspended")
        if self._registry.reused(caller.common_name, request.request, request.message_id):
            raise Denied("failure_incorrect_request", "messageID was used for another request")
        package = parse_package(request.request)
        package.check_domain_parameters()
        package.check_inner()
        role, common_name = self._applicant(package)
        wanted = request.certificate_type or self._usual_type(caller, role)
        self._check_right(caller, wanted, role, common_name)
        authority = self._pki.seal_ca if wanted is CertificateType.SMGW_G else self._pki.sub_ca
        admin = self._check_signatures(caller, wanted, package, common_name)
        return Order(caller.common_name, request.message_id, request.request, package, authority, admin)

    def _request_certificate(self, caller: Caller, request: RequestCertificate) -> list[x509.Certificate]:
        known = self._registry.issued_for(caller.common_name, request.request, request.message_id)
        if known is not None and not self._registry.reused(caller.common_name, request.request, request.message_id):
            return known
        order = self.check_request(caller, request)
        with self._registry.lock:
            # Twice the same package at the same time must not become two issues.
            known = self._registry.issued_for(order.caller, order.raw, order.message_id)
            if known is not None:
                return known
            self._check_sequence(order)
            return self._issue(order)

    def _check_sequence(self, order: Order) -> None:
        subject = order.package.subject
        last = self._registry.last_sequence(order.authority, canonical_name(subject.common_name))
        if subject.sequence <= last:
            # spec/04 §3.1: "serialNumber attribute = sequence number …, counting from 1 (renewal +1)".
            raise Denied("failure_incorrect_request", f"serialNumber must be {last + 1} or higher")

    def _issue(self, order: Order) -> list[x509.Certificate]:
        start, end = self._pki.validity(order.authority, at=self._clock())
        role, _ = self._applicant(order.package)
        contact = order.package.contact
        certificates = [
            order.authority.issue(
                Content(role, use, order.package.subject, order.package.public_keys[use], contact, start, end)
            )
            for use in TRIPLE
        ]
        self._registry.record_issue(order.caller, order.raw, order.message_id, certificates, order.admin)
        return certificates

    def _applicant(self, package: Package) -> tuple[Role, str]:
        """Role and CN of whom the certificates shall be for; gateways have no SubjectAltName, all others one."""
        subject = package.subject
        role, _, _ = split_common_name(subject.common_name)
        if (package.contact is None) is not (role is Role.SMGW):
            raise Denied("failure_incorrect_request", f"SubjectAltName, {role}")
        return role, canonical_name(subject.common_name)

    def _usual_type(self, caller: Caller, role: Role) -> CertificateType:
        if role is Role.SMGW:
            return CertificateType.SMGW_G if caller.role is Role.GWH else CertificateType.SMGW_W
        return _TYPE_OF.get(role, CertificateType.SUB_CA)

    def _check_right(self, caller: Caller, wanted: CertificateType, role: Role, common_name: str) -> None:
        """§2.2.2 failure_unauthorized_request: "E.g. a GWA … requested a certificate of type SMGW-G"."""
        if role is Role.SMGW:
            applicants = {CertificateType.SMGW_W: Role.GWA, CertificateType.SMGW_G: Role.GWH}
            allowed = applicants.get(wanted) is caller.role
        else:
            allowed = _TYPE_OF.get(role) is wanted and caller.entity == entity_of(common_name)
        if not allowed:
            raise Denied("failure_unauthorized_request", f"{caller.role} {wanted} {common_name}"[:200])

    def _check_signatures(self, caller: Caller, wanted: CertificateType, package: Package, common_name: str) -> str:
        """Outer and authorisation signature; answers who will be in charge of the gateway, if it is one."""
        if wanted is CertificateType.SMGW_G:
            # The gateway has no certificate yet; its maker vouches for it.
            self._check_authorisation(caller, package)
            return ""
        package.check_outer(self._believed(package.outer, common_name, CRMF_OUTER_SIGNATURE))
        if wanted is not CertificateType.SMGW_W:
            return ""
        self._check_authorisation(caller, package)
        if self._registry.in_charge(common_name) not in ("", caller.entity):
            raise Denied("failure_unauthorized_request", f"another GWA is in charge of {common_name}")
        return caller.entity

    def _check_authorisation(self, caller: Caller, package: Package) -> None:
        believed = self._believed(package.authorisation, caller.common_name, CRMF_AUTHORISATION_SIGNATURE)
        package.check_authorisation(believed)

    def _believed(
        self, signature: Signature | None, owner: str, refusal: Kind
    ) -> dict[bytes, ec.EllipticCurvePublicKey]:
        """The key of the certificate a signature names, if it is a valid SIG certificate of ``owner``."""
        if signature is None:
            raise refusal(why="–")
        named = [each for each in signature.certificates if ski_of(each) == signature.ski]
        certificate = self._registry.signer(signature.ski) or (named[0] if named else None)
        if certificate is None:
            raise refusal(why=f"SKI {signature.ski.hex()}")
        try:
            identity = self.validate(certificate, Use.SIG)
        except Refusal as why:
            raise refusal(why=why.text("en")) from why
        # An entity may hold several key sets, told apart by the extension of the CN (spec/04 §3.1).
        if entity_of(identity.common_name) != entity_of(owner):
            raise refusal(why=f"{identity.common_name} ≠ {owner}")
        return {signature.ski: public_key_of(certificate)}

    def validate(self, certificate: x509.Certificate, use: Use) -> Identity:
        """Profile, use, chain, time and revocation, by what the authorities know now."""
        identity = self._trust.validate(certificate, at=self._clock(), use=use)
        revocation = self._pki.authority(certificate).revocations.get(certificate.serial_number)
        if revocation is not None:
            since = revocation.since.isoformat()
            raise PKI_REVOKED(name=identity.common_name, since=since, reason=revocation.reason)
        return identity

    def _chain(self, reference: str) -> list[x509.Certificate]:
        """§2.3.3: from the root to the CA of that name, "hierarchically highest" first."""
        for authority in self._pki.authorities:
            if _same_name(authority.certificate.subject, reference):
                return authority.chain
        raise Denied("failure_cert_not_available", reference[:200])

    # -- revoking and responsibility ----------------------------------------------------------------------------

    def _own_signers(self, caller: Caller, message: bytes) -> dict[bytes, ec.EllipticCurvePublicKey]:
        """Valid SIG keys of the caller, from what we issued and what the message brings along."""
        return self._believed(signature_of(message), caller.common_name, CRMF_ORDER_SIGNATURE)

    def _revoke(self, caller: Caller, message: bytes) -> None:
        order = parse_revocation(message, signers=self._own_signers(caller, message))
        affected = []
        for reference in order.certificates:
            owner = self._registry.owner(reference.issuer, reference.serial)
            if owner is None:
                raise Denied("failure_incorrect_request", f"certificate {reference.serial:x} was not issued here")
            # §2.3.7: "the newly assigned GWA in charge becomes the only valid entity allowed to revoke, suspend and
            # unsuspend certificates of the SMGW"; everyone else speaks for their own certificates.
            if caller.entity not in (entity_of(owner), self._registry.in_charge(owner)):
                raise Denied("failure_request_not_accepted", f"{caller.entity} is not in charge of {owner}")
            affected.append((self._authority_of(reference.issuer), reference.serial))
        with self._registry.lock:
            for authority, serial in affected:
                self._check_state(authority, serial, order.action)
            for authority, serial in affected:
                self._registry.record_revocation(authority, serial, order.reason, self._clock())

    def _check_state(self, authority: Authority, serial: int, action: Action) -> None:
        state = authority.revocations.get(serial)
        if action is Action.UNSUSPEND and (state is None or not state.suspended):
            raise Denied("failure_request_not_accepted", f"{serial:x} is not suspended")
        if action is Action.SUSPEND and state is not None and not state.suspended:
            raise Denied("failure_request_not_accepted", f"{serial:x} is revoked")

    def _authority_of(self, issuer: bytes) -> Authority:
        return next(each for each in self._pki.authorities if each.certificate.subject.public_bytes() == issuer)

    def _update_admin(self, caller: Caller, message: bytes) -> None:
        order = parse_device_admin(message, signers=self._own_signers(caller, message))
        gateways = [canonical_name(gateway) for gateway in order.gateways]
        for gateway in gateways:
            # §2.3.7: "sent by an entity which is currently in charge of the SMGW".
            if self._registry.in_charge(gateway) != caller.entity:
                raise Denied("failure_request_not_accepted", f"{caller.entity} is not in charge of {gateway}")
        self._registry.put_in_charge(gateways, entity_of(order.new_admin))

    def queued_request(self, queued: Queued) -> RequestCertificate:
        """The request that was put into the queue."""
        kind = CertificateType(queued.certificate_type) if queued.certificate_type else None
        return RequestCertificate(queued.package, queued.message_id, kind)


def _same_name(name: x509.Name, reference: str) -> bool:
    """Whether an RFC 4514 text names ``name``; order of the parts and the spelling of serialNumber do not matter."""
    return _parts(name.rfc4514_string()) == _parts(reference)


def _parts(text: str) -> frozenset[str]:
    plain = text.replace("serialNumber=", "2.5.4.5=").replace("SERIALNUMBER=", "2.5.4.5=")
    return frozenset(part.strip().casefold() for part in plain.split(","))
