"""A bus for threads: blocking calls onto a bus that lives in an event loop of another thread."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import uvloop

from torwart.kernel.refusals.bus import BUS_UNAVAILABLE
from torwart.ports.bus import Bus, Subscription

T = TypeVar("T")
BlockingHandler = Callable[[str, bytes], bytes | None]


class BlockingBus:
    """The bus as worker threads see it: same words as ``ports.bus.Bus``, calls block, same refusals.

    ``BlockingBus(bus, loop)`` goes through a loop that someone else runs (one-process mode);
    ``BlockingBus.start(connect)`` runs a loop of its own in a thread and connects there.
    Handlers are plain functions; they run in ``threads`` threads of their own, so they may block.
    """

    def __init__(self, bus: Bus, loop: asyncio.AbstractEventLoop, *, threads: int = 4) -> None:
        self._bus = bus
        self._loop = loop
        self._handlers = ThreadPoolExecutor(threads, thread_name_prefix="bus-handler")
        self._own_thread: threading.Thread | None = None

    @classmethod
    def start(cls, connect: Callable[[], Awaitable[Bus]], *, threads: int = 4) -> "BlockingBus":
        """Start a loop in a thread and make the bus there; what ``connect`` raises is raised here."""
        loop = uvloop.new_event_loop()
        thread = threading.Thread(target=_run, args=(loop,), name="bus", daemon=True)
        thread.start()

        async def make() -> Bus:
            return await connect()

        try:
            bus = _call(loop, make())
        except BaseException:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            raise
        blocking = cls(bus, loop, threads=threads)
        blocking._own_thread = thread
        return blocking

    def request(self, subject: str, payload: bytes, *, timeout: float) -> bytes:
        return _call(self._loop, self._bus.request(subject, payload, timeout=timeout))

    def publish(self, subject: str, payload: bytes) -> None:
        _call(self._loop, self._bus.publish(subject, payload))

    def subscribe(self, subject: str, handler: BlockingHandler, *, queue: str | None = None) -> Callable[[], None]:
        """Serve ``subject``; call what is returned to end it."""

        async def serve(subject: str, payload: bytes) -> bytes | None:
            return await asyncio.get_running_loop().run_in_executor(self._handlers, handler, subject, payload)

        subscription: Subscription = _call(self._loop, self._bus.subscribe(subject, serve, queue=queue))
        return lambda: _call(self._loop, subscription.unsubscribe())

    def close(self) -> None:
        """Close the bus, and the loop if it is ours. A loop already gone is no error."""
        with contextlib.suppress(Exception):
            _call(self._loop, self._bus.close())
        self._handlers.shutdown(wait=False, cancel_futures=True)
        if self._own_thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._own_thread.join()
            self._own_thread = None


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def _call(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` in ``loop`` and wait for what it returns or raises."""
    done: Future[T] = Future()
    try:
        loop.call_soon_threadsafe(_begin, loop, coroutine, done)
    except RuntimeError:
        coroutine.close()
        raise BUS_UNAVAILABLE(why="loop ended") from None
    return done.result()


def _begin(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, T], done: "Future[T]") -> None:
    loop.create_task(coroutine).add_done_callback(partial(_hand_over, done))


def _hand_over(done: "Future[T]", task: "asyncio.Task[T]") -> None:
    if task.cancelled():
        done.set_exception(BUS_UNAVAILABLE(why="loop ended"))
    elif error := task.exception():
        done.set_exception(error)
    else:
        done.set_result(task.result())
