"""The forms of accounts: allauth's logic, our words, our error summary."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ReauthenticateForm
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as ReauthenticateByCode
from allauth.mfa.totp.forms import ActivateTOTPForm, DeactivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm, LoginWebAuthnForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.http import int_to_base36
from fido2.utils import websafe_decode, websafe_encode

from torwart.faces._design.forms import Form, OurManner
from torwart.faces._design.language import t
from torwart.services.sealed import opened

_EMAIL = t("E-Mail-Adresse", "E-mail address")
_EMAIL_INVALID = t(
    "Geben Sie eine E-Mail-Adresse ein, zum Beispiel anna.berg@stadtwerk.example.",
    "Enter an e-mail address, for example anna.berg@utility.example.",
)
_PASSWORD = t("Passwort", "Password")
_NEW_PASSWORD = t("Neues Passwort", "New password")
_RULES = t(
    "Mindestens 12 Zeichen. Ein Satz, den nur Sie kennen, ist gut zu merken und schwer zu erraten.",
    "At least 12 characters. A sentence only you know is easy to remember and hard to guess.",
)
_CODE = t("Code", "Code")
_CODE_HINT = t("Sechs Ziffern aus Ihrer App, oder ein Notfallcode.", "Six digits from your app, or an emergency code.")
_NAME = t("Name des Passkeys", "Name of the passkey")


def _reworded(field: forms.Field, label: Any, hint: Any = "", **attrs: Any) -> None:
    field.label, field.help_text = label, hint
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(attrs)


class SignIn(OurManner, LoginForm):
    """E-mail address and password."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _reworded(self.fields["login"], _EMAIL, autocomplete="username", autofocus=False)
        self.fields["login"].error_messages["invalid"] = _EMAIL_INVALID
        check: Any = self.fields["login"].validators[0]
        check.message = _EMAIL_INVALID
        _reworded(self.fields["password"], _PASSWORD)
        self.retitle()


class Reauthenticate(OurManner, ReauthenticateForm):
    """The password once more."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _reworded(self.fields["password"], _PASSWORD)
        self.retitle()


class ChangePassword(OurManner, ChangePasswordForm):
    """The old password and a new one."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _reworded(self.fields["oldpassword"], t("Bisheriges Passwort", "Current password"))
        _reworded(self.fields["password1"], _NEW_PASSWORD, _RULES)
        _reworded(self.fields["password2"], t("Neues Passwort noch einmal", "New password once more"))
        self.retitle()


class Code(OurManner, AuthenticateForm):
    """A code of the app or an emergency code."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _reworded(self.fields["code"], _CODE, _CODE_HINT, inputmode="text", spellcheck="false")
        self.retitle()


class ReauthenticateCode(OurManner, ReauthenticateByCode):
    """The same, once more."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _reworded(self.fields["code"], _CODE, _CODE_HINT, inputmode="text", spellcheck="false")
        self.retitle()


class ActivateTotp(OurManner, ActivateTOTPForm):
    """The first code of the app."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        hint = t("Die sechs Ziffern, die die App jetzt zeigt.", "The six digits the app shows now.")
        _reworded(self.fields["code"], _CODE, hint, inputmode="numeric", spellcheck="false")
        self.retitle()


class DeactivateTotp(OurManner, DeactivateTOTPForm):
    """Nothing to enter; but it may be refused."""


class AddPasskey(OurManner, AddWebAuthnForm):
    """A new passkey, by which one can also sign in without a password."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _reworded(self.fields["name"], _NAME, t("Damit Sie ihn wiedererkennen.", "So that you recognise it."))
        _reworded(
            self.fields["passwordless"],
            t("Auch ohne Passwort mit diesem Passkey anmelden", "Sign in with this passkey without a password, too"),
            t("Der Passkey verlangt dann PIN, Finger oder Gesicht.", "The passkey then asks for PIN, finger or face."),
        )
        self.fields["passwordless"].initial = True
        self.retitle()


class SignInByPasskey(LoginWebAuthnForm):
    """Who signs in is said by the passkey: the sealed number of its person, opened here for allauth."""

    def clean_credential(self) -> Any:
        answer = self.cleaned_data["credential"].get("response", {})
        try:
            person = opened("user", websafe_decode(answer["userHandle"]).decode())
        except (KeyError, TypeError, ValueError):
            person = None
        answer["userHandle"] = websafe_encode(int_to_base36(person or 0).encode())
        return super().clean_credential()


class NamePasskey(OurManner, EditWebAuthnForm):
    """Another name for a passkey."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        _reworded(self.fields["name"], _NAME)
        self.retitle()


class Forgotten(Form):
    """To which address the link shall go."""

    email = forms.EmailField(
        label=_EMAIL,
        error_messages={"invalid": _EMAIL_INVALID},
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


class ChoosePassword(Form):
    """A first or a new password, chosen by the person alone."""

    password = forms.CharField(
        label=_NEW_PASSWORD,
        help_text=_RULES,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=t("Neues Passwort noch einmal", "New password once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *arguments: Any, user: Any, **named: Any) -> None:
        self.user = user
        super().__init__(*arguments, **named)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "password" in data and data.get("again") and data["again"] != data["password"]:
            self.add_error("again", t("Die beiden Passwörter sind verschieden.", "The two passwords differ."))
        return data
