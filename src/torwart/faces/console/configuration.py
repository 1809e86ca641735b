"""Approved device types: which gateway with which firmware goes with which meter, and their CC certificates (O-6).

What is changed here holds for every client, so one person asks and another decides.
"""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from torwart.faces._design.access import provider_only
from torwart.faces._design.forms import DateField, Form
from torwart.faces._design.language import t
from torwart.faces.console.asking import asking, for_roles, given
from torwart.faces.console.page import person_of, plain, show
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.rules.precondition import GatewayType
from torwart.services import approved_configuration as configurations
from torwart.services import present
from torwart.store.queries import approved_configuration as published
from torwart.store.queries import audit, fleet

_ask = for_roles(Role.OPERATOR)


class ValidityForm(Form):
    begin = DateField(label=t("Gültig ab", "Valid from"), required=False)
    end = DateField(
        label=t("Gültig bis (einschließlich)", "Valid until (inclusive)"),
        required=False,
        help_text=t("Leer: bis auf Weiteres.", "Empty: until further notice."),
    )
    reason = forms.CharField(
        label=t("Grund", "Reason"),
        widget=forms.Textarea({"rows": 3}),
        max_length=2000,
        help_text=t("Die freigebende Person und der Prüfpfad bekommen ihn.", "For the approver and the audit trail."),
    )

    def clean(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        if data.get("begin") and data.get("end") and data["end"] < data["begin"]:
            self.add_error("end", t("Das Ende liegt vor dem Beginn.", "The end lies before the beginning."))
        return data


class TypeForm(ValidityForm):
    gateway_type = forms.CharField(label=t("Gatewaytyp", "Gateway type"), max_length=120)
    firmware = forms.CharField(label=t("Firmware", "Firmware"), max_length=80)
    meter_type = forms.CharField(label=t("Zählertyp", "Meter type"), max_length=120)
    field_order = ("gateway_type", "firmware", "meter_type", "begin", "end", "reason")


class CertificateForm(ValidityForm):
    number = forms.CharField(
        label=t("Zertifikatsnummer", "Certificate number"), max_length=80, help_text="BSI-DSZ-CC-…"
    )
    gateway_type = forms.CharField(label=t("Gatewaytyp", "Gateway type"), max_length=120)
    firmware = forms.CharField(label=t("Firmware", "Firmware"), max_length=80)
    field_order = ("number", "gateway_type", "firmware", "begin", "end", "reason")


@provider_only
def overview(request: HttpRequest) -> HttpResponse:
    """All types with their validity; those that cannot be ordered say why."""
    now = present.now()
    text = plain(request.GET.get("q", ""))
    found = published.published(now, text=text)
    return show(
        request,
        "configurations",
        lines=[(each, _why(each, now)) for each in found],
        text=text,
    )


_MISSING = Words("kein CC-Zertifikat", "no CC certificate")
_PAST = Words("CC-Zertifikat nicht gültig", "CC certificate not valid")
_NOT_YET = Words("noch nicht gültig", "not valid yet")
_OVER = Words("abgelaufen", "ended")


def _why(each: Any, now: datetime) -> Words | None:
    """Why a type cannot be ordered now; ``None`` if it can."""
    if each.in_force:
        return None
    if each.validity.begin and now < each.validity.begin:
        return _NOT_YET
    if not each.validity.covers(now):
        return _OVER
    return _PAST if each.certificates else _MISSING


@provider_only
def one(request: HttpRequest) -> HttpResponse:
    """One gateway type with firmware: what is approved, its certificates, whom a change touches, and its history."""
    kind = GatewayType(plain(request.GET.get("typ", "")), plain(request.GET.get("firmware", "")))
    now = present.now()
    found = [
        each
        for each in published.published(now, text=kind.name)
        if (each.gateway_type, each.firmware) == (kind.name, kind.firmware)
    ]
    certificates = [
        each for each in fleet.cc_certificates() if (each.gateway_type, each.firmware) == (kind.name, kind.firmware)
    ]
    subjects = [f"configuration:{kind.name} {kind.firmware} × {each.meter_type}" for each in found]
    subjects += [f"configuration:{each.number}" for each in certificates]
    devices, operating = fleet.affected(kind.name, kind.firmware)
    return show(
        request,
        "configuration",
        kind=kind,
        lines=[(each, _why(each, now)) for each in found],
        certificates=certificates,
        devices=devices,
        operating=operating,
        rows=audit.about(subjects),
    )


@_ask
def approve(request: HttpRequest) -> HttpResponse:
    """Ask for a type to be approved, or for another validity of its approval."""
    form = TypeForm(given(request), initial=_initial(request, "gateway_type", "firmware", "meter_type"))

    def do(now: datetime, data: dict[str, Any]) -> int:
        kind = GatewayType(data["gateway_type"].strip(), data["firmware"].strip())
        return configurations.ask_approval(
            kind, data["meter_type"].strip(), **_validity(data), reason=data["reason"], user=person_of(request), now=now
        )

    return _asked(request, form, do, Words("Gerätetyp freigeben oder ändern", "Approve or change a device type"))


@_ask
def certify(request: HttpRequest) -> HttpResponse:
    """Ask for a CC certificate to be kept, or for its new end."""
    form = CertificateForm(given(request), initial=_initial(request, "number", "gateway_type", "firmware"))

    def do(now: datetime, data: dict[str, Any]) -> int:
        kind = GatewayType(data["gateway_type"].strip(), data["firmware"].strip())
        return configurations.ask_certificate(
            data["number"].strip(), kind, **_validity(data), reason=data["reason"], user=person_of(request), now=now
        )

    return _asked(request, form, do, Words("CC-Zertifikat eintragen oder ändern", "Record or change a CC certificate"))


def _asked(request: HttpRequest, form: ValidityForm, do: Any, title: Words) -> HttpResponse:
    start = plain(form.data.get("gateway_type") or form.initial.get("gateway_type") or "")
    firmware = plain(form.data.get("firmware") or form.initial.get("firmware") or "")
    devices, operating = fleet.affected(start, firmware) if start else (0, 0)
    return asking(
        request,
        form,
        do,
        title=title,
        back=lambda pk: reverse("console:approval", args=[pk]) if pk else reverse("console:configurations"),
        done=Words("Beantragt; eine zweite Person entscheidet.", "Asked for; a second person decides."),
        lead=Words(
            f"Betrifft {devices} Gateways dieses Typs, davon {operating} in unserer Verwaltung. Eine zweite Person "
            "entscheidet; dann gilt es sofort für alle Auftraggeber.",
            f"Touches {devices} gateways of this type, {operating} of them administered by us. A second person "
            "decides; then it holds at once for all clients.",
        ),
    )


def _initial(request: HttpRequest, *names: str) -> dict[str, str]:
    values = {name: plain(request.GET.get(name, "")) for name in names}
    return values | {name: request.GET[name] for name in ("begin", "end") if _is_day(request.GET.get(name, ""))}


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _validity(data: dict[str, Any]) -> dict[str, datetime | None]:
    """From the first moment of the first day to the last of the last."""
    zone = timezone.get_default_timezone()
    begin, end = data["begin"], data["end"]
    return {
        "begin": datetime.combine(begin, time(), zone) if begin else None,
        "end": datetime.combine(end, time(23, 59, 59), zone) if end else None,
    }
