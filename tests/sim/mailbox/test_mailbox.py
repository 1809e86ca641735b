"""A client's mailbox: it receives, opens, keeps, answers, and misbehaves when told."""

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from torwart.kernel.refusals import Refusal
from torwart.sim.mailbox import REFUSED, Behaviour, ClientMailbox, MailCa, MailFault
from torwart.wire.mail import Attachment, Letter, Paragraph, compose
from torwart.wire.smime import choose_encryption, open_mail, protect

ERIKA, MAX, SERVICE = "erika@client.test", "max@client.test", "service@torwart.test"
NOW = datetime.now(UTC)
CA = MailCa.create(NOW)
PROVIDER = CA.identity(SERVICE, key="brainpool")
ACCEPTED = {
    MailFault.NONE: (True, True),
    MailFault.NO_CHAIN: (True, True),
    MailFault.CBC: (True, True),
    MailFault.OPAQUE: (True, True),
    MailFault.TRIPLE: (True, True),
    MailFault.SIGNED_OUTSIDE: (False, True),
}


@dataclass
class Clock:
    """A clock that is moved."""

    present: datetime = NOW

    def __call__(self) -> datetime:
        return self.present


@dataclass
class Pair:
    """Two mailboxes that write to each other: the client's, and one that plays the provider."""

    client: ClientMailbox
    provider: ClientMailbox
    clock: Clock


@pytest.fixture
def pair() -> Iterator[Pair]:
    clock = Clock()
    with (
        ClientMailbox(CA, [CA.identity(ERIKA), CA.identity(MAX)], clock=clock) as client,
        ClientMailbox(CA, [PROVIDER], clock=clock) as provider,
    ):
        client.deliver_to, provider.deliver_to = ("127.0.0.1", provider.port), ("127.0.0.1", client.port)
        yield Pair(client, provider, clock)


def to_client(pair: Pair, address: str = ERIKA, subject: str = "[#T-123456782] Test") -> bytes:
    """A secure mail of the provider to one of the client's people."""
    mail = compose(
        Letter(subject, (Paragraph("Das Wort ist Zaunkönig"),)),
        sender=SERVICE, recipient=address, message_id="<T-123456782.1@torwart.test>", date=pair.clock(),
    )  # fmt: skip
    recipient = choose_encryption(pair.client.people[address].certificates, pair.clock())
    raw = protect(mail, signer=PROVIDER.signer, recipients=[recipient])
    pair.provider.deliver(raw, SERVICE, address)
    return raw


def test_each_person_reads_their_own(pair: Pair) -> None:
    """Mail is kept as it came, opened with the keys of the one it is for, and told apart by person."""
    raw = to_client(pair)
    to_client(pair, MAX, "Anderes")
    got = pair.client.wait(ERIKA)

    assert (got.raw.rstrip(), got.envelope_from, got.to, got.refusal) == (raw.rstrip(), SERVICE, ERIKA, None)
    assert got.mail is not None
    assert got.opened is not None
    assert got.mail.text == "Das Wort ist Zaunkönig"
    assert got.opened.order == ("encrypted", "signed")
    assert [mail.to for mail in pair.client.mails()] == [ERIKA, MAX]
    assert pair.client.mails(ERIKA) == [got]


def test_an_answer_is_signed_encrypted_and_hangs_on_the_mail(pair: Pair) -> None:
    """The certificate to encrypt for is learned from the mail; subject and references lead back to it."""
    to_client(pair)
    pair.client.reply(pair.client.wait(ERIKA), "Zaunkönig", [Attachment("l.xml", "text/xml", b"<x/>")])
    got = pair.provider.wait(SERVICE)

    assert got.mail is not None
    assert got.opened is not None
    assert (got.opened.signed, got.opened.encrypted, got.opened.addresses) == (True, True, (ERIKA,))
    assert (got.mail.ticket, got.mail.subject) == ("T-123456782", "Re: [#T-123456782] Test")
    assert got.mail.references == ("<T-123456782.1@torwart.test>",)
    assert got.mail.text.startswith("Zaunkönig\n\nservice@torwart.test schrieb:\n> Das Wort")
    assert [file.content for file in got.mail.attachments] == [b"<x/>"]
    assert got.mail.wants_answer


