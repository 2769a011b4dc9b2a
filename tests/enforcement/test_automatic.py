"""Restrictions by policy: in the shadow first, within caps, stopped by a switch, once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account, Organisation
from governance.audit.models import Entry
from governance.enforcement.actions import lift
from governance.enforcement.automatic import carry_out, switch_off, switch_on, weigh
from governance.enforcement.models import PolicyOutcome, Restriction
from governance.enforcement.names import Target
from governance.enforcement.queries import access, strongest_against
from governance.review.queries import let_go_since
from governance.risk.models import PolicyVersion
from governance.risk.policies import NotAllowedError, go_live, propose, retire
from governance.staff.models import User
from governance.staff.roles import Role
from governance.usage.actions import fold_profiles, record_lines
from tests.factories import (
    MACHINE,
    NOW,
    account,
    api_key,
    assessment,
    campaign_of,
    case,
    line,
    person,
    restriction,
    training_licence,
)

pytestmark = pytest.mark.django_db
State = PolicyOutcome.State
HOUR = timedelta(hours=1)
BLOCK = """version = "1"
[[rule]]
name = "Critical"
bands = ["critical"]
action = "block"
reason = "bulk_harvest"
"""


def lead(name: str = "Jonas Lindqvist") -> User:
    return person(name, role=Role.LEAD)


def live(content: str = BLOCK) -> PolicyVersion:
    policy = propose(content, by=lead("Ada Moreau"), now=NOW)
    go_live(policy, by=lead(), now=NOW)
    return policy


def nobody(since: Mapping[int, datetime]) -> set[int]:
    return set()


def carried_out(*, after: timedelta = timedelta(0)) -> int:
    return carry_out(now=NOW + after, let_go=let_go_since)


def weighed(of: Account, **fields: Any) -> PolicyOutcome:
    weigh([assessment(of, **fields)], now=NOW, chance=lambda: 0.5)
    return PolicyOutcome.objects.get(account=of)


class TestAPolicyInTheShadow:
    def test_says_what_it_would_do_and_does_nothing(self) -> None:
        propose(BLOCK, by=lead(), now=NOW)

        outcome = weighed(account("acct_harbour"))

        assert (outcome.state, outcome.kind, outcome.rule) == (State.SHADOW, "block", "Critical")
        assert carried_out(after=HOUR) == 0
        assert access(account="acct_harbour", now=NOW).allowed


class TestALivePolicy:
    def test_restricts_and_names_itself_and_who_approved_it(self) -> None:
        live()
        weighed(account("acct_harbour"))

        assert carried_out() == 1
        made = Restriction.objects.get()
        assert (made.author, made.approver) == ("system:policy 1", "Jonas Lindqvist")
        assert not access(account="acct_harbour", now=NOW).allowed
        assert Entry.objects.filter(verb="restriction.created", actor_name="policy 1").exists()

    def test_acts_once_on_an_account_however_often_it_is_scored(self) -> None:
        live()
        harbour = account()
        weighed(harbour)
        carried_out()
        lift(Restriction.objects.get(), note="Appeal granted.", by=MACHINE, now=NOW)
        weigh([assessment(harbour)], now=NOW + HOUR)

        assert carried_out(after=HOUR) == 0

    def test_leaves_alone_whom_no_person_is_to_look_at(self) -> None:
        live()

        weigh([assessment(account(), response="nothing"), assessment(account(), licensed=True)], now=NOW)

        assert not PolicyOutcome.objects.exists()

    def test_sees_the_size_of_a_campaign(self) -> None:
        live(BLOCK.replace("bands", "campaign_size = 2\nbands"))
        campaign = campaign_of(member := account(), account())

        weigh([assessment(member, campaign=campaign.pk), assessment(account())], now=NOW)

        assert PolicyOutcome.objects.get().account == member

    def test_waits_as_long_as_it_says(self) -> None:
        live(BLOCK.replace("[[rule]]", "delay_minutes = [60, 120]\n[[rule]]"))
        outcome = weighed(account())

        assert outcome.due_at == NOW + 1.5 * HOUR
        assert [carried_out(after=HOUR), carried_out(after=2 * HOUR)] == [0, 1]


class TestWhatIsDueIsDroppedWhere:
    @pytest.fixture
    def harbour(self) -> Account:
        live()
        weighed(harbour := account("acct_harbour"))
        return harbour

    def dropped(self) -> str:
        assert carried_out(after=HOUR) == 0
        return PolicyOutcome.objects.get(state=State.DROPPED).because

    def test_the_policy_retired(self, harbour: Account) -> None:
        retire(PolicyVersion.objects.get(), by=lead(), now=NOW)

        assert "not live any more" in self.dropped()

    def test_the_account_got_a_licence(self, harbour: Account) -> None:
        training_licence(harbour)

        assert "may train" in self.dropped()

    @pytest.mark.parametrize("on", ["account", "key", "organisation"])
    def test_something_as_strong_is_in_force(self, on: str) -> None:
        live()
        harbour = account("acct_harbour", organisation="org_harbour")
        weighed(harbour)
        targets: dict[str, Target] = {"account": harbour, "key": api_key(harbour)}
        restriction((targets | {"organisation": Organisation.objects.get()})[on])

        assert "as strong" in self.dropped()

    def test_staff_has_let_the_account_go(self, harbour: Account) -> None:
        from_staff = case(harbour)
        from_staff.decisions.create(
            id="00000000-0000-4000-8000-000000000001",
            assessment=from_staff.assessment,
            action="dismiss",
            reason="evaluation",
            decided_at=NOW + HOUR / 2,
            decided_by=lead("Mira Okafor"),
        )

        assert "let the account go" in self.dropped()


def test_what_is_in_force_is_asked_once_for_all_that_are_due(django_assert_num_queries: Any) -> None:
    accounts = [account("acct_mild"), account("acct_blocked", organisation="org_a"), account("acct_free")]
    restriction(accounts[0], Restriction.Kind.THROTTLE, requests_per_minute=5)
    restriction(Organisation.objects.get())

    with django_assert_num_queries(1):
        found = strongest_against(accounts, now=NOW)

    assert {one.external_id: found.get(one.pk) for one in accounts} == {
        "acct_mild": "throttle",
        "acct_blocked": "block",
        "acct_free": None,
    }


class TestTheCaps:
    def test_hold_more_accounts_than_an_hour_may_have(self, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 2
        live()
        weigh([assessment(account()) for _ in range(3)], now=NOW)

        assert carried_out() == 2
        assert "need a person" in PolicyOutcome.objects.get(state=State.HELD).because

    def test_hold_more_traffic_than_an_hour_may_have(self, settings: Any) -> None:
        live()
        sent = {"small": 1, "large": 10, "good": 189}
        record_lines([line(account=name) for name, number in sent.items() for _ in range(number)], source="x", now=NOW)
        fold_profiles(list(Account.objects.values_list("pk", flat=True)))
        weigh([assessment(Account.objects.get(external_id=name)) for name in ("small", "large")], now=NOW)
        settings.AUTOMATIC_TRAFFIC_PERCENT = 1

        assert carried_out() == 1
        assert "% of traffic" in PolicyOutcome.objects.get(state=State.HELD).because

    def test_count_anew_in_the_next_hour(self, settings: Any) -> None:
        settings.AUTOMATIC_ACCOUNTS_AN_HOUR = 1
        live()
        weighed(account())
        carried_out()
        weigh([assessment(account())], now=NOW + 2 * HOUR)

        assert carried_out(after=2 * HOUR) == 1


class TestTheSwitch:
    def test_stops_everything_until_it_is_on_again(self) -> None:
        live()
        weighed(account())
        switch_off(why="Too many appeals.", by=lead(), now=NOW)
        stopped = carried_out()
        switch_on(by=lead(), now=NOW)

        assert (stopped, carried_out()) == (0, 1)
        assert Entry.objects.filter(verb="automation.switched_off").exists()


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
    weigh([assessment(account()) for _ in range(12)], now=NOW)

    def run(_: int) -> int:
        try:
            return carry_out(now=NOW, let_go=nobody)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        done = sum(pool.map(run, range(8)))

    assert done == Restriction.objects.count() == 12
