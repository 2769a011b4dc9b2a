"""Rows are locked in the order of their accounts everywhere, and what a conflict ended is done again."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from psycopg.errors import DeadlockDetected

from accounts.models import Account
from governance import pipeline
from governance.audit.actor import Actor
from governance.platform.transactions import retried_transaction
from governance.usage.actions import record_lines
from governance.usage.models import DirtyAccount, UsageEvent
from governance.usage.scoring_queue import (
    claim_dirty_accounts,
    count_attempts,
    fail_scoring,
    request_rescore,
    requeue_dead_letters,
)
from tests.factories import NOW, account, line
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Beside:
    """Something that another connection does at the same time."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.error: Exception | None = None
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._act()
        except Exception as error:  # noqa: BLE001 - whatever it was, the test says so
            self.error = error
        finally:
            connections.close_all()

    def end(self) -> None:
        self._thread.join()
        if self.error:
            raise self.error


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def two_dirty_accounts() -> list[int]:
    """Their rows lie in the table in the other order than that of their primary keys."""
    first, second = sorted(account().pk for _ in range(2))
    for pk in (second, first):
        request_rescore([pk], now=NOW)
    return [first, second]


@contextmanager
def a_batch_that_marks(first: int, then: int) -> Iterator[Callable[[], None]]:
    """A transaction of intake that has marked one account; what it yields marks the other."""
    with transaction.atomic():
        request_rescore([first], now=NOW)
        yield lambda: request_rescore([then], now=NOW)


@pytest.mark.parametrize("act", ["count_attempts", "fail_scoring", "requeue_dead_letters"])
def test_scoring_waits_for_intake_in_the_order_of_accounts(act: str) -> None:
    first, second = two_dirty_accounts()
    DirtyAccount.objects.update(dead_lettered_at=NOW if act == "requeue_dead_letters" else None)
    claimed = claim_dirty_accounts(limit=10, now=NOW)
    acts: dict[str, Callable[[], Any]] = {
        "count_attempts": lambda: count_attempts(claimed),
        "fail_scoring": lambda: fail_scoring(claimed, error=ValueError(), now=NOW),
        "requeue_dead_letters": lambda: requeue_dead_letters(by=Actor.system("test"), now=NOW),
    }

    with a_batch_that_marks(first, then=second) as mark_the_other:
        scoring = Beside(acts[act])
        wait_until(waits_for_a_lock, "scoring waits for intake")
        mark_the_other()  # a deadlock where scoring had locked it before it waited
    scoring.end()


class TestAConflict:
    def test_is_run_again(self) -> None:
        runs: list[int] = []

        @retried_transaction
        def act() -> int:
            runs.append(account().pk)
            if len(runs) < 3:
                raise OperationalError from DeadlockDetected()
            return len(runs)

        assert act() == 3
        assert list(Account.objects.values_list("pk", flat=True)) == runs[2:]

    def test_is_told_where_it_does_not_end(self) -> None:
        @retried_transaction
        def act() -> None:
            raise OperationalError from DeadlockDetected()

        with pytest.raises(OperationalError):
            act()

    def test_is_left_to_the_transaction_around_it(self) -> None:
        runs: list[int] = []

        @retried_transaction
        def act() -> None:
            runs.append(1)
            raise OperationalError from DeadlockDetected()

        with pytest.raises(OperationalError), transaction.atomic():
            act()
        assert len(runs) == 1

    def test_of_two_real_transactions_costs_neither_its_work(self) -> None:
        one, other = account("acct_one"), account("acct_other")
        met = threading.Barrier(2)

        def changing(first: Account, then: Account) -> Callable[[], None]:
            meets = iter([True])

            @retried_transaction
            def change() -> None:
                Account.objects.filter(pk=first.pk).update(plan="team")
                if next(meets, False):
                    met.wait()
                Account.objects.filter(pk=then.pk).update(country="NL")

            return change

        both = [Beside(changing(one, other)), Beside(changing(other, one))]
        for beside in both:
            beside.end()

        assert set(Account.objects.values_list("plan", "country")) == {("team", "NL")}


class TestAnAccountWhoseScoringWasInterrupted:
    @pytest.mark.parametrize("step", ["count_attempts", "compact_profiles", "_write"])
    def test_is_free_again_at_once_and_its_attempt_does_not_count(
        self, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record_lines([line()], source="native", now=NOW)

        def interrupt(*_: Any, **__: Any) -> None:
            raise OperationalError from DeadlockDetected()

        with monkeypatch.context() as patched:
            patched.setattr(pipeline, step, interrupt)
            for minute in range(5):
                pipeline.govern(now=NOW + timedelta(minutes=minute))

        dirty = DirtyAccount.objects.get()
        assert (dirty.attempts, dirty.dead_lettered_at) == (0, None)
        assert pipeline.govern(now=NOW + timedelta(minutes=4, seconds=3)) == 1
        assert not DirtyAccount.objects.exists()

    def test_becomes_a_dead_letter_where_the_fault_is_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        record_lines([line()], source="native", now=NOW)

        def break_down(*_: Any, **__: Any) -> None:
            raise ValueError

        monkeypatch.setattr(pipeline, "compact_profiles", break_down)
        for hour in range(4):
            pipeline.govern(now=NOW + timedelta(hours=hour))

        assert DirtyAccount.objects.get().dead_lettered_at is not None


@pytest.mark.long
def test_batches_over_the_same_accounts_are_all_taken_with_the_scorer_beside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dice = random.Random(1)
    names = [f"acct_{number}" for number in range(2_000)]
    record_lines([line(account=name) for name in names], source="native", now=NOW)
    sending = threading.Event()
    sending.set()

    def send(batches: list[list[bytes]]) -> None:
        for batch in batches:
            record_lines(batch, source="native", now=NOW)

    def score() -> None:
        while sending.is_set():
            pipeline.govern(now=NOW)

    batches = [[line(account=name) for name in dice.sample(names, 500)] for _ in range(60)]
    senders = [Beside(partial(send, batches[start::3])) for start in range(3)]
    scorers = [Beside(score) for _ in range(2)]
    for sender in senders:
        sender.end()
    sending.clear()
    for scorer in scorers:
        scorer.end()

    assert UsageEvent.objects.count() == 2_000 + 60 * 500
    assert "DeadlockDetected" not in caplog.text
    assert "failed" not in caplog.text
