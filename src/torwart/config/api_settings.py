"""Django settings of the EMT–GWA interface: no accounts, no sessions, no pages; nothing but what comes with proof."""

from torwart.config.installation import partner_files, secret, secret_key
from torwart.config.settings import *  # noqa: F403  one truth for database, time and who we are
from torwart.config.settings import TORWART_SANDBOX

DEBUG = False
SECRET_KEY = secret_key()
TORWART_API_SECRET = secret("api")
TORWART_WEBHOOK_SECRET = secret("webhook")
TORWART_BDEW_TLS = partner_files()
ALLOWED_HOSTS = ["*"]  # the front decides who gets here, and the host's name decides nothing
ROOT_URLCONF = "torwart.faces.emt_api.sandbox_urls" if TORWART_SANDBOX else "torwart.faces.emt_api.urls"
MIDDLEWARE = ["torwart.faces.emt_api.middleware.Interface"]
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
USE_I18N = False
