"""What every page knows: the environment, the provider, where to get help, the navigation of this person."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from torwart import __version__
from torwart.faces._design import language, navigation

_HOURS = language.t("Mo–Fr 8–17 Uhr", "Mon–Fri 8 am–5 pm (Berlin)")


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor of all templates, components included."""
    signed_in = hasattr(request, "user") and request.user.is_authenticated
    return {
        "environment": settings.TORWART_ENVIRONMENT,
        "provider_name": settings.TORWART_PROVIDER_NAME,
        "help_phone": settings.TORWART_SERVICE_PHONE,
        "help_phone_link": "tel:" + "".join(c for c in settings.TORWART_SERVICE_PHONE if c in "+0123456789"),
        "help_mail": settings.TORWART_SERVICE_MAIL,
        "help_hours": _HOURS,
        "language": language.active(),
        "languages": language.LANGUAGES,
        "navigation": navigation.shown(request) if signed_in else [],
        "version": __version__,
    }
