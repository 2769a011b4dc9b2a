"""The process of the check and the feed: `granian --interface asgi governance.check:application`.

Gateways ask here at every request of a customer, so it serves nothing else: no page, no other API, none of the
parsers that read what customers send. It needs neither the broker nor Django's request handling, and goes on
answering while PostgreSQL is away, also where it starts meanwhile: by what it finds in CHECK_FOLDER.
"""

import os
from datetime import UTC, datetime
from functools import partial

import django
from django.conf import settings

from governance.platform import timeouts
from governance.platform.open_files import allow_many_open_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
timeouts.set_process_kind("web")
django.setup()

# Needs Django's apps to be loaded.
from governance.gateways.check.app import CheckApp  # noqa: E402
from governance.gateways.check.saved_state import StateStore  # noqa: E402

allow_many_open_files()
# Every process that answers imports this after it was forked. timezone.now() takes a tenth of the time of a check.
application = CheckApp(
    partial(datetime.now, UTC),
    closed_plans=settings.FAIL_CLOSED_PLANS,
    waiting=settings.GATEWAYS_WAITING,
    unreadable_as_outage=settings.UNREADABLE_NAMES == "outage",
    peppers=settings.SERVICE_KEY_PEPPERS,
    store=StateStore(settings.CHECK_FOLDER, settings.SECRET_KEY),
)
