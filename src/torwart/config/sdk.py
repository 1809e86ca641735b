"""``python -m torwart.config.sdk``: the methods of torwart-client, one for each process of the catalogue.

Writes ``clients/python/src/torwart_client/processes.py`` anew; a test compares.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

from torwart.processes.definition import Field, FieldKind, Process, catalogue

PATH = Path(__file__).parents[3] / "clients/python/src/torwart_client/processes.py"
_HEAD = '''"""One method for each process that goes over the interface.

Written by ``python -m torwart.config.sdk`` from the definitions of the processes; change those, not this file.
"""
# ruff: noqa: A002  fields are named as the interface names them

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from torwart_client.model import Operation
'''
_CLASS = '''
class {name}(ABC):
    """Order the processes; every method answers with the order as placed, the same one for the same ``key``."""

    @abstractmethod
    {a}def _order(self, process: str, body: Mapping[str, Any], key: str | None) -> Operation:
        """Place an order."""
'''
_HEADER = ("requested_at: datetime | None = None", 'participant: str = ""', 'reference: str = ""', 'remark: str = ""')


def source() -> str:
    """The module, as ruff formats it."""
    offered = [process for process in catalogue().values() if process.over_interface]
    parts = [_HEAD]
    for name, prefix in (("Processes", ""), ("AsyncProcesses", "async ")):
        parts.append(_CLASS.format(name=name, a=prefix))
        parts += [_method(process, prefix) for process in offered]
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "120", "--stdin-filename", "processes.py", "-"]
    done = subprocess.run(command, input="\n".join(parts).encode(), capture_output=True, check=True)
    return done.stdout.decode()


def _method(process: Process, prefix: str) -> str:
    fields = [*(field for field in process.fields if not field.optional), *(f for f in process.fields if f.optional)]
    given = ", ".join([*map(_parameter, fields), *_HEADER, "key: str | None = None"])
    names = [*(field.name for field in process.fields), *(each.partition(":")[0] for each in _HEADER)]
    body = ", ".join(f'"{name}": {name}' for name in names)
    wait = "await " if prefix else ""
    text = [
        f"{prefix}def {process.name}(self, *, {given}) -> Operation:",
        textwrap.indent(_documentation(process), "    "),
        f"    body: dict[str, Any] = {{{body}}}",
        f'    return {wait}self._order("{process.name.replace("_", "-")}", body, key)',
    ]
    return textwrap.indent("\n".join(text), "    ") + "\n"


def _documentation(process: Process) -> str:
    lines = textwrap.wrap(process.about.en, 110)
    for field in process.fields:
        lines += textwrap.wrap(f"``{field.name}``: {field.label.en}. {field.help.en} E.g. {field.example}", 110)
    head = f"{process.code} {process.words.en}."
    return '"""' + "\n".join([head, "", *lines]).replace("\\", "\\\\") + '\n"""'


def _parameter(field: Field) -> str:
    kind = _kind(field)
    if field.many:
        kind = f"Sequence[{kind}]"
    return f"{field.name}: {kind} | None = None" if field.optional else f"{field.name}: {kind}"


def _kind(field: Field) -> str:
    if field.choices:
        return f"Literal[{', '.join(repr(choice.value) for choice in field.choices)}]"
    return {FieldKind.INSTANT: "datetime", FieldKind.NUMBER: "int"}.get(field.kind, "str")


if __name__ == "__main__":
    from torwart.config.installation import django_setup

    django_setup("postgresql:///unused", migrated=False)
    PATH.write_text(source(), encoding="utf-8")
