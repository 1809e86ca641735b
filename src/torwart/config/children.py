"""Child processes of one command: started, waited for until ready, and gone when their parent is gone.

A child is ``torwart ROLE …`` (or any program). It holds the read end of a pipe whose write end only the parent has:
when the parent ends in whatever way, also by ``kill -9``, the child reads end-of-file and stops (``exit_with_parent``).
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torwart.kernel.refusals.installation import CHILD_DIED, CHILD_SILENT

PARENT_PIPE = "TORWART_PARENT_PIPE"
"""Environment variable: number of the inherited file descriptor that ends with the parent."""
_TORWART = (sys.executable, "-m", "torwart")


def exit_with_parent(stop: Callable[[], object]) -> None:
    """In a child: call ``stop`` when the parent is gone. Does nothing in a process that has no such parent."""
    number = os.environ.get(PARENT_PIPE)
    if number is None:
        return

    def watch() -> None:
        while os.read(int(number), 1):
            pass
        stop()
        time.sleep(10)
        os._exit(70)  # stop() did not end the process; nobody is left to ask

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def report_ready(**facts: Any) -> None:
    """In a child: say on standard output that it serves now, and where."""
    sys.stdout.write(json.dumps({"ready": True, **facts}) + "\n")
    sys.stdout.flush()


@dataclass
class Child:
    """One running child. ``facts``: what it said when it got ready."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 10.0) -> None:
        """SIGTERM, and SIGKILL if it does not end in time."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()

    def tail(self, lines: int = 15) -> str:
        """The last lines of its log, for an error text."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Family:
    """The children of this process. ``directory`` takes their logs."""

    def __init__(self, directory: Path, environment: dict[str, str] | None = None) -> None:
        self._directory = directory
        self._environment = environment or {}
        self._children: dict[str, Child] = {}
        self._read, self._write = os.pipe()

    def start(
        self,
        name: str,
        *arguments: str,
        program: tuple[str, ...] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Child:
        """Start ``torwart ARGUMENTS`` (or another ``program``) with what ``environment`` adds to ours; its standard
        output is where it reports ready, its errors go to the log.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        log = self._directory / f"{name}.log"
        told = {**os.environ, **self._environment, **(environment or {}), PARENT_PIPE: str(self._read)}
        with log.open("ab") as errors:
            process = subprocess.Popen(
                [*(program or _TORWART), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                bufsize=0,  # what is read ahead would be there and yet not be selected
                stderr=errors,
                env=told,
                pass_fds=(self._read,),
            )
        child = Child(name, process, log)
        self._children[name] = child
        return child

    def await_ready(self, child: Child, seconds: float = 30.0) -> Child:
        """Wait for the child's ready line; a child that ends or stays silent is refused with its log's last lines."""
        stream = child.process.stdout
        assert stream is not None
        deadline = time.monotonic() + seconds
        line = b""
        while not line.startswith(b'{"ready"'):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise CHILD_SILENT(name=child.name, seconds=seconds, log=child.tail())
            line = stream.readline()
            if not line:
                raise CHILD_DIED(name=child.name, code=child.process.wait(), log=child.tail())
        child.facts = json.loads(line)
        threading.Thread(target=_drain, args=(stream,), daemon=True).start()
        return child

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def dead(self) -> list[Child]:
        """Children that have ended by themselves."""
        return [child for child in self._children.values() if child.process.poll() is not None]

    def stop(self) -> None:
        """Stop all, one after the other, the first started first: a head-end has last facts for a worker to take."""
        for child in self._children.values():
            child.stop()
        for end in (self._read, self._write):
            os.close(end)
        self._children.clear()
        self._read = self._write = -1


def _drain(stream: Any) -> None:
    """Keep a child from blocking on a full pipe; what it says after ready is for nobody."""
    while stream.read(65536):
        pass
