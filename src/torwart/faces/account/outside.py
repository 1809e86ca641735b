"""Somebody with a provider's account, at a place where it must not be used (P-5): refused, logged, reported."""

from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest

from torwart.faces.account.place import address_of
from torwart.services import present
from torwart.services import ticket as tickets
from torwart.services import user as users

_ONCE_IN = 3600  # seconds: one ticket a person, however often it is tried
_SUBJECT = "Anmeldung außerhalb des Standorts: {name}"
_TEXT = (
    "Das Konto {email} wurde von {address} aus benutzt ({path}); das ist kein Netz des Standorts. Es wurde nichts "
    "geöffnet. Wer dort war, kannte das Passwort oder hatte eine Sitzung: Fragen Sie die Person; war sie es nicht, "
    "sperren Sie das Konto."
)


def report(request: HttpRequest, user: Any) -> None:
    """Write it into the audit trail, and open a ticket if the last one is older than an hour."""
    now, address = present.now(), address_of(request)
    first = cache.add(f"outside-{user.pk}", "1", _ONCE_IN)
    with transaction.atomic():
        users.refused_outside(user.pk, address=address, path=request.path, at=now)
        if first:
            text = _TEXT.format(email=user.email, address=address, path=request.path)
            subject = _SUBJECT.format(name=user.full_name or user.email)
            tickets.open_incident(client=None, subject=subject, text=text, now=now, actor=users.actor(user))
