"""Decisions that a restore lost, told by several processes and settled by people: each of them once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from governance.audit.actions import audit_log_lock
from governance.audit.models import Entry
from governance.gateways import recovery
from governance.gateways.epochs import begin_epoch, ensure_epoch, resume_epoch
from governance.gateways.models import LostDecision
from governance.gateways.recovery import (
    CannotRestrictError,
    LostRestriction,
    note_reported,
    restrictions_of_same_kind,
    settle_as_dropped,
    settle_as_in_force,
)
from governance.restrictions.actions import lift
from governance.restrictions.models import FeedEpoch, Restriction
from governance.restrictions.reasons import Reason
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.gateways.reported import gateway
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def lost_block(number: int = 1, *, of: str = "acct_1", keys: Sequence[str] = (), **members: Any) -> LostRestriction:
    """As gateways were sent it."""
    names = {"account": [of], "key": list(keys)}
    terms = {"kind": "block", "reason": "other", "from": NOW.isoformat()}
    return LostRestriction(number, {**terms, "against": "account", "names": names, **members})


def told(*lost: LostRestriction, up_to: int = 1) -> None:
    """A process of the check held every change up to one, and says what the database has lost."""
    resume_epoch(up_to=up_to, continues=0, lost=lost, now=NOW)


def reported(*lost: LostRestriction) -> LostDecision:
    """A gateway says what it still refuses; nobody is restricted by that."""
    ensure_epoch(now=NOW)
    [noted] = note_reported(lost, gateway=gateway(), now=NOW)
    return noted


def in_force() -> list[Restriction]:
    return list(Restriction.objects.in_force(at=NOW))


class TestWhatTwoProcessesTell:
    def test_counts_from_the_last_change_that_all_of_them_share(self) -> None:
        """An administrator began the epoch after change 3, which a process knows to be another change."""
        for name in ("acct_1", "acct_2", "acct_3"):
            restriction(account(name))
        begun = begin_epoch(reason="restored", by=MACHINE, now=NOW)

        resumed = resume_epoch(up_to=3, continues=1, lost=[], now=NOW)
        told_later = resume_epoch(up_to=3, continues=2, lost=[], now=NOW)

        assert {begun.pk, resumed.pk, told_later.pk} == {FeedEpoch.objects.get(reason="restored").pk}
        assert (begun.continues, resumed.continues, told_later.continues) == (3, 1, 1)

    def test_restricts_nobody_again_who_was_let_go_in_between(self) -> None:
        told(lost_block())
        lift(in_force()[0], note="They explained it.", by=MACHINE, now=NOW)

        told(lost_block(keys=["key_2"]), up_to=2)

        assert in_force() == []
        assert LostDecision.objects.count() == 1

    def test_says_of_a_further_name_that_it_is_somebody_elses_by_now(self) -> None:
        api_key(account("acct_2"), "key_2")
        told(lost_block())

        told(lost_block(keys=["key_2"]), up_to=2)

        assert [one.account.external_id for one in in_force() if one.account] == ["acct_1"]
        assert LostDecision.objects.get().problem.startswith("It does not cover key key_2, which the register has for")

    def test_is_covered_by_what_staff_have_put_into_force_since(self) -> None:
        again = restriction(account("acct_1"), reason=Reason.OTHER)

        told(lost_block(9))

        assert in_force() == [again]
        assert LostDecision.objects.get().restriction == again


class TestWhatAGatewayReports:
    def test_is_noted_up_to_a_limit_until_a_person_has_looked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(recovery, "MOST_REPORTED", 1)
        edge, _ = gateway("edge"), ensure_epoch(now=NOW)

        noted = [note_reported([lost_block(number)], gateway=edge, now=NOW) for number in (1, 2)]
        settle_as_dropped(LostDecision.objects.get(), note="Unknown here.", by=MACHINE, now=NOW)
        noted.append(note_reported([lost_block(2)], gateway=edge, now=NOW))

        assert [len(one) for one in noted] == [1, 0, 1]

    def test_may_not_say_whom_it_is_against(self) -> None:
        noted = reported(lost_block(against="", names={}))
        restriction(account("acct_1"))

        assert restrictions_of_same_kind(noted, now=NOW) == []


class TestSettling:
    def test_is_done_once(self) -> None:
        noted = reported(lost_block())

        settled = [
            settle_as_dropped(noted, note="They explained it.", by=MACHINE, now=NOW),
            settle_as_dropped(noted, note="Again.", by=MACHINE, now=NOW),
            settle_as_in_force(noted, by=MACHINE, now=NOW),
        ]

        assert settled == [True, False, False]
        assert in_force() == []
        assert Entry.objects.get(verb="lost_decision.settled").details["note"] == "They explained it."

    def test_as_in_force_is_refused_where_it_would_cut_short_what_is_in_force(self) -> None:
        active = restriction(account("acct_1"), until=NOW + 5 * DAY)
        noted = reported(lost_block(9, **{"from": (NOW + 2 * DAY).isoformat()}))

        with pytest.raises(CannotRestrictError, match="is in force before this one starts"):
            settle_as_in_force(noted, by=MACHINE, now=NOW)

        noted.refresh_from_db()
        assert (in_force(), noted.settled_at) == ([active], None)


class TestTheCommand:
    def test_lists_what_waits_for_a_person(self) -> None:
        reported(lost_block(7))
        said = StringIO()

        call_command("new_epoch", "restored to 14:20", stdout=said)

        assert "  account acct_1: restricted (block), number 7" in said.getvalue().splitlines()

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
    def test_needs_a_reason_that_fits_the_log(self, reason: str) -> None:
        with pytest.raises(CommandError, match="1 to 300 characters"):
            call_command("new_epoch", reason)

        assert not FeedEpoch.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_processes_that_start_at_once_begin_one_epoch() -> None:
    def ensured() -> str:
        try:
            return ensure_epoch(now=NOW).identifier
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            audit_log_lock()
            other = pool.submit(ensured)
            wait_until(waits_for_a_lock, "the other waits")
            ours = ensure_epoch(now=NOW).identifier
        theirs = other.result()

    assert ours == theirs == FeedEpoch.objects.get().identifier


def waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone() != (0,))
