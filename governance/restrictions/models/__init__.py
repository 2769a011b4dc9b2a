from governance.restrictions.models.feed import Change, FeedEpoch
from governance.restrictions.models.restriction import (
    CoveredAccount,
    CoveredName,
    Reason,
    Restriction,
    RestrictionQuerySet,
)

__all__ = [
    "Change",
    "CoveredAccount",
    "CoveredName",
    "FeedEpoch",
    "Reason",
    "Restriction",
    "RestrictionQuerySet",
]
