"""Which reasons people are offered, and the terms clause that follows from each."""

from django.conf import settings

from governance.configuration import queries as configuration
from governance.configuration.queries import ReasonSetting
from governance.restrictions.reasons import Reason


def usual_reason_settings() -> dict[str, ReasonSetting]:
    """Return what counts of each reason until staff set it: all are offered, with the clauses of REASON_CLAUSES."""
    return {reason.value: ReasonSetting(terms_clause=settings.REASON_CLAUSES.get(reason, "")) for reason in Reason}


def get_reason_settings() -> dict[str, ReasonSetting]:
    """Return what counts of each reason now. One query."""
    return {**usual_reason_settings(), **configuration.get_reason_overrides()}
