"""Mail fetched by IMAP, pushed by IDLE (RFC 2177): marked only after it has been kept.

Rule of this module: a mail leaves the inbox (or becomes seen) after ``keep`` has returned. If we die in between, it is
fetched again, which is harmless. A mail that cannot be kept stays and does not hold up the others.
"""

import imaplib
import logging
import select
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import Any

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.mail import MAIL_LOGIN, MAIL_TLS, MAIL_UNREACHABLE
from torwart.ports.mailbox import Keep
from torwart.wire.mail.mime import split
from torwart.wire.mail.words import clean

log = logging.getLogger(__name__)

_FAULTS = (imaplib.IMAP4.error, OSError, EOFError)


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """``tls``: "implicit" (port 993), "starttls" or "none" (on this machine only). ``done``: the folder mail is
    moved to once it is kept; "" leaves it in ``inbox``, seen. ``context``: whom to believe, by default the system's.
    """

    host: str
    user: str
    password: str
    port: int = 993
    tls: str = "implicit"
    context: ssl.SSLContext | None = None
    inbox: str = "INBOX"
    done: str = "Torwart"

    def __repr__(self) -> str:
        return f"ImapAccount({self.user} at {self.server})"

    @property
    def server(self) -> str:
        return f"{self.host}:{self.port}"


class ImapFetcher:
    """``ports.MailIn`` by IMAP, in a thread of its own; between ``start`` and ``stop`` it may be used as a context.

    ``idle``: longest seconds to wait for the server's push before looking anyway (RFC 2177: under 29 minutes).
    ``back_off``: (first, longest) seconds before connecting again. ``size_limit``: of a larger mail only this many
    octets and one more are fetched, enough to be refused and answered; all of it lies in the ``done`` folder.
    """

    def __init__(
        self,
        keep: Keep,
        account: ImapAccount,
        *,
        idle: float = 300.0,
        back_off: tuple[float, float] = (1.0, 60.0),
        timeout: float = 30.0,
        size_limit: int = 25 * 2**20,
    ) -> None:
        self._keep, self._account = keep, account
        self._idle, self._back_off, self._timeout = idle, back_off, timeout
        self._size_limit = size_limit
        self._stopping = Event()
        self._thread = Thread(target=self.run, name="mail-fetch", daemon=True)
        self.trouble: Refusal | None = None
        """Why there is no connection at present, for whoever watches."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> "ImapFetcher":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Fetch until stopped, in the caller's own thread; ``start`` does it in another."""
        first, longest = self._back_off
        pause = first
        while not self._stopping.is_set():
            try:
                with _connected(self._account, self._timeout) as connection:
                    self.trouble, pause = None, first
                    self._attend(connection)
            except Refusal as refusal:
                self.trouble = refusal
                log.warning("no mail from %s for now: %s", self._account.server, refusal)
                self._stopping.wait(pause)
                pause = min(2 * pause, longest)
            except Exception:
                log.exception("fetching mail from %s broke", self._account.server)
                self._stopping.wait(longest)

    # -- one connection -----------------------------------------------------------------------------------------------

    def _attend(self, connection: imaplib.IMAP4) -> None:
        """Keep what is there, wait for more, until stopped or the connection breaks (``mail.unreachable``)."""
        account = self._account
        _demand(connection.select(_quoted(account.inbox)), account.inbox)
        if account.done:
            connection.create(_quoted(account.done))  # NO if it exists already
        abilities = _abilities(connection)
        while not self._stopping.is_set():
            taken = [self._take(connection, uid, abilities) for uid in self._search(connection)]
            if not all(taken):
                self._stopping.wait(self._back_off[0])
            elif taken or _announced(connection):
                continue  # mail may have come meanwhile, and what is announced once is not pushed again
            elif "IDLE" in abilities:
                self._wait_for_push(connection)
            else:
                self._stopping.wait(min(self._idle, _POLL))

    def _search(self, connection: imaplib.IMAP4) -> list[str]:
        """The UIDs of the mails still to be kept."""
        _announced(connection)
        (found,) = _demand(connection.uid("SEARCH", "ALL" if self._account.done else "UNSEEN"), "SEARCH")
        return found.decode().split() if isinstance(found, bytes) else []

    def _take(self, connection: imaplib.IMAP4, uid: str, abilities: frozenset[str]) -> bool:
        """Fetch, keep, mark one mail; whether it was kept, or there was nothing to keep."""
        raw = None if self._stopping.is_set() else self._fetch(connection, uid)
        if raw is None:
            return True
        if not self._kept(raw):
            return False
        self._mark(connection, uid, abilities)
        return True

    def _fetch(self, connection: imaplib.IMAP4, uid: str) -> bytes | None:
        """The octets of a mail; None if it has gone meanwhile."""
        answer = _demand(connection.uid("FETCH", uid, f"(BODY.PEEK[]<0.{self._size_limit + 1}>)"), "FETCH")
        return next((part[1] for part in answer if isinstance(part, tuple)), None)

    def _kept(self, raw: bytes) -> bool:
        try:
            self._keep(raw, *self._envelope(raw))
        except Exception:
            log.exception("a fetched mail could not be kept; it stays in %s", self._account.inbox)
            return False
        return True

    def _envelope(self, raw: bytes) -> tuple[str, tuple[str, ...]]:
        """What the delivering server noted of the envelope (Return-Path, Delivered-To)."""
        try:
            header = split(raw)
        except Refusal:
            return "", (self._account.user,)
        path = clean(header.get("return-path")).strip("<> ")
        return path, (clean(header.get("delivered-to")).strip("<> ") or self._account.user,)

    def _mark(self, connection: imaplib.IMAP4, uid: str, abilities: frozenset[str]) -> None:
        done = _quoted(self._account.done)
        if not self._account.done:
            _demand(connection.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)"), "STORE")
        elif "MOVE" in abilities:
            _demand(connection.uid("MOVE", uid, done), "MOVE")
        else:
            _demand(connection.uid("COPY", uid, done), "COPY")
            _demand(connection.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)"), "STORE")
            _demand(connection.expunge(), "EXPUNGE")

    def _wait_for_push(self, connection: imaplib.IMAP4) -> None:
        """IDLE until the server says something, the time is up or we are stopped; ``imaplib`` has none before 3.14."""
        connection.send(_IDLE_TAG + b" IDLE\r\n")
        pushed = _read_until(connection, b"+")
        until = monotonic() + self._idle
        while not pushed and not self._stopping.is_set() and monotonic() < until:
            if _pending(connection) or select.select([connection.socket()], [], [], 0.5)[0]:
                break
        connection.send(b"DONE\r\n")
        _read_until(connection, _IDLE_TAG)


