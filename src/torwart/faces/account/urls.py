"""Addresses of accounts. allauth's own are not included: what stands here can be reached, nothing else."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path

from torwart.faces.account import views

urlpatterns = [
    path("", views.overview, name="account"),
    path("anmelden/", account.login, name="account_login"),
    path("abmelden/", account.logout, name="account_logout"),
    path("gesperrt/", views.inactive, name="account_inactive"),
    path("bestaetigen/", account.reauthenticate, name="account_reauthenticate"),
    path("passwort/", views.password, name="account_change_password"),
    path("passwort-vergessen/", views.forgotten, name="account_reset_password"),
    path("passwort-vergessen/<user:person>/<str:token>/", views.reset, name="account_reset_password_from_key"),
    path("einladung/<user:person>/<str:token>/", views.invitation, name="account_invitation"),
    path("sitzungen/", views.sessions, name="usersessions_list"),
    path("zugangsdaten-melden/", views.compromised, name="account_compromised"),
    path("zweiter-faktor/", mfa.index, name="mfa_index"),
    path("zweiter-faktor/anmelden/", mfa.authenticate, name="mfa_authenticate"),
    path("zweiter-faktor/bestaetigen/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("zweiter-faktor/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("zweiter-faktor/app/entfernen/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("zweiter-faktor/notfallcodes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("zweiter-faktor/notfallcodes/neu/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("zweiter-faktor/notfallcodes/datei/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("zweiter-faktor/passkeys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("zweiter-faktor/passkeys/neu/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path("zweiter-faktor/passkeys/anmelden/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("zweiter-faktor/passkeys/bestaetigen/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("zweiter-faktor/passkeys/<passkey:pk>/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("zweiter-faktor/passkeys/<passkey:pk>/entfernen/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
]
