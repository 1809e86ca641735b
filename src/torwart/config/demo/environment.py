"""What the demonstration tells its processes before any of them, itself included, knows Django."""

import secrets
import socket
from collections.abc import Mapping

SERVICE = "service@torwart.example"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(port: int) -> Mapping[str, str]:
    """What all processes of the demonstration are told: where the portal is, how short its times are."""
    return {
        "TORWART_PORTAL_URL": f"http://localhost:{port}",
        "TORWART_SERVICE_MAIL": SERVICE,
        "TORWART_WITHDRAWAL_SECONDS": "2",
        "TORWART_ENVIRONMENT": "test",
        "TORWART_SANDBOX": "1",
        "TORWART_SECRET_KEY": secrets.token_urlsafe(32),
        "TORWART_WEBHOOK_SECRET": secrets.token_hex(32),
        "TORWART_WEBHOOK_HOSTS": "localhost",
    }
