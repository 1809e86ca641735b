"""What Torwart remembers, one module a noun."""

from torwart.store.models.access import Access
from torwart.store.models.approval import Approval
from torwart.store.models.approved_configuration import ApprovedConfiguration, CcCertificate
from torwart.store.models.audit import AuditEntry, AuditLink, AuditPending
from torwart.store.models.bdew import BdewTransaction
from torwart.store.models.certificate import Certificate, CertificateEnd
from torwart.store.models.certificate_request import CertificateRequest, RevocationList
from torwart.store.models.client import Client, MarketParticipant
from torwart.store.models.contact import Contact, ContactCertificate
from torwart.store.models.contract_document import ContractDocument
from torwart.store.models.delivery_note import Carrier, Custody, DeliveryNote, DeliveryNoteItem, HandOver
from torwart.store.models.emt import Emt, ReadingConfirmation
from torwart.store.models.event import Event
from torwart.store.models.fact import Fact
from torwart.store.models.gateway import Gateway
from torwart.store.models.installation import Installation
from torwart.store.models.interface import Coupling, IdempotencyKey, InterfaceCall, InterfaceEvent
from torwart.store.models.mail import MailIn, MailOut
from torwart.store.models.meter import Meter
from torwart.store.models.order import Draft, Order, Proposal
from torwart.store.models.profile import Profile, ProfileReading
from torwart.store.models.run import Run, Step, Wait
from torwart.store.models.sandbox import SandboxGateway, SandboxTime
from torwart.store.models.ticket import Attachment, Ticket, TicketEntry
from torwart.store.models.transcript import Exchange
from torwart.store.models.user import User
from torwart.store.models.webhook import Attempt, Delivery, Webhook

__all__ = [
    "Access",
    "Approval",
    "ApprovedConfiguration",
    "Attachment",
    "Attempt",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "BdewTransaction",
    "Carrier",
    "CcCertificate",
    "Certificate",
    "CertificateEnd",
    "CertificateRequest",
    "Client",
    "Contact",
    "ContactCertificate",
    "ContractDocument",
    "Coupling",
    "Custody",
    "Delivery",
    "DeliveryNote",
    "DeliveryNoteItem",
    "Draft",
    "Emt",
    "Event",
    "Exchange",
    "Fact",
    "Gateway",
    "HandOver",
    "IdempotencyKey",
    "Installation",
    "InterfaceCall",
    "InterfaceEvent",
    "MailIn",
    "MailOut",
    "MarketParticipant",
    "Meter",
    "Order",
    "Profile",
    "ProfileReading",
    "Proposal",
    "ReadingConfirmation",
    "RevocationList",
    "Run",
    "SandboxGateway",
    "SandboxTime",
    "Step",
    "Ticket",
    "TicketEntry",
    "User",
    "Wait",
    "Webhook",
]
