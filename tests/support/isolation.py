"""Two clients with everything there is, and for every address of the web and the interface what leads to a thing of one
of them. Tests of isolation and roles find the addresses themselves; who adds a page adds its line here.
"""

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any
from urllib.parse import quote, quote_plus

import browser
import console_world
import portal_world
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.http import int_to_base36
from portal_world import NOW, Town, commissioning_fields

from torwart.kernel.contract_document import DocumentKind
from torwart.kernel.identifiers import CaseNumber
from torwart.services import approval as approvals
from torwart.services import contract_document as documents
from torwart.services import draft as drafts
from torwart.services import interface
from torwart.services import webhook as webhooks
from torwart.services.sealed import seal
from torwart.store import models

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """What belongs to one client, by how it is named in addresses and forms; or names of which there is nothing."""

    client: int
    order: str
    ticket: str
    run: uuid.UUID
    draft: int
    table: int
    file: int
    note: int
    contact: int
    user: int
    device: str
    meter: str
    melo: str
    reference: str
    approval: int
    mail_in: int
    mail_out: int
    passkey: int
    webhook: str
    event: str
    call: str
    coupling: int
    document: uuid.UUID
    email: str

    @property
    def names(self) -> dict[str, str]:
        """All of them as text."""
        return {each.name: str(getattr(self, each.name)) for each in fields(self)}


ABSENT_CASE = CaseNumber.complete("A-99999999")
ABSENT = Side(
    client=987_601,
    order=ABSENT_CASE,
    ticket=ABSENT_CASE.ticket,
    run=uuid.UUID(int=2**127 + 12345),
    draft=987_602,
    table=987_603,
    file=987_604,
    note=987_605,
    contact=987_606,
    user=987_607,
    device="EPPC0298765432",
    meter="1EMH0098765432",
    melo=f"DE{98765432101:011d}{98765432:020d}",
    reference="Ref 9876",
    approval=987_608,
    mail_in=987_609,
    mail_out=987_610,
    passkey=987_611,
    webhook=str(uuid.UUID(int=2**127 + 54321)),
    event=str(uuid.UUID(int=2**127 + 54322)),
    call=str(uuid.UUID(int=2**127 + 54323)),
    coupling=987_612,
    document=uuid.UUID(int=2**127 + 6789),
    email="nobody.there@example.org",
)
"""Nothing of all this exists."""


def side(town: Town, tag: str, operator: Any, *, passkey: bool) -> Side:
    """Give a town a running order with ticket, file, mails and approval, drafts, a passkey and a webhook."""
    device, at = town.gateways[1], NOW - timedelta(hours=3)
    ticket = console_world.ordered(town, "connectivity_test", device, at)
    console_world.working(ticket)
    console_world.file_of(device, NOW)
    console_world.question(town, at, subject=f"Frage von {tag}")
    row = models.Ticket.objects.select_related("order__run").get(number=ticket)
    assert row.order is not None
    assert row.order.run is not None
    contact = models.Contact.objects.filter(client=town.client).order_by("id").first()
    assert contact is not None
    mail = _mail_in(row, contact, tag)
    models.TicketEntry.objects.create(
        ticket=row, at=at, kind="message_in", author=tag, de=f"Text {tag}", en=f"Text {tag}", mail_in_id=mail
    )
    sent = models.MailOut.objects.filter(client=town.client).order_by("id").first()
    assert sent is not None
    meter = models.Meter.objects.filter(gateway__device_id=device).get()
    approval = approvals.request(
        "certificate.revoke",
        f"gateway:{device}",
        {"gateway": device, "reason": "theft"},
        f"Diebstahl bei {tag}",
        user=operator.pk,
        client=town.client,
        ticket=ticket,
        now=NOW,
    )
    values = {"gateway": town.gateways[0], **commissioning_fields(town, 0)}
    coupling = interface.couple(town.client, f"{tag}.EMT", software=f"{tag} EMS", software_version="1", actor="test")
    webhook = str(webhooks.add(town.client, "https://emt.example/hook", actor="test", now=NOW).webhook_id)
    return Side(
        client=town.client,
        order=row.order.number,
        ticket=ticket,
        run=row.order.run.run_id,
        draft=drafts.begin(town.contact.pk, "commissioning", values, now=NOW),
        table=drafts.begin(town.contact.pk, "wake_up", {"_rows": [{"gateway": device}]}, now=NOW),
        file=models.Attachment.objects.create(
            ticket=row,
            name=f"{tag}.txt",
            media_type="text/plain",
            size=1,
            digest="0" * 64,
            content=b"x",
            mail_in_id=mail,
        ).pk,
        note=models.DeliveryNote.objects.get(client=town.client).pk,
        contact=contact.pk,
        user=town.reader.pk,
        device=device,
        meter=meter.device_id,
        melo=meter.melo,
        reference=row.order.reference,
        approval=approval,
        mail_in=mail,
        mail_out=sent.pk,
        passkey=_passkey(town.contact) if passkey else ABSENT.passkey,
        webhook=webhook,
        event=webhooks.test(town.client, webhook, actor="test", now=NOW),
        call=_call(town, coupling, row.order.number, tag),
        coupling=coupling,
        document=documents.publish(
            town.client,
            DocumentKind.AGREEMENT,
            title=f"Rahmenvertrag {tag}",
            version="1",
            valid_from=NOW.date(),
            name=f"vertrag-{tag}.pdf",
            content=b"%PDF-1.7",
            actor="test",
            now=NOW,
        ),
        email=contact.email,
    )


