"""What clients do with the service, well and badly, and what must come of it: the deeds of the demonstration.

Every deed goes the way a person goes: by the portal's pages, by mail. Its outcome is what that person is told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from textwrap import shorten
from typing import Any

from torwart_client import OnlyByForm

from torwart.config import site as sites
from torwart.config.demo.office import ERIKA, MAX, NILS, NORA, Office, Person
from torwart.config.demo.own_system import OwnSystem
from torwart.config.demo.visitor import StuckError, Visitor
from torwart.kernel.identifiers import CaseNumber
from torwart.kernel.refusals import Kind
from torwart.kernel.refusals.mailroom import MAIL_UNSIGNED
from torwart.kernel.words import Words
from torwart.processes import ordering
from torwart.processes.definition import process
from torwart.processes.ordering import Orderer
from torwart.rules.lead_time import earliest_planned
from torwart.rules.precondition import GatewayType
from torwart.services import approved_configuration as approved_configurations
from torwart.services import present, ticket_clock
from torwart.services import ticket as tickets
from torwart.sim.mailbox import MailFault
from torwart.store.models import DeliveryNote, MailOut, Order, Ticket
from torwart.wire import els
from torwart.wire.mail import Attachment

NOTE, MAKER = "LS-2026-0001", sites.MAKER
UNAPPROVED_METER = "mME ALT-1"


@dataclass(slots=True)
class Deed:
    """``found``: what the person was told; ``ok``: whether that is what had to be told."""

    who: str
    words: Words
    ok: bool
    found: str
    number: str = ""


@dataclass
class Service:
    """The clients' day. ``tell`` is called after each deed."""

    office: Office
    tell: Callable[[Deed], None]
    deeds: list[Deed] = field(default_factory=list)
    orders: dict[str, str] = field(default_factory=dict)
    """Run id → order number of what was placed."""
    system: OwnSystem = field(init=False)
    """The system of Erika's utility."""
    _fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    _erika: Visitor = field(init=False)

    # --- the delivery note ---

    def deliver(self) -> None:
        """P01: ordered in the portal, sent by mail in three wrong ways and the right one, then once more."""
        stage = self.office.stage
        self._erika = self.office.signed_in(ERIKA)
        self._place_orders_fields()
        # Known to us, but with another gateway only.
        other, now = GatewayType("SMGW G2", "TW-0.9.0"), present.now()
        approved_configurations.approve(other, UNAPPROVED_METER, actor="user:ada", begin=now - timedelta(days=1))
        first = stage.devices[0].device
        self._refused(
            ERIKA,
            Words("bestellt Inbetriebnahme vor dem Lieferschein", "orders commissioning before the delivery note"),
            lambda: self._erika.order("commissioning", self._fields[first]),
            "kein Lieferschein importiert",
        )
        ordered = {"note_number": NOTE, "maker": MAKER, "device_count": str(self._devices()), "smgw_types": ["SMGW G3"]}
        number = self._erika.order("delivery_note_import", ordered)
        ticket = CaseNumber.parse(number).ticket
        self._done(ERIKA, Words("bestellt den Import eines Lieferscheins", "orders the import of a note"), number)
        request = self.office.wait(ERIKA, "", about=ticket, count=2)  # after the confirmation: what is needed now
        note = Attachment("lieferschein.p7m", "application/pkcs7-mime", self._note())
        (stage.directory / note.name).write_bytes(note.content)
        for times, (words, named, wrong) in enumerate(self._wrong_ways(), 1):
            self.office.mailbox.reply(request, "Anbei der Lieferschein.", [note], **wrong)
            answer = self.office.wait(ERIKA, "nicht annehmen", about=ticket, count=times)
            said = answer.mail.text.splitlines() if answer.mail else []
            text = " ".join(" ".join(line for line in said if not line.startswith(">")).split())
            self._tell(ERIKA, words, named.lower() in text.lower(), _first_line(text, named))
        self.office.mailbox.reply(request, "Anbei der Lieferschein.", [note])
        result = self.office.wait(ERIKA, "erledigt", "erfolgreich", "Ergebnis", about=ticket)
        self._result(ERIKA, Words("schickt ihn signiert und verschlüsselt", "sends it signed and encrypted"), result)
        again = self._erika.order("delivery_note_import", ordered)
        number = CaseNumber.parse(again).ticket
        request = self.office.wait(ERIKA, "", about=number, count=2)
        self.office.mailbox.reply(request, "Zur Sicherheit noch einmal.", [note])
        result = self.office.wait(ERIKA, "erledigt", "erfolgreich", "Ergebnis", about=number)
        words = Words("schickt denselben Lieferschein noch einmal", "sends the same note once more")
        self._result(ERIKA, words, result)

    def _wrong_ways(self) -> list[tuple[Words, str, dict[str, Any]]]:
        """How a mail goes wrong, and what its sender must be told."""
        other = Words("schickt ihn, signiert von jemand anderem", "sends it, signed by somebody else")
        return [
            (Words("schickt ihn ohne Signatur", "sends it unsigned"), _beginning(MAIL_UNSIGNED), {"sign": False}),
            (other, "müssen übereinstimmen", {"fault": MailFault.SIGNER_NOT_SENDER}),
        ]

    def _devices(self) -> int:
        return sum(1 + len(device.meters) for device in self.office.stage.devices)

    def _note(self) -> bytes:
        """The maker's file; the meter of the last gateway is of a type nobody has approved."""
        stage = self.office.stage
        old = {meter.device for meter in stage.devices[-1].meters}

        def item(each: els.Device) -> els.Device:
            return replace(each, maker_type=UNAPPROVED_METER) if each.id in old else each

        return sites.signed_items(stage.site, map(item, sites.items(stage.site, stage.devices)), number=NOTE)

    # --- orders ---

    def refuse(self) -> None:
        """Orders that must not be placed, each told why."""
        stage = self.office.stage
        first, planned, unapproved = stage.devices[0].device, stage.devices[-2].device, stage.devices[-1].device
        wrong = self._fields[first]["malos"][0]
        digit = str((int(wrong[-1]) + 1) % 10)
        self._refused(
            ERIKA,
            Words("vertippt sich in der Prüfziffer einer MaLo", "mistypes the check digit of a MaLo"),
            lambda: self._erika.order("commissioning", {**self._fields[first], "malos": [wrong[:-1] + digit]}),
            f"richtig wäre {wrong[-1]}",
        )
        self._refused(
            ERIKA,
            Words("bestellt eine nicht freigegebene Kombination", "orders a combination that is not approved"),
            lambda: self._erika.order("commissioning", self._fields[unapproved]),
            UNAPPROVED_METER,
        )
        nora = self.office.signed_in(NORA)
        self._refused(
            NORA,
            Words("bestellt für ein Gateway eines anderen", "orders for somebody else's gateway"),
            lambda: nora.order("connectivity_test", {"gateway": first, "reason": ""}),
            "kein Lieferschein importiert",
        )
        number = self._erika.order("connectivity_test", {"gateway": planned, "reason": "Irrtum"})
        shown = self._erika.get(f"/portal/auftraege/{number}/gesendet/")
        page = self._erika.submit(shown, {}, to="zurueckziehen")
        state = Order.objects.get(number=number).state
        words = Words("zieht einen Auftrag in der ersten Minute zurück", "withdraws an order in its first minute")
        self._tell(ERIKA, words, state == "withdrawn", f"{state} ({page.status})", number)
        at = earliest_planned(present.now()) + timedelta(days=7)
        at = earliest_planned(at)
        wish = {"when": "at", "requested_at": at.isoformat()}
        number = self._erika.order("commissioning", {**self._fields[planned], **wish})
        row = Order.objects.get(number=number)
        words = Words("bestellt eine Inbetriebnahme für nächste Woche", "orders a commissioning for next week")
        self._tell(ERIKA, words, row.planned and row.due_at == row.requested_at, f"{row.due_at:%d.%m. %H:%M}", number)

    def order_commissioning(self) -> list[str]:
        """Orders for all other gateways: the first by the portal's pages, the rest as an upload would; run ids."""
        devices = [device.device for device in self.office.stage.devices[:-2]]
        number = self._erika.order("commissioning", self._fields[devices[0]])
        words = Words("bestellt die Inbetriebnahme einer Messstelle", "orders the commissioning of a metering point")
        self._done(ERIKA, words, number)
        placed = [number] + [self._place("commissioning", self._fields[device]) for device in devices[1:]]
        words = Words("bestellt {n} weitere", "orders {n} more")
        self._done(ERIKA, Words(*(words.text(x, n=len(placed) - 1) for x in ("de", "en"))), "")
        return [self._run(number) for number in placed]

    def order(self, name: str, device: str, fields: Mapping[str, Any]) -> str:
        """One more order, connectivity tests by the client's own system, or an operator's own process where clients
        have none; the run id.
        """
        if not process(name).over_form:
            return self.office.stage.order(name, device, fields)
        if name == "connectivity_test":
            return self._run(self.system.order(*_test(device)).id)
        return self._run(self._place(name, {"gateway": device, **fields}))

    def _place(self, name: str, fields: Mapping[str, Any]) -> str:
        client, user = self.office.clients[ERIKA.client], self.office.accounts[ERIKA.email]
        orderer = Orderer(client, user, ERIKA.full_name, f"user:{ERIKA.email}", "upload")
        return ordering.place(self.office.stage.engine, name, fields, orderer=orderer, now=present.now())

    def _run(self, number: str) -> str:
        run_id = str(Order.objects.select_related("run").get(number=number).run.run_id)  # type: ignore[union-attr]
        self.orders[run_id] = number
        return run_id

    def _place_orders_fields(self) -> None:
        stage = self.office.stage
        emt = sites.register_emt(stage.site, "{}:{}".format(*stage.emt.address))
        wake_up = "{}:{}".format(*stage.fleet.wake_up_address)
        self._fields = dict(sites.orders(stage.devices, emt, wake_up))

    # --- questions ---

    def ask(self) -> None:
        """An incident by the portal, settled by an operator; a question by plain mail."""
        visitor = self.office.signed_in(MAX)
        device = self.office.stage.devices[0].device
        told = {
            "object": "gateway",
            "name": device,
            "symptom": "no_values",
            "description": "Seit gestern Abend kommen keine Werte.",
            "since": present.now().isoformat(),
        }
        number = visitor.order("incident", told)
        ticket = CaseNumber.parse(number).ticket
        self._done(MAX, Words("meldet eine Störung", "reports an incident"), number)
        self.office.mailbox.write(NILS.email, sites.SERVICE, "A question", "When do you open on Monday?")
        receipt = self.office.wait(NILS, "Your mail has arrived", count=2)
        words = Words("fragt per Mail nach den Öffnungszeiten", "asks by mail for the opening hours")
        self._tell(NILS, words, receipt.mail is not None, receipt.mail.subject if receipt.mail else "")
        text = "Die SIM-Karte war gesperrt; der Netzbetreiber hat sie freigeschaltet."
        self._until_waiting(number)
        tickets.resolve(self.office.stage.engine, ticket, text, user=self.office.account("olga"), now=present.now())
        result = self.office.wait(MAX, "erledigt", "erfolgreich", "Ergebnis", about=ticket)
        self._result(MAX, Words("erfährt, was der Operator getan hat", "hears what the operator has done"), result)

    def _until_waiting(self, number: str) -> None:
        self.office.until(lambda: Order.objects.get(number=number).state == "in_progress")

    # --- the client's own system ---

    def couple(self) -> None:
        """Couple the system with its client; it is told by webhooks of all the client orders from now on."""
        self.system = OwnSystem(self.office.stage, self.office.clients[ERIKA.client]).start()

    def stop(self) -> None:
        if hasattr(self, "system"):
            self.system.stop()

    def call(self) -> None:
        """What the system has ordered and heard, and what it must not do."""
        device = self.office.stage.devices[0].device  # if there are so few that none was left for it
        placed = self.system.placed[0] if self.system.placed else self.system.order(*_test(device))
        words = Words("bestellt einen Kommunikationstest", "orders a connectivity test")
        self._called(words, True, placed.id, placed.id)
        again = self.system.order(*_test(placed.subject))
        words = Words("schickt denselben Auftrag noch einmal", "sends the same order once more")
        self._called(words, again == placed, again.id)
        words = Words("will einen Lieferschein importieren lassen", "wants to have a delivery note imported")
        try:
            wrong = self.system.order("delivery_note_import", {})
            self._called(words, False, wrong.id)
        except OnlyByForm as refused:
            self._called(words, True, _first_line(refused.detail, "Formular"))
        (fate,) = self.system.ended(placed.id)
        words = Words("erfährt das Ende per Webhook, Signatur geprüft", "hears the end by webhook, signature verified")
        told = " → ".join(fate.hooks)
        self._called(words, fate.agrees and fate.operation.state == "done", told)

    def _called(self, words: Words, ok: bool, found: str, number: str = "") -> None:
        deed = Deed(self.system.name, words, ok, found, number)
        self.deeds.append(deed)
        self.tell(deed)

    # --- what can be checked of it all ---

    def report(self) -> dict[str, Any]:
        """Orders, tickets, deadlines, mails and imports, as they stand."""
        return {
            "deeds": [
                {"who": deed.who, "what": deed.words.en, "ok": deed.ok, "told": deed.found, "order": deed.number}
                for deed in self.deeds
            ],
            "orders": [_order(row) for row in Order.objects.select_related("ticket", "run").order_by("id")],
            "interface": self.system.report(),
            "tickets": _counts(Ticket.objects.values_list("kind", "state")),
            "deadlines": self.deadlines(),
            "mails": self.mails(),
            "imports": [
                {"number": row.number, "state": row.state, "devices": self._devices()}
                for row in DeliveryNote.objects.order_by("id")
            ],
        }

    def deadlines(self) -> dict[str, Any]:
        """Every deadline recomputed from the audit trail, and how many of them the tickets show."""
        rows = list(Ticket.objects.order_by("id"))
        same = [row for row in rows if ticket_clock.timing(row.number).due == row.due_at]
        return {"tickets": len(rows), "equal_by_audit_trail": len(same)}

    def mails(self) -> dict[str, Any]:
        """What was sent; each mail with data must have reached its reader encrypted."""
        sent = list(MailOut.objects.filter(state="sent").values_list("message_id", "secure"))
        by_id = {each.mail.message_id: each for each in self.office.mailbox.mails() if each.mail is not None}
        secure = [by_id.get(message) for message, data in sent if data]
        sealed = sum(each is not None and each.opened is not None and each.opened.encrypted for each in secure)
        waiting = MailOut.objects.exclude(state="sent").count()
        return {"sent": len(sent), "with_data": len(secure), "with_data_encrypted": sealed, "not_sent": waiting}

    def untrue(self, runs: Mapping[str, str]) -> list[str]:
        """Numbers of orders whose state is not that of their run (run id → state), or whose end nobody was told."""
        ended = {"succeeded": "done", "failed": "failed"}
        wrong = []
        for row in Order.objects.select_related("run").filter(number__in=self.orders.values()):
            state = ended.get(runs.get(str(row.run.run_id), ""), "in_progress")  # type: ignore[union-attr]
            told = MailOut.objects.filter(ticket=row.ticket, kind=f"order.{row.state}", state="sent").exists()
            if row.state != state or (state != "in_progress" and not told):
                wrong.append(f"{row.number}: {row.state}")
        return wrong

    # --- telling ---

    def _refused(self, who: Person, words: Words, do: Callable[[], str], named: str) -> None:
        """Somebody tries what must not be; they must be told the reason, and nothing be placed."""
        before = Order.objects.count()
        try:
            found, number = do(), ""
            ok, number = False, found
        except StuckError as stuck:
            text = stuck.page.complaints or stuck.page.text
            ok, found = named in text and Order.objects.count() == before, _first_line(text, named)
            number = ""
        self._tell(who, words, ok, found, number)

    def _result(self, who: Person, words: Words, result: Any) -> None:
        ok = result.opened is not None and result.opened.encrypted and result.opened.signed
        self._tell(who, words, ok, result.mail.subject if result.mail else str(result.refusal))

    def _done(self, who: Person, words: Words, number: str) -> None:
        self._tell(who, words, True, number, number)

    def _tell(self, who: Person, words: Words, ok: bool, found: str, number: str = "") -> None:
        deed = Deed(who.full_name, words, ok, found, number)
        self.deeds.append(deed)
        self.tell(deed)


