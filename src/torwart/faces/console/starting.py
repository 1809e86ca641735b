"""Starting a process from a gateway's page, without order and ticket, as operators do by themselves."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import actor_of
from torwart.faces._design.forms import Form, LinesField, MomentField
from torwart.faces._design.language import said, t
from torwart.faces.console.asking import asking, for_roles, given
from torwart.faces.console.engine import ENGINE
from torwart.faces.console.page import gateway_or_404
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.processes import ordering
from torwart.processes.definition import Field, FieldKind, Process, catalogue

_MOST_FIELDS = 2


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
    """The fields of a process but for the gateway."""

    def __init__(self, process: Process, data: Any = None) -> None:
        asked = [each for each in process.fields if each.name != process.subject_field]
        self.base_fields = {each.name: _field(each) for each in asked}  # type: ignore[misc]  # Django copies them
        super().__init__(data)


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
    """The form of a process; POST starts it and leads to the run."""
    gateway = gateway_or_404(device)
    process = next((each for each in startable() if each.name == name), None)
    if process is None:
        raise Http404

    def do(now: datetime, data: dict[str, Any]) -> str:
        typed = {name: each.isoformat() if isinstance(each, datetime) else each for name, each in data.items()}
        values = typed | {process.subject_field: gateway.device_id}
        return ordering.order(ENGINE, process.name, values, client=None, actor=actor_of(request), now=now)

    page = reverse("console:gateway", args=[gateway.device_id])
    return asking(
        request,
        StartForm(process, given(request)),
        do,
        title=process.words,
        back=lambda run: reverse("console:run", args=[run]) if run else page,
        done=Words("Der Prozess läuft.", "The process is running."),
        lead=process.about,
        over=f"{gateway.device_id} · {gateway.client.name}",
        note=process.duration,
    )
