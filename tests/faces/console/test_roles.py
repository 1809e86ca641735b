"""Who sees and does what (P-2): every address of the console against every role, and against clients' people."""

import re
from collections.abc import Mapping
from datetime import datetime

import console_world
import pytest
from console_world import Office, Shown, Web
from django.urls import reverse

from torwart.faces.console.urls import urlpatterns
from torwart.faces.console.verb import VERBS
from torwart.kernel.role import Role
from torwart.store import models

OPERATOR, APPROVER = {Role.OPERATOR}, {Role.APPROVER}
AUDITOR, ADMINISTRATOR = {Role.AUDITOR}, {Role.ADMINISTRATOR}
ALL = OPERATOR | APPROVER | AUDITOR | ADMINISTRATOR
NOBODY: set[Role] = set()

LOOKED_AT: Mapping[str, set[Role]] = {
    **dict.fromkeys(
        [
            "start",
            "inbox",
            "keys",
            "search",
            "ticket",
            "ticket_auftrag",
            "ticket_geraet",
            "ticket_protokoll",
            "ticket_post",
            "ticket_akte",
            "attachment",
            "proof",
            "approvals",
            "approval",
            "gateways",
            "certificates",
            "gateway",
            "gateway_messages",
            "profile",
            "run",
            "clients",
            "client",
            "couplings",
            "emts",
            "staff",
            "configurations",
            "configuration",
            "mail",
            "mail_tab",
            "mail_in",
            "mail_raw",
            "mail_out",
            "documents",
            "document",
        ],
        ALL,
    ),
    **dict.fromkeys(
        ["verb", "gateway_start", "configuration_approve", "configuration_certify", "contact_legacy", "mail_release"],
        OPERATOR,
    ),
    **dict.fromkeys(
        [
            "client_new",
            "document_new",
            "participant",
            "client_move",
            "contact_new",
            "contact_certificate",
            "contact_test",
            "contact_off",
            "coupling_new",
            "emt_new",
            "coupling_judge",
            "coupling_off",
            "invite",
            "invite_staff",
            "user_lock",
            "user_again",
            "user_roles",
        ],
        ADMINISTRATOR,
    ),
    **dict.fromkeys(["audit", "audit_export"], AUDITOR),
    **dict.fromkeys(["take", "approval_withdraw", "mail_retry", "audit_verify"], NOBODY),
}
"""Who may open an address."""
DONE: Mapping[str, set[Role]] = {
    **dict.fromkeys(
        [
            "take",
            "verb",
            "gateway_start",
            "configuration_approve",
            "configuration_certify",
            "approval_withdraw",
            "mail_retry",
            "contact_legacy",
            "mail_release",
        ],
        OPERATOR,
    ),
    **dict.fromkeys(["approval"], APPROVER),
    **dict.fromkeys(["audit_verify"], AUDITOR),
    **{name: roles for name, roles in LOOKED_AT.items() if roles == ADMINISTRATOR},
}
"""Who may send something there."""


_ONLY_DONE = {name: DONE[name] for name, roles in LOOKED_AT.items() if not roles}
_TOKEN = re.compile(rb'(?<=")[A-Za-z0-9]{64}(?=")')
"""The token of forms, which is another one each time."""


@pytest.fixture
def addresses(people: Office, now: datetime) -> dict[str, str]:
    """One address of each name, all about things that are there."""
    return console_world.addresses(console_world.busy_day(people, now))


def test_every_address_has_its_roles_written_down() -> None:
    """A new page cannot come without saying who may see it."""
    assert {pattern.name for pattern in urlpatterns} == set(LOOKED_AT)


