"""How far a decision about many has been applied or undone, as the case page counts it: every batch moves it on."""

import uuid

import pytest

from accounts.models import Account
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import decide, reopen
from governance.review.models import Case, Decision, Dismissal
from governance.review.progress import progress_of
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import Verdict
from governance.staff.models import User
from tests.factories import NOW, account, campaign_of, case, person

pytestmark = pytest.mark.django_db

BATCH_SIZE = 2
SIZE = 5
DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EXPECTED_USE)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actions, decision_targets, undo, unfinished_decisions):
        monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)


@pytest.fixture
def mira() -> User:
    return person()


def of_company(number: int) -> Account:
    return account(f"acct_{number}", organisation="org_quay")


def block(scope: Decision.Scope) -> Verdict:
    return Verdict(action=RestrictionKind.BLOCK, reason=Reason.COORDINATED_ACCOUNTS, scope=scope)


def decided(opened: Case, verdict: Verdict, *, by: User) -> Decision:
    return decide(opened, verdict, decision_id=uuid.uuid4(), by=by, now=NOW)


def applied(opened: Case, verdict: Verdict, *, by: User) -> Decision:
    made = decided(opened, verdict, by=by)
    apply_unfinished_decisions(now=NOW)
    return made


def stages(decision: Decision) -> list[str]:
    """What the page says before the next batch and after each, until it says nothing."""
    said = []
    is_more = True
    while is_more:
        if (progress := progress_of(Decision.objects.get(pk=decision.pk))) is not None:
            said.append(f"{progress.done} of {progress.total} {progress.what}")
        is_more = unfinished_decisions._apply_batch(decision.pk, now=NOW)
    return said


def undone(decision: Decision, *, by: User) -> Decision:
    undo_decision(decision.case, note="A slip.", by=by, now=NOW)
    return decision


class TestOfADecision:
    def test_about_a_campaign_counts_accounts(self, mira: User) -> None:
        members = [account() for _ in range(SIZE)]
        campaign_of(*members)

        decision = decided(case(members[0]), block(Decision.Scope.CAMPAIGN), by=mira)

        assert stages(decision) == ["2 of 5 accounts restricted", "4 of 5 accounts restricted"]

    def test_that_takes_the_place_of_one_about_a_campaign_counts_what_it_ends(self, mira: User) -> None:
        members = [account() for _ in range(SIZE)]
        campaign_of(*members)
        own = case(members[0])
        applied(own, block(Decision.Scope.CAMPAIGN), by=mira)

        decision = decided(reopen(own, by=mira, now=NOW), DISMISS, by=mira)

        assert stages(decision) == ["2 of 5 earlier restrictions ended", "4 of 5 earlier restrictions ended"]

    def test_about_an_organisation_counts_the_cases_that_it_closes(self, mira: User) -> None:
        own, *_ = [case(of_company(number)) for number in range(SIZE + 1)]

        decision = decided(own, block(Decision.Scope.ORGANISATION), by=mira)

        assert stages(decision) == ["2 of 5 open cases closed", "4 of 5 open cases closed"]

    def test_that_takes_its_place_counts_the_cases_that_it_opens_again(self, mira: User) -> None:
        own, *_ = [case(of_company(number)) for number in range(SIZE + 1)]
        applied(own, block(Decision.Scope.ORGANISATION), by=mira)

        decision = decided(reopen(own, by=mira, now=NOW), DISMISS, by=mira)

        assert stages(decision) == ["0 of 5 cases reopened", "0 of 3 cases reopened", "0 of 1 cases reopened"]

    def test_is_nothing_once_all_is_done(self, mira: User) -> None:
        decision = applied(case(), block(Decision.Scope.ACCOUNT), by=mira)

        assert progress_of(decision) is None


class TestOfUndoing:
    def test_a_decision_about_a_campaign_counts_accounts(self, mira: User) -> None:
        members = [account() for _ in range(SIZE)]
        campaign_of(*members)

        decision = undone(applied(case(members[0]), block(Decision.Scope.CAMPAIGN), by=mira), by=mira)

        assert stages(decision) == ["2 of 5 restrictions ended", "4 of 5 restrictions ended"]

    def test_a_decision_about_an_organisation_counts_the_cases_that_are_opened_again(self, mira: User) -> None:
        own, *_ = [case(of_company(number)) for number in range(SIZE + 1)]

        decision = undone(applied(own, block(Decision.Scope.ORGANISATION), by=mira), by=mira)

        assert stages(decision) == ["0 of 3 cases reopened", "0 of 1 cases reopened"]

    def test_brings_back_an_earlier_one_about_the_organisation_which_closes_cases_again(self, mira: User) -> None:
        own = case(of_company(0))
        applied(own, block(Decision.Scope.ORGANISATION), by=mira)
        second = applied(reopen(own, by=mira, now=NOW), DISMISS, by=mira)
        for number in range(1, SIZE + 1):
            case(of_company(number))

        decision = undone(second, by=mira)

        assert stages(decision) == [f"0 of {left} cases closed again" for left in (5, 3, 1)]
        assert Case.objects.filter(status=Case.Status.OPEN).count() == 1
