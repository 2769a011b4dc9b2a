"""Ceilings that staff decisions set for policies: the strongest restriction a policy may put on an account."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Q

from governance.detection.models import Assessment
from governance.restrictions.models import Restriction
from governance.restrictions.models.restriction import RESTORED
from governance.review.models import Decision, DecisionTarget, Dismissal
from governance.review.reopening_rules import is_materially_worse

NO_KIND: Final = -1
DISMISSED: Final = "Staff dismissed the case, and the evidence is much the same since."
LIFTED: Final = "Staff removed a restriction, and the evidence is much the same since."
MILDER: Final = "Staff chose a milder action, and the evidence is much the same since."

Ending = Restriction.Ending
BY_STAFF: Final = "staff:"
# Restrictions that say what staff thinks of a customer: those that a person made, whether by a decision about this
# account or about a campaign, and those that a person or a machine of the company lifted. What expired says nothing;
# what came back when another expired is no new opinion.
SHOWS_STAFF_OPINION: Final = (
    Q(author__startswith=BY_STAFF) & ~Q(unique_key__startswith=RESTORED)
    | Q(ending__in=(Ending.LIFTED, Ending.UNDONE)) & ~Q(ended_by__startswith="system:")
    | Q(ending=Ending.REPLACED, ended_by__startswith=BY_STAFF)
    | Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by__startswith="system:")
)
# From a restriction to the accounts that it is on, or was on.
PATHS: Final = ("account", "key__account", "organisation__accounts", "covered_accounts__account")
ACT_FIELDS: Final = (
    *("kind", "author", "starts_at", "ended_at", "ending", "ended_by", "withdrawn_at", "withdrawn_by"),
)


class StaffCeiling(NamedTuple):
    """Policies may not restrict an account by kinds stronger than `strength`; below 0 by none."""

    strength: int
    because: str


class EvidenceThen(NamedTuple):
    score: int
    families: frozenset[str]


class StaffAct(NamedTuple):
    """Something that staff did about an account, and the ceiling that follows.

    `rank` orders what was done at one moment: what replaces a restriction counts, not that the other ended. `seen` is
    the evidence that a decision names; for other acts it is what was the newest then.
    """

    at: datetime
    rank: int
    ceiling: StaffCeiling
    seen: EvidenceThen | None = None


def get_staff_ceilings(assessments: Sequence[Assessment]) -> dict[int, StaffCeiling]:
    """Return the ceiling for each account that staff was lenient with, unless the evidence is materially worse since.

    The last act of staff about an account counts: a decision, a restriction, or lifting a restriction of any author.
    It counts for every policy and does not expire.
    """
    current = {one.account_id: one for one in assessments}
    newest: dict[int, StaffAct] = {}
    for account, act in (*_decisions(current), *_restrictions(current)):
        before = newest.get(account)
        if before is None or (act.at, act.rank) > (before.at, before.rank):
            newest[account] = act
    seen = _evidence_at({account: act.at for account, act in newest.items() if act.seen is None})
    ceilings = {}
    for account, act in newest.items():
        then = act.seen or seen.get(account, EvidenceThen(0, frozenset()))
        now = current[account]
        if not is_materially_worse(now.score, now.families, then_score=then.score, then_families=then.families):
            ceilings[account] = act.ceiling
    return ceilings


def _decisions(accounts: Collection[int]) -> Iterator[tuple[int, StaffAct]]:
    """The newest decision about each account that was not undone, and the newest about a campaign that covered it."""
    decisions = Decision.objects.not_undone().filter(case__account__in=accounts).select_related("case", "assessment")
    for one in decisions.order_by("case__account_id", "-number").distinct("case__account_id"):
        assert one.case.account_id is not None  # noqa: S101 - as filtered
        yield one.case.account_id, _decided(one, one.assessment)
    covered = DecisionTarget.objects.covered().standing().filter(account__in=accounts)
    in_full = covered.select_related("decision", "assessment")
    for target in in_full.order_by("account_id", "-decision__number").distinct("account_id"):
        yield target.account_id, _decided(target.decision, target.assessment)


def _decided(decision: Decision, seen: Assessment | None) -> StaffAct:
    dismissed = decision.action == Dismissal.DISMISS
    ceiling = (
        StaffCeiling(NO_KIND, DISMISSED) if dismissed else StaffCeiling(Restriction.strength(decision.action), MILDER)
    )
    evidence = EvidenceThen(seen.score, seen.families) if seen is not None else None
    return StaffAct(decision.decided_at, 2, ceiling, evidence)


def _restrictions(accounts: Collection[int]) -> Iterator[tuple[int, StaffAct]]:
    """Yield what staff restricted and lifted: on the accounts, their keys, and organisations they have or had then."""
    telling = Restriction.objects.order_by().filter(SHOWS_STAFF_OPINION)
    # In one query, of which each part has its index.
    by_account, *others = [
        telling.filter(**{f"{account}__in": list(accounts)}).values_list(account, *ACT_FIELDS) for account in PATHS
    ]
    for about, *fields in by_account.union(*others, all=True):
        for act in _acts(*fields):
            yield about, act


def _acts(
    kind: str,
    author: str,
    starts_at: datetime,
    ended_at: datetime | None,
    ending: str,
    ended_by: str,
    withdrawn_at: datetime | None,
    withdrawn_by: str,
) -> Iterator[StaffAct]:
    if author.startswith(BY_STAFF):
        yield StaffAct(starts_at, 1, StaffCeiling(Restriction.strength(kind), MILDER))
    lifted = ending in {Ending.LIFTED, Ending.UNDONE} and not ended_by.startswith("system:")
    if ended_at is not None and (lifted or (ending == Ending.REPLACED and ended_by.startswith(BY_STAFF))):
        yield StaffAct(ended_at, 0, StaffCeiling(NO_KIND, LIFTED))
    if withdrawn_at is not None and not withdrawn_by.startswith("system:"):
        yield StaffAct(withdrawn_at, 0, StaffCeiling(NO_KIND, LIFTED))


# The newest assessment of each account at its own moment.
EVIDENCE_AT: Final = """
    SELECT act.account, seen.score, ARRAY(
        SELECT finding->>'family' FROM jsonb_array_elements(seen.findings) finding
        WHERE (finding->>'points')::float > 0
    )
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS act (account, at)
    CROSS JOIN LATERAL (
        SELECT score, findings FROM detection_assessment
        WHERE account_id = act.account AND assessed_at <= act.at
        ORDER BY assessed_at DESC, id DESC LIMIT 1
    ) seen
"""


def _evidence_at(moments: Mapping[int, datetime]) -> dict[int, EvidenceThen]:
    if not moments:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(EVIDENCE_AT, [[*moments], [*moments.values()]])
        return {account: EvidenceThen(score, frozenset(families)) for account, score, families in cursor.fetchall()}
