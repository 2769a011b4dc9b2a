"""Decisions about an organisation or a campaign."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from governance.audit.models import Entry
from governance.restrictions.models import Restriction
from governance.review.actions import claim, reopen
from governance.review.models import Case, Decision, Step
from governance.review.undo import undo_decision
from governance.review.verdicts import (
    AlreadyDecidedError,
)
from tests.factories import NOW, account, campaign_of, case, person
from tests.review.deciding import BLOCK, DISMISS, decided

pytestmark = pytest.mark.django_db


class TestDecidingForMany:
    @pytest.fixture
    def three(self) -> list[Case]:
        cases = [case(account(f"acct_{number}", organisation="org_quay")) for number in range(3)]
        campaign_of(*(one.own_account for one in cases))
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
        campaign_of(*(one.own_account for one in cases))
        mira = person()

        with django_assert_max_num_queries(50):  # type: ignore[operator] # a fixture
            decided(cases[0], replace(BLOCK, scope=Decision.Scope.CAMPAIGN), by=mira)
        with django_assert_max_num_queries(50):  # type: ignore[operator] # a fixture
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
