"""Signing in and what guards the protected area, without a browser."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from browser import PASSWORD, TOTP_SECRET, add_totp, person
from django.db import connection
from django.test import Client as Visit
from django.test import RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from torwart.faces.account import second_factor
from torwart.faces.account.place import address_of
from torwart.kernel.role import Role
from torwart.services import user as users
from torwart.services.sealed import seal
from torwart.store.models import Access, AuditEntry, Client, MailOut, Ticket, User

NOW = datetime.now(UTC)
ELSEWHERE = "203.0.113.7"
SIGN_IN = "/konto/anmelden/"


@pytest.fixture
def anna(db: None) -> Any:
    """A client's contact."""
    client = Client.objects.create(name="Stadtwerk A")
    return person("anna@stadtwerk.example", Role.CONTACT, client=client.pk, at=NOW)


@pytest.fixture
def otto(db: None) -> Any:
    """An operator with a second factor."""
    return person("otto@torwart.example", Role.OPERATOR, at=NOW)


def sign_in(visit: Visit, email: str, password: str = PASSWORD) -> Any:
    return visit.post(SIGN_IN, {"login": email, "password": password})


def signed_in(visit: Visit) -> bool:
    return visit.get("/konto/").status_code == 200


def text(response: Any) -> str:
    """A page without what differs by nature: tokens and the address that was typed."""
    page = re.sub(r'(csrfmiddlewaretoken" value|X-CSRFToken)[^>]*', "", response.content.decode())
    return re.sub(r"[\w.+-]+@[\w.-]+", "@", page)


@pytest.mark.requirement("P-4")
def test_a_person_signs_in_by_address_and_password(visitor: Any, anna: Any) -> None:
    """Whatever the case of the address."""
    visit = visitor()
    assert sign_in(visit, "ANNA@Stadtwerk.example").url == "/"
    assert visit.get("/").url == "/portal/"
    assert Access.objects.order_by("id").values_list("what", flat=True)[0] == "sign_in"


@pytest.mark.requirement("P-1")
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(visitor: Any, anna: Any) -> None:
    """Also a locked account and an account that has not been joined yet."""
    users.invite(email="neu@stadtwerk.example", name="N", first_name="", roles=[Role.READER], client=anna.client_id,
                 actor="x", at=NOW)  # fmt: skip
    answers = {text(sign_in(visitor(), email, "wrong")) for email in
               ("anna@stadtwerk.example", "nobody@stadtwerk.example", "neu@stadtwerk.example")}  # fmt: skip
    assert len(answers) == 1
    assert "E-Mail-Adresse oder Passwort stimmt nicht" in answers.pop()
    assert [line.what for line in Access.objects.all()] == ["sign_in_failed"] * 3


@pytest.mark.requirement("P-4")
def test_many_failures_close_the_door_for_a_while(visitor: Any, anna: Any) -> None:
    """For this address from everywhere, even with the right password; other people are not touched."""
    for _ in range(6):
        sign_in(visitor(address="198.51.100.1"), "anna@stadtwerk.example", "wrong")
    page = sign_in(visitor(address="198.51.100.2"), "anna@stadtwerk.example").content.decode()
    assert "Zu viele Fehlversuche" in page
    bert = person("bert@stadtwerk.example", Role.CONTACT, client=anna.client_id, at=NOW)
    assert sign_in(visitor(address="198.51.100.2"), bert.email).status_code == 302


@pytest.mark.requirement("P-5")
def test_the_providers_people_come_from_their_site_only(visitor: Any, otto: Any) -> None:
    """From elsewhere the right password is answered like a wrong one, and it is written down."""
    wrong = text(sign_in(visitor(address=ELSEWHERE), otto.email, "wrong"))
    assert text(sign_in(visitor(address=ELSEWHERE), otto.email)) == wrong
    entry = AuditEntry.objects.get(action="user.refused_outside_site")
    assert entry.payload == {"address": ELSEWHERE, "path": SIGN_IN}
    assert Access.objects.filter(what="refused", user=otto, address=ELSEWHERE).count() == 1
    with override_settings(TORWART_PROVIDER_NETWORKS=_networks("203.0.113.0/24")):
        assert sign_in(visitor(address=ELSEWHERE), otto.email).url == "/konto/zweiter-faktor/anmelden/"


