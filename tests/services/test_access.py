"""The access log keeps what it is told, and a failed sign-in belongs to whom it was aimed at."""

from datetime import UTC, datetime

import pytest

from torwart.kernel.role import Role
from torwart.services import access
from torwart.services import user as users
from torwart.store.models import Access, Client

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.requirement("P-4")]


def test_a_failed_sign_in_is_the_clients_whose_person_was_meant() -> None:
    """A client's contacts see attacks on their people, and nothing else."""
    client = Client.objects.create(name="Stadtwerk A")
    users.invite(
        email="anna@a.example", name="Berg", first_name="", roles=[Role.READER], client=client.pk, actor="x", at=NOW
    )
    access.sign_in_failed(email="Anna@A.example", address="192.0.2.7", at=NOW)
    access.sign_in_failed(email="nobody@a.example", address="192.0.2.7", at=NOW)
    lines = Access.objects.order_by("id").values_list("email", "client__name", "what", "status")
    assert list(lines) == [
        ("Anna@A.example", "Stadtwerk A", "sign_in_failed", 403),
        ("nobody@a.example", None, "sign_in_failed", 403),
    ]


def test_what_comes_from_outside_is_cut_and_cannot_break_the_line() -> None:
    """Browsers may call themselves anything, at any length."""
    access.sign_in_failed(email="a\0b" * 900, address="::1", at=NOW, agent="\0" + "x" * 9000)
    line = Access.objects.get()
    assert (len(line.email), len(line.agent), "\0" in line.email + line.agent) == (500, 500, False)
