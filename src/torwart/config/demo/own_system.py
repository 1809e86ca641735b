"""A client's own system (EMT system) on the stage: coupled with the client, ordering over the EMT–GWA interface.

Its files lie in the stage's directory under ``emt``; ``published`` makes them easy to find while the demonstration
stays up.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torwart_client import Operation, StillRunning

from torwart.config.demo.stage import Stage
from torwart.services import interface
from torwart.sim.emt.files import EmtFiles
from torwart.sim.emt.system import EmtSystem, Fate
from torwart.wire.certificate import identify

SOFTWARE, VERSION = "Torwart EMT-Simulator", "1.0"
LINK = Path(".demo")


@dataclass
class OwnSystem:
    """``start`` couples it with ``client`` and lets it be told by webhooks from then on."""

    stage: Stage
    client: int
    language: str = "de"
    placed: list[Operation] = field(default_factory=list)
    system: EmtSystem = field(init=False)

    @property
    def name(self) -> str:
        """Who it is by its certificate."""
        return identify(self.stage.site.pki.emt.tls.certificate).common_name

    def start(self) -> "OwnSystem":
        interface.couple(self.client, self.name, software=SOFTWARE, software_version=VERSION, actor="user:ada")
        files = EmtFiles.write(self.stage.directory / "emt", self.stage.site.pki, url=self.stage.api_url)
        self.system = EmtSystem(self.stage.api_url, files.context(), language=self.language).start()
        return self

    def stop(self) -> None:
        if hasattr(self, "system"):
            self.system.stop()

    def order(self, process: str, fields: Mapping[str, Any], key: str | None = None) -> Operation:
        """Order over the interface; refusals are the exceptions of ``torwart_client``."""
        placed = self.system.torwart.order(process.replace("_", "-"), fields, key=key)
        if placed not in self.placed:
            self.placed.append(placed)
        return placed

    def ended(self, number: str, *, seconds: float = 30.0) -> list[Fate]:
        """What it knows of this order when it has ended, and all sides say so."""
        with suppress(StillRunning):
            self.system.torwart.wait(number, seconds=seconds)
        return self.system.settled([number])

    def fates(self, *, seconds: float = 15.0) -> list[Fate]:
        """What it knows of all of the client's orders, as soon as look, feed and webhooks agree."""
        return self.system.settled(seconds=seconds)

    def report(self) -> dict[str, Any]:
        """Counts, and the orders about which it was not told the same from all sides."""
        fates = self.fates(seconds=0)
        hooks = self.system.hooks
        return {
            "system": self.name,
            "ordered": [placed.id for placed in self.placed],
            "operations": len(fates),
            "ended": sum(fate.operation.ended for fate in fates),
            "events": sum(len(fate.feed) for fate in fates),
            "webhooks": sum(len(fate.hooks) for fate in fates),
            "forged": len(hooks.forged),
            "disagreeing": [str(fate) for fate in fates if not fate.agrees],
        }


@contextmanager
def published(directory: Path) -> Iterator[Path]:
    """While it lasts, ``.demo`` where we were started leads to the stage of the demonstration begun last; where the
    files of the client's system are to be found.
    """
    fresh = Path(f"{LINK}.{os.getpid()}")
    try:
        fresh.symlink_to(directory)
        fresh.replace(LINK)
    except OSError:  # a directory that cannot be written, or that has such a directory already
        with suppress(OSError):
            fresh.unlink()
        yield directory / "emt"
        return
    try:
        yield LINK / "emt"
    finally:
        with suppress(OSError):
            if LINK.readlink() == directory:
                LINK.unlink()
