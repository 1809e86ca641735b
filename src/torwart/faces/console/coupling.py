"""Couplings of a client's own systems: couple by certificate, judge whether the software fits (R-4), uncouple."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import actor_of, provider_only
from torwart.faces._design.forms import Form
from torwart.faces._design.language import t
from torwart.faces.console.asking import asking, asks, given
from torwart.faces.console.certificate_form import Files, in_two_steps
from torwart.faces.console.client import address, found
from torwart.faces.console.page import show
from torwart.kernel.words import Words
from torwart.services import interface
from torwart.services.interface import COMPATIBILITY, Compatibility
from torwart.store.queries import interface as queries
from torwart.store.queries.interface import CouplingLine
from torwart.wire.certificate import Use

_TONES = {Compatibility.UNKNOWN: "neutral", Compatibility.COMPATIBLE: "success", Compatibility.INCOMPATIBLE: "danger"}


class CouplingForm(Files):
    software = forms.CharField(label=t("EMT-Software", "EMT software"), max_length=100, required=False)
    software_version = forms.CharField(
        label=t("Version der Software", "Software version"), max_length=50, required=False
    )
    field_order = ("file", "software", "software_version")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        del self.fields["second"], self.fields["third"]
        self.fields["file"].label = t("EMT-TLS-Zertifikat (PEM oder DER)", "EMT TLS certificate (PEM or DER)")


class VerdictForm(Form):
    software = forms.CharField(label=t("EMT-Software", "EMT software"), max_length=100)
    software_version = forms.CharField(label=t("Version der Software", "Software version"), max_length=50)
    verdict = forms.ChoiceField(
        label=t("Passt diese Version zur Schnittstelle?", "Does this version fit the interface?"),
        choices=[
            (each.value, t(COMPATIBILITY[each].de, COMPATIBILITY[each].en))
            for each in (Compatibility.COMPATIBLE, Compatibility.INCOMPATIBLE)
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=t("Grund", "Reason"),
        required=False,
        max_length=400,
        help_text=t(
            "Liest der Auftraggeber in Mail, Portal und Ablehnung; nötig, wenn die Kopplung ausgesetzt wird.",
            "The client reads it in mail, portal and refusal; needed to suspend the coupling.",
        ),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("verdict") == Compatibility.INCOMPATIBLE and not data.get("reason", "").strip():
            self.add_error(
                "reason",
                t(
                    "Sagen Sie dem Auftraggeber, warum und was er ändern muss.",
                    "Tell the client why and what to change.",
                ),
            )
        return data


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
    """Couple a system by the certificate it will show."""
    found(pk)
    return in_two_steps(
        request,
        CouplingForm,
        (Use.TLS,),
        lambda now, examined, d: interface.couple(
            pk, examined.name, **d, actor=actor_of(request), certificate=examined.shown[0].fingerprint
        ),
        title=Words("System koppeln", "Couple a system"),
        back=_address(pk),
        done=Words("Gekoppelt.", "Coupled."),
        lead=Words(
            "Wer sich mit dem Namen (CN) dieses Zertifikats ausweist, handelt für den Auftraggeber; erneuerte "
            "Zertifikate desselben Namens gelten ohne Weiteres.",
            "Whoever shows the name (CN) of this certificate acts for the client; renewed certificates of the same "
            "name hold without further ado.",
        ),
    )


@asks
def judge(request: HttpRequest, pk: int, coupling: int) -> HttpResponse:
    line = _line(pk, coupling)
    known = {"software": line.software, "software_version": line.software_version, "reason": line.reason}
    form = VerdictForm(given(request), initial={"verdict": line.compatibility, **known})
    return asking(
        request,
        form,
        lambda now, d: interface.judge(
            coupling,
            Compatibility(d["verdict"]),
            reason=d["reason"],
            actor=actor_of(request),
            now=now,
            software=d["software"],
            software_version=d["software_version"],
        ),
        title=Words("Kompatibilität festhalten", "Record compatibility"),
        back=_address(pk),
        done=Words("Festgehalten.", "Recorded."),
        lead=Words(
            f"{line.name}. Nicht kompatibel setzt die Kopplung aus, kompatibel nimmt sie wieder auf; in beiden Fällen "
            "bekommen die Ansprechpartner eine Mail und das System ein Ereignis.",
            f"{line.name}. Incompatible suspends the coupling, compatible resumes it; either way the contacts get a "
            "mail and the system an event.",
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
