"""The SMTP sender against a simulated client's server: each no has its name and says whether to try again."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest

from torwart.adapters.mail import SmtpReceiver, SmtpSender, StartTls
from torwart.kernel.refusals import Refusal, Retry
from torwart.sim.mailbox import Behaviour, ClientMailbox, MailCa

from .conftest import RAW, Kept, server_tls

pytestmark = pytest.mark.requirement("C-2")

ERIKA, MAX = "erika@client.test", "max@client.test"
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def ca() -> MailCa:
    return MailCa.create(NOW)


@pytest.fixture
def box(ca: MailCa) -> Iterator[ClientMailbox]:
    with ClientMailbox(ca, [ca.identity(ERIKA), ca.identity(MAX)]) as box:
        yield box


def sender(port: int, **more: object) -> SmtpSender:
    return SmtpSender("127.0.0.1", port, **{"timeout": 5.0, **more})  # type: ignore[arg-type]


def refused(sender: SmtpSender, *recipients: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        sender.send(RAW, "service@torwart.test", recipients or [ERIKA])
    return caught.value


def test_a_mail_arrives(box: ClientMailbox) -> None:
    """Octets and envelope arrive as given, at every recipient."""
    sender(box.port).send(RAW, "service@torwart.test", [ERIKA, MAX])

    assert [(mail.raw, mail.envelope_from, mail.to) for mail in box.mails()] == [
        (RAW, "service@torwart.test", ERIKA),
        (RAW, "service@torwart.test", MAX),
    ]


@pytest.mark.parametrize(
    ("behaviour", "code", "retry", "words"),
    [
        (Behaviour(gone=True), "mail.refused", Retry.NEVER, "550 5.1.1 No such mailbox here"),
        (Behaviour(busy_times=1), "mail.delayed", Retry.LATER, "451 4.7.1 Busy"),
        (Behaviour(busy_until=NOW + timedelta(hours=1)), "mail.delayed", Retry.LATER, "451 4.7.1 Busy"),
        (Behaviour(hang_up_times=1), "mail.unreachable", Retry.LATER, "closed"),
    ],
)
def test_each_no_has_its_name(behaviour: Behaviour, code: str, retry: Retry, words: str, box: ClientMailbox) -> None:
    """5xx is for good, 4xx and hang-ups are for later, and the server's own words are told."""
    box.behaviour = behaviour
    refusal = refused(sender(box.port))

    assert (refusal.code, refusal.kind.retry) == (code, retry)
    assert words in refusal.text("en")
    assert words in refusal.text("de")


def test_a_mail_lost_at_the_end_comes_twice(box: ClientMailbox) -> None:
    """Taken, but the 250 was lost: it goes again, with the same Message-ID, so the reader can drop it."""
    box.behaviour = Behaviour(hang_up_times=1)
    refused(sender(box.port))
    sender(box.port).send(RAW, "service@torwart.test", [ERIKA])

    assert [mail.mail.message_id for mail in box.mails(ERIKA) if mail.mail] == ["<1@client.test>"] * 2


def test_some_recipients_may_be_refused(box: ClientMailbox) -> None:
    """Who can be reached is reached; who cannot is named."""
    refusal = refused(sender(box.port), ERIKA, "gone@client.test")

    assert refusal.code == "mail.refused"
    assert "gone@client.test: 550" in refusal.text("en")
    assert len(box.mails(ERIKA)) == 1


def test_nobody_there_is_unreachable(box: ClientMailbox) -> None:
    """A closed port, a name that does not exist, a server that says nothing: for later."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert refused(sender(port, timeout=0.2)).code == "mail.unreachable"
    assert refused(sender(port)).code == "mail.unreachable"
    assert refused(SmtpSender("no.such.host.invalid", 25, timeout=5.0)).code == "mail.unreachable"


@contextmanager
def scripted(*answers: bytes) -> Iterator[int]:
    """A server that gives these answers, one to each line it hears, and hangs up; answers its port."""

    def serve(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as lines:
            for answer in answers:
                connection.sendall(answer)
                if not lines.readline():
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        thread = Thread(target=serve, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ((b"554 no\r\n",), "mail.unreachable"),
        ((b"220 hello\r\n", b"250 hello\r\n", b"421 closing\r\n"), "mail.delayed"),
        ((b"220 hello\r\n", b"250 hello\r\n", b"550 5.7.1 not you\r\n", b"250 ok\r\n"), "mail.refused"),
        ((b"220 hello\r\n", b"\xff\xff\r\n"), "mail.unreachable"),
    ],
)
def test_strange_servers_are_named_too(answers: tuple[bytes, ...], code: str) -> None:
    """A greeting that refuses, an early end, nonsense."""
    with scripted(*answers) as port:
        assert refused(sender(port)).code == code


def test_tls_is_used_as_demanded(tmp_path: Path) -> None:
    """Demanded and offered: used. Demanded and not offered, or a certificate nobody vouches for: refused."""
    server, client = server_tls(tmp_path)
    kept = Kept()
    with SmtpReceiver(kept, domains=["client.test"], tls=server) as receiver:
        sender(receiver.port, starttls=StartTls.DEMANDED, tls=client).send(RAW, "a@torwart.test", [ERIKA])
        sender(receiver.port, starttls=StartTls.NEVER).send(RAW, "a@torwart.test", [ERIKA])
        stranger = sender(receiver.port, starttls=StartTls.OFFERED, tls=ssl.create_default_context())
        assert refused(stranger).code == "mail.tls"
    with SmtpReceiver(kept, domains=["client.test"]) as receiver:
        sender(receiver.port, starttls=StartTls.OFFERED, tls=client).send(RAW, "a@torwart.test", [ERIKA])
        assert refused(sender(receiver.port, starttls=StartTls.DEMANDED, tls=client)).code == "mail.tls"
        # a password never goes over a line without TLS
        assert refused(sender(receiver.port, starttls=StartTls.NEVER, user="u", password="p")).code == "mail.tls"
    assert len(kept.mails) == 3


def test_a_password_is_not_shown() -> None:
    """What is written into a log about a sender has no password in it."""
    assert "secret" not in repr(SmtpSender("h", 25, user="u", password="secret"))
