"""Who is restricted, in memory."""

import sys
import threading

import pytest

from stillwatch_gateway.entries import FOREVER, EntryTerms, RestrictionEntry
from stillwatch_gateway.restriction_set import OutOfOrderError, RestrictionSet

NOW = 1_000_000.0
BLOCK, WATCH = EntryTerms("block", "bulk_harvest"), EntryTerms("watch", "other")


def entry(
    number: int, *names: str, terms: EntryTerms = BLOCK, since: float = 0.0, until: float = FOREVER
) -> RestrictionEntry:
    return RestrictionEntry(number, terms, since, until, names or (f"account:acct_{number}",))


def allowed(restricted: RestrictionSet, account: str, *, now: float = NOW) -> bool:
    return restricted.decide([f"account:{account}"], now=now).allowed


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


class TestADecision:
    def test_is_that_of_the_strongest_and_has_the_limits_of_all(self) -> None:
        throttles = [EntryTerms("throttle", "other", 60, 9000), EntryTerms("throttle", "other", 90, 100)]
        withheld = EntryTerms("withhold", "other", withheld=("reasoning", "logprobs"))
        names = ("account:a", "key:k")
        restricted = RestrictionSet(
            [entry(1, *names, terms=throttles[0]), entry(2, *names, terms=throttles[1]), entry(3, terms=withheld)], 3
        )
        restricted.change(4, entry(4, "account:a", terms=withheld), None)

        decision = restricted.decide(names, now=NOW)

        assert (decision.allowed, decision.kind, decision.number) == (True, "withhold", 4)
        assert (decision.requests_per_minute, decision.tokens_per_minute) == (60, 100)
        assert decision.withheld == ("logprobs", "reasoning")

    @pytest.mark.parametrize("lowest", range(1, 6))
    def test_regards_every_restriction_of_a_name(self, lowest: int) -> None:
        throttles = [EntryTerms("throttle", "other", 10 if n == lowest else 90) for n in range(1, 6)]
        others = [entry(n) for n in range(6, 500)]
        restricted = RestrictionSet([*(entry(n, "key:k", terms=throttles[n - 1]) for n in range(1, 6)), *others], 499)

        assert restricted.decide(["key:k"], now=NOW).requests_per_minute == 10


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

    def test_leaves_nothing_of_what_ended_or_was_published_again_among_what_is_live(self) -> None:
        restricted = RestrictionSet([entry(1, since=1.0), entry(2, since=2.0), entry(3, since=3.0)], 3)
        restricted.change(4, None, 1)
        restricted.change(5, entry(2, since=2.5), None)

        assert list(restricted.live()) == [(3, 3.0), (2, 2.5)]
        assert [restricted.since(number) for number in (1, 2, 3, 4)] == [None, 2.5, 3.0, None]

    @pytest.mark.parametrize("number", [0, 1, 3])
    def test_must_be_the_next_one(self, number: int) -> None:
        restricted = RestrictionSet([entry(1)], 1)

        with pytest.raises(OutOfOrderError):
            restricted.change(number, entry(9), None)
        assert restricted.sequence == 1

    def test_lets_nobody_through_for_a_moment_while_it_is_taken_in(self) -> None:
        entries = [entry(n) for n in range(1, 10_001)]
        restricted = RestrictionSet(entries, len(entries))
        let_through = 0

        def tell_all_anew() -> None:
            for told in entries:
                restricted.change(restricted.sequence + 1, told, None)

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


def renamed(number: int, *, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> RestrictionEntry:
    return RestrictionEntry(number, BLOCK, 0.0, FOREVER, added, is_whole=False, removed=removed)


@pytest.mark.parametrize("is_packed", [True, False], ids=["in a snapshot", "told since"])
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

        with pytest.raises(OutOfOrderError, match="not known"):
            restricted.change(4, renamed(1, added=("account:c",)), None)
