"""Open cases for accounts that need a decision by a person, and update the open ones."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from governance.audit.actor import Actor
from governance.detection.models import Assessment
from governance.platform.transactions import retried_transaction
from governance.restrictions.queries import find_denied_account_pks
from governance.review.models import Case, DecisionTarget, Step
from governance.review.reopening_rules import LastDecision, needs_case

PIPELINE: Final = Actor.system("pipeline")


@retried_transaction
def open_or_update_cases(
    assessments: Sequence[Assessment], *, due: Mapping[int, datetime], now: datetime
) -> list[Case]:
    """Open cases for these accounts, or update their open ones. Return the new cases.

    `due` gives, by account, when a case must be decided by; accounts that are not in it get no new case.
    """
    by_account = {assessment.account_id: assessment for assessment in assessments}
    open_cases = Case.objects.select_for_update().filter(status=Case.Status.OPEN, account__in=by_account).order_by("pk")
    changed: list[Case] = []
    rescored: dict[Case, str] = {}
    for case in open_cases:
        score, band = case.score, case.band
        account = case.account_id
        if account is not None and _update_case(case, by_account.pop(account), due=due.get(account)):
            changed.append(case)
        if case.score != score:
            rescored[case] = apply_new_score(case, score=score, band=band, now=now)
    written = ["assessment", "score", "band", "families", "output_tokens", "due_at", "held_until"]
    Case.objects.bulk_update(changed, written)
    Step.objects.bulk_create(
        Step(case=case, kind=Step.Kind.RESCORED, at=now, by=str(PIPELINE), text=text) for case, text in rescored.items()
    )
    wanted = {pk: assessment for pk, assessment in by_account.items() if pk in due}
    earlier, denied = _last_decisions(wanted), find_denied_account_pks(wanted, now=now)
    new = [
        Case(
            account_id=pk,
            assessment=assessment,
            score=assessment.score,
            band=assessment.band,
            families=assessment.families_against,
            output_tokens=assessment.output_tokens,
            opened_at=now,
            due_at=due[pk],
        )
        for pk, assessment in sorted(wanted.items())
        if needs_case(assessment.score, earlier=earlier.get(pk), access_denied=pk in denied, now=now)
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


def end_hold_on_rise(case: Case, *, score: int, band: str, now: datetime) -> bool:
    """End the hold of a case whose score rose from this one into a higher band. Return whether it was on hold. The
    caller saves it.
    """
    has_ended = case.is_held(at=now) and case.score > score and case.band != band
    if has_ended:
        case.held_until = now
    return has_ended


def apply_new_score(case: Case, *, score: int, band: str, now: datetime) -> str:
    """End a hold where the new score asks for it, given the old one. Return what the history says of it."""
    text = f"Score {case.score} ({case.band})."
    if end_hold_on_rise(case, score=score, band=band, now=now):
        return f"{text} No longer on hold, since it was {score} ({band})."
    return text


def _update_case(case: Case, assessment: Assessment, *, due: datetime | None) -> bool:
    """Give the case its new assessment; False where it has that one already. Due dates only come nearer."""
    if case.assessment_id == assessment.pk and case.output_tokens == assessment.output_tokens:
        return False
    case.assessment, case.score, case.band = assessment, assessment.score, assessment.band
    case.families, case.output_tokens = assessment.families_against, assessment.output_tokens
    case.due_at = min(case.due_at, due or case.due_at)
    return True


def _last_decisions(account_pks: Collection[int]) -> dict[int, LastDecision]:
    """Return the last decision about each account: on its case, or on another that covered it, with a case or not."""
    decided = Case.objects.filter(account__in=account_pks, status=Case.Status.DECIDED)
    newest = decided.order_by("account_id", "-closed_at", "-pk").distinct("account_id")
    with_case = newest.values_list("account_id", "score", "closed_at")
    covered = DecisionTarget.objects.covered().standing().filter(account__in=account_pks, assessment__isnull=False)
    last_covered = covered.order_by("account_id", "-decision__number").distinct("account_id")
    with_campaign = last_covered.values_list("account_id", "assessment__score", "decision__decided_at")
    last: dict[int, LastDecision] = {}
    for account, score, decided_at in (*with_case, *with_campaign):
        if decided_at is not None and (account not in last or last[account].decided_at < decided_at):
            last[account] = LastDecision(score=score, decided_at=decided_at)
    return last
