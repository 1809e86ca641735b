"""Nothing of one client is visible to another (P-1): every address, every operation, every mail, in every role.

The addresses are found in the urlconf. What belongs to the other client is asked for beside what does not exist, and
the two answers must be one: status, headers, body but for the name echoed, and the number of queries.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import isolation
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import int_to_base36
from interface_world import RULES, Caller
from isolation import ABSENT, ASKED, CLIENT_ROLES, NOW, ROLES, SENT, THINGS, Answer, Visitor, World, plain

from torwart.adapters.engine import AbsurdEngine
from torwart.config.installation import django_setup
from torwart.faces._design.sealed import KINDS
from torwart.faces.emt_api import cursor
from torwart.kernel.refusals import Refusal
from torwart.processes import ordering
from torwart.processes.definition import catalogue
from torwart.services import interface, interface_event, mail_in, present
from torwart.services import webhook as webhooks
from torwart.services.delivery import Desk
from torwart.services.sealed import seal
from torwart.sim.mailbox import MailCa
from torwart.sim.pki import TestPki
from torwart.store import models
from torwart.wire.bdew import written
from torwart.wire.certificate import identify

pytestmark = pytest.mark.requirement("P-1")
_METHODS = ("GET", "POST")
_MORE = {"account_reset_password": 2}
"""Queries a page may ask more: whoever has forgotten a password is sent a mail, after as long a wait as anybody."""
_ADDRESSES = isolation.addresses()
_SEALED = re.compile(rf"<({'|'.join(KINDS)}):")
_TOKEN = re.compile(r"[\w-]{32}|(?<=/)[A-Z]-\d+")
_WITH_NAME = [name for name, path in _ADDRESSES if "<" in path]


@pytest.fixture(scope="module")
def world(_session_database: str) -> Iterator[World]:
    """Two clients in one transaction, which is undone after the module."""
    django_setup(_session_database, migrated=False)
    patch = pytest.MonkeyPatch()
    patch.setattr(present, "now", lambda: NOW)
    with transaction.atomic():
        try:
            isolation.far_numbers()
            yield isolation.world()
        finally:
            transaction.set_rollback(True)
            patch.undo()


@pytest.fixture(scope="module")
def visitors(world: World) -> dict[str, Visitor]:
    return {role: Visitor(person) for role, person in world.people.items()}


def test_every_address_is_looked_at() -> None:
    """A page added later cannot stay out of these tests."""
    names = {name for name, _ in _ADDRESSES}
    missing, gone = sorted(names - set(THINGS)), sorted(set(THINGS) - names)
    assert not missing, f"Say in THINGS of tests/support/isolation.py what the address of {missing} names of a client."
    assert not gone, f"There is no {gone} any more: take it out of THINGS in tests/support/isolation.py."
    assert set(ASKED) | set(SENT) <= names


def test_what_is_looked_for_is_there(world: World) -> None:
    """Each thing that could be seen by the wrong person is seen by the right one; else the test would prove nothing."""
    owner = Visitor(world.owner)
    for name in _WITH_NAME:
        if name.startswith(("portal:", "mfa_")):
            path = isolation.path_of(name, world.foreign)
            answers = [owner.ask(method, path) for method in _METHODS]
            assert any(answer.found for answer in answers), f"{path} is nothing to its owner either"
            assert not any(answer.found and answer.status >= 500 for answer in answers)


@pytest.mark.parametrize("role", ROLES)
def test_another_clients_thing_is_like_none(role: str, world: World, visitors: dict[str, Visitor]) -> None:
    """For every address that names a thing: the other client's and one that does not exist get the same answer.

    Provider's people see all clients; for them it holds where they may not go at all.
    """
    visitor = visitors[role]
    for name in _WITH_NAME:
        there, nowhere = isolation.path_of(name, world.foreign), isolation.path_of(name, ABSENT)
        if there == nowhere:  # it names no client's thing
            continue
        for method in _METHODS:
            found = visitor.ask(method, there, echo=THINGS[name](world.foreign))
            if role not in CLIENT_ROLES and role != "anonymous" and found.found:
                continue
            _same(found, visitor.ask(method, nowhere, echo=THINGS[name](ABSENT)), f"{role}: {method} {there}", world)


@pytest.mark.parametrize("role", CLIENT_ROLES)
def test_questions_and_forms_tell_nothing(role: str, world: World, visitors: dict[str, Visitor]) -> None:
    """Searches, filters, suggestions and what a form says do not know the other client's things either."""
    for table, method in ((ASKED, "GET"), (SENT, "POST")):
        for name, given in table.items():
            path = isolation.path_of(name, world.own)
            for theirs, none in zip(given(world.foreign), given(ABSENT), strict=True):
                found = visitors[role].ask(method, path, theirs, echo=theirs)
                nothing = visitors[role].ask(method, path, none, echo=none)
                _same(found, nothing, f"{role}: {method} {path} {theirs}", world, _MORE.get(name, 0))


