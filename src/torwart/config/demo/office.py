"""The service side of the stage: portal and mail room as processes of their own, two clients with their people, and
the provider's people.

The clients' mailboxes live in this process; everything said to them goes by SMTP and S/MIME, everything they do in
the portal by HTTP.
"""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from torwart.config import site as sites
from torwart.config.demo.stage import Stage
from torwart.config.demo.visitor import Visitor
from torwart.kernel.contract_document import DocumentKind
from torwart.kernel.role import Role
from torwart.services import client as clients
from torwart.services import contact as contacts
from torwart.services import contract_document as documents
from torwart.services import invitation as invitations
from torwart.sim.mailbox import ClientMailbox, MailCa, Received
from torwart.sim.mailbox.page import MailboxPage

PASSWORD = "Torwart-Vorführung-1"  # noqa: S105 – printed at the end of the demonstration
WAIT = 30.0
"""Seconds a person waits for a mail before the demonstration says it did not come."""
SECOND_CLIENT = "Energie Nordheim"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an address; ``client`` is ``""`` for the provider's people."""

    first_name: str
    name: str
    email: str
    client: str
    roles: tuple[Role, ...]
    language: str = "de"

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.name}"


ERIKA = Person("Erika", "Muster", "erika.muster@musterstadt.example", sites.OPERATOR, (Role.CONTACT,))
MAX = Person("Max", "Beispiel", "max.beispiel@musterstadt.example", sites.OPERATOR, (Role.CONTACT,))
NORA = Person("Nora", "Nord", "nora.nord@nordheim.example", SECOND_CLIENT, (Role.CONTACT,))
NILS = Person("Nils", "Holm", "nils.holm@nordheim.example", SECOND_CLIENT, (Role.CONTACT, Role.READER), "en")
CONTACTS = (ERIKA, MAX, NORA, NILS)
OLGA = Person("Olga", "Peters", "olga.peters@torwart.example", "", (Role.OPERATOR,))
ARNO = Person("Arno", "Falk", "arno.falk@torwart.example", "", (Role.APPROVER, Role.OPERATOR))
PIA = Person("Pia", "Lenz", "pia.lenz@torwart.example", "", (Role.AUDITOR,))
ADA = Person("Ada", "Winter", "ada.winter@torwart.example", "", (Role.ADMINISTRATOR,))
STAFF = (OLGA, ARNO, PIA, ADA)
_CODES = {sites.OPERATOR: "9905048000007", SECOND_CLIENT: "9900360000008"}


