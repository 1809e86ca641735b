"""Debian's Postfix and Dovecot, and swaks: mail that went through real servers, both ways, kept and unharmed."""

import imaplib
import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest
from foreign import need
from mail_servers import certify, dovecot, folder_for_all, free_ports, postfix

from torwart.adapters.mail import ImapAccount, ImapFetcher, SmtpReceiver, SmtpSender, StartTls
from torwart.kernel.refusals import Refusal
from torwart.sim.mailbox import ClientMailbox, MailCa
from torwart.wire.mail import Attachment, Letter, Paragraph, compose, read
from torwart.wire.smime import SmimeIdentity, choose_encryption, open_mail, protect

from .conftest import RAW, Kept

pytestmark = pytest.mark.requirement("C-2")

SERVICE, ERIKA = "service@torwart.test", "erika@client.test"
NOTE = Attachment("Lieferschein.xml", "text/xml", b"<?xml version='1.0'?>\n<x/>\n" * 2000)


@dataclass
class Station:
    """The provider's receiver and Postfix, a client's mailbox behind it, and Dovecot for "mailbox.test"."""

    kept: Kept
    box: ClientMailbox
    sender: SmtpSender
    service: SmimeIdentity
    ca: MailCa
    folder: Path
    imap: int
    imaps: int
    lmtp: int

    def account(self, user: str, **more: object) -> ImapAccount:
        return ImapAccount("127.0.0.1", user, "secret", **{"port": self.imap, "tls": "none", **more})  # type: ignore[arg-type]

    def deliver(self, user: str, raw: bytes = RAW) -> None:
        """Straight into a mailbox of Dovecot."""
        with smtplib.LMTP("127.0.0.1", self.lmtp) as connection:
            connection.sendmail("a@client.test", [f"{user}@mailbox.test"], raw)

    def folders(self, user: str) -> dict[str, int]:
        """How many mails lie in each folder of a user."""
        with imaplib.IMAP4("127.0.0.1", self.imap) as connection:
            connection.login(user, "secret")
            found = {}
            for name in ("INBOX", "Torwart"):
                kind, data = connection.select(name, readonly=True)
                found[name] = int(data[0] or 0) if kind == "OK" else 0
            return found


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    ca, kept = MailCa.create(datetime.now(UTC)), Kept()
    service = ca.identity(SERVICE, key="brainpool")
    imap, imaps, lmtp = ports = tuple(free_ports(3))
    with (
        folder_for_all() as post,
        folder_for_all() as dove,
        SmtpReceiver(kept, domains=["torwart.test"], size_limit=2**20) as receiver,
        ClientMailbox(ca, [ca.identity(ERIKA, key="rsa3072")]) as box,
    ):
        certify(post)
        certify(dove)
        routes = {"torwart.test": f"smtp:[127.0.0.1]:{receiver.port}", "client.test": f"smtp:[127.0.0.1]:{box.port}",
                  "mailbox.test": f"lmtp:inet:127.0.0.1:{lmtp}"}  # fmt: skip
        with dovecot(dove, ports), postfix(post, routes) as port:  # type: ignore[arg-type]
            tls = ssl.create_default_context(cafile=post / "tls.pem")
            sender = SmtpSender("127.0.0.1", port, starttls=StartTls.DEMANDED, tls=tls)
            box.deliver_to = ("127.0.0.1", port)
            yield Station(kept, box, sender, service, ca, dove, imap, imaps, lmtp)


@pytest.fixture(autouse=True)
def fresh(station: Station) -> None:
    """What earlier tests received is forgotten; a keeper works again."""
    station.kept.mails.clear()
    station.kept.failures = 0


def eventually(true: Callable[[], bool], seconds: float = 8) -> None:
    """Until it is so; "soon" is up to foreign programs."""
    until = monotonic() + seconds
    while not true():
        assert monotonic() < until, "it did not come to pass"
        sleep(0.02)


