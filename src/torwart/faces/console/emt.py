"""EMTs of a client (P13): who they are, where gateways send to, until when their certificates hold."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import actor_of, provider_only
from torwart.faces._design.language import t
from torwart.faces.console.asking import asks
from torwart.faces.console.certificate_form import Files, in_two_steps
from torwart.faces.console.client import address, found
from torwart.faces.console.page import plain, show
from torwart.kernel.words import Words
from torwart.services import emt as emts
from torwart.store.queries import emt as queries


class EmtForm(Files):
    name = forms.CharField(
        label=t("Name des EMT", "Name of the EMT"),
        max_length=100,
        help_text=t(
            "So heißt er in Bestellungen. Ein Name, den es schon gibt, bekommt neue Adresse und Zertifikate.",
            "What orders call it. A name that exists already gets the new address and certificates.",
        ),
    )
    endpoint = forms.CharField(
        label=t("Adresse für Messwerte", "Address for readings"),
        max_length=500,
        help_text=t(
            "Rechner und Port, zum Beispiel emt.stadtwerk.de:8443", "Host and port, e.g. emt.stadtwerk.de:8443"
        ),
    )
    field_order = ("name", "endpoint", "file", "second", "third")


@provider_only
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    """The client's EMTs with their certificates."""
    return show(request, "emts", client=found(pk), pk=pk, lines=queries.of_client(pk), back=address(pk))


@asks
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Record an EMT, or give one a new address and new certificates."""
    found(pk)
    name = plain(request.GET.get("name", ""))
    known = next((line for line in queries.of_client(pk) if line.name == name), None)
    return in_two_steps(
        request,
        EmtForm,
        emts.TRIPLE,
        lambda now, examined, d: emts.register(
            pk,
            d["name"].strip(),
            d["endpoint"].strip(),
            [s.certificate for s in examined.shown],
            actor=actor_of(request),
        ),
        title=Words("EMT eintragen", "Record an EMT"),
        back=reverse("console:emts", args=[pk]),
        done=Words("Der EMT ist eingetragen.", "The EMT is recorded."),
        lead=Words(
            "Gateways senden ihm Messwerte, sobald ein Auftrag ihn als Empfänger nennt. Nötig sind die drei "
            "Zertifikate TLS, SIG und ENC.",
            "Gateways send it readings as soon as an order names it as recipient. The three certificates TLS, SIG and "
            "ENC are needed.",
        ),
        initial={"name": known.name, "endpoint": known.endpoint} if known else None,
    )
