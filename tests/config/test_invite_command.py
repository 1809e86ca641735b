"""``torwart invite``: how the first administrator gets in."""

import re
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.test import Client

from torwart.config.commands.invite import command
from torwart.kernel.refusals import Refusal
from torwart.store.models import User


@pytest.fixture
def invite(own_database: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command on the test's own database."""
    monkeypatch.setenv("TORWART_DATABASE_URL", own_database)
    monkeypatch.setenv("TORWART_LANGUAGE", "de")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(command, arguments)

    return call


@pytest.mark.requirement("P-4")
def test_the_first_administrator_gets_in(invite: Any) -> None:
    """The printed link opens; a person is invited once, and again only when that is said; then the old link is dead."""
    first = ("chef@torwart.example", "--name", "Berg", "--role", "administrator")
    link = re.search(r"http://localhost:8000(/konto/einladung/\S+)", invite(*first).output)
    assert link
    page = Client(SERVER_NAME="localhost").get(link[1], follow=True)
    assert "Willkommen bei Torwart" in page.content.decode()
    assert User.objects.get().roles == ["administrator"]
    refused = invite(*first).exception
    assert isinstance(refused, Refusal)
    assert refused.code == "account.exists"
    assert invite(first[0], "--again").exit_code == 0
    assert Client(SERVER_NAME="localhost").get(link[1], follow=True).status_code == 410


def test_what_is_not_there_is_said(invite: Any) -> None:
    """Unknown client, unknown account, no role."""
    assert "Diesen Auftraggeber gibt es nicht" in invite("a@b.example", "--role", "reader", "--client", "X").output
    assert "Dieses Konto gibt es nicht" in invite("a@b.example", "--again").output
    refused = invite("a@b.example").exception
    assert isinstance(refused, Refusal)
    assert refused.code == "account.roles"
