"""Cases of campaigns: open, update and end them, and let the cases of members become part of them.

1. A campaign that shows a harvest has one case, which is as urgent as its member with the highest score.
2. The open cases of its members are part of it, and in no list by themselves. They leave when their account leaves the
   campaign, when it is left out of a decision, and when the campaign's case ends undecided. A case that somebody has
   claimed, that is assigned or that the leads are asked about stays in their lists, and joins when that is over.
3. A case whose campaign shows no harvest any more ends undecided. While the campaign has members, it stays open if
   somebody has claimed it, put it on hold, escalated it, or reopened it by hand.
4. A campaign that was decided about gets another case by `reopening_rules.campaign_needs_case`. One without a decision
   of its own counts as decided about if all its members were, with other campaigns: it was split off from them.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from governance.audit.actor import Actor
from governance.campaigns.models import Campaign, CampaignMember
from governance.detection.models import Assessment
from governance.detection.scoring import band_of
from governance.detection.thresholds import due_at
from governance.platform.transactions import retried_transaction
from governance.restrictions.queries import find_denied_account_pks
from governance.review.case_opening import apply_new_score
from governance.review.models import GIVEN_BACK, Case, CaseQuerySet, Decision, DecisionTarget, Dismissal, Step
from governance.review.reopening_rules import LastDecision, campaign_needs_case

PIPELINE: Final = Actor.system("pipeline")
# Of what was said of an account, the scores it was said on.
SCORED: Final = ("assessment", "decision__assessment")


def find_strongest_assessment(campaign: uuid.UUID | None) -> Assessment | None:
    """Return the newest assessment of the member with the highest score."""
    found = _strongest_assessments([campaign] if campaign is not None else [])
    return Assessment.objects.get(pk=next(iter(found.values())).pk) if found else None


def update_campaign_cases(*, now: datetime) -> None:
    """Open, update and end cases of campaigns by what the last search and the newest scores say. Idempotent."""
    has_case = Exists(Case.objects.filter(campaign=OuterRef("pk"), status=Case.Status.OPEN))
    if without := list(Campaign.objects.open().exclude(has_case).values_list("pk", flat=True)):
        _open_cases(without, now=now)
    opened = Case.objects.filter(status=Case.Status.OPEN, campaign__isnull=False)
    if over := list(_over(opened, now=now).values_list("pk", flat=True)):
        _end_cases(over, now=now)
    if outdated := _outdated_cases(opened):
        _update_cases(outdated, now=now)


def join_and_leave(*, now: datetime) -> None:
    """Let the open cases of members become part of their campaign's, and those of others leave it. Idempotent."""
    joining, leaving = dict(_joining(now=now)), list(_leaving().values_list("pk", flat=True))
    if joining or leaving:
        _join_and_leave(joining, leaving, now=now)


def release_left_out(decision: Decision, *, now: datetime) -> None:
    """Put the cases of members that a decision on the case of a campaign does not cover back into the queue.

    The caller holds their locks.
    """
    if not decision.is_about_campaign:
        return
    because = {target.account_id: target.left_out_because for target in decision.targets.left_out()}
    covered = decision.targets.covered().values("account")
    parts = list(Case.objects.filter(part_of=decision.case_id, status=Case.Status.OPEN).exclude(account__in=covered))
    Case.objects.filter(pk__in=[case.pk for case in parts]).update(part_of=None)
    texts = {
        case: f"Left out of the decision on its campaign. {because.get(case.account_id or 0, '')}".strip()
        for case in parts
    }
    _add_steps(texts, Step.Kind.LEFT, now=now)


class _Strongest(NamedTuple):
    """The newest assessment of the member with the highest score."""

    pk: int
    score: int


_STRONGEST: Final = """
SELECT campaign.id, strongest.id, strongest.score
FROM unnest(%s::uuid[]) AS campaign (id), LATERAL (
    SELECT newest.id, newest.score
    FROM campaigns_campaignmember AS member, LATERAL (
        SELECT id, score FROM detection_assessment WHERE account_id = member.account_id
        ORDER BY assessed_at DESC, id DESC LIMIT 1
    ) AS newest
    WHERE member.campaign_id = campaign.id AND member.left_at IS NULL AND member.left_out_because = ''
    ORDER BY newest.score DESC, newest.id LIMIT 1
) AS strongest
"""


