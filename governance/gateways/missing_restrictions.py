"""The restrictions that some gateway in use has not applied or removed yet: what is counted is what is listed."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from governance.gateways.activity import KnownGateway, fetch_rows
from governance.gateways.status import EnforcementState, Expected

# Those with a change that not every gateway has, and those that are published in part; where a gateway has not entered
# the newest epoch, all that are in force. `since` is a change of that restriction alone, so it tells rows apart. What
# ended before any gateway had heard of it is left out: there is nothing to remove.
MISSING: Final = """
    SELECT number, since, total FROM (
        SELECT number, min(since) AS since, count(*) OVER () AS total FROM (
            SELECT restriction_id AS number, min(number) AS since FROM restrictions_change AS late
            WHERE number > %(least)s AND NOT EXISTS (
                SELECT FROM restrictions_restriction AS ended
                WHERE ended.number = late.restriction_id AND ended.ended_at IS NOT NULL
                  AND (SELECT min(began.number) FROM restrictions_change AS began
                       WHERE began.restriction_id = ended.number) > %(most_known)s
            ) GROUP BY restriction_id
            UNION
            SELECT number, number FROM restrictions_restriction
            WHERE (ended_at IS NULL AND (%(all)s OR published_in_full_by IS NULL)) OR is_end_unpublished
        ) lacking
        GROUP BY number
    ) missing
    WHERE since > %(after)s ORDER BY since LIMIT %(most)s
"""


class MissingRestrictions(NamedTuple):
    """The numbers of some of them, how many there are in all, and after which change the next page starts."""

    numbers: list[int]
    total: int
    next_after: int | None


def find_missing_restrictions(
    expected: Expected, known: Sequence[KnownGateway], *, most: int, after: int = 0
) -> MissingRestrictions:
    """Return those that are due the longest, behind the change `after`. In one query, or none where nothing is missing.

    On a page behind the last one `total` is 0.
    """
    states = [(one.activity, one.activity.state(expected)) for one in known if one.is_in_use]
    lacking = [
        activity.sequence
        for activity, state in states
        if state is EnforcementState.NOT_YET and activity.sequence is not None
    ]
    if not lacking:
        return MissingRestrictions([], 0, None)
    least, most_known = min(lacking), max(lacking)
    is_all = least < expected.starts_after
    rows = fetch_rows(MISSING, least=least, most_known=most_known, all=is_all, after=after, most=most + 1)
    shown = rows[:most]
    return MissingRestrictions(
        [number for number, _, _ in shown],
        rows[0][2] if rows else 0,
        shown[-1][1] if len(rows) > most and shown else None,
    )
