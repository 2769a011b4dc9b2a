import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from governance.audit.models import Entry
from governance.restrictions.actions import end_expired
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, Restriction
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.review.actions import add_note, claim, decide, lift_restriction, release, reopen
from governance.review.case_opening import open_or_update_cases
from governance.review.models import CLAIM_LASTS, Case, Decision, Dismissal, Step
from governance.review.undo import undo_decision
from governance.review.verdicts import (
    AlreadyDecidedError,
    CannotUndoError,
    CaseTakenError,
    NoSuchScopeError,
    SentBeforeError,
    Verdict,
)
from governance.staff.models import User
from tests.factories import NOW, account, assessment, campaign_of, case, person, restriction

pytestmark = pytest.mark.django_db

BLOCK = Verdict(action=RestrictionKind.BLOCK, reason=Reason.BULK_HARVEST, terms_clause="2.3", note="Clear.")
DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)


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
            (Verdict(RestrictionKind.WATCH, Reason.OTHER), Restriction.Kind.WATCH),
            (Verdict(RestrictionKind.WARN, Reason.OTHER), Restriction.Kind.WARN),
            (Verdict(RestrictionKind.VERIFY, Reason.OTHER), Restriction.Kind.VERIFY),
            (
                Verdict(RestrictionKind.WITHHOLD, Reason.OTHER, withheld=["logprobs"]),
                Restriction.Kind.WITHHOLD,
            ),
            (
                Verdict(RestrictionKind.THROTTLE, Reason.OTHER, tokens_per_minute=5_000),
                Restriction.Kind.THROTTLE,
            ),
            (
                Verdict(RestrictionKind.THROTTLE, Reason.OTHER, requests_per_minute=20),
                Restriction.Kind.THROTTLE,
            ),
            (
                Verdict(RestrictionKind.SUSPEND, Reason.OTHER, lasts=timedelta(days=7)),
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

        assert refusal.value.decision.action == RestrictionKind.BLOCK

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


class TestTheSameFormSentAgain:
    @pytest.mark.parametrize(
        ("verdict", "named"),
        [
            (DISMISS, "action"),
            (replace(BLOCK, reason=Reason.OTHER), "reason"),
            (replace(BLOCK, note="Not so clear."), "note"),
            (replace(BLOCK, action=RestrictionKind.SUSPEND, lasts=timedelta(days=1)), "lasts"),
        ],
    )
    def test_with_something_else_in_it_is_refused_and_says_what(self, verdict: Verdict, named: str) -> None:
        opened, key, mira = case(), uuid.uuid4(), person()
        decided(opened, by=mira, key=key)

        with pytest.raises(SentBeforeError, match=f"another {named}|another .*{named}"):
            decided(opened, verdict, by=mira, key=key)

        assert Restriction.objects.get().kind == Restriction.Kind.BLOCK

    def test_for_another_case_is_refused(self) -> None:
        first, second, key = case(account("acct_harbour")), case(), uuid.uuid4()
        decided(first, key=key)

        with pytest.raises(SentBeforeError, match="acct_harbour"):
            decided(second, key=key)

    def test_after_its_decision_was_undone_is_refused(self) -> None:
        opened, key, mira = case(), uuid.uuid4(), person()
        decided(opened, by=mira, key=key)
        undo_decision(opened, note="a slip", by=mira, now=NOW)

        with pytest.raises(SentBeforeError, match="undone"):
            decided(opened, by=mira, key=key)


class TestLifting:
    def test_a_block_gives_access_back_and_keeps_the_decision(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        block = decided(opened).restriction
        assert block is not None

        lift_restriction(opened, block, note="Appeal granted.", by=mira, now=NOW)

        assert access(account="acct_harbour", now=NOW).allowed
        assert Decision.objects.not_undone().count() == 1
        assert opened.steps.filter(kind=Step.Kind.LIFTED, text="Appeal granted.").exists()


class TestUndoing:
    def test_opens_the_same_case_again_for_who_undoes(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        decided(opened)

        done = undo_decision(opened, note="Wrong account.", by=mira, now=NOW + timedelta(minutes=1))

        opened.refresh_from_db()
        assert (done.is_undone, done.ended, done.is_open) == (True, 1, True)
        assert (opened.status, opened.closed_at) == (Case.Status.OPEN, None)
        assert opened.claimant(at=NOW + timedelta(minutes=1)) == mira.pk
        assert access(account="acct_harbour", now=NOW).allowed
        assert Restriction.objects.get().ending == Restriction.Ending.UNDONE

    def test_is_told_in_the_history_and_in_the_log(self) -> None:
        opened = case(account("acct_harbour"))
        decision = decided(opened)

        undo_decision(opened, note="Wrong account.", by=person("Mira Okafor"), now=NOW)

        decision.refresh_from_db()
        entry = Entry.objects.get(verb="case.undone")
        assert (decision.undone_at, decision.undone_note) == (NOW, "Wrong account.")
        assert opened.steps.filter(kind=Step.Kind.UNDONE, text="Wrong account.").exists()
        assert (entry.actor_name, entry.details["ended"]) == ("Mira Okafor", [decision.restriction_id])

    def test_a_dismissal_opens_the_case_again(self) -> None:
        opened = case()
        decided(opened, DISMISS)

        undo_decision(opened, note="Too quick.", by=person(), now=NOW)

        opened.refresh_from_db()
        assert opened.is_open

    def test_leads_to_another_decision_about_the_same_case(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        decided(opened)
        undo_decision(opened, note="Too much.", by=mira, now=NOW)

        decided(opened, DISMISS, by=mira)

        assert [one.action for one in Decision.objects.not_undone()] == ["dismiss"]
        assert Decision.objects.count() == 2

    def test_twice_is_refused(self) -> None:
        opened = case()
        decided(opened)
        undo_decision(opened, note="a slip", by=person(), now=NOW)

        with pytest.raises(CannotUndoError):
            undo_decision(opened, note="a slip", by=person(), now=NOW)

    def test_is_a_lift_once_it_is_too_late(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        campaign_of(opened.account, account("acct_pier"))
        decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))

        done = undo_decision(opened, note="Appeal granted.", by=mira, now=NOW + timedelta(minutes=31))

        opened.refresh_from_db()
        assert (done.is_undone, done.ended, opened.is_open) == (False, 2, False)
        assert {one.ending for one in Restriction.objects.all()} == {Restriction.Ending.LIFTED}
        assert access(account="acct_pier", now=NOW).allowed

    def test_of_a_decision_that_another_followed_is_refused(self) -> None:
        opened, mira = case(), person()
        decided(opened)
        decided(reopen(opened, by=mira, now=NOW), DISMISS, by=mira)

        decide_again = Case.objects.exclude(pk=opened.pk).get().decisions.get()
        decide_again.decided_at = NOW + timedelta(minutes=1)
        decide_again.save()
        with pytest.raises(CannotUndoError, match="Mira Okafor decided on this account again"):
            undo_decision(opened, note="a slip", by=mira, now=NOW + timedelta(minutes=2))


class TestDecidingAgain:
    def again(self, about: Case, verdict: Verdict, *, minutes: int = 1) -> Decision:
        mira, now = person(), NOW + timedelta(minutes=minutes)
        return decide(reopen(about, by=mira, now=now), verdict, decision_id=uuid.uuid4(), by=mira, now=now)

    def in_force(self) -> list[tuple[str, str]]:
        live = Restriction.objects.filter(ended_at=None).order_by("number")
        return [(one.target.external_id, one.kind) for one in live]

    def test_to_dismiss_lifts_what_was_decided_before(self) -> None:
        opened = case(account("acct_harbour"))
        decided(opened)

        self.again(opened, DISMISS)

        assert self.in_force() == []
        assert Restriction.objects.get().ending == Restriction.Ending.LIFTED

    def test_to_be_milder_ends_what_was_stronger(self) -> None:
        opened = case(account("acct_harbour"))
        decided(opened)

        self.again(opened, Verdict(RestrictionKind.WATCH, Reason.OTHER))
        self.again(opened, Verdict(RestrictionKind.WARN, Reason.OTHER), minutes=2)

        assert self.in_force() == [("acct_harbour", "warn")]

    def test_about_the_account_ends_what_was_decided_about_its_organisation_and_campaign(self) -> None:
        opened = case(account("acct_harbour", organisation="org_quay"))
        campaign_of(opened.account, account("acct_pier"))
        decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        self.again(opened, replace(BLOCK, scope=Decision.Scope.ORGANISATION))
        assert self.in_force() == [("org_quay", "block")]

        self.again(opened, BLOCK, minutes=2)

        assert self.in_force() == [("acct_harbour", "block")]

    def test_ends_what_another_case_or_a_policy_put_on_the_account_and_leaves_what_came_over_the_api(self) -> None:
        opened, other = case(account("acct_harbour")), case(account("acct_pier"))
        campaign_of(opened.account, other.account)
        decided(other, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        restriction(opened.account, Restriction.Kind.VERIFY, unique_key="policy:1")
        restriction(opened.account, Restriction.Kind.WATCH, unique_key="api:1:x")

        self.again(opened, DISMISS)

        assert self.in_force() == [("acct_pier", "block"), ("acct_harbour", "watch")]

    def test_begins_before_it_ends_so_that_nobody_slips_through(self) -> None:
        opened = case(account("acct_harbour"))
        campaign_of(opened.account, account("acct_pier"))
        decided(opened)

        self.again(opened, replace(BLOCK, action=RestrictionKind.SUSPEND, lasts=timedelta(days=1)))
        self.again(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN), minutes=2)

        whats = list(Change.objects.values_list("what", flat=True))
        assert whats == ["began", "began", "ended", "began", "began", "ended"]

    def test_does_not_let_the_older_decision_back_when_the_newer_expires(self) -> None:
        opened = case(account("acct_harbour"))
        suspend = replace(BLOCK, action=RestrictionKind.SUSPEND, lasts=timedelta(days=30))
        decided(opened, suspend)

        self.again(opened, replace(suspend, lasts=timedelta(days=1)))
        end_expired(now=NOW + timedelta(days=2))

        assert self.in_force() == []

    def test_and_undoing_that_restores_what_it_had_ended(self) -> None:
        opened = case(account("acct_harbour"))
        campaign_of(opened.account, account("acct_pier"))
        decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        again = self.again(opened, DISMISS)

        undo_decision(again.case, note="a slip", by=person(), now=NOW + timedelta(minutes=2))
        assert self.in_force() == [("acct_harbour", "block"), ("acct_pier", "block")]

        decide(
            again.case,
            DISMISS,
            decision_id=uuid.uuid4(),
            by=Case.objects.get(pk=again.case_id).claimed_by or person(),
            now=NOW + timedelta(minutes=3),
        )
        assert self.in_force() == []

    def test_says_in_the_log_what_it_ended(self) -> None:
        opened = case(account("acct_harbour"))
        block = decided(opened).restriction_id

        self.again(opened, DISMISS)

        entry = Entry.objects.filter(verb="case.decided").latest("number")
        assert entry.details["superseded"] == [block]


class TestDecidingForMany:
    @pytest.fixture
    def three(self) -> list[Case]:
        cases = [case(account(f"acct_{number}", organisation="org_quay")) for number in range(3)]
        campaign_of(*(one.account for one in cases))
        return cases

    @pytest.mark.parametrize("scope", [Decision.Scope.ORGANISATION, Decision.Scope.CAMPAIGN])
    def test_closes_the_open_cases_of_all_with_a_step_that_names_the_case(
        self, three: list[Case], scope: Decision.Scope
    ) -> None:
        other = case(account("acct_other"))
        claim(three[1], by=person("Jonas Lindqvist"), now=NOW)

        decision = decided(three[0], replace(BLOCK, scope=scope))

        assert list(Case.objects.filter(status=Case.Status.OPEN)) == [other]
        assert set(Case.objects.filter(resolved_by=decision)) == set(three[1:])
        assert "acct_0" in three[1].steps.get(kind=Step.Kind.RESOLVED).text
        assert Entry.objects.filter(verb="case.resolved", details__case=str(three[0].pk)).count() == 2

    def test_tells_who_works_on_one_of_them_who_decided(self, three: list[Case]) -> None:
        decided(three[0], replace(BLOCK, scope=Decision.Scope.CAMPAIGN), by=person("Mira Okafor"))

        with pytest.raises(
            AlreadyDecidedError, match="Mira Okafor decided this case, with that of acct_0, first: block"
        ):
            decided(three[1], DISMISS, by=person("Jonas Lindqvist"))

    def test_and_undoing_that_opens_all_of_them_again(self, three: list[Case]) -> None:
        decided(three[0], replace(BLOCK, scope=Decision.Scope.CAMPAIGN))

        undo_decision(three[0], note="One school.", by=person(), now=NOW)

        assert Case.objects.filter(status=Case.Status.OPEN, resolved_by=None).count() == 3
        assert Restriction.objects.filter(ended_at=None).count() == 0
        assert three[1].steps.filter(kind=Step.Kind.REOPENED).exists()

    def test_and_deciding_again_about_one_opens_the_others_again(self, three: list[Case]) -> None:
        decided(three[0], replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        mira = person()
        again = reopen(three[0], by=mira, now=NOW)

        dismissal = decided(again, DISMISS, by=mira)

        assert set(Case.objects.filter(status=Case.Status.OPEN)) == set(three[1:])
        undo_decision(dismissal.case, note="a slip", by=mira, now=NOW)
        assert list(Case.objects.filter(status=Case.Status.OPEN)) == [again]

    def test_takes_as_many_queries_for_many_as_for_few(self, django_assert_max_num_queries: object) -> None:
        cases = [case(account(f"acct_{number}")) for number in range(60)]
        campaign_of(*(one.account for one in cases))
        mira = person()

        with django_assert_max_num_queries(45):  # type: ignore[operator] # a fixture
            decided(cases[0], replace(BLOCK, scope=Decision.Scope.CAMPAIGN), by=mira)
        with django_assert_max_num_queries(45):  # type: ignore[operator] # a fixture
            undo_decision(cases[0], note="a slip", by=mira, now=NOW)

        assert Case.objects.filter(status=Case.Status.OPEN).count() == 60

    @pytest.mark.django_db(transaction=True)
    def test_at_once_from_two_of_its_cases_has_one_winner(self, three: list[Case]) -> None:
        people = [person("Mira Okafor"), person("Jonas Lindqvist")]

        def attempt(place: int) -> bool:
            try:
                decided(three[place], replace(BLOCK, scope=Decision.Scope.CAMPAIGN), by=people[place])
            except AlreadyDecidedError:
                return False
            finally:
                connection.close()
            return True

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(attempt, range(2)))

        assert sorted(outcomes) == [False, True]
        assert Restriction.objects.count() == 3


class TestTakingUpAgain:
    def test_opens_a_new_case_for_who_asks_and_lets_the_decision_stand(self) -> None:
        dismissed, mira = case(), person()
        decided(dismissed, DISMISS)

        again = reopen(dismissed, by=mira, now=NOW)

        assert again != dismissed
        assert (again.account, again.is_open, again.claimant(at=NOW)) == (dismissed.account, True, mira.pk)
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

    add_note(opened, text="Wrote to the customer.", by=person(), now=NOW)

    assert opened.steps.get().text == "Wrote to the customer."
    assert Entry.objects.get(verb="case.noted").details == {"note": "Wrote to the customer."}


class TestConsidering:
    def test_opens_a_case_where_the_policy_wants_one(self) -> None:
        wanted, unwanted = assessment(account()), assessment(account(), score=12, band="low")

        open_or_update_cases([wanted, unwanted], due={wanted.account_id: NOW}, now=NOW)

        assert Case.objects.get().account == wanted.account

    def test_brings_an_open_case_up_to_date(self) -> None:
        opened = case(score=60, band="elevated", due_in=72)
        worse = assessment(opened.account, score=91)

        open_or_update_cases([worse], due={opened.account_id: NOW + timedelta(hours=4)}, now=NOW)

        opened.refresh_from_db()
        assert (opened.score, opened.assessment, opened.due_at) == (91, worse, NOW + timedelta(hours=4))

    def test_notes_in_its_history_that_the_score_changed_and_nothing_when_it_did_not(self) -> None:
        opened = case(score=60, band="elevated")

        for score in (60, 91):
            open_or_update_cases([assessment(opened.account, score=score)], due={}, now=NOW)

        assert [step.text for step in opened.steps.filter(kind=Step.Kind.RESCORED)] == ["Score 91 (critical)."]

    def test_never_moves_a_due_date_back(self) -> None:
        opened = case(due_in=1)
        better = assessment(opened.account, score=55, band="elevated")

        open_or_update_cases([better], due={opened.account_id: NOW + timedelta(hours=72)}, now=NOW)

        opened.refresh_from_db()
        assert opened.due_at == NOW + timedelta(hours=1)

    @pytest.mark.parametrize("by", ["policy", "api", "organisation", "campaign", "replacement"])
    def test_opens_no_case_for_who_has_no_access_whatever_denies_it(self, by: str) -> None:
        harbour = account("acct_harbour", organisation="org_quay")
        dismissed = case(harbour)
        decided(dismissed, DISMISS)
        if by == "organisation":
            restriction(harbour.organisation)  # type: ignore[arg-type] # it has one
        elif by == "campaign":
            other = case(account("acct_pier"))
            campaign_of(harbour, other.account)
            decided(other, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        else:
            restriction(harbour, unique_key=f"{by}:1")
            if by == "replacement":
                restriction(harbour)

        worse = assessment(harbour, score=99)
        open_or_update_cases([worse], due={harbour.pk: NOW}, now=NOW + timedelta(days=100))

        assert not harbour.cases.filter(status=Case.Status.OPEN).exists()

    def test_opens_one_again_once_access_is_back(self) -> None:
        harbour = account()
        block = restriction(harbour)
        lift_restriction(case(harbour, status="decided", closed_at=NOW), block, note="", by=person(), now=NOW)

        open_or_update_cases([assessment(harbour, score=99)], due={harbour.pk: NOW}, now=NOW + timedelta(days=100))

        assert harbour.cases.filter(status=Case.Status.OPEN).exists()

    def test_opens_no_case_for_who_was_just_decided_with_another(self) -> None:
        first, second = case(account("acct_1")), case(account("acct_2"))
        campaign_of(first.account, second.account)
        decided(first, replace(BLOCK, action=RestrictionKind.WATCH, scope=Decision.Scope.CAMPAIGN))

        open_or_update_cases([assessment(second.account)], due={second.account_id: NOW}, now=NOW + timedelta(days=1))

        assert Case.objects.count() == 2

    def test_opens_no_case_for_who_was_just_dismissed(self) -> None:
        dismissed = case()
        decided(dismissed, DISMISS)

        open_or_update_cases(
            [assessment(dismissed.account)], due={dismissed.account_id: NOW}, now=NOW + timedelta(days=1)
        )

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
