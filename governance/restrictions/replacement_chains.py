"""Chains of replaced restrictions: what would be restored after each one, and until when it is effective."""

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, Final

from django.db import connection
from django.db.models import BooleanField, Func

from governance.restrictions.models import Restriction

# From each restriction back over what it replaced. What was lifted ends the way, with all that it had replaced. What a
# decision took the place of does not return itself; what that had replaced does.
_CHAINS: Final = """
    WITH RECURSIVE chain AS (
        SELECT place, array_agg(before) AS before, 0 AS step, NULL::bigint AS number, false AS would_return
        FROM unnest(%(places)s::int[], %(before)s::bigint[]) AS top (place, before)
        GROUP BY place
        UNION ALL
        SELECT chain.place, one.replaced_numbers, chain.step + 1, one.number,
               one.withdrawal = '' AND one.superseded_by = ''
        FROM chain JOIN restrictions_restriction one ON one.number = ANY(chain.before)
        WHERE one.withdrawal <> 'lifted'
    )
    SELECT place, number FROM chain WHERE would_return ORDER BY place, step, number DESC
"""

# Those over which something else was lifted, which ended them for good. What a decision took the place of was not.
_LIFTED_OVER: Final = """
    WITH RECURSIVE above AS (
        SELECT number AS replaced, number, false AS lifted FROM unnest(%(numbers)s::bigint[]) AS replaced (number)
        UNION ALL
        SELECT above.replaced, one.number,
               one.withdrawal = 'lifted' OR (one.ending = 'lifted' AND one.superseded_by = '')
        FROM above JOIN restrictions_restriction one ON one.replaced_numbers @> ARRAY[above.number]
    )
    SELECT DISTINCT replaced FROM above WHERE lifted
"""

_TAKEN_OUT: Final = """
    UPDATE restrictions_restriction SET replaced_numbers = ARRAY(
        SELECT number FROM unnest(replaced_numbers) WITH ORDINALITY AS one (number, place)
        WHERE number <> ALL(%(numbers)s::bigint[]) ORDER BY place
    )
    WHERE replaced_numbers && %(numbers)s::bigint[]
"""


class IsRestorable(Func):
    """Whether a replaced restriction is restored when what took its place expires: there is something in force over it,
    with nothing between that was lifted.
    """

    template = """EXISTS (
        WITH RECURSIVE above AS (
            SELECT %(expressions)s AS number, false AS is_live
            UNION ALL
            SELECT one.number, one.ended_at IS NULL
            FROM above JOIN restrictions_restriction one ON one.replaced_numbers @> ARRAY[above.number]
            WHERE one.withdrawal <> 'lifted'
        )
        SELECT FROM above WHERE is_live
    )"""
    output_field = BooleanField()


def restorable_chains(restrictions: Sequence[Restriction]) -> list[list[Restriction]]:
    """For each of these what it replaced that was neither lifted, undone nor superseded, the newest first."""
    chains: list[list[Restriction]] = [[] for _ in restrictions]
    tops = [(place, number) for place, one in enumerate(restrictions) for number in one.replaced_numbers]
    if not tops:
        return chains
    values: dict[str, Any] = {
        "places": [place for place, _ in tops],
        "before": [number for _, number in tops],
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS, values)
        found = cursor.fetchall()
    with_target = Restriction.objects.select_related("account", "key__account", "organisation")
    known = with_target.in_bulk({number for _, number in found}) if found else {}
    for place, number in found:
        chains[place].append(known[number])
    return chains


def find_replaced_by_lifted(numbers: Collection[int]) -> set[int]:
    """Return those of these restrictions whose replacement has been lifted."""
    with connection.cursor() as cursor:
        cursor.execute(_LIFTED_OVER, {"numbers": list(numbers)})
        return {number for (number,) in cursor.fetchall()}


def remove_from_chains(numbers: Collection[int]) -> None:
    """Remove these from every chain, so that they are not restored any more."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_OUT, {"numbers": list(numbers)})


def set_effective_until(restrictions: Sequence[Restriction]) -> None:
    """Set `effective_until` of each: its own end, or the end of what would be restored after it without a gap."""
    for one in restrictions:
        one.effective_until = one.expires_at
    timed = [one for one in restrictions if one.expires_at is not None]
    for one, chain in zip(timed, restorable_chains(timed), strict=True):
        for before in sorted(chain, key=attrgetter("in_force_from")):
            if one.effective_until is None or before.in_force_from > one.effective_until:
                break
            if before.expires_at is None or before.expires_at > one.effective_until:
                one.effective_until = before.expires_at


def list_restorations_after_gap(restrictions: Sequence[Restriction]) -> list[tuple[int, Restriction]]:
    """Return what these replaced and what begins again only after a gap, each with the number of the one that replaced
    it. Such a restriction is published with its own times.
    """
    timed = [one for one in restrictions if one.effective_until is not None]
    return [
        (one.number, before)
        for one, chain in zip(timed, restorable_chains(timed), strict=True)
        for before in chain
        if one.effective_until is not None and before.in_force_from > one.effective_until
    ]
