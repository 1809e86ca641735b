"""The mail room as a process: SMTP in and out, killed, restarted, cut off from its database (C-2, spec/08)."""

import os
import secrets
import signal
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import connection

from torwart.adapters.key_store import FileKeyStore
from torwart.config import mail_site
from torwart.config.children import Child, Family
from torwart.config.mail_site import MailSite
from torwart.config.mailroom import MailRoom, MailRoomConfig
from torwart.kernel.refusals import Refusal
from torwart.services import client as clients
from torwart.services import contact as contacts
from torwart.sim.mailbox import ClientMailbox
from torwart.store.models import AuditEntry, MailIn, MailOut, Ticket
from torwart.wire.smime import EcSigner

SERVICE, ANNA = "service@torwart.example", "anna@stadtwerk.test"


@pytest.fixture
def box(own_database: str, tmp_path: Path) -> Iterator[ClientMailbox]:
    """A client's mailbox with one person, known to us as a contact; the site lies in ``tmp_path``."""
    now = datetime.now(UTC)
    client = clients.create("Stadtwerk", actor="test")
    contacts.add(client, first_name="Anna", name="Muster", phone="+49 261 1234", email=ANNA, actor="test", now=now)
    with ClientMailbox(mail_site.MailCa.create(now), []) as made:
        yield made


def site_for(box: ClientMailbox, tmp_path: Path) -> MailSite:
    """The mail room's configuration, delivering to the box, whose people belong to the same CA."""
    site = mail_site.create(tmp_path, datetime.now(UTC), deliver_to=box.port)
    box.ca, box._trust = site.ca, site.ca.trust
    box.renew(site.ca.identity(ANNA))
    box.introduce(SERVICE, site.certificates)
    return site


@contextmanager
def family(database: str, tmp_path: Path) -> Iterator[Family]:
    made = Family(tmp_path / "logs", {"TORWART_DATABASE_URL": database})
    try:
        yield made
    finally:
        made.stop()


def start(made: Family, site: MailSite, box: ClientMailbox, name: str = "mailroom") -> Child:
    child = made.await_ready(made.start(name, "mailroom", "--config", str(site.config)), 60)
    box.deliver_to = ("127.0.0.1", int(child.facts["smtp"]))
    return child


