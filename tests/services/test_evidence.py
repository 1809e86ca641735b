"""Evidence (O-8): complete, readable again from the PDF, checkable by a stranger, silent about others and secrets."""

import io
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from clientele import DEVICE, MONDAY, clientele, staff
from order_desk import RESULT, Desk, desk
from pypdf import PdfReader

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.process import STEP_REFUSED
from torwart.kernel.role import Role
from torwart.processes.telling import Telling
from torwart.rules.audit_chain import link
from torwart.services import audit, evidence, transcript
from torwart.services import order as orders
from torwart.services import ticket as tickets
from torwart.services.sealed import opened
from torwart.services.transcript import Said
from torwart.store.models import Gateway, MailIn, MailOut

pytestmark = [pytest.mark.requirement("O-8")]
WEDNESDAY = MONDAY + timedelta(days=2, hours=2)
SECRET = "Basic Z2VoZWltOmdlaGVpbQ=="


@pytest.fixture
def shop(own_database: str) -> Desk:
    return desk()


def talkative(run: Telling) -> Mapping[str, Any]:
    """A story that speaks with its gateway once."""
    run.enter("accepted")
    run.enter("connection")

    def speak() -> None:
        said = Said(
            at=run.now(),
            purpose="status",
            line="GET /smgw/status HTTP/1.1",
            head={"Host": "gw", "Authorization": SECRET},
            body=b"",
            status=200,
            code="",
            answer_head={"Set-Cookie": SECRET},
            answer=b"geheimer Inhalt",
            milliseconds=42,
        )
        transcript.keep(run.run_id, Gateway.objects.get(device_id=DEVICE), [said])

    run.write("speak", speak)
    run.enter("verdict")
    return RESULT


def full(shop: Desk) -> tuple[str, evidence.Evidence]:
    """An order to which everything has happened: asked back, other times, a talk, an end."""
    operator = staff("Anna", Role.OPERATOR)
    shop.tell(talkative)
    number = shop.place(requested=WEDNESDAY)
    shop.on(seconds=61)
    ticket = f"T{number[1:]}"
    tickets.ask_client(ticket, "Welcher Zugang?", user=operator.pk, now=shop.clock.on(hours=1))
    tickets.add_message(
        ticket,
        "Durch den Hof.",
        client=shop.people.client.pk,
        author="Erika",
        actor="user:e",
        now=shop.clock.on(hours=2),
    )
    tickets.note(ticket, "interne Notiz", user=operator.pk, now=shop.clock.time)
    later = WEDNESDAY + timedelta(days=1)
    orders.propose(shop.engine, number, [later], "Wartung am Netz", user=operator.pk, now=shop.clock.time)
    orders.choose(shop.engine, number, later, client=shop.people.client.pk, actor="user:e", now=shop.clock.on(hours=1))
    tickets.attach(
        ticket, name="plan.pdf", media_type="application/pdf", content=b"%PDF", digest="ab" * 32, now=shop.clock.time
    )
    shop.clock.time = later
    shop.work()
    assert shop.states(number)[0] == "done"
    while audit.link_pending():
        pass
    return number, evidence.bundle(number, shop.people.client.pk, shop.clock.time)


def text_of(pdf: bytes) -> tuple[str, int]:
    """What a reader finds in a PDF, blanks aside, and its number of pages."""
    reader = PdfReader(io.BytesIO(pdf))
    return "".join("".join(page.extract_text() for page in reader.pages).split()), len(reader.pages)


def contains(text: str, said: str) -> bool:
    return "".join(said.split()) in text


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_field_can_be_read_from_the_pdf(shop: Desk, language: str) -> None:
    """Summary, times, deadline, steps, history, mails, transcript and audit trail: a PDF reader finds each value."""
    number, found = full(shop)
    pdf = evidence.as_pdf(found, language)
    text, pages = text_of(pdf)

    for row in found.summary:
        assert contains(text, row["label"][language]), row
        assert contains(text, row["value"][language]), row
    for step in found.steps:
        assert contains(text, step[language])
    for line in found.history:
        assert contains(text, line[language])
        assert contains(text, line["author"])
    for mail in found.mails:
        assert contains(text, mail["subject"])
        assert contains(text, mail["message_id"])
        assert contains(text, mail["address"])
    for each in found.exchanges:
        assert contains(text, each["request"]["line"])
        assert contains(text, each["answer"]["sha256"][:16])
    for entry in found.audit:
        assert contains(text, entry["hash"])
        assert contains(text, entry["entry"]["action"])
    assert contains(text, "Wartung am Netz")
    assert contains(text, "plan.pdf")
    assert contains(text, {"de": "alles gut", "en": "all well"}[language])
    assert contains(
        text, f"{'Seite' if language == 'de' else 'Page'} {pages} {'von' if language == 'de' else 'of'} {pages}"
    )
    assert number in str(PdfReader(io.BytesIO(pdf)).metadata.title)  # type: ignore[union-attr]


def test_the_deadline_adds_up(shop: Desk) -> None:
    """The counted stretches are the allowance, and the due time is the chosen one."""
    _, found = full(shop)
    deadline = found.deadline

    assert sum(each["seconds"] for each in deadline["counted"]) == deadline["allowance_seconds"]
    assert datetime.fromisoformat(deadline["due"]) == WEDNESDAY + timedelta(days=1)
    assert found.order["due_at"] == deadline["due"]
    assert found.proposals[0]["chosen"] == deadline["due"]


