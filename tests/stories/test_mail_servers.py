"""The mail room behind servers of others, as in production: Postfix brings and takes, Dovecot holds the mailbox."""

import imaplib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from mail_servers import as_root, certify, dovecot, folder_for_all, free_ports, postfix
from mail_stage import WORD, MailStage

from torwart.config import mail_site
from torwart.config.children import Child, Family
from torwart.config.mailroom import MailRoom, MailRoomConfig
from torwart.services import client as clients
from torwart.services import contact as contacts
from torwart.sim.mailbox import ClientMailbox, MailCa, Received
from torwart.store.models import Attachment, Contact, MailIn, MailOut, Ticket
from torwart.wire.mail import Attachment as File

SERVICE, ANNA = "service@torwart.example", "anna@stadtwerk.test"
NOTE = File("LS-2026-0001.p7m", "application/pkcs7-mime", b"\x30\x82 ein Lieferschein " * 5000)
pytestmark = pytest.mark.requirement("C-2")


@dataclass
class Post:
    """Anna's mailbox and the provider's Postfix and Dovecot; all mail of either side goes through them, over TLS."""

    box: ClientMailbox
    config: Path
    folder: Path
    ports: tuple[int, int, int]
    running: ExitStack = field(default_factory=ExitStack)

    def mailbox_up(self) -> None:
        self.running.enter_context(dovecot(self.folder, self.ports))

    def mailbox_down(self) -> None:
        self.running.close()

    def folders(self) -> dict[str, int]:
        """How many mails lie in each folder of the provider's mailbox."""
        with self._signed_in() as connection:
            return {name: len(_found(connection, name, "ALL")) for name in ("INBOX", "Torwart")}

    def unseen(self) -> int:
        with self._signed_in() as connection:
            return len(_found(connection, "INBOX", "UNSEEN"))

    @contextmanager
    def _signed_in(self) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.ports[0]) as connection:
            connection.login("service", "secret")
            yield connection

    def test_mail(self) -> Received:
        return self.box.wait(ANNA, lambda got: got.mail is not None and bool(WORD.search(got.mail.text)), timeout=30)


def _found(connection: imaplib.IMAP4, folder: str, which: str) -> list[bytes]:
    kind, _ = connection.select(folder, readonly=True)
    return connection.search(None, which)[1][0].split() if kind == "OK" else []


@pytest.fixture
def post(own_database: str, tmp_path: Path) -> Iterator[Post]:
    """Anna is known to us as a contact; nobody reads the provider's mailbox yet."""
    now = datetime.now(UTC)
    client = clients.create("Stadtwerk", actor="test")
    contacts.add(client, first_name="Anna", name="Muster", phone="+49 261 1234", email=ANNA, actor="test", now=now)
    ports: tuple[int, int, int] = tuple(free_ports(3))  # type: ignore[assignment]
    with folder_for_all() as out, folder_for_all() as inside, ClientMailbox(MailCa.create(now), []) as box:
        certify(out)
        certify(inside)
        routes = {
            "torwart.example": f"lmtp:inet:127.0.0.1:{ports[2]}",
            "stadtwerk.test": f"smtp:[127.0.0.1]:{box.port}",
        }
        with postfix(out, routes) as port:
            box.deliver_to = ("127.0.0.1", port)
            made = Post(box, _site(box, tmp_path, port, ports[1], out, inside), inside, ports)
            made.mailbox_up()
            with made.running:
                yield made


def _site(box: ClientMailbox, place: Path, port: int, imaps: int, out: Path, inside: Path) -> Path:
    """A mail room that has only this Postfix to send by and this mailbox to fetch from, and believes them."""
    site = mail_site.create(place, datetime.now(UTC), deliver_to=port)
    box.ca, box._trust = site.ca, site.ca.trust
    box.renew(site.ca.identity(ANNA))
    box.introduce(SERVICE, site.certificates)
    (place / "imap.password").write_text("secret\n")
    text = site.config.read_text().replace('[receive]\nlisten = "127.0.0.1:0"\n', "")
    text = text.replace('starttls = "never"', f'starttls = "demanded"\nca = "{out}/tls.pem"')
    text += f'\n[imap]\nserver = "127.0.0.1:{imaps}"\nuser = "service"\npassword_file = "imap.password"\n'
    site.config.write_text(text + f'ca = "{inside}/tls.pem"\n')
    return site.config


