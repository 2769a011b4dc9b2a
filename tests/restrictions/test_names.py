"""What a restriction covers follows the register: gateways receive the names that were added and removed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, ApiKey, Organisation
from governance.restrictions.actions import end_expired, lift
from governance.restrictions.models import Change, CoveredName, Restriction
from governance.restrictions.names import MOST_LISTED, find_outdated_numbers, unchanged_names
from governance.restrictions.publication import cover_new_names
from stillwatch_gateway.messages import read_snapshot
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.front import Served, served

pytestmark = pytest.mark.django_db
DIGEST, OTHER_DIGEST = b"\x01" * 32, b"\x02" * 32


def payload() -> Any:
    return Change.objects.latest("number").payload


def named(**names: list[str]) -> dict[str, list[str]]:
    return {"organisation": [], "account": [], "key": [], "digest": []} | names


def digest(key: ApiKey, value: bytes | None) -> None:
    ApiKey.objects.filter(pk=key.pk).update(digest=value)


def move(one: Account, organisation: str | None) -> None:
    company = Organisation.objects.get_or_create(external_id=organisation)[0] if organisation else None
    Account.objects.filter(pk=one.pk).update(organisation=company)


def many_members(count: int) -> Organisation:
    organisation = Organisation.objects.create(external_id="org_quay")
    Account.objects.bulk_create(
        Account(external_id=f"acct_{n:05}", organisation=organisation, first_seen_at=NOW) for n in range(count)
    )
    return organisation


class TestNames:
    def test_that_left_are_told_with_those_that_stay(self) -> None:
        stays, leaves = (account(f"acct_{n}", organisation="org_quay") for n in (1, 2))
        api_key(leaves, "key_2")
        restriction(stays.organisation)  # type: ignore[arg-type] # it has one
        move(leaves, None)

        assert cover_new_names(now=NOW) == 1
        assert payload()["names_removed"] == named(account=["acct_2"], key=["key_2"])
        assert payload()["names"] == named(organisation=["org_quay"], account=["acct_1"])
        assert cover_new_names(now=NOW) == 0

    @pytest.mark.parametrize("on", ["account", "key"])
    def test_follow_a_digest_that_is_replaced_or_cleared(self, on: str) -> None:
        key = api_key(owner := account("acct_1"), "key_1")
        digest(key, DIGEST)
        restriction(owner if on == "account" else ApiKey.objects.get())

        digest(key, OTHER_DIGEST)
        cover_new_names(now=NOW)
        replaced = payload()
        digest(key, None)
        cover_new_names(now=NOW)

        assert replaced["names_added"] == named(digest=[OTHER_DIGEST.hex()])
        assert replaced["names_removed"] == named(digest=[DIGEST.hex()])
        assert payload()["names_removed"] == named(digest=[OTHER_DIGEST.hex()])

    def test_follow_a_key_from_one_restricted_account_to_another(self) -> None:
        first, second = account("acct_1"), account("acct_2")
        key = api_key(first, "key_1")
        restriction(first), restriction(second)
        ApiKey.objects.filter(pk=key.pk).update(account=second)

        assert cover_new_names(now=NOW) == 2
        moves: list[tuple[int, Any]] = [*Change.objects.filter(what="covers").values_list("restriction_id", "payload")]
        assert sorted(
            (number, changed["names_added"]["key"], changed["names_removed"]["key"]) for number, changed in moves
        ) == [(1, [], ["key_1"]), (2, ["key_1"], [])]

    def test_of_many_are_told_by_what_changed(self) -> None:
        restriction(organisation := many_members(MOST_LISTED + 1))
        account("acct_new", organisation=organisation.external_id)

        cover_new_names(now=NOW)

        assert payload()["names_added"] == named(account=["acct_new"])
        assert "names" not in payload()
        assert len(json.dumps(payload())) < 500

    @pytest.mark.parametrize(("count", "listed"), [(MOST_LISTED - 1, True), (MOST_LISTED + 1, False)])
    def test_that_did_not_change_are_all_told_again_where_they_are_few(self, count: int, *, listed: bool) -> None:
        one = restriction(many_members(count))

        names = unchanged_names([one.number])[one.number]

        assert (names.all is not None) is listed
        listed_names = names.all or names.added
        assert (len(listed_names["account"]), listed_names["organisation"]) == (
            (count, ["org_quay"]) if listed else (1, [])
        )

    @pytest.mark.parametrize("way", ["lifted", "expired"])
    def test_are_forgotten_with_the_restriction(self, way: str) -> None:
        one = restriction(account(), until=NOW.replace(hour=20))
        if way == "lifted":
            lift(one, note="", by=MACHINE, now=NOW)
        else:
            end_expired(now=NOW.replace(hour=21))

        assert not CoveredName.objects.exists()
        assert cover_new_names(now=NOW) == 0


class TestTheSearch:
    def test_can_be_limited_to_accounts_and_organisations(self) -> None:
        members = [account(organisation=f"org_{n}") for n in range(2)]
        alone = account()
        restrictions = [restriction(one.organisation or one) for one in (*members, alone)]
        restrictions.append(restriction(api_key(other := account()), Restriction.Kind.WATCH))
        digest(other.keys.get(), DIGEST)
        for one in (*members, alone):
            api_key(one)

        def found(*targets: str) -> list[int]:
            return find_outdated_numbers(targets)

        numbers = [one.number for one in restrictions]
        assert found() == numbers
        assert found(f"account:{members[0].pk}") == numbers[:1]
        assert found(f"organisation:{members[1].organisation_id}") == numbers[1:2]
        assert found(f"account:{alone.pk}", f"account:{other.pk}") == numbers[2:]
        assert found(f"account:{account().pk}") == []

    def test_takes_one_query_however_much_is_restricted(self, django_assert_num_queries: Any) -> None:
        restriction(many_members(300))
        for _ in range(3):
            restriction(account())

        # What is covered, less what was published, and the other way round; and the ends that wait for it.
        with django_assert_num_queries(2):
            assert cover_new_names(now=NOW) == 0


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


class TestAtTheCheckAndInTheSnapshot:
    def test_names_of_a_large_organisation_come_and_go(self, front: Served) -> None:
        block = restriction(organisation := many_members(MOST_LISTED + 1), at=timezone.now())
        leaver = Account.objects.get(external_id="acct_00007")
        move(leaver, None)
        api_key(account("acct_new", organisation=organisation.external_id), "key_new")
        cover_new_names(now=timezone.now())
        assert front.knows(2)

        assert front.check(account="acct_00007")["decision"] == "allow"
        assert front.check(account="acct_00008")["decision"] == "deny"
        assert front.check(api_key="key_new")["decision"] == "deny"
        _, entries = read_snapshot(front.ask("/api/v1/access/snapshot").body.splitlines())
        [entry] = entries
        assert entry.number == block.number
        assert {"account:acct_new", "key:key_new", "organisation:org_quay"} < set(entry.names)
        assert "account:acct_00007" not in entry.names
        assert len(entry.names) == MOST_LISTED + 3
