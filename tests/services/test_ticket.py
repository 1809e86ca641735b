"""Tickets: whose turn it is, what the client sees, and a deadline that follows from the audit trail alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clientele import MONDAY, Clientele, clientele, staff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_desk import Desk, desk

from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.kernel.ticket_state import TicketVerb
from torwart.kernel.words import Words
from torwart.processes.definition import process
from torwart.rules.service_time import deadline, service_time
from torwart.services import ticket as tickets
from torwart.services import ticket_clock
from torwart.store.models import AuditEntry, MailIn, MailOut, Ticket, User

HOUR = timedelta(hours=1)


@pytest.fixture
def people(db: None) -> Clientele:
    return clientele()


@pytest.fixture
def operator(people: Clientele) -> User:
    return staff("Anna", Role.OPERATOR)


@pytest.fixture
def number(people: Clientele) -> str:
    """A question of the client's, asked on Monday at ten."""
    return tickets.open_question(
        client=people.client.pk,
        contact=people.first.pk,
        subject="Wann kommt\r\nder Monteur?",
        text="Bitte um Auskunft.",
        author="Erika Muster",
        now=MONDAY,
    )


def ticket(number: str) -> Ticket:
    return Ticket.objects.get(number=number)


def refused(do: Callable[[], Any]) -> str:
    with pytest.raises(Refusal) as caught:
        do()
    return caught.value.code


def possibly(do: Callable[[], Any]) -> str:
    """The code of the refusal, or ``""`` if it was done."""
    try:
        do()
    except Refusal as refusal:
        return refusal.code
    return ""


def mail_in(text: str = "raw") -> MailIn:
    return MailIn.objects.create(
        digest=text.ljust(64, "0"),
        raw=text.encode(),
        size=len(text),
        via="smtp",
        received_at=MONDAY,
        message_id=f"<{text}@kunde.example>",
        from_address="fremd@kunde.example",
    )


# --- the clock --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("T-4", "C-2")
def test_a_question_is_due_within_24_service_hours(number: str) -> None:
    """Opened on Monday at ten: 7 + 9 + 8 hours, Wednesday at four; the subject is one line."""
    row = ticket(number)

    assert row.due_at == datetime(2026, 6, 3, 14, tzinfo=UTC)
    assert row.subject == "Wann kommt der Monteur?"
    assert tickets.clock(number).due == row.due_at


@pytest.mark.requirement("T-5")
def test_the_clock_rests_while_the_client_is_asked(number: str, operator: User) -> None:
    """Asked at eleven, answered the next day at nine: seven service hours do not count, and the reason was shown."""
    tickets.ask_client(number, "Welches Gerät meinen Sie?", user=operator.pk, now=MONDAY + HOUR)
    asked = ticket(number)
    assert (asked.state, asked.waiting_reason, asked.due_at) == ("waiting_client", "Welches Gerät meinen Sie?", None)

    tickets.resume(number, actor="user:x", now=MONDAY + 23 * HOUR)
    row = ticket(number)
    assert (row.state, row.waiting_reason) == ("open", "")
    assert row.due_at == deadline(MONDAY, 24 + 7)
    rows = AuditEntry.objects.filter(subject=f"ticket:{number}").order_by("id").values_list("action", "payload")
    paused = next(payload for action, payload in rows if action == "ticket.paused")
    assert paused["reason"] == "Welches Gerät meinen Sie?"
    assert [action for action, _ in rows] == ["ticket.opened", "ticket.paused", "ticket.resumed"]


@pytest.mark.requirement("T-5")
def test_waiting_for_a_device_does_not_pause(db: None, people: Clientele) -> None:
    """The clock runs while a device or the agreed time is waited for."""
    shop_number = tickets.open_question(client=None, contact=None, subject="x", text="y", now=MONDAY)
    row = ticket(shop_number)
    due = row.due_at
    tickets.wait_on(row, TicketVerb.AWAIT_DEVICE, Words("a", "b"), actor="x", now=MONDAY + HOUR)
    assert ticket(shop_number).due_at == due
    tickets.resume(shop_number, actor="x", now=MONDAY + 2 * HOUR)
    assert ticket(shop_number).due_at == due == tickets.clock(shop_number).due


STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "reply", "resume", "resolve", "reopen", "reschedule"]), st.integers(0, 3000)),
    max_size=8,
)


