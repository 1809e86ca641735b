"""Scenarios for a client's own system written by tests, and the fitters who switch on what it orders."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from staging import Scene

from torwart.store.models import Step


def written(orders: Sequence[Mapping[str, Any]], head: str = "") -> str:
    """A scenario file: ``head`` and these orders."""
    return head + "".join("\n[[order]]\n" + _table(order) for order in orders)


def _table(values: Mapping[str, Any]) -> str:
    return "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(each)}" for name, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # texts, numbers and lists look the same in TOML


def commissioning(scene: Scene, device: str, **expected: Any) -> dict[str, Any]:
    fields = {name: value for name, value in scene.fields(device).items() if name != "gateway"}
    return {"process": "commissioning", "gateways": [device], "fields": fields, **expected}


@contextmanager
def fitters(scene: Scene) -> Iterator[None]:
    """While it lasts, every gateway whose commissioning waits for it is switched on."""
    over, seen = threading.Event(), set[str]()

    def work() -> None:
        while not over.wait(0.3):
            waiting = Step.objects.filter(name="first_contact", run__process="P03")
            for device in waiting.values_list("run__gateway__device_id", flat=True):
                if device not in seen:
                    seen.add(device)
                    scene.stage.power_on(device)

    thread = threading.Thread(target=work, name="fitters")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
