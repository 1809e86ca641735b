"""A mail room in one thread for tests: real rows, real S/MIME, real SMTP out to a simulated client's mailbox."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from torwart.adapters.engine import AbsurdEngine
from torwart.adapters.mail import SmtpSender, StartTls
from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.run_state import RunState
from torwart.services import client as clients
from torwart.services import contact as contacts
from torwart.services import delivery, mail_in
from torwart.services.delivery import Desk
from torwart.sim.mailbox import ClientMailbox, MailCa, MailFault, Received
from torwart.store.models import Contact, MailIn, MailOut, Order, Run, Ticket
from torwart.wire.smime import SmimeIdentity

SERVICE = "service@torwart.example"
WORD = re.compile(r"[A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4}")


class _Box(ClientMailbox):
    """What its people send is kept at once, as the SMTP receiver would, in the test's own transaction."""

    stage: "MailStage"

    def deliver(self, raw: bytes, sender: str, recipient: str) -> None:
        self.stage.keep(raw, sender)


@dataclass
class MailStage:
    """``now`` is everybody's time; ``run`` works until nothing is left to do."""

    ca: MailCa
    box: ClientMailbox
    desk: Desk
    now: datetime
    engine: AbsurdEngine = field(default_factory=AbsurdEngine)

    @classmethod
    def open(cls) -> "MailStage":
        now = datetime.now(UTC).replace(microsecond=0)
        ca = MailCa.create(now)
        box = _Box(ca, [])
        stage = cls(ca, box, Desk(ca.identity(SERVICE), ca.trust), now)
        box._clock = lambda: stage.now
        box.stage = stage
        box.introduce(SERVICE, stage.desk.identity.certificates)
        box.start()
        return stage

    @property
    def sender(self) -> SmtpSender:
        return SmtpSender("127.0.0.1", self.box.port, starttls=StartTls.NEVER, timeout=5)

    def keep(self, raw: bytes, sender: str, via: str = "smtp") -> MailIn:
        pk = mail_in.keep(raw, via=via, envelope_from=sender, envelope_to=[SERVICE], now=self.now)
        return MailIn.objects.get(pk=pk)

    def read(self) -> int:
        return mail_in.work(self.engine, self.desk, now=self.now)

    def send(self) -> int:
        return delivery.deliver(self.sender, self.desk, now=self.now)

    def run(self) -> None:
        while self.read() + self.send():
            pass

    def plain(self, sender: str, subject: str, text: str, headers: str = "", message_id: str = "") -> MailIn:
        """A mail written by hand, read and answered; its row afterwards."""
        line = message_id or f"<{CaseNumber.new('T')}.{len(text)}@elsewhere.test>"
        raw = f"From: {sender}\r\nTo: {SERVICE}\r\nSubject: {subject}\r\nMessage-ID: {line}\r\n{headers}\r\n{text}\r\n"
        row = self.keep(raw.encode(), sender)
        self.run()
        return MailIn.objects.get(pk=row.pk)

    def last(self) -> MailIn:
        return MailIn.objects.latest("id")

    def answers(self, address: str) -> list[MailOut]:
        return list(MailOut.objects.filter(address=address).order_by("id"))

    # -- people -------------------------------------------------------------------------------------------------------

    def client(self, name: str, *addresses: str) -> int:
        """A client with a contact for each address; each with separate certificates, none known to us yet."""
        client = clients.create(name, actor="test")
        for address in addresses:
            self.contact(client, address)
        return client

    def contact(self, client: int, address: str, language: str = "de") -> Contact:
        self.box.renew(self.ca.identity(address))
        first = address.partition("@")[0].capitalize()
        pk = contacts.add(
            client, first_name=first, name="Muster", phone="+49 261 123456", email=address, language=language,
            actor="test", now=self.now,
        )  # fmt: skip
        return Contact.objects.get(pk=pk)

    def tested(self, name: str, *addresses: str) -> int:
        """A client whose contacts have passed the test."""
        client = self.client(name, *addresses)
        for address in addresses:
            self.introduce(address)
            self.pass_test(address)
        return client

    def introduce(self, address: str) -> None:
        """A signed mail brings the contact's certificates; the test mail arrives."""
        self.box.write(address, SERVICE, "Unser Zertifikat", "anbei", sign=True)
        self.run()

    def test_mail(self, address: str, count: int = 1) -> Received:
        return self.box.wait(
            address, lambda got: got.mail is not None and bool(WORD.search(got.mail.text)), count=count
        )

    def pass_test(self, address: str, count: int = 1, **how: Any) -> MailIn:
        """Answer the test mail; ``how``: otherwise than it should be."""
        self.box.reply(self.test_mail(address, count), "bitte sehr", **how)
        self.run()
        return self.last()

    def renew(self, address: str, identity: SmimeIdentity | None = None) -> None:
        self.box.renew(identity or self.ca.identity(address))

    # -- orders -------------------------------------------------------------------------------------------------------

    def import_order(self, client: int) -> Ticket:
        """A ticket of a delivery-note import whose run waits for the file (P01)."""
        number = CaseNumber.new("A")
        run = Run.objects.create(
            run_id=uuid.uuid4(),
            process="P01",
            client_id=client,
            state=RunState.WAITING,
            parameters={},
        )
        order = Order.objects.create(
            number=number, client_id=client, orderer_name="Anna", channel="form", process="delivery_note_import",
            fields={}, summary=[], submitted_at=self.now, planned=False, due_at=self.now + timedelta(days=1),
            starts_at=self.now, withdrawable_until=self.now, run=run,
        )  # fmt: skip
        return Ticket.objects.create(
            number=number.ticket, client_id=client, kind="order", subject="Import", order=order, opened_at=self.now
        )

    def reply_to(self, ticket: Ticket, sender: str, attachments: Sequence[Any] = (), **how: Any) -> MailIn:
        """A mail of the contact to the ticket, by default signed and encrypted; its row after the room has worked."""
        how = {"sign": True, "encrypt": True, "fault": MailFault.NONE} | how
        self.box.write(sender, SERVICE, f"Re: [#{ticket.number}] Import", "anbei", attachments, **how)
        row = self.last()
        self.run()
        return MailIn.objects.get(pk=row.pk)
