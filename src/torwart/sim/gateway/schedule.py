"""When a schedule of a profile acts."""

from datetime import datetime, time, timedelta

from torwart.sim.gateway.tariff import BERLIN
from torwart.wire.profiles import Schedule

_DAY = 86_400


def last_slot(schedule: Schedule, now: datetime, share: float) -> datetime:
    """The latest instant not after ``now`` at which the schedule acts; ``share``: the device's part of the spread."""
    delay = timedelta(seconds=schedule.offset + schedule.spread * share)
    local = now.astimezone(BERLIN)
    midnight = datetime.combine(local.date(), time(), BERLIN)
    if schedule.period > _DAY:
        # Longer periods count whole days since 1970, so that they do not begin anew each midnight.
        midnight -= timedelta(days=local.date().toordinal() % (schedule.period // _DAY))
    start = midnight.astimezone(now.tzinfo) + delay
    period = timedelta(seconds=schedule.period)
    return start + ((now - start) // period) * period
