"""Somebody has a copy of a session, nothing else: what opens the account stays its owner's (P-4)."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from browser import PASSWORD, add_totp, person
from django.test import Client as Visit
from django.test import TestCase
from django.urls import reverse

from torwart.kernel.role import Role
from torwart.services import user as users
from torwart.services.sealed import opened, seal
from torwart.store.models import Access, Client, MailOut, User

pytestmark = pytest.mark.requirement("P-4")
NOW = datetime.now(UTC)
NEW = "Ein Satz, den der Dieb sich ausdenkt"


@pytest.fixture
def anna(db: None) -> Any:
    """A client's contact, with an app and a passkey."""
    client = Client.objects.create(name="Stadtwerk A")
    anna = person("anna@stadtwerk.example", Role.CONTACT, client=client.pk, at=NOW)
    add_totp(anna)
    Authenticator.objects.create(user=anna, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop"})
    return anna


@pytest.fixture
def thief(visitor: Any, anna: Any) -> Visit:
    """The browser with the copied session."""
    visit: Visit = visitor(anna)
    return visit


def inside(visit: Visit) -> bool:
    return visit.get("/konto/").status_code == 200


def test_nothing_that_opens_the_account_changes_without_a_fresh_proof(thief: Visit, anna: Any) -> None:
    """App, passkey, emergency codes – add, take away, rename, read: each leads to the question for a proof."""
    key = Authenticator.objects.get(user=anna, type=Authenticator.Type.WEBAUTHN)
    guarded = {
        "mfa_deactivate_totp": {},
        "mfa_add_webauthn": {"name": "des Diebs", "credential": "{}"},
        "mfa_edit_webauthn": {"name": "Laptop von Anna"},
        "mfa_remove_webauthn": {},
        "mfa_generate_recovery_codes": {},
    }
    before = list(Authenticator.objects.order_by("id").values_list("type", "data"))
    for name, data in guarded.items():
        path = reverse(name, kwargs={"pk": key.pk} if "<" in _pattern(name) else {})
        for answer in (thief.get(path), thief.post(path, data)):
            assert answer.status_code == 302, name
            assert "bestaetigen" in answer["Location"], name
    assert list(Authenticator.objects.order_by("id").values_list("type", "data")) == before
    assert not MailOut.objects.exists()


def _pattern(name: str) -> str:
    from torwart.faces.account.urls import urlpatterns

    return next(str(each.pattern) for each in urlpatterns if each.name == name)


def test_every_address_that_changes_a_second_factor_is_among_the_guarded(thief: Visit, anna: Any) -> None:
    """A page added later asks for the proof too: all of them are tried with nothing but the session."""
    Authenticator.objects.filter(user=anna).delete()
    Authenticator.objects.create(user=anna, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "", "used_mask": 0})
    open_to_all = {"mfa_index", "mfa_list_webauthn", "mfa_authenticate", "mfa_login_webauthn", "mfa_reauthenticate"}
    open_to_all |= {"mfa_reauthenticate_webauthn", "mfa_deactivate_totp"}  # there is none to take away
    from torwart.faces.account.urls import urlpatterns

    names = {each.name for each in urlpatterns if str(each.name).startswith("mfa_")} - open_to_all
    assert len(names) >= 7
    for name in sorted(names):
        path = reverse(name, kwargs={"pk": 1} if "<" in _pattern(name) else {})
        assert "bestaetigen" in thief.get(path).get("Location", ""), name