def test_drafts_tell_nothing(world: World, visitors: dict[str, Visitor]) -> None:
    """Suggestions while typing, „search“, going on and the check page know only one's own devices."""
    contact = visitors["contact"]
    pages = {"portal:draft_devices": {}, "portal:draft_page": {"suchen": "1"}}
    for name, more in pages.items():
        path = isolation.path_of(name, world.own)
        for theirs, none in ((world.foreign.device, ABSENT.device), (world.foreign.melo, ABSENT.melo)):
            named = [{"gateway": name} for name in (theirs, none)]
            answers = [contact.ask("POST", path, each | more, echo=each) for each in named]
            _same(*answers, f"{path} {theirs}", world)
    answers = [_checked(world, contact, side) for side in (world.foreign, ABSENT)]
    _same(*answers, "check page", world)


def _checked(world: World, visitor: Visitor, side: isolation.Side) -> Answer:
    """The check page of a draft about that side's devices."""
    draft = models.Draft.objects.get(pk=world.own.draft)
    before = dict(draft.values)
    draft.values = before | {"gateway": side.device, "meters": [side.meter]}
    draft.save()
    answer = visitor.ask("GET", isolation.path_of("portal:draft", world.own), echo=side.names)
    draft.values = before
    draft.save()
    return answer


@pytest.mark.parametrize("role", CLIENT_ROLES)
def test_no_page_of_ones_own_shows_anything_of_others(role: str, world: World, visitors: dict[str, Visitor]) -> None:
    """All pages, lists, files and exports one may open hold no name, number or device of the other client."""
    shown = 0
    for name, _ in _ADDRESSES:
        answer = visitors[role].ask("GET", isolation.path_of(name, world.own))
        shown += answer.status == 200
        _silent(answer, f"{role}: {name}", world)
    assert shown > 30


def test_orders_about_others_devices(world: World) -> None:
    """Every process refuses the other client's device as it refuses one that does not exist."""
    for process in catalogue().values():
        said = []
        for side in (world.foreign, ABSENT):
            values = {each.name: [each.example] if each.many else each.example for each in process.fields}
            values |= {"gateway": side.device, "meters": [side.meter], "object": "gateway", "name": side.device}
            values = {name: value for name, value in values.items() if name in {each.name for each in process.fields}}
            try:
                found = ordering.examine(process.name, values, client=world.own.client, now=NOW)
                said.append([*map(str, found.errors.values()), *map(str, found.unmet)])
            except Refusal as refusal:
                said.append([str(refusal)])
        theirs, none = (plain(str(each), side.names) for each, side in zip(said, (world.foreign, ABSENT), strict=True))
        assert theirs == none, process.name


# --- counts leak nothing ----------------------------------------------------------------------------------------------


def test_no_address_that_a_client_can_see_takes_a_number() -> None:
    """What names a row in an address is sealed: two numbers would tell how much was made in between for others."""
    outside = {name: path for name, path in _ADDRESSES if not name.startswith("console:")}
    assert len(outside) > 60
    assert not [path for path in outside.values() if "<int:" in path]
    assert sum(1 for path in outside.values() if _SEALED.search(path)) >= 15


def test_no_row_number_is_on_any_page(world: World) -> None:
    """No page, file, header or mail holds the number of a row: links, forms, ids, names of files have sealed ones."""
    assert world.own.contact > isolation.FAR
    assert isolation.row_numbers(f'href="/x/{isolation.FAR + 12}/" id="p{isolation.FAR + 345}"') != []
    assert isolation.row_numbers(f"/konto/einladung/{int_to_base36(isolation.FAR + 99)}/1-2/") != []
    contact, owner, shown = Visitor(world.people["contact"]), Visitor(world.owner), 0
    for name, pattern in _ADDRESSES:
        if name.startswith("console:"):
            continue
        visitor, side = (owner, world.foreign) if "<passkey:" in pattern else (contact, world.own)
        for query in [{}, *ASKED.get(name, lambda side: [])(side)]:
            answer = visitor.ask("GET", isolation.path_of(name, side), query or None, echo=query)
            shown += answer.status == 200
            found = isolation.row_numbers(answer.body) + isolation.row_numbers(str(answer.headers))
            assert not found, f"{name} holds {found}"
    assert shown > 50
    for mail in models.MailOut.objects.filter(client=world.own.client):
        assert not isolation.row_numbers(f"{mail.subject} {mail.text} {mail.html} {mail.message_id}"), mail.kind


