"""Django settings; they only read the environment. ``config.installation.django_setup`` starts what they need."""

import os
from typing import Any

from torwart.adapters.database import parameters


def database(url: str) -> dict[str, Any]:
    """Django's entry for the database at ``url``."""
    parts = parameters(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        # One connection a thread, kept: reconnecting costs more than most of our queries (spec: performance).
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        # Bound by the server, statements are prepared once a connection.
        "OPTIONS": {"application_name": "torwart", "server_side_binding": True, "prepare_threshold": 2} | parts,
    }


DATABASES = {"default": database(os.environ.get("TORWART_DATABASE_URL", "postgresql://torwart@/torwart"))}
INSTALLED_APPS = ["torwart.store"]
AUTH_USER_MODEL = "store.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
LANGUAGE_CODE = "de"

# Stands in every mail, whatever process writes it: our own address, and where the portal is.
TORWART_SERVICE_MAIL = os.environ.get("TORWART_SERVICE_MAIL", "service@torwart.example")
TORWART_PORTAL_URL = os.environ.get("TORWART_PORTAL_URL", "http://localhost:8000").rstrip("/")
