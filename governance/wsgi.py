"""What a WSGI server such as Granian serves: `granian --interface wsgi governance.wsgi:application`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import reverse

from governance.platform import timeouts

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
os.environ.setdefault("DATABASE_POOL", "8")
timeouts.set_process_kind("web")
_django = get_wsgi_application()

# These need Django's apps to be loaded.
from governance.gateways.check.forwarding import ForwardToCheck, is_check_path  # noqa: E402
from governance.usage.request_body import MAX_BYTES_INFLATED  # noqa: E402
from governance.web.bodies import LimitBodies  # noqa: E402
from governance.web.lengths import LengthMiddleware  # noqa: E402
from governance.web.plain_http import RefusePlainHttp  # noqa: E402

_LITELLM_AT = reverse("api:litellm-usage")
_reading = LimitBodies(
    LengthMiddleware(_django, most=MAX_BYTES_INFLATED),
    of_a_key=settings.BODIES_OF_A_KEY,
    drops_at_429=lambda path: path == _LITELLM_AT,
)
_serving = ForwardToCheck(_reading, settings.CHECK_URL)
application = RefusePlainHttp(_serving, is_asked_by_gateways=is_check_path)