@pytest.mark.parametrize("fault", MailFault)
def test_each_fault_is_what_it_says(fault: MailFault, pair: Pair) -> None:
    """Every fault there is either leads to its refusal or to a mail that is accepted, as the tables say."""
    to_client(pair)
    raw = pair.client.reply(pair.client.wait(ERIKA), "x", fault=fault)

    if fault in REFUSED:
        with pytest.raises(Refusal) as caught:
            open_mail(raw, decrypters=PROVIDER.decrypters, trust=CA.trust, at=NOW)
        assert caught.value.code == REFUSED[fault]
    else:
        opened = open_mail(raw, decrypters=PROVIDER.decrypters, trust=CA.trust, at=NOW)
        assert (opened.signed, opened.encrypted) == ACCEPTED[fault]


def test_people_write_insecurely_too(pair: Pair) -> None:
    """Of their own accord, in the clear, signed only or encrypted only; and the same mail twice."""
    pair.client.introduce(SERVICE, PROVIDER.certificates)
    pair.client.write(MAX, SERVICE, "Frage", "Was ist?", times=2)
    pair.client.write(MAX, SERVICE, "Frage", "Was ist?", sign=True)
    pair.client.write(MAX, SERVICE, "Frage", "Was ist?", encrypt=True)
    pair.provider.wait(SERVICE, count=4)
    mails = pair.provider.mails(SERVICE)

    seen = [(mail.opened.signed, mail.opened.encrypted) for mail in mails if mail.opened]
    assert seen == [(False, False), (False, False), (True, False), (False, True)]
    assert mails[0].raw == mails[1].raw


def test_a_server_can_be_busy_for_an_hour(pair: Pair) -> None:
    """4xx until the hour is over, by the simulation's own clock; then the mail is taken."""
    pair.client.behaviour = Behaviour(busy_until=NOW + timedelta(hours=1))
    with pytest.raises(smtplib.SMTPDataError) as caught:
        to_client(pair)
    assert caught.value.smtp_code == 451

    pair.clock.present = NOW + timedelta(hours=1)
    to_client(pair)
    assert len(pair.client.mails(ERIKA)) == 1


def test_a_server_can_be_gone_or_hang_up(pair: Pair) -> None:
    """5xx for everybody; strangers always; and a lost 250, after which the mail is there all the same."""
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        pair.provider.deliver(b"Subject: x\r\n\r\nx", SERVICE, "stranger@client.test")
    pair.client.behaviour = Behaviour(gone=True)
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        to_client(pair)
    pair.client.behaviour = Behaviour(hang_up_times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        to_client(pair)
    to_client(pair)
    assert len(pair.client.mails(ERIKA)) == 2


def test_a_new_certificate_replaces_the_old(pair: Pair) -> None:
    """After renewing, old mail is no longer for this person, and their signature is the new one."""
    old = to_client(pair)
    pair.client.renew(CA.identity(ERIKA, key="brainpool"))
    pair.provider.deliver(old, SERVICE, ERIKA)
    again = pair.client.wait(ERIKA, count=2)
    assert again.refusal is not None
    assert again.refusal.code == "smime.not_for_us"

    to_client(pair)
    pair.client.reply(pair.client.wait(ERIKA, count=3), "neu")
    got = pair.provider.wait(SERVICE)
    assert got.opened is not None
    assert got.opened.signer == pair.client.people[ERIKA].signer.certificate


def test_waiting_ends(pair: Pair) -> None:
    """A mail that does not come is an error that says what has come instead."""
    to_client(pair, subject="Etwas anderes")
    with pytest.raises(TimeoutError, match="Etwas anderes"):
        pair.client.wait(ERIKA, lambda got: got.mail is not None and got.mail.subject == "x", timeout=0.05)


def test_it_needs_to_know_where_to(pair: Pair) -> None:
    """Without a server to deliver to, or with an unreadable mail, it says so."""
    lonely = ClientMailbox(CA, [CA.identity(ERIKA)])
    with pytest.raises(ValueError, match="nowhere"):
        lonely.deliver(b"", ERIKA, SERVICE)
    pair.provider.deliver(b"no mail", SERVICE, ERIKA)
    got = pair.client.wait(ERIKA)
    assert got.refusal is not None
    with pytest.raises(ValueError, match="could not be read"):
        pair.client.reply(got, "x")
