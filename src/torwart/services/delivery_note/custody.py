"""The secure supply chain (SiLKe): who holds a delivered device, and each hand-over with time and person."""

from datetime import datetime

from django.db import transaction

from torwart.kernel.identifiers import DeviceId
from torwart.kernel.refusals.els import CUSTODY_PERSON, CUSTODY_TIME, CUSTODY_UNKNOWN
from torwart.services import audit
from torwart.store.models import Custody, HandOver


def hand_over(device: str, *, client: int, holder: str, person: str, at: datetime, actor: str, now: datetime) -> None:
    """Note that ``person`` has taken the device over for ``holder`` (a company or place) at ``at``.

    Another client's device is as unknown as one that does not exist. Hand-overs are told in their order and after
    they have happened (``els.custody_time``).
    """
    device_id = DeviceId.parse(device)
    holder, person = holder.strip(), person.strip()
    if not holder or not person:
        raise CUSTODY_PERSON(device=device_id)
    with transaction.atomic():
        row = Custody.objects.select_for_update().filter(device_id=device_id, client=client).first()
        if row is None:
            raise CUSTODY_UNKNOWN(device=device_id)
        if not row.since <= at <= now:
            raise CUSTODY_TIME(device=device_id, at=_day(at), since=_day(row.since), now=_day(now))
        HandOver.objects.create(custody=row, giver=row.holder, holder=holder, person=person, at=at, actor=actor)
        audit.append(
            actor=actor,
            action="device.handed_over",
            subject=f"device:{device_id}",
            payload={"from": row.holder, "to": holder, "person": person, "at": at.isoformat()},
            client=client,
            at=now,
        )
        row.holder, row.person, row.since = holder, person, at
        row.save()


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}".strip()
