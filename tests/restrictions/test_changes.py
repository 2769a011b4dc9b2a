"""The feed: every change of what is in force, in commit order, in the form that gateways need."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.actions import register_accounts
from accounts.models import Account
from accounts.register import AccountLine
from governance.audit.models import Entry
from governance.campaigns.models import Campaign
from governance.restrictions.actions import (
    end_expired,
    lift,
    lift_campaign,
    restrict_all,
    restrict_campaign,
    supersede,
)
from governance.restrictions.models import Change, Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.restrictions.undo import undo
from tests.factories import MACHINE, NOW, account, api_key, campaign_of, restriction

pytestmark = pytest.mark.django_db
Kind = Restriction.Kind
BLOCK = Terms(Kind.BLOCK, Reason.COORDINATED_ACCOUNTS)
HOUR = timedelta(hours=1)


def steps() -> list[tuple[int, str, int]]:
    return list(Change.objects.values_list("number", "what", "restriction_id"))


def payload(number: int) -> Any:
    return Change.objects.get(number=number).payload


def in_force(target: Account, *, hours: int = 0) -> dict[str, int | None]:
    live = Restriction.objects.in_force(at=NOW + hours * HOUR).filter(account=target)
    return dict(live.values_list("kind", "requests_per_minute"))


class TestEachChange:
    def test_has_the_next_number_whatever_it_is(self) -> None:
        first, second = restriction(account()), restriction(account())
        lift(first, note="a mistake", by=MACHINE, now=NOW)
        third = restriction(account())

        assert steps() == [(1, "began", 1), (2, "began", 2), (3, "ended", 1), (4, "began", 4)]
        assert (first.number, second.number, third.number) == (1, 2, 4)

    def test_tells_what_a_gateway_needs_and_nothing_of_who_decided(self) -> None:
        harbour = account("acct_harbour")
        api_key(harbour, "key_1")
        restriction(harbour, Kind.THROTTLE, requests_per_minute=60, until=NOW + HOUR)

        assert Change.objects.get().payload == {
            "number": 1,
            "kind": "throttle",
            "denies": False,
            "against": "account",
            "reason": "bulk_harvest",
            "from": "1976-11-14T09:14:00+00:00",  # long ago by every clock
            "until": "2026-11-02T10:14:00+00:00",
            "requests_per_minute": 60,
            "tokens_per_minute": None,
            "withheld": [],
            "names": {"organisation": [], "account": ["acct_harbour"], "key": ["key_1"], "digest": []},
        }

    def test_takes_no_access_away_between_an_old_restriction_and_a_new_one(self) -> None:
        harbour = account()
        restriction(harbour)
        restriction(harbour)

        assert steps() == [(1, "began", 1), (2, "began", 2), (3, "ended", 1)]


class TestWhatWasReplaced:
    @pytest.fixture
    def harbour(self) -> Account:
        return account("acct_harbour")

    @pytest.fixture
    def stricter(self, harbour: Account) -> Restriction:
        restriction(harbour, Kind.THROTTLE, requests_per_minute=60)
        return restriction(harbour, Kind.THROTTLE, requests_per_minute=5, until=NOW + HOUR)

    def test_is_restored_when_what_took_its_place_expires(self, harbour: Account, stricter: Restriction) -> None:
        before = in_force(harbour)

        end_expired(now=NOW + HOUR)

        assert before == {"throttle": 5}
        assert in_force(harbour, hours=1) == {"throttle": 60}

    def test_is_restored_when_what_took_its_place_is_undone(self, harbour: Account, stricter: Restriction) -> None:
        done = undo([stricter.origin], note="a slip", by=MACHINE, now=NOW)

        assert [one.number for one in done.ended] == [stricter.number]
        assert in_force(harbour) == {"throttle": 60}
        assert [what for _, what, _ in steps()[-2:]] == ["began", "ended"]

    def test_stays_ended_when_what_took_its_place_is_lifted(self, harbour: Account, stricter: Restriction) -> None:
        lift(stricter, note="cleared", by=MACHINE, now=NOW)

        assert in_force(harbour) == {}

    def test_stays_ended_once_it_was_lifted_itself(self, harbour: Account, stricter: Restriction) -> None:
        first = Restriction.objects.get(ending=Restriction.Ending.REPLACED)

        lift(first, note="cleared", by=MACHINE, now=NOW)
        end_expired(now=NOW + HOUR)

        assert in_force(harbour, hours=1) == {}
        assert Entry.objects.get(verb="restriction.withdrawn").details["number"] == first.number

    def test_stays_ended_where_its_own_time_is_over(self, harbour: Account) -> None:
        restriction(harbour, Kind.SUSPEND, until=NOW + HOUR)
        longer = restriction(harbour, Kind.SUSPEND, until=NOW + 5 * HOUR)

        undo([longer.origin], note="a slip", by=MACHINE, now=NOW + 2 * HOUR)

        assert in_force(harbour, hours=2) == {}

    def test_is_the_last_that_still_counts_of_a_chain(self, harbour: Account) -> None:
        restriction(harbour, Kind.SUSPEND, until=NOW + 9 * HOUR)
        restriction(harbour, Kind.SUSPEND, until=NOW + HOUR)
        newest = restriction(harbour, Kind.SUSPEND, until=NOW + 5 * HOUR)

        undo([newest.origin], note="a slip", by=MACHINE, now=NOW + 2 * HOUR)

        restored = Restriction.objects.get(ended_at=None)
        assert restored.expires_at == NOW + 9 * HOUR
        assert restored.origin == Restriction.objects.get(number=1).origin

    def test_returns_over_what_a_decision_has_taken_the_place_of_meanwhile(self, harbour: Account) -> None:
        first = restriction(harbour, Kind.SUSPEND, until=NOW + 9 * HOUR)
        second = restriction(harbour, Kind.SUSPEND, until=NOW + 5 * HOUR)
        restriction(harbour, Kind.SUSPEND, until=NOW + HOUR)
        replaced = Restriction.Ending.REPLACED

        supersede([second.number], origin="decision:1", ending=replaced, by=MACHINE, now=NOW)
        end_expired(now=NOW + HOUR)

        assert Restriction.objects.get(ended_at=None).origin == first.origin
        assert in_force(harbour, hours=1) == {"suspend": None}

    def test_takes_as_many_queries_for_many_as_for_one(self, django_assert_max_num_queries: object) -> None:
        targets = [account() for _ in range(40)]
        for round_ in ("a", "b"):
            restrict_all([(one, f"{round_}-{one.pk}") for one in targets], BLOCK, by=MACHINE, now=NOW, origin=round_)

        with django_assert_max_num_queries(32):  # type: ignore[operator] # a fixture
            done = undo(["b"], note="a slip", by=MACHINE, now=NOW)

        assert len(done.restored) == 40

    def test_is_untouched_where_it_is_of_another_kind(self) -> None:
        harbour = account()
        restriction(harbour, Kind.THROTTLE, requests_per_minute=60)
        block = restriction(harbour)

        lift(block, note="cleared", by=MACHINE, now=NOW)

        assert in_force(harbour) == {"throttle": 60}


class TestAnOrganisation:
    def test_is_restricted_with_all_its_accounts_and_keys(self) -> None:
        harbour = account("acct_harbour", organisation="org_quay")
        api_key(harbour, "key_1")

        restriction(harbour.organisation)  # type: ignore[arg-type] # it has one

        assert not access(account="acct_harbour", now=NOW).allowed
        assert not access(api_key="key_1", now=NOW).allowed
        assert payload(1)["names"] == {
            "organisation": ["org_quay"],
            "account": ["acct_harbour"],
            "key": ["key_1"],
            "digest": [],
        }

    def test_passes_its_restriction_on_to_accounts_that_come_later(self) -> None:
        restriction(account("acct_1", organisation="org_quay").organisation)  # type: ignore[arg-type] # it has one
        register_accounts([AccountLine(account="acct_2", organisation="org_quay")], by=MACHINE, now=NOW)

        assert cover_new_names(now=NOW) == 1
        assert payload(2)["names"]["account"] == ["acct_1", "acct_2"]


class TestNewKeys:
    def test_of_somebody_restricted_are_told_once(self) -> None:
        restriction(harbour := account())
        api_key(harbour, "key_new")

        assert [cover_new_names(now=NOW) for _ in range(2)] == [1, 0]
        assert steps() == [(1, "began", 1), (2, "covers", 1)]
        assert payload(2)["names"]["key"] == ["key_new"]

    def test_of_others_change_nothing(self) -> None:
        restriction(account())
        api_key(account())

        assert cover_new_names(now=NOW) == 0


class TestACampaign:
    def campaign(self, size: int) -> Campaign:
        return campaign_of(*(account(f"acct_{number}") for number in range(size)))

    def test_is_restricted_account_by_account(self) -> None:
        campaign = self.campaign(3)

        done = restrict_campaign(campaign, BLOCK, unique_key="incident-7", by=MACHINE, now=NOW)

        assert len(done.new) == len(done.restrictions) == 3
        assert not any(access(account=f"acct_{number}", now=NOW).allowed for number in range(3))
        assert Entry.objects.filter(verb="restriction.created").count() == 3
        assert set(campaign.restrictions.values_list("number", flat=True)) == done.new

    def test_is_restricted_once_for_a_unique_key(self) -> None:
        campaign = self.campaign(3)
        first, again = (
            restrict_campaign(campaign, BLOCK, unique_key="incident-7", by=MACHINE, now=NOW) for _ in range(2)
        )

        assert again.new == set()
        assert [one.number for one in again.restrictions] == [one.number for one in first.restrictions]

    @pytest.mark.parametrize("by_whom", ["the same campaign", "one account"])
    def test_is_let_go_for_good_where_it_was_restricted_twice(self, by_whom: str) -> None:
        campaign = self.campaign(3)
        restrict_campaign(campaign, BLOCK, unique_key="first", by=MACHINE, now=NOW)
        if by_whom == "the same campaign":
            restrict_campaign(campaign, BLOCK, unique_key="second", by=MACHINE, now=NOW)
        else:
            restriction(Account.objects.get(external_id="acct_0"), until=NOW + HOUR)

        lift_campaign(campaign, note="They are one school.", by=MACHINE, now=NOW)
        end_expired(now=NOW + HOUR)

        assert all(access(account=f"acct_{number}", now=NOW + HOUR).allowed for number in range(3))

    def test_is_let_go_as_one(self) -> None:
        campaign = self.campaign(3)
        restrict_campaign(campaign, BLOCK, unique_key="incident-7", by=MACHINE, now=NOW)
        restriction(other := account())

        lifted = lift_campaign(campaign, note="They are one school.", by=MACHINE, now=NOW)

        assert len(lifted) == 3
        assert access(account="acct_0", now=NOW).allowed
        assert not access(account=other.external_id, now=NOW).allowed


class TestMany:
    def test_are_restricted_all_or_none(self) -> None:
        taken = account()
        restriction(taken, Kind.WATCH, unique_key="b")
        targets = [(account(), "a"), (account(), "b")]

        with pytest.raises(Exception, match="already used"):
            restrict_all(targets, BLOCK, by=MACHINE, now=NOW)

        assert Restriction.objects.count() == 1

    def test_take_the_same_number_of_queries_as_one(self, django_assert_max_num_queries: object) -> None:
        targets = [(account(), f"many-{number}") for number in range(50)]

        with django_assert_max_num_queries(20):  # type: ignore[operator] # a fixture
            restrict_all(targets, BLOCK, by=MACHINE, now=NOW)

        assert Restriction.objects.count() == 50
