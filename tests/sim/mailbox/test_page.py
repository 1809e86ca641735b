"""The page of the simulated mailboxes: every mail as its reader sees it, nothing that could run."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from torwart.sim.mailbox import ClientMailbox, MailCa
from torwart.sim.mailbox.page import MailboxPage

ERIKA, SERVICE = "erika@client.test", "service@torwart.test"


@pytest.fixture
def page() -> Iterator[MailboxPage]:
    ca = MailCa.create(datetime.now(UTC))
    with ClientMailbox(ca, [ca.identity(ERIKA), ca.identity(SERVICE)]) as box:
        box.deliver_to = ("127.0.0.1", box.port)
        box.write(SERVICE, ERIKA, "Auftrag <b>erledigt</b>", "Guten <script>alert(1)</script> Tag", sign=True)
        box.wait(ERIKA)
        shown = MailboxPage(box, {ERIKA: "Erika Muster"}, lambda: {"olga@torwart.test": "123456"})
        shown.start()
        yield shown
        shown.stop()


def get(page: MailboxPage, path: str = "") -> tuple[str, str]:
    with urllib.request.urlopen(page.url + path) as answer:
        return answer.read().decode(), answer.headers["Content-Security-Policy"]


def test_a_mail_is_shown_with_what_secure_mail_says_of_it(page: MailboxPage) -> None:
    """People and their mails on the left; the chosen one with signature, text, HTML and raw octets."""
    listed, _ = get(page)
    shown, _ = get(page, "?mail=0")

    assert "Erika Muster" in listed
    assert "123456" in listed
    assert "Auftrag &lt;b&gt;erledigt&lt;/b&gt;" in shown
    assert re.search("signiert|signed", shown)
    assert "multipart/signed" in get(page, "raw?mail=0")[0]


def test_nothing_in_a_mail_runs(page: MailboxPage) -> None:
    """Text is escaped, HTML stands in a frame without rights, and no page of ours may load anything."""
    shown, policy = get(page, "?mail=0")
    inside, rules = get(page, "html?mail=0")

    assert "<script>" not in shown
    assert "<script>" not in inside
    assert "default-src 'none'" in policy
    assert "sandbox" in rules


def test_what_does_not_exist_is_the_list(page: MailboxPage) -> None:
    """A number beyond the last mail, or none, shows the list; another address is not found."""
    assert "Erika Muster" in get(page, "?mail=99")[0]
    with pytest.raises(urllib.error.HTTPError):
        get(page, "nowhere?mail=0")
