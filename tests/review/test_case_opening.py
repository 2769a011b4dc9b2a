"""Cases that new assessments open or update."""

from dataclasses import replace
from datetime import timedelta

import pytest

from governance.restrictions.kinds import RestrictionKind
from governance.review.actions import lift_restriction
from governance.review.case_opening import open_or_update_cases
from governance.review.models import Case, Decision, Step
from tests.factories import NOW, account, assessment, campaign_case, campaign_of, case, person, restriction
from tests.review.deciding import BLOCK, DISMISS, decide_all, decided

pytestmark = pytest.mark.django_db


class TestConsidering:
    def test_opens_a_case_where_the_policy_wants_one(self) -> None:
        wanted, unwanted = assessment(account()), assessment(account(), score=12, band="low")

        open_or_update_cases([wanted, unwanted], due={wanted.account_id: NOW}, now=NOW)

        assert Case.objects.get().account == wanted.account

    def test_brings_an_open_case_up_to_date(self) -> None:
        opened = case(score=60, band="elevated", due_in=72)
        worse = assessment(opened.own_account, score=91)

        open_or_update_cases([worse], due={opened.own_account.pk: NOW + timedelta(hours=4)}, now=NOW)

        opened.refresh_from_db()
        assert (opened.score, opened.assessment, opened.due_at) == (91, worse, NOW + timedelta(hours=4))

    def test_notes_in_its_history_that_the_score_changed_and_nothing_when_it_did_not(self) -> None:
        opened = case(score=60, band="elevated")

        for score in (60, 91):
            open_or_update_cases([assessment(opened.own_account, score=score)], due={}, now=NOW)

        assert [step.text for step in opened.steps.filter(kind=Step.Kind.RESCORED)] == ["Score 91 (critical)."]

    def test_never_moves_a_due_date_back(self) -> None:
        opened = case(due_in=1)
        better = assessment(opened.own_account, score=55, band="elevated")

        open_or_update_cases([better], due={opened.own_account.pk: NOW + timedelta(hours=72)}, now=NOW)

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
            decide_all(campaign_case(harbour, account("acct_pier")))
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
        campaign_of(first.own_account, second.own_account)
        decided(first, replace(BLOCK, action=RestrictionKind.WATCH, scope=Decision.Scope.CAMPAIGN))

        open_or_update_cases(
            [assessment(second.own_account)], due={second.own_account.pk: NOW}, now=NOW + timedelta(days=1)
        )

        assert Case.objects.count() == 2

    def test_opens_no_case_for_who_was_just_dismissed(self) -> None:
        dismissed = case()
        decided(dismissed, DISMISS)

        open_or_update_cases(
            [assessment(dismissed.own_account)], due={dismissed.own_account.pk: NOW}, now=NOW + timedelta(days=1)
        )

        assert Case.objects.count() == 1