def _call(town: Town, coupling: int, order: str, tag: str) -> str:
    """A line of the interface log."""
    name = uuid.uuid4()
    interface.log(
        interface.Peer(town.client, tag, coupling, f"{tag}.EMT", "", ""),
        request_id=name,
        at=NOW,
        method="POST",
        path="/v1/operations/connectivity-test",
        key=f"key-{tag}",
        status=202,
        code="",
        milliseconds=7,
        asked=f'{{"reference": "{tag}"}}',
        answered=f'{{"id": "{order}"}}',
        subject=order,
    )
    return str(name)


def _mail_in(ticket: Any, contact: Any, tag: str) -> int:
    raw = f"From: {contact.email}\r\nSubject: Rückfrage {tag}\r\n\r\nText {tag}".encode()
    return models.MailIn.objects.create(
        digest=f"{ticket.pk:064x}",
        raw=raw,
        size=len(raw),
        via="smtp",
        envelope_from=contact.email,
        envelope_to=["service@torwart.example"],
        from_address=contact.email,
        message_id=f"<{tag}@example.org>",
        received_at=NOW,
        state="done",
        subject=f"Rückfrage {tag}",
        contact=contact,
        ticket=ticket,
    ).pk


def _passkey(user: Any) -> int:
    """A passkey without a key in it: enough to be named in an address, not to sign in with."""
    from allauth.mfa.models import Authenticator

    data = {"name": f"Schlüssel {user.email}", "passwordless": True, "credential": {}}
    return int(Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data).pk)


@dataclass(frozen=True)
class World:
    """``own`` is the client whose people ask, ``foreign`` the other one, ``owner`` a contact of that one; ``secrets``:
    texts only its people may see.
    """

    own: Side
    foreign: Side
    people: Mapping[str, Any]
    owner: Any
    secrets: tuple[str, ...]


FAR = 770_000_000
_SEQUENCES = "SELECT schemaname || '.' || sequencename FROM pg_sequences WHERE schemaname = 'public'"


def far_numbers() -> None:
    """All rows written from now on have numbers beyond ``FAR``, which stand nowhere by chance; undone with the test."""
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES)
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER SEQUENCE {name} RESTART WITH {FAR + 1}")


def row_numbers(text: str) -> list[str]:
    """Numbers of rows in a text, plain or to base 36, as those after ``far_numbers`` are."""
    return re.findall(rf"{str(FAR)[:6]}\d{{3}}|(?<![\w-]){int_to_base36(FAR)[:4]}[0-9a-z]{{2}}(?![\w-])", text)


ROLES = ("anonymous", "contact", "reader", "operator", "approver", "auditor", "administrator")
CLIENT_ROLES = ("contact", "reader")


def world() -> World:
    """Two clients alike, and somebody of every role."""
    office = console_world.office(NOW)
    hashed = make_password(browser.PASSWORD)
    console_world.types(NOW)
    here = portal_world.town("Stadtwerke Koblenz", tag="a", gateways=6)
    there = portal_world.town("Zweckverband Fernheim", tag="zz", gateways=6)
    own, foreign = (
        side(here, "Hier", office.operator, passkey=False),
        side(there, "Fernheim", office.operator, passkey=True),
    )
    models.User.objects.update(password=hashed)
    for town in (here, there):
        town.contact.refresh_from_db()
        town.reader.refresh_from_db()
    for person in office.everybody.values():
        person.refresh_from_db()
    people = {"anonymous": None, "contact": here.contact, "reader": here.reader}
    people |= {role.value: person for role, person in office.everybody.items()}
    secrets = ("Fernheim", *there.gateways, foreign.meter, foreign.melo, foreign.order[2:], ".zz@")
    return World(own, foreign, people, there.contact, secrets)


