"""One undo takes back every decision that was made about many at once, and says of which it could not."""

import logging
import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.restrictions.models import Restriction
from governance.review.actions import claim, decide, reopen, shut_out_and_release
from governance.review.bulk import unfinished
from governance.review.bulk.actions import UNDONE_FIRST, start_undoing_all
from governance.review.bulk.unfinished import TOO_LATE as TOO_LATE_TO_UNDO
from governance.review.models import BulkDecision, BulkTarget, Case, Decision
from governance.review.undo import undo_decision
from governance.review.verdicts import CannotUndoError, Verdict
from governance.staff.models import User
from tests.factories import MACHINE, NOW, assessment, person
from tests.review.bulk import SOON, carry_on, five_with_cases, started, states
from tests.review.deciding import BLOCK, DISMISS

pytestmark = pytest.mark.django_db
LATER = SOON + timedelta(minutes=1)
TOO_LATE = NOW + timedelta(minutes=settings.UNDO_MINUTES, seconds=1)


@pytest.fixture
def five() -> list[Account]:
    return five_with_cases()


@pytest.fixture
def ada() -> User:
    return person("Ada Moreau")


def undo(bulk: BulkDecision, by: User) -> None:
    start_undoing_all(bulk, note="It was a course.", by=by, now=LATER)


def raise_value_error(*args: object, **kwargs: object) -> None:
    raise ValueError


def blocked() -> set[str]:
    live = Restriction.objects.filter(ended_at=None, kind="block")
    return set(live.values_list("account__external_id", flat=True))


