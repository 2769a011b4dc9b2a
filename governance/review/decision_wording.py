"""What pages and histories say of a decision."""

from governance.review.models import Decision
from governance.review.wording import outcome_word
from governance.web.counts import pluralize


def describe_targets(decision: Decision) -> str:
    """Return whom a decision is about, as the subject of a sentence."""
    if decision.scope == Decision.Scope.CAMPAIGN:
        return f"{pluralize(count_campaign_accounts(decision), 'account')} of the campaign"
    if decision.restriction is not None and decision.restriction.organisation is not None:
        return f"all of {decision.restriction.organisation}"
    return decision.case.subject


def describe_decision(decision: Decision) -> str:
    """Return who was decided about, what, why and by which clause, and the note, as the history of the case has it."""
    why = ", ".join(filter(None, (decision.get_reason_display(), decision.terms_clause)))
    return f"{describe_targets(decision)}: {outcome_word(decision.action)}. {why}.\n{decision.note}".strip()


def count_campaign_accounts(decision: Decision) -> int:
    """Return how many accounts of its campaign a decision is about."""
    return decision.targets.covered().count()
