"""The contacts of a client, as the provider keeps them for it: named, taken out, certified, tested."""

from django import forms
from django.http import Http404, HttpRequest, HttpResponse

from torwart.faces._design.access import actor_of
from torwart.faces._design.forms import Form
from torwart.faces._design.language import t
from torwart.faces.console.asking import asking, asks, given
from torwart.faces.console.client import address, found
from torwart.kernel.words import Words
from torwart.services import contact as contacts
from torwart.store.queries import client as queries

LANGUAGES = (("de", "Deutsch"), ("en", "English"))
_LARGEST = 200_000
"""Bytes; a bundle of mail certificates is far smaller."""


class ContactForm(Form):
    first_name = forms.CharField(label=t("Vorname", "First name"), max_length=100)
    name = forms.CharField(label=t("Name", "Last name"), max_length=100)
    phone = forms.CharField(label=t("Telefon", "Phone"), max_length=40)
    email = forms.EmailField(label=t("E-Mail-Adresse", "E-mail address"))
    language = forms.ChoiceField(label=t("Sprache", "Language"), choices=LANGUAGES)


class CertificateForm(Form):
    file = forms.FileField(label=t("Zertifikat (PEM, DER oder PKCS#7)", "Certificate (PEM, DER or PKCS#7)"))


@asks
def new(request: HttpRequest, pk: int) -> HttpResponse:
    found(pk)
    return asking(
        request,
        ContactForm(given(request)),
        lambda now, d: contacts.add(pk, **d, actor=actor_of(request), now=now),
        title=Words("Ansprechpartner nennen", "Name a contact"),
        back=address(pk, "ansprechpartner"),
        done=Words("Der Ansprechpartner ist eingetragen.", "The contact is recorded."),
        lead=Words(
            "Das Zertifikat kommt mit der ersten signierten Mail oder durch Hochladen; dann geht die Testmail hinaus.",
            "The certificate comes with the first signed mail or by upload; then the test mail goes out.",
        ),
    )


@asks
def off(request: HttpRequest, pk: int, contact: int) -> HttpResponse:
    _contact(pk, contact)
    return asking(
        request,
        Form(given(request)),
        lambda now, d: contacts.deactivate(contact, client=pk, actor=actor_of(request), now=now),
        title=Words("Ansprechpartner herausnehmen", "Take the contact out"),
        back=address(pk, "ansprechpartner"),
        done=Words("Herausgenommen.", "Taken out."),
        lead=Words(
            "Er bekommt keine Mails mehr. Zwei müssen bleiben.", "The contact gets no more mail. Two must remain."
        ),
        danger=True,
    )


@asks
def certificate(request: HttpRequest, pk: int, contact: int) -> HttpResponse:
    _contact(pk, contact)
    form = CertificateForm(request.POST, request.FILES) if request.method == "POST" else CertificateForm()
    return asking(
        request,
        form,
        lambda now, d: contacts.store_certificate(
            contact, d["file"].read(_LARGEST), client=pk, actor=actor_of(request), now=now
        ),
        title=Words("Mail-Zertifikat hinterlegen", "Store a mail certificate"),
        back=address(pk, "ansprechpartner"),
        done=Words("Hinterlegt; die Testmail geht hinaus.", "Stored; the test mail goes out."),
    )


@asks
def test(request: HttpRequest, pk: int, contact: int) -> HttpResponse:
    _contact(pk, contact)
    return asking(
        request,
        Form(given(request)),
        lambda now, d: contacts.send_test(contact, client=pk, actor=actor_of(request), now=now),
        title=Words("Testmail senden", "Send the test mail"),
        back=address(pk, "ansprechpartner"),
        done=Words("Die Testmail geht hinaus.", "The test mail goes out."),
        lead=Words(
            "Der Ansprechpartner antwortet verschlüsselt und signiert mit dem Wort aus der Mail.",
            "The contact answers encrypted and signed with the word of the mail.",
        ),
    )


def _contact(pk: int, contact: int) -> None:
    if not any(each.pk == contact for each in queries.contacts(pk)):
        raise Http404
