"""Questions about sign-ins, answered from the log."""

from datetime import datetime, timedelta

from governance.audit.models import Entry

ATTEMPTS_ALLOWED = 8
ATTEMPTS_ARE_COUNTED_FOR = timedelta(minutes=15)


def too_many_failures(email: str, *, now: datetime) -> bool:
    """Whether this address failed to sign in so often of late that the next attempt must wait."""
    since = now - ATTEMPTS_ARE_COUNTED_FOR
    failures = Entry.objects.about("sign_in", email.casefold()).filter(verb="sign_in.failed", at__gt=since)
    return failures[:ATTEMPTS_ALLOWED].count() >= ATTEMPTS_ALLOWED
