"""What a WSGI server such as Granian serves: `granian --interface wsgi governance.wsgi:application`."""

import os
from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
os.environ.setdefault("DATABASE_POOL", "8")
_django = get_wsgi_application()

from governance.enforcement.access.front import Front  # noqa: E402 - it needs Django's apps to be loaded

# Every process that answers imports this after it was forked.
_clock = partial(datetime.now, UTC)  # timezone.now() takes a tenth of the time of a check
application = Front(_django, _clock, closed_plans=settings.FAIL_CLOSED_PLANS, waiting=settings.GATEWAYS_WAITING)
application.start()
