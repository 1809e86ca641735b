"""Accounts of clients' people and of our own: invited, locked, given roles; by administrators."""

from datetime import datetime
from typing import Any

from django import forms
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from torwart.faces._design.access import actor_of, provider_only
from torwart.faces._design.forms import Form
from torwart.faces._design.language import said, t
from torwart.faces.account import second_factor
from torwart.faces.console.asking import ReasonForm, asking, asks, given
from torwart.faces.console.client import address, found
from torwart.faces.console.contact import ContactForm
from torwart.faces.console.page import show
from torwart.kernel.role import CLIENT as CLIENT_ROLES
from torwart.kernel.role import PROVIDER, ROLES, Role
from torwart.kernel.words import Words
from torwart.services import invitation as invitations
from torwart.services import user as users
from torwart.store.queries import client as queries


class UserForm(ContactForm):
    roles = forms.MultipleChoiceField(label=t("Rollen", "Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, allowed: frozenset[Role] = CLIENT_ROLES) -> None:
        super().__init__(data)
        self.fields["phone"].required = False
        self.fields["roles"].choices = [(r.value, said(ROLES[r])) for r in ROLES if r in allowed]  # type: ignore[attr-defined]


class RolesForm(Form):
    roles = forms.MultipleChoiceField(label=t("Rollen", "Roles"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, allowed: frozenset[Role], initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["roles"].choices = [(r.value, said(ROLES[r])) for r in ROLES if r in allowed]  # type: ignore[attr-defined]


@provider_only
def staff(request: HttpRequest) -> HttpResponse:
    """The provider's own people and their roles."""
    return show(request, "staff", accounts=queries.users(None), roles=ROLES)


@asks
def invite(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Invite a person of a client, or one of the provider's own."""
    if pk is not None:
        found(pk)
    form = UserForm(given(request), allowed=PROVIDER if pk is None else CLIENT_ROLES)

    def do(now: datetime, data: dict[str, Any]) -> None:
        values = data | {"roles": [Role(each) for each in data["roles"]]}
        invitations.invite(**values, client=pk, actor=actor_of(request), now=now)

    return asking(
        request,
        form,
        do,
        title=Words("Benutzer einladen", "Invite a user"),
        back=reverse("console:staff") if pk is None else address(pk, "benutzer"),
        done=Words("Die Einladung ist unterwegs.", "The invitation is on its way."),
        lead=Words(
            "Die Benutzerdaten gehen als gesicherte Mail, der Link zum Passwort in einer eigenen. Er gilt 72 Stunden.",
            "The user data goes by secure mail, the link to the password in one of its own. It is valid for 72 hours.",
        ),
    )


def _user(pk: int) -> Any:
    found = queries.user(pk)
    if found is None:
        raise Http404
    return found


def _of(person: Any) -> str:
    return reverse("console:staff") if person.client_id is None else address(person.client_id, "benutzer")


@asks
def lock(request: HttpRequest, pk: int) -> HttpResponse:
    person = _user(pk)
    return asking(
        request,
        ReasonForm(given(request)),
        lambda now, d: users.lock(pk, d["reason"], actor=actor_of(request), at=now),
        title=Words(f"{person.full_name} sperren", f"Lock {person.full_name}"),
        back=_of(person),
        done=Words("Gesperrt; alle Sitzungen sind beendet.", "Locked; all sessions have ended."),
        lead=Words(
            "Alle Sitzungen enden sofort. Eine neue Einladung öffnet das Konto wieder.",
            "All sessions end at once. A new invitation opens the account again.",
        ),
        danger=True,
    )


@asks
def again(request: HttpRequest, pk: int) -> HttpResponse:
    person = _user(pk)

    def do(now: datetime, _: dict[str, Any]) -> None:
        with transaction.atomic():
            if not person.is_active:  # whoever it was locked against may have a passkey of their own by now
                second_factor.forget(pk, actor=actor_of(request), at=now)
            invitations.invite_again(pk, client=None, actor=actor_of(request), now=now)

    return asking(
        request,
        Form(given(request)),
        do,
        title=Words(f"{person.full_name} neu einladen", f"Invite {person.full_name} again"),
        back=_of(person),
        done=Words("Die Einladung ist unterwegs.", "The invitation is on its way."),
        lead=Words(
            "Das bisherige Passwort und ältere Links gelten nicht mehr. Ein gesperrtes Konto ist wieder offen; seine "
            "Passkeys, App und Notfallcodes sind gelöscht.",
            "The present password and older links no longer work. A locked account is open again; its passkeys, app "
            "and emergency codes are deleted.",
        ),
    )


@asks
def change_roles(request: HttpRequest, pk: int) -> HttpResponse:
    person = _user(pk)
    allowed = PROVIDER if person.client_id is None else CLIENT_ROLES
    return asking(
        request,
        RolesForm(given(request), allowed=allowed, initial={"roles": person.roles}),
        lambda now, d: users.set_roles(pk, [Role(each) for each in d["roles"]], actor=actor_of(request), at=now),
        title=Words(f"Rollen von {person.full_name}", f"Roles of {person.full_name}"),
        back=_of(person),
        done=Words("Die Rollen gelten ab sofort.", "The roles hold from now on."),
    )
