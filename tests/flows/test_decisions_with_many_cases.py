"""A decision about an organisation closes its open cases batch by batch, and opens them again when it is undone."""

import uuid
from datetime import timedelta

import pytest

from accounts.models import Organisation
from governance.audit.queries import iter_chain_checks
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.review import actions
from governance.review.actions import decide
from governance.review.models import Case, Decision
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from tests.factories import MACHINE, NOW, account, case, person
from tests.flows.large_decisions import BATCH_SIZE, BLOCK_COMPANY, DISMISS, SIZE, _small_batches, blocked
from tests.review.pages import address, by_htmx, signed_in, text

__all__ = ["_small_batches"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)


class TestAboutAnOrganisationWithManyCases:
    @pytest.fixture(autouse=True)
    def _cases(self) -> None:
        for number in range(SIZE):
            case(account(f"acct_{number:04}", organisation="org_quay"))
        self.own = Case.objects.get(account__external_id="acct_0000")
        self.reviewer = person()

    def decide(self) -> Decision:
        return decide(self.own, BLOCK_COMPANY, decision_id=uuid.uuid4(), by=self.reviewer, now=NOW)

    @staticmethod
    def open_cases() -> int:
        return Case.objects.filter(status=Case.Status.OPEN).count()

    def page(self) -> str:
        return text(signed_in(self.reviewer).get(address(self.own), headers=by_htmx("decision-progress")))

    def test_is_in_force_at_once_and_closes_them_portion_by_portion(self) -> None:
        decision = self.decide()
        at_once = self.open_cases()

        portions = apply_unfinished_decisions(now=NOW)

        assert Restriction.objects.get().organisation == Organisation.objects.get()
        assert (at_once, portions, self.open_cases()) == (SIZE - 1 - BATCH_SIZE, 2, 0)
        assert decision.resolved_cases.count() == SIZE - 1
        assert not Decision.objects.unfinished().exists()
        assert not any(iter_chain_checks())

    def test_leaves_a_case_alone_that_was_opened_since(self) -> None:
        self.decide()
        late = case(account("acct_late", organisation="org_quay"))
        Case.objects.filter(pk=late.pk).update(opened_at=NOW + timedelta(seconds=1))

        apply_unfinished_decisions(now=NOW + timedelta(seconds=5))

        assert [one.pk for one in Case.objects.waiting()] == [late.pk]

    def test_opens_them_portion_by_portion_when_it_is_undone(self) -> None:
        self.decide()
        apply_unfinished_decisions(now=NOW)

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        at_once = self.open_cases()
        apply_unfinished_decisions(now=NOW)

        assert (at_once, self.open_cases()) == (BATCH_SIZE + 1, SIZE)
        assert not Decision.objects.unfinished().exists()
        assert not any(iter_chain_checks())

    def test_opens_those_again_that_it_closed_when_it_is_undone_before_its_end(self) -> None:
        self.decide()

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        apply_unfinished_decisions(now=NOW)

        assert self.open_cases() == SIZE

    def test_leaves_one_closed_that_was_decided_since_by_a_clock_behind_when_it_is_undone(self) -> None:
        self.decide()
        apply_unfinished_decisions(now=NOW)
        again = actions.reopen(Case.objects.get(account__external_id="acct_0001"), by=self.reviewer, now=NOW)
        behind = NOW - timedelta(seconds=10)
        decide(again, DISMISS, decision_id=uuid.uuid4(), by=self.reviewer, now=behind)

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        apply_unfinished_decisions(now=NOW)

        assert self.open_cases() == SIZE - 1
        assert not Case.objects.waiting().filter(account__external_id="acct_0001").exists()

    def test_closes_no_more_of_them_where_it_is_lifted(self) -> None:
        decision = self.decide()
        lift(Restriction.objects.get(decision=decision), note="Enough.", by=MACHINE, now=NOW)

        apply_unfinished_decisions(now=NOW)

        assert self.open_cases() == SIZE - 1 - BATCH_SIZE

    def test_opens_them_portion_by_portion_when_another_decision_follows(self) -> None:
        self.decide()
        apply_unfinished_decisions(now=NOW)
        again = actions.reopen(self.own, by=self.reviewer, now=NOW)

        decide(again, DISMISS, decision_id=uuid.uuid4(), by=self.reviewer, now=NOW + timedelta(minutes=1))
        at_once = self.open_cases()
        apply_unfinished_decisions(now=NOW + timedelta(minutes=1))

        assert (at_once, self.open_cases(), blocked()) == (0, SIZE - 1, 0)

    def test_says_how_far_it_is_until_it_is_done(self) -> None:
        self.decide()
        before = self.page()

        apply_unfinished_decisions(now=NOW)

        assert f"In progress: {BATCH_SIZE} of {SIZE - 1} open cases closed." in before
        assert "every 2s" in before
        assert "In progress" not in self.page()