@pytest.mark.requirement("T-5")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_deadline_follows_from_the_audit_trail_alone(people: Clientele, steps: list[tuple[str, int]]) -> None:
    """Whatever happens to a ticket in whatever order: the due time of its row is what the trail alone gives, and the
    clock rests exactly while the row has none.
    """
    anna = User.objects.filter(name="Anna").first() or staff("Anna", Role.OPERATOR)
    number = tickets.open_question(client=people.client.pk, contact=None, subject="x", text="y", now=MONDAY)
    now = MONDAY
    verbs: dict[str, Callable[[], Any]] = {
        "ask": lambda: tickets.ask_client(number, "?", user=anna.pk, now=now),
        "reply": lambda: tickets.add_message(number, "!", client=people.client.pk, author="E", actor="user:e", now=now),
        "resume": lambda: tickets.resume(number, actor="x", now=now),
        "resolve": lambda: tickets.resolve(None, number, "gut", user=anna.pk, now=now),  # type: ignore[arg-type]
        "reopen": lambda: tickets.reopen(number, actor="x", now=now),
        "reschedule": lambda: tickets.reschedule(ticket(number), now + timedelta(days=9), actor="x", now=now),
    }
    for verb, minutes in steps:
        now += timedelta(minutes=minutes)
        assert possibly(verbs[verb]) in ("", "state.not_allowed", "ticket.over")
        assert ticket(number).due_at == ticket_clock.timing(number).due
    row, timing = ticket(number), ticket_clock.timing(number)
    assert (row.due_at is None) == (timing.clock.resting is not None)
    counted = sum((each.length for each in timing.clock.counted()), timedelta(0))
    if row.due_at is not None and timing.requested_at is None:
        assert counted == timing.clock.allowance
    for pause in timing.clock.pauses:
        end = pause.end or now + timedelta(days=99)
        assert all(each.end <= pause.begin or each.begin >= end for each in timing.clock.counted())


@pytest.mark.requirement("T-4")
def test_a_planned_ticket_is_due_at_its_time_and_moves_by_the_pause() -> None:
    """The promised instant counts, also outside service hours; what the client was waited for is added."""
    friday_night = datetime(2026, 6, 5, 20, tzinfo=UTC)
    timing = ticket_clock.Timing.begin(MONDAY, friday_night)
    assert timing.due == friday_night

    noon = datetime(2026, 6, 3, 10, tzinfo=UTC)
    timing = ticket_clock.Timing.begin(MONDAY, noon).pause(MONDAY + HOUR, "?")
    assert timing.due is None
    assert timing.resume(MONDAY + 3 * HOUR).due == noon + 2 * HOUR


def test_what_no_entry_opened_has_no_clock() -> None:
    """A trail that does not begin with the opening is not guessed at."""
    with pytest.raises(ValueError, match="opened"):
        ticket_clock.rebuild([(MONDAY, "ticket.paused", {"reason": "x"})])


# --- conversation -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-2")
def test_an_answer_is_mailed_and_stops_the_first_answer_watch(number: str, operator: User, people: Clientele) -> None:
    """To whoever asked, with the ticket in the subject, in the thread of their mail; the first answer's time stays."""
    mail = mail_in("frage")
    MailIn.objects.filter(pk=mail.pk).update(ticket=ticket(number))
    tickets.answer(number, "Am Dienstag.", user=operator.pk, now=MONDAY + HOUR)
    tickets.answer(number, "Um neun.", user=operator.pk, now=MONDAY + 2 * HOUR)

    first, _second = MailOut.objects.order_by("id")
    assert (first.contact, first.kind) == (people.first, "ticket.answer")
    assert first.subject.startswith(f"[#{number}]")
    assert first.references == ["<frage@kunde.example>"]
    assert "Am Dienstag." in first.text
    assert "Op Anna" in first.text
    assert ticket(number).first_answer_at == MONDAY + HOUR


@pytest.mark.requirement("P-1", "C-2")
def test_a_stranger_is_answered_without_secrets(operator: User) -> None:
    """A sender we do not know gets the answer to the address it wrote from; nothing is secure about it."""
    mail = mail_in("fremd")
    number = tickets.open_question(
        client=None, contact=None, subject="?", text="wer sind Sie", mail_in=mail.pk, author="f", now=MONDAY
    )
    MailIn.objects.filter(pk=mail.pk).update(ticket=ticket(number))
    tickets.answer(number, "Wir sind Torwart.", user=operator.pk, now=MONDAY)
    out = MailOut.objects.get()

    assert (out.address, out.secure, out.client_id) == ("fremd@kunde.example", False, None)


