"""Pages with one form: what is asked, what it does, and back again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods

from torwart.faces._design.access import View, needs
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, said, t
from torwart.faces.console.page import say, show
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.kernel.words import Words
from torwart.services import present


class ReasonForm(Form):
    reason = forms.CharField(
        label=t("Grund", "Reason"),
        widget=forms.Textarea({"rows": 3}),
        max_length=2000,
        help_text=t("Steht im Prüfpfad.", "Kept in the audit trail."),
    )


def for_roles(*roles: Role) -> Callable[[View], View]:
    """A view that shows a form and takes it, for people who hold one of ``roles``."""
    return lambda view: needs(*roles)(require_http_methods(["GET", "HEAD", "POST"])(view))


asks = for_roles(Role.ADMINISTRATOR)


def given(request: HttpRequest) -> Any:
    """What a form is made with: the data of a POST, ``None`` while it is only shown."""
    return request.POST if request.method == "POST" else None


def asking(
    request: HttpRequest,
    form: Any,
    do: Callable[[datetime, dict[str, Any]], Any],
    *,
    title: Words,
    back: str | Callable[[Any], str],
    done: Words,
    lead: Words | None = None,
    danger: bool = False,
    template: str = "asking",
    **more: Any,
) -> HttpResponse:
    """Show the form; POST does ``do`` (present, cleaned data) and leads ``back`` (to what it answers, if that decides).

    What is refused is said at the form, and nothing typed is lost.
    """
    form.use_required_attribute = False  # our own texts say what is missing, all of it at once
    if request.method == "POST" and form.is_valid():
        try:
            answer = do(present.now(), form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, refusal.text(active()))
        else:
            say(request, said(done))
            return HttpResponseRedirect(back if isinstance(back, str) else back(answer))
    errors = form.summary() if form.is_bound else []
    shown = {
        "form": form,
        "errors": errors,
        "title": title,
        "back": back if isinstance(back, str) else back(None),
        "lead": lead,
        "danger": danger,
        "files": form.is_multipart(),
    }
    return show(request, template, **shown | more, status=422 if errors else 200)
