"""What the page of a case says of its restrictions at the gateways."""

from datetime import datetime, timedelta
from typing import NamedTuple

from governance.gateways.restriction_status import EnforcementStatus
from governance.restrictions.models import Restriction

REFRESH_FOR = timedelta(minutes=2)


class RestrictionEnforcement(NamedTuple):
    """A restriction, and what is known of it at each gateway."""

    restriction: Restriction
    gateways: list[EnforcementStatus]


class EnforcementPanel(NamedTuple):
    """Everything in force against an account or lifted lately, gateway by gateway."""

    restrictions: list[RestrictionEnforcement]
    now: datetime

    @property
    def pending(self) -> bool:
        """Whether it is worth looking again in a second."""
        return any(at.waited < REFRESH_FOR and not at.is_settled for one in self.restrictions for at in one.gateways)
