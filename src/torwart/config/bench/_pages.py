"""The pages of benchmark ``pages``, asked in this process: ``python -m torwart.config.bench._pages LARGE SMALL``.

Prints one line of JSON: CPU milliseconds of every request by page, size and round; queries by page and size; how long
making the large fleet took.
"""

import json
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection, connections

from torwart.config import fleet_database
from torwart.config.installation import database_url, django_setup, release_database
from torwart.kernel.role import Role

ROUNDS, REQUESTS, WARM = 5, 12, 3
_PASSWORD = "Zwölf Türme stehen am Rhein"  # noqa: S105  of accounts in databases that live as long as the bench
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105  the same


@dataclass(frozen=True, slots=True)
class Size:
    """One fleet: where it lies, who has signed in there, and the addresses of each page."""

    url: str
    operator: Any
    contact: Any
    pages: dict[str, list[str]]

    def visitor(self, page: str) -> Any:
        return self.operator if self.pages[page][0].startswith("/konsole/") else self.contact


def main(large: int, small: int) -> dict[str, Any]:
    server = database_url()
    urls = {name: fleet_database.beside(server, f"torwart_bench_pages_{name}") for name in ("large", "small")}
    try:
        seconds = {name: _make(urls[name], count) for name, count in (("large", large), ("small", small))}
        sizes = {name: _opened(url) for name, url in urls.items()}
        return {"pages": _measured(sizes), "seconds": seconds["large"]}
    finally:
        connections.close_all()
        for url in urls.values():
            fleet_database.drop(url)
        release_database()


def _make(url: str, gateways: int) -> float:
    """Fill a fresh database; seconds for the filling alone. Then vacuumed, as the server does by itself in a night."""
    fleet_database.create(url)
    fleet_database.migrate(url)
    from torwart.config.fleet import fill

    began = time.monotonic()
    fill(gateways, now=datetime.now(UTC))
    seconds = time.monotonic() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return seconds


# --- who asks for what ------------------------------------------------------------------------------------------------


def _opened(url: str) -> Size:
    django_setup(url, migrated=False, web=True)
    from torwart.store import models

    staff = models.User.objects.filter(roles=[Role.OPERATOR.value]).order_by("id").first()
    contact = models.User.objects.filter(client=1, roles=[Role.CONTACT.value]).order_by("id").first()
    operator = _signed_in(staff, factor=True)
    return Size(url, operator, _signed_in(contact, factor=False), _addresses(contact))


def _signed_in(user: Any, *, factor: bool) -> Any:
    """A browser in which this person has signed in with password, and code where ``factor``."""
    from allauth.mfa.totp.internal import auth
    from django.test import Client

    user.set_password(_PASSWORD)
    user.save(update_fields=["password"])
    browser = Client(SERVER_NAME="localhost", REMOTE_ADDR="127.0.0.1")
    if factor:
        auth.TOTP.activate(user, _SECRET)
    browser.post("/konto/anmelden/", {"login": user.email, "password": _PASSWORD})
    if factor:
        counter = next(iter(auth.yield_hotp_counters_from_time()))
        code = auth.format_hotp_value(auth.hotp_value(_SECRET, counter))
        browser.post("/konto/zweiter-faktor/anmelden/", {"code": code})
    if browser.get("/", follow=True).status_code != 200 or "_auth_user_id" not in browser.session:
        raise SystemExit(f"{user.email} could not sign in")
    return browser


def _addresses(contact: Any) -> dict[str, list[str]]:
    """Each page about several devices and cases: the newest connectivity tests of the largest client."""
    from torwart.services import draft
    from torwart.services.sealed import seal
    from torwart.store import models

    rows = models.Order.objects.filter(
        client=1, process="connectivity_test", state="done", gateway__state="operational"
    )
    found: list[Any] = list(rows.select_related("gateway", "ticket").order_by("-id")[:REQUESTS])
    now = datetime.now(UTC)
    drafts = [draft.begin(contact.pk, "commissioning", {"gateway": row.gateway.device_id}, now=now) for row in found]
    devices = [row.gateway.device_id for row in found]
    tickets = [row.ticket.number for row in found]
    return {
        "inbox": ["/konsole/", "/konsole/korb/offen/"],
        "case": [f"/konsole/vorgang/{number}/" for number in tickets],
        "fleet, filtered": ["/konsole/gateways/?auftraggeber=1&zustand=operational"],
        "gateway": [f"/konsole/gateways/{device}/" for device in devices],
        "certificate horizon": ["/konsole/gateways/zertifikate/"],
        "search": [f"/konsole/suche/?q={device[-5:]}" for device in devices],
        "start": ["/portal/"],
        "device list": ["/portal/geraete/?zustand=operational", f"/portal/geraete/?suche={devices[0][-5:]}"],
        "device": [f"/portal/geraete/{device}/" for device in devices],
        "order form": [f"/portal/bestellen/entwurf/{seal('draft', pk)}/seite/devices/" for pk in drafts],
        "order": [f"/portal/auftraege/{row.number}/" for row in found],
    }


# --- measuring --------------------------------------------------------------------------------------------------------


def _measured(sizes: dict[str, Size]) -> dict[str, Any]:
    names = list(sizes["large"].pages)
    found: dict[str, Any] = {name: {"large": [], "small": [], "queries": {}} for name in names}
    for _ in range(ROUNDS):
        for which, size in sizes.items():
            django_setup(size.url, migrated=False, web=True)
            for name in names:
                found[name][which].append(_round(size, name))
                found[name]["queries"][which] = _queries(size, name)
    return found


def _round(size: Size, name: str) -> list[float]:
    """CPU milliseconds of some requests, of this process and its database session, after some that do not count."""
    times = [_timed(size, name, number) for number in range(WARM + REQUESTS)]
    return times[WARM:]


def _timed(size: Size, name: str, number: int) -> float:
    visitor, addresses = size.visitor(name), size.pages[name]
    began = _used()
    answer = visitor.get(addresses[number % len(addresses)])
    took = (_used() - began) * 1000
    if answer.status_code != 200:
        raise SystemExit(f"{name}: {answer.status_code}")
    return took


def _used() -> float:
    """CPU seconds of this process and of its database session so far, to the microsecond."""
    connection.ensure_connection()
    session = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return time.process_time() + int(session.split()[0]) / 1e9


def _queries(size: Size, name: str) -> int:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        size.visitor(name).get(size.pages[name][0])
    return len(asked)


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
