"""The BDEW dialect as one object: its addresses, its description (OpenAPI 3.1), and how what is wrong is told."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from torwart.faces.emt_api import problem
from torwart.faces.emt_api.bdew import order
from torwart.faces.emt_api.bdew.description import complete
from torwart.faces.emt_api.reading import StrictJson
from torwart.services.interface import VERSIONS

_ABOUT = """The processes of gateway administration in the manner of the API-Webdienste of EDI@Energy.

Mutual TLS with the partner's EMT certificate of the SM-PKI says who calls. Every call bears `transactionId` and
`creationDateTime`, a retry `initialTransactionId` too. What is taken is answered with 202 without a body; whether the
order is accepted, and later how it ended, come as calls of ours to the address the partner has set up by
`POST /v1/webhooks` with `"dialect": "bdew"`.
"""


class _Api(NinjaAPI):
    def get_openapi_schema(self, **options: Any) -> Any:
        """The same in every process, wherever it is mounted."""
        document = super().get_openapi_schema(**{"path_prefix": "/bdew/v1/", **options})
        return complete(document, order.offered())


api = _Api(
    title="Torwart EMT–GWA interface, BDEW dialect",
    version=VERSIONS[-1],
    description=_ABOUT,
    openapi_url=None,
    docs_url=None,
    urls_namespace="bdew",
    parser=StrictJson(),
)
order.add_processes()
api.add_router("", order.router)


@api.exception_handler(ValidationError)
def _unfit(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """400, the only status the source knows for a request at fault."""
    return problem.respond(request, problem.unfit(error.errors), status=400)


@api.exception_handler(HttpError)
def _unusable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem.plain(request, error.status_code, str(error.__cause__ or error)[:200])
