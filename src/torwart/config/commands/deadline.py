"""``torwart deadline START --hours H``: when a deadline of service time ends, and which hours were counted (T-2).

START is local time in the calendar's zone (Europe/Berlin). A reading that happens twice when clocks go back means the
first; one that is skipped when clocks go forward means the instant as far after the jump; an offset in START
(``…+01:00``) says it exactly. Times given out are local, without offset as long as the reading is unambiguous.
"""

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from torwart.kernel.refusals import Refusal
from torwart.kernel.words import Words, locale_language
from torwart.rules.holidays import nationwide
from torwart.rules.lead_time import hours_and_minutes
from torwart.rules.service_time import CALENDAR, Calendar, Interval, counted, deadline, local

_GERMAN = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](.+)", re.ASCII)
_WEEKDAYS = Words("Mo Di Mi Do Fr Sa So", "Mon Tue Wed Thu Fri Sat Sun")
_TEXT = {
    "start": Words("Beginn", "Start"),
    "allowance": Words("Frist", "Allowance"),
    "due": Words("Fällig", "Due"),
    "service": Words("{length} Servicezeit", "{length} of service time"),
    "open": Words("in der Servicezeit", "in service hours"),
    "rests": Words("außerhalb der Servicezeit; die Frist läuft ab {at}", "outside service hours; runs from {at}"),
    "twice": Words(
        "diese Uhrzeit gibt es zweimal; gemeint ist die erste", "this reading happens twice; the first is meant"
    ),
    "skipped": Words(
        "diese Uhrzeit gibt es nicht; gerechnet wird mit {at}", "this reading does not exist; taken as {at}"
    ),
    "day": Words("Tag", "day"),
    "from": Words("von", "from"),
    "to": Words("bis", "to"),
    "counted": Words("gezählt", "counted"),
    "left": Words("bleibt", "left"),
    "weekend": Words("Wochenende", "weekend"),
    "closed": Words("geschlossen", "closed"),
    "bad_start": Words(
        '„{text}“ ist kein Zeitpunkt. So geht es: 2026-11-23T08:00 oder "23.11.2026 08:00".',
        '“{text}” is no point in time. Try 2026-11-23T08:00 or "23.11.2026 08:00".',
    ),
    "bad_hours": Words(
        "„{text}“ ist keine Stundenzahl. So geht es: 12, 24 oder 1.5 – größer als 0.",
        "“{text}” is no number of hours. Try 12, 24 or 1.5 – greater than 0.",
    ),
}


class _Start(click.ParamType[datetime]):
    """A point in time: naive as typed, or aware when the text has an offset."""

    name = "start"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        german = _GERMAN.fullmatch(text)
        try:
            return datetime.fromisoformat("{2}-{1:0>2}-{0:0>2} {3}".format(*german.groups()) if german else text)
        except ValueError:
            self.fail(_TEXT["bad_start"].text(text=text[:60]), param, ctx)


class _Hours(click.ParamType[float]):
    """A positive number of hours; a comma is understood."""

    name = "hours"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            hours = float(str(value).replace(",", "."))
        except ValueError:
            hours = math.nan
        if not (math.isfinite(hours) and hours > 0):
            self.fail(_TEXT["bad_hours"].text(text=str(value)[:60]), param, ctx)
        return hours


@click.command(
    name="deadline",
    help=Words(
        "Wann eine Frist in Servicezeit endet. START ist Ortszeit, z. B. 2026-11-23T08:00.",
        "When a deadline of service time ends. START is local time, e.g. 2026-11-23T08:00.",
    ).text(),
)
@click.argument("start", type=_Start())
@click.option(
    "--hours", type=_Hours(), required=True, metavar="H", help=Words("Stunden Servicezeit", "service hours").text()
)
@click.option("--json", "as_json", is_flag=True, help='{"due": …, "steps": […]}')
def command(start: datetime, hours: float, as_json: bool) -> None:
    """Exit codes: 0 done, 2 START or H not understood or outside the calendar."""
    try:
        began = local(start)
        due, steps = deadline(began, hours), counted(began, hours)
    except Refusal as refusal:
        raise click.UsageError(refusal.text()) from refusal
    if as_json:
        click.echo(json.dumps({"due": _reading(due), "steps": [_as_json(step) for step in steps]}))
    else:
        _show(start, began, timedelta(hours=hours), due, steps)


def _as_json(step: Interval) -> dict[str, str | float]:
    hours = round(step.length / timedelta(hours=1), 6)
    return {"from": _reading(step.begin), "to": _reading(step.end), "hours": hours}


def _reading(at: datetime) -> str:
    """ISO 8601 to the minute (or as far as needed); the offset only where the reading happens twice."""
    twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    text = (at if twice else at.replace(tzinfo=None)).isoformat()
    return text.removesuffix(":00") if not twice and at.second == 0 and at.microsecond == 0 else text


def _show(typed: datetime, began: datetime, allowance: timedelta, due: datetime, steps: list[Interval]) -> None:
    console = Console()
    head = Table.grid(padding=(0, 2))
    head.add_row(_label("start"), Text(_spoken(began)).append(f" – {_remark(typed, began)}", style="dim"))
    head.add_row(_label("allowance"), _TEXT["service"].text(length=hours_and_minutes(allowance)))
    head.add_row(_label("due"), Text(_spoken(due), style="bold green"))
    console.print(head, "")
    console.print(_table(steps, allowance))


def _table(steps: list[Interval], allowance: timedelta) -> Table:
    """One line per counted stretch, and one per run of closed days between them, with the reason."""
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    for heading in ("day", "from", "to", "counted", "left"):
        table.add_column(_TEXT[heading].text(), justify="left" if heading == "day" else "right")
    left, previous = allowance, None
    for step in steps:
        for skipped in _closed_days(previous, step.begin.date(), CALENDAR):
            table.add_row(_day(skipped), Text(_why_closed(skipped), style="dim italic"), "", "", "")
        previous = step.begin.date()
        left -= step.length
        times = (f"{step.begin:%H:%M}", f"{step.end:%H:%M}")
        table.add_row(_day(previous), *times, hours_and_minutes(step.length), hours_and_minutes(left))
    return table


def _closed_days(after: date | None, before: date, calendar: Calendar) -> list[date]:
    if after is None:
        return []
    days = map(date.fromordinal, range(after.toordinal() + 1, before.toordinal()))
    return [day for day in days if not calendar.windows(day)]


def _why_closed(day: date) -> str:
    holiday = nationwide(day.year).get(day)
    return (holiday or _TEXT["weekend" if day.weekday() >= 5 else "closed"]).text()


def _remark(typed: datetime, began: datetime) -> str:
    if typed.tzinfo is None and began.replace(tzinfo=None) != typed.replace(fold=0):
        return _TEXT["skipped"].text(at=f"{began:%H:%M}")
    if typed.tzinfo is None and began.utcoffset() != began.replace(fold=1).utcoffset():
        return _TEXT["twice"].text()
    opening = CALENDAR.next_open(began)
    if opening.astimezone(UTC) == began.astimezone(UTC):
        return _TEXT["open"].text()
    return _TEXT["rests"].text(at=_spoken(opening))


def _label(key: str) -> Text:
    return Text(_TEXT[key].text(), style="bold")


def _day(day: date) -> str:
    weekday = _WEEKDAYS.text().split()[day.weekday()]
    return f"{weekday} {day:%d.%m.%Y}" if locale_language() == "de" else f"{weekday} {day.isoformat()}"


def _spoken(at: datetime) -> str:
    return f"{_day(at.date())} {at:%H:%M}"
