"""Claiming a case, noting on it and reopening it."""

from datetime import timedelta

import pytest

from governance.audit.models import Entry
from governance.restrictions.queries import access
from governance.review.actions import add_note, claim, release, reopen
from governance.review.models import CLAIM_LASTS, Decision, Step
from governance.review.verdicts import (
    AlreadyDecidedError,
    CaseTakenError,
)
from tests.factories import NOW, account, case, person
from tests.review.deciding import DISMISS, decided

pytestmark = pytest.mark.django_db


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