@pytest.mark.requirement("P-2")
def test_each_role_opens_its_pages_and_no_other(people: Office, addresses: dict[str, str], web: Web) -> None:
    """Whoever may not is answered as if there were nothing; what is only done by POST is never opened."""
    for role, person in people.everybody.items():
        client = web(person)
        for name, address in addresses.items():
            status = client.get(address).status_code
            wanted = 200 if role in LOOKED_AT[name] else 405 if role in _ONLY_DONE.get(name, NOBODY) else 404
            assert status == wanted, f"{role} {name}: {status}"


@pytest.mark.requirement("P-2")
def test_each_role_does_its_work_and_no_other(people: Office, addresses: dict[str, str], web: Web) -> None:
    """Sending an empty form is answered by the form to whom it is for, and by nothing to all others."""
    before = models.AuditEntry.objects.count()
    for role, person in people.everybody.items():
        client = web(person)
        for name, roles in DONE.items():
            if role in roles:
                continue
            status = client.post(addresses[name]).status_code
            assert status == 404, f"{role} {name}: {status}"
    assert models.AuditEntry.objects.count() == before


@pytest.mark.requirement("P-2")
def test_the_forms_of_a_role_answer_it(people: Office, addresses: dict[str, str], web: Web) -> None:
    """Nobody is sent away from what is theirs; what is missing is said."""
    for name in sorted(DONE):  # a request is looked at before it is withdrawn
        for role in DONE[name]:
            status = web(people.everybody[role]).post(addresses[name]).status_code
            assert status in (200, 302, 422), f"{role} {name}: {status}"


@pytest.mark.requirement("P-2")
def test_the_auditor_finds_nothing_to_do(people: Office, addresses: dict[str, str], web: Web) -> None:
    """On no page stands a form that changes something, but for checking the chain, which changes nothing."""
    client = web(people.auditor)
    for name, address in addresses.items():
        if people.auditor and Role.AUDITOR in LOOKED_AT[name] and name not in ("attachment", "proof", "mail_raw"):
            answer = client.get(address)
            if answer.streaming:
                continue
            assert set(Shown(answer).posts) <= {reverse("console:audit_verify")}, name


@pytest.mark.requirement("P-2")
def test_administrators_touch_no_gateway(people: Office, addresses: dict[str, str], web: Web) -> None:
    """Neither on a gateway's page nor on a case is there anything for them to start."""
    client = web(people.administrator)
    for name in ("gateway", "ticket", "inbox"):
        assert Shown(client.get(addresses[name])).posts == []


@pytest.mark.requirement("P-1")
def test_for_a_clients_people_there_is_no_console(people: Office, addresses: dict[str, str], web: Web) -> None:
    """Every address answers them like one that does not exist, letter for letter, GET and POST."""
    user = models.User.objects.filter(client__isnull=False, roles__contains=["contact"]).first()
    client = web(user)
    nothing = client.get("/konsole/gibt-es-nicht/")
    assert nothing.status_code == 404
    for name, address in addresses.items():
        plain = address.partition("?")[0]
        for answer in (client.get(plain), client.post(plain)):
            assert answer.status_code == 404, name
            assert _TOKEN.sub(b"", answer.content) == _TOKEN.sub(b"", nothing.content), name


def test_without_signing_in_every_page_leads_there(addresses: dict[str, str]) -> None:
    """Nothing is shown, and after signing in one is where one wanted to be."""
    from django.test import Client

    client = Client(headers={"host": "localhost"})
    for name, address in addresses.items():
        if LOOKED_AT[name]:
            answer = client.get(address)
            assert answer.status_code == 302, name
            assert answer.headers["Location"].startswith("/konto/anmelden/?next=/konsole/"), name


def test_every_verb_is_closed_to_all_but_operators(people: Office, now: datetime, web: Web) -> None:
    """No verb of a case can be used around its page."""
    import portal_world

    number = console_world.question(portal_world.town(), now)
    others = [web(people.approver), web(people.auditor), web(people.administrator)]
    for name in VERBS:
        address = reverse("console:verb", args=[number, name])
        assert {client.post(address, {"text": "x"}).status_code for client in others} == {404}, name