# -- Postfix ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S-MAIL-3", "O-7")
def test_secure_mail_goes_through_postfix_both_ways(station: Station) -> None:
    """Signed and encrypted out, answered with a delivery note: after real servers every octet still holds."""
    now = datetime.now(UTC)
    letter = Letter("[#T-123456782] Lieferschein", (Paragraph("Bitte antworten Sie mit dem Lieferschein. Grüße"),))
    mail = compose(letter, sender=SERVICE, recipient=ERIKA, message_id="<T-123456782.1@torwart.test>", date=now)
    certificate = choose_encryption(station.box.people[ERIKA].certificates, now)
    station.sender.send(protect(mail, signer=station.service.signer, recipients=[certificate]), SERVICE, [ERIKA])

    got = station.box.wait(ERIKA)
    assert got.opened is not None
    assert got.mail is not None
    assert (got.opened.signed, got.opened.encrypted, got.mail.text) == (True, True, letter.blocks[0].text)  # type: ignore[union-attr]

    station.box.reply(got, "Anbei.", [NOTE])
    station.kept.wait(1)
    raw, envelope_from, envelope_to = station.kept.mails[0]
    opened = open_mail(raw, decrypters=station.service.decrypters, trust=station.ca.trust, at=datetime.now(UTC))
    answer = read(opened.entity)
    assert (envelope_from, envelope_to, opened.signed, opened.encrypted) == (ERIKA, (SERVICE,), True, True)
    assert (answer.ticket, answer.from_address, answer.attachments) == ("T-123456782", ERIKA, (NOTE,))


