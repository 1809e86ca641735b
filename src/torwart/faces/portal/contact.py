"""Contacts and their secure mail: name, change, take out, store a certificate, test again (P-3, S-MAIL-1 … 4)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from torwart.faces._design.access import actor_of, client_of, client_only, has_any, may_order
from torwart.faces._design.forms import Form
from torwart.faces._design.language import active, t
from torwart.kernel.contact_state import SECURE
from torwart.kernel.refusals import Refusal
from torwart.kernel.role import Role
from torwart.services import contact as contacts
from torwart.services import present
from torwart.store.queries import client as clients
from torwart.store.queries import portal as queries

LARGEST = 256 * 1024


class Person(Form):
    """A contact as KL 3.3 wants it named."""

    first_name = forms.CharField(label=t("Vorname", "First name"), max_length=100)
    name = forms.CharField(label=t("Nachname", "Last name"), max_length=100)
    phone = forms.CharField(
        label=t("Telefon", "Phone"), max_length=40, help_text=t("Zum Beispiel +49 261 123456", "E.g. +49 261 123456")
    )
    email = forms.CharField(
        label=t("E-Mail", "E-mail"),
        max_length=200,
        help_text=t(
            "Persönliche Adresse, auf die das S/MIME-Zertifikat lautet.",
            "The personal address the S/MIME certificate is made for.",
        ),
    )
    language = forms.ChoiceField(
        label=t("Sprache der Mails", "Language of mails"),
        choices=(("de", "Deutsch"), ("en", "English")),
        widget=forms.RadioSelect,
        initial="de",
    )


class Certificate(Form):
    """A certificate file."""

    file = forms.FileField(
        label=t("Zertifikatsdatei", "Certificate file"),
        help_text=t(
            "Das öffentliche S/MIME-Zertifikat (.cer, .crt, .pem, .p7b), ohne privaten Schlüssel.",
            "The public S/MIME certificate (.cer, .crt, .pem, .p7b), without the private key.",
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(
                t("Die Datei ist zu groß für ein Zertifikat.", "The file is too large for a certificate.")
            )
        return file


@require_GET
@client_only
def index(request: HttpRequest) -> HttpResponse:
    """All active contacts and how far secure mail with each of them is."""
    client = client_of(request)
    people = queries.contacts(client)
    secure = {state.value for state in SECURE}
    context = {
        "people": people,
        "tested": sum(person.mail_state in secure for person in people),
        "client": clients.one(client),
        "orderer": has_any(request, Role.CONTACT),
        "removable": len(people) > 2,
    }
    return render(request, "portal/contact/list.html", context)


@require_http_methods(["GET", "POST"])
@may_order
def add(request: HttpRequest) -> HttpResponse:
    """Name a new contact."""
    form = Person(request.POST or None)
    done = t("Der Ansprechpartner ist eingetragen.", "The contact has been recorded.")
    return _changed(
        request,
        form,
        lambda data: contacts.add(client_of(request), **data, actor=actor_of(request), now=present.now()),
        done,
        {"new": True},
    )


@require_http_methods(["GET", "POST"])
@may_order
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a contact; with another address other certificates count."""
    person = _person(request, pk)
    form = Person(request.POST or None, initial={name: getattr(person, name) for name in Person.base_fields})
    done = t("Die Änderung ist gespeichert.", "The change has been saved.")
    return _changed(
        request,
        form,
        lambda data: contacts.change(pk, client=client_of(request), actor=actor_of(request), now=present.now(), **data),
        done,
        {"person": person},
    )


def _changed(
    request: HttpRequest, form: Form, act: Callable[[Any], object], done: object, context: dict[str, Any]
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, refusal.text(active()))
        else:
            messages.success(request, str(done))
            return redirect("portal:contacts")
    return render(request, "portal/contact/person.html", {"form": form, "errors": bool(form.errors), **context})


@require_http_methods(["GET", "POST"])
@may_order
def deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a contact out, after a question; never the last two."""
    person = _person(request, pk)
    if request.method == "GET":
        return render(request, "portal/contact/deactivate.html", {"person": person})
    try:
        contacts.deactivate(pk, client=client_of(request), actor=actor_of(request), now=present.now())
    except Refusal as refusal:
        messages.error(request, refusal.text(active()))
    else:
        messages.success(request, str(t("Der Ansprechpartner ist ausgetragen.", "The contact has been taken out.")))
    return redirect("portal:contacts")


@require_http_methods(["GET", "POST"])
@may_order
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """Store a certificate; the test mail goes out by itself."""
    person = _person(request, pk)
    form = Certificate(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            new = contacts.store_certificate(
                pk,
                form.cleaned_data["file"].read(),
                client=client_of(request),
                actor=actor_of(request),
                now=present.now(),
            )
        except Refusal as refusal:
            form.add_error("file", refusal.text(active()))
        else:
            _told_stored(request, new)
            return redirect("portal:contacts")
    context = {"person": person, "form": form, "errors": bool(form.errors)}
    return render(request, "portal/contact/certificate.html", context)


def _told_stored(request: HttpRequest, new: list[int]) -> None:
    if new:
        text = t(
            "Das Zertifikat ist hinterlegt. Beantworten Sie die Testmail verschlüsselt und signiert mit ihrem Wort.",
            "The certificate is stored. Answer the test mail encrypted and signed, with the word in it.",
        )
    else:
        text = t("Dieses Zertifikat war schon hinterlegt.", "This certificate had been stored already.")
    messages.success(request, str(text))


@require_POST
@may_order
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the test mail again."""
    _person(request, pk)
    try:
        contacts.send_test(pk, client=client_of(request), actor=actor_of(request), now=present.now())
    except Refusal as refusal:
        messages.error(request, refusal.text(active()))
    else:
        messages.success(request, str(t("Die Testmail ist unterwegs.", "The test mail is on its way.")))
    return redirect("portal:contacts")


def _person(request: HttpRequest, pk: int) -> Any:
    found = queries.contact(client_of(request), pk)
    if found is None:
        raise Http404
    return found
