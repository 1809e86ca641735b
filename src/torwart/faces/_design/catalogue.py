"""What the catalogue of components shows; also the form that has one field of every kind."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest

from torwart.faces._design.forms import DateField, Form, LinesField, MomentField, YesNoField
from torwart.faces._design.keyset import Page
from torwart.faces._design.language import t
from torwart.kernel.words import Words

_PLACES = (
    ("indoor", t("Im Gebäude", "Indoors")),
    ("outdoor", t("Außen", "Outdoors")),
    ("cellar", t("Keller", "Cellar")),
)


class Everything(Form):
    """One field of every kind."""

    meter = forms.CharField(
        label=t("Zählernummer", "Meter number"),
        help_text=t("Wie auf dem Typenschild, z. B. 1EMH0012345678.", "As on the type plate, e.g. 1EMH0012345678."),
        max_length=14,
    )
    remark = forms.CharField(label=t("Bemerkung", "Remark"), required=False, widget=forms.Textarea(attrs={"rows": 3}))
    place = forms.ChoiceField(label=t("Einbauort", "Place"), choices=_PLACES, widget=forms.RadioSelect)
    profile = forms.ChoiceField(
        label=t("Auswertungsprofil", "Tariff profile"),
        choices=(("", t("Bitte wählen", "Please choose")), ("TAF1", "TAF 1"), ("TAF7", "TAF 7")),
    )
    consumers = forms.MultipleChoiceField(
        label="EMT", choices=(("a", "Stadtwerk A"), ("b", "Netz B")), widget=forms.CheckboxSelectMultiple
    )
    channels = LinesField(label=t("Kennzahlen", "Registers"), help_text=t("Eine je Zeile.", "One a line."))
    day = DateField(label=t("Einbautag", "Day of installation"))
    requested_at = MomentField(label=t("Wunschtermin", "Requested time"))
    note = forms.FileField(label=t("Lieferschein", "Delivery note"), required=False)
    sealed = YesNoField(label=t("Plombe unversehrt?", "Seal intact?"))
    confirmed = forms.BooleanField(label=t("Ich habe die Angaben geprüft.", "I have checked the entries."))


def specimens(request: HttpRequest) -> dict[str, Any]:
    """Context of the catalogue page; with ``?fehler`` the form shows its errors."""
    wrong = "fehler" in request.GET
    now = datetime(2026, 11, 24, 8, 20, tzinfo=UTC)
    return {
        "form": Everything({"meter": "", "day": "31.02.2026"} if wrong else None),
        "rows": [
            (Words("Zählernummer", "Meter number"), "1EMH0012345678"),
            (Words("Kennzahlen", "Registers"), ["1-0:1.8.0*255", "1-0:2.8.0*255"]),
            (Words("Bemerkung", "Remark"), ""),
        ],
        "orders": [
            ("A-12345678-9", Words("Inbetriebnahme", "Commissioning"), "ESMA0012345678", "info", "läuft", now),
            ("A-23456789-0", Words("Aufwecken", "Wake-up"), "ESMA0087654321", "success", "erledigt", now),
            ("A-34567890-1", Words("Ausbau", "Removal"), "ESMA0011223344", "danger", "gescheitert", now),
        ],
        "page": Page([], next="WyI+Il0", previous=""),
        "crumbs": [(t("Aufträge", "Orders"), "#"), ("A-12345678-9", "")],
    }
