"""Request packages: three requests, and up to two signatures around them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from torwart.kernel.refusals import Kind, Refusal
from torwart.kernel.refusals.cms import CMS_MALFORMED
from torwart.kernel.refusals.crmf import (
    CRMF_AUTHORISATION_SIGNATURE,
    CRMF_MALFORMED,
    CRMF_OUTER_SIGNATURE,
    CRMF_TRIPLE,
)
from torwart.wire.certificate import Contact, Subject, Use
from torwart.wire.cms import ID_SIGNED_DATA, TOLERANT, Signer, ber, verify
from torwart.wire.cms.der import (
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    SET,
    NotDER,
    Reader,
    dotted,
    explicit,
    implicit,
    oid,
    sequence,
    tlv,
)
from torwart.wire.cms.signed import make_signed
from torwart.wire.crmf.template import CertificateRequest, KeyHolder, build_request, read_request

ID_REQUESTS = "0.4.0.127.0.7.4.1.1.1"
ID_WITH_OUTER_SIGNATURE = "0.4.0.127.0.7.4.1.1.2"
ID_WITH_AUTHORISATION = "0.4.0.127.0.7.4.1.1.3"

ORDER = (Use.ENC, Use.SIG, Use.TLS)
"""spec/04 §3.5: "three CertReqMsg (observed order ENC, SIG, TLS)"; any order is accepted."""

_Part = TypeVar("_Part")

LARGEST = 256 * 1024
"""Bytes of a package; three requests with two chains of three certificates stay below 10 KiB."""

Signers = Mapping[bytes, ec.EllipticCurvePublicKey]
"""Whose signatures are believed: SKI → key."""


def build_package(subject: Subject, keys: Mapping[Use, KeyHolder], *, contact: Contact | None = None) -> bytes:
    """An initial package: CRMF requests for TLS, SIG and ENC, each signed with its own new key.

    ``contact`` goes into the SubjectAltName; gateways have none (spec/04 §3.2).
    """
    requests = b"".join(build_request(use, subject, keys[use], contact) for use in ORDER)
    return _content_info(ID_REQUESTS, tlv(SEQUENCE, requests))


def add_outer_signature(package: bytes, *, signer: Signer, chain: Sequence[x509.Certificate] = ()) -> bytes:
    """Wrap an initial package for renewal: "signed with the still valid old SIG key" (spec/04 §3.5).

    ``chain``: the signer's SIG certificate and its issuers, attached.
    """
    content_type, content = _outermost(package)
    if content_type != ID_REQUESTS:
        raise CRMF_MALFORMED(why=content_type)
    return _content_info(ID_WITH_OUTER_SIGNATURE, _sign(content, content_type, signer, chain))


def add_authorisation(package: bytes, *, signer: Signer, chain: Sequence[x509.Certificate] = ()) -> bytes:
    """Wrap a gateway's package with the signature of the GWA that stands for it."""
    content_type, content = _outermost(package)
    if content_type not in (ID_REQUESTS, ID_WITH_OUTER_SIGNATURE):
        raise CRMF_MALFORMED(why=content_type)
    return _content_info(ID_WITH_AUTHORISATION, _sign(content, content_type, signer, chain))


def _sign(content: bytes, content_type: str, signer: Signer, chain: Sequence[x509.Certificate]) -> bytes:
    return make_signed(content, content_type, signer=signer, certificates=chain)


@dataclass(frozen=True)
class Signature:
    """A signature around a package: SignedData, the SKI and certificates it names; nothing verified."""

    element: bytes = field(repr=False)
    ski: bytes
    certificates: tuple[x509.Certificate, ...]

    def check(self, signers: Signers, refusal: Kind) -> None:
        try:
            verify(_content_info(ID_SIGNED_DATA, self.element), signers=signers, switches=TOLERANT)
        except Refusal as why:
            raise refusal(why=why.text()) from why


@dataclass(frozen=True)
class Package:
    """A package as read. Syntax, names and completeness are checked; no signature is, until you ask."""

    requests: Mapping[Use, CertificateRequest]
    outer: Signature | None
    authorisation: Signature | None

    @property
    def subject(self) -> Subject:
        return self.requests[Use.SIG].subject

    @property
    def contact(self) -> Contact | None:
        """Mail, URI and DNS names asked for; the TLS request has the DNS names."""
        return self.requests[Use.TLS].contact

    @property
    def public_keys(self) -> dict[Use, ec.EllipticCurvePublicKey]:
        return {use: request.public_key for use, request in self.requests.items()}

    def check_domain_parameters(self) -> None:
        """Refuse ``crmf.domain_parameters`` if any request has another curve, point form or algorithm."""
        for request in self.requests.values():
            request.check_domain_parameters()

    def check_inner(self) -> None:
        """Refuse ``crmf.inner_signature`` unless each request is signed with the key it asks a certificate for."""
        for request in self.requests.values():
            request.check_inner()

    def check_outer(self, signers: Signers) -> None:
        """Refuse ``crmf.outer_signature`` unless there is one, by one of ``signers``."""
        if self.outer is None:
            raise CRMF_OUTER_SIGNATURE(why="–")
        self.outer.check(signers, CRMF_OUTER_SIGNATURE)

    def check_authorisation(self, signers: Signers) -> None:
        """Refuse ``crmf.authorisation_signature`` unless there is one, by one of ``signers``."""
        if self.authorisation is None:
            raise CRMF_AUTHORISATION_SIGNATURE(why="–")
        self.authorisation.check(signers, CRMF_AUTHORISATION_SIGNATURE)


