"""Machines whose clocks differ: what is decided at once is in force at once, by every clock (docs/operations.md)."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Organisation
from governance.gateways.litellm.denied_names import list_denied_names
from governance.gateways.queries import get_expected_state
from governance.restrictions.actions import end_expired, restrict
from governance.restrictions.models import Change, Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.queries import access
from governance.restrictions.terms import Terms
from governance.restrictions.undo import undo
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, restriction
from tests.flows.registered import Seller
from tests.front import served
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = pytest.mark.parametrize("behind", [timedelta(seconds=5), timedelta(minutes=1), timedelta(days=1)], ids=str)


@pytest.fixture
def seller(transactional_db: None, tmp_path: Path) -> Seller:
    return Seller(tmp_path)


def slow_clock(behind: timedelta) -> Callable[[], datetime]:
    return lambda: timezone.now() - behind


def blocks_again(seller: Seller, name: str, *, key: str, **others: str) -> int:
    body = {"account": name, "kind": "block", "reason": "other", "unique_key": key} | others
    number: int = seller._post("/api/v1/restrictions", body, 201)["number"]
    return number


class TestACheckWhoseClockIsSlow:
    @SLOW
    def test_refuses_whoever_was_blocked(self, seller: Seller, behind: timedelta) -> None:
        seller.imports({"account": "acct_harbour"})
        with served(clock=slow_clock(behind)) as front:
            number = seller.blocks(account="acct_harbour")

            assert front.check(account="acct_harbour", min_sequence=number)["decision"] == "deny"

    @SLOW
    def test_lets_nobody_in_while_a_block_is_replaced(self, seller: Seller, behind: timedelta) -> None:
        seller.imports({"account": "acct_harbour"})
        seller.blocks(account="acct_harbour")
        with served(clock=slow_clock(behind)) as front:
            for place in range(3):
                number = blocks_again(seller, "acct_harbour", key=str(place))

                assert front.check(account="acct_harbour", min_sequence=number)["decision"] == "deny"

    @SLOW
    def test_that_starts_afterwards_refuses_as_well(self, seller: Seller, behind: timedelta) -> None:
        seller.imports({"account": "acct_harbour"})
        seller.blocks(account="acct_harbour")
        with served(clock=slow_clock(behind)) as front:
            assert front.check(account="acct_harbour")["decision"] == "deny"

    def test_lets_in_whose_block_is_to_start_later(self, seller: Seller) -> None:
        seller.imports({"account": "acct_harbour"})
        start = timezone.now() + timedelta(hours=1)
        offset = [timedelta()]
        with served(clock=lambda: timezone.now() + offset[0]) as front:
            number = blocks_again(seller, "acct_harbour", key="later", starts_at=start.isoformat())

            assert front.check(account="acct_harbour", min_sequence=number)["decision"] == "allow"
            offset[0] = timedelta(minutes=61)
            assert front.check(account="acct_harbour")["decision"] == "deny"


class TestAGatewayWhoseClockIsSlow:
    @SLOW
    def test_refuses_whoever_was_blocked(self, seller: Seller, behind: timedelta, tmp_path: Path) -> None:
        seller.imports({"account": "acct_harbour"}, {"account": "acct_quill"})
        seller.blocks(account="acct_harbour")
        with served() as front:
            gateway = Gateway(front.url, front.secret, tmp_path / "copy")
            assert gateway.start(wait=PATIENCE)
            try:
                number = seller.blocks(account="acct_quill")
                wait_until(lambda: gateway.sequence >= number, "the change is known")
                now, held = time.time() - behind.total_seconds(), gateway._restricted

                assert not held.decide(["account:acct_harbour"], now=now).allowed  # of the snapshot
                assert not held.decide(["account:acct_quill"], now=now).allowed  # of a change
            finally:
                gateway.close()


def terms(*, starts_at: datetime | None = None, until: datetime | None = None) -> Terms:
    return Terms(kind="block", reason="other", starts_at=starts_at, until=until)


class TestAServerWhoseClockIsSlow:
    """Another process of Stillwatch decided, whose clock is ahead of this one's."""

    AHEAD = timedelta(seconds=30)

    def test_takes_a_block_for_being_in_force(self) -> None:
        now = timezone.now()
        restriction(account("acct_harbour"), at=now + self.AHEAD)

        assert not access(account="acct_harbour", now=now).allowed
        assert list_denied_names(now=now) == {"account acct_harbour"}
        assert get_expected_state(now=now).in_force == 1

    def test_restores_a_block_at_once(self) -> None:
        now, harbour = timezone.now(), account("acct_harbour")
        restrict(harbour, terms(), unique_key="first", by=MACHINE, now=now + self.AHEAD)
        restrict(harbour, terms(), unique_key="second", by=MACHINE, now=now + self.AHEAD)

        [restored] = undo(["second"], note="", by=MACHINE, now=now).restored

        assert not restored.starts_later
        assert begins(restored.number) < now - timedelta(days=365)

    def test_replaces_a_block_that_it_thinks_will_start(self) -> None:
        now, harbour = timezone.now(), account("acct_harbour")
        first = restrict(harbour, terms(), unique_key="first", by=MACHINE, now=now + self.AHEAD)

        restrict(harbour, terms(until=now + timedelta(seconds=9)), unique_key="second", by=MACHINE, now=now)

        first.refresh_from_db()
        assert first.ending == Restriction.Ending.REPLACED

    def test_sends_new_names_of_a_block_with_the_start_that_it_had(self) -> None:
        now = timezone.now()
        account("acct_harbour", organisation="org_harbour")
        company = Organisation.objects.get()
        made = restrict(company, terms(), unique_key="first", by=MACHINE, now=now + self.AHEAD)
        account("acct_new", organisation="org_harbour")

        assert cover_new_names(now=now) == 1

        assert begins(Change.objects.get(what=Change.What.COVERS).number) == begins(made.number)


def begins(number: int) -> datetime:
    """The time from which gateways apply it."""
    payload = Change.objects.get(number=number).payload
    assert payload is not None
    return datetime.fromisoformat(payload["from"])


def test_a_planned_block_keeps_its_start() -> None:
    now = timezone.now()
    start = now + timedelta(seconds=20)

    made = restrict(account("acct_harbour"), terms(starts_at=start), unique_key="first", by=MACHINE, now=now)

    assert begins(made.number) == start
    assert access(account="acct_harbour", now=now).allowed
    assert not access(account="acct_harbour", now=start).allowed


def test_an_end_is_sent_once_what_starts_then_has_started_by_every_clock() -> None:
    now, harbour = timezone.now(), account("acct_harbour")
    end = now + timedelta(hours=1)
    restrict(harbour, terms(until=end), unique_key="first", by=MACHINE, now=now)
    restrict(harbour, terms(starts_at=end), unique_key="second", by=MACHINE, now=now)
    restrict(account("acct_quill"), terms(until=end), unique_key="third", by=MACHINE, now=now)

    assert end_expired(now=end) == 1
    assert not access(account="acct_harbour", now=end - timedelta(seconds=30)).allowed
    assert end_expired(now=end + timedelta(minutes=1)) == 1
