from governance.restrictions.models.covered import CoveredAccount, CoveredName
from governance.restrictions.models.feed import Change, FeedEpoch
from governance.restrictions.models.lifted import LiftedOrigin
from governance.restrictions.models.lost import LostName
from governance.restrictions.models.restriction import Restriction, RestrictionQuerySet

__all__ = [
    "Change",
    "CoveredAccount",
    "CoveredName",
    "FeedEpoch",
    "LiftedOrigin",
    "LostName",
    "Restriction",
    "RestrictionQuerySet",
]
