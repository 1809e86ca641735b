"""The SMTP receiver: 250 means kept, everything else means not kept and says so."""

import smtplib
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event, Thread

import pytest

from torwart.adapters.mail import SmtpReceiver
from torwart.adapters.mail.smtp_in import CONNECTIONS

from .conftest import RAW, Kept, server_tls

pytestmark = pytest.mark.requirement("C-2")


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def receiver(kept: Kept) -> Iterator[SmtpReceiver]:
    with SmtpReceiver(kept, domains=["Torwart.test"], hostname="mx.torwart.test", size_limit=2**20) as receiver:
        yield receiver


def client(receiver: SmtpReceiver) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", receiver.port, "client.test", timeout=10)


def test_a_mail_is_kept_as_it_came(receiver: SmtpReceiver, kept: Kept) -> None:
    """Octets and envelope reach ``keep`` unchanged: dots at line starts, 8 bits, a null reverse-path."""
    raw = RAW + b".\r\n..\r\n\xff\x00 end\r\n"
    with client(receiver) as connection:
        connection.sendmail("a@client.test", ["service@torwart.test", "Zwei@TORWART.test"], raw)
        connection.sendmail("", ["service@torwart.test"], RAW)

    assert kept.mails == [
        (raw, "a@client.test", ("service@torwart.test", "Zwei@TORWART.test")),
        (RAW, "", ("service@torwart.test",)),
    ]


def test_250_comes_after_keeping() -> None:
    """While ``keep`` works, the sender waits; it hears 250 when it has returned."""
    begun, may_end, said = Event(), Event(), list[str]()

    def keep(raw: bytes, envelope_from: str, envelope_to: Sequence[str]) -> None:
        said.append("keeping")
        begun.set()
        assert may_end.wait(10)
        said.append("kept")

    def send(receiver: SmtpReceiver) -> None:
        with client(receiver) as connection:
            connection.sendmail("a@client.test", ["service@torwart.test"], RAW)
            said.append("250")

    with SmtpReceiver(keep, domains=["torwart.test"]) as receiver:
        sender = Thread(target=send, args=(receiver,))
        sender.start()
        assert begun.wait(10)
        assert said == ["keeping"]
        may_end.set()
        sender.join(10)
    assert said == ["keeping", "kept", "250"]


def test_a_mail_that_cannot_be_kept_is_sent_again(receiver: SmtpReceiver, kept: Kept) -> None:
    """Whatever ``keep`` raises, the sender hears 451 and the next attempt is as good as the first."""
    kept.failures = 1
    with client(receiver) as connection:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            connection.sendmail("a@client.test", ["service@torwart.test"], RAW)
        assert (caught.value.smtp_code, kept.mails) == (451, [])
        connection.sendmail("a@client.test", ["service@torwart.test"], RAW)

    assert len(kept.mails) == 1


def test_it_relays_for_nobody(receiver: SmtpReceiver, kept: Kept) -> None:
    """Recipients elsewhere are refused with 550, those here are taken all the same."""
    with client(receiver) as connection:
        refused = connection.sendmail("a@client.test", ["x@elsewhere.test", "service@torwart.test"], RAW)
        assert {address: code for address, (code, _) in refused.items()} == {"x@elsewhere.test": 550}
        for address in ("x@elsewhere.test", "x@torwart.test.evil.test", "x@sub.torwart.test", "torwart.test"):
            assert connection.docmd("RSET")[0] == 250
            assert connection.docmd("MAIL FROM:<a@client.test>")[0] == 250
            assert connection.docmd(f"RCPT TO:<{address}>")[0] in {501, 550, 553}

    assert [to for _, _, to in kept.mails] == [("service@torwart.test",)]


@pytest.mark.parametrize("announced", [True, False])
def test_a_large_mail_is_refused_clearly(receiver: SmtpReceiver, kept: Kept, announced: bool) -> None:
    """552 with a text people understand, whether the size was announced or found out."""
    large = RAW + b"x" * 70 + (b"\r\n" + b"x" * 70) * 15000
    with client(receiver) as connection:
        if not announced:
            connection.ehlo()
            del connection.esmtp_features["size"]
        with pytest.raises((smtplib.SMTPSenderRefused, smtplib.SMTPDataError)) as caught:
            connection.sendmail("a@client.test", ["service@torwart.test"], large)

    assert caught.value.smtp_code == 552
    assert b"at most 1 MiB" in caught.value.smtp_error
    assert b"hoechstens 1 MiB" in caught.value.smtp_error
    assert kept.mails == []