@pytest.mark.parametrize("role", ["anonymous", "contact"])
def test_what_does_not_open_is_like_none(role: str, world: World, visitors: dict[str, Visitor]) -> None:
    """Any text in place of a token, the token of another kind of thing, and a plain number: all as good as unknown."""
    visitor = visitors[role]
    for name, pattern in _ADDRESSES:
        kinds = _SEALED.findall(pattern)
        if not kinds:
            continue
        (kind,) = kinds
        there, nowhere = isolation.path_of(name, world.own), isolation.path_of(name, ABSENT)
        (number,) = [each for each in THINGS[name](world.own).values() if isinstance(each, int)]
        other = next(each for each in KINDS if each != kind)
        for text in ("A" * 32, "-_" * 16, seal(other, number)):
            asked = [visitor.ask("GET", path) for path in (there.replace(seal(kind, number), text), nowhere)]
            _same(*(Answer(a.status, _TOKEN.sub("", a.body), _plainly(a), a.queries) for a in asked), name, world)
        old = visitor.ask("GET", there.replace(seal(kind, number), str(number)))
        assert old.status == 404, f"{name} still answers to a number"


def _plainly(answer: Answer) -> dict[str, str]:
    return {name: _TOKEN.sub("", value) for name, value in answer.headers.items()}


# --- the interface ----------------------------------------------------------------------------------------------------

_INTERFACE = "torwart.faces.emt_api.urls"
_OPERATIONS: dict[str, Callable[[isolation.Side], dict[str, str]]] = {
    "number": lambda side: {"number": side.order},
    "webhook": lambda side: {"webhook": side.webhook},
    "delivery": lambda side: {"delivery": cursor.write((side.mail_out, 0))},
}
_BODIES = {
    "cancel": {"reason": "x"},
    "choose": {"time": "2026-12-24T10:00:00+01:00"},
}


def test_every_operation_of_the_interface(world: World, pki: TestPki) -> None:
    """Whatever names an order, a webhook or a delivery: another client's is like none, by every method."""
    paths = sorted({path for _, path in isolation.addresses(_INTERFACE)})
    named = {re.sub(r"^<(?:\w+:)?|>$", "", part) for path in paths for part in re.findall(r"<[^>]+>", path)}
    assert named == set(_OPERATIONS), f"Say in _OPERATIONS what {named ^ set(_OPERATIONS)} in its paths is."
    with RULES:
        caller = _coupled(world, pki)
        for path in paths:
            for method in ("GET", "POST", "PATCH", "DELETE"):
                _asked_of_interface(world, caller, method, path)


def _coupled(world: World, pki: TestPki) -> Caller:
    certificate = pki.emt.tls.certificate
    name = identify(certificate).common_name
    interface.couple(world.own.client, name, software="Test", software_version="1", actor="test")
    interface_event.arrange(world.own.client)  # places come from a sequence, which no savepoint takes back
    caller = Caller(certificate.public_bytes(Encoding.DER), Client())
    system = interface.Peer(world.own.client, "", models.Coupling.objects.get(common_name=name).pk, name, "", "")
    if not models.Webhook.objects.filter(coupling=system.coupling).exists():
        webhooks.add(world.own.client, "https://partner.example/", bdew=system, actor="test", now=NOW)
    return caller


def _asked_of_interface(world: World, caller: Caller, method: str, path: str) -> None:
    """An address with a name in it, or an order about a device."""
    answers = []
    for side in (world.foreign, ABSENT):
        values = {name: value for each in _OPERATIONS.values() for name, value in each(side).items()}
        there = "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found, of=values: of[found[1]], path)
        body = _BODIES.get(path.rpartition("/")[2], {"gateway": side.device, "reason": "Prüfung"})
        echo = values | {"device": side.device, "cut": there[:100]}
        answers.append(_called(caller, method, there, body if method != "GET" else None, echo))
    _same(*answers, f"{method} {path}", world)


_HEADS = {
    "Idempotency-Key": "isolation-0001",
    "transactionId": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "creationDateTime": written(datetime.now(UTC)),
}


def _called(caller: Caller, method: str, path: str, body: Any, echo: dict[str, str]) -> Answer:
    before = transaction.savepoint()
    sent = json.dumps(body).encode() if body is not None else b""
    connection.queries_log.clear()
    try:
        with CaptureQueriesContext(connection) as asked:
            answer = caller.call(method, path, sent, headers=_HEADS)
    finally:
        transaction.savepoint_rollback(before)
    headers = {
        name: plain(value, echo) for name, value in answer.headers.items() if name in ("Content-Type", "Location")
    }
    text = re.sub(r"urn:uuid:[0-9a-f-]+", "urn:uuid", answer.content.decode())
    assert not isolation.row_numbers(text + str(headers)), path
    return Answer(answer.status_code, plain(text, echo), headers, len(asked))