@dataclass
class Office:
    """``start`` opens mail room, portal and mailboxes; ``onboard`` brings the people in."""

    stage: Stage
    port: int
    ca: MailCa = field(init=False)
    mailbox: ClientMailbox = field(init=False)
    page: MailboxPage = field(init=False)
    clients: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)
    _totp: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, tell: Any) -> None:
        tell("mailroom")
        self.ca = MailCa.create(datetime.now(UTC))
        self.mailbox = ClientMailbox(self.ca, [self.ca.identity(person.email) for person in (*CONTACTS, *STAFF)])
        self.mailbox.start()
        family, site = self.stage.family, self.stage.site
        room = family.start(
            "mailroom",
            "mailroom",
            "--config",
            str(sites.write_mailroom(site, self.ca, ("127.0.0.1", self.mailbox.port))),
        )
        tell("web")
        told = {"TORWART_SMPKI": str(site.directory / "pki" / "chain.pem")}
        told |= {"TORWART_API_URL": self.stage.api_url} if self.stage.api else {}
        web = family.start("web", "web", "--port", str(self.port), "--threads", "4", environment=told)
        family.await_ready(room)
        self.mailbox.deliver_to = ("127.0.0.1", int(room.facts["smtp"]))
        self.mailbox.introduce(sites.SERVICE, [sites.encryption_certificate(site)])
        names = {person.email: f"{person.full_name}, {person.client or 'Torwart'}" for person in (*CONTACTS, *STAFF)}
        self.page = MailboxPage(self.mailbox, names, self.codes)
        self.page.start()
        family.await_ready(web)

    def stop(self) -> None:
        for part in ("page", "mailbox"):
            standing = getattr(self, part, None)
            if standing is not None:
                standing.stop()

    # --- people ---

    def onboard(self) -> None:
        """Clients, their contacts and accounts: secure mail tested in both directions, then invited by two mails."""
        now = datetime.now(UTC)
        for name, code in _CODES.items():
            self.clients[name] = clients.create(name, actor="user:ada")
            clients.add_participant(self.clients[name], code, name, actor="user:ada", now=now)
        for person in CONTACTS:
            self._contact(person, now)
            self.mailbox.write(person.email, sites.SERVICE, "Guten Tag", "Mein Zertifikat.", sign=True)
        for person in CONTACTS:
            test = self.wait(person, "Testmail", "Test mail")
            self.mailbox.reply(test, "Das Prüfwort ist angekommen.")
        for person in CONTACTS:
            self.wait(person, "Sie können jetzt Aufträge erteilen", "You can place orders now")
        for person in CONTACTS:
            self._invite(person)
        for person in STAFF:
            self._invite(person)
        documents.publish(
            None,
            DocumentKind.GUIDE,
            version="1.0",
            valid_from=now.date(),
            name="kundenleitfaden-1.0.pdf",
            content=_guide(),
            actor="user:ada",
            now=now,
        )

    def _contact(self, person: Person, now: datetime) -> None:
        contacts.add(
            self.clients[person.client],
            first_name=person.first_name,
            name=person.name,
            phone="+49 261 123456",
            email=person.email,
            language=person.language,
            actor="user:ada",
            now=now,
        )

    def _invite(self, person: Person) -> None:
        now = datetime.now(UTC)
        invitation = invitations.invite(
            email=person.email,
            name=person.name,
            first_name=person.first_name,
            phone="+49 261 123456",
            language=person.language,
            roles=person.roles,
            client=self.clients.get(person.client),
            actor="user:ada",
            now=now,
        )
        self.accounts[person.email] = invitation.user
        self.visitor().choose_password(invitation.path, PASSWORD)
        if not person.client:
            self._add_code(person)

    def _add_code(self, person: Person) -> None:
        """The provider's people need a second factor; the codes of their apps stand on the mailboxes' page."""
        from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

        from torwart.store.models import User

        secret = generate_totp_secret()
        TOTP.activate(User.objects.get(pk=self.accounts[person.email]), secret)
        self._totp[person.email] = secret

    def codes(self) -> dict[str, str]:
        """What the apps of the provider's people show now."""
        from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

        return {
            email: format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
            for email, secret in self._totp.items()
        }

    # --- what people do ---

    def visitor(self) -> Visitor:
        return Visitor(self.url)

    def signed_in(self, person: Person) -> Visitor:
        visitor = self.visitor()
        visitor.sign_in(person.email, PASSWORD)
        return visitor

    def wait(self, person: Person, *words: str, about: str = "", count: int = 1) -> Received:
        """The first mail to this person whose subject has one of these words, ``about`` this case number if any; or
        the ``count``-th.
        """

        def fits(received: Received) -> bool:
            subject = received.mail.subject if received.mail else ""
            return about in subject and any(word in subject for word in words)

        return self.mailbox.wait(person.email, fits, count=count, timeout=WAIT)

    def next_mail(self, person: Person, before: int) -> Received:
        """The first mail to this person after the ``before`` ones there were."""
        return self.mailbox.wait(person.email, count=before + 1, timeout=WAIT)

    def account(self, name: str) -> int:
        """The account of somebody by the beginning of the address."""
        return next(user for email, user in self.accounts.items() if email.startswith(name))

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to come true; ``TimeoutError`` if it does not."""
        deadline = time.monotonic() + WAIT
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError("in vain")
            time.sleep(0.1)


def _guide() -> bytes:
    """A page that stands for the guide, as PDF."""
    from reportlab.pdfgen.canvas import Canvas

    written = io.BytesIO()
    make: Any = Canvas
    page = make(written, pagesize=(595, 842), initialFontName="Helvetica", initialFontSize=12)
    page.setTitle("Kundenleitfaden 1.0")
    page.drawString(72, 760, "Kundenleitfaden 1.0")
    page.drawString(72, 736, "Platzhalter der Vorführung: An dieser Stelle liegt der Leitfaden des Anbieters.")
    page.save()
    return written.getvalue()