_POLL = 30.0
_IDLE_TAG = b"TORWARTIDLE"


def _read_until(connection: imaplib.IMAP4, start: bytes) -> bool:
    """Up to the line the server owes us; whether it told of mail before that."""
    told = False
    while True:
        line = connection.readline()
        if not line:
            raise EOFError("the server closed the connection")
        if line.startswith(start):
            return told
        if line.startswith(_IDLE_TAG):
            raise imaplib.IMAP4.error(line.decode("utf-8", "replace"))
        told = told or line.rstrip().endswith(b" EXISTS")


def _announced(connection: imaplib.IMAP4) -> bool:
    """Whether the server has told of mail beside its answers since we asked last."""
    return connection.response("EXISTS")[1] != [None]


def _pending(connection: imaplib.IMAP4) -> bool:
    """Whether octets lie in our own buffers (of the file, of TLS), where ``select`` does not see them."""
    socket = connection.socket()
    timeout = socket.gettimeout()
    socket.setblocking(False)
    try:
        return bool(connection.file.peek(1))  # type: ignore[union-attr] # it is a BufferedReader
    except ssl.SSLWantReadError:
        return False
    finally:
        socket.settimeout(timeout)


@contextmanager
def _connected(account: ImapAccount, timeout: float) -> Iterator[imaplib.IMAP4]:
    """Logged in; every fault on the way and in the body is a refusal by name."""
    try:
        connection = _open(account, timeout)
        try:
            yield connection
        finally:
            with suppress(*_FAULTS):
                connection.logout()
    except ssl.SSLError as error:
        raise MAIL_TLS(server=account.server, why=_short(error)) from error
    except _FAULTS as error:
        raise MAIL_UNREACHABLE(server=account.server, why=_short(error) or type(error).__name__) from error


def _open(account: ImapAccount, timeout: float) -> imaplib.IMAP4:
    context = account.context or ssl.create_default_context()
    if account.tls == "implicit":
        connection: imaplib.IMAP4 = imaplib.IMAP4_SSL(account.host, account.port, ssl_context=context, timeout=timeout)
    else:
        connection = imaplib.IMAP4(account.host, account.port, timeout)
    try:
        if account.tls == "starttls":
            _start_tls(connection, context, account)
        connection.login(account.user, account.password)
    except BaseException as error:
        with suppress(OSError):  # a failed handshake has closed it already
            connection.shutdown()
        if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort):
            raise MAIL_LOGIN(server=account.server, words=_short(error)) from error
        raise
    return connection


def _start_tls(connection: imaplib.IMAP4, context: ssl.SSLContext, account: ImapAccount) -> None:
    try:
        connection.starttls(context)
    except imaplib.IMAP4.error as error:
        raise MAIL_TLS(server=account.server, why=_short(error)) from error


def _abilities(connection: imaplib.IMAP4) -> frozenset[str]:
    """What the server can do now that we are logged in."""
    answer = _demand(connection.capability(), "CAPABILITY")
    return frozenset(b" ".join(part for part in answer if isinstance(part, bytes)).decode().upper().split())


def _demand(answer: tuple[str, list[Any]], what: str) -> list[Any]:
    """The data of an answer; a server that says NO is as good as away for now."""
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(f"{what}: {kind} {data!r}")
    return data


def _quoted(mailbox: str) -> str:
    return '"' + mailbox.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _short(text: object) -> str:
    return " ".join(clean(str(text)).split())[:200]
