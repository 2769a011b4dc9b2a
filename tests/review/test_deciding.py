import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from governance.audit.models import Entry
from governance.enforcement.models import Restriction
from governance.enforcement.queries import access
from governance.review.actions import (
    AlreadyDecidedError,
    CaseTakenError,
    NoSuchScopeError,
    Verdict,
    claim,
    consider,
    decide,
    note,
    release,
    reopen,
    undo_restriction,
)
from governance.review.models import CLAIM_LASTS, Case, Decision, Step
from governance.staff.models import User
from tests.factories import NOW, account, assessment, campaign_of, case, person

pytestmark = pytest.mark.django_db

BLOCK = Verdict(action=Decision.Action.BLOCK, reason=Decision.Reason.BULK_HARVEST, terms_clause="2.3", note="Clear.")
DISMISS = Verdict(action=Decision.Action.DISMISS, reason=Decision.Reason.EVALUATION)


def decided(about: Case, verdict: Verdict = BLOCK, *, by: User | None = None, key: uuid.UUID | None = None) -> Decision:
    return decide(about, verdict, decision_id=key or uuid.uuid4(), by=by or person(), now=NOW)


class TestDeciding:
    def test_to_block_denies_access(self) -> None:
        opened = case(account("acct_harbour"))

        decision = decided(opened)

        assert not access(account="acct_harbour", now=NOW).allowed
        assert decision.restriction is not None
        assert decision.restriction.terms_clause == "2.3"

    @pytest.mark.parametrize(
        ("verdict", "kind"),
        [
            (Verdict(Decision.Action.WATCH, Decision.Reason.OTHER), Restriction.Kind.WATCH),
            (Verdict(Decision.Action.WARN, Decision.Reason.OTHER), Restriction.Kind.WARN),
            (Verdict(Decision.Action.VERIFY, Decision.Reason.OTHER), Restriction.Kind.VERIFY),
            (
                Verdict(Decision.Action.WITHHOLD, Decision.Reason.OTHER, withheld=["logprobs"]),
                Restriction.Kind.WITHHOLD,
            ),
            (
                Verdict(Decision.Action.THROTTLE, Decision.Reason.OTHER, tokens_per_minute=5_000),
                Restriction.Kind.THROTTLE,
            ),
            (
                Verdict(Decision.Action.THROTTLE, Decision.Reason.OTHER, requests_per_minute=20),
                Restriction.Kind.THROTTLE,
            ),
            (
                Verdict(Decision.Action.SUSPEND, Decision.Reason.OTHER, lasts=timedelta(days=7)),
                Restriction.Kind.SUSPEND,
            ),
        ],
    )
    def test_restricts_as_the_verdict_says(self, verdict: Verdict, kind: Restriction.Kind) -> None:
        decided(case(), verdict)

        made = Restriction.objects.get()
        assert made.kind == kind
        assert made.requests_per_minute == verdict.requests_per_minute
        assert made.tokens_per_minute == verdict.tokens_per_minute
        assert made.withheld == list(verdict.withheld)
        assert made.expires_at == (NOW + verdict.lasts if verdict.lasts else None)

    def test_may_be_about_the_whole_organisation(self) -> None:
        opened = case(account("acct_harbour", organisation="org_quay"))
        account("acct_pier", organisation="org_quay")

        decided(opened, replace(BLOCK, scope=Decision.Scope.ORGANISATION))

        assert not access(account="acct_pier", now=NOW).allowed

    def test_may_be_about_the_whole_campaign(self) -> None:
        opened = case(account("acct_harbour"))
        campaign_of(opened.account, account("acct_pier"))

        decision = decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))

        assert not access(account="acct_pier", now=NOW).allowed
        assert decision.restriction is not None
        assert decision.restriction.account == opened.account

    @pytest.mark.parametrize("scope", [Decision.Scope.ORGANISATION, Decision.Scope.CAMPAIGN])
    def test_cannot_be_about_more_than_there_is(self, scope: Decision.Scope) -> None:
        with pytest.raises(NoSuchScopeError):
            decided(case(), replace(BLOCK, scope=scope))

        assert not Restriction.objects.exists()

    def test_to_dismiss_restricts_nobody(self) -> None:
        decided(case(), DISMISS)

        assert not Restriction.objects.exists()

    def test_closes_the_case_and_ends_the_claim(self) -> None:
        opened, mira = case(), person()
        claim(opened, by=mira, now=NOW)

        decided(opened, by=mira)

        opened.refresh_from_db()
        assert (opened.status, opened.closed_at, opened.claimed_by) == (Case.Status.DECIDED, NOW, None)

    def test_twice_with_the_same_form_is_once(self) -> None:
        opened, key, mira = case(), uuid.uuid4(), person()

        first, again = (decided(opened, by=mira, key=key) for _ in range(2))

        assert first == again
        assert Entry.objects.filter(verb="case.decided").count() == 1

    def test_second_tells_who_was_first(self) -> None:
        opened = case()
        decided(opened, by=person("Mira Okafor"))

        with pytest.raises(AlreadyDecidedError, match="Mira Okafor") as refusal:
            decided(opened, DISMISS, by=person("Jonas Lindqvist"))

        assert refusal.value.decision.action == Decision.Action.BLOCK

    def test_a_case_that_somebody_else_has_is_refused(self) -> None:
        opened = case()
        claim(opened, by=person("Mira Okafor"), now=NOW)

        with pytest.raises(CaseTakenError, match="Mira Okafor"):
            decided(opened, by=person("Jonas Lindqvist"))

        assert not Restriction.objects.exists()

    def test_writes_everything_a_court_would_ask_into_the_log(self) -> None:
        opened = case(account("acct_harbour"))

        decision = decided(opened, by=person("Mira Okafor"))

        entry = Entry.objects.get(verb="case.decided")
        assert entry.actor_name == "Mira Okafor"
        assert entry.details == {
            "decision": str(decision.pk),
            "account": "acct_harbour",
            "action": "block",
            "scope": "account",
            "reason": "bulk_harvest",
            "terms_clause": "2.3",
            "note": "Clear.",
            "score": 82,
            "assessment": opened.assessment_id,
            "restriction": decision.restriction_id,
        }


