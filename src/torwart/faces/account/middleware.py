"""What stands between a session and the protected area: the log of every access, the provider's site, the second
factor of provider roles.
"""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve

from torwart.faces._design.views import refused
from torwart.faces.account import outside
from torwart.faces.account.place import address_of, at_the_site, through_our_proxy
from torwart.faces.account.recording import SECOND_FACTOR
from torwart.services import access, present

Next = Callable[[HttpRequest], HttpResponse]
_KINDS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
_WITHOUT_FACTOR = frozenset(
    {
        "account_login",
        "account_logout",
        "account_reauthenticate",
        "account_compromised",
        "accessibility",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
    }
)


class Forwarded:
    """Believes what a proxy says about the transport only if the proxy is ours."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not through_our_proxy(request):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        return self.get_response(request)


class AccessLog:
    """One line for every request of somebody who is signed in (P-4): who, when, from where, what, with what answer."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        path, address, agent = request.path, address_of(request), request.headers.get("User-Agent", "")
        response = self.get_response(request)
        access.log(
            user=user.pk,
            client=user.client_id,
            email=user.email,
            what=_what(response),
            path=path,
            address=address,
            at=present.now(),
            status=response.status_code,
            agent=agent,
        )
        return response


def _what(response: HttpResponse) -> str:
    if response.status_code in (403, 404):
        return "refused"
    return "download" if "attachment" in response.headers.get("Content-Disposition", "") else "page"


class Seen:
    """Keeps, for the list of one's sessions, when and from where each was last used: one statement a request."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.session.session_key
        if key and request.user.is_authenticated:
            known = UserSession.objects.filter(session_key=key)
            if not known.update(last_seen_at=present.real(), ip=address_of(request)):
                UserSession.objects.create_from_request(request)
        return self.get_response(request)


class ProviderSite:
    """Provider roles act only from the provider's networks (P-5); a session carried elsewhere is refused there."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if user.is_authenticated and user.is_provider and not at_the_site(request):
            outside.report(request, user)
            return refused(request, outside=True)
        return self.get_response(request)


class SecondFactor:
    """Provider roles set up a second factor before anything else can be reached (P-4)."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._missing(request) and _name(request) not in _WITHOUT_FACTOR:
            return redirect("mfa_index")
        return self.get_response(request)

    @staticmethod
    def _missing(request: HttpRequest) -> bool:
        user: Any = request.user
        if not user.is_authenticated or not user.is_provider or request.session.get(SECOND_FACTOR) == user.pk:
            return False
        if not is_mfa_enabled(user, _KINDS):
            return True
        request.session[SECOND_FACTOR] = user.pk
        return False


def _name(request: HttpRequest) -> str:
    try:
        return resolve(request.path_info).url_name or ""
    except Resolver404:
        return ""
