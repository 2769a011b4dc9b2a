"""What people and the pipeline do with cases."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import Account
from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.enforcement.actions import Terms, lift, lift_campaign, restrict, restrict_campaign
from governance.enforcement.models import Reason, Restriction
from governance.review.models import CLAIM_LASTS, Case, Decision, Step
from governance.review.reopening import Earlier, deserves_a_case
from governance.risk.models import Assessment, Campaign
from governance.risk.policy import due_at
from governance.staff import actions as staff
from governance.staff.models import User

PIPELINE = Actor.system("pipeline")
# A browser sends a note again where the answer to the first request was lost.
SENT_AGAIN_WITHIN = timedelta(minutes=10)


class CaseTakenError(Exception):
    """Somebody else has the case: says who."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"{holder} is working on this case.")
        self.holder = holder


class AlreadyDecidedError(Exception):
    """Somebody was faster: carries their decision."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"{decision.decided_by} has decided this case: {decision.get_action_display().lower()}.")
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decides. `lasts` is how long a suspension holds, the limits are what a throttle leaves, `withheld`
    is what answers are to lack.
    """

    action: Decision.Action
    reason: Decision.Reason
    terms_clause: str = ""
    note: str = ""
    lasts: timedelta | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: Sequence[str] = ()
    scope: Decision.Scope = Decision.Scope.ACCOUNT


class NoSuchScopeError(Exception):
    """The account has no organisation, or belongs to no campaign, that could be decided about with it."""


@transaction.atomic
def consider(assessments: Sequence[Assessment], *, due: Mapping[int, datetime], now: datetime) -> list[Case]:
    """Open cases for these accounts or bring their open ones up to date; answers with those that are new.

    `due` names, by account, those that the policy wants a person to look at, and until when.
    """
    by_account = {assessment.account_id: assessment for assessment in assessments}
    open_cases = Case.objects.select_for_update().filter(status=Case.Status.OPEN, account__in=by_account).order_by("pk")
    changed: list[Case] = []
    rescored: list[Case] = []
    for case in open_cases:
        before = case.score
        if _bring_up_to_date(case, by_account.pop(case.account_id), due=due.get(case.account_id)):
            changed.append(case)
        if case.score != before:
            rescored.append(case)
    Case.objects.bulk_update(changed, ["assessment", "score", "band", "due_at"])
    Step.objects.bulk_create(
        Step(
            case=case,
            kind=Step.Kind.RESCORED,
            at=now,
            by=str(PIPELINE),
            text=f"Score {case.score} ({case.band}).",
        )
        for case in rescored
    )
    wanted = {pk: assessment for pk, assessment in by_account.items() if pk in due}
    earlier = _last_decisions(wanted)
    new = [
        Case(
            account_id=pk,
            assessment=assessment,
            score=assessment.score,
            band=assessment.band,
            opened_at=now,
            due_at=due[pk],
        )
        for pk, assessment in sorted(wanted.items())
        if deserves_a_case(assessment.score, earlier=earlier.get(pk), now=now)
    ]
    Case.objects.bulk_create(new)
    Step.objects.bulk_create(
        Step(
            case=case,
            kind=Step.Kind.OPENED,
            at=now,
            by=str(PIPELINE),
            text=f"Score {case.score} ({case.band}).",
        )
        for case in new
    )
    return new


def _bring_up_to_date(case: Case, assessment: Assessment, *, due: datetime | None) -> bool:
    """Give the case its new assessment; False where it has that one already. Due dates only come nearer."""
    if case.assessment_id == assessment.pk:
        return False
    case.assessment, case.score, case.band = assessment, assessment.score, assessment.band
    case.due_at = min(case.due_at, due or case.due_at)
    return True


def _last_decisions(accounts: Collection[int]) -> dict[int, Earlier]:
    decisions = (
        Decision.objects.filter(case__account__in=accounts)
        .select_related("case", "assessment", "restriction")
        .order_by("case__account_id", "-decided_at")
        .distinct("case__account_id")
    )
    return {
        decision.case.account_id: Earlier(
            score=decision.assessment.score,
            decided_at=decision.decided_at,
            access_denied=bool(
                decision.restriction and decision.restriction.denies and not decision.restriction.ended_at
            ),
        )
        for decision in decisions
    }


@transaction.atomic
def claim(case: Case, *, by: User, now: datetime) -> None:
    """Take the case for half an hour; claiming again prolongs it. Raises CaseTakenError, AlreadyDecidedError."""
    free = Q(claimed_until=None) | Q(claimed_until__lte=now) | Q(claimed_by=by)
    taken = Case.objects.filter(free, pk=case.pk, status=Case.Status.OPEN)
    if not taken.update(claimed_by=by, claimed_until=now + CLAIM_LASTS):
        _say_who_won(case)
    if case.holder(at=now) != by.pk:
        _note_step(case, Step.Kind.CLAIMED, by=by.actor, now=now)


@transaction.atomic
def release(case: Case, *, by: User, now: datetime) -> None:
    """Give the case back to the queue; nothing happens where somebody else has it."""
    held = Case.objects.filter(pk=case.pk, claimed_by=by, claimed_until__gt=now)
    if held.update(claimed_by=None, claimed_until=None):
        _note_step(case, Step.Kind.RELEASED, by=by.actor, now=now)


@transaction.atomic
def release_all(*, held_by: User, by: Actor, now: datetime) -> int:
    """Give all cases that somebody has claimed back to the queue. Return how many."""
    held = list(Case.objects.claimed(at=now).filter(claimed_by=held_by).select_for_update().order_by("pk"))
    Case.objects.filter(pk__in=[case.pk for case in held]).update(claimed_by=None, claimed_until=None)
    for case in held:
        _note_step(case, Step.Kind.RELEASED, by=by, now=now, text=f"{held_by.name} was shut out.")
    return len(held)


