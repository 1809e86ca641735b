"""The living manual: what this interface can do today, in which versions and limits, and what it refuses and why."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router

from torwart.faces.emt_api import schema
from torwart.faces.emt_api.bdew import order as bdew
from torwart.processes.api_call import slug
from torwart.processes.definition import Field, Process, catalogue
from torwart.services import interface
from torwart.services import order as orders
from torwart.services.interface_event import KEPT

router = Router(tags=["capabilities"])


@router.get("", response=schema.Capabilities, operation_id="capabilities", summary="What can be done here")
def capabilities(request: HttpRequest) -> dict[str, Any]:
    """Processes with fields and steps, versions, limits; what does not go over it, why, and where it does."""
    return {
        "environment": settings.TORWART_ENVIRONMENT,
        "sandbox": "/v1/sandbox" if settings.TORWART_SANDBOX else None,
        "versions": list(interface.VERSIONS),
        "version": request.version,  # type: ignore[attr-defined]
        "processes": [_process(process) for process in catalogue().values() if process.over_interface],
        "refused": [_refused(process) for process in catalogue().values() if not process.over_interface],
        "dialects": [
            {"name": "bdew", "operations": [f"/bdew/v1/{slug(process.name)}" for process in bdew.offered()]},
        ],
        "limits": {
            "calls": settings.TORWART_API_RATE[0],
            "seconds": settings.TORWART_API_RATE[1],
            "wait_seconds": 30,
            "body_bytes": 1024 * 1024,
            "idempotency_key_days": interface.KEYS_KEPT.days,
            "event_days": KEPT.days,
        },
    }


def _process(process: Process) -> dict[str, Any]:
    return {
        "code": process.code,
        "name": slug(process.name),
        "words": _words(process.words),
        "about": _words(process.about),
        "unattended": process.unattended,
        "operation": f"/v1/operations/{slug(process.name)}",
        "fields": [_field(field) for field in process.fields],
        "steps": [{"name": step.name, "words": _words(step.words)} for step in process.steps],
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": _words(field.label),
        "help": _words(field.help),
        "example": field.example,
        "optional": field.optional,
        "many": field.many,
        "kind": field.kind.value,
        "choices": [{"value": choice.value, "words": _words(choice.words)} for choice in field.choices],
    }


def _refused(process: Process) -> dict[str, Any]:
    why = process.not_over_interface
    return {
        "code": process.code,
        "name": slug(process.name),
        "words": _words(process.words),
        "why": _words(why) if why else {"de": "nur im Betrieb", "en": "by the provider only"},
        "form": orders.form_url(process.name) if process.over_form else None,
    }


def _words(words: Any) -> dict[str, str]:
    return {"de": words.de, "en": words.en}
