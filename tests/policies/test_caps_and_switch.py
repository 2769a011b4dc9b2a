"""The caps and the kill switch of policies, going live, and races."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Account
from governance.audit.models import Entry
from governance.policies.kill_switch import resume_policies, stop_policies
from governance.policies.models import PolicyOutcome, PolicyVersion
from governance.policies.outcomes import apply_due_outcomes
from governance.policies.versions import NotAllowedError, go_live, propose, retire
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.review.staff_ceilings import get_staff_ceilings
from governance.usage.actions import compact_profiles, record_lines
from tests.factories import (
    MACHINE,
    NOW,
    account,
    line,
)
from tests.policies.outcomes import BLOCK, HOUR, State, apply_outcomes, evaluate, lead, live, outcome_for, suspect
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db


class TestTheCaps:
    def test_hold_more_accounts_than_an_hour_may_have(self, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 2
        live()
        evaluate(*[suspect(account()) for _ in range(3)])

        assert apply_outcomes() == 2
        assert "Hourly cap" in PolicyOutcome.objects.get(state=State.HELD).because

    def test_hold_more_traffic_than_an_hour_may_have(self, settings: Any) -> None:
        live()
        sent = {"small": 1, "large": 10, "good": 189}
        record_lines([line(account=name) for name, number in sent.items() for _ in range(number)], source="x", now=NOW)
        compact_profiles(list(Account.objects.values_list("pk", flat=True)))
        evaluate(*[suspect(Account.objects.get(external_id=name)) for name in ("small", "large")])
        settings.AUTOMATIC_TRAFFIC_PERCENT = 1

        assert apply_outcomes() == 1
        assert "% of traffic" in PolicyOutcome.objects.get(state=State.HELD).because

    def test_count_an_account_once(self, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 1
        live()
        outcome_for(harbour := account())
        apply_outcomes()
        lift(Restriction.objects.get(), note="The canary was looked at.", by=MACHINE, now=NOW)
        live(BLOCK.replace('"1"', '"2"'))

        assert apply_outcomes() == 1
        assert not access(account=harbour.external_id, now=NOW).allowed

    def test_count_anew_in_the_next_hour(self, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 1
        live()
        outcome_for(account())
        apply_outcomes()
        evaluate(suspect(account()), at=NOW + 2 * HOUR)

        assert apply_outcomes(after=2 * HOUR) == 1


class TestTheSwitch:
    def test_stops_everything_until_it_is_on_again(self) -> None:
        live()
        outcome_for(account())
        stop_policies(why="Too many appeals.", by=lead(), now=NOW)
        stopped = apply_outcomes()
        resume_policies(by=lead(), now=NOW)

        assert (stopped, apply_outcomes()) == (0, 1)
        assert Entry.objects.filter(verb="policies.switched_off").exists()


class TestGoingLive:
    def test_takes_somebody_else_than_the_author(self) -> None:
        author = lead()
        policy = propose(BLOCK, by=author, now=NOW)

        with pytest.raises(NotAllowedError, match="author"):
            go_live(policy, by=author, now=NOW)

    def test_retires_the_one_before(self) -> None:
        first = live()
        live(BLOCK.replace('"1"', '"2"'))

        first.refresh_from_db()
        assert first.state == PolicyVersion.State.RETIRED
        assert PolicyVersion.objects.get(state=PolicyVersion.State.LIVE).version == "2"

    def test_is_over_for_one_that_retired(self) -> None:
        policy = propose(BLOCK, by=lead(), now=NOW)
        retire(policy, by=lead(), now=NOW)

        with pytest.raises(NotAllowedError, match="retired"):
            go_live(policy, by=lead("Ada Moreau"), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_runs_that_race_restrict_nobody_twice() -> None:
    live()
    evaluate(*[suspect(account()) for _ in range(12)])

    def run(_: int) -> int:
        try:
            return apply_due_outcomes(now=NOW, staff_ceilings=get_staff_ceilings)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(run, range(8)))

    assert done == Restriction.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_an_account_that_is_scored_while_a_policy_goes_live_is_not_missed() -> None:
    policy = propose(BLOCK, by=lead("Ada Moreau"), now=NOW)
    by, harbour = lead(), account()

    def run() -> int:
        try:
            return apply_due_outcomes(now=NOW, staff_ceilings=get_staff_ceilings)
        finally:
            connection.close()

    def is_waiting() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            return bool((cursor.fetchone() or (False,))[0])

    def live_elsewhere() -> None:
        try:
            go_live(policy, by=by, now=NOW, early_because="An incident.")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            evaluate(suspect(harbour))  # which saw the policy in the shadow
            pool.submit(live_elsewhere).result()
            running = pool.submit(run)
            wait_until(lambda: is_waiting() or running.done(), "the policy was applied, or waited for the scoring")
        done = running.result()

    assert done == 1
