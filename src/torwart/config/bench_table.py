"""``torwart bench --json > bench.json; python -m torwart.config.bench_table bench.json``: the results as Markdown.

Prints the machine, the versions and one table for docs/performance.md. The file ``-`` is standard input.
"""

import json
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from torwart.config.bench.harness import Result

_COLUMNS = ("benchmark", "case", "value", "floor", "ratio", "target", "spread", "")
_VERSIONS = ("cryptography", "pyOpenSSL", "uvloop", "h11", "psycopg", "Django")
_CPUS = Path("/proc/cpuinfo")


def page(results: Iterable[Result]) -> str:
    """Machine and table, ready to stand in docs/performance.md."""
    return "\n".join([*machine(), "", *table(results), ""])


def table(results: Iterable[Result]) -> Iterator[str]:
    """The rows of a Markdown table; a target that was missed is bold."""
    yield "| " + " | ".join(_COLUMNS) + " |"
    yield "|" + "---|" * len(_COLUMNS)
    for result in results:
        cells = (
            f"`{result.name}`",
            result.case,
            f"{number(result.value)} {result.unit}",
            f"{number(result.floor)} ({result.floor_what})",
            f"{result.ratio:.3g}",
            result.target,
            f"± {result.spread / 2:.0%}",
            "reached" if result.reached else "**missed**",
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def machine() -> Iterator[str]:
    """What it was measured on, without the name of the machine."""
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    yield f"- {os.cpu_count()} × {_processor()}, {system}"
    yield f"- Python {platform.python_version()}, " + ", ".join(_versions())


def number(value: float) -> str:
    """Whole from a hundred on, else three digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _processor() -> str:
    lines = _CPUS.read_text(encoding="utf-8").splitlines() if _CPUS.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _versions() -> Iterator[str]:
    for name in _VERSIONS:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue


def main(argv: list[str] | None = None) -> int:
    """Print the page for a file that ``torwart bench --json`` wrote; 2 without one."""
    given = sys.argv[1:] if argv is None else argv
    if len(given) != 1:
        print("python -m torwart.config.bench_table bench.json", file=sys.stderr)
        return 2
    text = sys.stdin.read() if given[0] == "-" else Path(given[0]).read_text(encoding="utf-8")
    print(page(Result(**row) for row in json.loads(text)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