# --- the addresses ----------------------------------------------------------------------------------------------------


def addresses(urlconf: str = settings.ROOT_URLCONF) -> list[tuple[str, str]]:
    """Every address of the web: its full name and the pattern of its path, in the order of the urlconf."""
    return list(_walk(get_resolver(urlconf), "", ""))


def _walk(resolver: URLResolver, space: str, path: str) -> Iterator[tuple[str, str]]:
    for each in resolver.url_patterns:
        where = path + str(each.pattern)
        if isinstance(each, URLPattern):
            yield f"{space}{each.name}", where
        else:
            yield from _walk(each, f"{space}{each.namespace}:" if each.namespace else space, where)


Named = Callable[[Side], Fields]
NOTHING: Named = lambda side: {}  # noqa: E731  read as a line of the table
_NUMBER: Named = lambda side: {"number": side.order}  # noqa: E731
_TICKET: Named = lambda side: {"number": side.ticket}  # noqa: E731
_DRAFT: Named = lambda side: {"pk": side.draft}  # noqa: E731
_CONTACT: Named = lambda side: {"pk": side.contact}  # noqa: E731
_NOTE: Named = lambda side: {"pk": side.note}  # noqa: E731
_GATEWAY: Named = lambda side: {"device": side.device}  # noqa: E731
_CLIENT: Named = lambda side: {"pk": side.client}  # noqa: E731
_PERSON: Named = lambda side: {"pk": side.client, "contact": side.contact}  # noqa: E731
_USER: Named = lambda side: {"pk": side.user}  # noqa: E731
_APPROVAL: Named = lambda side: {"pk": side.approval}  # noqa: E731
_IN: Named = lambda side: {"pk": side.mail_in}  # noqa: E731
_OUT: Named = lambda side: {"pk": side.mail_out}  # noqa: E731
_PASSKEY: Named = lambda side: {"pk": side.passkey}  # noqa: E731
_WEBHOOK: Named = lambda side: {"webhook": side.webhook}  # noqa: E731
_COUPLING: Named = lambda side: {"pk": side.client, "coupling": side.coupling}  # noqa: E731
_DOCUMENT: Named = lambda side: {"document_id": side.document}  # noqa: E731
_PROCESS: Named = lambda side: {"name": "wake_up"}  # noqa: E731

