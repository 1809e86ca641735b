"""Every page of the console in a real browser: axe finds nothing, nothing is cut off, with no, one and many rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import browser as support
import console_world
import portal_world
import pytest
from django.db import transaction

_DONE_ONLY = ("take", "approval_withdraw", "mail_retry", "audit_verify")
_FILES = ("document", "attachment", "proof", "mail_raw", "audit_export")
_ADMINISTRATORS = ("client", "contact", "coupling_", "emt_", "document_new", "invite", "user", "staff", "participant")
_THOROUGH = ("start", "ticket", "gateways")
_LISTS = (
    "",
    "korb/offen/",
    "freigaben/",
    "gateways/",
    "auftraggeber/",
    "auftraggeber/dokumente/",
    "geraetetypen/",
    "post/",
    "post/ausgang/",
)


def _at(page: Any, site: Any, address: str) -> None:
    page.goto(site.url + address)
    assert page.locator("h1").count() == 1, address
    assert support.faults(page) == [], address
    support._fits(page)


@pytest.mark.requirement("O-8", "M-2")
def test_every_page_with_many_rows(own_database: str, site: Any, chromium: Any) -> None:
    """Each by whoever has most to do there, also in the states it can be in: late, waiting, failed, missing."""
    now = datetime.now(UTC)
    with transaction.atomic():
        people = console_world.office(now)
        found = console_world.busy_day(people, now)
        pages = console_world.addresses(found)
    by_name = dict.fromkeys(pages, people.operator)
    for name in pages:
        if name.startswith(
            ("client", "contact", "coupling_", "emt_", "document_new", "invite", "user", "staff", "participant")
        ):
            by_name[name] = people.administrator
    by_name |= {"approval": people.approver, "audit": people.auditor, "contact_legacy": people.operator}
    opened = {person.pk: chromium.open("/konsole/tasten/", user=person) for person in set(by_name.values())}
    for name, address in pages.items():
        if name not in _DONE_ONLY + _FILES:
            _at(opened[by_name[name].pk], site, address)
    beside = opened[people.operator.pk]
    _at(beside, site, f"/konsole/vorgang/{found['device']}/?korb=offen")
    for summary in beside.locator("main details > summary").all():
        summary.click()
    assert support.faults(beside) == []
    assert [page.noise for page in opened.values() if page.noise] == []


@pytest.mark.requirement("O-8")
def test_the_pages_people_live_on_owe_everything(own_database: str, chromium: Any) -> None:
    """Both languages, 320 pixels, 200 % zoom, a silent console, and they stand without JavaScript."""
    now = datetime.now(UTC)
    with transaction.atomic():
        people = console_world.office(now)
        pages = console_world.addresses(console_world.busy_day(people, now))
    for name in _THOROUGH:
        support.check_page(chromium.open(pages[name], user=people.operator))


@pytest.mark.parametrize("rows", [0, 1])
def test_every_list_with_no_or_one_row(own_database: str, site: Any, chromium: Any, rows: int) -> None:
    """An empty list says what will stand there."""
    now = datetime.now(UTC)
    with transaction.atomic():
        people = console_world.office(now)
        if rows:
            console_world.question(portal_world.town(gateways=1), now - timedelta(hours=1))
    page = chromium.open("/konsole/", user=people.operator)
    for path in _LISTS:
        _at(page, site, f"/konsole/{path}")
    assert page.noise == []
