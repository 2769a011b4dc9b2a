"""Which accounts staff let be, so that a decision about their campaign does not cover them."""

from collections.abc import Sequence

from governance.review.models import Decision, DecisionTarget, Dismissal


def why_left_out(accounts: Sequence[int]) -> dict[int, str]:
    """Return which of these accounts the last decision about them let be, and why: one about their campaign that left
    them out, or one on their own case that dismissed it.
    """
    last = DecisionTarget.objects.last_about(accounts).values_list("account", "left_out_because", "decision__number")
    said = {account: (number, because) for account, because, number in last}
    own = Decision.objects.not_undone().filter(case__account__in=accounts, scope=Decision.Scope.ACCOUNT)
    for one in own.select_related("case", "decided_by").order_by("number"):
        account = one.case.account_id
        if account is not None and one.number > said.get(account, (0, ""))[0]:
            is_dismissed = one.action == Dismissal.DISMISS
            said[account] = one.number, f"{one.decided_by} dismissed it." if is_dismissed else ""
    return {account: because for account, (_, because) in said.items() if because}
