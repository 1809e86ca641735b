"""Inviting people by mail: the user data on the secure way, the link apart from it (P-4)."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from torwart.kernel.role import Role
from torwart.services import outbox
from torwart.services import user as users
from torwart.services.letter import account as letters
from torwart.services.user import Invitation
from torwart.store.models import Contact, User


def invite(
    *,
    email: str,
    name: str,
    first_name: str,
    phone: str,
    language: str,
    roles: Collection[Role],
    client: int | None,
    actor: str,
    now: datetime,
) -> Invitation:
    """Make an account and send both mails; see ``services.user.invite`` for what is refused.

    The user data goes to the client's contact of the same address, if there is one: secure mail needs its certificate.
    """
    with transaction.atomic():
        made = users.invite(
            email=email,
            name=name,
            first_name=first_name,
            phone=phone,
            language=language,
            roles=roles,
            client=client,
            actor=actor,
            at=now,
        )
        _send_data(made.user, now)
        _send_link(made, client, now)
    return made


def invite_again(user: int, *, client: int | None, actor: str, now: datetime) -> Invitation:
    """A new link for somebody whose old one is spent or who was locked; the account is open again."""
    with transaction.atomic():
        made = users.invite_again(user, actor=actor, at=now, client=client)
        _send_link(made, User.objects.values_list("client_id", flat=True).get(pk=user), now)
    return made


def _send_data(user: int, now: datetime) -> None:
    person = User.objects.get(pk=user)
    if person.client_id is None:
        return
    contact = Contact.objects.filter(client=person.client_id, active=True, email__iexact=person.email).first()
    if contact is None:
        return
    if contact.user_id is None:
        Contact.objects.filter(pk=contact.pk).update(user=person)
    outbox.enqueue(
        lambda language: letters.user_data(
            language,
            name=person.full_name,
            email=person.email,
            phone=person.phone,
            roles=person.roles,
            url=outbox.portal_url("/"),
        ),
        kind="account.data",
        secure=True,
        now=now,
        contact=contact.pk,
    )


def _send_link(made: Invitation, client: int | None, now: datetime) -> None:
    url = outbox.portal_url(made.path)
    outbox.enqueue(
        lambda language: letters.password_link(language, url=url, until=made.until, reset=False),
        kind="account.link",
        secure=False,
        now=now,
        address=made.email,
        language=made.language,
        client=client,
    )
