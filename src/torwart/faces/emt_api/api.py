"""The interface as one object: its routers, its description (OpenAPI 3.1), and how what is wrong is told."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.renderers import BaseRenderer
from pydantic_core import to_json

from torwart.faces.emt_api import capability, event, operation, problem, webhook
from torwart.faces.emt_api.description import complete
from torwart.faces.emt_api.reading import StrictJson
from torwart.services.interface import VERSIONS

_ABOUT = """The processes of gateway administration for a client's own system (KL 4.1): order, follow, get results.

Mutual TLS with the client's EMT certificate of the SM-PKI says who calls. Orders are answered with 202 and an
Operation; look at it, wait for it, or be told by webhooks and the event feed. Delivery notes never come this way
(KL 4.1): see `/v1/capabilities` for what does and what does not.
"""


class _Json(BaseRenderer):
    """Times with all their digits, the same in answers, kept answers and webhooks."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return to_json(data)


class _Api(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> Any:
        """The same in every process, wherever it is mounted."""
        document = super().get_openapi_schema(**{"path_prefix": "/v1/", **options})
        return complete(document, VERSIONS)


def answering(title: str, about: str, namespace: str) -> NinjaAPI:
    """An interface that says what is wrong the way of this one, still without operations."""
    made = _Api(
        title=title,
        version=VERSIONS[-1],
        description=about,
        openapi_url=None,
        docs_url=None,
        urls_namespace=namespace,
        renderer=_Json(),
        parser=StrictJson(),
    )
    made.exception_handler(ValidationError)(_unfit)
    made.exception_handler(HttpError)(_unusable)
    return made


def _unfit(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problem.respond(request, problem.unfit(error.errors))


def _unusable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem.plain(request, error.status_code, str(error.__cause__ or error)[:200])


api = answering("Torwart EMT–GWA interface", _ABOUT, "emt_api")
operation.add_processes()
api.add_router("/operations", operation.placing)
api.add_router("/operations", operation.router)
api.add_router("/events", event.router)
api.add_router("/webhooks", webhook.router)
api.add_router("/capabilities", capability.router)