def parse_package(package: bytes) -> Package:
    """Read a package of any of the three kinds; ``crmf.malformed``, ``crmf.triple`` or ``pki.*`` if it is none."""
    content_type, content = _outermost(package)
    authorisation = outer = None
    if content_type == ID_WITH_AUTHORISATION:
        authorisation, content_type, content = _open(content)
    if content_type == ID_WITH_OUTER_SIGNATURE:
        outer, content_type, content = _open(content)
    if content_type != ID_REQUESTS:
        raise CRMF_MALFORMED(why=content_type)
    requests = _read(content, _read_requests)
    return Package(_triple(requests), outer, authorisation)


def signature_of(message: bytes) -> Signature:
    """Who signed a ContentInfo SignedData, by its own account: SKI and attached certificates; nothing verified."""
    content_type, element = _outermost(message)
    if content_type != ID_SIGNED_DATA:
        raise CRMF_MALFORMED(why=content_type)
    return _open(element)[0]


def _triple(requests: Sequence[CertificateRequest]) -> dict[Use, CertificateRequest]:
    by_use = {request.use: request for request in requests}
    if len(requests) != 3 or set(by_use) != set(ORDER):
        raise CRMF_TRIPLE(why=", ".join(request.use for request in requests))
    if len({request.subject for request in requests}) != 1:
        raise CRMF_TRIPLE(why=", ".join(request.subject.common_name for request in requests))
    if len({request.spki for request in requests}) != 3:
        raise CRMF_TRIPLE(why="SPKI")
    return by_use


def _content_info(content_type: str, element: bytes) -> bytes:
    return sequence(oid(content_type), tlv(explicit(0), element))


def _read(data: bytes, parse: Callable[[Reader], _Part]) -> _Part:
    try:
        return ber.read(data, parse)
    except Refusal as refusal:
        if refusal.kind is CMS_MALFORMED:
            raise CRMF_MALFORMED(why=refusal.details["why"]) from refusal
        raise


def _outermost(package: bytes) -> tuple[str, bytes]:
    """Content type and content of the ContentInfo."""
    if len(package) > LARGEST:
        raise CRMF_MALFORMED(why=f"{len(package)} > {LARGEST}")
    return _read(package, _read_content_info)


def _read_content_info(reader: Reader) -> tuple[str, bytes]:
    fields = reader.enter(SEQUENCE)
    reader.close()
    content_type = dotted(fields.raw(OID))
    content = fields.enter(explicit(0))
    fields.close()
    element = content.raw(SEQUENCE)
    content.close()
    return content_type, element


def _read_requests(reader: Reader) -> list[CertificateRequest]:
    messages = reader.enter(SEQUENCE)
    reader.close()
    return [read_request(Reader(message).enter(SEQUENCE)) for message in messages.each(SEQUENCE)]


def _open(element: bytes) -> tuple[Signature, str, bytes]:
    """A signature, and the type and octets of what it signs."""
    ski, certificates, content_type, content = _read(element, _read_signed_data)
    try:
        attached = tuple(x509.load_der_x509_certificate(certificate) for certificate in certificates)
    except ValueError as error:
        raise CRMF_MALFORMED(why=error) from error
    return Signature(element, ski, attached), content_type, content


def _read_signed_data(reader: Reader) -> tuple[bytes, list[bytes], str, bytes]:
    fields = reader.enter(SEQUENCE)
    reader.close()
    fields.value(INTEGER)
    fields.value(SET)
    inner = fields.enter(SEQUENCE)
    content_type = dotted(inner.raw(OID))
    octets = inner.enter(explicit(0))
    inner.close()
    content = octets.value(OCTET_STRING)
    octets.close()
    certificates = fields.enter(explicit(0)).each(SEQUENCE) if fields.tag == explicit(0) else []
    infos = fields.enter(SET).each(SEQUENCE)
    fields.close()
    if len(infos) != 1:
        raise NotDER(f"{len(infos)} SignerInfo")
    signer = Reader(infos[0]).enter(SEQUENCE)
    signer.value(INTEGER)
    return signer.value(implicit(0)), certificates, content_type, content
