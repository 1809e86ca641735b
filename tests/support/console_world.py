"""The provider's people with their work of a day, for tests of the console's pages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import browser as support
import portal_world
from portal_world import Town

from torwart.adapters.engine import AbsurdEngine
from torwart.kernel.role import Role
from torwart.services import approval as approvals
from torwart.services import order as orders
from torwart.services import ticket as tickets
from torwart.store import models


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
    return found


def _next_hour(now: datetime, days: int) -> datetime:
    """Ten o'clock in Berlin on a working day some days ahead."""
    from torwart.rules.service_time import CALENDAR

    at = CALENDAR.next_open(now + timedelta(days=days)).replace(hour=10, minute=0, second=0, microsecond=0)
    return CALENDAR.next_open(at)
