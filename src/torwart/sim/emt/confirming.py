"""Telling the head-end that readings have arrived: signed, over mutual TLS, again and again until it is accepted."""

import asyncio
from collections import deque

from torwart.kernel.refusals import Refusal
from torwart.kernel.refusals.tls import TLS_BAD_CERTIFICATE
from torwart.sim.emt.config import EmtConfig
from torwart.sim.emt.credentials import tls_credentials
from torwart.sim.http_transport import HttpCaller
from torwart.sim.tls_transport import open_tls
from torwart.wire import cms
from torwart.wire.cosem import Request
from torwart.wire.emt_confirmation import MEDIA_TYPE, TARGET, Confirmation
from torwart.wire.tls import Chain, TlsContext, TlsEngine, client_context


class Confirming:
    """A queue and one task that works it off in order over one connection while there is work.

    ``accepted`` counts what the head-end has taken (200 or 204). Whatever else it answers, and every broken
    connection, is tried again after a pause that doubles up to ``longest_pause``.
    """

    def __init__(self, config: EmtConfig) -> None:
        self._config = config
        self._context = self._client_context()
        self._signer = cms.LocalSigner(config.credentials.sig.key, config.credentials.sig.certificate)
        self._queue: deque[Confirmation] = deque()
        self._work = asyncio.Event()
        self._caller: HttpCaller | None = None
        self.accepted = 0
        self.failures = 0
        """Attempts that failed since the last success."""

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def add(self, confirmation: Confirmation) -> None:
        if self._config.confirm_to is not None:
            self._queue.append(confirmation)
            self._work.set()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._work.wait()
                await self._send_all()
                self._hang_up()
        finally:
            self._hang_up()

    async def _send_all(self) -> None:
        pause = self._config.first_pause
        while self._queue:
            if await self._send(self._queue[0]):
                self._queue.popleft()
                self.accepted += 1
                self.failures, pause = 0, self._config.first_pause
            else:
                self.failures += 1
                self._hang_up()
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._config.longest_pause)
        self._work.clear()

    async def _send(self, confirmation: Confirmation) -> bool:
        body = cms.sign(
            confirmation.encode(), signer=self._signer, certificate=self._config.credentials.sig.certificate
        )
        request = Request("POST", TARGET, {"Content-Type": MEDIA_TYPE}, body)
        try:
            response = await (await self._connected()).exchange(request)
        except Refusal:
            return False
        return response.status in (200, 204)

    async def _connected(self) -> HttpCaller:
        if self._caller is None or not self._caller.usable:
            assert self._config.confirm_to is not None  # nothing is queued otherwise
            stream = await open_tls(TlsEngine(self._context), self._config.confirm_to, timeout=20.0)
            self._caller = HttpCaller(stream, self._config.confirm_to[0])
        return self._caller

    def _hang_up(self) -> None:
        if self._caller is not None:
            self._caller.close()
            self._caller = None

    def _client_context(self) -> TlsContext:
        peers = frozenset(self._config.confirm_peer)

        def judge(chain: Chain) -> Refusal | None:
            return None if chain[0] in peers else TLS_BAD_CERTIFICATE(why="not the configured head-end")

        return client_context(tls_credentials(self._config), self._config.trust, judge)
