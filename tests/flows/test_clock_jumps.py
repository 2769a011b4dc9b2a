"""A clock that jumps by an hour or a day, and back: nothing waits for long because of it (docs/operations.md)."""

from datetime import datetime, timedelta

import pytest

from governance import pipeline
from governance.audit.queries import iter_chain_checks
from governance.management.doctor import troubles
from governance.platform import heartbeats
from governance.restrictions.actions import end_expired
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.review.actions import claim
from governance.review.models import Case
from governance.review.verdicts import CaseTakenError
from governance.usage import backpressure
from governance.usage.actions import record_lines
from governance.usage.models import DirtyAccount
from governance.usage.scoring_queue import claim_dirty_accounts
from tests.factories import NOW, account, case, line, person, restriction

pytestmark = pytest.mark.django_db

HOUR, DAY, SECOND = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
JUMPS = pytest.mark.parametrize("jump", [HOUR, DAY, -HOUR, -DAY], ids=str)
FORWARD = pytest.mark.parametrize("jump", [HOUR, DAY], ids=str)


def dirty(*, at: datetime) -> None:
    record_lines([line(account="acct_1", occurred_at=NOW.isoformat())], source="native", now=at)


def claimed(*, at: datetime) -> int:
    return len(claim_dirty_accounts(limit=10, now=at))


class TestAnAccountToBeScored:
    @JUMPS
    def test_is_free_again_although_its_worker_died_while_the_clock_was_wrong(self, jump: timedelta) -> None:
        dirty(at=NOW)
        assert claimed(at=NOW + jump) == 1

        assert claimed(at=NOW + 5 * timedelta(minutes=1)) == 1

    def test_stays_with_its_worker_while_clocks_differ_by_seconds(self) -> None:
        dirty(at=NOW)
        assert claimed(at=NOW + 10 * SECOND) == 1

        assert claimed(at=NOW) == 0

    @JUMPS
    def test_is_scored_and_clean_whenever_its_usage_came(self, jump: timedelta) -> None:
        dirty(at=NOW + max(jump, timedelta()))
        while pipeline.govern(now=NOW):
            pass

        assert not DirtyAccount.objects.exists()

    @FORWARD
    def test_counts_as_no_backlog_while_the_clock_is_back(self, jump: timedelta) -> None:
        dirty(at=NOW + jump)
        backpressure.reset_lag_cache()

        assert backpressure.excess_lag(now=NOW) is None


class TestACase:
    @JUMPS
    def test_is_free_again_although_it_was_claimed_while_the_clock_was_wrong(self, jump: timedelta) -> None:
        opened, claimant, other = case(), person("Mira Okafor"), person("Ada Moreau")
        claim(opened, by=claimant, now=NOW + jump)

        claim(opened, by=other, now=NOW + 31 * timedelta(minutes=1))

        opened.refresh_from_db()
        assert opened.claimed_by == other
        assert Case.objects.claimed(at=NOW + 31 * timedelta(minutes=1)).count() == 1

    def test_stays_claimed_while_clocks_differ_by_seconds(self) -> None:
        opened = case()
        claim(opened, by=person("Mira Okafor"), now=NOW + 10 * SECOND)

        with pytest.raises(CaseTakenError):
            claim(opened, by=person("Ada Moreau"), now=NOW)

    @FORWARD
    def test_is_overdue_by_the_clock_of_the_moment(self, jump: timedelta) -> None:
        opened = case(due_in=0)

        assert Case.objects.overdue(at=NOW + jump).get() == opened
        assert not Case.objects.overdue(at=NOW - jump).exists()


class TestARestriction:
    @FORWARD
    def test_without_an_end_holds_through_every_jump(self, jump: timedelta) -> None:
        mole = account("acct_mole")
        restriction(mole, at=NOW)
        for at in (NOW + jump, NOW):
            end_expired(now=at)

            assert not access(account=mole.external_id, now=at).allowed

    @FORWARD
    def test_that_ended_while_the_clock_was_ahead_stays_ended_and_is_an_entry(self, jump: timedelta) -> None:
        mole = account("acct_mole")
        made = restriction(mole, at=NOW, until=NOW + jump / 2)

        end_expired(now=NOW + jump)
        end_expired(now=NOW)

        made.refresh_from_db()
        assert made.ending == Restriction.Ending.EXPIRED

    @FORWARD
    def test_that_began_while_the_clock_was_ahead_is_in_the_log_as_running_backwards(self, jump: timedelta) -> None:
        restriction(account("acct_mole"), at=NOW + jump)
        restriction(account("acct_later"), at=NOW)

        found = [fault for fault in iter_chain_checks() if fault]

        assert len(found) == 1
        assert not found[0].breaks_chain


class TestTheDoctor:
    @FORWARD
    def test_takes_a_heartbeat_of_the_future_for_a_heartbeat(self, jump: timedelta) -> None:
        for queue in heartbeats.QUEUES:
            heartbeats.record_heartbeat(queue, now=NOW + jump)

        assert not [trouble for trouble in troubles(now=NOW) if "timetable" in trouble]
