"""What one sees of the demonstration in the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from torwart.config.demo.office import CONTACTS, PASSWORD, STAFF, Office
from torwart.config.demo.play import Outcome, Play
from torwart.config.demo.scenario import Part
from torwart.config.demo.service import Deed
from torwart.kernel.refusals import Side
from torwart.kernel.role import ROLES
from torwart.kernel.run_state import RUN, RunState
from torwart.kernel.words import Words
from torwart.processes.definition import Process, catalogue
from torwart.services.delivery_note import Report
from torwart.store.queries.run import RunLine

SIDES: Mapping[str, Words] = {
    Side.OURS: Words("wir", "ours"),
    Side.GATEWAY: Words("Gateway", "gateway"),
    Side.CLIENT: Words("Auftraggeber", "client"),
    Side.CA: Words("Sub-CA", "Sub-CA"),
    Side.NETWORK: Words("Netz", "network"),
    Side.EMT: Words("EMT", "EMT"),
}
_COLOURS = {
    RunState.SUCCEEDED: "green",
    RunState.FAILED: "red",
    RunState.WAITING: "yellow",
    RunState.RUNNING: "cyan",
    RunState.CANCELLED: "magenta",
}
_MARKS = {RunState.SUCCEEDED: "✔", RunState.FAILED: "✘", RunState.WAITING: "…", RunState.RUNNING: "▸"}
_SETUP = {
    "database": Words("PostgreSQL, PKI und Schlüssel", "PostgreSQL, PKI and keys"),
    "bus": Words("Bus (NATS)", "bus (NATS)"),
    "headend": Words("Head-End", "head-end"),
    "sub_ca": Words("Sub-CA", "Sub-CA"),
    "workers": Words("zwei Worker", "two workers"),
    "sandbox": Words("Sandbox-Gateways", "sandbox gateways"),
    "api": Words("EMT–GWA-Schnittstelle", "EMT–GWA interface"),
    "outside": Words("Gateways und EMT", "gateways and EMT"),
    "mailroom": Words("Poststelle und Postfächer der Auftraggeber", "mail room and the clients' mailboxes"),
    "web": Words("Portal und Konsole", "portal and console"),
}


class Show:
    """Writes to a console; live where it is a terminal, plain lines where it is not."""

    def __init__(self, console: Console, parts: Sequence[Part]) -> None:
        self._console = console
        self._parts = parts
        self._live: Live | None = None
        self._process: Process = catalogue()["commissioning"]

    def setting_up(self, what: str) -> None:
        self._console.print(f"  [dim]·[/dim] {_SETUP[what].text()}")

    def headline(self, words: Words) -> None:
        self._console.print()
        self._console.rule(f"[bold]{words.text()}", align="left")

    def note(self, report: Report) -> None:
        words = Words(
            "Lieferschein {number} von {maker}: {count} Geräte importiert, {refused} abgelehnt.",
            "Delivery note {number} of {maker}: {count} devices imported, {refused} refused.",
        )
        self._console.print(
            words.text(number=report.number, maker=report.maker, count=report.imported, refused=report.refused)
        )

    def onboarded(self, office: Office) -> None:
        """Who is there now."""
        for name in office.clients:
            people = [person.full_name for person in CONTACTS if person.client == name]
            words = Words(
                "{name}: {people} – gesicherte Mail in beide Richtungen getestet, freigeschaltet.",
                "{name}: {people} – secure mail tested in both directions, activated.",
            )
            self._console.print(f" [green]✔[/green] {words.text(name=name, people=', '.join(people))}")

    def deed(self, deed: Deed) -> None:
        """One line for what somebody did and was told."""
        mark = "[green]✔[/green]" if deed.ok else "[red]✘[/red]"
        told = f"  [dim]→ {escape(deed.found)}[/dim]" if deed.found else ""
        self._console.print(f" {mark} {deed.who} {escape(deed.words.text())}{told}")

    def doors(self, office: Office, api: str, files: Path) -> None:
        """Where to go on, and as whom; ``api``: the interface, with the files of the client's system."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for name in (Words("Rolle", "role"), Words("anmelden als", "sign in as"), Words("Passwort", "password")):
            table.add_column(name.text(), no_wrap=True)
        for person in (*CONTACTS, *STAFF):
            roles = ", ".join(ROLES[role].text().partition(":")[0] for role in person.roles)
            table.add_row(f"{roles} ({person.client or 'Torwart'})", person.email, PASSWORD)
        code = Words(
            "Wer beim Anbieter arbeitet, braucht einen Anmeldecode: er steht bei den Postfächern.",
            "The provider's people need a code to sign in: it stands with the mailboxes.",
        )
        portal = Words("Portal und Konsole", "Portal and console").text()
        boxes = Words("Postfächer", "Mailboxes").text()
        interface = Words("Schnittstelle", "Interface").text()
        shown = Words("Zertifikat und Schlüssel in {path}", "certificate and key in {path}").text(path=files)
        body = Group(
            f"{portal}: [bold]{office.url}[/bold]",
            f"{boxes}: [bold]{office.page.url}[/bold]",
            f"{interface}: [bold]{api}[/bold] ({shown})",
            "",
            table,
            code.text(),
        )
        self._console.print(Panel(body, title=Words("Zum Ausprobieren", "To try it").text(), expand=False))
        curl = f"curl -K {files}/curl {api}/v1/operations"
        self._console.print(Words("Die Schnittstelle fragen:", "Ask the interface:").text())
        self._console.print(f"[bold]{curl}[/bold]", soft_wrap=True)

    def begin(self) -> None:
        """Show runs live from now on, if this is a terminal."""
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=5, transient=True)
            self._live.start()

    def end(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def watch(self, lines: list[RunLine]) -> None:
        if self._live is not None:
            self._live.update(self._running(lines))

    def _running(self, lines: list[RunLine]) -> RenderableType:
        done = sum(line.state in (RunState.SUCCEEDED, RunState.FAILED) for line in lines)
        progress = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        progress.add_task(Words("beendet", "ended").text(), total=len(lines), completed=done)
        table = Table(box=None, pad_edge=False)
        for name in (Words("Gateway", "gateway"), Words("Schritt", "step"), Words("Zustand", "state")):
            table.add_column(name.text(), no_wrap=True)
        room = max(5, self._console.size.height - 6)
        moving = [line for line in lines if line.state not in (RunState.SUCCEEDED, RunState.FAILED)]
        for line in [*moving, *[line for line in lines if line not in moving]][:room]:
            table.add_row(line.gateway, _step(line), _state(line))
        return Group(progress, table)

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """The truthful table: what was played, what became of it, whose fault it is."""
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0), expand=True)
        table.add_column(Words("Gateway", "gateway").text(), no_wrap=True)
        table.add_column(Words("Prozess", "process").text(), no_wrap=True)
        table.add_column(Words("gespielt", "played").text(), ratio=3)
        table.add_column(Words("Ergebnis", "outcome").text(), no_wrap=True)
        table.add_column(Words("Schritt", "step").text(), ratio=4)
        table.add_column("s", justify="right", no_wrap=True)
        table.add_column(Words("Seite", "side").text(), no_wrap=True)
        table.add_column("=", no_wrap=True)
        for outcome in outcomes:
            line = outcome.line
            table.add_row(
                line.gateway,
                line.process,
                outcome.part.words.text() or _process(line).words.text(),
                _state(line),
                _why(outcome),
                f"{line.seconds:.1f}",
                SIDES[line.side].text() if line.side else "",
                Text("✔", "green") if outcome.ok else Text("✘", "bold red"),
            )
        self._console.print(table)

    def checks(self, play: Play) -> None:
        words = {
            "audit": Words("Prüfkette: {found} Einträge, unverändert", "audit trail: {found} entries, unchanged"),
            "revoked": Words("Auf der Sperrliste der Sub-CA: {found}", "On the Sub-CA's revocation list: {found}"),
            "readings": Words(
                "Messwerte vom EMT bestätigt: {found} Gateways", "Readings confirmed by the EMT: {found} gateways"
            ),
            "deadlines": Words(
                "Fristen, aus der Prüfkette nachgerechnet: {found} gleich",
                "Deadlines recomputed from the audit trail: {found} equal",
            ),
            "mails": Words(
                "Mails zugestellt (mit Daten, davon verschlüsselt): {found}",
                "Mails delivered (with data, encrypted of them): {found}",
            ),
            "orders": Words(
                "Aufträge, deren Ende dem ihres Laufs gleicht und mitgeteilt ist: {found}",
                "Orders whose end is that of their run, and told: {found}",
            ),
            "interface": Words(
                "Aufträge, von denen Schnittstelle, Ereignisse und Webhooks dasselbe sagen: {found}",
                "Orders of which the interface, its events and webhooks tell the same: {found}",
            ),
        }
        for check in play.checks:
            mark = "[green]✔[/green]" if check.ok else "[bold red]✘[/bold red]"
            self._console.print(f" {mark} {words[check.name].text(found=check.found)}")
        for pid in play.killed:
            killed = Words(
                "Worker {pid} wurde mitten in der Arbeit getötet (SIGKILL); ein anderer hat weitergemacht.",
                "Worker {pid} was killed in the middle of its work (SIGKILL); another one went on.",
            )
            self._console.print(f" [green]✔[/green] {killed.text(pid=pid)}")

    def verdict(self, play: Play, seconds: float) -> None:
        good = Words("Alles wie erwartet, in {s:.0f} s.", "Everything as expected, in {s:.0f} s.")
        bad = Words("Nicht alles kam wie erwartet ({s:.0f} s).", "Not everything was as expected ({s:.0f} s).")
        text = (good if play.verified else bad).text(s=seconds)
        self._console.print(Panel(text, style="green" if play.verified else "bold red", expand=False))


