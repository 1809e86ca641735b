"""The evidence file of an order, to be taken along (O-8)."""

from django.http import Http404, HttpRequest, HttpResponse

from torwart.faces._design.access import provider_only
from torwart.faces._design.saving import saved
from torwart.faces.console.page import ticket_or_404
from torwart.services import evidence


@provider_only
def proof(request: HttpRequest, number: str, kind: str) -> HttpResponse:
    """The evidence file of an order (O-8) as PDF or JSON."""
    ticket = ticket_or_404(number)
    if ticket.order_id is None:
        raise Http404
    bundle = evidence.bundle(ticket.order.number, None)
    content = evidence.as_pdf(bundle) if kind == "pdf" else evidence.as_json(bundle)
    return saved(content, f"{ticket.order.number}.{kind}")
