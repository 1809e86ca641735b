"""``torwart web``: portal, console and accounts, served until SIGTERM or SIGINT."""

import http.client
import os
import signal
import socket
import threading
import time

import click

from torwart.kernel.words import Words

_HELP = Words(
    de="Portal, Konsole und Konten bereitstellen. Ohne weitere Angaben nur für diesen Rechner: nach außen gehört ein "
    "Proxy davor, der TLS beendet.",
    en="Serve portal, console and accounts. By default for this machine only: towards the outside belongs a proxy "
    "that ends TLS.",
)
_HOST = Words(de="Adresse, auf der gelauscht wird.", en="Address to listen on.")
_PORT = Words(de="Port; 0 sucht einen freien.", en="Port; 0 finds a free one.")
_WORKERS = Words(de="Anzahl Prozesse.", en="Number of processes.")
_THREADS = Words(de="Threads je Prozess; jeder hält eine Datenbankverbindung.", en="Threads a process, each with a "
    "database connection.")  # fmt: skip
_AT = Words(de="Torwart läuft auf {url} ({environment})", en="Torwart is at {url} ({environment})")
_ENVIRONMENTS = {"test": Words("Testsystem", "test system"), "live": Words("Wirksystem", "live system")}
_READY_PATH = "/barrierefreiheit/"


@click.command(help=_HELP.text())
@click.option("--host", default="127.0.0.1", show_default=True, help=_HOST.text())
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help=_PORT.text())
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help=_WORKERS.text())
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 256), help=_THREADS.text())
def command(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the web; standard output says when and where."""
    from torwart.config.children import exit_with_parent
    from torwart.config.installation import installed
    from torwart.config.serving import serve, told

    with installed(web=True) as url, told(url, "web_settings"):
        exit_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
        port = port or _free_port(host)
        threading.Thread(target=_announce, args=(host, port), daemon=True).start()
        serve(workers=workers, threads=threads, address=host, port=port)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _announce(host: str, port: int) -> None:
    """Say where, as soon as a page is answered."""
    from django.conf import settings

    from torwart.config.children import PARENT_PIPE, report_ready

    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    while not _answers(near, port):
        time.sleep(0.1)
    url = f"http://{f'[{near}]' if ':' in near else near}:{port}"
    if PARENT_PIPE in os.environ:
        report_ready(url=url, port=port)
    else:
        environment = _ENVIRONMENTS[settings.TORWART_ENVIRONMENT].text()
        click.echo(_AT.text(url=url, environment=environment))


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", _READY_PATH, headers={"Host": "localhost"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
