"""The web as a WSGI application, for ``torwart web`` and any other WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from torwart.config.serving import end_with_server, settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "torwart.config.web_settings")
end_with_server()
application = get_wsgi_application()
settle()
