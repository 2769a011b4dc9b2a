"""The web process: `granian --interface asgi governance.asgi:application`.

It receives what is sent under deadlines, and answers by WSGI in threads.
"""

from django.conf import settings

from governance.wsgi import application as answer_by_wsgi

# isort: split
# Needs Django's apps, which that has loaded.
from governance.web.threads import AnswerInThreads

application = AnswerInThreads(answer_by_wsgi, threads=settings.WEB_THREADS)
