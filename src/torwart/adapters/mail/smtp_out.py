"""Mail handed to a mail server by SMTP (smarthost or the recipient's own), each failure under its own name."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.mail import MAIL_DELAYED, MAIL_LOGIN, MAIL_REFUSED, MAIL_TLS, MAIL_UNREACHABLE
from torwart.wire.mail.words import clean


class StartTls(StrEnum):
    """``NEVER``: for a server on this machine. ``OFFERED``: if the server offers it. ``DEMANDED``: or no mail goes."""

    NEVER = "never"
    OFFERED = "offered"
    DEMANDED = "demanded"


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """``ports.MailOut`` by SMTP, one connection a mail. ``timeout``: seconds for each answer of the server.

    ``tls``: whom to believe; the default is the system's authorities. ``user``: log in with ``password``; that is done
    over TLS only, whatever ``starttls`` says. ``hostname``: how we greet.
    """

    host: str
    port: int = 25
    starttls: StartTls = StartTls.OFFERED
    tls: ssl.SSLContext | None = None
    user: str = ""
    password: str = ""
    hostname: str = "localhost"
    timeout: float = 30.0

    def __repr__(self) -> str:
        return f"SmtpSender({self.server})"

    @property
    def server(self) -> str:
        return f"{self.host}:{self.port}"

    def send(self, raw: bytes, sender: str, recipients: Sequence[str]) -> None:
        """See the port. Where a server takes some recipients and refuses others, the others are refused by name."""
        try:
            with smtplib.SMTP(self.host, self.port, self.hostname, self.timeout) as connection:
                self._secure(connection)
                refused = connection.sendmail(sender, list(recipients), raw)
        except (smtplib.SMTPException, OSError) as error:
            raise self._refusal(error) from error
        if refused:
            raise _of_recipients(refused)

    def _secure(self, connection: smtplib.SMTP) -> None:
        connection.ehlo()
        demanded = self.starttls is StartTls.DEMANDED or bool(self.user)
        offered = connection.has_extn("starttls")
        if demanded and not offered:
            raise MAIL_TLS(server=self.server, why="STARTTLS")
        if offered and (demanded or self.starttls is StartTls.OFFERED):
            connection.starttls(context=self.tls or ssl.create_default_context())
            connection.ehlo()
        if self.user:
            connection.login(self.user, self.password)

    def _refusal(self, error: Exception) -> Refusal:
        """What went wrong, by who can mend it. A connection lost after the mail is unreachable too: it goes again."""
        match error:
            case smtplib.SMTPAuthenticationError():
                return MAIL_LOGIN(server=self.server, words=_words(error.smtp_code, error.smtp_error))
            case smtplib.SMTPRecipientsRefused():
                return _of_recipients(error.recipients)
            case smtplib.SMTPConnectError() | smtplib.SMTPHeloError():
                return MAIL_UNREACHABLE(server=self.server, why=_words(error.smtp_code, error.smtp_error))
            case smtplib.SMTPResponseException():
                return _answer(error.smtp_code, error.smtp_error)
            case smtplib.SMTPNotSupportedError() | ssl.SSLError():
                return MAIL_TLS(server=self.server, why=_short(error))
            case _:
                return MAIL_UNREACHABLE(server=self.server, why=_short(error) or type(error).__name__)


def _of_recipients(refused: dict[str, tuple[int, bytes]]) -> Refusal:
    """Temporary as long as one of them may be taken later."""
    words = "; ".join(f"{address}: {_words(code, text)}" for address, (code, text) in sorted(refused.items()))
    later = any(400 <= code < 500 for code, _ in refused.values())
    return MAIL_DELAYED(words=words[:500]) if later else MAIL_REFUSED(words=words[:500])


def _answer(code: int, text: bytes | str) -> Refusal:
    kind = MAIL_REFUSED if code >= 500 else MAIL_DELAYED
    return kind(words=_words(code, text))


def _words(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {_short(said)}".strip()


def _short(text: object) -> str:
    return " ".join(clean(str(text)).split())[:300]
