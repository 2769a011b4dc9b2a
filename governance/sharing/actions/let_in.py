"""Notice that a released share names accounts that were let in again, so that somebody takes it back."""

from datetime import datetime

from governance.restrictions.queries import find_denied_account_pks
from governance.sharing.models import Share


def count_let_in(*, now: datetime) -> int:
    """Count of each released share how many of its accounts were let in again. Return how many shares have such.

    It is no reason to take back the rest by itself: a campaign of thousands is not unnamed because of one of them.
    """
    shares = list(Share.objects.filter(state=Share.State.RELEASED).only("account_pks", "let_in"))
    denied = find_denied_account_pks({pk for share in shares for pk in share.account_pks}, now=now)
    found = {share: len(set(share.account_pks) - denied) for share in shares}
    for share, number in found.items():
        if number != share.let_in:
            Share.objects.filter(pk=share.pk, state=Share.State.RELEASED).update(let_in=number)
    return sum(number > 0 for number in found.values())
