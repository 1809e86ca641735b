"""A client's people and their mail: received, kept raw and opened, answered, well or badly."""

import smtplib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Condition

from cryptography import x509

from torwart.kernel.refusals import Refusal
from torwart.sim.mailbox.ca import MailCa
from torwart.sim.mailbox.fault import MailFault, Secure
from torwart.sim.mailbox.server import Behaviour, MailServer
from torwart.wire.mail import (
    Attachment,
    Letter,
    Paragraph,
    Quote,
    ReadMail,
    compose,
    new_message_id,
    read,
)
from torwart.wire.smime import (
    Opened,
    SmimeIdentity,
    TrustStore,
    choose_encryption,
    open_mail,
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Received:
    """A mail one person got: as octets, opened and read with that person's keys; ``refusal`` where that failed."""

    raw: bytes
    envelope_from: str
    to: str
    at: datetime
    opened: Opened | None
    mail: ReadMail | None
    refusal: Refusal | None


class ClientMailbox:
    """People of one client behind one mail server; between ``start`` and ``stop`` it may be used as a context.

    ``deliver_to``: (host, port) of the SMTP server their own mail goes to. ``trust``: whose signatures they believe, by
    default ``ca``'s. A provider's encryption certificate is learned from its signed mails, or told by ``introduce``.
    """

    def __init__(
        self,
        ca: MailCa,
        people: Iterable[SmimeIdentity],
        *,
        deliver_to: tuple[str, int] | None = None,
        trust: TrustStore | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.ca = ca
        self.people: dict[str, SmimeIdentity] = {person.address: person for person in people}
        self.deliver_to = deliver_to
        self._trust = trust or ca.trust
        self._clock = clock
        self._server = MailServer(self._take, self._lives_here, clock, host=host, port=port)
        self._mails: list[Received] = []
        self._arrived = Condition()
        self._known: dict[str, list[x509.Certificate]] = {}

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> "ClientMailbox":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def behaviour(self) -> Behaviour:
        """How its server receives; assign to change it."""
        return self._server.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._server.behaviour = behaviour

    def renew(self, person: SmimeIdentity) -> None:
        """The person has these certificates from now on; with a new address it is somebody new."""
        self.people[person.address] = person

    def introduce(self, address: str, certificates: Iterable[x509.Certificate]) -> None:
        """Encrypt for ``address`` with the best of these; they come before what was learned."""
        self._known.setdefault(address.lower(), [])[:0] = certificates

    # -- receiving ----------------------------------------------------------------------------------------------------

    def mails(self, address: str = "") -> list[Received]:
        """What has arrived for ``address`` (or for anybody), oldest first; repeats included."""
        with self._arrived:
            return [mail for mail in self._mails if not address or mail.to == address]

    def wait(
        self,
        address: str,
        matching: Callable[[Received], bool] = lambda _: True,
        *,
        count: int = 1,
        timeout: float = 10.0,
    ) -> Received:
        """The ``count``-th mail for ``address`` that is ``matching``; ``TimeoutError`` if it does not come."""

        def found() -> list[Received]:
            return [mail for mail in self._mails if mail.to == address and matching(mail)]

        with self._arrived:
            if not self._arrived.wait_for(lambda: len(found()) >= count, timeout):
                seen = [mail.mail.subject if mail.mail else "?" for mail in self._mails if mail.to == address]
                raise TimeoutError(f"no such mail for {address} in {timeout:g} s; there are: {seen}")
            return found()[count - 1]

    def _lives_here(self, address: str) -> bool:
        return address in self.people

    def _take(self, raw: bytes, envelope_from: str, envelope_to: Sequence[str]) -> None:
        for address in envelope_to:
            received = self._opened(raw, envelope_from, address)
            if received.opened is not None and received.mail is not None:
                self._known.setdefault(received.mail.from_address, []).extend(received.opened.offered)
            with self._arrived:
                self._mails.append(received)
                self._arrived.notify_all()

    def _opened(self, raw: bytes, envelope_from: str, address: str) -> Received:
        now = self._clock()
        try:
            opened = open_mail(raw, decrypters=self.people[address].decrypters, trust=self._trust, at=now)
            return Received(raw, envelope_from, address, now, opened, read(opened.entity), None)
        except Refusal as refusal:
            return Received(raw, envelope_from, address, now, None, None, refusal)

    # -- sending ------------------------------------------------------------------------------------------------------

    def reply(
        self,
        received: Received,
        text: str,
        attachments: Sequence[Attachment] = (),
        *,
        subject: str = "",
        sign: bool = True,
        encrypt: bool = True,
        fault: MailFault = MailFault.NONE,
        times: int = 1,
    ) -> bytes:
        """Answer a mail as its reader, quoting it; returns the octets sent. ``times``: the same mail so often."""
        if received.mail is None:
            raise ValueError("that mail could not be read")
        mail = received.mail
        letter = Letter(
            subject or f"Re: {mail.subject}",
            (Paragraph(text), Quote(mail.text, f"{mail.from_name or mail.from_address} schrieb")),
        )
        thread = (mail.message_id, (*mail.references, mail.message_id))
        return self._send(received.to, mail.from_address, letter, attachments, thread, sign, encrypt, fault, times)

    def write(
        self,
        sender: str,
        recipient: str,
        subject: str,
        text: str,
        attachments: Sequence[Attachment] = (),
        *,
        sign: bool = False,
        encrypt: bool = False,
        fault: MailFault = MailFault.NONE,
        times: int = 1,
    ) -> bytes:
        """A mail of one of the people's own accord; returns the octets sent."""
        letter = Letter(subject, (Paragraph(text),))
        return self._send(sender, recipient, letter, attachments, ("", ()), sign, encrypt, fault, times)

    def _send(
        self,
        sender: str,
        recipient: str,
        letter: Letter,
        attachments: Sequence[Attachment],
        thread: tuple[str, Sequence[str]],
        sign: bool,
        encrypt: bool,
        fault: MailFault,
        times: int,
    ) -> bytes:
        now = self._clock()
        raw = compose(
            letter,
            sender=sender,
            recipient=recipient,
            message_id=new_message_id(sender.rpartition("@")[2]),
            date=now,
            in_reply_to=thread[0] or None,
            references=thread[1],
            attachments=attachments,
            auto_submitted=False,
        )
        if sign or encrypt:
            recipients = [choose_encryption(self._known.get(recipient, ()), now)] if encrypt else []
            told = Secure(self.people[sender], recipients, self.ca, now, fault, sign, encrypt)
            raw = told.apply(raw)
        for _ in range(times):
            self.deliver(raw, sender, recipient)
        return raw

    def deliver(self, raw: bytes, sender: str, recipient: str) -> None:
        """Hand octets to the server of ``deliver_to`` as they are; ``smtplib``'s exceptions tell its no."""
        if self.deliver_to is None:
            raise ValueError("nowhere to deliver to")
        with smtplib.SMTP(*self.deliver_to, local_hostname="client.test", timeout=30) as connection:
            connection.sendmail(sender, [recipient], raw)