@pytest.mark.requirement("P-5")
def test_a_session_of_the_provider_does_not_travel(visitor: Any, otto: Any, anna: Any) -> None:
    """A stolen cookie is worth nothing outside; a client's people may be anywhere."""
    visit = visitor(otto)
    assert signed_in(visit)
    visit.defaults["REMOTE_ADDR"] = ELSEWHERE
    assert visit.get("/konto/").status_code == 403
    assert visit.get("/konsole/").status_code == 403
    assert AuditEntry.objects.filter(action="user.refused_outside_site").count() == 2
    ticket = Ticket.objects.get()  # one for both
    assert (ticket.kind, ticket.client_id) == ("incident", None)
    assert signed_in(visitor(anna, address=ELSEWHERE))


def _networks(*texts: str) -> list[Any]:
    from ipaddress import ip_network

    return [ip_network(text) for text in texts]


@pytest.mark.requirement("P-5")
@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("203.0.113.7", "127.0.0.1", "203.0.113.7"),  # nobody's proxy: what it says is not believed
        ("10.0.0.2", "127.0.0.1, 198.51.100.9", "198.51.100.9"),  # what our proxy saw counts, not what was sent to it
        ("10.0.0.2", "198.51.100.9, 10.0.0.3", "198.51.100.9"),  # two proxies of ours
        ("10.0.0.2", "nonsense", ""),
        ("::ffff:203.0.113.7", "", "::ffff:203.0.113.7"),
    ],
)
def test_only_our_own_proxies_are_believed(remote: str, forwarded: str, expected: str) -> None:
    """A header anybody can send does not bring anybody to the provider's site."""
    with override_settings(TORWART_PROXIES=_networks("10.0.0.0/8")):
        request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded)
        assert address_of(request) == expected


@pytest.mark.requirement("P-4")
def test_the_provider_needs_a_second_factor_before_anything_else(visitor: Any, db: None) -> None:
    """Everything leads to setting one up, until there is one."""
    new = person("neu@torwart.example", Role.ADMINISTRATOR, at=NOW, factor=False)
    visit = visitor(new)
    for path in ("/", "/konto/", "/konsole/", "/konto/sitzungen/", "/konto/passwort/", "/gibt/es/nicht/"):
        response = visit.get(path)
        assert (response.status_code, response.url) == (302, "/konto/zweiter-faktor/"), path
    assert "Ihre Rolle verlangt ihn" in visit.get("/konto/zweiter-faktor/").content.decode()
    add_totp(new)
    assert signed_in(visit)


@pytest.mark.requirement("P-4")
def test_the_second_factor_is_asked_for_and_checked(visitor: Any, otto: Any) -> None:
    """After the password nothing is open yet; a wrong code opens nothing."""
    visit = visitor()
    assert sign_in(visit, otto.email).url == "/konto/zweiter-faktor/anmelden/"
    assert not signed_in(visit)
    assert (
        "Dieser Code stimmt nicht" in visit.post("/konto/zweiter-faktor/anmelden/", {"code": "000000"}).content.decode()
    )
    assert not signed_in(visit)
    assert visit.post("/konto/zweiter-faktor/anmelden/", {"code": _totp()}).url == "/"
    assert signed_in(visit)


def _totp() -> str:
    from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

    return format_hotp_value(hotp_value(TOTP_SECRET, next(iter(yield_hotp_counters_from_time()))))


@pytest.mark.requirement("P-4")
def test_the_last_second_factor_of_the_provider_stays(visitor: Any, otto: Any) -> None:
    """Who needs one cannot take the only one away."""
    visit = visitor(otto)
    visit.post("/konto/bestaetigen/?next=/konto/zweiter-faktor/app/entfernen/", {"password": PASSWORD})
    page = visit.post("/konto/zweiter-faktor/app/entfernen/")
    assert "Ihre Rolle verlangt einen zweiten Faktor" in page.content.decode()


