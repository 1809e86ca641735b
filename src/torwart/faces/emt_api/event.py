"""The event feed: what webhooks tell, for 90 days, so that a lost webhook loses nothing (spec/07 point 5)."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from torwart.faces.emt_api import cursor, schema
from torwart.faces.emt_api.waiting import BENCH
from torwart.services import interface_event
from torwart.store.queries import operation as queries

router = Router(tags=["events"])


class After(Schema):
    """Where to go on."""

    after: str = Field("", max_length=200, description="“next” of the last answer; empty: from the beginning.")
    limit: int = Field(100, ge=1, le=500)
    wait: str = Field("0s", pattern=r"^([0-9]|[12][0-9]|30)s$", description="Wait for the next event: 0s to 30s.")


@router.get("", response=schema.Events, operation_id="list_events", summary="Events since")
def events(request: HttpRequest, asked: Query[After]) -> schema.Events:
    """The client's events after a mark, oldest first; with ``wait`` as soon as there is one."""
    client = request.peer.client  # type: ignore[attr-defined]
    after = (cursor.read(asked.after) or (0,))[0]
    found = _read(client, after, asked.limit)
    if not found:
        BENCH.wait(client, int(asked.wait[:-1]), lambda: bool(_read(client, after, 1)))
        found = _read(client, after, asked.limit)
    last = cursor.write((found[-1].place, 0)) if found else (asked.after or None)
    return schema.Events(items=[schema.Event(**cloud_event(event)) for event in found], next=last)


def _read(client: int, after: int, limit: int) -> list[queries.EventLine]:
    interface_event.arrange(client)
    return queries.events(client, after, limit)


def cloud_event(event: queries.EventLine) -> dict[str, Any]:
    """CloudEvents 1.0, JSON format; webhooks carry the same."""
    return {
        "specversion": "1.0",
        "id": str(event.event_id),
        "source": f"{settings.TORWART_PORTAL_URL}/v1",
        "type": event.type,
        "subject": event.subject,
        "time": event.at,
        "datacontenttype": "application/json",
        "data": event.data,
    }
