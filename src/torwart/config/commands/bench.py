"""``torwart bench [NAME…]``: the benchmarks, each a ratio against a floor measured in the same run (spec/10)."""

import importlib
import inspect
import json
import pkgutil

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from torwart.config import bench
from torwart.config.bench.harness import Result
from torwart.kernel.words import Words

_SHARED = {"harness"}
_COLUMNS = (
    Words("Messung", "bench"),
    Words("Wert", "value"),
    Words("Verhältnis", "ratio"),
    Words("Ziel", "target"),
    Words("Streuung", "spread"),
    Words("", ""),
)
_RUNNING = Words("{name} läuft …", "{name} is running …")
_GATEWAYS = Words("So viele Gateways hat die große Flotte (pages).", "So many gateways has the large fleet (pages).")
_UNKNOWN = Words("Unbekannt: {names}. Es gibt: {known}.", "Unknown: {names}. There are: {known}.")


def names() -> list[str]:
    """The benchmarks there are: every module of ``config.bench`` that has a ``run``; what they share is left out."""
    modules = (module.name for module in pkgutil.iter_modules(bench.__path__))
    return sorted(name.replace("_", "-") for name in modules if name not in _SHARED and not name.startswith("_"))


@click.command(
    name="bench",
    help=Words(
        "Benchmarks: Verhältnisse gegen eine im selben Lauf gemessene Vergleichsgröße.",
        "Benchmarks: ratios against a floor measured in the same run.",
    ).text(),
)
@click.argument("chosen", nargs=-1, metavar="[NAME]…")
@click.option("--gateways", type=click.IntRange(min=1000), help=_GATEWAYS.text())
@click.option("--json", "as_json", is_flag=True, help=Words("Ergebnisse als JSON", "results as JSON").text())
def command(chosen: tuple[str, ...], gateways: int | None, as_json: bool) -> None:
    """Exit codes: 0 every target reached, 1 one missed, 2 unknown name."""
    known = names()
    if unknown := [name for name in chosen if name not in known]:
        raise click.UsageError(_UNKNOWN.text(names=", ".join(unknown), known=", ".join(known)))
    results = [result for name in chosen or known for result in _run(name, gateways)]
    if as_json:
        click.echo(json.dumps([result.as_json() for result in results], indent=2))
    else:
        Console().print(_table(results))
    if not all(result.reached for result in results):
        click.get_current_context().exit(1)


def _run(name: str, gateways: int | None) -> list[Result]:
    """``gateways``: for a benchmark whose fleet may be of any size."""
    module = importlib.import_module(f"{bench.__name__}.{name.replace('-', '_')}")
    sized = gateways is not None and "gateways" in inspect.signature(module.run).parameters
    with Console(stderr=True).status(_RUNNING.text(name=name)):
        results: list[Result] = module.run(gateways) if sized else module.run()
    return results


def _table(results: list[Result]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 1), pad_edge=False)
    for heading in _COLUMNS:
        table.add_column(heading.text(), justify="left" if heading is _COLUMNS[0] else "right", overflow="fold")
    for result in results:
        table.add_row(
            f"[bold]{result.name}[/bold] {escape(result.case)}",
            f"{_number(result.value)} {escape(result.unit)}",
            f"{result.ratio:.3g}",
            escape(result.target),
            f"± {result.spread / 2:.0%}",
            "[green]✓[/green]" if result.reached else "[bold red]✗[/bold red]",
        )
        table.add_row(f"[dim]  {escape(result.floor_what)}[/dim]", f"[dim]{_number(result.floor)}[/dim]")
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
