"""The provider's people with their work of a day, for tests of the console's pages."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import browser as support
import portal_world
from django.test import Client
from django.urls import reverse
from lxml import html
from portal_world import Town

from torwart.adapters.engine import AbsurdEngine
from torwart.faces.console.urls import urlpatterns
from torwart.kernel.contract_document import DocumentKind
from torwart.kernel.role import Role
from torwart.rules.precondition import GatewayType
from torwart.rules.service_time import CALENDAR
from torwart.services import approval as approvals
from torwart.services import approved_configuration as configurations
from torwart.services import contract_document as documents
from torwart.services import interface
from torwart.services import order as orders
from torwart.services import ticket as tickets
from torwart.store import models

Web = Callable[[Any], Client]
"""Gives the browser without a window of a person who is signed in."""


class Shown:
    """A page as it came: its status, and what stands where in it."""

    def __init__(self, answer: Any) -> None:
        self.status: int = answer.status_code
        self.text = answer.content.decode()
        self._root = html.fromstring(self.text)

    def all(self, path: str) -> list[str]:
        """The texts of all elements or attributes an XPath finds, blanks made one."""
        found = self._root.xpath(path)
        return [" ".join((each if isinstance(each, str) else " ".join(each.itertext())).split()) for each in found]

    def one(self, path: str) -> str:
        (only,) = self.all(path)
        return only

    @property
    def tickets(self) -> list[str]:
        """The tickets listed, in their order."""
        return self.all("//table//a[@data-ko-open]")

    @property
    def actions(self) -> list[str]:
        """What can be done here: words of all buttons and button-like links of the page's own part."""
        return self.all("//main//*[self::button or self::a][contains(@class, 'kern-btn')]")

    @property
    def posts(self) -> list[str]:
        """Where forms of the page's own part would send something."""
        return self.all("//main//form[@method='post']/@action")


def get(client: Client, address: str, **query: Any) -> Shown:
    """A page that is there."""
    shown = Shown(client.get(address, query))
    assert shown.status == 200, shown.text[:2000]
    return shown


@dataclass
class Office:
    """One person of each role of the provider."""

    operator: Any
    approver: Any
    auditor: Any
    administrator: Any
    at: datetime

    @property
    def everybody(self) -> dict[Role, Any]:
        return {
            Role.OPERATOR: self.operator,
            Role.APPROVER: self.approver,
            Role.AUDITOR: self.auditor,
            Role.ADMINISTRATOR: self.administrator,
        }


def office(at: datetime, *, factor: bool = True) -> Office:
    """The four, with accounts."""
    named = (
        ("otto.keller", "Otto", "Keller", Role.OPERATOR),
        ("frieda.sommer", "Frieda", "Sommer", Role.APPROVER),
        ("paul.winter", "Paul", "Winter", Role.AUDITOR),
        ("ada.lenz", "Ada", "Lenz", Role.ADMINISTRATOR),
    )
    people = [_person(*each, at=at, factor=factor) for each in named]
    return Office(*people, at)


def _person(login: str, first_name: str, name: str, role: Role, *, at: datetime, factor: bool) -> Any:
    person = support.person(f"{login}@torwart.example", role, at=at, factor=factor)
    models.User.objects.filter(pk=person.pk).update(first_name=first_name, name=name)
    person.refresh_from_db()
    return person


def question(town: Town, at: datetime, *, subject: str = "Wann ist der Termin?") -> str:
    """A question in the portal; its ticket's number."""
    contact = models.Contact.objects.filter(client=town.client).order_by("id").first()
    return tickets.open_question(
        client=town.client,
        contact=contact.pk if contact else None,
        subject=subject,
        text="Guten Tag,\nkönnen Sie mir sagen, wann der Techniker kommt?\nViele Grüße",
        author="Anna Berg",
        actor="user:anna.berg@example.org",
        now=at,
    )


def ordered(town: Town, process: str, gateway: str, at: datetime, **fields: Any) -> str:
    """An order as the contact places it; its ticket's number."""
    return "T" + town.order(process, gateway, at=at, reason="Zähler meldet nichts", **fields)[1:]


