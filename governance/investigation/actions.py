"""What people do with accounts beside their cases: the watch-list."""

from datetime import datetime

from accounts.models import Account
from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.detection.models import AccountScore
from governance.investigation.models import WatchedAccount
from governance.platform.transactions import retried_transaction
from governance.staff.models import User


@retried_transaction
def watch(account: Account, *, reason: str, by: User, now: datetime) -> bool:
    """Put the account on the watch-list. Return False if it is there already, and its entry stays as it is."""
    score = AccountScore.objects.filter(account=account).values_list("score", flat=True).first()
    defaults = {"reason": reason, "score": score, "added_at": now, "added_by": by}
    _, is_new = WatchedAccount.objects.get_or_create(account=account, defaults=defaults)
    if is_new:
        subject = ("account", account.external_id)
        record(Verb.ACCOUNT_WATCHED, subject=subject, by=by.actor, now=now, details={"reason": reason})
    return is_new


@retried_transaction
def unwatch(account: Account, *, reason: str, by: User, now: datetime) -> bool:
    """Take the account off the watch-list. Return False if it is not on it."""
    removed, _ = WatchedAccount.objects.filter(account=account).delete()
    if removed:
        subject = ("account", account.external_id)
        record(Verb.ACCOUNT_UNWATCHED, subject=subject, by=by.actor, now=now, details={"reason": reason})
    return bool(removed)
