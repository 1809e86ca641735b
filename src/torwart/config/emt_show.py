"""What one sees of a client's simulated system in the terminal: counts while it works, then the truthful table."""

import statistics
from collections import Counter
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from torwart.kernel.words import Words
from torwart.sim.emt.day import Day, Told

_MOST = 20
"""How many orders that went wrong are shown one by one; the report has all."""
_STATUS = Words(
    "bestellt {placed}/{all} · Webhooks {hooks} · abgebrochen {cuts}",
    "ordered {placed}/{all} · webhooks {hooks} · hung up {cuts}",
)


class DayShow:
    """Live where the console is a terminal; then the table, what stands behind it, and the verdict."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> "DayShow":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def watch(self, day: Day) -> None:
        if self._live is not None:
            placed = sum(each.placed is not None for each in day.told)
            words = _STATUS.text(placed=placed, all=len(day.told), hooks=len(day.system.hooks.got), cuts=day.cuts)
            self._live.update(Text(words), refresh=True)

    def ended(self, day: Day) -> None:
        """What came of the day."""
        self._console.rule(f"[bold]{escape(day.scenario.title or day.name)}", align="left")
        self._console.print(_table(day.told))
        odd = [each for each in day.told if not each.ok]
        for each in odd[:_MOST]:
            number = each.placed.id if each.placed else f"#{each.errand.number}"
            what = f"{number} {each.errand.plan.process} {each.errand.gateway}"
            self._console.print(f" [bold red]✘[/bold red] {escape(what)}: {escape('; '.join(each.odd))}")
        if len(odd) > _MOST:
            self._console.print(Words("   … und {n} weitere", "   … and {n} more").text(n=len(odd) - _MOST))
        for ok, words in _checks(day):
            self._console.print(f" {_mark(ok)} {escape(words)}")
        good = Words("Jeder Auftrag endete wie erwartet, in {s:.0f} s.", "Every order ended as told, in {s:.0f} s.")
        bad = Words("Nicht alles kam wie erwartet ({s:.0f} s).", "Not everything came as told ({s:.0f} s).")
        text = (good if day.verified else bad).text(s=day.seconds)
        self._console.print(Panel(text, style="green" if day.verified else "bold red", expand=False))


def _mark(ok: bool) -> str:
    return "[green]✔[/green]" if ok else "[bold red]✘[/bold red]"


def _table(told: Sequence[Told]) -> RenderableType:
    """One line for each kind of order and what was expected of it."""
    kinds: dict[tuple[str, str, str], list[Told]] = {}
    for each in told:
        plan = each.errand.plan
        kinds.setdefault((plan.process, plan.then.value, plan.expected), []).append(each)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(Words("Prozess", "process").text(), no_wrap=True)
    table.add_column(Words("erwartet", "expected").text())
    for name in (Words("Gateways", "gateways"), Words("Aufträge", "orders"), Words("wie erwartet", "as told")):
        table.add_column(name.text(), justify="right", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    table.add_column(Words("gekommen", "came").text())
    table.add_column("=", no_wrap=True)
    for (process, then, expected), lines in kinds.items():
        good = sum(each.ok for each in lines)
        seconds = [each.seconds for each in lines if each.seconds is not None]
        table.add_row(
            f"{process}, {then}" if then else process,
            expected,
            str(len({each.errand.gateway for each in lines} - {""}) or ""),
            str(len(lines)),
            str(good),
            f"{statistics.median(seconds):.1f}" if seconds else "",
            ", ".join(f"{count} × {name}" for name, count in Counter(each.outcome for each in lines).most_common()),
            Text("✔", "green") if good == len(lines) else Text("✘", "bold red"),
        )
    return Group(table, "")


def _checks(day: Day) -> list[tuple[bool, str]]:
    """What was looked at beyond each order."""
    report = day.report()
    hooks, faults, readings = report["webhooks"], report["faults"], report["readings"]
    agree = all(each.fate.agrees for each in day.told if each.fate)
    once = Words(
        "{placed} Aufträge stehen je genau einmal, {refused} wurden nicht angenommen",
        "{placed} orders stand exactly once, {refused} were not taken",
    )
    strays = Words(
        "Aufträge, die doppelt stehen oder niemand erteilt hat: {names}", "Orders twice, or of nobody: {names}"
    )
    same = Words(
        "Zustand, {events} Ereignisse und {told} Webhooks sagen dasselbe; {away} davon abgewiesen und wiederholt",
        "State, {events} events and {told} webhooks tell the same; {away} of them turned away and repeated",
    )
    forged = Words("Webhooks mit falscher Signatur: {n}", "Webhooks with a wrong signature: {n}")
    own = Words(
        "Eigene Fehler richtig beantwortet: {cut} × Verbindung abgebrochen, {twice} × doppelt gesendet, "
        "{other_body} × Schlüssel für anderes benutzt, {malformed} × Feld vergessen",
        "Own faults answered rightly: {cut} × hung up, {twice} × sent twice, {other_body} × key used for another "
        "order, {malformed} × field forgotten",
    )
    came = Words("Messwerte: {values} von {gateways} Gateways", "Readings: {values} from {gateways} gateways")
    found = [
        (not day.strays, strays.text(names=", ".join(day.strays)) if day.strays else once.text(**report)),
        (agree, same.text(**report | {"told": hooks["told"], "away": hooks["turned_away"]})),
        (not hooks["forged"], forged.text(n=hooks["forged"])),
    ]
    if day.scenario.faults != type(day.scenario.faults)():
        found.append((not day.misjudged, own.text(**faults)))
    if day.receiver is not None:
        found.append((readings["values"] > 0, came.text(**readings)))
    return found
