"""Starting a process from a gateway's page, without order and ticket, or asking that it may run all the same."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from torwart.faces._design.access import actor_of
from torwart.faces._design.forms import Form, LinesField, MomentField
from torwart.faces._design.language import active, said, t
from torwart.faces.console.asking import for_roles, given
from torwart.faces.console.engine import ENGINE
from torwart.faces.console.page import gateway_or_404, person_of, say, show
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.processes import ordering, overriding
from torwart.processes.definition import Field, FieldKind, Process, catalogue

_MOST_FIELDS = 2
_RUNS = Words("„{name}“ läuft.", "“{name}” is running.")
_ASKED = Words("Beantragt; eine zweite Person entscheidet.", "Asked for; a second person decides.")
OVERRIDE = "ausnahme"


def startable() -> list[Process]:
    """The processes an operator starts from a gateway's page: those only operators start, and those that ask little
    more than which gateway.
    """
    return [
        each
        for each in catalogue().values()
        if each.subject_field and each.unattended and (not each.over_form or len(each.fields) <= _MOST_FIELDS)
    ]


class StartForm(Form):
    """The fields of a process but for the gateway; ``ausnahme``: why it shall run whatever stands against it."""

    def __init__(self, process: Process, data: Any = None) -> None:
        asked = [each for each in process.fields if each.name != process.subject_field]
        self.base_fields = {each.name: _field(each) for each in asked}  # type: ignore[misc]  # Django copies them
        self.names = list(self.base_fields)
        super().__init__(data)

    def offer_override(self) -> None:
        """Ask why it shall run all the same."""
        self.fields[OVERRIDE] = forms.CharField(
            label=t("Warum soll es trotzdem geschehen?", "Why shall it be done all the same?"),
            widget=forms.Textarea({"rows": 3}),
            required=False,
            help_text=t("Die freigebende Person liest diesen Grund.", "The approver reads this reason."),
        )

    def values(self) -> dict[str, Any]:
        """As typed, for the definition to check."""
        found = {name: self.cleaned_data.get(name) for name in self.names}
        return {name: each.isoformat() if isinstance(each, datetime) else each for name, each in found.items()}


def _field(each: Field) -> forms.Field:
    shared: dict[str, Any] = {"label": said(each.label), "help_text": said(each.help), "required": not each.optional}
    if each.many:
        return LinesField(**shared)
    if each.choices:
        choices = [("", t("Bitte wählen", "Please choose"))] + [(c.value, said(c.words)) for c in each.choices]
        return forms.ChoiceField(choices=choices, **shared)
    if each.kind is FieldKind.INSTANT:
        return MomentField(**shared)
    if each.kind is FieldKind.PARAGRAPH:
        return forms.CharField(widget=forms.Textarea({"rows": 3}), **shared)
    return forms.CharField(**shared)


@for_roles(Role.OPERATOR)
def start(request: HttpRequest, device: str, name: str) -> HttpResponse:
    """The form of a process; POST starts it, or asks for an override once something stands against it."""
    gateway = gateway_or_404(device)
    process = next((each for each in startable() if each.name == name), None)
    if process is None:
        raise Http404
    form = StartForm(process, given(request))
    blocked = False
    if request.method == "POST":
        if OVERRIDE in request.POST:
            form.offer_override()
        if form.is_valid():
            values = form.values() | {process.subject_field: gateway.device_id}
            try:
                return HttpResponseRedirect(_do(request, process, values, form.cleaned_data.get(OVERRIDE, "")))
            except Refusal as refusal:
                blocked = _stands_against(process, values)
                if blocked and OVERRIDE not in form.fields:
                    form.offer_override()
                form.add_error(None, refusal.text(active()))
    errors = form.summary() if form.is_bound else []
    back = reverse("console:gateway", args=[gateway.device_id])
    context = {"gateway": gateway, "process": process, "form": form, "errors": errors, "back": back, "blocked": blocked}
    return show(request, "start", **context, status=422 if errors else 200)


def _do(request: HttpRequest, process: Process, values: dict[str, Any], reason: str) -> str:
    """Where to go on: to the run, or to the approval that was asked for."""
    now = timezone.now()
    if reason:
        asked = overriding.ask(process.name, values, reason, user=person_of(request), now=now)
        say(request, said(_ASKED))
        return reverse("console:approval", args=[asked])
    run = ordering.order(ENGINE, process.name, values, client=None, actor=actor_of(request), now=now)
    say(request, said(_RUNS, name=said(process.words)))
    return reverse("console:run", args=[run])


def _stands_against(process: Process, values: dict[str, Any]) -> bool:
    examined = ordering.examine(process.name, values, client=None, now=timezone.now())
    if examined.errors:
        return False
    return bool(ordering.preconditions(process, process.subject(examined.fields), examined.fields, timezone.now()))
