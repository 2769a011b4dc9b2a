"""Undoing a decision on many accounts too late lifts them batch by batch, and keeps no other decision waiting."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from accounts.models import Account
from governance.audit.actions import audit_log_lock
from governance.audit.queries import iter_chain_checks
from governance.restrictions import actions as restrictions
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, Restriction
from governance.restrictions.reasons import Reason
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import decide
from governance.review.models import Case, Decision, Step
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import Verdict
from governance.staff.models import User
from tests.factories import NOW, account, campaign_of, case, person
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BATCH_SIZE = 4
SIZE = 3 * BATCH_SIZE - 1
TOO_LATE = NOW + timedelta(days=1)
BLOCK = Verdict(RestrictionKind.BLOCK, Reason.BULK_HARVEST, note="Seen twice.")
BLOCK_ALL = Verdict(RestrictionKind.BLOCK, Reason.BULK_HARVEST, note="Seen twice.", scope=Decision.Scope.CAMPAIGN)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actions, decision_targets, restrictions, undo, unfinished_decisions):
        monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)


@pytest.fixture
def reviewer(transactional_db: None) -> User:
    return person()


@pytest.fixture
def harvesters(transactional_db: None) -> list[Account]:
    made = [account(f"acct_{number:02}") for number in range(SIZE)]
    campaign_of(*made)
    return made


@pytest.fixture
def blocked(reviewer: User, harvesters: list[Account]) -> Case:
    own = case(harvesters[0])
    decide(own, BLOCK_ALL, decision_id=uuid.uuid4(), by=reviewer, now=NOW)
    return own


def in_force() -> int:
    return Restriction.objects.filter(ended_at=None).count()


def test_lifts_all_and_says_so(reviewer: User, blocked: Case) -> None:
    apply_unfinished_decisions(now=NOW)

    done = undo_decision(blocked, note="Too strict.", by=reviewer, now=TOO_LATE)

    assert (done.is_undone, done.ended, in_force()) == (False, SIZE, 0)
    assert Step.objects.filter(case=blocked, kind=Step.Kind.LIFTED, text="Too strict.").count() == 1
    assert Decision.objects.not_undone().filter(case=blocked).exists()
    assert not any(iter_chain_checks())


def test_restricts_no_more_where_it_was_not_finished(reviewer: User, blocked: Case) -> None:
    done = undo_decision(blocked, note="Too strict.", by=reviewer, now=TOO_LATE)
    apply_unfinished_decisions(now=TOO_LATE)

    assert (done.ended, in_force()) == (BATCH_SIZE, 0)


def test_does_the_rest_where_it_was_cut_off(reviewer: User, blocked: Case) -> None:
    apply_unfinished_decisions(now=NOW)
    made = Restriction.objects.order_by("number")[:BATCH_SIZE].values_list("number", flat=True)
    restrictions.lift_all(list(made), note="Too strict.", by=reviewer.actor, now=TOO_LATE)

    done = undo_decision(blocked, note="Too strict.", by=reviewer, now=TOO_LATE)

    assert (done.ended, in_force()) == (SIZE - BATCH_SIZE, 0)


def test_lets_another_decision_through_between_two_batches(reviewer: User, blocked: Case) -> None:
    apply_unfinished_decisions(now=NOW)
    solo = case(account("acct_solo"))

    def lift_all() -> None:
        undo_decision(blocked, note="Too strict.", by=reviewer, now=TOO_LATE)
        connections.close_all()

    def decide_one() -> None:
        decide(solo, BLOCK, decision_id=uuid.uuid4(), by=reviewer, now=NOW)
        connections.close_all()

    lifting, deciding = threading.Thread(target=lift_all), threading.Thread(target=decide_one)
    with transaction.atomic():
        audit_log_lock()
        lifting.start()
        wait_until(lambda: waiting() == 1, "the first batch waits for the log")
        deciding.start()
        wait_until(lambda: waiting() == 2, "the other decision waits behind it")
    deciding.join()
    lifting.join()

    [begun] = Restriction.objects.filter(ended_at=None)
    assert begun.account == solo.account
    assert Change.objects.filter(what=Change.What.ENDED, number__gt=begun.number).count() >= SIZE - BATCH_SIZE


def waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
        return int(cursor.fetchone()[0])
