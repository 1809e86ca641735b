"""The contacts of a client, as the provider keeps them for it: named, taken out, certified, tested."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse

from torwart.faces._design.access import actor_of
from torwart.faces._design.forms import Form
from torwart.faces._design.language import t
from torwart.faces.console.asking import ReasonForm, asking, asks, for_roles, given
from torwart.faces.console.client import address, found
from torwart.kernel.role import Role
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


_ALLOWING = Words(
    "Mails an diesen Ansprechpartner werden dann mit AES-256-CBC verschlüsselt statt mit AES-GCM. CBC bemerkt nicht, "
    "wenn jemand den verschlüsselten Inhalt unterwegs verändert; vor dem Mitlesen schützt es, und die Signatur liegt "
    "innen. Erlauben Sie es nur, wenn das Programm des Ansprechpartners nichts anderes lesen kann, und nur, bis es das "
    "kann. Jede solche Mail steht mit einem Vermerk im Vorgang.",
    "Mails to this contact are then encrypted with AES-256-CBC instead of AES-GCM. CBC does not notice when somebody "
    "changes the encrypted content on the way; it does protect against reading, and the signature lies inside. Allow "
    "it only if the contact's program can read nothing else, and only until it can. Each such mail is noted in its "
    "ticket.",
)
_ENDING = Words(
    "Mails an diesen Ansprechpartner werden wieder mit AES-GCM verschlüsselt. Ein Programm, das es nicht kennt, zeigt "
    "sie dann nur als unlesbaren Anhang; fragen Sie vorher nach.",
    "Mails to this contact are encrypted with AES-GCM again. A program that does not know it then shows them as an "
    "unreadable attachment only; ask first.",
)


@for_roles(Role.OPERATOR)
def legacy(request: HttpRequest, pk: int, contact: int) -> HttpResponse:
    """Allow AES-CBC for a contact whose program knows no better, or end that."""
    person = _contact(pk, contact)
    if not person.active:
        raise Http404
    return asking(
        request,
        ReasonForm(given(request)),
        lambda now, d: contacts.allow_legacy(
            contact, not person.legacy, d["reason"], client=pk, actor=actor_of(request), now=now
        ),
        title=Words("AES-CBC nicht mehr erlauben", "Allow AES-CBC no longer")
        if person.legacy
        else Words("AES-CBC erlauben", "Allow AES-CBC"),
        back=address(pk, "ansprechpartner"),
        done=Words("Mails gehen wieder mit AES-GCM hinaus.", "Mails go out with AES-GCM again.")
        if person.legacy
        else Words("Erlaubt; jede solche Mail wird vermerkt.", "Allowed; each such mail is noted."),
        lead=_ENDING if person.legacy else _ALLOWING,
        danger=not person.legacy,
        over=person.full_name,
    )


def _contact(pk: int, contact: int) -> Any:
    person = next((each for each in queries.contacts(pk) if each.pk == contact), None)
    if person is None:
        raise Http404
    return person
