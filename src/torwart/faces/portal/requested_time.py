"""The page „Termin“: when the order shall be carried out, and what that promises, before it is sent (T-3 … T-6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms

from torwart.faces._design.forms import Form, MomentField
from torwart.faces._design.language import active, t
from torwart.faces.portal import pictures
from torwart.faces.portal.flow import REQUESTED, WHEN
from torwart.plots.picture import Picture
from torwart.processes import ordering
from torwart.processes.definition import Process

_WHENS = (
    ("asap", t("So bald wie möglich (ungeplant)", "As soon as possible (unplanned)")),
    ("at", t("Zu einem Wunschtermin", "At a requested time")),
)


class TimeForm(Form):
    """``when``: ``asap`` or ``at``; then ``requested_at``. ``alternative``: one of the times we offered instead."""

    use_required_attribute = False
    when = forms.ChoiceField(
        label=t("Wann sollen wir den Auftrag ausführen?", "When shall we carry out the order?"),
        choices=_WHENS,
        widget=forms.RadioSelect,
    )
    requested_at = MomentField(
        label=t("Wunschtermin", "Requested time"),
        help_text=t(
            "Ab 12 Stunden Servicezeit Vorlauf (Mo–Fr 8–17 Uhr) gilt er als geplant und ist zugesagt.",
            "From 12 hours of service time ahead (Mon–Fri 8–17 h) it is planned, and it holds.",
        ),
    )

    def __init__(self, data: Any = None, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(_with_alternative(data), initial=dict(initial or {}))

    def clean(self) -> dict[str, Any]:
        cleaned = dict(self.cleaned_data)
        if cleaned.get("when") != "at":
            self.errors.pop("requested_at", None)
        return cleaned

    def typed(self) -> dict[str, Any]:
        """What was typed, as a draft keeps it."""
        requested = self.cleaned_data.get("requested_at") if self.is_bound and hasattr(self, "cleaned_data") else None
        typed = " ".join(filter(None, (self.data.get("requested_at_0", ""), self.data.get("requested_at_1", ""))))
        return {WHEN: self.data.get("when", ""), REQUESTED: requested.isoformat() if requested else typed}


def _with_alternative(data: Any) -> Any:
    """A time we offered, taken with its button, fills the form like a typed one."""
    if data is None or not data.get("alternative"):
        return data
    try:
        moment = datetime.fromisoformat(data["alternative"])
    except ValueError:
        return data
    filled = data.copy()
    filled["when"], filled["requested_at_0"] = "at", f"{moment:%Y-%m-%d}"
    filled["requested_at_1"] = f"{moment:%H:%M}"
    return filled


def initial(values: Mapping[str, Any]) -> dict[str, Any]:
    """The form as a draft has kept it."""
    text = str(values.get(REQUESTED, ""))
    try:
        requested: Any = datetime.fromisoformat(text)
        requested = requested if requested.tzinfo else None
    except ValueError:
        day, _, time = text.partition(" ")
        requested = [day, time] if text else None
    return {"when": values.get(WHEN, ""), "requested_at": requested}


@dataclass(frozen=True)
class Shown:
    """A preview ready to draw; ``what``: ``""`` or why there is nothing to preview yet."""

    preview: ordering.Preview | None
    now: datetime
    what: str

    @property
    def refusal(self) -> str:
        return self.preview.refusal.text(active()) if self.preview and self.preview.refusal else ""

    @cached_property
    def picture(self) -> Picture | None:
        if self.preview is None:
            return None
        return pictures.strip(self.now, self.preview.commitment.due, self.preview.strip, width=340)


def shown(process: Process, form: TimeForm, now: datetime) -> Shown:
    """What the time in the form means: of an entered one, or of the one kept before."""
    if form.is_bound:
        form.is_valid()
        values = getattr(form, "cleaned_data", {})
        when, requested = values.get("when"), values.get("requested_at")
    else:
        when, requested = form.initial.get("when"), form.initial.get("requested_at")
    if when == "at" and not isinstance(requested, datetime):
        return Shown(None, now, str(t("Geben Sie Tag und Uhrzeit ein.", "Enter day and time.")))
    return Shown(ordering.preview(process.name, requested if when == "at" else None, now=now), now, "")


def acceptable(form: TimeForm, preview: Shown) -> bool:
    """Whether the time can be ordered; the reason stands at the field otherwise (T-5)."""
    if preview.refusal:
        form.add_error("requested_at", preview.refusal)
        return False
    return True
