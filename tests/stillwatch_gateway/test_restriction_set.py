"""Who is restricted, in memory."""

import sys
import threading

import pytest

from stillwatch_gateway.entries import FOREVER, RestrictionEntry
from stillwatch_gateway.restriction_set import OutOfOrderError, RestrictionSet
from tests.stillwatch_gateway.entries import BLOCK, NOW, WATCH, allowed, entry, renamed


class TestASnapshot:
    def test_refuses_whom_it_names_and_nobody_else(self) -> None:
        restricted = RestrictionSet([entry(n) for n in range(1, 1001)], 1000)

        assert not any(allowed(restricted, f"acct_{n}") for n in range(1, 1001))
        assert all(allowed(restricted, f"acct_{n}") for n in range(1001, 3001))
        assert len(restricted) == restricted.sequence == 1000

    def test_keeps_kinds_of_names_apart(self) -> None:
        restricted = RestrictionSet([entry(1, "key:x")], 1)

        assert restricted.decide(["account:x"], now=NOW).allowed
        assert not restricted.decide(["key:x"], now=NOW).allowed

    @pytest.mark.parametrize(("now", "lets_in"), [(9.0, True), (10.0, False), (19.9, False), (20.0, True)])
    def test_holds_to_the_times_of_a_restriction(self, now: float, *, lets_in: bool) -> None:
        restricted = RestrictionSet([entry(1, since=10.0, until=20.0)], 1)

        assert allowed(restricted, "acct_1", now=now) is lets_in


class TestWhoARestrictionIsAgainst:
    """All that remains of a lost one where the disk keeps nothing."""

    @pytest.mark.parametrize("number", [1, 512, 513, 1500])
    def test_is_known_of_any_in_a_snapshot(self, number: int) -> None:
        every = (entry(n, f"key:key_{n}", f"account:acct_{n}") for n in range(1, 1501))
        restricted = RestrictionSet((one._replace(target=one.names[1]) for one in every), 1500)

        found = restricted.entry(number)

        assert (found.number, found.terms, found.since, found.until) == (number, BLOCK, 0.0, FOREVER)
        assert (found.target, found.names) == (f"account:acct_{number}", (f"account:acct_{number}",))

    @pytest.mark.parametrize("is_in_snapshot", [False, True])
    def test_stays_known_when_its_names_change(self, *, is_in_snapshot: bool) -> None:
        whole = entry(1, "organisation:org", "account:a")._replace(target="organisation:org")
        restricted = RestrictionSet([whole], 1) if is_in_snapshot else RestrictionSet()
        if not is_in_snapshot:
            restricted.change(1, whole, None)

        restricted.change(
            2, RestrictionEntry(1, BLOCK, 0.0, FOREVER, ("account:b",), is_whole=False, target="organisation:"), None
        )

        assert restricted.entry(1).target == "organisation:org"


class TestWhatIsHeld:
    def held(self) -> RestrictionSet:
        """1 to 4 in a snapshot; since then 2 was published again, 3 ended, and 5 and 6 were added, of which 6 ended."""
        restricted = RestrictionSet([entry(n, since=float(n)) for n in (1, 2, 3, 4)], 4)
        restricted.change(5, entry(2, since=20.0), None)
        restricted.change(6, None, 3)
        restricted.change(7, entry(5, since=5.0), None)
        restricted.change(8, entry(6), None)
        restricted.change(9, None, 6)
        return restricted

    @pytest.mark.parametrize("first", [0, 1, 2, 4, 5, 6])
    def test_is_listed_with_when_it_began(self, first: int) -> None:
        every = {1: 1.0, 2: 20.0, 4: 4.0, 5: 5.0}

        assert dict(self.held().live(first)) == {number: at for number, at in every.items() if number >= first}
        assert len([*self.held().live()]) == len(self.held()) == 4

    @pytest.mark.parametrize(
        ("number", "since"), [(0, None), (1, 1.0), (2, 20.0), (3, None), (4, 4.0), (5, 5.0), (6, None)]
    )
    def test_is_known_by_when_it_began(self, number: int, since: float | None) -> None:
        assert self.held().since(number) == since

    def test_counts_what_changed_since_the_snapshot(self) -> None:
        restricted = self.held()
        before = restricted.changes_since_snapshot

        restricted.change(10, renamed(4, removed=("account:acct_4", "key:x")), None)

        assert (RestrictionSet([entry(1)], 1).changes_since_snapshot, before) == (0, 4)
        assert restricted.changes_since_snapshot == 7
        assert len(restricted) == 4

    def test_is_nothing_at_first(self) -> None:
        restricted = RestrictionSet()

        assert (len(restricted), restricted.sequence, restricted.epoch) == (0, 0, "")
        assert dict(restricted.live()) == {}
        assert restricted.since(1) is None

    def test_ends_with_a_change_that_begins_another(self) -> None:
        restricted = self.held()

        restricted.change(10, entry(7, "account:a"), 5)

        assert (len(restricted), allowed(restricted, "a"), allowed(restricted, "acct_5")) == (4, False, True)

    def test_is_forgotten_by_name_once_it_ended(self) -> None:
        restricted = self.held()

        for number, ended in ((10, 5), (11, 2)):
            restricted.change(number, None, ended)

        assert restricted._by_name == {}


