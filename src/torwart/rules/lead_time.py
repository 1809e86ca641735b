"""Planned or unplanned, and what is promised (T-3, T-4, T-5, T-6; KL 4.2.1)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from torwart.kernel.refusals import service_time as refused
from torwart.kernel.words import Words
from torwart.rules.service_time import CALENDAR, Calendar, deadline, service_time

PLANNED_LEAD = timedelta(hours=12)
UNPLANNED_LIMIT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What an order may count on.

    ``lead``: service time between submission and requested time (``None`` without one). ``due``: the requested time
    of a planned order, the end of the 24 hours of an unplanned one. ``why``: the sentence shown before sending.
    """

    planned: bool
    lead: timedelta | None
    due: datetime
    why: Words


def commit(submitted: datetime, requested: datetime | None, calendar: Calendar = CALENDAR) -> Commitment:
    """Decide whether an order is planned, and when it is due."""
    lead = None if requested is None else service_time(submitted, requested, calendar)
    # KL 4.2.1.1: „Geplante Arbeitsaufträge … müssen den GWA Operatoren mit dem Vorlauf von mindestens 12 Stunden
    # unter Angabe des gewünschten Ausführungszeitpunktes … übermittelt werden. Der Vorlauf bemisst sich
    # ausschließlich an den Servicezeiten“
    if requested is not None and lead is not None and lead >= PLANNED_LEAD:
        return Commitment(True, lead, requested, _planned(lead))
    # KL 4.2.1.1: „Arbeitsaufträge die nach der oben genannten Frist … ausgelöst werden, werden wie ungeplante
    # Aufgaben (s.u.) behandelt.“ KL 4.2.1.2: „ungeplante Arbeitsaufträge werden … mit einer Frist von maximal
    # 24 Stunden nach der Auslösung des Arbeitsauftrags bearbeitet. Die Frist bemisst sich ausschließlich an den
    # Servicezeiten“
    return Commitment(False, lead, deadline(submitted, UNPLANNED_LIMIT, calendar), _unplanned(lead))


def earliest_planned(submitted: datetime, calendar: Calendar = CALENDAR) -> datetime:
    """The earliest requested time that makes an order planned and lies in service hours."""
    return calendar.next_open(deadline(submitted, PLANNED_LEAD, calendar))


def check_requested(
    submitted: datetime, requested: datetime, *, unattended: bool, calendar: Calendar = CALENDAR
) -> None:
    """Refuse a requested time that has passed, or that lies outside service hours while people must do the work.

    T-5 (ours): „A requested time outside service hours is refused unless the process runs unattended“.
    """
    if requested.astimezone(UTC) <= submitted.astimezone(UTC):
        raise refused.IN_THE_PAST(requested=spoken(requested, calendar), submitted=spoken(submitted, calendar))
    if not unattended and not calendar.is_open(requested):
        following = calendar.next_open(requested)
        raise refused.OUTSIDE_HOURS(requested=spoken(requested, calendar), next=spoken(following, calendar))


def spoken(at: datetime, calendar: Calendar = CALENDAR) -> str:
    """An instant in the calendar's wall-clock time as people write it here: ``24.11.2026 11:00``."""
    return f"{at.astimezone(calendar.zone):%d.%m.%Y %H:%M}"


def hours_and_minutes(length: timedelta) -> str:
    """A length of service time for the eye: ``3 h 20 min``; below a minute ``0 min``."""
    sign, minutes = ("-" if length < timedelta(0) else ""), abs(length) // timedelta(minutes=1)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes or not hours)
    return sign + " ".join(parts)


def _planned(lead: timedelta) -> Words:
    given, needed = hours_and_minutes(lead), hours_and_minutes(PLANNED_LEAD)
    return Words(
        f"Geplant: {given} Servicezeit Vorlauf, mindestens {needed} sind nötig. Ihr Wunschtermin gilt.",
        f"Planned: {given} of service time ahead, at least {needed} are needed. Your requested time holds.",
    )


def _unplanned(lead: timedelta | None) -> Words:
    limit, needed = hours_and_minutes(UNPLANNED_LIMIT), hours_and_minutes(PLANNED_LEAD)
    if lead is None:
        return Words(
            f"Ungeplant: ohne Wunschtermin, bearbeitet innerhalb von {limit} Servicezeit.",
            f"Unplanned: no requested time, handled within {limit} of service time.",
        )
    given = hours_and_minutes(max(lead, timedelta(0)))
    return Words(
        f"Ungeplant: nur {given} Servicezeit Vorlauf statt {needed}, bearbeitet innerhalb von {limit} Servicezeit.",
        f"Unplanned: only {given} of service time ahead instead of {needed}, handled within {limit} of service time.",
    )