def eventually(what: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, [(row.state, row.code, row.why) for row in MailIn.objects.all()]
        time.sleep(0.05)


def _import_ticket() -> str:
    stage = MailStage.__new__(MailStage)
    stage.now = datetime.now(UTC)
    ticket: Ticket = stage.import_order(Contact.objects.get().client_id)
    return ticket.number


# -- the whole way ----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S-MAIL-1", "S-MAIL-2", "S-MAIL-3", "P01")
def test_test_and_delivery_note_through_the_mailbox(post: Post) -> None:
    """A signed first mail, the answer to the test mail, a delivery note signed and encrypted: each is fetched, routed
    as if it had come by SMTP, and put away; all answers leave through Postfix. A second room has nothing left to do."""
    with MailRoom(MailRoomConfig.load(post.config), poll=0.05):
        post.box.write(ANNA, SERVICE, "Unser Zertifikat", "anbei", sign=True)
        post.box.reply(post.test_mail(), "bitte sehr")
        eventually(lambda: Contact.objects.get().mail_state == "tested")
        ticket = _import_ticket()
        post.box.write(ANNA, SERVICE, f"Re: [#{ticket}] Import", "anbei", [NOTE], sign=True, encrypt=True)
        eventually(lambda: Attachment.objects.exists())
        eventually(lambda: post.folders() == {"INBOX": 0, "Torwart": 3})

    file = Attachment.objects.get()
    assert (file.ticket.number, file.name, file.secure) == (ticket, NOTE.name, True)
    assert bytes(file.content) == NOTE.content
    rows = MailIn.objects.order_by("id")
    assert [(row.via, row.state, row.envelope_from) for row in rows] == [("imap", "done", ANNA)] * 3
    assert MailIn.objects.get(ticket__number=ticket).security["order"] == ["encrypted", "signed"]
    test = post.test_mail().opened
    assert test is not None
    assert (test.signed, test.encrypted) == (True, True)
    post.box.wait(ANNA, lambda got: got.mail is not None and "getestet" in got.mail.subject)

    with MailRoom(MailRoomConfig.load(post.config), poll=0.05):
        post.box.write(ANNA, SERVICE, "Frage", "wann?", sign=True)
        eventually(lambda: post.folders() == {"INBOX": 0, "Torwart": 4})
    assert MailIn.objects.count() == 4


def test_kept_mail_may_stay_where_it_is(post: Post) -> None:
    """Without a folder for what is kept, mail stays in the inbox, seen, and no later room takes it again."""
    post.config.write_text(post.config.read_text() + 'done = ""\n')
    for number in (1, 2):
        with MailRoom(MailRoomConfig.load(post.config), poll=0.05):
            post.box.write(ANNA, SERVICE, f"Frage {number}", "wann?")
            eventually(lambda number=number: MailIn.objects.filter(state="done").count() == number)  # type: ignore[misc]
            eventually(lambda: post.unseen() == 0)

    assert post.folders() == {"INBOX": 2, "Torwart": 0}
    assert (MailIn.objects.count(), Ticket.objects.count()) == (2, 2)


def test_the_mailbox_goes_away_and_comes_back(post: Post) -> None:
    """While Dovecot is down Postfix holds the mail and the room goes on sending; afterwards each mail comes once."""
    with MailRoom(MailRoomConfig.load(post.config), poll=0.05):
        for turn in (1, 2):
            post.box.write(ANNA, SERVICE, f"Frage {turn}", "wann?")
            eventually(lambda turn=turn: MailIn.objects.filter(state="done").count() == 2 * turn - 1)  # type: ignore[misc]
            post.mailbox_down()
            post.box.write(ANNA, SERVICE, f"Zwischendurch {turn}", "noch da?")
            post.box.wait(ANNA, lambda got: got.mail is not None, count=2 * turn - 1, timeout=30)
            post.mailbox_up()
            eventually(lambda turn=turn: MailIn.objects.filter(state="done").count() == 2 * turn)  # type: ignore[misc]
        eventually(lambda: post.folders() == {"INBOX": 0, "Torwart": 4})
        eventually(lambda: len(post.box.mails(ANNA)) == 4)

    subjects = ["Frage 1", "Frage 2", "Zwischendurch 1", "Zwischendurch 2"]
    assert sorted(Ticket.objects.values_list("subject", flat=True)) == subjects


# -- killed -----------------------------------------------------------------------------------------------------------


def test_killed_between_fetching_and_marking(own_database: str, post: Post, tmp_path: Path) -> None:
    """kill -9 after a mail has been kept and before the mailbox could put it away: it lies there still, the next room
    fetches it again, and it counts once."""
    family = Family(tmp_path / "logs", {"TORWART_DATABASE_URL": own_database})
    try:
        with psycopg.connect(own_database) as blocker:
            child = _room(family, post, "doomed")
            blocker.execute("LOCK TABLE store_mailin IN EXCLUSIVE MODE")
            post.box.write(ANNA, SERVICE, "Frage", "wann?")
            eventually(lambda: _keeping(own_database))
            sessions = _sessions(post)
            _signal(sessions, signal.SIGSTOP)  # who holds the mailbox hears nothing any more
            blocker.rollback()
        eventually(lambda: MailIn.objects.exists())
        child.kill()
        _signal(sessions, signal.SIGKILL)
        eventually(lambda: post.folders() == {"INBOX": 1, "Torwart": 0})

        _room(family, post, "second")
        eventually(lambda: post.folders() == {"INBOX": 0, "Torwart": 1})
        post.box.wait(ANNA, timeout=30)
        eventually(lambda: MailIn.objects.get().state == "done")
    finally:
        family.stop()

    assert (Ticket.objects.count(), MailOut.objects.count(), len(post.box.mails(ANNA))) == (1, 1, 1)


def _room(family: Family, post: Post, name: str) -> Child:
    return family.await_ready(family.start(name, "mailroom", "--config", str(post.config)), 60)


def _keeping(database: str) -> bool:
    """Whether somebody waits to write a mail down."""
    waiting = (
        """SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO "store_mailin"%'"""
    )
    with psycopg.connect(database) as connection:
        return connection.execute(waiting).fetchone() is not None


def _sessions(post: Post) -> list[int]:
    """Dovecot's processes that have a mailbox open for somebody who has signed in."""
    ours = f"{post.folder}/"
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _read(entry / "comm") == "imap" and _master(int(entry.name), ours):
            found.append(int(entry.name))
    assert found, "nobody is signed in"
    return found


def _master(pid: int, ours: str) -> bool:
    """Whether the parent of this process is the Dovecot of this test."""
    parent = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[1]
    return ours in _read(Path(f"/proc/{parent}/cmdline"))


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


def _signal(pids: list[int], number: signal.Signals) -> None:
    if os.geteuid() == 0:
        for pid in pids:
            os.kill(pid, number)
    else:
        subprocess.run([*as_root(), "kill", f"-{number.value}", *map(str, pids)], check=True)
