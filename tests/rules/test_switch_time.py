"""Switching times of TAF 2: what people write, and which stage is in force when."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torwart.kernel.refusals import Refusal
from torwart.rules import switch_time
from torwart.rules.switch_time import DAYS, SwitchTime, canonical, off_grid, parse, special_days, stages, week

pytestmark = [pytest.mark.requirement("P11")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1 Mo-Fr 06:00-22:00", "1 Mo-Fr 06:00-22:00"),
        ("1: mon-fri 6:00 – 22:00", "1 Mo-Fr 06:00-22:00"),
        ("3  So  00:00-24:00", "3 So 00:00-24:00"),
        ("2 2026-12-24 00:00-24:00", "2 2026-12-24 00:00-24:00"),
        ("62 Sa-Sat 00:15-00:30", "62 Sa 00:15-00:30"),
    ],
)
def test_what_people_write_has_one_form(written: str, read: str) -> None:
    """Spaces, colons, dashes and English days are read; what is kept is always written alike."""
    assert canonical(written) == read
    assert canonical(read) == read


@pytest.mark.parametrize(
    "written",
    [
        "",
        "Mo-Fr 06:00-22:00",
        "0 Mo 06:00-22:00",
        "63 Mo 06:00-22:00",
        "1 Mo 22:00-06:00",
        "1 Mo 06:00-06:00",
        "1 Mo 06:60-07:00",
        "1 Mo 23:00-24:01",
        "1 Fr-Mo 06:00-22:00",
        "1 Xx 06:00-22:00",
        "1 2026-02-30 00:00-24:00",
        "1 Mo 06:00-22:00 2 Di 00:00-24:00",
    ],
)
def test_anything_else_is_refused_with_an_example(written: str) -> None:
    """The refusal shows how it is written."""
    with pytest.raises(Refusal) as refused:
        parse(written)
    assert refused.value.code == "profile.switch_time"
    assert "Mo-Fr 06:00-22:00" in refused.value.text("de")


def test_two_stages_at_one_time_are_refused() -> None:
    """Overlapping lines name no stage; touching ones do."""
    with pytest.raises(Refusal) as refused:
        week([parse("1 Mo-Fr 06:00-12:00"), parse("2 Mi 11:45-13:00")], 3)
    assert refused.value.code == "profile.switch_time_overlap"
    with pytest.raises(Refusal):
        special_days([parse("1 2026-12-24 06:00-12:00"), parse("2 2026-12-24 11:45-13:00")], 3)
    assert week([parse("1 Mo 06:00-12:00"), parse("1 Mo 12:00-13:00")], 3)[0] == (
        (time(0), 3),
        (time(6), 1),
        (time(13), 3),
    )


def test_a_single_day_stands_for_itself() -> None:
    """A date has only its own lines; all else of that day is the stage for other times."""
    times = [parse("1 Mo-So 00:00-24:00"), parse("3 2026-12-24 18:00-24:00")]
    assert special_days(times, 2) == {date(2026, 12, 24): ((time(0), 2), (time(18), 3))}
    assert stages(times, 2) == [1, 2, 3]


def test_changes_lie_on_the_grid_of_registrations() -> None:
    """The first line that does not is named."""
    good, bad = parse("1 Mo 06:00-22:00"), parse("1 Di 06:10-22:00")
    assert off_grid([good, bad], 15) == bad
    assert off_grid([good, bad], 5) is None
    assert off_grid([good], 60) is None


_MINUTES = st.integers(0, 1440)
_TIMES = st.lists(
    st.builds(
        lambda stage, day, one, other: SwitchTime(stage, (day,), None, min(one, other), max(one, other)),
        st.integers(1, 62),
        st.integers(0, 6),
        _MINUTES,
        _MINUTES,
    ).filter(lambda made: made.begin < made.end),
    max_size=8,
)


@given(_TIMES, st.integers(1, 62))
def test_every_minute_has_the_stage_its_line_says(times: list[SwitchTime], default: int) -> None:
    """Minute by minute the week says what the lines say; where two lines claim one, it is refused."""
    claims = {(day, minute): [] for day in range(7) for minute in range(1440)}  # type: ignore[var-annotated]
    for each in times:
        for minute in range(each.begin, each.end):
            claims[each.days[0], minute].append(each.stage)
    if any(len(claim) > 1 for claim in claims.values()):
        with pytest.raises(Refusal):
            week(times, default)
        return
    days = week(times, default)
    assert len(days) == len(DAYS)
    for (day, minute), claim in claims.items():
        at = (datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=minute)).time()
        in_force = [stage for start, stage in days[day] if start <= at][-1]
        assert in_force == (claim[0] if claim else default)
    assert switch_time.week(map(parse, map(str, times)), default) == days
