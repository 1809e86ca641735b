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
from torwart.kernel.refusals.gateway import GATEWAY_NOT_CONNECTED
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.processes import ordering
from torwart.processes.ordering import Header, Orderer
from torwart.rules.service_time import CALENDAR
from torwart.services import audit
from torwart.services import client as clients
from torwart.services import draft as drafts
from torwart.services import order as orders
from torwart.services import run as runs
from torwart.services import ticket as tickets
from torwart.services.sealed import seal
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
    code = BdewCode.complete(f"99{_little(client):06d}0000"[:12])
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
        number=f"ELS-2026-{_little(client):04d}",
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


def _little(client: int) -> int:
    """What is left of a client's row number in names of its things, however far it is."""
    return client % 10**5


def _gateway(owner: Town, note: Any, number: int) -> str:
    serial = _little(owner.client) * 1000 + number
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
    melo = f"DE{_little(owner.client):011d}{number:020d}"
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
    for long in (True, False) if state == "operational" else (True,):
        for use in ("TLS", "SIG", "ENC"):
            begin, length = (20, 2500) if long else (10, 700)
            models.Certificate.objects.create(
                client_id=row.client_id,
                gateway=row,
                owner=row.device_id,
                role="SMGW",
                use=use,
                seal=long,
                issuer="CN=Sub-CA",
                serial=f"{row.pk:x}{use.lower()}{long:d}",
                ski="00",
                fingerprint=f"{row.pk:x}{use}{long:d}".ljust(64, "0"),
                not_before=NOW - timedelta(days=begin),
                not_after=NOW + timedelta(days=length),
                state="retired" if long and state == "operational" else "active",
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
    serial = _little(owner.client) * 1000 + number
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


def filled() -> tuple[Town, dict[str, str]]:
    """A client with much of everything in every state, and the address of every kind of page by name."""
    owner = town(gateways=7)
    _configurations()
    numbers = _orders(owner)
    question = _question(owner)
    begun = _drafts(owner)
    note = models.DeliveryNote.objects.get(client_id=owner.client)
    models.DeliveryNoteItem.objects.create(
        note=note,
        position=99,
        device_id="EPPC0299999999",
        kind="SMGW",
        result="refused",
        code="els.seal",
        de="Das Gütesiegel-Zertifikat ist abgelaufen.",
        en="The seal certificate has expired.",
    )
    models.DeliveryNote.objects.filter(pk=note.pk).update(refused=1)
    return owner, _pages(owner, numbers, question, begun, note.pk)


def _configurations() -> None:
    for kind, firmware, meter, end in (("SMGW-P", "1.4.2", "eHZ-P", None), ("CASA 1.0", "2.1", "Q3D", 500)):
        models.ApprovedConfiguration.objects.create(
            gateway_type=kind,
            firmware=firmware,
            meter_type=meter,
            valid_from=NOW - timedelta(days=400),
            valid_until=NOW + timedelta(days=end) if end else None,
        )
    models.CcCertificate.objects.create(
        number="BSI-DSZ-CC-0831", gateway_type="SMGW-P", firmware="1.4.2", valid_until=NOW + timedelta(days=900)
    )


def _orders(owner: Town) -> dict[str, str]:
    """Orders that are new, running and waiting for the device, proposed other times, done and failed."""
    devices = owner.gateways
    new = owner.order("connectivity_test", devices[1])
    running = owner.order("connectivity_test", devices[2], at=NOW - timedelta(hours=1))
    moved = owner.order("wake_up", devices[4], at=NOW - timedelta(hours=2))
    done = owner.order("wake_up", devices[5], at=NOW - timedelta(hours=5))
    failed = owner.order("wake_up", devices[6], at=NOW - timedelta(hours=6))
    silent = GATEWAY_NOT_CONNECTED(gateway=devices[2])
    for number in (running, done, failed):
        order = models.Order.objects.get(number=number)
        run_id = str(order.run.run_id)
        begun = order.submitted_at + timedelta(minutes=5)
        orders.begin(number, run_id, unmet=list, now=begun, pause=timedelta(seconds=5))
        runs.enter_step(run_id, "accepted", 1)
        runs.enter_step(run_id, "connection" if number == running else "packet", 2)
        _exchange(order)
    runs.attempt_failed(run_id_of(running), "connection", silent, NOW + timedelta(minutes=5))
    rows = [(Words("Verbunden nach", "Connected after"), "812 ms")]
    orders.succeed(done, run_id_of(done), {"connected": True}, rows=rows, files=[], now=NOW - timedelta(hours=3))
    orders.fail(failed, run_id_of(failed), silent, now=NOW - timedelta(hours=3))
    times = [NOW + timedelta(days=n) for n in range(3, 10)]
    open_times = [CALENDAR.next_open(time) for time in times][:2]
    orders.propose(AbsurdEngine(), moved, open_times, "Alle Operatoren sind belegt.", user=_operator().pk, now=NOW)
    return {"new": new, "running": running, "moved": moved, "done": done, "failed": failed}


def run_id_of(number: str) -> str:
    """The run of an order."""
    return str(models.Order.objects.get(number=number).run.run_id)


def _exchange(order: Any) -> None:
    models.Exchange.objects.create(
        at=NOW,
        client_id=order.client_id,
        gateway_id=order.gateway_id,
        run_id=order.run_id,
        peer="gateway",
        outgoing=True,
        purpose="status",
        request_line="GET /smgw/cosem/ldevs/EPPC0200001001.sm/objects HTTP/1.1",
        request_head="host: gateway\nauthorization: …",
        request_size=0,
        request_digest="0" * 64,
        status=200,
        answer_head="content-type: application/cms",
        answer_size=4312,
        answer_digest="1" * 64,
        milliseconds=412,
    )


def _operator() -> Any:
    found, _ = models.User.objects.get_or_create(
        email="otto@torwart.example", defaults={"name": "Keller", "first_name": "Otto", "roles": ["operator"]}
    )
    return found


def _question(owner: Town) -> str:
    number = tickets.open_question(
        client=owner.client,
        contact=None,
        subject="Wann kommt die neue Firmware?",
        now=NOW - timedelta(hours=20),
        text="Guten Tag,\nwann ist die Version 1.5 freigegeben?",
        author="Anna Berg",
        actor="client:anna",
    )
    tickets.ask_client(number, "Für welchen Typ fragen Sie?", user=_operator().pk, now=NOW - timedelta(hours=10))
    return number


def _drafts(owner: Town) -> dict[str, int]:
    """A draft half done, one whose delivery note is missing, and one that is ready to be checked."""
    person, device = owner.contact.pk, owner.gateways
    some = {key: commissioning_fields(owner, 0)[key] for key in ("melo", "malos", "address", "meters")}
    half = drafts.begin(person, "commissioning", {"gateway": device[0], **some}, now=NOW)
    drafts.keep(half, person, {}, done=["geraet", "place"], now=NOW)
    missing = drafts.begin(person, "commissioning", {"gateway": "EPPC0299999999"}, now=NOW)
    everything = {"gateway": device[3], **commissioning_fields(owner, 3), "_when": "asap", "_reference": "Nord"}
    ready = drafts.begin(person, "commissioning", everything, now=NOW)
    steps = ["geraet", "place", "devices", "profiles", "installation", "termin", "zuordnung"]
    drafts.keep(ready, person, {}, done=steps, now=NOW)
    lines = [{"gateway": device[0]}, {"gateway": "EPPC02"}, {"gateway": device[3]}]
    table = drafts.begin(person, "wake_up", {"_rows": lines}, now=NOW)
    return {"half": half, "missing": missing, "ready": ready, "table": table}


def _pages(
    owner: Town, numbers: Mapping[str, str], question: str, begun: Mapping[str, int], note: int
) -> dict[str, str]:
    device = owner.gateways
    person = seal("contact", models.Contact.objects.filter(client_id=owner.client).latest("pk").pk)
    half, ready = (f"bestellen/entwurf/{seal('draft', begun[name])}/" for name in ("half", "ready"))
    paths = {
        "start": "",
        "choose": "bestellen/",
        "upload": "bestellen/wake_up/tabelle/",
        "upload_check": f"bestellen/tabelle/{seal('draft', begun['table'])}/",
        "begin": f"bestellen/commissioning/?geraet={device[0]}",
        "draft": half,
        "draft_missing": f"bestellen/entwurf/{seal('draft', begun['missing'])}/",
        "draft_device": f"{half}seite/geraet/",
        "draft_section": f"{half}seite/devices/",
        "draft_profiles": f"{half}seite/profiles/",
        "draft_instant": f"{half}seite/installation/",
        "draft_time": f"{ready}seite/termin/",
        "draft_header": f"{half}seite/zuordnung/",
        "draft_check": f"{ready}pruefen/",
        "draft_delete": f"{ready}loeschen/",
        "orders": "auftraege/?stand=alle",
        "sent": f"auftraege/{numbers['new']}/gesendet/",
        "order": f"auftraege/{numbers['running']}/",
        "order_moved": f"auftraege/{numbers['moved']}/",
        "order_done": f"auftraege/{numbers['done']}/",
        "order_failed": f"auftraege/{numbers['failed']}/",
        "cancel": f"auftraege/{numbers['running']}/stornieren/",
        "tickets": "vorgaenge/?stand=alle",
        "ticket": f"vorgaenge/{question}/",
        "ask": "vorgaenge/frage/",
        "devices": "geraete/",
        "device": f"geraete/{device[2]}/",
        "device_stock": f"geraete/{device[0]}/",
        "configurations": "geraete/freigaben/",
        "notes": "geraete/lieferscheine/",
        "note": f"geraete/lieferscheine/{seal('delivery_note', note)}/",
        "contacts": "ansprechpartner/",
        "person": "ansprechpartner/neu/",
        "certificate": f"ansprechpartner/{person}/zertifikat/",
        "take_out": f"ansprechpartner/{person}/austragen/",
        "access": "ansprechpartner/zugriffe/",
        "documents": "ansprechpartner/dokumente/",
        "processes": "bestellen/prozesse/",
        "process": "bestellen/prozesse/commissioning/",
    }
    return {name: f"/portal/{path}" for name, path in paths.items()}