def test_answers_in_the_bdew_dialect(world: World, pki: TestPki) -> None:
    """A call is taken whatever it names; what we then call back with is the same for another client's and for none."""
    process = catalogue()["commissioning"]
    fields = {each.name: [each.example] if each.many else each.example for each in process.fields}
    for path, more in (("/bdew/v1/wake-up", {}), ("/bdew/v1/commissioning", fields)):
        told = []
        for side in (world.foreign, ABSENT):
            before = transaction.savepoint()
            with RULES:
                body = more | {"gateway": side.device} | ({"meters": [side.meter], "melo": side.melo} if more else {})
                answer = _coupled(world, pki).call("POST", path, json.dumps(body).encode(), headers=_HEADS)
            data = models.Delivery.objects.filter(transaction__isnull=False).latest("id").event.data
            told.append((answer.status_code, answer.content, plain(json.dumps(data), side.names)))
            transaction.savepoint_rollback(before)
        assert told[0] == told[1], path
        assert told[0][0] == 202
        assert '"refusal"' in told[0][2]
        assert not [secret for secret in world.secrets if secret in str(told)]


def test_lists_of_the_interface(world: World, pki: TestPki) -> None:
    """Lists, filters, events and webhooks hold nothing of the other client, whatever is asked for."""
    with RULES:
        caller = _coupled(world, pki)
        asked = [{}, {"subject": world.foreign.device}, {"reference": world.foreign.reference}]
        paths = [("/v1/operations", query) for query in asked]
        for path, query in [*paths, ("/v1/events", {}), ("/v1/webhooks", {}), ("/v1/capabilities", {})]:
            answer = caller.get(path, **query)
            assert answer.status_code == 200, path
            _silent(Answer(200, answer.content.decode(), {}, 0), path, world)


# --- mail -------------------------------------------------------------------------------------------------------------


def test_replies_to_anothers_ticket(world: World) -> None:
    """A ticket's number in a subject, or the mail it hangs on: another client's is like none, also to a stranger."""
    ca = MailCa.create(NOW)
    desk = Desk(ca.identity("service@torwart.example"), ca.trust)
    for sender in (world.own.email, "fremd@nirgends.example"):
        told = []
        for side in (world.foreign, ABSENT):
            before = transaction.savepoint()
            connection.queries_log.clear()
            with CaptureQueriesContext(connection) as asked:
                told.append(_replied(sender, side, desk))
            told[-1].append(str(len(asked)))
            transaction.savepoint_rollback(before)
        assert told[0] == told[1], sender
        assert not [secret for secret in world.secrets if secret in str(told[0])]


def _replied(sender: str, side: isolation.Side, desk: Desk) -> list[str]:
    """What became of a reply: its row, the tickets that are new, the answers that go out."""
    tickets, mails = (set(model.objects.values_list("pk", flat=True)) for model in (models.Ticket, models.MailOut))
    raw = (
        f"From: {sender}\r\nTo: service@torwart.example\r\nSubject: Re: [#{side.ticket}] Antwort\r\n"
        f"Message-ID: <eins@nirgends.example>\r\nIn-Reply-To: <Fernheim@example.org>\r\n\r\nzu {side.ticket}\r\n"
    )
    row = mail_in.keep(raw.encode(), via="smtp", envelope_from=sender, envelope_to=["service@torwart.example"], now=NOW)
    assert mail_in.work(AbsurdEngine(), desk, now=NOW) == 1
    kept = models.MailIn.objects.get(pk=row)
    fresh = [*models.Ticket.objects.exclude(pk__in=tickets), *models.MailOut.objects.exclude(pk__in=mails)]
    numbers = {each.number for each in fresh if isinstance(each, models.Ticket)}
    said = [kept.state, kept.code, kept.why, *(each.subject for each in fresh)]
    said += [each.text for each in fresh if isinstance(each, models.MailOut)]
    said += [each.de for each in models.TicketEntry.objects.filter(ticket__number__in=numbers)]
    hidden = side.names | {f"new{place}": number for place, number in enumerate(sorted(numbers))}
    return [plain(each, hidden) for each in said]


# --- what makes two answers one ---------------------------------------------------------------------------------------


def _same(theirs: Answer, none: Answer, where: str, world: World, more: int = 0) -> None:
    assert theirs.status == none.status, where
    assert dict(theirs.headers) == dict(none.headers), where
    assert theirs.body == none.body, where
    assert none.queries <= theirs.queries <= none.queries + more, (
        f"{where}: {theirs.queries} queries, {none.queries} for nothing"
    )
    _silent(theirs, where, world)


def _silent(answer: Answer, where: str, world: World) -> None:
    told = [secret for secret in world.secrets if secret in answer.body or secret in str(answer.headers)]
    assert not told, f"{where} tells {told}"