class TestUndoing:
    def test_a_block_gives_access_back_and_keeps_the_decision(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        block = decided(opened).restriction
        assert block is not None

        undo_restriction(opened, block, note="Appeal granted.", by=mira, now=NOW)

        assert access(account="acct_harbour", now=NOW).allowed
        assert Decision.objects.count() == 1
        assert opened.steps.filter(kind=Step.Kind.LIFTED, text="Appeal granted.").exists()


class TestTakingUpAgain:
    def test_opens_a_new_case_for_who_asks_and_lets_the_decision_stand(self) -> None:
        dismissed, mira = case(), person()
        decided(dismissed, DISMISS)

        again = reopen(dismissed, by=mira, now=NOW)

        assert again != dismissed
        assert (again.account, again.is_open, again.holder(at=NOW)) == (dismissed.account, True, mira.pk)
        assert Decision.objects.get().case == dismissed

    def test_lets_an_account_be_blocked_that_was_dismissed_by_mistake(self) -> None:
        dismissed, mira = case(account("acct_harbour")), person()
        decided(dismissed, DISMISS)

        decided(reopen(dismissed, by=mira, now=NOW), by=mira)

        assert not access(account="acct_harbour", now=NOW).allowed

    def test_twice_leads_to_the_same_case(self) -> None:
        dismissed, mira = case(), person()
        decided(dismissed, DISMISS)

        assert reopen(dismissed, by=mira, now=NOW) == reopen(dismissed, by=mira, now=NOW)

    def test_leaves_an_entry(self) -> None:
        dismissed = case()
        decided(dismissed, DISMISS)

        reopen(dismissed, by=person("Mira Okafor"), now=NOW)

        assert Entry.objects.get(verb="case.reopened").actor_name == "Mira Okafor"


class TestClaiming:
    def test_keeps_others_off_for_half_an_hour(self) -> None:
        opened = case()
        claim(opened, by=person("Mira Okafor"), now=NOW)

        with pytest.raises(CaseTakenError, match="Mira Okafor"):
            claim(opened, by=person("Jonas Lindqvist"), now=NOW + CLAIM_LASTS - timedelta(seconds=1))

    def test_lapses_by_itself(self) -> None:
        opened, jonas = case(), person("Jonas Lindqvist")
        claim(opened, by=person("Mira Okafor"), now=NOW)

        claim(opened, by=jonas, now=NOW + CLAIM_LASTS)

        opened.refresh_from_db()
        assert opened.claimed_by == jonas

    def test_again_prolongs_it_without_another_step(self) -> None:
        opened, mira = case(), person()

        for minutes in (0, 10):
            claim(opened, by=mira, now=NOW + timedelta(minutes=minutes))
            opened.refresh_from_db()

        assert opened.claimed_until == NOW + timedelta(minutes=10) + CLAIM_LASTS
        assert opened.steps.filter(kind=Step.Kind.CLAIMED).count() == 1

    def test_a_decided_case_tells_who_decided(self) -> None:
        opened = case()
        decided(opened, by=person("Mira Okafor"))

        with pytest.raises(AlreadyDecidedError, match="Mira Okafor"):
            claim(opened, by=person("Jonas Lindqvist"), now=NOW)

    def test_is_given_back_by_who_has_it_alone(self) -> None:
        opened, mira, jonas = case(), person("Mira Okafor"), person("Jonas Lindqvist")
        claim(opened, by=mira, now=NOW)

        release(opened, by=jonas, now=NOW)
        opened.refresh_from_db()
        assert opened.claimed_by == mira

        release(opened, by=mira, now=NOW)
        opened.refresh_from_db()
        assert opened.claimed_by is None


def test_a_note_is_in_the_history_and_in_the_log() -> None:
    opened = case()

    note(opened, text="Wrote to the customer.", by=person(), now=NOW)

    assert opened.steps.get().text == "Wrote to the customer."
    assert Entry.objects.get(verb="case.noted").details == {"note": "Wrote to the customer."}


class TestConsidering:
    def test_opens_a_case_where_the_policy_wants_one(self) -> None:
        wanted, unwanted = assessment(account()), assessment(account(), score=12, band="low")

        consider([wanted, unwanted], due={wanted.account_id: NOW}, now=NOW)

        assert Case.objects.get().account == wanted.account

    def test_brings_an_open_case_up_to_date(self) -> None:
        opened = case(score=60, band="elevated", due_in=72)
        worse = assessment(opened.account, score=91)

        consider([worse], due={opened.account_id: NOW + timedelta(hours=4)}, now=NOW)

        opened.refresh_from_db()
        assert (opened.score, opened.assessment, opened.due_at) == (91, worse, NOW + timedelta(hours=4))

    def test_notes_in_its_history_that_the_score_changed_and_nothing_when_it_did_not(self) -> None:
        opened = case(score=60, band="elevated")

        for score in (60, 91):
            consider([assessment(opened.account, score=score)], due={}, now=NOW)

        assert [step.text for step in opened.steps.filter(kind=Step.Kind.RESCORED)] == ["Score 91 (critical)."]

    def test_never_moves_a_due_date_back(self) -> None:
        opened = case(due_in=1)
        better = assessment(opened.account, score=55, band="elevated")

        consider([better], due={opened.account_id: NOW + timedelta(hours=72)}, now=NOW)

        opened.refresh_from_db()
        assert opened.due_at == NOW + timedelta(hours=1)

    def test_opens_no_case_for_who_was_just_dismissed(self) -> None:
        dismissed = case()
        decided(dismissed, DISMISS)

        consider([assessment(dismissed.account)], due={dismissed.account_id: NOW}, now=NOW + timedelta(days=1))

        assert Case.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_one_does() -> None:
    opened = case()
    people = [person(f"Reviewer{number} Okafor") for number in range(8)]

    def attempt(who: User) -> bool:
        try:
            decided(opened, by=who)
        except AlreadyDecidedError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, people))

    assert sorted(outcomes) == [False] * 7 + [True]
    assert Restriction.objects.count() == 1
