"""What a WSGI server such as Granian serves: `granian --interface wsgi governance.wsgi:application`."""

import os
from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from governance import timeouts

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
os.environ.setdefault("DATABASE_POOL", "8")
timeouts.say_kind("web")
_django = get_wsgi_application()

# These need Django's apps to be loaded.
from governance.enforcement.access.front import Front  # noqa: E402
from governance.usage.body import MOST_BYTES_INFLATED  # noqa: E402
from governance.web.lengths import LengthMiddleware  # noqa: E402

# Every process that answers imports this after it was forked.
_clock = partial(datetime.now, UTC)  # timezone.now() takes a tenth of the time of a check
application = Front(
    LengthMiddleware(_django, most=MOST_BYTES_INFLATED),
    _clock,
    closed_plans=settings.FAIL_CLOSED_PLANS,
    waiting=settings.GATEWAYS_WAITING,
    unreadable_as_outage=settings.UNREADABLE_NAMES == "outage",
)
application.start()
