"""Pages and API by WSGI. The web process is governance/asgi.py, whose threads answer by this."""

import os

from django.conf import settings

from governance.platform import timeouts
from governance.web.utf8_requests import wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
os.environ.setdefault("DATABASE_POOL", "8")
timeouts.set_process_kind("web")
_django = wsgi_application()

# These need Django's apps to be loaded.
from governance.gateways.check.forwarding import ForwardToCheck, forwarded_at_once, is_check_path  # noqa: E402
from governance.web.plain_http import RefusePlainHttp  # noqa: E402

_pages_and_check = ForwardToCheck(_django, settings.CHECK_URL, at_once=forwarded_at_once(settings.WEB_THREADS))
application = RefusePlainHttp(_pages_and_check, is_asked_by_gateways=is_check_path)