def shut_out(user: User, *, by: Actor, now: datetime) -> int:
    """Shut a user out and give back the cases they have claimed. Return how many cases that were.

    In two transactions: the log is locked last wherever cases are locked. Done again it does what was left undone.
    """
    staff.shut_out(user, by=by, now=now)
    return release_all(held_by=user, by=by, now=now)


@transaction.atomic
def note(case: Case, *, text: str, by: User, now: datetime) -> Step:
    """Add a note to the history of the case. The same note sent again within minutes is the note that was stored."""
    Case.objects.select_for_update().get(pk=case.pk)
    newest = Step.objects.filter(case=case, kind=Step.Kind.NOTED, at__gt=now - SENT_AGAIN_WITHIN).first()
    if newest is not None and (newest.by, newest.text) == (by.actor.name, text):
        return newest
    return _note_step(case, Step.Kind.NOTED, by=by.actor, now=now, text=text, details={"note": text})


@transaction.atomic
def decide(case: Case, verdict: Verdict, *, decision_id: uuid.UUID, by: User, now: datetime) -> Decision:
    """Decide the case, and put into force what follows, in one transaction.

    The same `decision_id` again answers with the decision that was made. Raises AlreadyDecidedError where somebody
    else decided first, CaseTakenError where somebody else has claimed the case, NoSuchScopeError.
    """
    locked = Case.objects.select_for_update().get(pk=case.pk)
    decided = Decision.objects.select_related("decided_by").filter(case=locked).first()
    if decided is not None:
        if decided.pk == decision_id:
            return decided
        raise AlreadyDecidedError(decided)
    if locked.holder(at=now) not in {None, by.pk}:
        _say_who_won(locked)
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
        restriction=_restriction_for(locked.account, verdict, decision_id=decision_id, by=by, now=now),
    )
    locked.status, locked.closed_at = Case.Status.DECIDED, now
    locked.claimed_by = locked.claimed_until = None
    locked.save(update_fields=["status", "closed_at", "claimed_by", "claimed_until"])
    _note_step(locked, Step.Kind.DECIDED, by=by.actor, now=now, text=verdict.note, details=_details(decision))
    return decision


def _restriction_for(
    account: Account, verdict: Verdict, *, decision_id: uuid.UUID, by: User, now: datetime
) -> Restriction | None:
    if verdict.action == Decision.Action.DISMISS:
        return None
    terms = Terms(
        kind=Restriction.Kind(verdict.action.value),
        reason=Reason(verdict.reason.value),
        until=now + verdict.lasts if verdict.lasts else None,
        terms_clause=verdict.terms_clause,
        requests_per_minute=verdict.requests_per_minute,
        tokens_per_minute=verdict.tokens_per_minute,
        withheld=verdict.withheld,
    )
    unique_key = f"decision:{decision_id}"
    if verdict.scope == Decision.Scope.CAMPAIGN:
        campaign = Campaign.objects.open().filter(members__in=account.memberships.current()).first()
        if campaign is None:
            raise NoSuchScopeError(f"{account} belongs to no campaign any more.")
        restrictions = restrict_campaign(campaign, terms, unique_key=unique_key, by=by.actor, now=now).restrictions
        return next(one for one in restrictions if one.account == account)
    if verdict.scope == Decision.Scope.ORGANISATION:
        if account.organisation is None:
            raise NoSuchScopeError(f"{account} belongs to no organisation.")
        return restrict(account.organisation, terms, unique_key=unique_key, by=by.actor, now=now)
    return restrict(account, terms, unique_key=unique_key, by=by.actor, now=now)


@transaction.atomic
def undo_restriction(
    case: Case, restriction: Restriction, *, note: str, by: User, now: datetime, everywhere: bool = False
) -> bool:
    """Lift a restriction from the page of a case; False where it had ended already.

    Soon after it was decided that is an undoing: the customer's record shows a slip. With `everywhere` all accounts
    that were restricted with its campaign are let go.
    """
    undo = now - restriction.starts_at <= timedelta(minutes=settings.UNDO_MINUTES)
    if everywhere and restriction.campaign is not None:
        lifted = bool(lift_campaign(restriction.campaign, note=note, by=by.actor, now=now, undo=undo))
    else:
        lifted = lift(restriction, note=note, by=by.actor, now=now, undo=undo)
    if lifted:
        Step.objects.create(case=case, kind=Step.Kind.LIFTED, at=now, by=str(by.actor), text=note)
    return lifted


@transaction.atomic
def reopen(case: Case, *, by: User, now: datetime) -> Case:
    """Take up again what was decided: a new case of the same account, held by who asks for it.

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
        _note_step(reopened, Step.Kind.REOPENED, by=by.actor, now=now, details=details)
    return reopened


def _note_step(
    case: Case,
    kind: Step.Kind,
    *,
    by: Actor,
    now: datetime,
    text: str = "",
    details: Mapping[str, str | int | None] | None = None,
) -> Step:
    step = Step.objects.create(case=case, kind=kind, at=now, by=by.name, text=text)
    record(f"case.{kind}", subject=("case", str(case.pk)), by=by, now=now, details=details)
    return step


def _details(decision: Decision) -> dict[str, str | int | None]:
    return {
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


def _say_who_won(case: Case) -> None:
    """Raises what the loser of a race should hear."""
    decision = Decision.objects.select_related("decided_by").filter(case=case).first()
    if decision is not None:
        raise AlreadyDecidedError(decision)
    holder = Case.objects.select_related("claimed_by").get(pk=case.pk).claimed_by
    raise CaseTakenError(holder.name if holder else "Somebody")
