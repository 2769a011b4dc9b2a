"""A restriction that is near its end lets nobody in while one that takes its place is sent to gateways in batches."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from accounts.models import Account, ApiKey, Organisation
from governance.restrictions import names
from governance.restrictions.actions import end_expired, lift, supersede
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.undo import undo
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.flows.following import Follower

pytestmark = pytest.mark.django_db(transaction=True)

BATCH_SIZE = 4
SIZE = 3 * BATCH_SIZE - 1
SOON = NOW + timedelta(seconds=40)
LATER = NOW + timedelta(days=9)
BEFORE = NOW + timedelta(seconds=30)
AFTER = SOON + timedelta(seconds=10)


@pytest.fixture(autouse=True, params=[names.MOST_LISTED, 1], ids=["all names listed", "only changes listed"])
def _small_batches(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setattr(names, "ACCOUNTS_AT_ONCE", BATCH_SIZE)
    monkeypatch.setattr(names, "MOST_LISTED", request.param)


@pytest.fixture
def company(transactional_db: None) -> Organisation:
    for number in range(SIZE):
        api_key(account(f"acct_{number:02}", organisation="org_quay"), f"key_{number:02}")
    return Organisation.objects.get()


def refused(gateway: Follower, at: datetime) -> int:
    """Return how many accounts are refused; as many by one of their keys."""
    gateway.follow()
    counts = [
        sum(not gateway.restricted.decide([f"{of}_{number:02}"], now=at.timestamp()).allowed for number in range(SIZE))
        for of in ("account:acct", "key:key")
    ]
    assert counts[0] == counts[1]
    return counts[0]


@pytest.mark.parametrize("until", [None, LATER])
def test_that_it_replaces(company: Organisation, until: datetime | None) -> None:
    earlier = restriction(company, RestrictionKind.SUSPEND, at=NOW, until=SOON)
    cover_new_names(now=NOW)
    gateway = Follower()

    made = restriction(company, RestrictionKind.SUSPEND, at=BEFORE, until=until)
    meanwhile = [refused(one, at) for one in (gateway, Follower()) for at in (BEFORE, SOON, AFTER)]
    end_expired(now=AFTER)
    cover_new_names(now=AFTER)

    assert meanwhile == 6 * [SIZE]
    assert [refused(one, AFTER) for one in (gateway, Follower())] == 2 * [SIZE]
    assert [refused(one, LATER) for one in (gateway, Follower())] == 2 * [0 if until else SIZE]
    assert Change.objects.filter(restriction=earlier).latest("number").what == Change.What.ENDED
    assert [one.pk for one in Restriction.objects.filter(ended_at=None)] == [made.pk]


def last_account() -> Account:
    return Account.objects.latest("pk")


def last_key() -> ApiKey:
    return last_account().keys.get()


@pytest.mark.parametrize("target", [Organisation.objects.get, last_account, last_key])
@pytest.mark.parametrize("ends", ["replaced by a decision", "undone", "lifted"])
def test_of_another_kind_or_on_one_account(
    company: Organisation, target: Callable[[], Account | ApiKey | Organisation], ends: str
) -> None:
    earlier = restriction(target(), RestrictionKind.SUSPEND, at=NOW, until=SOON)
    cover_new_names(now=NOW)
    gateway = Follower()
    restriction(company, RestrictionKind.BLOCK, at=BEFORE)

    if ends == "undone":
        undo([earlier.origin], note="A slip.", by=MACHINE, now=BEFORE)
    elif ends == "lifted":
        lift(earlier, note="Blocked now.", by=MACHINE, now=BEFORE)
    else:
        supersede([earlier.number], origin="one", ending=Restriction.Ending.REPLACED, by=MACHINE, now=BEFORE)
    last = f"account:{last_account().external_id}" if target is not last_key else "key:key_10"

    for one in (gateway, Follower()):
        one.follow()
        assert not one.restricted.decide([last], now=AFTER.timestamp()).allowed
    cover_new_names(now=AFTER)
    assert refused(gateway, AFTER) == refused(Follower(), AFTER) == SIZE


def test_for_no_longer_than_that_one_refuses(company: Organisation) -> None:
    """What asks for less than to refuse makes nobody refused for longer."""
    earlier = restriction(company, RestrictionKind.SUSPEND, at=NOW, until=SOON)
    cover_new_names(now=NOW)
    gateway = Follower()

    restriction(company, RestrictionKind.WATCH, at=BEFORE)
    supersede([earlier.number], origin="one", ending=Restriction.Ending.REPLACED, by=MACHINE, now=BEFORE)

    assert [refused(one, at) for one in (gateway, Follower()) for at in (BEFORE, AFTER)] == 2 * [SIZE, 0]


def test_for_no_longer_than_that_one_where_that_is_lifted(company: Organisation) -> None:
    restriction(company, RestrictionKind.SUSPEND, at=NOW, until=SOON)
    cover_new_names(now=NOW)
    gateway = Follower()
    made = restriction(company, RestrictionKind.SUSPEND, at=BEFORE, until=LATER)

    lift(made, note="A slip.", by=MACHINE, now=BEFORE)

    assert refused(gateway, BEFORE) == refused(Follower(), BEFORE) == 0