def test_a_stranger_can_check_the_audit_entries(shop: Desk) -> None:
    """From the provider's JSON alone: each entry's hash follows from its content, its number and its predecessor's."""
    number, _ = full(shop)
    told = json.loads(evidence.as_json(evidence.bundle(number, None)))

    assert told["number"] == number
    assert len(told["audit"]) > 8
    for entry in told["audit"]:
        assert link(bytes.fromhex(entry["previous"]), entry["seq"], entry["entry"]).hex() == entry["hash"]
    actions = [entry["entry"]["action"] for entry in told["audit"]]
    for action in ("order.placed", "ticket.paused", "order.time_chosen", "order.begun", "run.succeeded", "order.done"):
        assert action in actions


@pytest.mark.requirement("P-1")
def test_a_clients_copy_counts_nothing_of_others(shop: Desk) -> None:
    """No place in the trail and no row number, which would tell how much others did; by hash the whole one has it."""
    number, found = full(shop)
    mail = MailIn.objects.create(
        digest="1" * 64, raw=b"x", size=1, via="smtp", envelope_to=[], from_address="e@e.example", received_at=MONDAY
    )
    tickets.joined_by_mail(f"T{number[1:]}", mail.pk, "noch etwas", contact=None, now=shop.clock.time)
    while audit.link_pending():
        pass
    told = json.loads(evidence.as_json(evidence.bundle(number, shop.people.client.pk)))
    whole = json.loads(evidence.as_json(evidence.bundle(number, None)))

    assert [entry["hash"] for entry in told["audit"]] == [entry["hash"] for entry in whole["audit"]]
    assert all(set(entry) == {"entry", "hash"} and "client" not in entry["entry"] for entry in told["audit"])
    (joined,) = [entry["entry"] for entry in told["audit"] if entry["entry"]["action"] == "ticket.mail_joined"]
    assert opened("mail_in", joined["payload"]["mail"]) == mail.pk
    text, _ = text_of(evidence.as_pdf(found))
    assert all(contains(text, entry["hash"]) for entry in found.audit)
    assert contains(text, "zählen auch Einträge über andere")


@pytest.mark.requirement("P-1")
def test_nothing_secret_and_nothing_internal_is_in_it(shop: Desk) -> None:
    """Redacted headers, no bodies, no internal notes; what another client has done is not there."""
    neighbour = clientele("Nachbarwerke", gateway="EPPC0200000002", code="")
    number, found = full(shop)
    octets = evidence.as_json(found).decode()

    assert SECRET not in octets
    assert "geheimer Inhalt" not in octets
    assert "interne Notiz" not in octets
    assert "Authorization: …" in octets
    assert "Nachbarwerke" not in octets
    foreign, unknown = (_refused(n, neighbour.client.pk) for n in (number, "A-000000000"))
    assert foreign.code == unknown.code == "order.unknown"
    assert foreign.text("de").replace(number, "#") == unknown.text("de").replace("A-000000000", "#")


def _refused(number: str, client: int) -> Refusal:
    with pytest.raises(Refusal) as caught:
        evidence.bundle(number, client)
    return caught.value


def test_a_failed_and_a_fresh_order_have_evidence_too(shop: Desk) -> None:
    """Reason and side at fault of a failure; an order of this minute with its open deadline and no steps."""

    def fails(run: Telling) -> Mapping[str, Any]:
        run.enter("accepted")
        raise STEP_REFUSED(gateway=DEVICE, what="Profil schreiben", status=400)

    shop.tell(fails)
    failed = evidence.bundle(shop.played(), None)
    text, _ = text_of(evidence.as_pdf(failed))
    assert contains(text, "„Profil schreiben“ mit HTTP 400 abgelehnt")
    assert contains(text, "beim Gateway")

    fresh = evidence.bundle(shop.place(), None)
    text, _ = text_of(evidence.as_pdf(fresh, "en"))
    assert (list(fresh.steps), list(fresh.exchanges), fresh.order["ended_at"]) == ([], [], None)
    assert contains(text, "waits to be sent")


def test_odd_letters_and_markup_are_shown_as_written(shop: Desk) -> None:
    """What looks like markup stays text; letters of Europe are shown, what no font has breaks nothing."""
    number = shop.place(gateway=DEVICE, reason="<b>&amp; Łódź, Čapek, Şahin – 10 € 漢")
    text, _ = text_of(evidence.as_pdf(evidence.bundle(number, None)))

    assert contains(text, "<b>&amp; Łódź, Čapek, Şahin – 10 €")


def test_mails_show_where_they_stand(shop: Desk) -> None:
    """Queued, sent, failed: in words."""
    number = shop.played()
    MailOut.objects.filter(kind="order.placed", language="de").update(state="sent", sent_at=shop.clock.time)
    MailOut.objects.filter(kind="order.placed", language="en").update(state="failed", failure="550 unbekannt")
    found = evidence.bundle(number, None)

    assert [mail["state"] for mail in found.mails] == ["sent", "failed", "queued", "queued"]
    text, _ = text_of(evidence.as_pdf(found))
    assert contains(text, "nicht zustellbar")
