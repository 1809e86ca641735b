"""What Torwart remembers, one module a noun."""

from torwart.store.models.approved_configuration import ApprovedConfiguration, CcCertificate
from torwart.store.models.audit import AuditEntry, AuditLink, AuditPending
from torwart.store.models.certificate import Certificate
from torwart.store.models.certificate_request import CertificateRequest, RevocationList
from torwart.store.models.client import Client
from torwart.store.models.delivery_note import DeliveryNote
from torwart.store.models.emt import Emt, ReadingConfirmation
from torwart.store.models.event import Event
from torwart.store.models.fact import Fact
from torwart.store.models.gateway import Gateway
from torwart.store.models.meter import Meter
from torwart.store.models.profile import Profile, ProfileReading
from torwart.store.models.run import Run, Step, Wait
from torwart.store.models.transcript import Exchange

__all__ = [
    "ApprovedConfiguration",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "CcCertificate",
    "Certificate",
    "CertificateRequest",
    "Client",
    "DeliveryNote",
    "Emt",
    "Event",
    "Exchange",
    "Fact",
    "Gateway",
    "Meter",
    "Profile",
    "ProfileReading",
    "ReadingConfirmation",
    "RevocationList",
    "Run",
    "Step",
    "Wait",
]
