"""Which keys do what."""

from django.http import HttpRequest, HttpResponse

from torwart.faces._design.access import provider_only
from torwart.faces.console.page import show
from torwart.faces.console.verb import VERBS
from torwart.kernel.words import Words

_MOVING = (
    (("j", "k"), Words("nächste, vorige Zeile", "next, previous row")),
    (("Enter",), Words("öffnen", "open")),
    (("x",), Words("auswählen", "select")),
    (("a",), Words("übernehmen: die Auswahl, die Zeile oder den Vorgang", "take: the selection, the row or the case")),
    (("u",), Words("vom Vorgang zurück zum Korb", "from the case back to the inbox")),
    (("/",), Words("filtern oder suchen", "filter or search")),
    (("?",), Words("diese Liste", "this list")),
)
_GOING = (
    (("g", "i"), Words("Vorgänge", "tickets")),
    (("g", "m"), Words("mir zugewiesen", "assigned to me")),
    (("g", "f"), Words("Freigaben", "approvals")),
    (("g", "g"), Words("Gateways", "gateways")),
    (("g", "c"), Words("Auftraggeber", "clients")),
    (("g", "p"), Words("Post", "mail")),
)


@provider_only
def page(request: HttpRequest) -> HttpResponse:
    """The list; where JavaScript runs, ``?`` shows it on any page."""
    here = tuple(((verb.key,), verb.words) for verb in VERBS.values() if verb.key)
    groups = (
        (Words("In Listen und überall", "In lists and everywhere"), _MOVING),
        (Words("Gehe zu", "Go to"), _GOING),
        (Words("Am Vorgang", "On a case"), here),
    )
    return show(request, "keys", groups=groups)