def eventually(what: Callable[[], Any], seconds: float = 20.0) -> None:
    """Until ``what`` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


# -- the process ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-2", "S-MAIL-3")
def test_a_mail_room_serves_and_ends_cleanly(own_database: str, box: ClientMailbox, tmp_path: Path) -> None:
    """Over real SMTP: a signed mail brings receipt and test mail, the answer makes the contact tested; SIGTERM ends."""
    site = site_for(box, tmp_path)
    with family(own_database, tmp_path) as made:
        child = start(made, site, box)
        box.write(ANNA, SERVICE, "Unser Zertifikat", "anbei", sign=True)
        box.reply(box.wait(ANNA, lambda got: "Testmail" in got.mail.subject, timeout=20), "bitte sehr")  # type: ignore[union-attr]
        assert box.wait(ANNA, lambda got: "getestet" in got.mail.subject, timeout=20).opened is not None  # type: ignore[union-attr]

        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(20) == 0
        log = child.log.read_text()

    assert Ticket.objects.count() == 1
    for said in ("mail room open", "kept", "done", "mail.receipt sent", "contact.test sent", "mail room closed"):
        assert said in log
    assert "Traceback" not in log


@pytest.mark.requirement("C-2")
def test_killed_between_receipt_and_reading(own_database: str, box: ClientMailbox, tmp_path: Path) -> None:
    """kill -9 while a mail that was answered with 250 is being read: the next room reads it, once."""
    site = site_for(box, tmp_path)
    with family(own_database, tmp_path) as made, psycopg.connect(own_database) as blocker:
        child = start(made, site, box)
        blocker.execute("LOCK TABLE store_ticketentry IN EXCLUSIVE MODE")  # reading comes as far as this
        box.write(ANNA, SERVICE, "Frage", "wann?")
        eventually(lambda: _waiting(own_database))
        child.kill()
        blocker.rollback()
        assert (MailIn.objects.get().state, Ticket.objects.count(), MailOut.objects.count()) == ("stored", 0, 0)

        start(made, site, box, "second")
        got = box.wait(ANNA, timeout=20)

    assert (MailIn.objects.get().state, Ticket.objects.count(), MailOut.objects.count()) == ("done", 1, 1)
    assert len(box.mails(ANNA)) == 1
    assert got.mail is not None
    assert Ticket.objects.get().number in got.mail.subject


def _waiting(database: str) -> bool:
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ).fetchone()
    return row is not None and row[0] > 0


@pytest.mark.chaos
@pytest.mark.requirement("C-2")
def test_killed_again_and_again(own_database: str, box: ClientMailbox, tmp_path: Path) -> None:
    """Two rooms, one of them killed with -9 ten times while 120 mails come in: each mail that got its 250 has one
    ticket and its receipt; what arrives twice is the same mail, recognisable by its Message-ID."""
    site = site_for(box, tmp_path)
    sent: list[str] = []
    with family(own_database, tmp_path) as made:
        made.await_ready(made.start("steady", "mailroom", "--config", str(site.config)), 60)
        for turn in range(10):
            child = start(made, site, box, f"doomed-{turn}")
            for number in range(12):
                subject, sender = f"Frage {turn}-{number}", f"p{turn}-{number}@elsewhere.test"
                raw = f"From: {sender}\r\nSubject: {subject}\r\nMessage-ID: <{turn}.{number}@x.test>\r\n\r\nwann?\r\n"
                try:
                    box.deliver(raw.encode(), sender, SERVICE)
                except (smtplib.SMTPException, OSError):
                    continue
                sent.append(subject)
                if number == 8:
                    time.sleep(secrets.randbelow(300) / 1000)
                    child.kill()
        eventually(lambda: not MailIn.objects.filter(state="stored").exists(), 60)
        eventually(lambda: not MailOut.objects.filter(state="queued", attempts=0).exists(), 60)

    assert sorted(Ticket.objects.values_list("subject", flat=True)) == sorted(sent)
    assert MailOut.objects.filter(kind="mail.receipt").count() == len(sent) >= 90
    assert MailIn.objects.count() == len(sent)


# -- in one process ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-2")
def test_a_room_survives_losing_its_database(own_database: str, box: ClientMailbox, tmp_path: Path) -> None:
    """All its sessions are cut, again and again: mail goes on coming in and going out by itself."""
    site = site_for(box, tmp_path)
    with MailRoom(MailRoomConfig.load(site.config), poll=0.05) as room:
        box.deliver_to = ("127.0.0.1", room.port)
        for turn in range(3):
            box.write(ANNA, SERVICE, f"Frage {turn}", "wann?")
            eventually(lambda turn=turn: len({got.mail for got in box.mails(ANNA)}) == turn + 1)  # type: ignore[misc]
            with psycopg.connect(own_database, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name = 'torwart'"
                )
        connection.close()
        eventually(lambda: MailIn.objects.filter(state="done").count() == 3)

    assert Ticket.objects.count() == 3


@pytest.mark.requirement("S-MAIL-4")
def test_a_new_revocation_list_counts_without_a_restart(box: ClientMailbox, tmp_path: Path) -> None:
    """The file of revocation lists is read again when it changes."""
    site = site_for(box, tmp_path)
    crl = tmp_path / "mail.crl"
    crl.write_bytes(site.ca.crl().public_bytes(Encoding.DER))
    site.config.write_text(site.config.read_text().replace("[receive]", 'crls = ["mail.crl"]\n\n[receive]'))
    config = MailRoomConfig.load(site.config)
    before = config.stamp()
    assert [len(each) for each in config.desk().trust.crls] == [0]

    crl.write_bytes(site.ca.crl([box.people[ANNA].signer.certificate]).public_bytes(Encoding.PEM))
    os.utime(crl, (1, 1))

    assert config.stamp() != before
    assert [len(each) for each in config.desk().trust.crls] == [1]


@pytest.mark.requirement("C-2")
def test_too_large_is_said_either_way(own_database: str, box: ClientMailbox, tmp_path: Path) -> None:
    """A little above the limit: taken and answered with a mail. Far above: the sending server gets a clear text."""
    site = site_for(box, tmp_path)
    with MailRoom(MailRoomConfig.load(site.config), poll=0.05) as room:
        box.deliver_to = ("127.0.0.1", room.port)
        head = f"From: {ANNA}\r\nSubject: Lieferscheine\r\n\r\n".encode()
        line = b"x" * 998 + b"\r\n"
        box.deliver(head + line * 27_000, ANNA, SERVICE)
        answer = box.wait(ANNA, timeout=30).mail
        with pytest.raises(smtplib.SMTPException, match="too large"):
            box.deliver(head + line * 60_000, ANNA, SERVICE)

    assert answer is not None
    assert "mehreren kleineren Mails" in " ".join(answer.text.split())


# -- configuration ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[send]", "[sand]", "send"),
        ("127.0.0.1:0", "überall", "überall"),
        ('key = "mail-sign.key.pem"', 'label = "mail.sig"', "key store"),
        ('key = "mail-sign.key.pem"', "x = 1", "either key"),
        ("[receive]\nlisten", "[receive]\nhostname", "no mail could come in"),
        ('"never"', '"manchmal"', "manchmal"),
    ],
)
def test_a_wrong_configuration_is_refused(db: None, tmp_path: Path, old: str, new: str, why: str) -> None:
    """What is missing or wrong in the file is named when it is read, not when the first mail comes."""
    site = mail_site.create(tmp_path, datetime.now(UTC), deliver_to=25)
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new))

    with pytest.raises(Refusal) as no:
        MailRoomConfig.load(site.config)

    assert no.value.code == "installation.configuration"
    assert why in no.value.text("en")


def test_mail_may_come_by_imap_alone(db: None, tmp_path: Path) -> None:
    """An IMAP account instead of the receiver: its password stays in a file and out of what is logged."""
    site = mail_site.create(tmp_path, datetime.now(UTC), deliver_to=25)
    (tmp_path / "imap.password").write_text("geheim\n")
    text = site.config.read_text().replace('[receive]\nlisten = "127.0.0.1:0"\n', "")
    imap = '\n[imap]\nserver = "imap.torwart.example:993"\nuser = "service"\npassword_file = "imap.password"\n'
    site.config.write_text(text + imap)

    config = MailRoomConfig.load(site.config)

    assert config.imap is not None
    assert (config.listen, config.imap.server, config.imap.password) == (None, "imap.torwart.example:993", "geheim")
    assert "geheim" not in repr(config)


def test_keys_may_stay_in_the_key_store(db: None, tmp_path: Path) -> None:
    """A label names a key in the key store; it signs without leaving it."""
    site = mail_site.create(tmp_path, datetime.now(UTC), deliver_to=25)
    key_file = tmp_path / "keys.key"
    key_file.touch(mode=0o600)
    key_file.write_bytes(secrets.token_bytes(32))
    store = FileKeyStore.open(tmp_path / "keys", key_file=key_file)
    public = store.generate("mail.sig", curve="secp256r1")
    text = site.config.read_text().replace('key = "mail-sign.key.pem"', 'label = "mail.sig"')
    site.config.write_text(text + '\n[keys]\ndirectory = "keys"\nkey_file = "keys.key"\n')

    signer = MailRoomConfig.load(site.config).desk().identity.signer

    assert isinstance(signer, EcSigner)
    signature = signer.sign(b"mail")
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    public.verify(signature, b"mail", ec.ECDSA(hashes.SHA256()))
    assert AuditEntry.objects.count() == 0
    assert timedelta(0) < signer.certificate.not_valid_after_utc - datetime.now(UTC)
