"""A change that adds names to a restriction in memory or removes some of them."""

import pytest

from stillwatch_gateway.entries import RestrictionEntry
from stillwatch_gateway.restriction_set import OutOfOrderError, RestrictionSet
from tests.stillwatch_gateway.entries import BLOCK, NOW, WATCH, allowed, entry, renamed


@pytest.mark.parametrize("is_packed", [True, False], ids=["in a snapshot", "changed since"])
class TestNamesThatChange:
    def known(self, *, is_packed: bool) -> RestrictionSet:
        """Restriction 1 is against a and b, 2 against b."""
        entries = [entry(1, "account:a", "account:b"), entry(2, "account:b")]
        if is_packed:
            return RestrictionSet(entries, 2)
        restricted = RestrictionSet()
        for one in entries:
            restricted.change(one.number, one, None)
        return restricted

    def test_let_in_who_is_covered_no_longer_and_refuse_who_is_now(self, *, is_packed: bool) -> None:
        restricted = self.known(is_packed=is_packed)

        restricted.change(3, renamed(1, added=("account:c",), removed=("account:a", "account:b")), None)

        assert [allowed(restricted, name) for name in "abc"] == [True, False, False]
        assert restricted.decide(["account:b"], now=NOW).number == 2
        assert (len(restricted), restricted.sequence) == (2, 3)

    def test_come_back(self, *, is_packed: bool) -> None:
        restricted = self.known(is_packed=is_packed)

        restricted.change(3, renamed(1, removed=("account:a",)), None)
        restricted.change(4, renamed(1, added=("account:a",)), None)
        back = allowed(restricted, "a")
        restricted.change(5, renamed(1, removed=("account:a",)), None)

        assert (back, allowed(restricted, "a")) == (False, True)

    def test_end_with_their_restriction(self, *, is_packed: bool) -> None:
        restricted = self.known(is_packed=is_packed)
        restricted.change(3, renamed(1, added=("account:c",)), None)

        restricted.change(4, None, 1)

        assert [allowed(restricted, name) for name in "abc"] == [True, False, True]
        assert len(restricted) == 1

    def test_are_replaced_where_all_of_them_are_told(self, *, is_packed: bool) -> None:
        restricted = self.known(is_packed=is_packed)
        restricted.change(3, renamed(1, added=("account:c",)), None)

        restricted.change(4, entry(1, "account:d"), None)

        assert [allowed(restricted, name) for name in "abcd"] == [True, False, True, False]
        assert len(restricted) == 2

    def test_of_a_restriction_that_is_not_known_are_out_of_order(self, *, is_packed: bool) -> None:
        restricted = self.known(is_packed=is_packed)
        restricted.change(3, None, 1)

        with pytest.raises(OutOfOrderError, match=r"^the names of restriction 1 change, which is not known$"):
            restricted.change(4, renamed(1, added=("account:c",)), None)

    def test_leave_the_other_restrictions_of_a_name_alone(self, *, is_packed: bool) -> None:
        restricted = self.known(is_packed=is_packed)
        restricted.change(3, entry(3, "account:c", terms=WATCH), None)

        restricted.change(4, renamed(1, added=("account:c",)), None)
        restricted.change(5, renamed(1, added=("account:c",)), None)
        both = restricted.decide(["account:c"], now=NOW).number
        restricted.change(6, renamed(1, removed=("account:c",)), None)

        assert both == 1
        assert restricted.decide(["account:c"], now=NOW).number == 3
        assert len(restricted) == 3

    def test_take_the_terms_that_came_with_them(self, *, is_packed: bool) -> None:
        restricted = self.known(is_packed=is_packed)

        restricted.change(3, renamed(1, added=("account:c",))._replace(terms=WATCH), None)

        assert restricted.decide(["account:c"], now=NOW).kind == "watch"
        assert restricted.entry(1).is_whole
        assert restricted.entry(1).removed == ()

    @pytest.mark.parametrize("now", [4.0, 15.0, 25.0])
    def test_bring_other_times_and_terms_for_all_that_are_covered(self, now: float, *, is_packed: bool) -> None:
        before = entry(1, "account:a", "account:b", "organisation:o", since=5.0, until=10.0)
        restricted = RestrictionSet([before], 1) if is_packed else RestrictionSet()
        if not is_packed:
            restricted.change(1, before, None)

        longer = renamed(1, added=("account:a",))._replace(terms=WATCH, since=12.0, until=20.0)
        restricted.change(2, longer, None)
        kinds = [restricted.decide([name], now=now).kind for name in before.names]
        restricted.change(3, longer._replace(terms=BLOCK, since=3.0, until=30.0), None)

        assert kinds == 3 * ["watch" if now == 15.0 else None]
        assert [restricted.decide([name], now=now).kind for name in before.names] == 3 * ["block"]
        assert restricted.entry(1).until == 30.0


class TestAChangeOfNames:
    def test_is_applied_to_those_that_were_known(self) -> None:
        known = RestrictionEntry(1, BLOCK, 1.0, 2.0, ("key:a", "key:b", "key:c"), target="key:a")
        change = RestrictionEntry(1, WATCH, 3.0, 4.0, ("key:d",), is_whole=False, removed=("key:b",), target="key:")

        assert known.with_names_changed(change) == RestrictionEntry(
            1, WATCH, 3.0, 4.0, ("key:a", "key:c", "key:d"), is_whole=True, removed=(), target="key:a"
        )
        assert known._replace(target="").with_names_changed(change).target == "key:"
