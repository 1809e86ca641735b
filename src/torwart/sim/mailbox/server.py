"""The SMTP server of a client: takes mail for its people, and misbehaves as told (spec/08, "The mailbox")."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How to behave; the default is a good server.

    ``busy_until``: answers 451 until then ("4xx for an hour"). ``busy_times``: answers 451 so many times. ``gone``:
    answers 550 to every recipient. ``hang_up_times``: so many times takes the mail and closes before it says 250, so
    that it comes again. ``delay``: seconds before each answer to a mail.
    """

    busy_until: datetime | None = None
    busy_times: int = 0
    gone: bool = False
    hang_up_times: int = 0
    delay: float = 0.0


Take = Callable[[bytes, str, tuple[str, ...]], None]
"""Takes (raw, envelope_from, envelope_to) of a mail that is accepted."""


class MailServer:
    """Serves in a thread of its own between ``start`` and ``stop``. ``accepts``: whether an address is known here."""

    def __init__(
        self,
        take: Take,
        accepts: Callable[[str], bool],
        clock: Callable[[], datetime],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._take, self._accepts, self._clock = take, accepts, clock
        self._host, self._wanted_port = host, port
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="client-mail", daemon=True)
        self._ready, self._stopping = Event(), asyncio.Event()
        self._failure: OSError | None = None
        self._busy = self._hung_up = 0
        self._behaviour = Behaviour()
        self.port = 0

    @property
    def behaviour(self) -> Behaviour:
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        """Behave so from now on; counts start anew."""
        self._busy = self._hung_up = 0
        self._behaviour = behaviour

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
        server = await self._loop.create_server(
            lambda: SMTP(self, data_size_limit=2**26, hostname="client.test", ident="simulated", loop=self._loop),
            self._host,
            self._wanted_port,
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0)

    async def handle_RCPT(  # noqa: N802 -- the name aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._behaviour.gone or not self._accepts(address.lower()):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address.lower())
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        told = self._behaviour
        if told.delay:
            await asyncio.sleep(told.delay)
        if told.busy_until is not None and self._clock() < told.busy_until:
            return "451 4.7.1 Busy, try again later"
        if self._busy < told.busy_times:
            self._busy += 1
            return "451 4.7.1 Busy, try again later"
        if isinstance(envelope.content, bytes):
            self._take(envelope.content, (envelope.mail_from or "").strip("<>"), tuple(envelope.rcpt_tos))
        if self._hung_up < told.hang_up_times:
            self._hung_up += 1
            if isinstance(server.transport, asyncio.Transport):
                server.transport.abort()
        return "250 2.0.0 OK"
