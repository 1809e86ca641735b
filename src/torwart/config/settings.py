"""Django settings; they only read the environment. ``config.installation.django_setup`` starts what they need.

``TORWART_ENVIRONMENT``         ``test`` (default) or ``live``: R-1, shown on every page
``TORWART_SANDBOX``             ``1``: the test system offers its sandbox (time to move, gateways to make)
``TORWART_PROVIDER_NETWORKS``   networks provider roles may come from (P-5; default: loopback)
``TORWART_PROXIES``             networks of our own reverse proxies, whose X-Forwarded-For is believed (default: none)
``TORWART_PROVIDER_NAME``, ``TORWART_SERVICE_PHONE``, ``TORWART_SERVICE_MAIL``: who we are, and where to get help
"""

import ipaddress
import os
from typing import Any

from torwart.adapters.database import parameters
from torwart.config.apart import environment, sandbox


def listed(name: str, default: str = "") -> list[str]:
    """The parts of a comma-separated variable of the environment."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


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
TORWART_WITHDRAWAL_SECONDS = float(os.environ.get("TORWART_WITHDRAWAL_SECONDS", "60"))
TORWART_PORTAL_URL = os.environ.get("TORWART_PORTAL_URL", "http://localhost:8000").rstrip("/")

TORWART_ENVIRONMENT, TORWART_SANDBOX = environment(), sandbox()
TORWART_PROVIDER_NAME = os.environ.get("TORWART_PROVIDER_NAME", "Torwart")
TORWART_SERVICE_PHONE = os.environ.get("TORWART_SERVICE_PHONE", "+49 30 23125 000")
TORWART_PROVIDER_NETWORKS = [
    ipaddress.ip_network(each) for each in listed("TORWART_PROVIDER_NETWORKS", "127.0.0.0/8,::1/128")
]
TORWART_PROXIES = [ipaddress.ip_network(each) for each in listed("TORWART_PROXIES")]

# The EMT–GWA interface: where clients' systems reach it, calls a minute and client, threads of its process, webhook
# targets allowed by name.
TORWART_API_URL = os.environ.get("TORWART_API_URL", "https://gwa.example:8446").rstrip("/")
TORWART_API_RATE = (int(os.environ.get("TORWART_API_CALLS", "600")), 60.0)
TORWART_API_THREADS = int(os.environ.get("TORWART_API_THREADS", "16"))
TORWART_API_OAUTH = os.environ.get("TORWART_API_OAUTH", "") == "1"
if TORWART_API_OAUTH and TORWART_ENVIRONMENT != "test":
    raise ValueError("TORWART_API_OAUTH is an option of the test environment")
TORWART_WEBHOOK_HOSTS = [host.lower() for host in listed("TORWART_WEBHOOK_HOSTS")]