THINGS: Mapping[str, Named] = {
    # portal
    "portal:order_begin": _PROCESS,
    "portal:process": _PROCESS,
    "portal:upload": _PROCESS,
    "portal:upload_template": lambda side: {"name": "wake_up", "form": "csv"},
    "portal:upload_check": lambda side: {"pk": side.table},
    **dict.fromkeys(
        [
            "portal:draft",
            "portal:draft_check",
            "portal:draft_delete",
            "portal:draft_preview",
            "portal:draft_devices",
        ],
        _DRAFT,
    ),
    "portal:draft_page": lambda side: {"pk": side.draft, "name": "geraet"},
    **dict.fromkeys(
        [
            "portal:order",
            "portal:order_sent",
            "portal:order_state",
            "portal:order_withdraw",
            "portal:order_cancel",
            "portal:order_choose_time",
        ],
        _NUMBER,
    ),
    "portal:order_evidence": lambda side: {"number": side.order, "form": "json"},
    "portal:ticket": _TICKET,
    "portal:attachment": lambda side: {"number": side.ticket, "pk": side.file},
    **dict.fromkeys(["portal:delivery_note", "portal:delivery_note_csv"], _NOTE),
    "portal:document": _DOCUMENT,
    "console:document": _DOCUMENT,
    "portal:device": lambda side: {"device_id": side.device},
    **dict.fromkeys(
        [
            "portal:contact_change",
            "portal:contact_deactivate",
            "portal:contact_certificate",
            "portal:contact_test",
        ],
        _CONTACT,
    ),
    **dict.fromkeys(["portal:webhook", "portal:webhook_change"], _WEBHOOK),
    "portal:interface_call": lambda side: {"request_id": side.call},
    "portal:webhook_act": lambda side: {"webhook": side.webhook, "name": "test"},
    "portal:webhook_resend": lambda side: {"webhook": side.webhook, "event": side.event},
    # console
    "console:inbox": lambda side: {"name": "offen"},
    **dict.fromkeys(
        [
            "console:ticket",
            "console:ticket_auftrag",
            "console:ticket_geraet",
            "console:ticket_protokoll",
            "console:ticket_post",
            "console:ticket_akte",
        ],
        _TICKET,
    ),
    "console:attachment": lambda side: {"number": side.ticket, "pk": side.file},
    "console:verb": lambda side: {"number": side.ticket, "name": "notiz"},
    "console:proof": lambda side: {"number": side.ticket, "kind": "json"},
    **dict.fromkeys(["console:approval", "console:approval_withdraw"], _APPROVAL),
    **dict.fromkeys(["console:gateway", "console:gateway_messages"], _GATEWAY),
    "console:profile": lambda side: {"device": side.device, "name": "taf7-1emh"},
    "console:gateway_start": lambda side: {"device": side.device, "name": "wake_up"},
    "console:run": lambda side: {"run_id": side.run},
    **dict.fromkeys(["console:client", "console:participant", "console:contact_new", "console:invite"], _CLIENT),
    "console:client_move": lambda side: {"pk": side.client, "name": "aussetzen"},
    **dict.fromkeys(
        ["console:contact_certificate", "console:contact_test", "console:contact_off", "console:contact_legacy"],
        _PERSON,
    ),
    **dict.fromkeys(["console:couplings", "console:coupling_new", "console:emts", "console:emt_new"], _CLIENT),
    **dict.fromkeys(["console:coupling_judge", "console:coupling_off"], _COUPLING),
    **dict.fromkeys(["console:user_lock", "console:user_again", "console:user_roles"], _USER),
    "console:mail_tab": lambda side: {"tab": "ausgang"},
    **dict.fromkeys(["console:mail_in", "console:mail_raw", "console:mail_release"], _IN),
    **dict.fromkeys(["console:mail_out", "console:mail_retry"], _OUT),
    # accounts
    "account_reset_password_from_key": lambda side: {"person": side.user, "token": "1-2-3"},
    "account_invitation": lambda side: {"person": side.user, "token": "1-2-3"},
    **dict.fromkeys(["mfa_edit_webauthn", "mfa_remove_webauthn"], _PASSKEY),
    # interface's pages
    "interface_problem": lambda side: {"code": "order.unknown"},
    # nothing named in the address
    **dict.fromkeys(
        [
            "start",
            "accessibility",
            "catalogue",
            "interface",
            "interface_description",
            "interface_reference",
            "interface_problems",
            "interface_bdew",
            "account",
            "account_login",
            "account_logout",
            "account_inactive",
            "account_reauthenticate",
            "account_change_password",
            "account_reset_password",
            "usersessions_list",
            "account_compromised",
            "mfa_index",
            "mfa_authenticate",
            "mfa_reauthenticate",
            "mfa_activate_totp",
            "mfa_deactivate_totp",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
            "mfa_download_recovery_codes",
            "mfa_list_webauthn",
            "mfa_add_webauthn",
            "mfa_login_webauthn",
            "mfa_reauthenticate_webauthn",
            "portal:start",
            "portal:order_choose",
            "portal:orders",
            "portal:tickets",
            "portal:ask",
            "portal:devices",
            "portal:delivery_notes",
            "portal:configurations",
            "portal:configurations_csv",
            "portal:configurations_pdf",
            "portal:contacts",
            "portal:contact_add",
            "portal:accesses",
            "portal:documents",
            "portal:processes",
            "portal:interface",
            "portal:interface_calls",
            "portal:interface_events",
            "portal:webhook_add",
            "console:start",
            "console:take",
            "console:search",
            "console:keys",
            "console:approvals",
            "console:gateways",
            "console:certificates",
            "console:clients",
            "console:client_new",
            "console:documents",
            "console:document_new",
            "console:staff",
            "console:invite_staff",
            "console:configurations",
            "console:configuration",
            "console:configuration_approve",
            "console:configuration_certify",
            "console:mail",
            "console:audit",
            "console:audit_verify",
            "console:audit_export",
        ],
        NOTHING,
    ),
}
"""What the address of each page names, taken from one side."""

