"""A client with people, devices and all that hangs on them, for tests of the portal's pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from torwart.adapters.engine import AbsurdEngine
from torwart.kernel.contact_state import MailState
from torwart.kernel.identifiers import BdewCode, MaLoId
from torwart.kernel.role import Role
from torwart.processes import ordering
from torwart.processes.ordering import Header, Orderer
from torwart.services import audit
from torwart.services import client as clients
from torwart.store import models

NOW = datetime.now(UTC)
MELO = "DE0003604780400000000000010000176"


@dataclass
class Town:
    """One client: its id, its people, its gateways in the order they were made."""

    client: int
    contact: Any
    reader: Any
    gateways: list[str]

    def order(self, process: str, gateway: str, *, at: datetime | None = None, **fields: Any) -> str:
        """Place an order as the contact would; its number."""
        orderer = Orderer(self.client, self.contact.pk, self.contact.full_name, f"client:{self.contact.email}")
        values = {"gateway": gateway, **fields}
        header = Header(reference=f"Ref {gateway[-4:]}")
        return ordering.place(AbsurdEngine(), process, values, orderer=orderer, header=header, now=at or NOW)


def town(name: str = "Stadtwerke Koblenz", *, tag: str = "a", gateways: int = 3, active: bool = True) -> Town:
    """A client with two tested contacts, a contact and a reader with accounts, and delivered gateways."""
    client = clients.create(name, actor="test")
    if active:
        models.Client.objects.filter(pk=client).update(state="active")
    code = BdewCode.complete(f"99{client % 10**6:06d}0000"[:12])
    models.MarketParticipant.objects.create(client_id=client, code=code, name=name)
    contact = _account(f"anna.berg.{tag}@example.org", "Anna", "Berg", Role.CONTACT, client)
    reader = _account(f"leo.leser.{tag}@example.org", "Leo", "Leser", Role.READER, client)
    for number, (first, last) in enumerate((("Anna", "Berg"), ("Bernd", "Busch"))):
        _contact(client, first, last, tag, contact if number == 0 else None, tested=active)
    found = Town(client, contact, reader, [])
    note = models.DeliveryNote.objects.create(
        client_id=client,
        maker="PPC",
        signer=f"PPC.GWH.{tag}",
        number=f"ELS-2026-{client:04d}",
        state="imported",
        digest="0" * 64,
        imported=gateways,
        received_at=NOW - timedelta(days=20),
    )
    for number in range(gateways):
        found.gateways.append(_gateway(found, note, number))
    models.Emt.objects.create(
        client_id=client, name=f"{name} Vertrieb", code="9900000000001", endpoint="h:1", state="active"
    )
    return found


def _account(email: str, first_name: str, name: str, role: Role, client: int) -> Any:
    """An account as after the invitation, but without a password, which costs a tenth of a second to make."""
    user = models.User(email=email, first_name=first_name, name=name, roles=[role.value], client_id=client)
    user.set_unusable_password()
    user.save()
    return user


def mail_certificate(email: str) -> x509.Certificate:
    """A certificate for signing and encrypting mail of this address, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, email)])
    others = ("data_encipherment", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only", "key_encipherment")
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_agreement=True, **dict.fromkeys(others, False)
    )
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=300))
        .not_valid_after(NOW + timedelta(days=400))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(email)]), critical=False)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    )
    return built.sign(key, hashes.SHA256())


def _contact(client: int, first: str, last: str, tag: str, user: Any, *, tested: bool) -> None:
    person = models.Contact.objects.create(
        client_id=client,
        first_name=first,
        name=last,
        phone="+49 261 123456",
        user=user,
        email=f"{first}.{last}.{tag}@example.org".lower(),
        mail_state=(MailState.TESTED if tested else MailState.UNKNOWN).value,
    )
    if tested:
        models.ContactCertificate.objects.create(
            contact=person,
            fingerprint=f"{person.pk:064x}",
            der=mail_certificate(person.email).public_bytes(Encoding.DER),
            uses=["encrypt", "sign"],
            subject=f"CN={last}",
            issuer="CN=Mail CA",
            not_before=NOW - timedelta(days=300),
            not_after=NOW + timedelta(days=400),
            source="mail",
            state=MailState.TESTED.value,
            tested_at=NOW,
        )


