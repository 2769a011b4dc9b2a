"""Sessions of sign-ins and their entries, written where Django says that they happened."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.platform.transactions import retried_transaction
from governance.staff.browsers import describe_browser
from governance.staff.client_address import get_shown_address
from governance.staff.models import User
from governance.staff.sessions import begin_session
from governance.staff.sign_in_steps import FACTOR


@receiver(user_logged_in)
@retried_transaction
def note_sign_in(*, request: HttpRequest, user: User, **_: Any) -> None:
    now, browser = timezone.now(), describe_browser(request.headers.get("User-Agent", ""))
    begin_session(request.session, user, address=get_shown_address(request), browser=browser, now=now)
    factor = request.session.get(FACTOR)
    details = {"factor": factor} if factor else {}
    record(Verb.SIGN_IN_SUCCEEDED, subject=("sign_in", user.email), by=user.actor, now=now, details=details)


@receiver(user_logged_out)
@retried_transaction
def note_sign_out(*, user: User, **_: Any) -> None:
    record(Verb.SIGN_IN_ENDED, subject=("sign_in", user.email), by=user.actor, now=timezone.now())
