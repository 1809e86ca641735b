"""The web as a WSGI application, for ``torwart web`` and any other WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "torwart.config.web_settings")
application = get_wsgi_application()