def test_the_password_needs_the_present_one_and_is_not_guessed(thief: Visit, anna: Any, visitor: Any) -> None:
    """Wrong ones change nothing and after six no more are heard; the owner can still sign in."""
    for guess in range(8):
        answer = thief.post("/konto/passwort/", {"oldpassword": f"x{guess}", "password1": NEW, "password2": NEW})
        assert answer.status_code == (200 if guess < 6 else 429)
    right = thief.post("/konto/passwort/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert right.status_code == 429
    assert User.objects.get(pk=anna.pk).check_password(PASSWORD)
    owner = visitor()
    signed = owner.post("/konto/anmelden/", {"login": anna.email, "password": PASSWORD})
    assert signed["Location"] == "/konto/zweiter-faktor/anmelden/"


def test_the_proof_is_not_guessed_either(thief: Visit, anna: Any) -> None:
    """Wrong passwords where the proof is asked for count as failed sign-ins, and the owner can read of them."""
    answers = [thief.post("/konto/bestaetigen/", {"password": f"x{guess}"}) for guess in range(8)]
    assert "Zu viele" in answers[-1].content.decode()
    assert "bestaetigen" in thief.get("/konto/zweiter-faktor/passkeys/neu/")["Location"]
    assert Access.objects.filter(what="sign_in_failed").count() >= 6


def test_a_change_of_the_password_ends_all_other_sessions_and_is_told(thief: Visit, anna: Any, visitor: Any) -> None:
    """The owner stays signed in, the thief is out at once, and a mail says what happened."""
    owner = visitor(anna)
    assert inside(owner)
    assert inside(thief)
    owner.post("/konto/passwort/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert inside(owner)
    assert not inside(thief)
    mail = MailOut.objects.get()
    assert (mail.kind, mail.address, mail.subject) == ("account.changed", anna.email, "Ihr Konto: Passwort geändert")


def test_a_proof_holds_for_its_own_session_and_a_while(
    thief: Visit, anna: Any, visitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner's proof opens nothing for the copy, and after ten minutes nothing for the owner."""
    import time

    owner, path = visitor(anna), "/konto/zweiter-faktor/notfallcodes/neu/"
    owner.post(f"/konto/bestaetigen/?next={path}", {"password": PASSWORD})
    assert owner.get(path).status_code == 200
    assert thief.get(path).status_code == 302
    later = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: later)
    assert owner.get(path).status_code == 302


def test_new_emergency_codes_are_told(anna: Any, visitor: Any) -> None:
    """With a proof they are made, and the mail holds none of them."""
    owner, path = visitor(anna), "/konto/zweiter-faktor/notfallcodes/neu/"
    owner.post(f"/konto/bestaetigen/?next={path}", {"password": PASSWORD})
    with TestCase.captureOnCommitCallbacks(execute=True):
        owner.post(path)
    mail = MailOut.objects.get()
    codes = Authenticator.objects.get(user=anna, type="recovery_codes").wrap().get_unused_codes()
    assert mail.subject == "Ihr Konto: neue Notfallcodes erzeugt"
    assert not [code for code in codes if code in mail.text + mail.html]


def test_a_session_without_a_password_leads_to_the_mail(anna: Any, visitor: Any) -> None:
    """Whoever has none yet chooses it by a link in a mail of its own, never on the screen; both languages say so."""
    anna.set_unusable_password()
    anna.save()
    visit = visitor(anna)
    page = visit.get("/konto/passwort/")
    assert page.status_code == 200
    assert "Sie haben noch kein Passwort" in page.content.decode()
    assert "You have no password yet" in visit.get("/konto/passwort/?sprache=en", follow=True).content.decode()
    assert "password1" not in page.content.decode()
    assert "Look into your mailbox" in visit.post("/konto/passwort/").content.decode()
    found = re.search(r"/konto/passwort-vergessen/([\w-]+)/(\S+)/", MailOut.objects.get(kind="account.reset").text)
    assert found is not None
    assert opened("user", found[1]) == anna.pk
    users.reset(anna.pk, found[2], NEW, at=datetime.now(UTC))
    assert not inside(visit)


def test_the_link_is_not_sent_again_and_again(anna: Any, visitor: Any) -> None:
    """Nobody's mailbox is filled from a session."""
    anna.set_unusable_password()
    anna.save()
    visit = visitor(anna)
    answers = [visit.post("/konto/passwort/").status_code for _ in range(7)]
    assert answers == [200] * 5 + [429] * 2


def test_what_opened_an_account_before_does_not_after_it_was_invited_again(anna: Any, visitor: Any) -> None:
    """A passkey is no way around the mail that invites: it opens once the password has been chosen."""
    from allauth.account.adapter import get_adapter
    from django.test import RequestFactory

    users.invite_again(anna.pk, actor="user:admin@torwart.example", at=NOW)
    anna.refresh_from_db()
    request = RequestFactory().get("/")
    request.user, request.session = anna, {}  # type: ignore[assignment]
    answer = get_adapter(request).pre_login(
        request, anna, email_verification="none", signal_kwargs=None, email=None, signup=False, redirect_url=None
    )
    assert answer.status_code == 403
    assert "Wählen Sie zuerst ein Passwort" in answer.content.decode()


def test_an_account_that_was_locked_begins_without_the_passkeys_of_before(anna: Any, visitor: Any) -> None:
    """Whoever it was locked against may have added one: inviting again deletes them, and a mail says so."""
    admin = person("admin@torwart.example", Role.ADMINISTRATOR, at=NOW)
    visitor(anna).post("/konto/zugangsdaten-melden/")
    MailOut.objects.all().delete()
    visitor(admin).post(reverse("console:user_again", args=[anna.pk]))
    assert not Authenticator.objects.filter(user=anna).exists()
    assert sorted(MailOut.objects.values_list("kind", flat=True)) == ["account.changed", "account.link"]
    assert User.objects.get(pk=anna.pk).is_active


def test_the_passkeys_device_learns_no_number_of_the_account(anna: Any, visitor: Any) -> None:
    """What a passkey keeps of its person is sealed."""
    from allauth.core.context import request_context
    from allauth.mfa.adapter import get_adapter
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.user, request.session = anna, {}  # type: ignore[assignment]
    with request_context(request):
        entity = get_adapter().get_public_key_credential_user_entity(anna)
    assert entity["id"] == seal("user", anna.pk).encode()
