"""The web process: `granian --interface asgi --http 1 governance.asgi:application`.

An event loop receives what is sent, under deadlines, and threads answer by WSGI.
"""

from django.conf import settings
from django.urls import reverse

from governance.wsgi import application as answer_by_wsgi

# isort: split
# These need Django's apps, which that has loaded.
from governance.gateways.check.forwarding import is_check_path
from governance.platform.open_files import allow_many_open_files
from governance.web.key_lookup import UsableKeys
from governance.web.receiving import ReceiveBodies, limits
from governance.web.threads import AnswerInThreads

allow_many_open_files()
_LITELLM_AT = reverse("api:litellm-usage")
application = ReceiveBodies(
    AnswerInThreads(answer_by_wsgi, threads=settings.WEB_THREADS),
    limits(of_a_key=settings.BODIES_OF_A_KEY, seconds=settings.BODY_SECONDS),
    is_usable=UsableKeys().is_usable,
    is_forwarded=is_check_path,
    drops_at_429=lambda path: path == _LITELLM_AT,
)