@pytest.mark.requirement("P-4")
def test_the_last_passkey_of_the_provider_stays_too(visitor: Any) -> None:
    """The same for passkeys; with an app beside it, it may go."""
    from allauth.mfa.models import Authenticator

    otto = person("otto@torwart.example", Role.OPERATOR, at=NOW, factor=False)
    key = Authenticator.objects.create(user=otto, type=Authenticator.Type.WEBAUTHN, data={"name": "Laptop"})
    visit, path = visitor(otto), f"/konto/zweiter-faktor/passkeys/{seal('passkey', key.pk)}/entfernen/"
    visit.post(f"/konto/bestaetigen/?next={path}", {"password": PASSWORD})
    assert "Ihre Rolle verlangt einen zweiten Faktor" in visit.post(path).content.decode()
    add_totp(otto)
    assert visit.post(path).status_code == 302
    assert not Authenticator.objects.filter(pk=key.pk).exists()


@pytest.mark.requirement("P-4")
def test_secrets_of_the_second_factor_do_not_lie_readable_in_the_database(otto: Any) -> None:
    """A copy of the database makes no codes."""
    from allauth.mfa.models import Authenticator

    data = str(Authenticator.objects.get(user=otto).data)
    assert TOTP_SECRET not in data


@pytest.mark.requirement("P-1")
def test_what_one_may_not_see_does_not_exist(visitor: Any, anna: Any, otto: Any) -> None:
    """The other side's pages are answered exactly like an address that exists nowhere."""
    for user, foreign in ((anna, "/konsole/"), (otto, "/portal/")):
        visit = visitor(user)
        there, nowhere = visit.get(foreign), visit.get("/gibt/es/nicht/")
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert text(there) == text(nowhere).replace("/gibt/es/nicht/", foreign)


@pytest.mark.requirement("P-4")
def test_nobody_signed_in_is_led_to_the_sign_in_page_and_back(visitor: Any, anna: Any) -> None:
    """And to no other site."""
    visit = visitor()
    assert visit.get("/konto/sitzungen/").url == "/konto/anmelden/?next=/konto/sitzungen/"
    data = {"login": anna.email, "password": PASSWORD}
    assert visit.post(SIGN_IN, data | {"next": "/konto/sitzungen/"}).url == "/konto/sitzungen/"
    assert visitor().post(SIGN_IN, data | {"next": "https://evil.example/"}).url == "/"


@pytest.mark.requirement("P-4")
def test_every_access_is_written_down(visitor: Any, anna: Any) -> None:
    """Who, when, from where, what, with what answer; one insert a request, none for anybody who is not signed in."""
    visit = visitor(anna, address=ELSEWHERE)
    Access.objects.all().delete()
    visitor().get(SIGN_IN)
    assert Access.objects.count() == 0
    visit.get("/konto/", HTTP_USER_AGENT="Firefox/1")
    visit.get("/gibt/es/nicht/?suche=geheim")
    lines = Access.objects.order_by("id").values_list("user", "client", "address", "what", "path", "status", "agent")
    assert list(lines) == [
        (anna.pk, anna.client_id, ELSEWHERE, "page", "/konto/", 200, "Firefox/1"),
        (anna.pk, anna.client_id, ELSEWHERE, "refused", "/gibt/es/nicht/", 404, ""),
    ]


def test_a_signed_in_page_costs_few_queries(visitor: Any, anna: Any) -> None:
    """Session, person, when the session was last used; the page's own two; the access log's insert."""
    visit = visitor(anna)
    visit.get("/konto/")
    with CaptureQueriesContext(connection) as queries:
        visit.get("/konto/")
    said = [query["sql"].split(" FROM ")[0][:40] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(said) == 6, said


@pytest.mark.requirement("P-4")
def test_a_person_reports_that_credentials_became_known(visitor: Any, anna: Any) -> None:
    """All sessions end at once, the account is locked, the provider has a ticket, the trail has the event."""
    here, thief = visitor(anna), visitor(anna, address=ELSEWHERE)
    assert signed_in(thief)
    assert here.post("/konto/zugangsdaten-melden/").url == "/konto/gesperrt/"
    assert not signed_in(here)
    assert not signed_in(thief)
    assert "Dieses Konto ist gesperrt" in here.get("/konto/gesperrt/").content.decode()
    assert sign_in(visitor(), anna.email).status_code == 200
    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.client_id) == ("incident", anna.client_id)
    assert AuditEntry.objects.filter(action="user.compromised", client_id=anna.client_id).count() == 1


