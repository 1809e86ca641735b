"""``torwart api``: the EMT–GWA interface on a unix socket behind the head-end (or nginx), and its webhooks."""

import http.client
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import click

from torwart.kernel.words import Words

_HELP = Words(
    de="Die EMT–GWA-Schnittstelle auf einem Unix-Socket bereitstellen und Webhooks zustellen. Davor beendet das "
    "Head-End (EMT-API) oder nginx gegenseitiges TLS.",
    en="Serve the EMT–GWA interface on a unix socket and deliver webhooks. The head-end (EMT-API) or nginx ends mutual "
    "TLS before it.",
)
_SOCKET = Words(de="Pfad des Unix-Sockets.", en="Path of the unix socket.")
_WORKERS = Words(de="Anzahl Prozesse.", en="Number of processes.")
_THREADS = Words(
    de="Threads je Prozess; lange Abfragen halten je einen.", en="Threads a process; long polls hold one each."
)
_TAKEN = Words("{path} wird schon bedient.", "{path} is served already.")
_HOOKS = Words(de="Webhooks hier zustellen.", en="Deliver webhooks here.")


@click.command(help=_HELP.text())
@click.option("--socket", "path", type=click.Path(path_type=Path), required=True, help=_SOCKET.text())
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help=_WORKERS.text())
@click.option("--threads", default=16, show_default=True, type=click.IntRange(2, 256), help=_THREADS.text())
@click.option("--webhooks/--no-webhooks", default=True, show_default=True, help=_HOOKS.text())
def command(path: Path, workers: int, threads: int, webhooks: bool) -> None:
    """Serve until SIGTERM or SIGINT."""
    from torwart.config.children import exit_with_parent
    from torwart.config.installation import installed
    from torwart.config.serving import serve, told

    os.environ["TORWART_API_THREADS"] = str(threads)
    path = path.absolute()
    with installed(api=True) as url, told(url, "api_settings"):
        exit_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
        _clear(path)
        sender = _sender() if webhooks else None
        if sender is not None:
            threading.Thread(target=sender.work, name="webhooks", daemon=True).start()
        threading.Thread(target=_announce, args=(path,), daemon=True).start()
        try:
            serve(workers=workers, threads=threads, uds=path, uds_permissions=0o660)
        finally:
            if sender is not None:
                sender.stop()
            path.unlink(missing_ok=True)


def _clear(path: Path) -> None:
    """Remove the socket a killed process has left; one that somebody serves is theirs."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            path.unlink(missing_ok=True)
        else:
            raise click.UsageError(_TAKEN.text(path=path))


def _sender() -> Any:
    from django.conf import settings

    from torwart.adapters.webhook_out import WebhookCaller, WebhookSender, partner_tls

    hosts = settings.TORWART_WEBHOOK_HOSTS
    partners = None
    if files := settings.TORWART_BDEW_TLS:  # type: ignore[misc]  # of the interface's own settings
        partners = WebhookCaller(hosts, partner_tls(*files))
    secret = settings.TORWART_WEBHOOK_SECRET  # type: ignore[misc]  # of the interface's own settings
    return WebhookSender(WebhookCaller(hosts), secret, f"{settings.TORWART_PORTAL_URL}/v1", partners=partners)


def _announce(path: Path) -> None:
    """Say so as soon as it answers."""
    from torwart.config.children import PARENT_PIPE, report_ready

    while not _answers(path):
        time.sleep(0.1)
    if PARENT_PIPE in os.environ:
        report_ready(socket=str(path))
    else:
        words = Words("Die Schnittstelle antwortet auf {path}", "The interface answers on {path}")
        click.echo(words.text(path=path))


def _answers(path: Path) -> bool:
    connection = http.client.HTTPConnection("localhost", timeout=5)
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        connection.sock.connect(str(path))
        connection.request("GET", "/v1/openapi.json")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
