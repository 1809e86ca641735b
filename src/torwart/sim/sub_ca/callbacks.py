"""SendCertificates to those who can be called back, until they have it (TR-03129-4 §2.3.4)."""

import http.client
import logging
import ssl
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from urllib.parse import urlsplit

from torwart.kernel.refusals import Refusal
from torwart.sim.sub_ca.registry import Queued, Registry
from torwart.wire.smpki_service import Response, SendCertificates, decode_response, encode_request

log = logging.getLogger(__name__)
_PATIENCE = 10.0
_RETRY = 1.0


def send(url: str, message: SendCertificates, context: ssl.SSLContext) -> str:
    """Deliver one message over mutual TLS; the return code of the receiver."""
    address = urlsplit(url)
    connection = http.client.HTTPSConnection(
        address.hostname or "", address.port or 443, timeout=_PATIENCE, context=context
    )
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"SendCertificates"'}
    try:
        connection.request("POST", address.path or "/", encode_request(message), headers)
        return decode_response(connection.getresponse().read(), "SendCertificates").return_code
    finally:
        connection.close()


def _key(queued: Queued) -> tuple[str, str]:
    return queued.caller.common_name, queued.message_id


class Callbacks:
    """A thread that works through the queue of the registry; what it could not deliver it tries again.

    ``work`` turns a queued request into the response it would have got at once; ``url`` knows where a caller wants
    to be called; ``delay`` and ``times`` come from the behaviour of the moment.
    """

    def __init__(
        self,
        registry: Registry,
        context: ssl.SSLContext,
        *,
        work: Callable[[Queued], Response],
        url: Callable[[str], str | None],
        delay: Callable[[], float],
        times: Callable[[], int],
    ) -> None:
        self._registry = registry
        self._context = context
        self._work, self._url, self._delay, self._times = work, url, delay, times
        self._due: dict[tuple[str, str], float] = {}
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="sub-ca-callbacks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.02):
            for queued in self._registry.queue:
                due = self._due.setdefault(_key(queued), monotonic() + self._delay())
                if due <= monotonic() and not self._stopped.is_set():
                    self._deliver(queued)

    def _deliver(self, queued: Queued) -> None:
        caller, key = queued.caller.common_name, _key(queued)
        url = self._url(caller)
        if url is None:
            self._due[key] = monotonic() + _RETRY
            return
        response = self._work(queued)
        message = SendCertificates(response.return_code, response.certificates, queued.message_id, response.message)
        try:
            codes = [send(url, message, self._context) for _ in range(self._times())]
        except (OSError, http.client.HTTPException, Refusal) as error:
            log.info("callback to %s failed, will be repeated: %s", caller, error)
            self._due[key] = monotonic() + _RETRY
            return
        log.info("callback to %s: %s", caller, codes)
        # §2.3.4: "This message itself MUST always be processed synchronously by its receiver." Told is told, whatever
        # the code; only a receiver in trouble is asked again.
        if codes[-1] == "failure_internal_error":
            self._due[key] = monotonic() + _RETRY
            return
        self._registry.delivered(queued)
        self._due.pop(key, None)
