"""Orders: one transaction for order, ticket, mail and run; taken back, moved, cancelled, ended together."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from clientele import CODE, DEVICE, MONDAY, clientele, staff
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from order_desk import RESULT, Desk, desk, well

from torwart.adapters.engine import Tuning
from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.gateway import GATEWAY_NOT_CONNECTED
from torwart.kernel.refusals.process import CLOCK_OFF, GATEWAY_UNKNOWN, STEP_REFUSED
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.processes import ending, ordering
from torwart.processes.telling import Patience, Telling
from torwart.services import interface
from torwart.services import order as orders
from torwart.services import run as runs
from torwart.services import ticket as tickets
from torwart.store.models import AuditEntry, Gateway, MailOut, Order, Proposal, Run, Step, Ticket
from torwart.store.queries import operation

TUESDAY = MONDAY + timedelta(days=1, hours=2)
"""Noon in Berlin: eleven service hours after MONDAY."""
WEDNESDAY = MONDAY + timedelta(days=2, hours=2)


@pytest.fixture
def shop(own_database: str) -> Desk:
    return desk()


def refused(do: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        do()
    return caught.value


def flat(mail: MailOut) -> str:
    """The text without line ends, which fall anywhere."""
    return " ".join(mail.text.replace("\n> ", " ").split())


def actions(subject: str) -> list[str]:
    return list(AuditEntry.objects.filter(subject=subject).order_by("id").values_list("action", flat=True))


# --- placing ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("O-2")
def test_placing_writes_everything_at_once(shop: Desk) -> None:
    """Order and ticket share their digits; the run sleeps; entry, audit and a mail to each contact are there."""
    number = shop.place()
    order = shop.order(number)

    assert order.ticket.number == "T" + number[1:]
    assert shop.states(number) == ("submitted", "open", "received")
    assert order.starts_at == order.withdrawable_until == MONDAY + timedelta(seconds=60)
    assert (order.planned, order.participant, order.reference) == (False, CODE, "B-17")
    assert order.due_at == datetime(2026, 6, 3, 14, tzinfo=UTC)  # 24 service hours: 7 + 9 + 8, Wednesday 16:00
    assert order.ticket.due_at == order.due_at
    assert order.ticket.entries.get().author == "Erika Muster"
    assert actions(f"order:{number}") == ["order.placed"]
    assert actions(f"ticket:{order.ticket.number}") == ["ticket.opened"]
    view = shop.engine.view(str(order.run.run_id))
    assert view is not None
    assert view.story == "connectivity_test"


@pytest.mark.requirement("O-2")
def test_the_confirmation_repeats_every_field(shop: Desk) -> None:
    """Each contact reads in its language all that was entered, the number in the subject, the due time, the link."""
    number = shop.place()
    order = shop.order(number)
    german, english = MailOut.objects.order_by("id")

    assert (german.language, english.language) == ("de", "en")
    assert german.subject.startswith(f"[#{order.ticket.number}] Auftrag {number} eingegangen")
    for mail, at in ((german, 0), (english, 1)):
        assert mail.secure
        for row in order.summary:
            assert row[at] in flat(mail)
            assert row[2 + at] in flat(mail)
            assert row[2 + at] in mail.html
        assert "03.06.2026 16:00" in flat(mail)
        assert f"/portal/auftraege/{number}" in flat(mail)
    values = {row[2] for row in order.summary}
    assert {"Kommunikationstest", "Erika Muster", CODE, "B-17", "bitte vormittags", DEVICE, "Neubau"} <= values


@pytest.mark.requirement("O-2")
def test_what_fails_within_placing_leaves_nothing(shop: Desk) -> None:
    """One transaction: if the run cannot be spawned there is no order, no ticket, no mail, no audit entry."""
    before = AuditEntry.objects.count()

    class Away(Exception):
        pass

    def broken(*_: Any, **__: Any) -> None:
        raise Away

    shop.engine.spawn = broken  # type: ignore[method-assign]
    with pytest.raises(Away):
        shop.place()

    assert (Order.objects.count(), Ticket.objects.count(), MailOut.objects.count(), Run.objects.count()) == (0,) * 4
    assert AuditEntry.objects.count() == before


@pytest.mark.requirement("O-4")
def test_two_at_once_become_one_order(shop: Desk) -> None:
    """Two contacts order the same process for the same gateway at the same moment: one order, one named refusal."""
    answers: list[str] = []
    together = threading.Barrier(2)

    def order() -> None:
        together.wait()
        try:
            shop.place()
            answers.append("placed")
        except Refusal as refusal:
            answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=order) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == ["order.open", "placed"]
    assert Order.objects.count() == Run.objects.count() == Ticket.objects.count() == 1


@pytest.mark.requirement("O-4")
def test_who_comes_second_is_refused_and_its_transaction_goes_on(shop: Desk) -> None:
    """The second order waits for the first one's commit, is refused by name, and takes nothing else along."""
    placed, commit = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            shop.place()
            placed.set()
            commit.wait(10)
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert placed.wait(10)
    with transaction.atomic():
        threading.Timer(0.3, commit.set).start()
        assert refused(shop.place).code == "order.open"
        assert Order.objects.count() == Run.objects.count() == Ticket.objects.count() == 1
    thread.join()


