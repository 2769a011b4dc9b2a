from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from governance.audit.models import Entry
from governance.restrictions.actions import end_expired, lift, restrict
from governance.restrictions.conflicts import ConflictingKeyError
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from tests.factories import MACHINE, NOW, account, api_key, restriction

pytestmark = pytest.mark.django_db
Kind = Restriction.Kind
HOUR = timedelta(hours=1)


def allowed(external_id: str, *, hours: int = 0) -> bool:
    return access(account=external_id, now=NOW + hours * HOUR).allowed


class TestRestricting:
    @pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.SUSPEND])
    def test_denies_access_by_a_block_or_a_suspension(self, kind: Restriction.Kind) -> None:
        harbour = account("acct_harbour")

        restriction(harbour, kind)

        assert not allowed("acct_harbour")

    @pytest.mark.parametrize("kind", [Kind.WATCH, Kind.WARN, Kind.WITHHOLD, Kind.VERIFY])
    def test_leaves_access_by_a_milder_kind(self, kind: Restriction.Kind) -> None:
        harbour = account("acct_harbour")

        restriction(harbour, kind)

        assert allowed("acct_harbour")

    def test_denies_a_key_of_a_blocked_account(self) -> None:
        harbour = account("acct_harbour")
        api_key(harbour, "key_1")

        restriction(harbour)

        assert not access(api_key="key_1", now=NOW).allowed

    def test_of_one_key_leaves_the_account_and_its_other_keys(self) -> None:
        harbour = account("acct_harbour")
        api_key(harbour, "key_1")

        restriction(api_key(harbour, "key_2"))

        assert not access(api_key="key_2", now=NOW).allowed
        assert access(api_key="key_1", now=NOW).allowed
        assert allowed("acct_harbour")

    def test_numbers_restrictions_in_order(self) -> None:
        numbers = [restriction(account()).number for _ in range(3)]

        assert numbers == [1, 2, 3]

    def test_leaves_an_entry(self) -> None:
        made = restriction(account("acct_harbour"))

        entry = Entry.objects.latest("number")
        assert (entry.verb, entry.subject_id) == ("restriction.created", "acct_harbour")
        assert entry.details["number"] == made.number

    def test_is_done_once_for_a_unique_key(self) -> None:
        harbour = account()

        first, again = (restriction(harbour, unique_key="same") for _ in range(2))

        assert first == again
        assert Entry.objects.filter(verb="restriction.created").count() == 1

    def test_refuses_a_unique_key_that_was_used_for_somebody_else(self) -> None:
        first = restriction(account(), unique_key="same")

        with pytest.raises(ConflictingKeyError) as refusal:
            restriction(account(), unique_key="same")

        assert refusal.value.earlier == first

    def test_replaces_one_of_the_same_kind(self) -> None:
        harbour = account()
        earlier = restriction(harbour, Kind.SUSPEND, until=NOW + HOUR)

        restriction(harbour, Kind.SUSPEND, until=NOW + 5 * HOUR, at=NOW + timedelta(minutes=1))

        earlier.refresh_from_db()
        assert earlier.ending == Restriction.Ending.REPLACED
        assert not allowed(harbour.external_id, hours=4)

    def test_must_end_after_it_starts(self) -> None:
        with pytest.raises(ValueError, match="end after"):
            restriction(account(), until=NOW)


class TestEnding:
    def test_lifting_gives_access_back(self) -> None:
        harbour = account("acct_harbour")
        block = restriction(harbour)

        lift(block, note="Appeal granted.", by=MACHINE, now=NOW + HOUR)

        assert allowed("acct_harbour", hours=1)

    def test_lifting_twice_is_lifting_once(self) -> None:
        block = restriction(account())

        outcomes = [lift(block, note="", by=MACHINE, now=NOW + HOUR) for _ in range(2)]

        assert outcomes == [True, False]
        assert Entry.objects.filter(verb="restriction.lifted").count() == 1

    def test_lifting_a_block_leaves_what_else_is_in_force(self) -> None:
        harbour = account("acct_harbour")
        restriction(harbour, Kind.SUSPEND, until=NOW + 5 * HOUR)
        block = restriction(harbour, Kind.BLOCK)

        lift(block, note="", by=MACHINE, now=NOW)

        assert not allowed("acct_harbour")

    def test_expiry_gives_access_back_at_that_moment(self) -> None:
        restriction(account("acct_harbour"), Kind.SUSPEND, until=NOW + HOUR)

        assert not access(account="acct_harbour", now=NOW + HOUR - timedelta(microseconds=1)).allowed
        assert allowed("acct_harbour", hours=1)

    def test_expiry_is_noted_once(self) -> None:
        expired = restriction(account(), Kind.SUSPEND, until=NOW + HOUR)

        counts = [end_expired(now=NOW + 2 * HOUR) for _ in range(2)]

        expired.refresh_from_db()
        assert counts == [1, 0]
        assert (expired.ending, expired.ended_at) == (Restriction.Ending.EXPIRED, NOW + HOUR)
        assert Entry.objects.filter(verb="restriction.expired").count() == 1


class TestTheStrongest:
    def test_wins(self) -> None:
        harbour = account("acct_harbour")
        block = restriction(harbour, Kind.BLOCK)
        restriction(harbour, Kind.WATCH)

        assert access(account="acct_harbour", now=NOW).restriction == block

    def test_carries_the_limit_of_a_throttle(self) -> None:
        harbour = account("acct_harbour")
        restriction(harbour, Kind.THROTTLE, requests_per_minute=20)

        answer = access(account="acct_harbour", now=NOW)

        assert answer.allowed
        assert answer.restriction is not None
        assert answer.restriction.requests_per_minute == 20


class TestSomebodyUnknown:
    def test_is_allowed_and_said_to_be_unknown(self) -> None:
        answer = access(account="acct_nobody", now=NOW)

        assert (answer.allowed, answer.known) == (True, False)


class TestTheTable:
    def test_refuses_a_throttle_without_a_limit(self) -> None:
        with pytest.raises(IntegrityError, match="a_throttle_has_a_limit"), transaction.atomic():
            restriction(account(), Kind.THROTTLE)

    def test_refuses_a_second_live_restriction_of_a_kind(self) -> None:
        block = restriction(account())
        block.number, block.unique_key = 99, "another"

        with pytest.raises(IntegrityError, match="one_restriction_of_a_kind"), transaction.atomic():
            block.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_restrictions_made_at_once_are_numbered_without_gaps_or_doubles() -> None:
    targets = [account() for _ in range(20)]

    def block(place: int) -> int:
        try:
            block = Terms(Kind.BLOCK, Reason.BULK_HARVEST)
            return restrict(targets[place], block, unique_key=f"race-{place}", by=MACHINE, now=NOW).number
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(block, range(20)))

    assert sorted(numbers) == list(range(1, 21))
    entries = Entry.objects.filter(verb="restriction.created").order_by("number")
    assert [entry.details["number"] for entry in entries] == list(range(1, 21))