def working(number: str, *, waits: bool = True) -> None:
    """The run of this order has begun, has done two steps and waits in the third for a device that is silent."""
    ticket = models.Ticket.objects.select_related("order__run").get(number=number)
    run = ticket.order.run
    names = [name for name, _, _ in ticket.order.wording["steps"]]
    for position, name in enumerate(names[:3], 1):
        last = position == min(3, len(names))
        models.Step.objects.create(
            run=run,
            name=name,
            position=position,
            state="waiting" if last and waits else "running" if last else "done",
            attempts=3 if last and waits else 1,
            code="gateway.silent" if last and waits else "",
            side="gateway" if last and waits else "",
            detail={"de": "Das Gateway ruft nicht an.", "en": "The gateway does not call."} if last and waits else {},
            started_at=ticket.opened_at,
            ended_at=None if last else ticket.opened_at + timedelta(minutes=position),
            next_attempt_at=ticket.opened_at + timedelta(days=3) if last and waits else None,
        )
    models.Run.objects.filter(pk=run.pk).update(state="waiting" if waits else "running", waiting_for="device")
    models.Order.objects.filter(pk=ticket.order_id).update(state="in_progress")
    models.Ticket.objects.filter(pk=ticket.pk).update(
        state="waiting_device", waiting_reason="Das Gateway meldet sich nicht"
    )
    _exchanges(run, ticket)


def _exchanges(run: Any, ticket: Any) -> None:
    lines = (
        ("WU 10.1.2.3:7711", 0, "", 0, "wake-up"),
        ("GET /cosem/ldevs/EPPC/objects/clock", 200, "", 142, "clock"),
        ("PUT /cosem/ldevs/EPPC/objects/profile", 409, "cosem.conflict", 311, "profiles"),
        ("GET /cosem/ldevs/EPPC/objects/meters", 0, "gateway.timeout", 30_000, "meters"),
    )
    for place, (line, status, code, took, purpose) in enumerate(lines):
        models.Exchange.objects.create(
            at=ticket.opened_at + timedelta(seconds=place * 40),
            client_id=ticket.client_id,
            gateway_id=ticket.gateway_id,
            run=run,
            peer="gateway",
            outgoing=True,
            purpose=purpose,
            request_line=line,
            request_head="host: smgw\nauthorization: …" if status else "",
            request_size=340,
            request_digest="a" * 64,
            status=status,
            code=code,
            answer_head="content-type: application/xml" if status else "",
            answer_size=1200 if status else 0,
            answer_digest="b" * 64 if status else "",
            milliseconds=took,
        )


def busy_day(people: Office, now: datetime) -> dict[str, Any]:
    """Three clients with tickets of all kinds; the numbers by what they are."""
    towns = [
        portal_world.town("Stadtwerke Koblenz", tag="a"),
        portal_world.town("Energie Mittelrhein", tag="b"),
        portal_world.town("Netzwerke Süd-Eifel", tag="c", active=False),
    ]
    first, second, third = towns
    found: dict[str, Any] = {"towns": towns}
    found["late"] = ordered(first, "connectivity_test", first.gateways[1], now - timedelta(days=6))
    found["urgent"] = question(second, now - timedelta(days=3, hours=16), subject="Zugang für neuen Kollegen")
    found["device"] = ordered(first, "wake_up", first.gateways[2], now - timedelta(days=3, hours=20))
    working(found["device"])
    found["asked"] = question(second, now - timedelta(days=1), subject="Zähler im Keller nicht erreichbar")
    tickets.ask_client(
        found["asked"],
        "Welche Zählernummer steht auf dem Gerät?",
        user=people.operator.pk,
        now=now - timedelta(hours=3),
    )
    found["mine"] = question(first, now - timedelta(hours=20), subject="Rechnung Oktober")
    tickets.assign(found["mine"], people.operator.pk, actor="user:otto", now=now)
    tickets.note(found["mine"], "Buchhaltung gefragt, Antwort morgen.", user=people.operator.pk, now=now)
    tickets.answer(found["mine"], "Wir klären das mit der Buchhaltung.", user=people.operator.pk, now=now)
    tickets.call(found["mine"], "Anna Berg", now, "Bittet um Rückruf am Nachmittag.", user=people.operator.pk, now=now)
    found["proposed"] = ordered(second, "connectivity_test", second.gateways[1], now - timedelta(hours=5))
    orders.propose(
        AbsurdEngine(),
        "A" + found["proposed"][1:],
        [_next_hour(now, 3), _next_hour(now, 4)],
        "Am Wunschtermin ist Wartung.",
        user=people.operator.pk,
        now=now - timedelta(hours=1),
    )
    found["incident"] = tickets.open_incident(
        client=first.client,
        subject="Zugangsdaten bekannt geworden",
        text="Das Konto ist gesperrt.",
        actor="supervision",
        now=now - timedelta(hours=2),
    )
    found["stranger"] = tickets.open_question(
        client=None, contact=None, subject="Angebot", text="Bitte um Rückruf", now=now - timedelta(hours=1)
    )
    found["approval"] = approvals.request(
        "certificate.revoke",
        f"gateway:{first.gateways[1]}",
        {"gateway": first.gateways[1], "reason": "theft"},
        "Gerät wurde gestohlen, Anzeige liegt vor.",
        user=people.operator.pk,
        client=first.client,
        ticket=found["late"],
        now=now,
    )
    found["third"] = third
    types(now)
    found["mails"] = mails(first, found["mine"], now)
    file_of(first.gateways[1], now)
    return found