def test_a_placed_order_and_a_key_are_found_by_their_own_index(shop: Desk) -> None:
    """Plans live as long as a connection: made while tables are small they must not walk a client's rows for ever."""
    number = shop.place()
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        assert operation.find(shop.people.orderer.client, number, MONDAY) is not None
        interface.once(shop.people.orderer.client, "key", "0" * 64, lambda: interface.Answer(202, "{}"), now=MONDAY)
    asked = [query["sql"] for query in captured if "store_order" in query["sql"] or "SELECT digest" in query["sql"]]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for sql in asked:
            cursor.execute(f"EXPLAIN {sql}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))

    by_number, by_key = plans
    assert "store_order_number" in by_number
    assert " order_client" not in by_number
    assert " idempotency_key " in by_key


def test_placing_takes_few_statements(shop: Desk) -> None:
    """How many round trips an order costs is known and does not grow unseen (performance)."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        shop.place()

    assert len(captured) <= 12, [query["sql"][:90] for query in captured]


# --- beginning --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("O-10")
def test_nothing_begins_before_the_minute_is_over(shop: Desk) -> None:
    """For 60 s no step is entered; then the run takes its gateway and tells its story to the end."""
    number = shop.place()
    shop.on(seconds=59)
    assert shop.states(number) == ("submitted", "open", "received")
    assert not Step.objects.exists()

    shop.on(seconds=1)
    assert shop.states(number) == ("done", "resolved", "succeeded")


@pytest.mark.requirement("O-3")
def test_the_result_is_mailed_with_what_was_done(shop: Desk) -> None:
    """Order and process are named, the result stands in the process' words, the steps done are listed."""
    number = shop.played()
    mail = shop.mails("order.done")[0]

    assert number in mail.subject
    assert "Kommunikationstest" in mail.subject
    assert "alles gut" in flat(mail)
    assert "[x] Verbindung und Gerätestatus" in flat(mail)
    assert shop.order(number).result["result"] == {"light": "green", "text": {"de": "alles gut", "en": "all well"}}
    assert actions(f"order:{number}") == ["order.placed", "order.begun", "order.done"]


@pytest.mark.requirement("T-3")
def test_a_planned_order_waits_for_its_time(shop: Desk) -> None:
    """Twelve service hours ahead: confirmed after a minute with a mail, begun at the requested time, not before."""
    number = shop.place(requested=WEDNESDAY)
    assert shop.order(number).planned
    shop.on(seconds=61)
    order = shop.order(number)
    assert shop.states(number) == ("accepted", "waiting_time", "received")
    assert order.run.waiting_for == "time"
    assert order.run.next_attempt_at == WEDNESDAY
    assert "03.06.2026 12:00" in flat(shop.mails("order.accepted")[0])
    assert order.ticket.due_at == WEDNESDAY

    shop.clock.time = WEDNESDAY - timedelta(seconds=1)
    shop.work()
    assert shop.states(number)[0] == "accepted"
    shop.on(seconds=1)
    assert shop.states(number) == ("done", "resolved", "succeeded")


@pytest.mark.requirement("T-4")
def test_an_unplanned_order_does_not_begin_before_its_wish(shop: Desk) -> None:
    """Inside the twelve hours it is unplanned, but still not begun before the time that was asked for."""
    number = shop.place(requested=MONDAY + timedelta(hours=3))
    assert not shop.order(number).planned
    shop.on(hours=2)
    assert shop.states(number)[0] == "accepted"
    shop.on(hours=1)
    assert shop.states(number)[0] == "done"


@pytest.mark.requirement("O-8")
def test_a_busy_gateway_is_waited_for(shop: Desk) -> None:
    """While another run has the gateway the order waits visibly and begins when it is free."""
    other = runs.order(
        shop.engine, code="P16", story="connectivity_test", gateway=DEVICE, fields={}, actor="test", queue="wave"
    )
    number = shop.played()
    assert shop.states(number) == ("accepted", "waiting_device", "received")
    run = shop.order(number).run
    assert (run.waiting_for, run.code) == ("device", "process.gateway_busy")
    assert other in run.failure
    assert shop.ticket(number).due_at is not None  # waiting for the device does not stop the clock (T-5)

    runs.cancel(shop.engine, other, actor="test", reason="test")
    shop.on(minutes=1)
    assert shop.states(number) == ("done", "resolved", "succeeded")
    assert shop.order(number).run.failure == ""


@pytest.mark.requirement("O-4", "O-6")
def test_preconditions_are_asked_again_at_the_beginning(shop: Desk) -> None:
    """What was met when ordering and is not when the work would begin refuses the order, with the reason by mail."""
    gone: list[Refusal] = []
    shop.tell(well, unmet=lambda gateway, fields, now: list(gone))
    number = shop.place()
    gone.append(GATEWAY_UNKNOWN(gateway=DEVICE))
    shop.on(seconds=61)

    assert shop.states(number) == ("refused", "resolved", "refused")
    mail = shop.mails("order.refused")[0]
    assert "abgelehnt" in mail.subject
    assert "Ist der Lieferschein importiert?" in flat(mail)
    assert not Step.objects.exists()
    assert Gateway.objects.get().state == "operational"


# --- taking back ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("O-10")
def test_withdrawn_within_the_minute(shop: Desk) -> None:
    """Nothing has begun, nothing ever does: order, ticket and run are over, the mail says who took it back."""
    number = shop.place()
    shop.clock.on(seconds=59)
    orders.withdraw(
        shop.engine, number, client=shop.people.client.pk, actor=shop.people.orderer.actor, now=shop.clock.time
    )
    shop.on(hours=1)

    assert shop.states(number) == ("withdrawn", "resolved", "cancelled")
    assert not Step.objects.exists()
    mail = shop.mails("order.withdrawn")[0]
    assert "Erika Muster" in flat(mail)
    assert actions(f"order:{number}") == ["order.placed", "order.withdrawn"]
    again = shop.place()  # the gateway takes orders of this process again
    assert again != number


@pytest.mark.requirement("O-10")
def test_after_the_minute_only_cancelling_is_left(shop: Desk) -> None:
    """Withdrawing too late is refused and points to cancelling."""
    number = shop.place()
    shop.clock.on(seconds=60)
    late = refused(
        lambda: orders.withdraw(shop.engine, number, client=shop.people.client.pk, actor="x", now=shop.clock.time)
    )

    assert late.code == "order.grace_over"
    assert "stornieren" in late.text("de")


def _stops_at(step: str) -> Callable[[Telling], Mapping[str, Any]]:
    def tell(run: Telling) -> Mapping[str, Any]:
        run.enter("accepted")
        run.enter("connection")
        if step != "connection":
            run.enter(step)
        run.wait_for("never", "never", lambda: None, seconds=86400)
        return RESULT

    return tell


@pytest.mark.requirement("O-10")
def test_cancelling_says_what_stays_done(shop: Desk) -> None:
    """The step that was finished stays and is named in answer and mail; the run goes no further."""
    freed: list[tuple[str, str]] = []
    shop.tell(_stops_at("meters"))
    number = shop.played()
    assert shop.states(number) == ("in_progress", "open", "running")
    run_id = str(shop.order(number).run.run_id)
    stays = orders.cancel(
        shop.engine,
        number,
        client=shop.people.client.pk,
        actor=shop.people.orderer.actor,
        reason="Einbau verschoben",
        now=shop.clock.time,
        free=lambda *named: freed.append(named),
        not_from="verdict",
    )
    shop.on(days=2)

    assert stays == [Words("Verbindung und Gerätestatus", "Connection and device status")]
    assert freed == [(run_id, DEVICE)]
    assert shop.states(number) == ("cancelled", "resolved", "cancelled")
    text = flat(shop.mails("order.cancelled")[0])
    assert "Einbau verschoben" in text
    assert "- Verbindung und Gerätestatus" in text
    assert "Auftrag angenommen" not in text  # leaves nothing behind
    assert "Zähler" not in text
    assert [step.state for step in Step.objects.order_by("position")] == ["done", "done", "failed"]


@pytest.mark.requirement("O-10")
def test_what_must_be_finished_cannot_be_cancelled(shop: Desk) -> None:
    """From the process' point of no return on cancelling is refused, names the step, and changes nothing."""
    shop.tell(_stops_at("connection"))
    number = shop.played()

    def cancel() -> object:
        return orders.cancel(
            shop.engine,
            number,
            client=None,
            actor="user:op",
            reason="doch nicht",
            now=shop.clock.time,
            free=None,
            not_from="connection",
        )

    no = refused(cancel)
    assert no.code == "order.not_cancellable"
    assert "Verbindung und Gerätestatus" in no.text("de")
    assert shop.states(number)[0] == "in_progress"
    view = shop.engine.view(str(shop.order(number).run.run_id))
    assert view is not None
    assert view.state == "sleeping"


@pytest.mark.requirement("O-10")
def test_a_run_cancelled_by_an_operator_takes_its_order_along(shop: Desk) -> None:
    """Whoever cancels a run that belongs to an order cancels the order: ticket and client hear of it."""
    shop.tell(_stops_at("connection"))
    number = shop.played()

    assert ending.cancel(shop.engine, str(shop.order(number).run.run_id), actor="user:op", reason="Wartung")
    assert shop.states(number) == ("cancelled", "resolved", "cancelled")
    assert not ending.cancel(shop.engine, str(shop.order(number).run.run_id), actor="user:op", reason="noch einmal")


@pytest.mark.requirement("O-10")
def test_withdrawing_and_beginning_at_once_agree(shop: Desk) -> None:
    """Twenty times the run wakes while the client withdraws: either nothing has begun, or the client is refused."""
    client, actor = shop.people.client.pk, shop.people.orderer.actor
    for _ in range(20):
        number = shop.place()
        shop.clock.on(seconds=60)
        outcome: list[str] = []

        def withdraw(number: str = number, outcome: list[str] = outcome) -> None:
            try:
                orders.withdraw(
                    shop.engine, number, client=client, actor=actor, now=shop.clock.time - timedelta(seconds=1)
                )
                outcome.append("withdrawn")
            except Refusal as refusal:
                outcome.append(refusal.code)
            finally:
                connection.close()

        thread = threading.Thread(target=withdraw)
        thread.start()
        shop.work()
        thread.join()
        shop.work()
        order, ticket, run = shop.states(number)
        assert ticket == "resolved"
        if outcome == ["withdrawn"]:
            assert (order, run) == ("withdrawn", "cancelled")
            assert not Step.objects.filter(run__order__number=number).exists()
        else:
            assert (order, run, outcome) == ("done", "succeeded", ["state.not_allowed"])
        shop.clock.on(hours=1)


# --- another time -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("T-3", "T-6", "T-5")
def test_a_chosen_alternative_moves_the_sleeping_run(shop: Desk) -> None:
    """Proposed: the run does not begin at the old time, the clock rests. Chosen: it begins at the new one, earlier
    or later, the ticket is due then and the client has it in writing.
    """
    operator = staff("Anna", Role.OPERATOR)
    number = shop.place(requested=WEDNESDAY)
    shop.on(seconds=61)
    later, earlier = WEDNESDAY + timedelta(days=2), WEDNESDAY - timedelta(hours=1)
    orders.propose(shop.engine, number, [later, earlier], "Wartung", user=operator.pk, now=shop.clock.time)
    assert shop.states(number) == ("proposed", "waiting_client", "received")
    assert shop.ticket(number).due_at is None
    text = flat(shop.mails("order.proposed")[0])
    assert "Wartung" in text
    assert "03.06.2026 11:00" in text
    assert "05.06.2026 12:00" in text

    shop.clock.time = WEDNESDAY + timedelta(hours=1)
    shop.work()
    assert shop.states(number)[0] == "proposed"

    client = shop.people.client.pk
    wrong = refused(
        lambda: orders.choose(shop.engine, number, WEDNESDAY, client=client, actor="x", now=shop.clock.time)
    )
    assert wrong.code == "order.time_not_proposed"
    past = refused(lambda: orders.choose(shop.engine, number, earlier, client=client, actor="x", now=shop.clock.time))
    assert past.code == "service_time.in_the_past"
    orders.choose(shop.engine, number, later, client=client, actor=shop.people.orderer.actor, now=shop.clock.time)
    order = shop.order(number)
    assert (order.state, order.requested_at, order.starts_at, order.due_at) == ("accepted", later, later, later)
    assert shop.ticket(number).due_at == later
    assert order.run.next_attempt_at == later
    assert Proposal.objects.get().chosen == later
    assert "05.06.2026 12:00" in flat(shop.mails("order.accepted")[-1])

    shop.clock.time = later - timedelta(seconds=1)
    shop.work()
    assert shop.states(number)[0] == "accepted"
    shop.on(seconds=1)
    assert shop.states(number) == ("done", "resolved", "succeeded")


@pytest.mark.requirement("T-3")
def test_an_earlier_alternative_wakes_the_run_early(shop: Desk) -> None:
    """The run that sleeps until Friday follows when the client takes Wednesday."""
    operator = staff("Anna", Role.OPERATOR)
    number = shop.place(requested=WEDNESDAY + timedelta(days=2))
    shop.on(seconds=61)
    orders.propose(shop.engine, number, [WEDNESDAY], "Früher frei", user=operator.pk, now=shop.clock.time)
    shop.on(minutes=5)
    orders.choose(shop.engine, number, WEDNESDAY, client=shop.people.client.pk, actor="x", now=shop.clock.time)
    shop.work()
    shop.clock.time = WEDNESDAY
    shop.work()

    assert shop.states(number) == ("done", "resolved", "succeeded")


@pytest.mark.requirement("T-3")
def test_the_client_may_answer_instead(shop: Desk) -> None:
    """No time suits: the answer stands on the ticket, the clock runs again, and other times can be proposed."""
    operator = staff("Anna", Role.OPERATOR)
    number = shop.place(requested=WEDNESDAY)
    shop.on(seconds=61)
    orders.propose(shop.engine, number, [WEDNESDAY + timedelta(days=2)], "x", user=operator.pk, now=shop.clock.time)
    orders.decline(
        number, "Lieber Montag.", client=shop.people.client.pk, author="Erika Muster", actor="x", now=shop.clock.time
    )

    assert shop.states(number)[:2] == ("proposed", "open")
    assert shop.ticket(number).entries.filter(kind="message_in").get().de == "Lieber Montag."
    gone = refused(
        lambda: orders.choose(
            shop.engine, number, WEDNESDAY, client=shop.people.client.pk, actor="x", now=shop.clock.time
        )
    )
    assert gone.code == "order.nothing_proposed"
    orders.propose(shop.engine, number, [WEDNESDAY + timedelta(days=5)], "x", user=operator.pk, now=shop.clock.time)
    assert shop.states(number)[1] == "waiting_client"


@pytest.mark.requirement("T-5")
def test_times_nobody_can_keep_are_not_proposed(shop: Desk) -> None:
    """No time, too many, or one in the past is refused."""
    operator = staff("Anna", Role.OPERATOR)
    number = shop.place()
    for times in ([], [WEDNESDAY] * 6, [MONDAY - timedelta(hours=1)]):
        no = refused(
            lambda times=times: orders.propose(shop.engine, number, times, "x", user=operator.pk, now=shop.clock.time)
        )
        assert no.code == "order.no_times"


# --- ends -------------------------------------------------------------------------------------------------------------

FAULTS = [
    pytest.param(lambda: STEP_REFUSED(gateway=DEVICE, what="x", status=400), "beim Gateway", id="gateway"),
    pytest.param(lambda: CLOCK_OFF(gateway=DEVICE, offset=99, limit=9, valid="nein"), "vor Ort prüfen", id="what-next"),
]


@pytest.mark.requirement("O-3")
@pytest.mark.parametrize(("fault", "said"), FAULTS)
def test_a_failure_says_why_whose_fault_and_what_next(shop: Desk, fault: Callable[[], Refusal], said: str) -> None:
    """Order, ticket and run end in one; the mail gives the reason, the side at fault and the next step."""

    def tell(run: Telling) -> Mapping[str, Any]:
        run.enter("accepted")
        run.enter("connection")
        raise fault()

    shop.tell(tell)
    number = shop.played()

    assert shop.states(number) == ("failed", "resolved", "failed")
    text = flat(shop.mails("order.failed")[0])
    assert fault().text("de") in text
    assert said in text
    assert "[!] Verbindung und Gerätestatus" in text
    order = shop.order(number)
    assert order.result["refusal"]["code"] == fault().code
    assert order.result["refusal"]["side"] == "gateway"


@pytest.mark.requirement("O-3", "P03")
def test_silence_for_a_day_is_told_to_the_client(shop: Desk) -> None:
    """While the gateway is silent the order goes on; after 24 h the client reads so once."""

    def silent(run: Telling) -> Mapping[str, Any]:
        run.enter("accepted")
        run.enter("connection")

        def act(_: Any) -> Any:
            raise GATEWAY_NOT_CONNECTED(gateway=DEVICE)

        run.at_gateway("act", act)
        return {}

    shop.patience = Patience(gateway=(3600,), gateway_total=3 * 86400)
    shop.tell(silent)
    Gateway.objects.update(wan={})
    number = shop.played()
    for _ in range(30):
        shop.on(hours=1)

    assert len(shop.mails("order.silent")) == 1
    assert DEVICE in flat(shop.mails("order.silent")[0])
    for _ in range(60):
        shop.on(hours=1)
    assert shop.states(number) == ("failed", "resolved", "failed")
    assert len(shop.mails("order.silent")) == 1
    assert shop.order(number).result["refusal"]["code"] == "process.gateway_silent"


@pytest.mark.requirement("O-3")
def test_what_the_engine_gives_up_ends_the_order_too(shop: Desk) -> None:
    """A fault of ours: order and ticket end as failed with the side ours, and the client is told."""

    def broken(run: Telling) -> Mapping[str, Any]:
        run.enter("accepted")
        raise RuntimeError("ours")

    shop.tell(broken)
    number = shop.played()
    assert shop.states(number)[0] == "in_progress"
    assert ending.end_given_up(shop.engine, shop.clock.time) == 1

    assert shop.states(number) == ("failed", "resolved", "failed")
    assert shop.order(number).result["refusal"]["side"] == "ours"
    assert "Die Ursache liegt bei uns" in flat(shop.mails("order.failed")[0])
    assert ending.end_given_up(shop.engine, shop.clock.time) == 0


@pytest.mark.requirement("O-3")
def test_an_operator_refuses_with_a_reason(shop: Desk) -> None:
    """An order that has not begun is refused for good; the client reads why, the run never begins."""
    operator = staff("Anna", Role.OPERATOR)
    number = shop.place()
    shop.clock.on(seconds=30)
    assert (
        refused(lambda: orders.refuse(shop.engine, number, " ", user=operator.pk, now=shop.clock.time)).code
        == "order.reason_missing"
    )
    orders.refuse(shop.engine, number, "Gerät ist bereits ausgebaut.", user=operator.pk, now=shop.clock.time)
    shop.on(hours=1)

    assert shop.states(number) == ("refused", "resolved", "refused")
    assert "Gerät ist bereits ausgebaut." in flat(shop.mails("order.refused")[0])
    assert not Step.objects.exists()


@pytest.mark.requirement("O-3")
def test_a_failed_order_can_be_tried_again(shop: Desk) -> None:
    """The second try is an order of its own with the same fields; a good one cannot be tried again."""

    def fails(run: Telling) -> Mapping[str, Any]:
        run.enter("accepted")
        raise STEP_REFUSED(gateway=DEVICE, what="x", status=400)

    operator = staff("Anna", Role.OPERATOR)
    shop.tell(fails)
    first = shop.played()
    shop.tell(well)
    again = ordering.again(shop.engine, first, user=operator.pk, actor="user:anna", now=shop.clock.time)
    shop.on(seconds=61)

    assert again != first
    assert shop.states(first)[0] == "failed"
    assert shop.states(again) == ("done", "resolved", "succeeded")
    assert first in shop.order(again).remark
    assert shop.order(again).fields == shop.order(first).fields
    assert (
        refused(lambda: ordering.again(shop.engine, again, user=operator.pk, actor="x", now=shop.clock.time)).code
        == "order.not_failed"
    )


class Killed(BaseException):
    """What a worker meets at a crash."""


POINTS = 11
"""Falling asleep, then begin and end of: the beginning, three steps, the end."""


@pytest.mark.requirement("O-8")
@pytest.mark.parametrize("point", range(POINTS))
def test_a_crash_anywhere_changes_nothing(shop: Desk, point: int) -> None:
    """The worker dies before or after any step: the order still ends once, with one mail of each kind."""
    seen = 0

    def die_once(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == point + 1:
            raise Killed

    shop.engine.on_step = die_once
    shop.engine.tuning = Tuning(poll=0.01, tries=8)
    number = shop.played()
    for _ in range(3):
        shop.on(minutes=10)

    assert seen > point
    assert shop.states(number) == ("done", "resolved", "succeeded")
    kinds = list(MailOut.objects.order_by("id").values_list("kind", "language"))
    assert sorted(kinds) == sorted({(kind, of) for kind in ("order.placed", "order.done") for of in ("de", "en")})
    assert actions(f"order:{number}") == ["order.placed", "order.begun", "order.done"]
    assert [step.state for step in Step.objects.order_by("position")] == ["done"] * 3


# --- strangers --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("P-1")
def test_a_stranger_learns_nothing_of_an_order(shop: Desk) -> None:
    """Whatever another client tries on a number, the answer is word for word that of a number nobody has."""
    number = shop.place(requested=WEDNESDAY)
    shop.on(seconds=61)
    stranger = clientele("Nachbarwerke", gateway="EPPC0200000002", code="").client.pk
    now = shop.clock.time
    attempts: list[Callable[[str], Any]] = [
        lambda n: orders.withdraw(shop.engine, n, client=stranger, actor="x", now=now),
        lambda n: ordering.cancel(shop.engine, n, client=stranger, actor="x", reason="x", now=now),
        lambda n: orders.choose(shop.engine, n, WEDNESDAY, client=stranger, actor="x", now=now),
        lambda n: orders.decline(n, "x", client=stranger, author="x", actor="x", now=now),
    ]
    for attempt in attempts:
        foreign, unknown = refused(lambda a=attempt: a(number)), refused(lambda a=attempt: a("A-000000000"))
        assert foreign.code == unknown.code == "order.unknown"
        assert foreign.text("de").replace(number, "#") == unknown.text("de").replace("A-000000000", "#")
    message = refused(
        lambda: tickets.add_message(f"T{number[1:]}", "x", client=stranger, author="x", actor="x", now=now)
    )
    assert message.code == "ticket.unknown"
    assert shop.states(number)[0] == "accepted"


@pytest.mark.requirement("P-1", "O-3")
def test_mails_go_to_the_orders_client_only(shop: Desk) -> None:
    """No contact of another client gets a line."""
    clientele("Nachbarwerke", gateway="EPPC0200000002", code="")
    number = shop.played()

    assert {mail.client_id for mail in MailOut.objects.all()} == {shop.people.client.pk}
    assert {mail.ticket.number for mail in MailOut.objects.select_related("ticket") if mail.ticket} == {
        f"T{number[1:]}"
    }


@pytest.mark.requirement("S-MAIL-3")
def test_a_contact_without_tested_mail_gets_a_notice_without_data(shop: Desk) -> None:
    """Number and link, nothing of what was ordered."""
    shop.people.second.mail_state = "expired"
    shop.people.second.save()
    shop.place()
    mail = MailOut.objects.get(language="en")

    assert not mail.secure
    assert DEVICE not in flat(mail)
    assert "B-17" not in flat(mail)
    assert "/portal/vorgaenge/T-" in flat(mail)


@pytest.mark.requirement("O-2")
def test_a_rolled_back_caller_takes_everything_along(shop: Desk) -> None:
    """Placing takes part in the caller's transaction, as a batch of many needs it."""
    with transaction.atomic():
        shop.place()
        transaction.set_rollback(True)
    assert not Order.objects.exists()
    assert list(shop.engine.list()) == []
