"""What people do with cases."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.models import Account
from governance.audit.actions import audit_log_lock, record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.campaigns.models import Campaign
from governance.detection.thresholds import due_at
from governance.platform.leases import lease_ended
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.restrictions.actions import lift, lift_campaign, restrict, restrict_campaign, supersede
from governance.restrictions.models import Restriction
from governance.review.decision_targets import BATCH_SIZE, DecisionTargets, decision_targets, describe_decision
from governance.review.models import CLAIM_LASTS, Case, Decision, Dismissal, Step, origin_of
from governance.review.queries import restrictions_replaced_by_deciding
from governance.review.resolution import reopen_cases, resolve_cases
from governance.review.steps import add_step, add_steps
from governance.review.verdicts import (
    AlreadyDecidedError,
    CaseTakenError,
    SentBeforeError,
    Verdict,
)
from governance.staff import actions as staff
from governance.staff.models import User
from governance.usage.queries import DecryptedExcerpt, get_excerpts

# A browser sends a note again where the answer to the first request was lost.
SENT_AGAIN_WITHIN = timedelta(minutes=10)


@retried_transaction
def claim(case: Case, *, by: User, now: datetime) -> None:
    """Take the case for half an hour; claiming again prolongs it. Raises CaseTakenError, AlreadyDecidedError."""
    free = lease_ended("claimed_until", at=now, duration=CLAIM_LASTS) | Q(claimed_by=by)
    taken = Case.objects.filter(free, pk=case.pk, status=Case.Status.OPEN)
    if not taken.update(claimed_by=by, claimed_until=now + CLAIM_LASTS):
        _raise_who_won(case)
    if case.claimant(at=now) != by.pk:
        add_step(case, Step.Kind.CLAIMED, by=by.actor, now=now)


@retried_transaction
def release(case: Case, *, by: User, now: datetime) -> None:
    """Give the case back to the queue; nothing happens where somebody else has it."""
    claimed = Case.objects.filter(pk=case.pk, claimed_by=by, claimed_until__gt=now)
    if claimed.update(claimed_by=None, claimed_until=None):
        add_step(case, Step.Kind.RELEASED, by=by.actor, now=now)


@retried_transaction
def release_all(*, user: User, by: Actor, now: datetime) -> int:
    """Give all cases that a user has claimed back to the queue. Return how many."""
    claimed = list(Case.objects.claimed(at=now).filter(claimed_by=user).select_for_update().order_by("pk"))
    Case.objects.filter(pk__in=[case.pk for case in claimed]).update(claimed_by=None, claimed_until=None)
    add_steps(claimed, Step.Kind.RELEASED, by=by, now=now, text=f"{user.name} was shut out.")
    return len(claimed)


def shut_out_and_release(user: User, *, by: Actor, now: datetime) -> int:
    """Shut a user out and give back the cases they have claimed. Return how many cases that were.

    In two transactions: the log is locked last wherever cases are locked. Done again it does what was left undone.
    """
    staff.deactivate_user(user, by=by, now=now)
    return release_all(user=user, by=by, now=now)


@retried_transaction
def add_note(case: Case, *, text: str, by: User, now: datetime) -> Step:
    """Add a note to the history of the case. The same note sent again within minutes is the note that was stored."""
    Case.objects.select_for_update().get(pk=case.pk)
    newest = Step.objects.filter(case=case, kind=Step.Kind.NOTED, at__gt=now - SENT_AGAIN_WITHIN).first()
    if newest is not None and (newest.by, newest.text) == (by.actor.name, text):
        return newest
    return add_step(case, Step.Kind.NOTED, by=by.actor, now=now, text=text, details={"note": text})


@retried_transaction
def read_excerpts(case: Case, *, reason: str, by: User, now: datetime) -> list[DecryptedExcerpt]:
    """Decrypt the excerpts of prompts that are kept of the account. Each reading is an entry, with its reason."""
    excerpts = get_excerpts(case.account, at=now)
    details = {"account": case.account.external_id, "excerpts": len(excerpts), "reason": reason}
    record(Verb.EXCERPTS_READ, subject=("case", str(case.pk)), by=by.actor, now=now, details=details)
    return excerpts


@retried_transaction
def decide(case: Case, verdict: Verdict, *, decision_id: uuid.UUID, by: User, now: datetime) -> Decision:
    """Decide the case, and put into force what follows, in one transaction; where it is about very many accounts, the
    first batch of it, and the rest soon after (see unfinished_decisions.py).

    That takes the place of what earlier decisions about the account put into force, on whatever account. A decision
    about an organisation or a campaign closes the open cases of its other accounts as well.

    The same `decision_id` again answers with the decision that was made. Raises AlreadyDecidedError where somebody
    else decided first, CaseTakenError where somebody else has claimed the case, NoSuchScopeError, and SentBeforeError
    where the same `decision_id` made another decision.
    """
    if (made := _find_same_decision(case, verdict, decision_id)) is not None:
        return made
    reach = decision_targets(case.account, verdict)
    locked, keys = _lock(case, reach.closed)
    if (made := _find_same_decision(case, verdict, decision_id)) is not None:
        return made
    if not locked.is_open or locked.claimant(at=now) not in {None, by.pk}:
        _raise_who_won(locked)
    audit_log_lock()
    earlier = list(restrictions_replaced_by_deciding(locked.account).order_by("number"))
    # Those on the account itself first: nobody may slip through between what it replaces and what takes its place.
    earlier.sort(key=lambda one: one.account_id != locked.account_id)
    covered_before = Case.objects.resolved_by_origins([one.origin for one in earlier])
    again = covered_before.reopenable().exclude(reach.covered)
    # One that is being undone still restores what this decision takes the place of.
    is_unfinished = Decision.objects.unfinished().filter(case__account=locked.account).exists()
    is_unfinished |= len(earlier) > BATCH_SIZE or not reach.is_whole or again.exclude(pk__in=keys).exists()
    origin, numbers = origin_of(decision_id), [one.number for one in earlier if reach.can_end(one)][:BATCH_SIZE]
    restriction = _restrict(reach, locked.account, verdict, origin=origin, superseded=numbers, by=by, now=now)
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
    locked.status, locked.closed_at = Case.Status.DECIDED, now
    locked.claimed_by = locked.claimed_until = None
    locked.save(update_fields=["status", "closed_at", "claimed_by", "claimed_until"])
    step_text = describe_decision(decision)
    add_step(locked, Step.Kind.DECIDED, by=by.actor, now=now, text=step_text, details=_details(decision, numbers))
    resolve_cases(decision, reach.closed, by=by.actor, now=now)
    if is_unfinished:
        enqueue_on_commit("governance.tasks.apply_unfinished_decisions")
    else:
        reopen_cases(again, why=decision, by=by.actor, now=now)
    return decision


def _find_same_decision(case: Case, verdict: Verdict, decision_id: uuid.UUID) -> Decision | None:
    """The decision that the same form has made. Raises SentBeforeError where it is another one."""
    in_full = Decision.objects.select_related("decided_by", "case__account", "restriction")
    made = in_full.filter(pk=decision_id).first()
    if made is None:
        return None
    if made.case_id != case.pk:
        raise SentBeforeError(made, f"This form was sent before, for the case of {made.case.account}.")
    if made.undone_at is not None:
        raise SentBeforeError(made, "This form was sent before, and that decision was undone.")
    if changed := Verdict.of(made).differences(verdict):
        raise SentBeforeError(made, f"This form was sent before, with another {', another '.join(changed)}.")
    return made


def _lock(case: Case, closed: Q) -> tuple[Case, Collection[UUID]]:
    """Lock the case and those that may be closed or opened with it, in one order, before the log is locked. Return it
    and the keys of all: of those that earlier decisions closed only the first batch.
    """
    before = Case.objects.filter(resolved_by__case__account=case.account).reopenable().order_by("pk")
    with_it = Q(closed, status=Case.Status.OPEN) | Q(pk__in=list(before.values_list("pk", flat=True)[:BATCH_SIZE]))
    wanted = Case.objects.filter(Q(pk=case.pk) | with_it).order_by("pk").values("pk")
    # What is joined is read afterwards: PostgreSQL leaves out a row whose foreign key changed while this waited for it.
    keys = list(Case.objects.select_for_update().filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))
    return Case.objects.select_related("account__organisation", "assessment").get(pk=case.pk), keys


def _restrict(
    reach: DecisionTargets,
    account: Account,
    verdict: Verdict,
    *,
    origin: str,
    superseded: Collection[int],
    by: User,
    now: datetime,
) -> Restriction | None:
    """Put the verdict into force. Return the restriction that covers the case's own account, unless it dismisses."""
    if verdict.action == Dismissal.DISMISS:
        return None
    terms = verdict.terms(now=now)
    if not isinstance(reach.target, Campaign):
        return restrict(reach.target, terms, unique_key=origin, superseded=superseded, by=by.actor, now=now)
    of_all = restrict_campaign(
        reach.target,
        terms,
        unique_key=origin,
        superseded=superseded,
        accounts=reach.accounts,
        by=by.actor,
        now=now,
    )
    return next(one for one in of_all.restrictions if one.account == account)


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
    """Reopen a decided case as a new case of the same account, claimed by the user who asks for it.

    The decision stands, with all that is in force, until the new case is decided. Where the account has an open case
    already, that one is the answer.
    """
    latest = case.account.assessments.latest("assessed_at", "pk")
    reopened, is_new = Case.objects.get_or_create(
        account=case.account,
        status=Case.Status.OPEN,
        defaults={
            "assessment": latest,
            "score": latest.score,
            "band": latest.band,
            "opened_at": now,
            "due_at": due_at(latest.score, opened_at=now),
            "claimed_by": by,
            "claimed_until": now + CLAIM_LASTS,
        },
    )
    if is_new:
        details = {"case": str(case.pk), "account": case.account.external_id}
        add_step(reopened, Step.Kind.REOPENED, by=by.actor, now=now, details=details)
    return reopened


def _details(decision: Decision, superseded: list[int]) -> dict[str, Any]:
    details = {
        "decision": str(decision.pk),
        "account": decision.case.account.external_id,
        "action": decision.action,
        "scope": decision.scope,
        "reason": decision.reason,
        "terms_clause": decision.terms_clause,
        "note": decision.note,
        "score": decision.assessment.score,
        "assessment": decision.assessment_id,
        "restriction": decision.restriction_id,
    }
    return details | ({"superseded": superseded} if superseded else {})


def _raise_who_won(case: Case) -> None:
    """Raises what the loser of a race should hear."""
    now = Case.objects.select_related("claimed_by", "resolved_by__decided_by", "resolved_by__case__account").get(
        pk=case.pk
    )
    own = Decision.objects.select_related("decided_by").filter(case=case)
    decision = own.not_undone().first() or now.resolved_by or own.first()
    if not now.is_open and decision is not None:
        raise AlreadyDecidedError(decision, case)
    raise CaseTakenError(now.claimed_by.name if now.claimed_by else "Somebody")