def types(now: datetime) -> None:
    """Device types that can be ordered, and one whose CC certificate is past."""
    for firmware, until in (("1.4.2", now + timedelta(days=400)), ("1.3.0", now - timedelta(days=3))):
        kind = GatewayType("SMGW-P", firmware)
        configurations.certify(f"BSI-DSZ-CC-0831-{firmware}", kind, actor="user:ada", begin=None, end=until)
        for meter in ("eHZ-P", "Q3MA1020"):
            configurations.approve(kind, meter, actor="user:ada", begin=now - timedelta(days=300))


def certified(town: Town, now: datetime) -> None:
    """The town's market partner has its certificates."""
    for emt in models.Emt.objects.filter(client=town.client):
        for use in ("TLS", "SIG", "ENC"):
            models.Certificate.objects.create(
                client_id=town.client,
                emt=emt,
                owner=emt.name,
                role="EMT",
                use=use,
                issuer="CN=Sub-CA",
                serial=f"emt{emt.pk}{use}",
                ski="00",
                fingerprint=f"emt{emt.pk}{use}".ljust(64, "0"),
                not_before=now - timedelta(days=30),
                not_after=now + timedelta(days=700),
                state="active",
                der=b"-",
            )


def mails(town: Town, ticket: str, now: datetime) -> dict[str, int]:
    """One mail of each kind that somebody may have to look at; ids by name."""
    about = models.Ticket.objects.get(number=ticket)
    contact = models.Contact.objects.filter(client=town.client).first()
    head = b"From: anna.berg.a@example.org\r\nSubject: =?utf-8?q?R=C3=BCckfrage?=\r\n\r\nText"
    rows: dict[str, dict[str, Any]] = {
        "handled": {
            "state": "done",
            "subject": "Rückfrage zur Rechnung",
            "contact": contact,
            "ticket": about,
            "security": {"signed": True, "encrypted": True, "signer": "ab" * 32, "cautions": ["cbc"], "order": []},
        },
        "quarantined": {"state": "quarantined", "code": "mail.malformed", "why": "Der Kopf der Mail ist unlesbar."},
        "refused": {"state": "refused", "subject": "Lieferschein", "code": "mail.unsigned", "why": "Nicht signiert."},
    }
    found = {}
    for place, (name, values) in enumerate(rows.items()):
        raw = head + str(place).encode()
        found[name] = models.MailIn.objects.create(
            digest=f"{place:064x}",
            raw=raw,
            size=len(raw),
            via="smtp",
            envelope_from="anna.berg.a@example.org",
            envelope_to=["service@torwart.example"],
            from_address="anna.berg.a@example.org" if name != "quarantined" else "",
            received_at=now - timedelta(hours=place + 1),
            **values,
        ).pk
    sent = models.MailOut.objects.order_by("id").first()
    assert sent is not None
    models.MailOut.objects.filter(pk=sent.pk).update(
        state="failed", attempts=9, failure="550 5.1.1 mailbox unknown", sent_at=None
    )
    found["failed"] = sent.pk
    return found


