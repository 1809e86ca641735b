"""What allauth reports by signal becomes audit entries and lines of the access log."""

from typing import Any

from allauth.account.signals import password_changed
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from torwart.faces.account.place import address_of
from torwart.services import access, present
from torwart.services import user as users

SECOND_FACTOR = "second_factor"
"""Session key: this person was seen to have a second factor; asked again after one is removed."""


def _log(request: HttpRequest, user: Any, what: str) -> None:
    access.log(
        user=user.pk,
        client=user.client_id,
        email=user.email,
        what=what,
        path=request.path,
        address=address_of(request),
        at=present.now(),
        agent=request.headers.get("User-Agent", ""),
    )


@receiver(user_logged_in)
def _signed_in(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    _log(request, user, "sign_in")


@receiver(user_logged_out)
def _signed_out(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    if user is not None:
        _log(request, user, "sign_out")


@receiver(password_changed)
def _password_changed(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    users.password_changed(user.pk, at=present.now())


@receiver(authenticator_added)
def _added(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    users.second_factor_changed(user.pk, "added", authenticator.type, at=present.now())


@receiver(authenticator_reset)
def _reset(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    users.second_factor_changed(user.pk, "reset", authenticator.type, at=present.now())


@receiver(authenticator_removed)
def _removed(sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    request.session.pop(SECOND_FACTOR, None)
    users.second_factor_changed(user.pk, "removed", authenticator.type, at=present.now())