Given = Callable[[Side], list[Fields]]
ASKED: Mapping[str, Given] = {
    "portal:order_choose": lambda side: [{"geraet": side.device}],
    "portal:order_begin": lambda side: [{"geraet": side.device}],
    "portal:orders": lambda side: [
        {"suche": text} for text in (side.order, side.ticket, side.device, side.device[-6:], side.reference)
    ],
    "portal:tickets": lambda side: [{"suche": text} for text in (side.ticket, side.order, side.device)],
    "portal:devices": lambda side: [{"suche": text} for text in (side.device, side.device[-6:], side.meter, side.melo)],
    "portal:interface_calls": lambda side: [{"auftrag": side.order}, {"auftrag": side.ticket}],
    "portal:interface_events": lambda side: [{"auftrag": side.order}],
    "portal:accesses": lambda side: [{"person": side.user}, {"person": seal("user", side.user)}],
    "portal:delivery_notes": lambda side: [{"nach": side.note}],
    "portal:configurations": lambda side: [{"suche": side.device}],
    "portal:ask": lambda side: [{"betreff": side.ticket}],
}
"""Questions a client's person can ask a page about a thing: what stands behind the ``?``."""

SENT: Mapping[str, Given] = {
    "portal:order_begin": lambda side: [{"geraet": side.device}],
    "portal:contact_add": lambda side: [
        {"first_name": "Max", "name": "Neu", "phone": "+49 261 1", "email": side.email, "language": "de"}
    ],
    "account_reset_password": lambda side: [{"email": side.email}],
    "account_login": lambda side: [{"login": side.email, "password": "Das weiß niemand genau"}],
}
"""Forms in which a thing can be named; those of a draft are filled in by the test of drafts."""


def path_of(name: str, side: Side) -> str:
    return reverse(name, kwargs=dict(THINGS[name](side)))


# --- asking -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What came back, what was echoed taken out; ``queries``: how many were asked."""

    status: int
    body: str
    headers: Mapping[str, str]
    queries: int

    @property
    def found(self) -> bool:
        """A page, a file, or an act: neither nothing nor the way to the sign-in."""
        return self.status not in (403, 404, 405) and "/konto/anmelden/" not in self.headers.get("Location", "")


_SHORT = 5
_LOOSE = ("Expires", "Content-Length")
_TOKEN = re.compile(r'(?<=")[A-Za-z0-9]{64}(?=")')
_MARK = re.compile(r"(?<=[/\"=])[\w-]{32}(?=[/\".&])|(?<=[?&]seite=)[\w%-]+|(?<=next=)[^\"&]+")


class Visitor:
    """Somebody's requests; whatever they do is undone at once."""

    def __init__(self, user: Any) -> None:
        self._key = browser.session_of(user) if user is not None else ""
        self._client = Client(SERVER_NAME="localhost", REMOTE_ADDR="127.0.0.1")

    def ask(self, method: str, path: str, data: Fields | None = None, *, echo: Fields | None = None) -> Answer:
        """One request, then back to the state before. ``echo``: what was named, to be taken out of the answer."""
        client = self._client
        client.cookies.clear()
        if self._key:
            client.cookies[settings.SESSION_COOKIE_NAME] = self._key
        before = transaction.savepoint()
        connection.queries_log.clear()  # it forgets the oldest when it is full, and a count would be wrong
        try:
            with CaptureQueriesContext(connection) as asked:
                answer = client.generic(method, path) if data is None else getattr(client, method.lower())(path, data)
                body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        finally:
            transaction.savepoint_rollback(before)
        headers = {name: plain(value, echo) for name, value in answer.headers.items() if name not in _LOOSE}
        return Answer(answer.status_code, plain(body.decode("utf-8", "replace"), echo), headers, len(asked))


def plain(text: str, echo: Fields | None) -> str:
    """A short number may stand anywhere by chance; it is only taken out where an address or a form has it."""
    rest = _TOKEN.sub("token", text)
    for name in sorted(map(str, (echo or {}).values()), key=len, reverse=True):
        if len(name) > _SHORT:
            rest = rest.replace(name, "§").replace(quote(name), "§").replace(quote_plus(name), "§")
        else:
            rest = re.sub(rf"(?<=[/\"=]){re.escape(name)}(?=[/\".&])", "§", rest)
    return _MARK.sub("…", rest)
