"""How allauth behaves here: no self sign-up, our words, no mail, secrets encrypted, provider roles only at the site."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from torwart.faces._design.language import t
from torwart.faces._design.views import refused
from torwart.faces.account import outside
from torwart.faces.account.place import address_of, at_the_site
from torwart.services import access, present
from torwart.services.sealed import seal

_WRONG = t(
    "E-Mail-Adresse oder Passwort stimmt nicht. Prüfen Sie beides, oder wählen Sie „Passwort vergessen“.",
    "E-mail address or password is not right. Check both, or choose “Forgot password”.",
)
_CODE = t(
    "Dieser Code stimmt nicht. Geben Sie den Code ein, den die App jetzt zeigt, oder einen Notfallcode.",
    "This code is not right. Enter the code the app shows now, or an emergency code.",
)


class Adapter(DefaultAccountAdapter):
    """Accounts."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _WRONG,
        "account_inactive": t("Dieses Konto ist gesperrt.", "This account is locked."),
        "too_many_login_attempts": t(
            "Zu viele Fehlversuche. Warten Sie 15 Minuten, oder wählen Sie „Passwort vergessen“.",
            "Too many failed attempts. Wait 15 minutes, or choose “Forgot password”.",
        ),
        "incorrect_password": t("Das Passwort stimmt nicht.", "The password is not right."),
        "enter_current_password": t("Das bisherige Passwort stimmt nicht.", "The current password is not right."),
        "incorrect_code": _CODE,
        "rate_limited": t("Zu viele Versuche. Warten Sie eine Minute.", "Too many attempts. Wait a minute."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return address_of(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Who this is. Someone of the provider outside its networks is answered like a wrong password (P-5)."""
        user: Any = super().authenticate(request, **credentials)
        if user is not None and user.is_provider and not at_the_site(request):
            self._refuse_outside(request, user)
            return None
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        access.sign_in_failed(
            email=str(credentials.get("email", "")),
            address=address_of(request),
            at=present.now(),
            agent=request.headers.get("User-Agent", ""),
        )

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **hints: Any) -> HttpResponse | None:
        """Passkeys come this way without a password."""
        account: Any = user
        if account.is_provider and not at_the_site(request):
            self._refuse_outside(request, account)
            return refused(request, outside=True)
        if not account.has_usable_password():  # invited (again): what opened the account before opens it no more
            return render(request, "account/not_joined.html", status=403)
        return super().pre_login(request, user, **hints)

    def reauthenticate(self, user: AbstractBaseUser, password: str) -> bool:
        account: Any = user
        found = self.authenticate(self.request, email=account.email, password=password)
        return found is not None and found.pk == user.pk

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        words = {
            reverse("account_reauthenticate"): t("Mit dem Passwort", "With the password"),
            reverse("mfa_reauthenticate"): t("Mit App oder Notfallcode", "With app or emergency code"),
            reverse("mfa_reauthenticate_webauthn"): t("Mit dem Passkey", "With the passkey"),
        }
        return [method | {"description": words[method["url"]]} for method in super().get_reauthentication_methods(user)]

    def add_message(self, *arguments: Any, **named: Any) -> None:
        """allauth's own little messages are left out: our pages say what happened."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        raise AssertionError(f"allauth sends no mail here: {template_prefix}")

    @staticmethod
    def _refuse_outside(request: HttpRequest, user: Any) -> None:
        outside.report(request, user)
        access.sign_in_failed(
            email=user.email,
            address=address_of(request),
            at=present.now(),
            agent=request.headers.get("User-Agent", ""),
            what="refused",
        )


class SecondFactorAdapter(DefaultMFAAdapter):
    """TOTP, passkeys and emergency codes."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _CODE,
        "cannot_delete_authenticator": t(
            "Ihre Rolle verlangt einen zweiten Faktor. Richten Sie zuerst einen anderen ein.",
            "Your role requires a second factor. Set up another one first.",
        ),
    }

    def encrypt(self, text: str) -> str:
        """TOTP secrets and emergency codes do not lie readable in the database."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """A passkey keeps, and shows to whoever holds it, the sealed number of its person."""
        return super().get_public_key_credential_user_entity(user) | {"id": seal("user", user.pk).encode()}

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The provider's people keep at least one."""
        owner: Any = authenticator.user
        if not owner.is_provider or authenticator.type == Authenticator.Type.RECOVERY_CODES:
            return True
        kinds = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
        others = Authenticator.objects.filter(user=owner, type__in=kinds).exclude(pk=authenticator.pk)
        return others.exists()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return f"Passkey {number}"

    def _get_site_name(self) -> str:
        return str(mfa_settings.TOTP_ISSUER)


def _fernet() -> Fernet:
    key = hashlib.sha256(b"torwart.second_factor" + str(settings.SECRET_KEY).encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
