"""Clients (Auftraggeber): taken in, activated when two contacts can be reached securely, suspended, ended (P-3)."""

from datetime import datetime

from django.db import transaction

from torwart.kernel.client_state import CLIENT, ClientState, ClientVerb
from torwart.kernel.contact_state import SECURE
from torwart.kernel.identifiers import BdewCode
from torwart.kernel.refusals.contact import CLIENT_UNKNOWN, PARTICIPANT_TAKEN
from torwart.services import audit, outbox
from torwart.services.letter import contact as letters
from torwart.store.models import Client, Contact, MarketParticipant

NEEDED = 2
"""Contacts standing in for each other (KL 3.3)."""


def create(name: str, *, actor: str) -> int:
    """Take a client in; its id. The same name again is the same client."""
    with transaction.atomic():
        row, new = Client.objects.get_or_create(name=name)
        if new:
            audit.append(actor=actor, action="client.created", subject=f"client:{row.pk}", client=row.pk)
    return row.pk


def add_participant(client: int, code: str, name: str, *, actor: str, now: datetime) -> str:
    """Record a code number under which the client acts as metering point operator; its canonical form.

    A code that another client has is refused without saying whose it is (P-1).
    """
    number = BdewCode.parse(code)
    with transaction.atomic():
        row = locked(client)
        known = MarketParticipant.objects.filter(code=number).first()
        if known is not None and known.client_id != client:
            raise PARTICIPANT_TAKEN(code=number)
        if known is None:
            MarketParticipant.objects.create(client=row, code=number, name=name.strip())
            _audit(row, "client.participant_added", actor, now, {"code": number, "name": name.strip()})
    return number


def activate_if_ready(client: int, *, now: datetime) -> bool:
    """Open ordering once enough contacts are tested; told to all contacts. ``False`` if nothing changed.

    Takes part in the caller's transaction; two contacts tested at the same moment activate the client once.
    """
    row = locked(client)
    if row.state != ClientState.ONBOARDING or tested_count(client) < NEEDED:
        return False
    row.state = CLIENT.next(ClientState(row.state), ClientVerb.ACTIVATE)
    row.save(update_fields=["state"])
    _audit(row, "client.activated", "mailroom", now, {"tested": tested_count(client)})
    url = outbox.portal_url("/portal/")
    outbox.to_contacts(
        client, lambda language: letters.activated(language, url=url), kind="client.activated", now=now, secure=False
    )
    return True


def suspend(client: int, reason: str, *, actor: str, now: datetime) -> None:
    """No more orders until ``resume``; what runs goes on."""
    _move(client, ClientVerb.SUSPEND, actor, now, reason)


def resume(client: int, reason: str, *, actor: str, now: datetime) -> None:
    _move(client, ClientVerb.RESUME, actor, now, reason)


def end(client: int, reason: str, *, actor: str, now: datetime) -> None:
    """The contract is over: no more orders, ever."""
    _move(client, ClientVerb.END, actor, now, reason)


def tested_count(client: int) -> int:
    """How many active contacts of the client can be sent its data."""
    secure = [state.value for state in SECURE]
    return Contact.objects.filter(client=client, active=True, mail_state__in=secure).count()


def locked(client: int) -> Client:
    """The client, held until the transaction ends: what is counted about its contacts stays true."""
    row = Client.objects.select_for_update(no_key=True).filter(pk=client).first()
    if row is None:
        raise CLIENT_UNKNOWN()
    return row


def _move(client: int, verb: ClientVerb, actor: str, now: datetime, reason: str) -> None:
    with transaction.atomic():
        row = locked(client)
        row.state = CLIENT.next(ClientState(row.state), verb)
        row.save(update_fields=["state"])
        _audit(row, f"client.{row.state}", actor, now, {"reason": reason})


def _audit(row: Client, action: str, actor: str, now: datetime, payload: dict[str, object]) -> None:
    audit.append(actor=actor, action=action, subject=f"client:{row.pk}", payload=payload, client=row.pk, at=now)
