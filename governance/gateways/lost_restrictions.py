"""Puts restrictions that the database lost into force again, each by itself where one of them is impossible."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import DataError, IntegrityError

from governance.audit.actor import Actor
from governance.gateways.models import LostDecision
from governance.restrictions.actions import restrict_all
from governance.restrictions.activation import find_active
from governance.restrictions.conflicts import ConflictingKeyError, StartsLaterError
from governance.restrictions.models import Restriction
from governance.restrictions.names import Target
from governance.restrictions.restoration import match_targets
from governance.restrictions.terms import Terms

# What makes it impossible to restrict somebody again, so that it is left to a person.
IMPOSSIBLE: Final = (StartsLaterError, ConflictingKeyError, DataError, IntegrityError, ValueError, OverflowError)


def restrict_again(
    found: Sequence[tuple[LostDecision, Target]], terms: Terms, *, made_for: str, by: Actor, now: datetime
) -> None:
    """Restrict who is not restricted so for all that time already, and say by which restriction each is, or why not.

    `made_for` is in the unique keys: what is settled never meets what was made, and has ended, before.
    """
    same = find_active(Restriction.objects.filter(match_targets([target for _, target in found]), kind=terms.kind))
    current = {one.target: one for one in same if _covers(one, terms, now=now)}
    first: dict[Target, LostDecision] = {}
    for decision, target in found:
        decision.restriction = current.get(target)
        if decision.restriction is None:
            first.setdefault(target, decision)
    targets = [(target, f"{made_for}:{one.epoch_id}:{one.number}:{one.pk}") for target, one in first.items()]
    try:
        made = restrict_all(targets, terms, by=by, now=now).restrictions if targets else []
    except IMPOSSIBLE as error:
        if len(found) > 1:  # one that is impossible keeps no other from being in force
            for one in found:
                restrict_again([one], terms, made_for=made_for, by=by, now=now)
        else:
            is_explained = isinstance(error, StartsLaterError)
            found[0][0].problem = (
                str(error) if is_explained else "Its terms are not valid: restrict the account yourself, and drop this."
            )
        return
    again = dict(zip(first, made, strict=True))
    for decision, target in found:
        decision.restriction = decision.restriction or again.get(target)


def _covers(restriction: Restriction, terms: Terms, *, now: datetime) -> bool:
    """Whether it asks the same, and is in force from the start to the end that are asked for."""
    if restriction.terms.as_feed_json() != terms.as_feed_json():
        return False
    ends = restriction.effective_until
    is_long_enough = ends is None or (terms.until is not None and ends >= terms.until)
    return is_long_enough and restriction.in_force_from <= terms.start(now)