def test_swaks_is_understood(station: Station, tmp_path: Path) -> None:
    """A mail as swaks makes it, with umlauts and an attachment, through Postfix over TLS."""
    attachment = tmp_path / "l.csv"
    attachment.write_text("Zähler;1\n")
    options = ["--server", "127.0.0.1", "--port", str(station.sender.port), "--tls", "--from", ERIKA, "--to", SERVICE]
    content = ["--header", "Subject: Frage [#T-123456782]", "--body", "Grüße", "--attach", f"@{attachment}"]
    done = subprocess.run([need("swaks"), *options, *content], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout

    station.kept.wait(1)
    mail = read(station.kept.mails[0][0])
    assert (mail.text, mail.ticket, mail.from_address) == ("Grüße", "T-123456782", ERIKA)
    assert [file.content.decode() for file in mail.attachments] == ["Zähler;1\n"]


def test_postfix_keeps_what_we_cannot(station: Station) -> None:
    """While we cannot store, Postfix holds the mail and brings it again; then it is here once."""
    station.kept.failures = 2
    station.sender.send(RAW, ERIKA, [SERVICE])

    station.kept.wait(1, timeout=15)
    assert station.kept.failures == 0
    assert [read(raw).subject for raw, _, _ in station.kept.mails] == ["Frage"]


def test_too_large_is_told_to_the_sender(station: Station) -> None:
    """Postfix tells the sender that we take no mail so large; that bounce is recognised as one."""
    station.sender.send(RAW + (b"x" * 70 + b"\r\n") * 20000, ERIKA, [SERVICE])

    bounce = station.box.wait(ERIKA, lambda got: got.mail is not None and got.mail.bounce)
    assert bounce.mail is not None
    assert "exceeds size limit 1048576" in bounce.mail.text
    assert not bounce.mail.wants_answer
    assert station.kept.mails == []


def test_a_foreign_servers_no_is_told_in_its_words(station: Station) -> None:
    """Postfix relays for nobody: its own words and code reach whoever looks."""
    with pytest.raises(Refusal) as caught:
        station.sender.send(RAW, ERIKA, ["x@elsewhere.test"])
    assert caught.value.code == "mail.delayed"
    assert "x@elsewhere.test: 454 4.7.1 <x@elsewhere.test>: Relay access denied" in caught.value.text("en")


# -- Dovecot ----------------------------------------------------------------------------------------------------------


def test_mail_is_fetched_pushed_and_put_away(station: Station) -> None:
    """What lies there is fetched, what comes later is pushed by IDLE; kept mails lie in the folder for them."""
    station.deliver("idle")
    kept = Kept()
    with ImapFetcher(kept, station.account("idle")):
        kept.wait(1)
        station.deliver("idle", RAW.replace(b"Frage", b"Zweite"))
        kept.wait(2)
        eventually(lambda: station.folders("idle") == {"INBOX": 0, "Torwart": 2})

    assert [read(raw).subject for raw, _, _ in kept.mails] == ["Frage", "Zweite"]
    assert [(sender, to) for _, sender, to in kept.mails] == [("a@client.test", ("idle@mailbox.test",))] * 2
    assert all(raw.endswith(RAW[RAW.index(b"\r\n\r\n") :]) for raw, _, _ in kept.mails)


def test_through_postfix_into_the_mailbox(station: Station) -> None:
    """The whole way of production: Postfix, LMTP, Dovecot, IDLE over TLS."""
    kept = Kept()
    tls = ssl.create_default_context(cafile=station.folder / "tls.pem")
    for port, kind in ((station.imaps, "implicit"), (station.imap, "starttls")):
        with ImapFetcher(kept, station.account("way", port=port, tls=kind, context=tls)):
            station.sender.send(RAW, ERIKA, ["way@mailbox.test"])
            kept.wait(len(kept.mails) + 1)
    assert len(kept.mails) == 2


def test_what_cannot_be_kept_stays(station: Station) -> None:
    """A keeper that fails leaves its mail in the inbox, does not hold up the others, and gets it again."""
    for number in range(3):
        station.deliver("later", RAW.replace(b"Frage", b"%d" % number))
    kept = Kept(failures=1)
    with ImapFetcher(kept, station.account("later"), back_off=(0.05, 1)):
        kept.wait(3)
        eventually(lambda: station.folders("later") == {"INBOX": 0, "Torwart": 3})

    assert [read(raw).subject for raw, _, _ in kept.mails] == ["1", "2", "0"]


def test_killed_between_keeping_and_marking(station: Station) -> None:
    """Whoever dies after keeping and before marking gets the same octets again: twice, never lost."""
    station.deliver("crash")
    kept = Kept()

    class Killed(BaseException):
        """What no handler catches, as SIGKILL would."""

    def keep_and_die(raw: bytes, envelope_from: str, envelope_to: object) -> None:
        kept(raw, envelope_from, ())
        raise Killed

    fetcher = ImapFetcher(keep_and_die, station.account("crash"))
    with pytest.raises(Killed):
        fetcher.run()
    assert station.folders("crash")["INBOX"] == 1
    with ImapFetcher(kept, station.account("crash")):
        kept.wait(2)
    assert kept.mails[0][0] == kept.mails[1][0]


def test_mail_may_stay_in_the_inbox(station: Station) -> None:
    """Without a folder to move to, mails are marked as seen and not fetched again."""
    station.deliver("stay")
    kept = Kept()
    for _ in range(2):
        with ImapFetcher(kept, station.account("stay", done="")):
            kept.wait(1)
            station.deliver("stay")
            kept.wait(len(kept.mails) + 1)
    assert len(kept.mails) == 3
    eventually(lambda: station.folders("stay") == {"INBOX": 3, "Torwart": 0})


def test_of_a_huge_mail_enough_is_fetched_to_refuse_it(station: Station) -> None:
    """Only one octet more than allowed is fetched; the whole lies in the folder."""
    station.deliver("huge", RAW + b"x" * 5000)
    kept = Kept()
    with ImapFetcher(kept, station.account("huge"), size_limit=2000):
        kept.wait(1)
    assert len(kept.mails[0][0]) == 2001


def test_it_connects_again(station: Station) -> None:
    """A server that goes away and comes back: the fetcher says why it waits, and then goes on by itself."""
    kept, ports = Kept(), tuple(free_ports(3))
    with folder_for_all() as folder:
        certify(folder)
        account = ImapAccount("127.0.0.1", "again", "secret", port=ports[0], tls="none")
        with ImapFetcher(kept, account, back_off=(0.05, 0.2)) as fetcher:
            for number in (1, 2):
                eventually(lambda: fetcher.trouble is not None and fetcher.trouble.code == "mail.unreachable")
                with dovecot(folder, ports):  # type: ignore[arg-type]
                    eventually(lambda: fetcher.trouble is None)
                    with smtplib.LMTP("127.0.0.1", ports[2]) as connection:
                        connection.sendmail("a@client.test", ["again@mailbox.test"], RAW)
                    kept.wait(number)
    assert len(kept.mails) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tls": "starttls", "context": ssl.create_default_context()}, "mail.tls"),
        ({"inbox": "No such folder"}, "mail.unreachable"),
        ({"password": "wrong"}, "mail.login"),  # last: Dovecot makes who is wrong wait
    ],
)
def test_trouble_has_a_name(changes: dict[str, object], code: str, station: Station) -> None:
    """Wrong password, a certificate nobody vouches for, no such folder: told by name while it tries again."""
    account = replace(station.account("x"), **changes)  # type: ignore[arg-type]
    with ImapFetcher(Kept(), account, back_off=(0.05, 0.1)) as fetcher:
        eventually(lambda: fetcher.trouble is not None)
        assert fetcher.trouble is not None
        assert fetcher.trouble.code == code
    assert "secret" not in repr(account)