@pytest.mark.requirement("C-2", "T-5")
def test_a_reply_joins_and_wakes_the_ticket(number: str, operator: User, people: Clientele) -> None:
    """The reply stands in the history with its mail; the ticket that waited for it goes on; a resolved one opens."""
    tickets.ask_client(number, "Welches?", user=operator.pk, now=MONDAY + HOUR)
    mail = mail_in("antwort")
    tickets.joined_by_mail(number, mail.pk, "Das am Bahnhof.", contact=people.first.pk, now=MONDAY + 2 * HOUR)
    assert ticket(number).state == "open"
    line = ticket(number).entries.filter(kind="message_in").last()
    assert line is not None
    assert (line.mail_in, line.de) == (mail, "Das am Bahnhof.")

    tickets.resolve(None, number, "Erledigt.", user=operator.pk, now=MONDAY + 3 * HOUR)  # type: ignore[arg-type]
    assert ticket(number).resolved_at == MONDAY + 3 * HOUR
    tickets.joined_by_mail(number, mail_in("noch").pk, "Doch nicht.", contact=None, now=MONDAY + 4 * HOUR)
    again = ticket(number)
    assert (again.state, again.resolved_at, again.due_at) == ("open", None, deadline(MONDAY + 4 * HOUR, 24))


@pytest.mark.requirement("C-3")
def test_a_call_and_a_note_are_kept(number: str, operator: User) -> None:
    """Caller, time and text of a call; a note the client does not see."""
    tickets.call(number, "Erika  Muster", MONDAY - HOUR, "Fragt nach dem Stand.", user=operator.pk, now=MONDAY)
    tickets.note(number, "Kennt sich gut aus.", user=operator.pk, now=MONDAY)
    call, note = ticket(number).entries.order_by("id")[1:]

    assert (call.kind, call.author, call.at, call.de) == (
        "call",
        "Erika Muster",
        MONDAY - HOUR,
        "Fragt nach dem Stand.",
    )
    assert (note.kind, note.internal, call.internal) == ("note", True, False)
    assert not MailOut.objects.exists()


@pytest.mark.requirement("C-2")
def test_nobody_talks_where_nobody_listens(number: str, operator: User, people: Clientele) -> None:
    """A resolved question opens again with the client's word; a closed one refuses it and says where to ask."""
    client, erika = people.client.pk, {"author": "E", "actor": "user:e"}
    tickets.resolve(None, number, "gut", user=operator.pk, now=MONDAY)  # type: ignore[arg-type]
    tickets.add_message(number, "nein", client=client, now=MONDAY, **erika)
    assert ticket(number).state == "open"
    tickets.resolve(None, number, "gut", user=operator.pk, now=MONDAY)  # type: ignore[arg-type]
    tickets.close(number, actor="user:x", now=MONDAY)
    assert refused(lambda: tickets.add_message(number, "doch", client=client, now=MONDAY, **erika)) == "ticket.over"


def test_words_that_say_nothing_are_refused(number: str, operator: User) -> None:
    """Empty, far too long or with a NUL: refused, and nothing is written."""
    before = ticket(number).entries.count()
    for text in (" ", "x" * (tickets.LONGEST_TEXT + 1), "a\x00b"):
        assert refused(lambda text=text: tickets.answer(number, text, user=operator.pk, now=MONDAY)) == "ticket.text"
    assert ticket(number).entries.count() == before


# --- work -------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P-2")
def test_only_an_active_operator_takes_a_ticket(number: str, operator: User, people: Clientele) -> None:
    """Given, given back; a client's person, an auditor or one who has left is refused."""
    tickets.assign(number, operator.pk, actor="user:x", now=MONDAY)
    assert ticket(number).assignee == operator
    tickets.assign(number, None, actor="user:x", now=MONDAY)
    assert ticket(number).assignee is None
    gone = staff("Weg", Role.OPERATOR)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for other in (people.user, staff("Paul", Role.AUDITOR), gone):
        assert refused(lambda other=other: tickets.assign(number, other.pk, actor="x", now=MONDAY)) == "ticket.assignee"


