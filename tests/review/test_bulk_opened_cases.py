"""A case that was opened only for a decision about many ends when that is undone: the queue is as it was before."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.review.actions import add_note, claim, decide
from governance.review.bulk import unfinished
from governance.review.bulk.actions import start_undoing_all
from governance.review.holding import assign, escalate, hold
from governance.review.models import BulkDecision, Case, Decision
from governance.review.undo import undo_decision
from governance.review.verdicts import CaseEndedError
from governance.staff.models import User
from tests.factories import NOW, account, assessment, case, person
from tests.review.bulk import SOON, carry_on, started, states
from tests.review.case_work import words
from tests.review.deciding import BLOCK, DISMISS
from tests.review.pages import address, block_form, signed_in, text

pytestmark = pytest.mark.django_db
LATER = SOON + timedelta(minutes=1)


@pytest.fixture
def quiet() -> Account:
    """Below the review line, so without a case."""
    found = account("acct_quiet", organisation="org_quay")
    assessment(found, score=12, band="low")
    return found


@pytest.fixture
def mira() -> User:
    return person()


def undo(bulk: BulkDecision, by: User) -> None:
    start_undoing_all(bulk, note="It was a course.", by=by, now=LATER)
    carry_on(at=LATER)


def decided_and_undone(quiet: Account, by: User) -> Case:
    bulk = started([quiet], by=by)
    carry_on()
    undo(bulk, by)
    return Case.objects.get(account=quiet)


def fail_to_decide(*args: object, **kwargs: object) -> None:
    raise ValueError


class TestTheCase:
    def test_is_in_no_queue_after_the_undo_and_its_history_says_why(self, quiet: Account, mira: User) -> None:
        opened = decided_and_undone(quiet, mira)

        assert (opened.status, opened.closed_at) == (Case.Status.ENDED, LATER)
        assert not Case.objects.waiting().exists()
        assert [one.kind for one in opened.steps.order_by("pk")] == ["opened", "decided", "undone", "ended"]
        assert Entry.objects.get(verb="case.ended").details == {"account": "acct_quiet"}
        assert not any(iter_chain_checks())

    def test_ends_too_where_it_was_opened_and_not_decided_yet(
        self, quiet: Account, mira: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bulk = started([quiet], by=mira)
        monkeypatch.setattr(unfinished, "decide", fail_to_decide)
        carry_on()
        assert Case.objects.waiting().count() == 1

        undo(bulk, mira)

        assert Case.objects.get().status == Case.Status.ENDED
        assert states(bulk)["acct_quiet"][0] == "skipped"

    def test_stays_where_a_colleague_has_claimed_it(
        self, quiet: Account, mira: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bulk = started([quiet], by=mira)
        monkeypatch.setattr(unfinished, "decide", fail_to_decide)
        carry_on()
        claim(Case.objects.get(), by=person("Jonas Lind"), now=SOON)

        undo(bulk, mira)

        assert Case.objects.get().is_open

    @pytest.mark.parametrize("what", ["held", "assigned", "escalated", "noted"])
    def test_stays_where_a_colleague_has_said_something_of_it(
        self, quiet: Account, mira: User, monkeypatch: pytest.MonkeyPatch, what: str
    ) -> None:
        bulk, jonas = started([quiet], by=mira), person("Jonas Lind")
        monkeypatch.setattr(unfinished, "decide", fail_to_decide)
        carry_on()
        opened = Case.objects.get()
        if what == "held":
            hold(opened, until=NOW + timedelta(days=2), because="They answer.", by=jonas, now=SOON)
        elif what == "assigned":
            assign(opened, to=jonas, because="They wrote to me.", by=jonas, now=SOON)
        elif what == "escalated":
            escalate(opened, because="May we?", by=jonas, now=SOON)
        else:
            add_note(opened, text="They wrote to me.", by=jonas, now=SOON)

        undo(bulk, mira)

        assert Case.objects.get().is_open

    def test_stays_where_a_colleague_had_undone_its_decision(self, quiet: Account, mira: User) -> None:
        bulk = started([quiet], by=mira)
        carry_on()
        undo_decision(Case.objects.get(), note="A school.", by=person("Jonas Lind"), now=SOON)

        undo(bulk, mira)

        assert Case.objects.get().is_open

    def test_stays_where_the_score_has_risen_since(self, quiet: Account, mira: User) -> None:
        bulk = started([quiet], by=mira)
        carry_on()
        assessment(quiet, score=88, at=SOON)

        undo(bulk, mira)

        assert Case.objects.waiting().get().score == 88

    def test_that_was_there_before_is_in_the_queue_again(self, mira: User) -> None:
        before = case()
        bulk = started([before.own_account], by=mira)
        carry_on()

        undo(bulk, mira)

        assert Case.objects.waiting().get() == before


class TestAfterItEnded:
    def test_the_account_can_be_decided_about_again(self, quiet: Account, mira: User) -> None:
        decided_and_undone(quiet, mira)

        again = started([quiet], DISMISS, by=mira)
        carry_on(at=LATER)

        assert states(again) == {"acct_quiet": ("decided", "")}

    def test_an_earlier_case_of_the_account_is_reopened_when_its_own_decision_is_undone(
        self, quiet: Account, mira: User
    ) -> None:
        first, covered = case(account(organisation="org_quay")), case(quiet)
        of_all = replace(BLOCK, scope=Decision.Scope.ORGANISATION)
        decide(first, of_all, decision_id=uuid.uuid4(), by=mira, now=NOW)
        bulk = started([quiet], by=mira)
        carry_on()
        undo(bulk, mira)

        undo_decision(first, note="A slip.", by=mira, now=LATER)

        covered.refresh_from_db()
        assert covered.is_open

    @pytest.mark.usefixtures("_at_now")
    def test_its_page_says_so_and_offers_no_decision(self, quiet: Account, mira: User) -> None:
        opened = decided_and_undone(quiet, mira)
        client = signed_in(mira)

        page = words(client.get(address(opened)))

        assert "This case was opened for the decision, so it ended with it." in page
        assert 'name="action"' not in page

    @pytest.mark.usefixtures("_at_now")
    def test_its_page_says_so_where_it_was_never_decided(
        self, quiet: Account, mira: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bulk = started([quiet], by=mira)
        monkeypatch.setattr(unfinished, "decide", fail_to_decide)
        carry_on()
        undo(bulk, mira)

        page = words(signed_in(mira).get(address(Case.objects.get())))

        assert "Ended undecided" in page
        assert 'name="action"' not in page

    @pytest.mark.usefixtures("_at_now")
    @pytest.mark.parametrize("what", ["decide", "claim", "assign", "escalate", "hold"])
    def test_who_comes_late_is_told(self, quiet: Account, mira: User, what: str) -> None:
        opened = decided_and_undone(quiet, mira)
        sent = block_form() | {"because": "Ask them.", "hours": "4"}

        answer = signed_in(mira).post(address(opened, f"{what}/"), sent)

        assert answer.status_code == 409
        assert str(CaseEndedError(opened)).replace("'", "&#x27;") in text(answer)
