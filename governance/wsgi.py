"""What a WSGI server such as Granian serves: `granian --interface wsgi governance.wsgi:application`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
os.environ.setdefault("DATABASE_POOL", "8")
_django = get_wsgi_application()

from governance.enforcement.access.front import Front  # noqa: E402 - it needs Django's apps to be loaded

# Every process that answers imports this after it was forked.
application = Front(_django, timezone.now, closed_plans=settings.FAIL_CLOSED_PLANS, waiting=settings.GATEWAYS_WAITING)
application.start()