def test_a_broken_connection_keeps_nothing(receiver: SmtpReceiver, kept: Kept) -> None:
    """Who hangs up in the middle of a mail has sent none, and the next one is served."""
    with socket.create_connection(("127.0.0.1", receiver.port), 10) as raw:
        raw.sendall(b"EHLO x\r\nMAIL FROM:<a@client.test>\r\nRCPT TO:<service@torwart.test>\r\nDATA\r\nSubject: half")
    with client(receiver) as connection:
        connection.sendmail("a@client.test", ["service@torwart.test"], RAW)

    assert [raw for raw, _, _ in kept.mails] == [RAW]


def test_no_mail_is_smuggled_into_another(receiver: SmtpReceiver, kept: Kept) -> None:
    """Only CRLF . CRLF ends a mail; what other servers take for an end is content (SMTP smuggling)."""
    inner = b"MAIL FROM:<boss@client.test>\r\nRCPT TO:<service@torwart.test>\r\nDATA\r\nSubject: smuggled\r\n"
    content = RAW + b"\n.\n" + inner + b"\r.\r" + inner + b"\n.\r\n" + inner
    with client(receiver) as connection:
        connection.ehlo()
        connection.docmd("MAIL FROM:<a@client.test>")
        connection.docmd("RCPT TO:<service@torwart.test>")
        connection.docmd("DATA")
        connection.send(content + b"\r\n.\r\n")
        assert connection.getreply()[0] == 250

    assert [sender for _, sender, _ in kept.mails] == ["a@client.test"]


def test_connections_are_limited(receiver: SmtpReceiver, kept: Kept) -> None:
    """One too many is told to come later; when others have gone there is room again."""
    held = [socket.create_connection(("127.0.0.1", receiver.port), 10) for _ in range(CONNECTIONS)]
    assert all(each.recv(3) == b"220" for each in held)
    with pytest.raises(smtplib.SMTPConnectError) as caught:
        client(receiver)
    assert caught.value.smtp_code == 421

    for each in held:
        each.close()
    for _ in range(100):
        try:
            with client(receiver) as connection:
                connection.sendmail("a@client.test", ["service@torwart.test"], RAW)
            break
        except smtplib.SMTPConnectError:  # the closing of the others is still on its way
            continue
    assert len(kept.mails) == 1


def test_starttls_is_offered_where_there_is_a_certificate(tmp_path: Path, kept: Kept) -> None:
    """With a certificate the mail can come over TLS; without one none is offered."""
    server, client_side = server_tls(tmp_path)
    with SmtpReceiver(kept, domains=["torwart.test"], tls=server) as receiver, client(receiver) as connection:
        connection.starttls(context=client_side)
        connection.sendmail("a@client.test", ["service@torwart.test"], RAW)
    assert len(kept.mails) == 1

    with SmtpReceiver(kept, domains=["torwart.test"]) as receiver, client(receiver) as connection:
        connection.ehlo()
        assert not connection.has_extn("starttls")


def test_an_address_in_use_is_told_at_the_start(receiver: SmtpReceiver, kept: Kept) -> None:
    """``start`` raises; a receiver that does not listen is not taken for one that does."""
    other = SmtpReceiver(kept, domains=["torwart.test"], port=receiver.port)
    with pytest.raises(OSError, match="in use"):
        other.start()
    other.stop()


def test_stopping_waits_for_the_mail_in_hand() -> None:
    """A mail that is being kept when ``stop`` is called is kept and answered; a second stop does no harm."""
    begun, may_end, answers = Event(), Event(), list[object]()

    def keep(raw: bytes, envelope_from: str, envelope_to: Sequence[str]) -> None:
        begun.set()
        assert may_end.wait(10)

    def send(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, "client.test", timeout=10) as connection:
            answers.append(connection.sendmail("a@client.test", ["service@torwart.test"], RAW))

    receiver = SmtpReceiver(keep, domains=["torwart.test"])
    receiver.start()
    sender = Thread(target=send, args=(receiver.port,))
    sender.start()
    assert begun.wait(10)
    stopper = Thread(target=receiver.stop)
    stopper.start()
    may_end.set()
    stopper.join(10)
    sender.join(10)
    receiver.stop()

    assert answers == [{}]