def _test(device: str) -> tuple[str, Mapping[str, Any], str]:
    """A connectivity test of this gateway as the client's own system orders it: process, fields, key."""
    return "connectivity_test", {"gateway": device}, f"test-{device}"


def _beginning(kind: Kind) -> str:
    """The first sentence of a refusal, as people read it."""
    return kind.words.de.partition(". ")[0]


def _first_line(text: str, named: str) -> str:
    """The sentence that names what had to be named, at most two lines of it."""
    plain = " ".join(text.split())
    place = plain.lower().find(named.lower())
    if place < 0:
        return shorten(plain, 100, placeholder=" …")
    begin = max(plain.rfind(mark, 0, place) + len(mark) - 1 for mark in (". ", "! ", "? ", ": ", "– "))
    end = plain.find(". ", place + len(named))
    return shorten(plain[begin if begin > 2 else 0 : end + 1 if end > 0 else None].strip(" –"), 150, placeholder=" …")


def _order(row: Order) -> dict[str, Any]:
    return {
        "number": row.number,
        "process": row.process,
        "state": row.state,
        "planned": row.planned,
        "due_at": row.due_at.isoformat(),
        "ticket": row.ticket.number,
        "ticket_state": row.ticket.state,
        "run": str(row.run.run_id) if row.run else "",
    }


def _counts(rows: Any) -> dict[str, int]:
    counted: dict[str, int] = {}
    for parts in rows:
        name = " ".join(parts)
        counted[name] = counted.get(name, 0) + 1
    return counted
