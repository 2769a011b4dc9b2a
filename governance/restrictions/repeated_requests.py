"""Requests that are sent again: the restrictions that their unique keys made before."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from governance.campaigns.models import Campaign
from governance.restrictions.conflicts import ConflictingKeyError, Difference
from governance.restrictions.models import Change, Restriction
from governance.restrictions.names import Target, target_reference
from governance.restrictions.queries import find_newest_numbers


class EarlierRestriction(NamedTuple):
    """A restriction that a key made, and when; `newest` is as what it was restored last, or else itself."""

    restriction: Restriction
    made_at: datetime
    newest: Restriction


def find_earlier_restrictions(unique_keys: Sequence[str]) -> dict[str, EarlierRestriction]:
    """Return the restriction that each of these keys made, for those that made one."""
    found = Restriction.objects.select_related("account", "key", "organisation").filter(unique_key__in=unique_keys)
    by_number = found.in_bulk()
    if not by_number:
        return {}
    numbers = find_newest_numbers(by_number)
    newest = Restriction.objects.select_related("account", "key", "organisation").in_bulk(set(numbers.values()))
    made_at = dict(Change.objects.filter(number__in=by_number).values_list("number", "at"))
    return {
        one.unique_key: EarlierRestriction(one, made_at[number], newest[numbers[number]])
        for number, one in by_number.items()
    }


def raise_if_other_scope(origins: Collection[str], target: Target, campaign: Campaign | None) -> None:
    """Raises ConflictingKeyError where a key was used before for a campaign and now is not, or conversely."""
    same = Q(campaign=campaign.pk) if campaign else Q(campaign=None)
    other = Restriction.objects.filter(origin__in=origins).exclude(same).order_by("number").first()
    if other is None:
        return
    before, now = (
        f"campaign {one}" if one else "no campaign" for one in (other.campaign_id, campaign.pk if campaign else None)
    )
    raise ConflictingKeyError(
        other, {"target": Difference(before, now if campaign else " ".join(target_reference(target)))}
    )
