"""Who of one's own people was here, when, from where, for what (P-4)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from torwart.faces._design import keyset
from torwart.faces._design.access import client_of, may_order
from torwart.faces._design.language import t
from torwart.services.sealed import seal
from torwart.store.queries import access as queries
from torwart.store.queries import portal

KINDS = {
    "sign_in": t("angemeldet", "signed in"),
    "sign_in_failed": t("Anmeldung gescheitert", "sign-in failed"),
    "sign_out": t("abgemeldet", "signed out"),
    "page": t("Seite angesehen", "page seen"),
    "download": t("heruntergeladen", "downloaded"),
    "refused": t("abgewiesen", "refused"),
}


@require_GET
@may_order
def index(request: HttpRequest) -> HttpResponse:
    """The access log of the client's users, newest first."""
    query, client = request.GET, client_of(request)
    people = portal.users(client)
    asked = query.get("person", "")
    person = next((each.pk for each in people if seal("user", each.pk) == asked), None)
    what = query.get("was", "") if query.get("was") in KINDS else ""
    found = keyset.page(queries.of_client(client, user=person, what=what), order=("-id",), at=query.get("seite"))
    context = {
        "page": found,
        "lines": [(line, KINDS.get(line.what, line.what)) for line in found.rows],
        "people": people,
        "person": person,
        "what": what,
        "kinds": list(KINDS.items()),
        "orderer": True,
    }
    return render(request, "portal/access.html", context)
