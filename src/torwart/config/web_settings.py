"""Django settings of the web: accounts, pages, static files. Workers do without (``config.settings``).

Read from the environment, beside what ``config.settings`` reads:
``TORWART_HOSTS``       host names answered to, comma-separated (default: loopback)
``TORWART_TLS``         ``1`` where the web is reached by https: Secure cookies and HSTS (always in ``live``)
``TORWART_SMPKI``       PEM file with root and Sub-CAs of the SM-PKI: the console judges certificates of EMTs by it
``TORWART_SECRET_KEY``  signs sessions and links; default: a file in the state directory, made once
"""

import hashlib
import os
from pathlib import Path

import torwart.faces
from torwart.config.installation import secret, secret_key
from torwart.config.settings import *  # noqa: F403  one truth for database, time and who we are
from torwart.config.settings import TORWART_ENVIRONMENT, TORWART_PROXIES, listed


def _digest(*roots: Path) -> str:
    """Names the content of all static files, so that each version has addresses of its own and is cached for good."""
    digest = hashlib.sha256()
    for path in sorted(path for root in roots for path in root.rglob("*") if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


_FACES = Path(torwart.faces.__file__).parent

DEBUG = False
SECRET_KEY = secret_key()
TORWART_WEBHOOK_SECRET = secret("webhook")
TORWART_SMPKI = os.environ.get("TORWART_SMPKI", "")
ALLOWED_HOSTS = listed("TORWART_HOSTS", "localhost,127.0.0.1,[::1]")
ROOT_URLCONF = "torwart.config.urls"
WSGI_APPLICATION = "torwart.config.wsgi.application"

INSTALLED_APPS = [
    "torwart.store",
    "torwart.faces._design",
    "torwart.faces.account",
    "torwart.faces.portal",
    "torwart.faces.console",
    "torwart.faces.emt_api",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_cotton.apps.SimpleAppConfig",
    "django_htmx",
    "csp",
]

MIDDLEWARE = [
    "torwart.faces.account.middleware.Forwarded",
    "django.middleware.security.SecurityMiddleware",
    "torwart.faces._design.middleware.PermissionsPolicy",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "torwart.faces._design.middleware.Language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "torwart.faces.account.middleware.AccessLog",
    "torwart.faces.account.middleware.ProviderSite",
    "allauth.account.middleware.AccountMiddleware",
    "torwart.faces.account.middleware.Seen",
    "torwart.faces.account.middleware.SecondFactor",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "torwart.faces._design.context.page",
            ],
            "builtins": [
                "django.templatetags.static",
                "django_cotton.templatetags.cotton",
                "torwart.faces._design.templatetags.design",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django_cotton.cotton_loader.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
        },
    }
]
COTTON_ISOLATE_BY_DEFAULT = True  # a component sees its attributes and the request, not the page's variables

# Clients differ a thousandfold in size and open tickets are few among the closed: a plan made for any client and any
# state reads whole tables where the right one reads a page (measured: 250 ms instead of 5 for a bounded count).
TORWART_PLAN_AFRESH = True

# Languages: German first; both stand side by side in templates ({% t %}), gettext serves Django's and allauth's own.
USE_I18N = True
LANGUAGES = [("de", "Deutsch"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "sprache"

# Static files are served from the installed package; their address names their content.
STATIC_URL = f"/static/{_digest(*(face / 'static' for face in _FACES.iterdir() if (face / 'static').is_dir()))}/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = ".*"

# Sessions, cookies, transport.
TLS = TORWART_ENVIRONMENT == "live" or os.environ.get("TORWART_TLS") == "1"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "torwart_session"
SESSION_COOKIE_AGE = 8 * 3600  # a working day
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = TLS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = False  # the proxy that ends TLS redirects; we see http only
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TORWART_PROXIES else None
SECURE_HSTS_SECONDS = 2 * 365 * 86_400 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "torwart.faces._design.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # KERN draws its check marks and arrows as data: masks
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# What can be asked again and again is counted in the database, which all processes share.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "torwart_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Accounts: by e-mail address, by invitation only (services.user), passkeys and TOTP.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": _VALIDATION + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {
        "NAME": _VALIDATION + "UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name", "first_name")},
    },
    {"NAME": _VALIDATION + "CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "torwart.faces.account.adapter.Adapter"
ACCOUNT_FORMS = {
    "login": "torwart.faces.account.forms.SignIn",
    "reauthenticate": "torwart.faces.account.forms.Reauthenticate",
    "change_password": "torwart.faces.account.forms.ChangePassword",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # the invitation went to the address
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,6/15m/key",
    "reauthenticate": "10/m/user",
    "change_password": "6/15m/user",
    "reset_password": "20/m/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "signup": "1/d/ip",
}
MFA_ADAPTER = "torwart.faces.account.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "torwart.faces.account.forms.Code",
    "reauthenticate": "torwart.faces.account.forms.ReauthenticateCode",
    "deactivate_totp": "torwart.faces.account.forms.DeactivateTotp",
    "activate_totp": "torwart.faces.account.forms.ActivateTotp",
    "add_webauthn": "torwart.faces.account.forms.AddPasskey",
    "login_webauthn": "torwart.faces.account.forms.SignInByPasskey",
    "edit_webauthn": "torwart.faces.account.forms.NamePasskey",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Torwart" if TORWART_ENVIRONMENT == "live" else "Torwart Test"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not TLS
