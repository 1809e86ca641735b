"""Giving the question of somebody we did not know to the client it concerns, once an operator has found out."""

from datetime import datetime

from django.db import transaction

from torwart.kernel.client_state import ClientState
from torwart.kernel.refusals.adoption import ADOPTION_CLIENT, ADOPTION_KNOWN
from torwart.services import audit
from torwart.services import ticket as tickets
from torwart.store.models import Client, Ticket, User


def adopt(number: str, client: int, *, user: int, now: datetime) -> None:
    """The ticket becomes the client's, and with it all it holds is visible to the client.

    Only a ticket of nobody can be given away, once: what one client has seen never becomes another's (P-1).
    """
    with transaction.atomic():
        ticket = Ticket.objects.select_for_update(of=("self",)).filter(number=number).first()
        if ticket is None or ticket.client_id is not None:
            raise ADOPTION_KNOWN(number=number)
        owner = Client.objects.filter(pk=client).exclude(state=ClientState.ENDED.value).first()
        if owner is None:
            raise ADOPTION_CLIENT()
        Ticket.objects.filter(pk=ticket.pk).update(client=owner)
        person = User.objects.get(pk=user)
        audit.append(
            actor=f"user:{person.email}",
            action="ticket.adopted",
            subject=f"ticket:{number}",
            payload={"client": owner.pk},
            client=owner.pk,
            at=now,
        )
        tickets.note(number, f"Auftraggeber zugeordnet: {owner.name}", user=user, now=now)