def _gateway(owner: Town, note: Any, number: int) -> str:
    serial = owner.client * 1000 + number
    device = f"EPPC02{serial:08d}"
    state = ("delivered", "operational", "operational")[number % 3]
    row = models.Gateway.objects.create(
        device_id=device,
        client_id=owner.client,
        state=state,
        maker="PPC",
        model="SMGW-P",
        firmware="1.4.2",
        cc_certificate="BSI-DSZ-CC-0831",
        delivery_note=note,
        wan={"type": "LTE", "wake_up": "10.1.2.3:7711"},
        details={"address": "Musterweg 1, 56068 Koblenz"},
        created_at=NOW - timedelta(days=20),
        last_contact_at=NOW - timedelta(hours=1 if number % 3 == 1 else 60) if state == "operational" else None,
    )
    models.DeliveryNoteItem.objects.create(
        note=note, position=number + 1, device_id=device, kind="SMGW", result="imported"
    )
    melo = f"DE{owner.client:011d}{number:020d}"
    meter = models.Meter.objects.create(
        device_id=f"1EMH00{serial:08d}",
        client_id=owner.client,
        gateway=row if state == "operational" else None,
        state=state,
        melo=melo if state == "operational" else "",
        malos=[MaLoId.complete(f"{5123869678 + number}")],
        details={"model": "eHZ-P"},
        first_value_at=NOW - timedelta(days=9) if state == "operational" else None,
    )
    del meter
    _certificates(row, state)
    _moves(row, state)
    return device


def _certificates(row: Any, state: str) -> None:
    for seal in (True, False) if state == "operational" else (True,):
        for use in ("TLS", "SIG", "ENC"):
            begin, length = (20, 2500) if seal else (10, 700)
            models.Certificate.objects.create(
                client_id=row.client_id,
                gateway=row,
                owner=row.device_id,
                role="SMGW",
                use=use,
                seal=seal,
                issuer="CN=Sub-CA",
                serial=f"{row.pk:x}{use.lower()}{seal:d}",
                ski="00",
                fingerprint=f"{row.pk:x}{use}{seal:d}".ljust(64, "0"),
                not_before=NOW - timedelta(days=begin),
                not_after=NOW + timedelta(days=length),
                state="retired" if seal and state == "operational" else "active",
                state_since=NOW - timedelta(days=10),
                der=b"-",
            )


def _moves(row: Any, state: str) -> None:
    if state != "operational":
        return
    path = ("delivered", "reserved", "contacted", "personalised", "connected", "operational")
    verbs = ("reserve", "contact", "personalise", "connect", "operate")
    for number, verb in enumerate(verbs):
        audit.append(
            actor="test",
            action=f"gateway.{verb}",
            subject=f"gateway:{row.device_id}",
            payload={"from": path[number], "to": path[number + 1]},
            client=row.client_id,
            at=NOW - timedelta(days=10 - number / 4),
        )


def commissioning_fields(owner: Town, number: int) -> Mapping[str, Any]:
    """What an order to commission the gateway of that number needs."""
    serial = owner.client * 1000 + number
    return {
        "melo": MELO,
        "malos": [MaLoId.complete(f"{5123869678 + number}")],
        "address": "Musterweg 1, 56068 Koblenz",
        "meters": [f"1EMH00{serial:08d}"],
        "wan_type": "LTE",
        "tafs": ["7"],
        "emts": [f"{models.Client.objects.get(pk=owner.client).name} Vertrieb"],
        "han": "no",
        "install_at": (NOW + timedelta(days=3)).isoformat(),
        "technician": "Erika Muster",
        "technician_phone": "+49 261 123456",
    }
