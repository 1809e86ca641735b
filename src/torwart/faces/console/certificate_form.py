"""Certificates of an EMT in two steps: sent and read, then looked at by a person before they count."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, t
from torwart.faces.console.asking import asking
from torwart.faces.console.page import show
from torwart.kernel.refusals import Refusal
from torwart.kernel.words import Words
from torwart.services import emt as emts
from torwart.services import present
from torwart.services.emt import Examined
from torwart.wire.certificate import Use

_LARGEST = 200_000
"""Bytes of a file; three certificates with their chain are far smaller."""
Do = Callable[[datetime, Examined, dict[str, Any]], Any]


class Files(Form):
    """Up to three files; one PEM file may hold all."""

    file = forms.FileField(
        label=t("Zertifikat (PEM oder DER)", "Certificate (PEM or DER)"),
        help_text=t(
            "Ohne privaten Schlüssel. Sub-CA und Wurzel dürfen in der Datei stehen.",
            "Without private key. Sub-CA and root may be in the file.",
        ),
    )
    second = forms.FileField(label=t("Weitere Datei", "Another file"), required=False)
    third = forms.FileField(label=t("Noch eine Datei", "Yet another file"), required=False)

    def contents(self) -> Iterator[bytes]:
        for name in ("file", "second", "third"):
            if self.cleaned_data.get(name):
                yield self.cleaned_data[name].read(_LARGEST)


def in_two_steps(
    request: HttpRequest,
    kind: type[Files],
    uses: Sequence[Use],
    do: Do,
    *,
    title: Words,
    back: str,
    done: Words,
    lead: Words,
    initial: dict[str, Any] | None = None,
) -> HttpResponse:
    """Ask for files and what ``kind`` asks beside them; show what was read; ``do`` it (present, certificates, rest).

    The second page carries the certificates themselves, which are examined once more before they count.
    """
    words: dict[str, Any] = {"title": title, "back": back, "done": done}
    kept = [name for name in kind.base_fields if name not in Files.base_fields]
    if request.method == "POST" and "certificates" in request.POST:
        return _second(request, _confirmation(kind, kept, request.POST), uses, do, words)
    form = kind(request.POST, request.FILES) if request.method == "POST" else kind(initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            examined = emts.examine(form.contents(), uses, now=present.now())
        except Refusal as refusal:
            form.add_error("file", refusal.text(active()))
        else:
            values = {name: form.cleaned_data[name] for name in kept} | {"certificates": examined.pem}
            shown = _confirmation(kind, kept, None, values)
            return show(request, "examined", form=shown, examined=examined, errors=[], **words)
    return asking(request, form, lambda now, d: None, lead=lead, button=Words("Lesen", "Read"), **words)


def _second(request: HttpRequest, form: Form, uses: Sequence[Use], do: Do, words: dict[str, Any]) -> HttpResponse:
    def verb(now: datetime, data: dict[str, Any]) -> Any:
        examined = emts.examine([data.pop("certificates").encode()], uses, now=now)
        return do(now, examined, data)

    return asking(request, form, verb, template="examined", examined=None, **words)


def _confirmation(kind: type[Files], kept: list[str], data: Any, initial: dict[str, Any] | None = None) -> Form:
    """What the first step asked, hidden."""
    form = Form(data, initial=initial)
    for name in kept:
        form.fields[name] = kind.base_fields[name].__class__(
            widget=forms.HiddenInput, required=kind.base_fields[name].required, label=kind.base_fields[name].label
        )
    form.fields["certificates"] = forms.CharField(widget=forms.HiddenInput, max_length=3 * _LARGEST)
    return form