def _state(line: RunLine) -> Text:
    state = RunState(line.state)
    return Text(f"{_MARKS.get(state, '·')} {RUN.states[state].text()}", _COLOURS.get(state, "dim"))


def _process(line: RunLine) -> Process:
    return next(process for process in catalogue().values() if process.code == line.process)


def _step(line: RunLine) -> str:
    if not line.step:
        return ""
    found = _process(line)
    number = [step.name for step in found.steps].index(line.step) + 1
    return f"{number:2d}/{len(found.steps)} {found.step_words(line.step).text()}"


def _why(outcome: Outcome) -> str:
    line = outcome.line
    if line.state == RunState.SUCCEEDED:
        return _gist(line)
    return f"{_step(line)}: {outcome.hint or line.code}"


def _gist(line: RunLine) -> str:
    """What a successful run has to say in a few words."""
    result = line.result
    if "light" in result:
        colours = {"red": Words("rot", "red"), "yellow": Words("gelb", "yellow"), "green": Words("grün", "green")}
        return colours[result["light"]].text()
    if result.get("connected") and not result.get("woken"):
        return Words("war verbunden", "was connected").text()
    if "latency_ms" in result:
        return Words("ruft nach {ms} ms an", "calls after {ms} ms").text(ms=result["latency_ms"])
    if "not_after" in result:
        return Words("gültig bis {day}", "valid until {day}").text(day=str(result["not_after"])[:10])
    if "whereabouts" in result:
        return Words("{n} Zertifikate gesperrt", "{n} certificates revoked").text(n=result["revoked"])
    return _step(line)