@pytest.mark.requirement("O-5", "M-2")
def test_effort_adds_up_with_its_reasons(number: str, operator: User) -> None:
    """Minutes are summed, each entry is seen by the client and stands in the audit trail."""
    tickets.bill(number, 15, "Falsche SMGW-ID", user=operator.pk, now=MONDAY)
    tickets.bill(number, 30, "Noch eine falsche SMGW-ID", user=operator.pk, now=MONDAY)
    row = ticket(number)

    assert (row.billable_minutes, row.billable_reason) == (45, "Noch eine falsche SMGW-ID")
    assert row.entries.filter(kind="event", internal=False, de__contains="15 Minuten. Falsche SMGW-ID").exists()
    assert AuditEntry.objects.filter(action="ticket.billed").count() == 2
    for minutes, reason in ((0, "x"), (-5, "x"), (10**6, "x"), (5, " ")):
        assert (
            refused(lambda m=minutes, r=reason: tickets.bill(number, m, r, user=operator.pk, now=MONDAY))
            == "ticket.effort"
        )


@pytest.mark.requirement("M-2")
def test_the_ticket_of_a_running_order_ends_with_it(own_database: str) -> None:
    """An operator cannot resolve what its run decides; the ticket stays open and says so."""
    shop: Desk = desk()
    shop.tell(lambda run: (run.enter("accepted"), run.wait_for("never", "x", lambda: None, seconds=9e4))[1] or {})
    number = shop.played()
    anna = staff("Anna", Role.OPERATOR)
    ticket_number = f"T{number[1:]}"

    assert (
        refused(lambda: tickets.resolve(shop.engine, ticket_number, "x", user=anna.pk, now=shop.clock.time))
        == "ticket.of_order"
    )
    assert process("incident").unattended is False


def test_an_incident_is_told_to_the_client_with_what_is_known(people: Clientele) -> None:
    """Each contact reads it in its language; without anything to say nobody is written to."""
    rows = ((Words("Betroffen", "Affected"), Words("3 Gateways", "3 gateways")),)
    number = tickets.open_incident(
        client=people.client.pk, subject="Störung WAN", text="Kein Kontakt", now=MONDAY, actor="watch", rows=rows
    )
    german, english = MailOut.objects.order_by("id")
    assert (german.kind, ticket(number).kind) == ("ticket.incident", "incident")
    assert "Betroffen:  3 Gateways" in german.text
    assert "Affected:  3 gateways" in english.text
    tickets.open_incident(client=people.client.pk, subject="x", text="y", now=MONDAY, actor="watch")
    assert MailOut.objects.count() == 2


@pytest.mark.requirement("O-3")
def test_letters_about_an_order_name_its_process_in_the_readers_language(own_database: str) -> None:
    """A question within an order goes to all contacts, each reading order number and process in its language."""
    shop = desk()
    number = shop.place()
    anna = staff("Anna", Role.OPERATOR)
    tickets.ask_client(f"T{number[1:]}", "Welches?", user=anna.pk, now=shop.clock.time)
    german, english = MailOut.objects.filter(kind="ticket.question").order_by("id")

    assert f"Rückfrage zu {number}, Kommunikationstest" in german.subject
    assert f"A question about {number}, Connectivity test" in english.subject


@pytest.mark.requirement("P-1")
@pytest.mark.parametrize("number", ["T-000000000", "", "A-1", "x" * 500, "T-12345678\x00"])
def test_a_number_nobody_has_is_unknown(people: Clientele, operator: User, number: str) -> None:
    """Nonsense, a wrong check digit and a free number are refused alike."""
    assert refused(lambda: tickets.answer(number, "x", user=operator.pk, now=MONDAY)) == "ticket.unknown"


@pytest.mark.requirement("T-2", "T-5")
def test_service_time_is_the_clocks_only_measure(number: str, operator: User) -> None:
    """A pause over a weekend takes nothing from the deadline but its service hours."""
    friday, monday = MONDAY + timedelta(days=4, hours=6), MONDAY + timedelta(days=7)
    tickets.ask_client(number, "?", user=operator.pk, now=friday)
    tickets.resume(number, actor="x", now=monday)
    clock = tickets.clock(number)

    assert service_time(friday, monday) == timedelta(hours=1 + 2)
    assert clock.used(monday) == service_time(MONDAY, friday)