@pytest.mark.requirement("P-4")
def test_looking_at_the_report_page_locks_nobody(visitor: Any, anna: Any) -> None:
    """Only the button does, and only with our own form behind it."""
    visit = visitor(anna)
    assert visit.get("/konto/zugangsdaten-melden/").status_code == 200
    strict = Visit(SERVER_NAME="localhost", enforce_csrf_checks=True)
    strict.force_login(anna)
    assert strict.post("/konto/zugangsdaten-melden/").status_code == 403
    assert User.objects.get(pk=anna.pk).is_active


@pytest.mark.requirement("P-4")
def test_any_other_session_can_be_ended(visitor: Any, anna: Any) -> None:
    """One of them or all; never another person's."""
    bert = person("bert@stadtwerk.example", Role.READER, client=anna.client_id, at=NOW)
    here, there, third, foreign = visitor(anna), visitor(anna), visitor(anna), visitor(bert)
    for visit in (here, there, third, foreign):
        assert signed_in(visit)
    page = here.get("/konto/sitzungen/").content.decode()
    numbers = re.findall(r'name="session" value="([\w-]{32})"', page)
    assert len(numbers) == 2
    from allauth.usersessions.models import UserSession

    of_bert = seal("session", UserSession.objects.get(user=bert).pk)
    here.post("/konto/sitzungen/", {"session": of_bert})
    assert signed_in(foreign)
    here.post(
        "/konto/sitzungen/",
        {"session": seal("session", UserSession.objects.get(session_key=there.session.session_key).pk)},
    )
    assert [signed_in(visit) for visit in (here, there, third)] == [True, False, True]
    here.post("/konto/sitzungen/", {"session": "others"})
    assert [signed_in(visit) for visit in (here, third)] == [True, False]


@pytest.mark.requirement("P-1")
def test_a_reset_never_tells_who_exists(visitor: Any, anna: Any) -> None:
    """The same page for known, unknown, locked; only a known person gets a mail, with a link that works once."""
    path = "/konto/passwort-vergessen/"
    known = visitor().post(path, {"email": "Anna@stadtwerk.example"})
    unknown = visitor().post(path, {"email": "nobody@stadtwerk.example"})
    assert (known.status_code, text(known)) == (unknown.status_code, text(unknown))
    mail = MailOut.objects.get()
    assert mail.address == "anna@stadtwerk.example"
    found = re.search(r"https?://[^/\s]+(/konto/passwort-vergessen/\S+)", mail.text)
    assert found
    visit = visitor()
    opened = visit.get(found[1])
    assert opened.url.endswith("/waehlen/")  # the token is no longer in the address
    new = "Nach dem Spiel ist vor dem Spiel"
    assert visit.post(opened.url, {"password": new, "again": new}).url == "/konto/anmelden/?gewaehlt"
    assert visitor().get(found[1], follow=True).status_code == 410
    assert sign_in(visitor(), anna.email, new).status_code == 302


