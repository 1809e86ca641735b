"""What every request gets: its language, and the header that switches off what no page of ours uses."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation

from torwart.faces._design.language import LANGUAGES
from torwart.services import user as users

Next = Callable[[HttpRequest], HttpResponse]
_YEAR = 365 * 86_400
_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("accelerometer", "camera", "geolocation", "gyroscope", "microphone", "payment", "usb")
)


class Language:
    """Chooses the language: ``?sprache=`` (remembered), the account's, the cookie's, German.

    A switch on a page that was only looked at leads back to the same address without the parameter.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wish = request.GET.get("sprache", "")
        if wish in LANGUAGES and request.method == "GET":
            return self._switch(request, wish)
        with translation.override(self._language(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
            return response

    @staticmethod
    def _language(request: HttpRequest) -> str:
        user: Any = request.user
        if user.is_authenticated and user.language in LANGUAGES:
            return str(user.language)
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        return cookie if cookie in LANGUAGES else "de"

    @staticmethod
    def _switch(request: HttpRequest, language: str) -> HttpResponse:
        if request.user.is_authenticated:
            users.set_language(request.user.pk, language)
        rest = request.GET.copy()
        del rest["sprache"]
        # A path that begins with two slashes would be read as another host.
        path = "/" + request.path.lstrip("/")
        response = HttpResponseRedirect(path + (f"?{rest.urlencode()}" if rest else ""))
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=_YEAR,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response


class PermissionsPolicy:
    """No page of ours uses camera, place or the like, so none may."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers["Permissions-Policy"] = _POLICY
        return response
