"""Couplings of a client's own systems: couple by certificate name, judge whether the software fits (R-4), uncouple."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import actor_of, provider_only
from torwart.faces._design.forms import Form
from torwart.faces._design.language import t
from torwart.faces.console.asking import asking, asks, given
from torwart.faces.console.client import address, found
from torwart.faces.console.page import show
from torwart.kernel.words import Words
from torwart.services import interface
from torwart.services.interface import COMPATIBILITY, Compatibility
from torwart.store.queries import interface as queries
from torwart.store.queries.interface import CouplingLine

_TONES = {Compatibility.UNKNOWN: "neutral", Compatibility.COMPATIBLE: "success", Compatibility.INCOMPATIBLE: "danger"}


class CouplingForm(Form):
    common_name = forms.CharField(
        label=t("CN des EMT-TLS-Zertifikats", "CN of the EMT TLS certificate"),
        max_length=64,
        help_text=t("Zum Beispiel Stadtwerk Musterstadt.EMT", "E.g. Stadtwerk Musterstadt.EMT"),
    )
    software = forms.CharField(label=t("EMT-Software", "EMT software"), max_length=100, required=False)
    software_version = forms.CharField(
        label=t("Version der Software", "Software version"), max_length=50, required=False
    )


class VerdictForm(Form):
    verdict = forms.ChoiceField(
        label=t("Passt die Software zur Schnittstelle?", "Does the software fit the interface?"),
        choices=[(each.value, t(words.de, words.en)) for each, words in COMPATIBILITY.items()],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=t("Grund", "Reason"),
        required=False,
        max_length=400,
        help_text=t("Liest der Auftraggeber im Portal und in der Ablehnung.", "The client reads it."),
    )


@provider_only
def overview(request: HttpRequest, pk: int) -> HttpResponse:
    """The client's systems with versions and verdicts."""
    lines = [
        (line, COMPATIBILITY[Compatibility(line.compatibility)], _TONES[Compatibility(line.compatibility)])
        for line in queries.couplings(pk)
    ]
    return show(request, "couplings", client=found(pk), pk=pk, lines=lines, back=address(pk))


@asks
def new(request: HttpRequest, pk: int) -> HttpResponse:
    found(pk)
    return asking(
        request,
        CouplingForm(given(request)),
        lambda now, d: interface.couple(pk, **d, actor=actor_of(request)),
        title=Words("System koppeln", "Couple a system"),
        back=_address(pk),
        done=Words("Gekoppelt.", "Coupled."),
        lead=Words(
            "Wer sich mit diesem Zertifikat ausweist, handelt für den Auftraggeber.",
            "Whoever shows this certificate acts for the client.",
        ),
    )


@asks
def judge(request: HttpRequest, pk: int, coupling: int) -> HttpResponse:
    line = _line(pk, coupling)
    form = VerdictForm(given(request), initial={"verdict": line.compatibility, "reason": line.reason})
    return asking(
        request,
        form,
        lambda now, d: interface.judge(
            coupling, Compatibility(d["verdict"]), reason=d["reason"], actor=actor_of(request), now=now
        ),
        title=Words("Kompatibilität festhalten", "Record compatibility"),
        back=_address(pk),
        done=Words("Festgehalten.", "Recorded."),
        lead=Words(
            f"{line.name}, {line.software} {line.software_version}. Nicht kompatibel setzt die Kopplung aus, "
            "kompatibel nimmt sie wieder auf.",
            f"{line.name}, {line.software} {line.software_version}. Incompatible suspends the coupling, "
            "compatible resumes it.",
        ),
    )


@asks
def off(request: HttpRequest, pk: int, coupling: int) -> HttpResponse:
    line = _line(pk, coupling)
    return asking(
        request,
        Form(given(request)),
        lambda now, d: interface.uncouple(coupling, actor=actor_of(request), now=now),
        title=Words("System entkoppeln", "Uncouple the system"),
        back=_address(pk),
        done=Words("Entkoppelt.", "Uncoupled."),
        lead=Words(f"{line.name} wird ab sofort abgewiesen.", f"{line.name} is turned away from now on."),
        danger=True,
    )


def _line(pk: int, coupling: int) -> CouplingLine:
    line = queries.coupling(pk, coupling)
    if line is None:
        raise Http404
    return line


def _address(pk: int) -> str:
    return reverse("console:couplings", args=[pk])