def _strongest_assessments(campaigns: Collection[uuid.UUID]) -> dict[uuid.UUID, _Strongest]:
    with connection.cursor() as cursor:
        cursor.execute(_STRONGEST, [list(campaigns)])
        return {campaign: _Strongest(pk, score) for campaign, pk, score in cursor.fetchall()}


@retried_transaction
def _open_cases(campaigns: Collection[uuid.UUID], *, now: datetime) -> None:
    # Two processes at once would both find that there is no case.
    locked = Campaign.objects.open().select_for_update().filter(pk__in=campaigns).order_by("pk")
    pks = list(locked.values_list("pk", flat=True))
    has_case = Case.objects.filter(campaign__in=pks, status=Case.Status.OPEN).values_list("campaign", flat=True)
    strongest = _strongest_assessments(set(pks) - set(has_case))
    needing = _find_needing(strongest, now=now)
    new = [
        Case(
            campaign_id=pk,
            assessment_id=strongest[pk].pk,
            score=strongest[pk].score,
            band=band_of(strongest[pk].score),
            opened_at=now,
            due_at=due_at(strongest[pk].score, opened_at=now),
        )
        for pk in sorted(needing)
    ]
    Case.objects.bulk_create(new)
    why = [needing[pk] for pk in sorted(needing)]
    texts = {case: f"Score {case.score} ({case.band}). {text}".strip() for case, text in zip(new, why, strict=True)}
    _add_steps(texts, Step.Kind.OPENED, now=now)


def _find_needing(strongest: Mapping[uuid.UUID, _Strongest], *, now: datetime) -> dict[uuid.UUID, str]:
    """Return the campaigns that need a case, and what to say of why."""
    decided = Decision.objects.not_undone().filter(campaign__in=strongest).select_related("assessment")
    last = {one.campaign_id: one for one in decided.order_by("campaign_id", "-number").distinct("campaign_id")}
    known = DecisionTarget.objects.standing().filter(decision__campaign__in=strongest)
    decided_on = set(known.values_list("account", flat=True))
    members: dict[uuid.UUID, set[int]] = defaultdict(set)
    current = CampaignMember.objects.current().filter(campaign__in=strongest)
    for campaign, account in current.values_list("campaign", "account"):
        members[campaign].add(account)
    every = {one for some in members.values() for one in some}
    denied = find_denied_account_pks(every, now=now)
    words = {one.account_id: one for one in DecisionTarget.objects.last_about(every).select_related(*SCORED)}
    left_out = {account for account, said in words.items() if said.left_out_because}
    needing = {}
    for campaign, seen in strongest.items():
        decision = last.get(campaign)
        new = members[campaign] - decided_on if decision is not None else set()
        if campaign_needs_case(
            seen.score,
            earlier=_last_decision(decision, members[campaign] - denied, words),
            was_dismissed=decision is not None and decision.action == Dismissal.DISMISS,
            new_members=len(new - denied),
            members_left=len(members[campaign] - denied - left_out),
            now=now,
        ):
            needing[campaign] = f"{len(new)} new since the last decision." if new else ""
    return needing


def _last_decision(
    own: Decision | None, accounts: Collection[int], words: Mapping[int, DecisionTarget]
) -> LastDecision | None:
    """Return the last decision about a campaign: its own or, where decisions about other campaigns let all of these
    members be, theirs, as long ago as the oldest of these. A part of a campaign that was restricted is judged again.
    """
    if own is not None:
        return LastDecision(own.assessment.score, own.decided_at)
    if not accounts or not words.keys() >= set(accounts):
        return None
    said = [words[account] for account in accounts]
    if not all(one.left_out_because or one.decision.action == Dismissal.DISMISS for one in said):
        return None
    score = max((one.assessment or one.decision.assessment).score for one in said)
    return LastDecision(score, min(one.decision.decided_at for one in said))


def _over(opened: CaseQuerySet, *, now: datetime) -> CaseQuerySet:
    """Return those of these open cases that end undecided: see rule 3."""
    by_hand = Step.objects.filter(case=OuterRef("pk"), kind=Step.Kind.REOPENED)
    idle = opened.unclaimed(at=now).not_held(at=now).filter(~Exists(by_hand), escalated_at=None)
    has_no_members = Q(campaign__state=Campaign.State.CLOSED)
    return opened.exclude(campaign__state=Campaign.State.OPEN).filter(has_no_members | Q(pk__in=idle.values("pk")))


