"""P01 from form to result: the order asks for the file, the secure reply brings it, each device is told (O-7)."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clientele import SetClock
from delivering import made
from mail_stage import MailStage
from order_desk import Desk

from torwart.adapters.engine import AbsurdEngine, Tuning
from torwart.config import site as sites
from torwart.kernel.refusals import Refusal
from torwart.processes import ordering
from torwart.processes.definition import process
from torwart.processes.ordering import Orderer
from torwart.services import ticket as tickets
from torwart.sim.gateway.config import GatewayConfig
from torwart.store.models import Contact, DeliveryNote, Gateway, MailOut, Order, Run, User
from torwart.wire.mail import Attachment

pytestmark = [pytest.mark.requirement("P01", "O-7")]
PEOPLE = ("erika@stadtwerke.example", "max@stadtwerke.example")


@dataclass
class Import:
    """A site whose client may order, an engine on a set clock, and the story of P01 as workers tell it."""

    site: sites.Site
    clock: SetClock
    engine: AbsurdEngine
    user: User

    def place(self, **changes: object) -> str:
        fields = {
            "note_number": "LS-2026-0001",
            "maker": sites.MAKER,
            "device_count": "2",
            "smgw_types": [sites.GATEWAY_TYPE],
            **changes,
        }
        who = Orderer(self.site.client, self.user.pk, "Erika Muster", f"user:{self.user.email}")
        return ordering.place(self.engine, "delivery_note_import", fields, orderer=who, now=self.clock.time)

    def work(self) -> None:
        self.engine.work(threads=1, until_idle=True)

    def on(self, **length: float) -> None:
        self.clock.on(**length)
        self.work()

    def waiting(self, **changes: object) -> str:
        """An order whose run waits for the file."""
        number = self.place(**changes)
        self.on(seconds=61)
        return number

    def send(self, number: str, *files: bytes, secure: bool = True, mail: int | None = None) -> None:
        """Files reach the ticket as the mail room brings them."""
        for position, content in enumerate(files):
            tickets.attach(
                f"T{number[1:]}",
                name=f"datei-{position}.p7m",
                media_type="application/pkcs7-mime",
                content=content,
                digest=hashlib.sha256(content).hexdigest(),
                now=self.clock.time,
                secure=secure,
                mail_in=mail,
            )
        self.engine.nudge(f"ticket:T{number[1:]}")
        self.work()

    def states(self, number: str) -> tuple[str, str, str]:
        order = Order.objects.select_related("ticket", "run").get(number=number)
        return order.state, order.ticket.state, order.run.state if order.run else ""

    def mails(self, kind: str) -> list[MailOut]:
        return list(MailOut.objects.filter(kind=kind, language="de", address=PEOPLE[0]).order_by("id"))

    def devices(self, count: int = 1, first: int = 1) -> list[GatewayConfig]:
        return made(self.site.pki, count, first=first)


def people(client: int) -> User:
    user = User.objects.create(email=PEOPLE[0], name="Muster", first_name="Erika", client_id=client, roles=["contact"])
    Contact.objects.filter(email=PEOPLE[0]).update(user=user)
    return user


def importing(site: sites.Site, user: User) -> Import:
    clock = SetClock(datetime.now(UTC))
    engine = AbsurdEngine(clock=clock, tuning=Tuning(poll=0.01, tries=1))
    desk = Desk(clock, engine, None)  # type: ignore[arg-type]  # only its way to register a story is used
    desk.register(
        process("delivery_note_import"),
        keys=site.keys,
        trust=site.pki.trust,
        makers=(site.pki.gwh.sig.certificate,),
    )
    return Import(site, clock, engine, user)


@pytest.fixture
def shop(own_database: str, tmp_path: Path) -> Import:
    site = sites.create(tmp_path / "site", database=own_database)
    for email in PEOPLE:
        Contact.objects.create(
            client_id=site.client, first_name="E", name="M", phone="1", email=email, mail_state="tested"
        )
    from torwart.store.models import Client

    Client.objects.filter(pk=site.client).update(state="active")
    return importing(site, people(site.client))


def flat(mail: MailOut) -> str:
    return " ".join(mail.text.replace("\n> ", " ").split())


def test_the_file_is_asked_for_and_the_clock_rests(shop: Import) -> None:
    """After the minute: run waits for the client, ticket too, with the reason; the mail says what to send and how."""
    number = shop.waiting()

    assert shop.states(number) == ("in_progress", "waiting_client", "waiting")
    order = Order.objects.select_related("ticket", "run").get(number=number)
    assert order.run is not None
    assert order.run.waiting_for == "client"
    assert order.ticket.due_at is None
    assert "Lieferschein" in order.ticket.waiting_reason
    assert "signiert und verschlüsselt" in flat(shop.mails("order.placed")[0])
    question = flat(shop.mails("ticket.question")[0])
    assert "LS-2026-0001 als Antwort auf diese Mail" in question
    assert shop.mails("ticket.question")[0].subject.startswith(f"[#T{number[1:]}]")


def test_the_note_is_imported_and_each_device_told(shop: Import) -> None:
    """Devices are delivered, the result counts them, the list goes along as a file, the clock had rested meanwhile."""
    number = shop.waiting()
    due = Order.objects.get(number=number).due_at
    shop.clock.on(days=7)
    shop.send(number, sites.signed_note(shop.site, shop.devices()))

    assert shop.states(number) == ("done", "resolved", "succeeded")
    assert Gateway.objects.get().state == "delivered"
    mail = shop.mails("order.done")[0]
    text = flat(mail)
    assert "Importiert: 2" in text
    assert "Abgelehnt: 0" in text
    assert "Abweichend" not in text
    [[name, media, content]] = mail.files
    assert (name, media) == ("lieferschein-LS-2026-0001.csv", "text/csv")
    import base64

    listed = base64.b64decode(content).decode("utf-8-sig").splitlines()
    assert len(listed) == 3
    assert listed[0] == "Gerät;Ergebnis;Code;Grund"
    assert all("importiert" in line for line in listed[1:])
    clock = tickets.clock(f"T{number[1:]}")
    assert clock.due is not None
    assert clock.due > due


def test_a_wrong_file_is_answered_and_the_ticket_waits_again(shop: Import) -> None:
    """The reason by mail, nothing imported, the clock rests again; the right file then ends the order well."""
    number = shop.waiting()
    shop.send(number, b"kein CMS")
    assert shop.states(number) == ("in_progress", "waiting_client", "waiting")
    told = flat(shop.mails("ticket.file_refused")[0])
    assert "datei-0.p7m" in told
    assert "Auftrag bleibt bestehen" in told
    note = sites.signed_note(shop.site, shop.devices())
    shop.send(number, note[:-20])
    assert len(shop.mails("ticket.file_refused")) == 2
    assert not DeliveryNote.objects.exists()

    shop.send(number, note)
    assert shop.states(number) == ("done", "resolved", "succeeded")
    assert len(shop.mails("ticket.question")) == 1


def test_a_file_that_came_open_is_not_looked_at(shop: Import) -> None:
    """Only what a tested contact has signed and encrypted counts (S-MAIL-3)."""
    number = shop.waiting()
    shop.send(number, sites.signed_note(shop.site, shop.devices()), secure=False)

    assert shop.states(number) == ("in_progress", "waiting_client", "waiting")
    assert not DeliveryNote.objects.exists()


def test_a_logo_beside_the_note_does_not_matter(shop: Import) -> None:
    """Of several files in one mail the one signed note is taken; two notes are one too many."""
    number = shop.waiting()
    first = sites.signed_note(shop.site, shop.devices())
    second = sites.signed_note(shop.site, shop.devices(1, first=5), number="LS-2")
    shop.send(number, first, second)
    assert "genau einen" in flat(shop.mails("ticket.file_refused")[0])
    shop.send(number, b"\x89PNG....", first, b"-- \nMit freundlichen Gruessen")

    assert shop.states(number) == ("done", "resolved", "succeeded")
    assert DeliveryNote.objects.get().number == "LS-2026-0001"


def test_a_file_sent_at_once_is_not_asked_for(shop: Import) -> None:
    """Who replies to the confirmation within the minute gets no further question."""
    number = shop.place()
    shop.send(number, sites.signed_note(shop.site, shop.devices()))
    assert shop.states(number)[0] == "submitted"
    shop.on(seconds=61)

    assert shop.states(number) == ("done", "resolved", "succeeded")
    assert not shop.mails("ticket.question")


def test_what_differs_from_the_order_is_told(shop: Import) -> None:
    """Count, number, maker and types as ordered and as found stand in the result."""
    number = shop.waiting(device_count="5", note_number="LS-7", maker="Anderswerk", smgw_types=["SMGW X"])
    shop.send(number, sites.signed_note(shop.site, shop.devices()))
    text = flat(shop.mails("order.done")[0])

    assert "Abweichend: Anzahl der Geräte: 5 → 2" in text
    assert "Abweichend: Lieferscheinnummer: LS-7 → LS-2026-0001" in text
    assert f"Abweichend: Hersteller: Anderswerk → {sites.MAKER}" in text
    assert f"Abweichend: SMGW-Typen: SMGW X → {sites.GATEWAY_TYPE}" in text


def test_the_same_note_again_is_told_as_such(shop: Import) -> None:
    """Nothing is imported twice; the client reads that it had been imported before, with the first answer."""
    note = sites.signed_note(shop.site, shop.devices())
    first = shop.waiting()
    shop.send(first, note)
    again = shop.waiting()
    shop.send(again, note)

    assert shop.states(again) == ("done", "resolved", "succeeded")
    assert "Schon früher importiert" not in flat(shop.mails("order.done")[0])
    assert "Schon früher importiert" in flat(shop.mails("order.done")[1])
    assert DeliveryNote.objects.count() == 1


def test_a_note_of_which_nothing_could_be_taken_fails(shop: Import) -> None:
    """No device imported is no success: the order fails with the first reason."""
    shop.send(shop.waiting(), sites.signed_note(shop.site, shop.devices(), number="LS-0"))
    Gateway.objects.update(model="geheim")
    from torwart.store.models import Client, Custody, Meter

    other = Client.objects.create(name="Nachbarwerke")
    Gateway.objects.update(client=other)
    Meter.objects.update(client=other)
    Custody.objects.update(client=other)
    number = shop.waiting()
    shop.send(number, sites.signed_note(shop.site, shop.devices()))

    assert shop.states(number) == ("failed", "resolved", "failed")
    refusal = Order.objects.get(number=number).result["refusal"]
    assert (refusal["code"], refusal["side"]) == ("order.nothing_imported", "client")
    assert "geheim" not in refusal["de"]
    assert "Nachbarwerke" not in refusal["de"]


def test_without_a_file_the_order_fails_after_thirty_days(shop: Import) -> None:
    """Wrong files do not buy time; the end is told truthfully."""
    number = shop.waiting()
    shop.on(days=20)
    shop.send(number, b"falsch")
    shop.on(days=9)
    assert shop.states(number)[0] == "in_progress"
    shop.on(days=1, minutes=1)

    assert shop.states(number) == ("failed", "resolved", "failed")
    assert "Innerhalb von 30 Tagen kam kein Lieferschein" in flat(shop.mails("order.failed")[0])


@pytest.mark.requirement("S-MAIL-3")
def test_without_tested_mail_it_cannot_be_ordered(shop: Import) -> None:
    """The orderer's own secure mail must be tested; the colleague's does not count."""
    Contact.objects.filter(email=PEOPLE[0]).update(mail_state="test_sent")
    with pytest.raises(Refusal) as caught:
        shop.place()
    assert caught.value.code == "order.mail_untested"
    assert not Run.objects.exists()


@pytest.fixture
def stage() -> Iterator[MailStage]:
    stage = MailStage.open()
    yield stage
    stage.box.stop()


@pytest.mark.requirement("S-MAIL-3", "O-3")
def test_the_whole_way_by_secure_mail(own_database: str, tmp_path: Path, stage: MailStage) -> None:
    """Two people prove their mail, one orders, answers the question with the signed file, and reads the result: every
    mail really signed, encrypted, sent and read.
    """
    site = sites.create(tmp_path / "site", database=own_database)
    assert stage.tested(sites.OPERATOR, *PEOPLE) == site.client
    shop = importing(site, people(site.client))
    stage.engine = shop.engine
    shop.clock.time = stage.now
    number = shop.waiting()
    stage.now = shop.clock.time
    stage.run()
    ticket = Order.objects.get(number=number).ticket

    note = Attachment("lieferschein.p7m", "application/pkcs7-mime", sites.signed_note(site, shop.devices(2)))
    shop.clock.on(hours=1)
    stage.now = shop.clock.time
    stage.reply_to(ticket, PEOPLE[0], [note])
    shop.work()
    stage.run()

    assert shop.states(number) == ("done", "resolved", "succeeded")
    result = stage.box.wait(PEOPLE[1], lambda got: got.mail is not None and "erledigt" in got.mail.subject)
    assert result.mail is not None
    assert f"[#T{number[1:]}]" in result.mail.subject
    assert [file.name for file in result.mail.attachments] == ["lieferschein-LS-2026-0001.csv"]
    assert {mail.state for mail in MailOut.objects.filter(ticket=ticket)} == {"sent"}
    assert Gateway.objects.filter(state="delivered").count() == 2
    assert timedelta(0) < tickets.clock(ticket.number).remaining(stage.now)