class TestAChange:
    def test_adds_and_ends_restrictions_of_the_snapshot_and_of_later(self) -> None:
        restricted = RestrictionSet([entry(1)], 1)

        restricted.change(2, entry(2), None)
        both = allowed(restricted, "acct_1"), allowed(restricted, "acct_2")
        restricted.change(3, None, 1)
        restricted.change(4, None, 2)

        assert both == (False, False)
        assert allowed(restricted, "acct_1")
        assert allowed(restricted, "acct_2")
        assert len(restricted) == 0

    def test_replaces_a_restriction_that_is_told_anew(self) -> None:
        restricted = RestrictionSet([entry(1, "account:a", "key:old")], 1)

        restricted.change(2, entry(1, "account:a", "key:new"), None)
        restricted.change(3, entry(1, "account:a", "key:newer"), None)

        asked = ["account:a", "key:old", "key:new", "key:newer"]
        assert [restricted.decide([name], now=NOW).allowed for name in asked] == [False, True, True, False]
        assert len(restricted) == 1

    def test_leaves_what_else_is_in_force_when_one_ends(self) -> None:
        restricted = RestrictionSet([entry(1, "account:a", terms=WATCH)], 1)
        restricted.change(2, entry(2, "account:a"), None)
        restricted.change(3, None, 2)

        assert restricted.decide(["account:a"], now=NOW).kind == "watch"

    def test_leaves_what_was_published_before_on_the_same_name(self) -> None:
        restricted = RestrictionSet()
        for change, current, ended in ((1, entry(1, "account:a", terms=WATCH), None), (2, entry(2, "account:a"), None)):
            restricted.change(change, current, ended)

        restricted.change(3, None, 2)

        assert restricted.decide(["account:a"], now=NOW).kind == "watch"

    def test_leaves_nothing_of_what_ended_or_was_published_again_among_what_is_live(self) -> None:
        restricted = RestrictionSet([entry(1, since=1.0), entry(2, since=2.0), entry(3, since=3.0)], 3)
        restricted.change(4, None, 1)
        restricted.change(5, entry(2, since=2.5), None)

        assert list(restricted.live()) == [(3, 3.0), (2, 2.5)]
        assert [restricted.since(number) for number in (1, 2, 3, 4)] == [None, 2.5, 3.0, None]

    @pytest.mark.parametrize("number", [0, 1, 3])
    def test_must_be_the_next_one(self, number: int) -> None:
        restricted = RestrictionSet([entry(1)], 1)

        with pytest.raises(OutOfOrderError, match=f"^change {number} after 1$"):
            restricted.change(number, entry(9), None)
        assert restricted.sequence == 1

    def test_lets_nobody_through_for_a_moment_while_it_is_taken_in(self) -> None:
        entries = [entry(n) for n in range(1, 10_001)]
        restricted = RestrictionSet(entries, len(entries))
        let_through = 0

        def tell_all_anew() -> None:
            for published in entries:
                restricted.change(restricted.sequence + 1, published, None)

        usual = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            teller = threading.Thread(target=tell_all_anew)
            teller.start()
            while (changed := restricted.sequence - len(entries)) < len(entries):
                let_through += sum(
                    allowed(restricted, f"acct_{n}")
                    for n in (changed, changed + 1, changed + 2)
                    if 0 < n <= len(entries)
                )
            teller.join()
        finally:
            sys.setswitchinterval(usual)

        assert let_through == 0