@retried_transaction
def _end_cases(pks: Collection[uuid.UUID], *, now: datetime) -> None:
    cases = Case.objects.filter(pk__in=pks, status=Case.Status.OPEN).order_by("pk")
    list(cases.select_for_update().values_list("pk"))
    over = list(_over(cases, now=now))
    ended = {"status": Case.Status.ENDED, "closed_at": now, **GIVEN_BACK}
    Case.objects.filter(pk__in=[case.pk for case in over]).update(**ended)
    because = "The accounts show no harvest together any more."
    _add_steps(dict.fromkeys(over, because), Step.Kind.ENDED, now=now)


def _outdated_cases(opened: CaseQuerySet) -> list[uuid.UUID]:
    """Return the open cases of campaigns whose strongest member has another assessment now."""
    cases = {campaign: (pk, seen) for pk, campaign, seen in opened.values_list("pk", "campaign", "assessment")}
    strongest = _strongest_assessments([*cases])
    return [cases[campaign][0] for campaign, seen in strongest.items() if seen.pk != cases[campaign][1]]


@retried_transaction
def _update_cases(pks: Collection[uuid.UUID], *, now: datetime) -> None:
    cases = list(
        Case.objects.select_for_update().filter(pk__in=pks, status=Case.Status.OPEN).order_by("pk")
    )  # fmt: skip
    strongest = _strongest_assessments([case.campaign_id for case in cases if case.campaign_id is not None])
    rescored = {}
    for case in cases:
        seen = strongest.get(case.campaign_id or uuid.UUID(int=0))
        if seen is None:
            continue
        score, band = case.score, case.band
        case.assessment_id, case.score, case.band = seen.pk, seen.score, band_of(seen.score)
        case.due_at = min(case.due_at, due_at(seen.score, opened_at=now))
        if case.score != score:
            rescored[case] = apply_new_score(case, score=score, band=band, now=now)
    Case.objects.bulk_update(cases, ["assessment", "score", "band", "due_at", "held_until"])
    _add_steps(rescored, Step.Kind.RESCORED, now=now)


def _joining(*, now: datetime) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    """Return the open cases of members that are not part of their campaign's open case yet, with that case."""
    alone = Case.objects.unclaimed(at=now).filter(
        status=Case.Status.OPEN,
        part_of=None,
        assigned_to=None,
        escalated_at=None,
        account__memberships__left_at=None,
        account__memberships__left_out_because="",
        account__memberships__campaign__cases__status=Case.Status.OPEN,
    )
    return alone.values_list("pk", "account__memberships__campaign__cases")


def _leaving() -> CaseQuerySet:
    """Return the cases that are part of a campaign's case and should not be.

    Those of a decision that is applied in batches stay: one of the next batches closes them.
    """
    is_member = CampaignMember.objects.current().filter(
        account=OuterRef("account"), campaign=OuterRef("part_of__campaign")
    )
    being_applied = Decision.objects.unfinished().filter(
        Q(case=OuterRef("part_of")) | Q(resolved_cases=OuterRef("part_of"))
    )
    stays = Q(Exists(is_member), part_of__status=Case.Status.OPEN) | Q(Exists(being_applied))
    return Case.objects.filter(status=Case.Status.OPEN, part_of__isnull=False).exclude(stays)


@retried_transaction
def _join_and_leave(joining: Mapping[uuid.UUID, uuid.UUID], leaving: Collection[uuid.UUID], *, now: datetime) -> None:
    """Cases are locked first, with those of their campaigns, so that nobody decides one of them in between."""
    concerned = {*joining, *joining.values(), *leaving}
    list(Case.objects.select_for_update().filter(pk__in=concerned).order_by("pk").values_list("pk"))
    left = list(_leaving().filter(pk__in=leaving))
    Case.objects.filter(pk__in=[case.pk for case in left]).update(part_of=None)
    _add_steps(dict.fromkeys(left, ""), Step.Kind.LEFT, now=now)
    still = {case: part_of for case, part_of in _joining(now=now) if case in joining and part_of in concerned}
    joined = list(Case.objects.filter(pk__in=still))
    for case in joined:
        case.part_of_id = still[case.pk]
    Case.objects.bulk_update(joined, ["part_of"])
    _add_steps(dict.fromkeys(joined, ""), Step.Kind.JOINED, now=now)


def _add_steps(texts: Mapping[Case, str], kind: Step.Kind, *, now: datetime) -> None:
    Step.objects.bulk_create(
        Step(case=case, kind=kind, at=now, by=str(PIPELINE), text=text) for case, text in texts.items()
    )
