"""Four eyes: what one person asks for, another decides, seeing what, why and what follows (P-2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from torwart.faces._design import keyset
from torwart.faces._design.access import needs, provider_only
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, said, t
from torwart.faces.console.asking import asking, given
from torwart.faces.console.engine import ENGINE
from torwart.faces.console.page import May, act, person_of, show
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.processes import overriding
from torwart.processes.definition import catalogue
from torwart.services import approval as approvals
from torwart.services import approved_configuration as configurations
from torwart.store.queries import four_eyes as queries

Decide = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Action:
    """What would be done: its name, what follows from a yes, and who carries it out with the decision."""

    words: Words
    consequence: Words
    decide: Decide


def _only_decide(pk: int, *, user: int, approve: bool, remark: str, now: datetime) -> None:
    approvals.decide(pk, user=user, approve=approve, remark=remark, now=now)


ACTIONS: dict[str, Action] = {
    overriding.ACTION: Action(
        Words("Ausnahme von einer Voraussetzung", "Override of a precondition"),
        Words(
            "Der Prozess beginnt sofort, obwohl eine Voraussetzung nicht erfüllt ist.",
            "The process begins at once although a precondition is not met.",
        ),
        lambda pk, **decision: overriding.decide(ENGINE, pk, **decision),
    ),
    configurations.ACTION: Action(
        Words("Änderung der freigegebenen Gerätetypen", "Change of the approved device types"),
        Words(
            "Die Änderung gilt sofort für alle Auftraggeber und steht in ihrem Portal.",
            "The change holds at once for all clients and stands in their portal.",
        ),
        configurations.decide,
    ),
}


def _action(name: str) -> Action:
    """What is known of an action; one nobody here carries out is only decided on."""
    known = ACTIONS.get(name)
    if known is not None:
        return known
    return Action(
        Words(f"Freigabe: {name}", f"Approval: {name}"),
        Words("Die beantragte Handlung darf danach ausgeführt werden.", "What is asked for may be done then."),
        _only_decide,
    )


class DecisionForm(Form):
    decision = forms.ChoiceField(
        label=t("Ihre Entscheidung", "Your decision"),
        choices=(("yes", t("Freigeben", "Approve")), ("no", t("Ablehnen", "Reject"))),
        widget=forms.RadioSelect,
    )
    remark = forms.CharField(
        label=t("Bemerkung", "Remark"),
        widget=forms.Textarea({"rows": 3}),
        max_length=2000,
        help_text=t("Steht im Prüfpfad.", "Kept in the audit trail."),
    )


@provider_only
def overview(request: HttpRequest) -> HttpResponse:
    """What waits for a decision; decided ones in the other tab."""
    decided = "entschieden" in request.GET
    page = keyset.page(queries.approvals(pending=not decided), order=("-id",), at=request.GET.get("seite"))
    lines = [(row, _action(row.action)) for row in page.rows]
    return show(request, "approvals", page=page, lines=lines, decided=decided, waiting=queries.waiting())


@provider_only
@require_http_methods(["GET", "HEAD", "POST"])
def approval(request: HttpRequest, pk: int) -> HttpResponse:
    """What, why, what follows; who may decide finds the form."""
    row = queries.approval(pk)
    if row is None:
        raise Http404
    action = _action(row.action)
    own = row.requested_by_id == person_of(request)
    may_decide = May.of(request).approve and not own and row.state == "pending"
    context: dict[str, Any] = {
        "approval": row,
        "action": action,
        "facts": _facts(row.payload),
        "own": own,
        "may_decide": may_decide,
    }
    if not may_decide:
        if request.method == "POST" and not May.of(request).approve:
            raise Http404
        return show(request, "approval", **context, status=409 if request.method == "POST" else 200)

    def do(now: datetime, data: dict[str, Any]) -> None:
        action.decide(pk, user=person_of(request), approve=data["decision"] == "yes", remark=data["remark"], now=now)

    return asking(
        request,
        DecisionForm(given(request)),
        do,
        title=action.words,
        back=reverse("console:approval", args=[pk]),
        done=Words("Ihre Entscheidung gilt.", "Your decision holds."),
        template="approval",
        **context,
    )


_NAMES = {
    "process": Words("Prozess", "Process"),
    "gateway": Words("Gateway", "Gateway"),
    "unmet": Words("Nicht erfüllt", "Not met"),
    "what": Words("Änderung", "Change"),
    "gateway_type": Words("Gatewaytyp", "Gateway type"),
    "firmware": Words("Firmware", "Firmware"),
    "meter_type": Words("Zählertyp", "Meter type"),
    "number": Words("CC-Zertifikat", "CC certificate"),
    "begin": Words("Gültig ab", "Valid from"),
    "end": Words("Gültig bis", "Valid until"),
}
_WHAT = {
    "approve": Words("Gerätetyp freigeben", "approve a device type"),
    "certify": Words("CC-Zertifikat eintragen", "record a CC certificate"),
}


def _facts(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What exactly would be done, in words as far as we have them."""
    return [(said(_NAMES[name]) if name in _NAMES else name, _shown(name, value)) for name, value in payload.items()]


def _shown(name: str, value: Any) -> str:
    if name == "process" and value in catalogue():
        return said(catalogue()[value].words)
    if name == "what" and value in _WHAT:
        return said(_WHAT[value])
    if name in ("begin", "end"):
        return f"{timezone.localtime(datetime.fromisoformat(value)):%d.%m.%Y}" if value else "–"
    if isinstance(value, list):
        return "; ".join(str(each.get(active(), each) if isinstance(each, dict) else each) for each in value) or "–"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_shown(key, each)}" for key, each in value.items()) or "–"
    return str(value) if value not in (None, "") else "–"


@needs(Role.OPERATOR)
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Whoever asked takes the request back."""
    if queries.approval(pk) is None:
        raise Http404
    done = said(Words("Zurückgezogen.", "Withdrawn."))
    back = reverse("console:approval", args=[pk])
    return act(request, lambda now: approvals.withdraw(pk, user=person_of(request), now=now), back, done=done)
