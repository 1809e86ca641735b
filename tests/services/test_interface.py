"""The interface's own verbs: who is told when a coupling is suspended, and what the log never keeps (R-4, P-1)."""

from datetime import UTC, datetime, timedelta

import pytest
from portal_world import town

from torwart.services import interface
from torwart.services.interface import Compatibility
from torwart.store.models import AuditEntry, Coupling, InterfaceEvent, MailOut

NOW = datetime.now(UTC)


@pytest.mark.requirement("R-4")
def test_suspending_and_resuming_is_told_to_contacts_and_system(db: None) -> None:
    """Each contact gets a mail in either direction, the feed an event; saying the same again tells nobody."""
    owner, other = town(), town("Nachbarwerke", tag="b")
    coupling = interface.couple(owner.client, "A.EMT", software="EMT Pro", software_version="3.1", actor="test")
    told = MailOut.objects.filter(kind__startswith="interface.")

    def judge(verdict: Compatibility, hours: int, reason: str = "", **what: str) -> None:
        interface.judge(coupling, verdict, reason=reason, actor="a", now=NOW + timedelta(hours=hours), **what)

    judge(Compatibility.INCOMPATIBLE, 0, "3.1 ist zu alt")
    judge(Compatibility.INCOMPATIBLE, 1, "3.1 ist viel zu alt")
    row = Coupling.objects.get()
    assert (row.suspended_at, row.judged_at, row.reason) == (NOW, NOW + timedelta(hours=1), "3.1 ist viel zu alt")
    assert sorted(told.values_list("kind", "contact__client")) == [("interface.suspended", owner.client)] * 2
    assert all("3.1 ist zu alt" in mail.text and "/portal/bestellen/" in mail.text for mail in told)
    judge(Compatibility.COMPATIBLE, 2, software_version="3.2")
    row.refresh_from_db()

    assert (row.suspended_at, row.software_version) == (None, "3.2")
    assert sorted(told.values_list("kind", flat=True)) == ["interface.resumed"] * 2 + ["interface.suspended"] * 2
    assert list(InterfaceEvent.objects.order_by("id").values_list("type", flat=True)) == [
        "de.torwart.coupling.suspended",
        "de.torwart.coupling.resumed",
    ]
    actions = AuditEntry.objects.filter(subject="coupling:A.EMT").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["interface.coupled", *["interface.incompatible"] * 2, "interface.compatible"]
    assert not MailOut.objects.filter(client=other.client).exists()


@pytest.mark.requirement("R-4")
def test_the_first_confirmation_is_no_news(db: None) -> None:
    """Whoever was never suspended is not told that it runs again."""
    coupling = interface.couple(town().client, "A.EMT", software="", software_version="", actor="test")
    interface.judge(coupling, Compatibility.COMPATIBLE, reason="", actor="a", now=NOW)

    assert not MailOut.objects.filter(kind__startswith="interface.").exists()


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('{"url": "https://emt.example/hook?key=abc&x=1"}', '{"url": "https://emt.example/hook?•••"}'),
        ('{"url": "http://e.example:8080/a:b?key=abc#x"}', '{"url": "http://e.example:8080/a:b?•••#x"}'),
        ('{"client_secret": "a\\"b", "id": "x"}', '{"client_secret": "•••", "id": "x"}'),
        ('{"accessToken":"abc"}', '{"accessToken":"•••"}'),
        ('{"Password" : "äß", "n": 1}', '{"Password" : "•••", "n": 1}'),
        ('{"gateway": "EPPC0211358875"}', '{"gateway": "EPPC0211358875"}'),
        ('{"reason": "see https://a.example/page"}', '{"reason": "see https://a.example/page"}'),
    ],
)
def test_secrets_do_not_get_into_the_log(body: str, kept: str) -> None:
    """Members called a secret, and what stands behind the ? of an address, where receivers are told passwords."""
    assert interface.without_secrets(body) == kept


def test_redacting_takes_no_long_time() -> None:
    """Whatever is sent, a mebibyte of it is looked through at once."""
    import time

    for hostile in (
        '"' * 2**20,
        '"secret' * 2**17,
        "https://a" * 2**17,
        "https://" + "a" * 2**20,
        "https:/a" * 2**17,
        "\\" * 2**20,
        '"a' * 2**19,
    ):
        began = time.monotonic()
        interface.without_secrets(hostile)
        assert time.monotonic() - began < 2, hostile[:20]
