"""The embedded SMTP receiver: mail is answered with 250 only after it has been kept.

Rule of this module: between a mail and its 250 stands ``keep`` and nothing else. If keeping fails, the sender hears 4xx
and tries again; if we die in between, it hears nothing and tries again. Nothing is lost, repeats are harmless (C-2).
"""

import asyncio
import logging
import ssl
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import AnyStr

from aiosmtpd.smtp import SMTP, Envelope, Session

from torwart.ports.mailbox import Keep

log = logging.getLogger(__name__)

CONNECTIONS = 100
_KEEPERS = 4
_IDLE = 300.0  # RFC 5321 4.5.3.2.7: a server should wait 5 minutes for the next command
_MOST_RECIPIENTS = 100


class SmtpReceiver:
    """``ports.MailIn`` by SMTP, in a thread of its own; between ``start`` and ``stop`` it may be used as a context.

    ``domains``: only recipients in these are taken, anybody else is refused with 550, so it relays for nobody.
    ``size_limit``: octets; a larger mail is refused with 552 and a text people understand. ``tls``: offers STARTTLS.
    """

    def __init__(
        self,
        keep: Keep,
        *,
        domains: Collection[str],
        host: str = "127.0.0.1",
        port: int = 0,
        hostname: str = "localhost",
        size_limit: int = 25 * 2**20,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._keep = keep
        self._domains = frozenset(domain.lower() for domain in domains)
        self._host, self._wanted_port = host, port
        self._hostname, self._size_limit, self._tls = hostname, size_limit, tls
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(_KEEPERS, thread_name_prefix="mail-keep")
        self._thread = Thread(target=self._run, name="mail-in", daemon=True)
        self._ready, self._stopping = Event(), asyncio.Event()
        self._failure: OSError | None = None
        self._keeping: set[asyncio.Future[None]] = set()
        self.connections = 0
        self.port = 0
        """Where it listens, known after ``start``."""

    def start(self) -> None:
        """Listen; raises ``OSError`` if the address cannot be had."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
        self._pool.shutdown()

    def __enter__(self) -> "SmtpReceiver":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        server = await self._loop.create_server(self._connection, self._host, self._wanted_port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        while self._keeping:
            await asyncio.wait(self._keeping)
            await asyncio.sleep(0.05)  # let its 250 go out
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    def _connection(self) -> "_Connection":
        return _Connection(self, self._size_limit, self._hostname, self._tls, self._loop)

    # -- what aiosmtpd asks -------------------------------------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802 -- the name aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        local, _, domain = address.rpartition("@")
        if not local or domain.lower() not in self._domains:
            return "550 5.7.1 No relaying: this server takes mail for its own addresses only"
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        if not isinstance(content, bytes):
            return "451 4.3.0 Not kept, please try again later"
        sender = (envelope.mail_from or "").strip("<>")  # "<>" is how aiosmtpd writes the null reverse-path
        kept = self._loop.run_in_executor(self._pool, self._keep, content, sender, tuple(envelope.rcpt_tos))
        self._keeping.add(kept)
        kept.add_done_callback(self._keeping.discard)
        try:
            # A sender that hangs up does not interrupt keeping; it will send again.
            await asyncio.shield(kept)
        except Exception:
            log.exception("mail from <%s> could not be kept", sender)
            return "451 4.3.0 Not kept, please try again later"
        return "250 2.6.0 Kept"


class _Connection(SMTP):
    """One client; refuses the one that is too many, and says clearly what is too large."""

    line_length_limit = 2**16  # RFC 5321 4.5.3.1.6 says 1000; who writes longer lines is read all the same
    __ident__ = "Torwart"

    def __init__(
        self,
        receiver: SmtpReceiver,
        size_limit: int,
        hostname: str,
        tls: ssl.SSLContext | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(
            receiver, data_size_limit=size_limit, hostname=hostname, ident="Torwart", tls_context=tls, timeout=_IDLE,
            loop=loop,
        )  # fmt: skip
        self._receiver = receiver
        self._counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._counted:  # STARTTLS makes a second one
            self._counted = True
            self._receiver.connections += 1
        if self._receiver.connections > CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections, please try again later\r\n")
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted:
            self._counted = False
            self._receiver.connections -= 1
        if self.transport is not None:
            super().connection_lost(error)

    async def push(self, status: AnyStr) -> None:
        """As inherited; but the two 552 of aiosmtpd say what people have to do (C-2: a clear text)."""
        text = status.decode() if isinstance(status, bytes) else status
        if text.startswith("552"):
            most = (self.data_size_limit or 0) // 2**20
            text = (
                f"552 5.3.4 Message too large: at most {most} MiB, please send several smaller mails "
                f"(Mail zu gross: hoechstens {most} MiB, bitte in mehreren kleineren Mails senden)"
            )
        await super().push(text)
