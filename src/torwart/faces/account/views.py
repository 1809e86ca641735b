"""Pages of accounts that allauth does not have, or not as they must be here."""

import time
from functools import partial
from typing import Any, cast

from allauth.account.views import password_change
from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from torwart.faces._design.access import signed_in
from torwart.faces._design.forms import Form
from torwart.faces._design.views import too_many
from torwart.faces.account import mail
from torwart.faces.account.forms import ChoosePassword, Forgotten
from torwart.faces.account.place import address_of
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import ROLES, Role
from torwart.services import present
from torwart.services import user as users
from torwart.services.sealed import seal

_TOKEN = "chosen_link"  # noqa: S105  the session's key, no secret
_SAME_TIME = 0.4  # seconds an answer takes that must not tell whether somebody exists
_get_or_post = require_http_methods(["GET", "HEAD", "POST"])


@_get_or_post
def start(request: HttpRequest) -> HttpResponse:
    """Where everybody begins: the sign-in page, the portal, or the console."""
    user: Any = request.user
    if not user.is_authenticated:
        return redirect("account_login")
    return redirect("/konsole/" if user.is_provider else "/portal/")


@signed_in
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    """What one's account is and what can be done with it."""
    user: Any = request.user
    factors = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    roles = [ROLES[Role(role)] for role in user.roles]
    return render(request, "account/overview.html", {"roles": roles, "factors": set(factors)})


@signed_in
@never_cache
@_get_or_post
def sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in; any other session, or all others, can be ended."""
    user: Any = request.user
    found = sorted(UserSession.objects.purge_and_list(user), key=lambda each: each.last_seen_at, reverse=True)
    others = [each for each in found if each.session_key != request.session.session_key]
    if request.method == "POST":
        which = request.POST.get("session", "")
        for each in others:
            if which in ("others", seal("session", each.pk)):
                each.end()
        return redirect("usersessions_list")
    return render(request, "usersessions/usersession_list.html", {"sessions": found, "others": others})


@signed_in
@never_cache
@sensitive_post_parameters()
@_get_or_post
def password(request: HttpRequest) -> HttpResponse:
    """Change one's password by the present one; who has none gets the link to choose one, by mail."""
    user: Any = request.user
    if user.has_usable_password():
        return cast("HttpResponse", password_change(request))
    if request.method == "POST":
        if not ratelimit.consume(request, action="reset_password", key=user.email.lower()):
            return too_many(request)
        link = users.password_link(user, present.now())
        mail.send_reset(link, request.build_absolute_uri(link.path), at=present.now())
    return render(request, "account/password_missing.html", {"sent": request.method == "POST"})


@signed_in
@never_cache
@_get_or_post
def compromised(request: HttpRequest) -> HttpResponse:
    """„Meine Zugangsdaten sind bekannt geworden“: everything ends at once (P-4)."""
    user: Any = request.user
    if request.method == "POST":
        address, now = address_of(request), present.now()
        opened = partial(mail.open_incident, address=address, at=now)
        users.report_compromised(user.pk, address=address, at=now, open_incident=opened)
        logout(request)
        return redirect("account_inactive")
    return render(request, "account/compromised.html")


@never_cache
@_get_or_post
def forgotten(request: HttpRequest) -> HttpResponse:
    """Asks for the address and sends a link; the answer and its time are the same whoever exists."""
    begun = time.monotonic()
    form = Forgotten(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "account/password_reset.html", {"form": form})
    email = form.cleaned_data["email"]
    if not ratelimit.consume(request, action="reset_password", key=email.lower()):
        return too_many(request)
    invitation = users.request_reset(email, present.now())
    if invitation is not None:
        mail.send_reset(invitation, request.build_absolute_uri(invitation.path), at=present.now())
    time.sleep(max(0.0, _SAME_TIME - (time.monotonic() - begun)))
    return render(request, "account/password_reset_done.html", {"email": email})


@never_cache
@sensitive_post_parameters()
@_get_or_post
def invitation(request: HttpRequest, person: int, token: str) -> HttpResponse:
    """A person who was invited chooses a password."""
    return _choose(request, person, token, users.invited, users.accept_invitation, "account_invitation")


@never_cache
@sensitive_post_parameters()
@_get_or_post
def reset(request: HttpRequest, person: int, token: str) -> HttpResponse:
    """A person who forgot the password chooses a new one."""
    return _choose(request, person, token, users.resetting, users.reset, "account_reset_password_from_key")


def _choose(request: HttpRequest, person: int, token: str, holder: Any, choose: Any, name: str) -> HttpResponse:
    """The token goes from the address into the session at once, so that no history, log or referrer keeps it."""
    if not ratelimit.consume(request, action="reset_password_from_key"):
        return too_many(request)
    if token != _OPEN:
        request.session[_TOKEN] = token
        return redirect(name, person=person, token=_OPEN)
    token = request.session.get(_TOKEN, "")
    try:
        form = ChoosePassword(request.POST or None, user=holder(person, token, present.now()))
        if request.method == "POST" and form.is_valid():
            choose(person, token, form.cleaned_data["password"], at=present.now())
            request.session.flush()
            return redirect(f"{reverse('account_login')}?gewaehlt")
    except Refusal as refusal:
        return render(request, "account/link_spent.html", {"refusal": refusal}, status=410)
    context = {"form": form, "invited": name == "account_invitation", "email": form.user.email}
    return render(request, "account/choose_password.html", context)


_OPEN = "waehlen"


class RemovePasskey(RemoveWebAuthnView):
    """Removes a passkey, unless it is the last second factor of somebody who needs one."""

    form_class = Form

    def form_valid(self, form: Any) -> HttpResponse:
        adapter = get_mfa_adapter()
        if not adapter.can_delete_authenticator(self.object):
            form.add_error(None, str(adapter.error_messages["cannot_delete_authenticator"]))
            return self.form_invalid(form)
        done: HttpResponse = super().form_valid(form)
        return done


def inactive(request: HttpRequest) -> HttpResponse:
    """What somebody sees whose account is locked."""
    return render(request, "account/account_inactive.html")
