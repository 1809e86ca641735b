"""The forms of a case's verbs; when each verb is possible and what it does stands in ``verb``."""

from datetime import datetime
from typing import Any

from django import forms

from torwart.faces._design.forms import Form, MomentField
from torwart.faces._design.language import t
from torwart.faces.console import clock
from torwart.processes.definition import catalogue
from torwart.services import capacity, present
from torwart.services import ticket as tickets
from torwart.store.queries import case as queries
from torwart.store.queries import client as clients

_SLOTS = 8


class VerbForm(Form):
    """A verb without questions; the others add fields. Made with the ticket it is about."""

    use_required_attribute = False

    def __init__(self, data: Any = None, *, ticket: Any, name: str) -> None:
        self.ticket = ticket
        super().__init__(data, auto_id=f"{name}_%s", initial=self.beginning(ticket))
        self.prepare()

    @staticmethod
    def beginning(ticket: Any) -> dict[str, Any]:
        return {}

    def prepare(self) -> None:
        """Choices that depend on the ticket."""


def _text(label: Any, rows: int = 5, help_text: Any = "") -> forms.CharField:
    widget = forms.Textarea({"rows": rows})
    return forms.CharField(label=label, widget=widget, max_length=tickets.LONGEST_TEXT, help_text=help_text)


class AnswerForm(VerbForm):
    text = _text(
        t("Antwort an den Auftraggeber", "Answer to the client"),
        help_text=t("Geht als Mail an den Auftraggeber.", "Goes to the client by mail."),
    )


class QuestionForm(VerbForm):
    text = _text(
        t("Rückfrage an den Auftraggeber", "Question to the client"),
        help_text=t(
            "Geht als Mail an den Auftraggeber. Die Frist ruht, bis er antwortet.",
            "Goes to the client by mail. The clock rests until the client answers.",
        ),
    )


class NoteForm(VerbForm):
    text = _text(
        t("Interne Notiz", "Internal note"),
        4,
        t("Nur unsere Leute sehen sie.", "Only our people see it."),
    )


class CallForm(VerbForm):
    caller = forms.CharField(label=t("Wer hat angerufen?", "Who called?"), max_length=200)
    text = _text(t("Was wurde gesagt?", "What was said?"), 3)
    at = MomentField(label=t("Wann?", "When?"))

    @staticmethod
    def beginning(ticket: Any) -> dict[str, Any]:
        orderer = ticket.order.orderer_name if ticket.order_id else ""
        return {"caller": ticket.contact.full_name if ticket.contact else orderer, "at": present.now()}


class ResolveForm(VerbForm):
    text = _text(
        t("Wie ist es gelöst?", "How is it resolved?"),
        help_text=t("Der Auftraggeber bekommt diesen Text.", "The client gets this text."),
    )


class ReasonForm(VerbForm):
    reason = _text(
        t("Grund", "Reason"), 3, t("Steht in der Akte und in der Mail.", "Is kept in the file and told by mail.")
    )


class EffortForm(VerbForm):
    minutes = forms.IntegerField(
        label=t("Aufwand in Minuten", "Effort in minutes"), min_value=1, max_value=tickets.LONGEST_EFFORT
    )
    reason = _text(
        t("Wodurch entstand er?", "What caused it?"),
        3,
        t("Der Auftraggeber sieht Aufwand und Grund am Vorgang.", "The client sees effort and reason on the ticket."),
    )


class AssignForm(VerbForm):
    user = forms.TypedChoiceField(
        label=t("Wer bearbeitet den Vorgang?", "Who works on the ticket?"),
        coerce=int,
        empty_value=None,
        required=False,
    )

    def prepare(self) -> None:
        people = [(each.pk, each.full_name or each.email) for each in queries.operators()]
        self.fields["user"].choices = [("", t("niemand (zurück in den Korb)", "nobody (back to the inbox)")), *people]  # type: ignore[attr-defined]
        self.initial["user"] = self.ticket.assignee_id


class ClientForm(VerbForm):
    client = forms.TypedChoiceField(label=t("Auftraggeber", "Client"), coerce=int)

    def prepare(self) -> None:
        self.fields["client"].choices = [("", t("Bitte wählen", "Please choose")), *clients.names()]  # type: ignore[attr-defined]


class TimesForm(VerbForm):
    times = forms.MultipleChoiceField(
        label=t("Freie Termine", "Free times"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=t(
            "In diesen Stunden ist noch Platz. Wählen Sie bis zu fünf.",
            "These hours still have room. Choose up to five.",
        ),
    )
    other = MomentField(label=t("Oder ein anderer Termin", "Or another time"), required=False)
    reason = _text(t("Warum geht der Wunschtermin nicht?", "Why can the requested time not be kept?"), 3)

    def prepare(self) -> None:
        now, order = present.now(), self.ticket.order
        known = catalogue().get(order.process)
        free = capacity.alternatives(known, order.requested_at or order.due_at, count=_SLOTS, now=now) if known else []
        self.fields["times"].choices = [(each.isoformat(), clock.when(each, now)) for each in free]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        chosen = [datetime.fromisoformat(each) for each in data.get("times") or []]
        data["chosen"] = [*chosen, *filter(None, [data.get("other")])]
        if not data["chosen"] and not self.errors:
            self.add_error("times", t("Wählen Sie mindestens einen Termin.", "Choose at least one time."))
        return data
