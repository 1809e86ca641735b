"""The audit trail for auditors: searched, verified, taken along (M-4)."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from torwart.faces._design import keyset
from torwart.faces._design.access import needs
from torwart.faces._design.forms import DateField, Form
from torwart.faces._design.language import t
from torwart.faces._design.saving import streamed
from torwart.faces.console.page import show
from torwart.kernel.role import Role
from torwart.services import audit, present
from torwart.store.queries import audit as queries

_DAYS = 30
_auditors = needs(Role.AUDITOR)


class SearchForm(Form):
    """What is looked for; without days the last 30."""

    woran = forms.CharField(
        label=t("Woran (ganz, z. B. gateway:E…)", "About (whole, e.g. gateway:E…)"), required=False, max_length=120
    )
    wer = forms.CharField(label=t("Wer (Anfang)", "Who (beginning)"), required=False, max_length=120)
    was = forms.CharField(label=t("Was (Anfang)", "What (beginning)"), required=False, max_length=60)
    von = DateField(label=t("Von", "From"), required=False)
    bis = DateField(label=t("Bis", "To"), required=False)


@_auditors
def overview(request: HttpRequest) -> HttpResponse:
    """The newest entries, or those looked for."""
    form = SearchForm(request.GET)
    wish = form.cleaned_data if form.is_valid() else {}
    since, until = _stretch(wish)
    rows = queries.entries(
        subject=_plain(wish, "woran"), actor=_plain(wish, "wer"), action=_plain(wish, "was"), since=since, until=until
    )
    page = keyset.page(rows, order=("-id",), at=request.GET.get("seite"))
    narrowed = any(wish.values())
    return show(
        request,
        "audit",
        form=form,
        page=page,
        rows=page.rows,
        since=since,
        until=until - timedelta(days=1),
        narrowed=narrowed,
    )


def _plain(wish: dict[str, Any], name: str) -> str:
    return str(wish.get(name) or "").strip()


def _stretch(wish: dict[str, Any]) -> tuple[datetime, datetime]:
    """The days from the first up to and with the last."""
    today = timezone.localdate(present.now())
    last = wish.get("bis") or today
    first = wish.get("von") or last - timedelta(days=_DAYS)
    zone = timezone.get_default_timezone()
    midnight = datetime.min.time()
    return (
        datetime.combine(first, midnight, zone),
        datetime.combine(last + timedelta(days=1), midnight, zone),
    )


@_auditors
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Read the whole chain and say whether it holds."""
    return show(request, "audit_verdict", verdict=audit.verify(), head=audit.head())


@_auditors
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The whole chain, one JSON line a link, for a stranger to check."""
    lines = (f"{line}\n" for line in audit.export())
    return streamed(lines, "torwart-audit.jsonl", "application/x-ndjson")
