"""„Als API-Aufruf anzeigen“: the call of the interface that places the same order as a form (spec/07 point 1)."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.conf import settings

from torwart.processes import api_call
from torwart.processes.definition import Process, catalogue
from torwart.processes.summary import Header


def of(process: Process, fields: Mapping[str, Any], header: Header) -> list[tuple[str, str]]:
    """The call as JSON, for curl and for Python; nothing for a process that does not go over the interface."""
    if not process.over_interface:
        return []
    call, url = api_call.of(process, fields, header), settings.TORWART_API_URL
    return [(f"POST {call.path}", call.json), ("curl", call.curl(url, str(uuid4()))), ("Python", call.python(url))]


def of_order(order: Any) -> list[tuple[str, str]]:
    """The same for an order that has been placed."""
    process = catalogue().get(order.process)
    header = Header(order.requested_at, order.participant, order.reference, order.remark)
    return of(process, order.fields, header) if process is not None else []
