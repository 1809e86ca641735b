"""A real worker that is killed with SIGKILL at chosen points of chosen runs, and started again at once.

``doomed_worker.py worker --config FILE``, in the environment: TORWART_DOOM, a directory. There ``plan.json`` says
``{"STORY/DEVICE": POINT}``. A point is a step of the durable story, begun or ended, or a call of a port in the middle
of an act, before it is sent or after its answer came and before it is used:
``activate begin``, ``activate > exchange 1 before``. Trailing numbers of attempts are left out of step names.
Every point a run comes to is noted in ``STORY-DEVICE.points``, a kill by the file ``STORY-DEVICE.killed``; each
happens once. This process only forks: each incarnation is a child that has everything imported already.
"""

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torwart.config.installation import django_setup

_PORTS = {
    "link": ("exchange", "connected", "close", "send_wake_up", "policy_changed"),
    "ca": ("request_certificate", "revoke", "revocation_list"),
}


class Doom:
    """Notes where each thread's run is, and kills the process where the plan says so."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._here = threading.local()

    def marked(self, name: str, story: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """The story, its thread marked with what it is about."""

        def told(ctx: Any, params: Any) -> Any:
            self._here.name = f"{name}/{params['gateway']}"
            return story(ctx, params)

        return told

    def step(self, _run: str, name: str, phase: str, _attempt: int) -> None:
        self._here.step, self._here.calls = re.sub(r"( \d+)+$", "", name), 0
        self._point(f"{self._here.step} {phase}")

    def around(self, port: Any, methods: tuple[str, ...]) -> Any:
        """The port, with a point before and after each call."""
        return _Watched(port, {name: self._call(name, getattr(port, name)) for name in methods})

    def _call(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            if not hasattr(self._here, "step"):
                return call(*args, **kwargs)
            self._here.calls += 1
            point = f"{self._here.step} > {name} {self._here.calls}"
            self._point(f"{point} before")
            answer = call(*args, **kwargs)
            self._point(f"{point} after")
            return answer

        return watched

    def _point(self, point: str) -> None:
        name = self._here.name.replace("/", "-")
        with (self._directory / f"{name}.points").open("a") as file:
            file.write(point + "\n")
        plan = self._directory / "plan.json"
        if plan.exists() and json.loads(plan.read_text()).get(self._here.name) == point:
            try:
                os.close(os.open(self._directory / f"{name}.killed", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
            os.kill(os.getpid(), signal.SIGKILL)


class _Watched:
    def __init__(self, port: Any, methods: dict[str, Callable[..., Any]]) -> None:
        self._port = port
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def live(config: Path) -> None:
    """One incarnation."""
    from torwart.config.commands.worker import serve
    from torwart.config.wiring import Worker, WorkerConfig
    from torwart.processes.definition import catalogue
    from torwart.processes.telling import story_of

    worker = Worker(WorkerConfig.load(config))
    doom = Doom(Path(os.environ["TORWART_DOOM"]))
    ports = {port: doom.around(getattr(worker.world, port), methods) for port, methods in _PORTS.items()}
    world = replace(worker.world, **ports)
    worker.engine.on_step = doom.step
    for process in catalogue().values():
        worker.engine.register(process.name, doom.marked(process.name, story_of(process, world)))
    serve(worker)


def main(config: str) -> None:
    """Fork incarnations until one ends in good order."""
    django_setup(os.environ["TORWART_DATABASE_URL"], migrated=False)
    from torwart.config import wiring  # noqa: F401  # imported once for all incarnations
    from torwart.config.commands import worker  # noqa: F401

    child = 0

    def end(number: int, _frame: object) -> None:
        if child:
            os.kill(child, number)

    signal.signal(signal.SIGTERM, end)
    while True:
        child = os.fork()
        if child == 0:
            live(Path(config))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            return


if __name__ == "__main__":
    main(sys.argv[-1])
