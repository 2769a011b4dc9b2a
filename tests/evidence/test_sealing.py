"""The usage of a day that is over is sealed once, and again if something arrives late."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.stillwatch_verify import leaf_hash, tree_head
from governance.evidence.leaves import (
    COLUMNS,
    StoredEvent,
    derive_key,
    encode_account_leaf,
    encode_leaf,
    event_hasher,
    salted_event_fields,
)
from governance.evidence.models import SealedAccount, UsageSeal
from governance.evidence.sealing import iter_account_trees, seal_usage
from governance.platform.locks import Lock
from governance.usage.models import LateDay, UsageEvent
from tests.evidence.days import YESTERDAY, use
from tests.factories import NOW

KEY = derive_key(b"secret")


class TestALeaf:
    def event(self, **changed: Any) -> StoredEvent:
        values = dict.fromkeys(("event_id", "source", "model", "operation", "status"), "x") | changed
        return StoredEvent(b"k" * 16, "acct_1", NOW, [values.get(name) for name in COLUMNS])

    def test_hides_values_that_could_be_guessed(self) -> None:
        leaf = encode_leaf(salted_event_fields(KEY, self.event(ip="192.0.2.7")))

        assert b"192.0.2.7" not in leaf
        assert leaf != encode_leaf(salted_event_fields(derive_key(b"another"), self.event(ip="192.0.2.7")))

    def test_is_another_one_if_any_column_is(self) -> None:
        before = encode_leaf(salted_event_fields(KEY, self.event()))

        assert (
            len({encode_leaf(salted_event_fields(KEY, self.event(**{name: 7}))) for name in COLUMNS} | {before})
            == len(COLUMNS) + 1
        )

    def test_is_hashed_alike_the_fast_way(self) -> None:
        event = self.event(temperature=0.1, sketch=-(2**63), language="ü")

        assert event_hasher(KEY)(event) == leaf_hash(encode_leaf(salted_event_fields(KEY, event)))


@pytest.mark.django_db
class TestADayThatIsOver:
    def test_is_sealed_in_the_log(self) -> None:
        use("acct_harbour", 3)
        use("acct_other", 2)

        [seal] = seal_usage(now=NOW)

        entry = Entry.objects.get(verb="usage.sealed")
        assert (seal.day, seal.number, seal.entry) == (YESTERDAY, 1, entry.number)
        assert (entry.subject_kind, entry.subject_id) == ("usage", str(YESTERDAY))
        assert entry.details == {"number": 1, "root": bytes(seal.root).hex(), "accounts": 2, "events": 5}

    def test_is_a_tree_over_its_accounts(self) -> None:
        use("acct_harbour", 3)
        use("acct_other", 2)

        [seal] = seal_usage(now=NOW)

        sealed = SealedAccount.objects.select_related("account").order_by("place")
        leaves = [encode_account_leaf(one.account.external_id, one.events, bytes(one.root)) for one in sealed]
        assert [one.events for one in sealed] == [3, 2]
        assert tree_head([leaf_hash(leaf) for leaf in leaves]) == bytes(seal.root)

    def test_is_sealed_once(self) -> None:
        use("acct_harbour", 3)
        seal_usage(now=NOW)

        assert seal_usage(now=NOW + timedelta(days=1)) == []
        assert UsageSeal.objects.count() == 1

    def test_without_usage_is_left_out(self) -> None:
        use("acct_harbour", 1, day=YESTERDAY)

        assert [seal.day for seal in seal_usage(now=NOW)] == [YESTERDAY]

    def test_has_the_same_root_if_it_is_read_in_portions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("acct_a", "acct_b", "acct_c"):
            use(name, 3)
        whole = list(iter_account_trees(YESTERDAY))

        monkeypatch.setattr("governance.evidence.sealing.PORTION", 4)

        assert list(iter_account_trees(YESTERDAY)) == whole
        assert len(whole) == 3

    def test_waits_for_another_run_if_older_ones_were_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for days in range(3):
            use("acct_harbour", 3, day=YESTERDAY - timedelta(days=days))
        monkeypatch.setattr("governance.evidence.sealing.MOST_EVENTS", 6)

        assert [[seal.day for seal in seal_usage(now=NOW)] for _ in range(2)] == [
            [YESTERDAY - timedelta(days=2), YESTERDAY - timedelta(days=1)],
            [YESTERDAY],
        ]

    def test_that_is_not_over_for_two_hours_waits(self) -> None:
        use("acct_harbour", 1, day=NOW.date())
        midnight = NOW.replace(hour=0, minute=0) + timedelta(days=1)

        assert seal_usage(now=midnight + timedelta(hours=1, minutes=59)) == []
        assert len(seal_usage(now=midnight + timedelta(hours=2))) == 1


@pytest.mark.django_db
class TestLateEvents:
    def test_are_sealed_by_the_next_number(self) -> None:
        use("acct_harbour", 3)
        [first] = seal_usage(now=NOW)
        use("acct_harbour", 1, first=4, now=NOW + timedelta(hours=1))

        [second] = seal_usage(now=NOW + timedelta(days=1))

        assert (second.day, second.number, second.events) == (YESTERDAY, 2, 4)
        assert second.root != first.root
        assert [entry.details["number"] for entry in Entry.objects.filter(verb="usage.sealed").oldest_first()] == [1, 2]
        assert not LateDay.objects.exists()

    def test_are_not_sealed_more_often_than_once_a_night(self) -> None:
        use("acct_harbour", 3)
        seal_usage(now=NOW)
        use("acct_harbour", 1, first=4, now=NOW + timedelta(hours=1))

        assert seal_usage(now=NOW + timedelta(hours=2)) == []
        assert LateDay.objects.exists()

    def test_that_were_here_before_change_nothing(self) -> None:
        use("acct_harbour", 3)
        seal_usage(now=NOW)

        use("acct_harbour", 3, now=NOW + timedelta(hours=1))

        assert not LateDay.objects.exists()

    def test_that_left_everything_as_it_was_make_no_entry(self) -> None:
        use("acct_harbour", 3)
        seal_usage(now=NOW)
        LateDay.objects.create(day=YESTERDAY)

        assert seal_usage(now=NOW + timedelta(days=1)) == []
        assert not LateDay.objects.exists()

    def test_of_today_are_not_late(self) -> None:
        use("acct_harbour", 1, day=NOW.date())

        assert not LateDay.objects.exists()


@pytest.mark.django_db
def test_another_process_that_is_at_it_is_not_waited_for() -> None:
    use("acct_harbour", 1)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, 0)", [Lock.USAGE_SEALS])
        assert seal_usage(now=NOW) == []
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [Lock.USAGE_SEALS])
    finally:
        other.close()
    assert len(seal_usage(now=NOW)) == 1


@pytest.mark.django_db
def test_a_change_behind_its_back_gives_another_root() -> None:
    use("acct_harbour", 2)
    [before] = iter_account_trees(YESTERDAY)

    UsageEvent.objects.filter(event_id__endswith="_1").update(model="mini-1")

    [after] = iter_account_trees(YESTERDAY)
    assert after.root != before.root
    assert Account.objects.get(pk=after.account).external_id == "acct_harbour"
