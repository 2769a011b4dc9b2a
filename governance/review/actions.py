"""What people do with cases."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from governance.audit.actions import audit_log_lock, record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.campaigns.models import CampaignMember
from governance.detection.thresholds import due_at
from governance.platform.leases import lease_ended
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.restrictions.actions import lift, lift_campaign, supersede
from governance.restrictions.models import Restriction
from governance.review.campaign_cases import find_strongest_assessment, release_left_out
from governance.review.deciding import (
    decision_details,
    find_same_decision,
    is_one_unfinished,
    put_into_force,
    raise_who_won,
    refuse_unless_decidable,
)
from governance.review.decision_targets import (
    BATCH_SIZE,
    DecisionTargets,
    decision_targets,
    restrictions_replaced_first,
    write_targets,
)
from governance.review.decision_wording import describe_decision
from governance.review.inbox_items import settle_escalation
from governance.review.models import CLAIM_LASTS, GIVEN_BACK, Case, Decision, Dismissal, Step, origin_of
from governance.review.resolution import reopen_cases, resolve_cases
from governance.review.steps import add_step, add_steps, is_step_by
from governance.review.verdicts import NoMembersError, NoSuchScopeError, SeenMembers, Ticks, Verdict
from governance.staff import actions as staff
from governance.staff.models import User
from governance.usage.queries import DecryptedExcerpt, get_excerpts

# A browser sends a note again where the answer to the first request was lost.
SENT_AGAIN_WITHIN = timedelta(minutes=10)


@retried_transaction
def claim(case: Case, *, by: User, now: datetime) -> None:
    """Take the case for half an hour; claiming again prolongs it. Raises what `raise_who_won` does."""
    free = lease_ended("claimed_until", at=now, duration=CLAIM_LASTS) | Q(claimed_by=by)
    taken = Case.objects.filter(free, pk=case.pk, status=Case.Status.OPEN)
    if not taken.update(claimed_by=by, claimed_until=now + CLAIM_LASTS, is_handed_out=False):
        raise_who_won(case)
    if case.claimant(at=now) != by.pk:
        add_step(case, Step.Kind.CLAIMED, by=by.actor, now=now)


@retried_transaction
def release(case: Case, *, by: User, now: datetime) -> None:
    """Give the case back to the queue; nothing happens where somebody else has it."""
    claimed = Case.objects.filter(pk=case.pk, claimed_by=by, claimed_until__gt=now)
    if claimed.update(**GIVEN_BACK):
        add_step(case, Step.Kind.RELEASED, by=by.actor, now=now)


@retried_transaction
def release_all(*, user: User, by: Actor, now: datetime) -> int:
    """Give all cases that a user has claimed back to the queue. Return how many."""
    claimed = list(Case.objects.claimed(at=now).filter(claimed_by=user).select_for_update().order_by("pk"))
    Case.objects.filter(pk__in=[case.pk for case in claimed]).update(**GIVEN_BACK)
    add_steps(claimed, Step.Kind.RELEASED, by=by, now=now, text=f"{user.name} was shut out.")
    return len(claimed)


def shut_out_and_release(user: User, *, by: Actor, now: datetime) -> int:
    """Shut a user out and give back the cases they have claimed. Return how many cases that were.

    In two transactions: the log is locked last wherever cases are locked. Done again it does what was left undone.
    """
    staff.shut_out_user(user, by=by, now=now)
    return release_all(user=user, by=by, now=now)


@retried_transaction
def add_note(case: Case, *, text: str, by: User, now: datetime) -> Step:
    """Add a note to the history of the case. The same note sent again within minutes is the note that was stored."""
    Case.objects.select_for_update().get(pk=case.pk)
    newest = Step.objects.filter(case=case, kind=Step.Kind.NOTED, at__gt=now - SENT_AGAIN_WITHIN).first()
    if newest is not None and newest.text == text and is_step_by(newest, by):
        return newest
    return add_step(case, Step.Kind.NOTED, by=by.actor, now=now, text=text, details={"note": text})


@retried_transaction
def read_excerpts(case: Case, *, reason: str, by: User, now: datetime) -> list[DecryptedExcerpt]:
    """Decrypt the excerpts of prompts that are kept of the account. Each reading is an entry, with its reason."""
    assert case.account is not None  # noqa: S101 - campaigns have no excerpts
    excerpts = get_excerpts(case.account, at=now)
    details = {**case.subject_details, "excerpts": len(excerpts), "reason": reason}
    record(Verb.EXCERPTS_READ, subject=("case", str(case.pk)), by=by.actor, now=now, details=details)
    return excerpts


@retried_transaction
def decide(
    case: Case,
    verdict: Verdict,
    *,
    decision_id: uuid.UUID,
    by: User,
    now: datetime,
    ticks: Ticks | None = None,
    seen: SeenMembers | None = None,
    is_one_of_many: bool = False,
) -> Decision:
    """Decide the case, and put into force what follows, in one transaction; where it is about very many accounts, the
    first batch of it, and the rest soon after (see unfinished_decisions.py).

    That takes the place of what earlier decisions about the account put into force, on whatever account; on the case of
    a campaign, of what was decided on the accounts in `ticks`, which it covers. A decision about an organisation or a
    campaign closes the open cases of its other accounts as well.

    The same `decision_id` again answers with the decision that was made. Raises AlreadyDecidedError where somebody
    else decided first, CaseTakenError where somebody else has claimed the case, EscalatedFirstError where the leads
    are asked and `by` is none of them, CaseEndedError, NoSuchScopeError, LeftOutWithoutReasonError, MembersLeftError,
    and SentBeforeError where the same `decision_id` made another decision.

    Args:
        ticks: the accounts of a campaign, where the case is that of a campaign.
        seen: the members of the account's campaign whom the user was shown: those who joined later are not covered.
        is_one_of_many: it is decided with others, and nobody has looked at it by itself. Then PartOfCampaignError is
            raised where it is part of the case of its campaign, which is decided as one.
    """
    if (made := find_same_decision(case, verdict, ticks, decision_id)) is not None:
        return made
    reach = _reach(case, verdict, ticks, seen)
    locked, keys = _lock(case, reach.closed)
    if (made := find_same_decision(case, verdict, ticks, decision_id)) is not None:
        return made
    refuse_unless_decidable(locked, reach, is_one_of_many=is_one_of_many, by=by, now=now)
    audit_log_lock()
    earlier = restrictions_replaced_first(locked, reach)
    # Cases that an earlier decision about the same account closed with it, and that this one does not cover.
    covered_before = Case.objects.resolved_by_origins([one.origin for one in earlier])
    again = covered_before.filter(resolved_by__case__account=locked.account_id).reopenable().exclude(reach.covered)
    is_unfinished = len(earlier) > BATCH_SIZE or not reach.is_whole or again.exclude(pk__in=keys).exists()
    is_unfinished |= is_one_unfinished(locked, reach)
    origin, numbers = origin_of(decision_id), [one.number for one in earlier if reach.can_end(one)][:BATCH_SIZE]
    restriction = put_into_force(reach, locked, verdict, origin=origin, superseded=numbers, by=by, now=now)
    dismissed = verdict.action == Dismissal.DISMISS
    supersede(
        numbers,
        origin=origin,
        ending=Restriction.Ending.LIFTED if dismissed else Restriction.Ending.REPLACED,
        note="Replaced by a new decision.",
        by=by.actor,
        now=now,
    )
    decision = Decision.objects.create(
        id=decision_id,
        case=locked,
        campaign=reach.campaign,
        assessment=locked.assessment,
        action=verdict.action,
        scope=verdict.scope,
        reason=verdict.reason,
        terms_clause=verdict.terms_clause,
        note=verdict.note,
        decided_at=now,
        decided_by=by,
        restriction=restriction,
        is_unfinished=is_unfinished,
    )
    write_targets(decision, reach)
    _close(locked, now=now)
    details, text = decision_details(decision, reach, numbers), describe_decision(decision)
    add_step(locked, Step.Kind.DECIDED, by=by.actor, now=now, text=text, details=details)
    settle_escalation(locked, text=text, by=by, now=now)
    resolve_cases(decision, reach.closed, by=by.actor, now=now)
    release_left_out(decision, now=now)
    if is_unfinished:
        enqueue_on_commit("governance.tasks.apply_unfinished_decisions")
    else:
        reopen_cases(again, why=decision, by=by.actor, now=now)
    return decision


def _reach(case: Case, verdict: Verdict, ticks: Ticks | None, seen: SeenMembers | None) -> DecisionTargets:
    """Return what the verdict covers. Where nothing is left since the case was closed, who was first counts."""
    try:
        return decision_targets(case, verdict, ticks, seen)
    except NoSuchScopeError:
        if not (now := Case.objects.get(pk=case.pk)).is_open:
            raise_who_won(now)
        raise


def _lock(case: Case, closed: Q) -> tuple[Case, Collection[UUID]]:
    """Lock the case and those that may be closed or opened with it, in one order, before the log is locked. Return it
    and the keys of all: of those that earlier decisions closed only the first batch.
    """
    before = Case.objects.filter(resolved_by__case__account=case.account_id).exclude(account=None)
    again = list(before.reopenable().order_by("pk").values_list("pk", flat=True)[:BATCH_SIZE])
    with_it = Q(closed | Q(part_of=case.pk), status=Case.Status.OPEN) | Q(pk__in=again)
    wanted = Case.objects.filter(Q(pk=case.pk) | with_it).order_by("pk").values("pk")
    # What is joined is read afterwards: PostgreSQL leaves out a row whose foreign key changed while this waited for it.
    keys = list(Case.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))
    in_full = Case.objects.select_related("account__organisation", "campaign", "assessment", "part_of")
    return in_full.get(pk=case.pk), keys


def _close(locked: Case, *, now: datetime) -> None:
    locked.status, locked.closed_at = Case.Status.DECIDED, now
    locked.claimed_by, locked.claimed_until, locked.is_handed_out = None, None, False
    locked.save(update_fields=["status", "closed_at", *GIVEN_BACK])


def lift_restriction(
    case: Case, restriction: Restriction, *, note: str, by: User, now: datetime, everywhere: bool = False
) -> bool:
    """Lift a restriction from the page of a case; False where it had ended already.

    With `everywhere` all accounts that were restricted with its campaign are lifted, in batches. Idempotent:
    a second call does what is left.
    """
    if everywhere and restriction.campaign is not None:
        lifted = bool(lift_campaign(restriction.campaign, note=note, by=by.actor, now=now))
    else:
        lifted = lift(restriction, note=note, by=by.actor, now=now)
    if lifted:
        Step.objects.create(case=case, kind=Step.Kind.LIFTED, at=now, by=str(by.actor), text=note)
    return lifted


@retried_transaction
def reopen(case: Case, *, by: User, now: datetime) -> Case:
    """Reopen a decided case as a new case of the same account or campaign, claimed by the user who asks for it.

    The decision stands, with all that is in force, until the new case is decided. Where there is an open case already,
    that one is the answer. Raises NoMembersError for a campaign without members.
    """
    if case.account is not None:
        latest = case.account.assessments.latest("assessed_at", "pk")
    else:
        if not CampaignMember.objects.current().filter(campaign=case.campaign_id).exists():
            raise NoMembersError
        latest = find_strongest_assessment(case.campaign_id) or case.assessment
    reopened, is_new = Case.objects.get_or_create(
        account=case.account,
        campaign=case.campaign,
        status=Case.Status.OPEN,
        defaults={
            "assessment": latest,
            "score": latest.score,
            "band": latest.band,
            "families": latest.families_against,
            "output_tokens": latest.output_tokens if case.account is not None else case.output_tokens,
            "campaign_size": case.campaign_size,
            "opened_at": now,
            "due_at": due_at(latest.score, opened_at=now),
            "claimed_by": by,
            "claimed_until": now + CLAIM_LASTS,
        },
    )
    if is_new:
        details = {"case": str(case.pk), **case.subject_details}
        add_step(reopened, Step.Kind.REOPENED, by=by.actor, now=now, details=details)
    return reopened