def file_of(device: str, now: datetime) -> None:
    """Profiles as wanted, different and not read back, and two events."""
    gateway = models.Gateway.objects.get(device_id=device)
    for place, (name, there) in enumerate((("management", "same"), ("taf7-1emh", "other"), ("emt-1", ""))):
        content = f'<p xmlns="urn:x" id="{name}"><cycle>900</cycle><peer>a</peer></p>'.encode()
        actual = content.replace(b"900", b"3600") if there == "other" else content
        models.Profile.objects.create(
            gateway=gateway,
            kind="communication" if place != 1 else "evaluation",
            name=name,
            version=place + 1,
            state="active" if there == "same" else "wanted",
            content=content,
            digest=hashlib.sha256(content).hexdigest(),
        )
        if there:
            models.ProfileReading.objects.create(
                gateway=gateway, name=name, content=actual, digest=hashlib.sha256(actual).hexdigest()
            )
    for number, (level, text) in enumerate((("WARNING", "Zeitabweichung 4 s"), ("ERROR", "Zähler nicht erreichbar"))):
        models.Event.objects.create(
            gateway=gateway,
            number=number + 1,
            at=now - timedelta(days=2 - number),
            level=level,
            vendor="PPC",
            event=100 + number,
            text=text,
            log="system",
            record_number=number + 1,
            success=True,
            fact=uuid.uuid4(),
        )


def _next_hour(now: datetime, days: int) -> datetime:
    """Ten o'clock in Berlin on a working day some days ahead."""
    at = CALENDAR.next_open(now + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)
    return CALENDAR.next_open(at)


def addresses(found: dict[str, Any]) -> dict[str, str]:
    """The address of every page of the console, by its name, about a ``busy_day``."""
    town, mails = found["towns"][0], found["mails"]
    ticket = models.Ticket.objects.select_related("order__run").get(number=found["late"])
    contact = models.Contact.objects.filter(client=town.client).order_by("id").first()
    file = models.Attachment.objects.create(
        ticket=ticket, name="a.txt", media_type="text/plain", size=1, digest="0" * 64, content=b"x"
    )
    assert contact is not None
    assert ticket.order is not None
    assert ticket.order.run is not None
    coupling = interface.couple(
        town.client, "Stadtwerk Koblenz.EMT", software="EMT Pro", software_version="3.1", actor="test"
    )
    cases = ("ticket", "ticket_auftrag", "ticket_geraet", "ticket_protokoll", "ticket_post", "ticket_akte")
    arguments: dict[str, list[Any]] = {
        **{key: [ticket.number] for key in cases},
        **{key: [town.gateways[1]] for key in ("gateway", "gateway_messages")},
        **{key: [town.client] for key in ("client", "participant", "contact_new", "invite")},
        **{
            key: [town.client, contact.pk]
            for key in ("contact_certificate", "contact_test", "contact_off", "contact_legacy")
        },
        **{key: [town.client] for key in ("couplings", "coupling_new", "emts", "emt_new")},
        **{key: [town.client, coupling] for key in ("coupling_judge", "coupling_off")},
        **{key: [town.reader.pk] for key in ("user_lock", "user_again", "user_roles")},
        **{key: [found["approval"]] for key in ("approval", "approval_withdraw")},
        **{key: [mails["handled"]] for key in ("mail_in", "mail_raw", "mail_release")},
        **{key: [mails["failed"]] for key in ("mail_out", "mail_retry")},
        "inbox": ["offen"],
        "attachment": [ticket.number, file.pk],
        "proof": [ticket.number, "json"],
        "verb": [ticket.number, "termine"],
        "profile": [town.gateways[1], "taf7-1emh"],
        "gateway_start": [town.gateways[1], "wake_up"],
        "run": [ticket.order.run.run_id],
        "client_move": [town.client, "aussetzen"],
        "mail_tab": ["ausgang"],
    }
    arguments["document"] = [
        documents.publish(
            None,
            DocumentKind.GUIDE,
            version="2.1",
            valid_from=portal_world.NOW.date(),
            name="leitfaden.pdf",
            content=b"%PDF-1.7",
            actor="test",
            now=portal_world.NOW,
        )
    ]
    queries = {"configuration": "?typ=SMGW-P&firmware=1.4.2", "search": "?q=koblenz"}
    return {
        str(each.name): reverse(f"console:{each.name}", args=arguments.get(str(each.name), []))
        + queries.get(str(each.name), "")
        for each in urlpatterns
    }