class TestSomebodyWhoWasShutOut:
    def test_decides_about_nobody_any_more(self, five: list[Account]) -> None:
        mira = person("Mira Vale")
        bulk = started(five, by=mira)

        shut_out_and_release(mira, by=MACHINE, now=SOON)
        carry_on()

        assert blocked() == set()
        assert set(states(bulk).values()) == {("skipped", "Mira Vale may no longer decide.")}

    def test_undoes_nothing_any_more(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()
        undo(bulk, ada)

        shut_out_and_release(ada, by=MACHINE, now=LATER)
        carry_on(at=LATER)

        assert len(blocked()) == len(five)
        assert set(states(bulk).values()) == {("kept", "Ada Moreau may no longer undo decisions.")}


class TestUndoing:
    def test_stops_what_still_waits_however_late_it_is(self, five: list[Account], ada: User) -> None:
        bulk = started(five)

        start_undoing_all(bulk, note="Not these.", by=ada, now=TOO_LATE)
        carry_on(at=TOO_LATE)

        assert blocked() == set()
        assert set(states(bulk).values()) == {("skipped", UNDONE_FIRST)}

    def test_is_possible_soon_after_the_last_account_was_reached(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on(at=TOO_LATE)

        start_undoing_all(bulk, note="Not these.", by=ada, now=TOO_LATE + timedelta(minutes=1))
        carry_on(at=TOO_LATE + timedelta(minutes=1))

        assert blocked() == set()

    def test_ends_all_restrictions_and_reopens_all_cases_for_everybody(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()

        undo(bulk, ada)
        carry_on(at=LATER)

        assert blocked() == set()
        assert {state for state, _ in states(bulk).values()} == {"undone"}
        assert {one.status for one in Case.objects.all()} == {Case.Status.OPEN}
        assert not Case.objects.claimed(at=LATER).exists()
        assert {(one.undone_by, one.undone_note) for one in Decision.objects.all()} == {(ada, "It was a course.")}
        bulk.refresh_from_db()
        assert not bulk.is_unfinished
        assert Entry.objects.filter(verb="bulk.undone", subject_id=str(bulk.pk)).count() == 1
        assert not any(iter_chain_checks())

    def test_leaves_alone_who_was_not_reached_yet(self, five: list[Account], ada: User) -> None:
        bulk = started(five)

        undo(bulk, ada)
        carry_on(at=LATER)

        assert set(states(bulk).values()) == {("skipped", UNDONE_FIRST)}
        assert not Decision.objects.exists()

    def test_twice_is_once(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()

        undo(bulk, ada)
        undo(bulk, ada)
        carry_on(at=LATER)
        carry_on(at=LATER)

        assert Entry.objects.filter(verb="bulk.undone").count() == 1
        assert Entry.objects.filter(verb="case.undone").count() == 5

    def test_is_refused_when_it_is_too_late(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()

        with pytest.raises(CannotUndoError):
            start_undoing_all(bulk, note="It was a course.", by=ada, now=TOO_LATE + (SOON - NOW))

        assert len(blocked()) == 5

    @pytest.mark.parametrize(
        ("verdict", "because"),
        [(BLOCK, f"{TOO_LATE_TO_UNDO} Its restriction was removed."), (DISMISS, TOO_LATE_TO_UNDO)],
        ids=["block", "dismissal"],
    )
    def test_says_of_whom_it_came_too_late_that_the_decision_stands(
        self, five: list[Account], ada: User, verdict: Verdict, because: str
    ) -> None:
        bulk = started(five[:2], verdict)
        first, second = bulk.targets.order_by("pk")
        unfinished._apply_to(first.pk, now=NOW)
        carry_on(at=TOO_LATE)  # the worker was away meanwhile

        start_undoing_all(bulk, note="It was a course.", by=ada, now=TOO_LATE + timedelta(minutes=1))
        carry_on(at=TOO_LATE + timedelta(minutes=1))

        said = states(bulk)
        assert said[first.account.external_id] == ("kept", because)
        assert said[second.account.external_id] == ("undone", "")
        assert set(Decision.objects.not_undone().values_list("bulk_target", flat=True)) == {first.pk}
        assert blocked() == set()

    def test_in_time_counts_though_the_worker_comes_late(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()

        undo(bulk, ada)
        carry_on(at=TOO_LATE + timedelta(hours=1))

        assert Decision.objects.filter(undone_at=None).count() == 0
        assert {one.ending for one in Restriction.objects.all()} == {Restriction.Ending.UNDONE}
        assert {one.status for one in Case.objects.all()} == {Case.Status.OPEN}


class UndoesAtAFailure(logging.Handler):
    """Somebody who undoes all in the moment between the failure of an account and its being counted."""

    def __init__(self, bulk: BulkDecision, by: User) -> None:
        super().__init__()
        self.undo = partial(undo, bulk, by)

    def emit(self, record: logging.LogRecord) -> None:
        self.undo()


def test_an_account_whose_last_attempt_fails_while_all_is_undone_is_left_alone(
    five: list[Account], ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bulk = started(five)
    bulk.targets.update(attempts=unfinished.MOST_ATTEMPTS - 1)
    monkeypatch.setattr(unfinished, "decide", raise_value_error)
    unfinished.logger.addHandler(handler := UndoesAtAFailure(bulk, ada))

    carry_on()
    unfinished.logger.removeHandler(handler)

    assert set(states(bulk).values()) == {("skipped", UNDONE_FIRST)}
    assert set(bulk.targets.values_list("attempts", flat=True)) == {unfinished.MOST_ATTEMPTS - 1}


class TestWhatCannotBeUndone:
    def test_is_an_account_that_was_decided_again_which_is_listed_with_the_reason(
        self, five: list[Account], ada: User
    ) -> None:
        bulk = started(five)
        carry_on()
        assessment(five[2], at=SOON)
        jonas = person("Jonas Lind")
        again = reopen(Case.objects.get(account=five[2]), by=jonas, now=SOON)
        decide(again, DISMISS, decision_id=uuid.uuid4(), by=jonas, now=SOON)

        undo(bulk, ada)
        carry_on(at=LATER)

        found = states(bulk)
        state, because = found.pop("acct_dune")
        assert state == BulkTarget.State.KEPT
        assert because.startswith("Jonas Lind decided on this account again: dismissed.")
        assert {state for state, _ in found.values()} == {"undone"}

    def test_is_not_one_that_somebody_had_undone_which_is_said(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()
        jonas = person("Jonas Lind")
        undo_decision(Case.objects.get(account=five[2]), note="A school.", by=jonas, now=SOON)

        undo(bulk, ada)
        carry_on(at=LATER)

        assert states(bulk)["acct_dune"] == ("undone", "Jonas Lind had undone it already.")
        assert Case.objects.claimed(at=LATER).get().claimed_by == jonas

    def test_is_not_a_decision_that_was_made_after_one_was_undone(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()
        jonas, own = person("Jonas Lind"), Case.objects.get(account=five[2])
        undo_decision(own, note="A school.", by=jonas, now=SOON)
        theirs = decide(own, DISMISS, decision_id=uuid.uuid4(), by=jonas, now=SOON)

        undo(bulk, ada)
        carry_on(at=LATER)

        theirs.refresh_from_db()
        assert theirs.undone_at is None

    def test_leaves_the_claim_of_a_colleague_who_works_on_the_new_case(self, five: list[Account], ada: User) -> None:
        bulk = started(five)
        carry_on()
        jonas = person("Jonas Lind")
        claim(reopen(Case.objects.get(account=five[2]), by=jonas, now=SOON), by=jonas, now=SOON)

        undo(bulk, ada)
        carry_on(at=LATER)

        assert states(bulk)["acct_dune"] == ("undone", "")
        assert Case.objects.claimed(at=LATER).get().claimed_by == jonas