@pytest.mark.requirement("P-4")
@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("kurz", "Mindestens 12 Zeichen"),
        ("password1234", "zu üblich"),
        ("anna@stadtwerk.example", "ähnlich"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(visitor: Any, db: None, password: str, says: str) -> None:
    """Short ones, common ones, and the own name."""
    client = Client.objects.create(name="Stadtwerk A").pk
    invitation = users.invite(
        email="anna@stadtwerk.example", name="Berg", first_name="Anna", roles=[Role.READER], client=client, actor="x",
        at=datetime.now(UTC) - timedelta(minutes=1),
    )  # fmt: skip
    visit = visitor()
    page = visit.get(invitation.path, follow=True)
    assert "Willkommen" in page.content.decode()
    answer = visit.post(page.redirect_chain[-1][0], {"password": password, "again": password}).content.decode()
    assert says in answer
    assert "<title>Fehler: " in answer


def test_only_listed_addresses_of_allauth_exist(visitor: Any, db: None) -> None:
    """No sign-up, no change of address, no codes by mail."""
    names = {key for key in get_resolver().reverse_dict if isinstance(key, str)}
    included = [resolver.reverse_dict for resolver in get_resolver().url_patterns if hasattr(resolver, "reverse_dict")]
    names |= {key for each in included for key in each if isinstance(key, str)}
    assert {
        name for name in names if "signup" in name or "email" in name or "code_" in name or "phone" in name
    } == set()
    for path in ("/konto/signup/", "/accounts/login/", "/konto/email/", "/konto/2fa/", "/konto/login/code/"):
        assert visitor().get(path).status_code == 404


def test_headers_close_what_pages_do_not_need(visitor: Any, db: None) -> None:
    """Strict policy without exceptions for inline code, no framing, no sniffing, no leaking of addresses."""
    headers = visitor().get(SIGN_IN).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'self'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "no-store" in headers["Cache-Control"]


def test_cookies_are_out_of_reach_of_scripts(visitor: Any, anna: Any) -> None:
    """Session and CSRF token; and Lax, so that no other site can use them."""
    visit = visitor()
    visit.get(SIGN_IN)
    sign_in(visit, anna.email)
    for name in ("torwart_session", "csrftoken"):
        assert (visit.cookies[name]["httponly"], visit.cookies[name]["samesite"]) == (True, "Lax")


def test_the_language_is_the_persons(visitor: Any, anna: Any) -> None:
    """Chosen by cookie before signing in, kept at the account afterwards; the switch leads nowhere else."""
    visit = visitor()
    assert 'lang="de"' in visit.get(SIGN_IN).content.decode()
    assert visit.get(SIGN_IN + "?sprache=en&next=/konto/").url == SIGN_IN + "?next=%2Fkonto%2F"
    assert "Sign in" in visit.get(SIGN_IN).content.decode()
    here = visitor(anna)
    here.get("/konto/?sprache=en")
    assert User.objects.get(pk=anna.pk).language == "en"
    assert "My account" in visitor(anna).get("/konto/").content.decode()
    assert visit.generic("GET", "/", QUERY_STRING="sprache=en", PATH_INFO="//evil.example/").url == "/evil.example/"
    assert 'lang="de"' in visitor().get("/konto/anmelden/?sprache=fr").content.decode()


@pytest.mark.requirement("P-5")
def test_what_a_stranger_says_about_the_transport_is_not_believed(visitor: Any, db: None) -> None:
    """Only our own proxy can make a request count as encrypted."""
    from torwart.faces.account.middleware import Forwarded

    def secure(remote: str) -> bool:
        seen = []
        request = RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_PROTO="https")
        Forwarded(lambda r: seen.append(r.is_secure()))(request)  # type: ignore[arg-type, func-returns-value]
        return seen[0]

    header = ("HTTP_X_FORWARDED_PROTO", "https")
    with override_settings(TORWART_PROXIES=_networks("10.0.0.0/8"), SECURE_PROXY_SSL_HEADER=header):
        assert (secure("10.0.0.2"), secure(ELSEWHERE)) == (True, False)


@pytest.mark.requirement("P-4")
def test_who_lost_the_device_begins_anew(visitor: Any, otto: Any) -> None:
    """An administrator lets the second factor be forgotten; the trail says who did it."""
    visit = visitor(otto)
    assert signed_in(visit)
    second_factor.forget(otto.pk, actor="user:admin@torwart.example", at=NOW)
    entry = AuditEntry.objects.get(action="user.second_factor_forgotten")
    assert (entry.actor, entry.payload) == ("user:admin@torwart.example", {"kind": "totp"})
    assert visitor(otto).get("/konto/").url == "/konto/zweiter-faktor/"


@pytest.mark.requirement("R-1")
def test_live_settings_are_strict(tmp_path: Any) -> None:
    """Secure cookies and HSTS where it is live, whatever else is set."""
    program = (
        "from torwart.config import web_settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS >= 31536000, "
        "s.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN, s.DEBUG)"
    )
    environment = os.environ | {"TORWART_ENVIRONMENT": "live", "TORWART_STATE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "True", "False", "False"]
