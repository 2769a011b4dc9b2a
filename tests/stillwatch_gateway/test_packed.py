"""Restrictions packed into a table, found by their names and by their numbers. Pure."""

from math import inf

import pytest

from stillwatch_gateway.entries import EntryTerms, RestrictionEntry
from stillwatch_gateway.packed import ROOM, TARGETS_IN_BLOCK, PackedRestrictions

BLOCK, WATCH, WARN = EntryTerms("block", "other"), EntryTerms("watch", "other"), EntryTerms("warn", "other")


def entry(number: int, *names: str, terms: EntryTerms = BLOCK, target: str = "") -> RestrictionEntry:
    return RestrictionEntry(number, terms, float(number), inf, names, target=target)


def found(packed: PackedRestrictions, name: str, now: float = 1e9) -> dict[int, EntryTerms]:
    everything: dict[int, EntryTerms] = {}
    packed.find(name, now, everything)
    return everything


class TestNumbers:
    packed = PackedRestrictions(entry(number, f"key:{number}") for number in (2, 5, 9))

    @pytest.mark.parametrize("number", range(11))
    def test_are_held_or_not(self, number: int) -> None:
        assert (number in self.packed) is (number in {2, 5, 9})

    @pytest.mark.parametrize(("first", "numbers"), [(0, [2, 5, 9]), (2, [2, 5, 9]), (3, [5, 9]), (9, [9]), (10, [])])
    def test_are_listed_from_any_on(self, first: int, numbers: list[int]) -> None:
        assert list(self.packed.from_number(first)) == [(number, float(number)) for number in numbers]

    def test_are_counted(self) -> None:
        assert (len(self.packed), len(PackedRestrictions([]))) == (3, 0)


class TestARestriction:
    def test_is_kept_with_its_terms_times_and_target(self) -> None:
        packed = PackedRestrictions(
            [entry(1, "key:a", terms=BLOCK), entry(2, terms=WATCH, target="key:b"), entry(3, terms=BLOCK)]
        )

        assert packed.entry(1) == RestrictionEntry(1, BLOCK, 1.0, inf, ())
        assert packed.entry(2) == RestrictionEntry(2, WATCH, 2.0, inf, ("key:b",), target="key:b")
        assert packed.entry(3).terms == BLOCK

    def test_keeps_its_target_among_blocks_of_them(self) -> None:
        count = 2 * TARGETS_IN_BLOCK + 1
        packed = PackedRestrictions(entry(number, target=f"key:{number}") for number in range(count))

        for number in (0, TARGETS_IN_BLOCK - 1, TARGETS_IN_BLOCK, 2 * TARGETS_IN_BLOCK - 1, count - 1):
            assert packed.entry(number).target == f"key:{number}"

    def test_shares_its_terms(self) -> None:
        packed = PackedRestrictions(entry(n, terms=(BLOCK, WATCH, WARN)[n % 3]) for n in range(30))

        assert packed._catalogue == [BLOCK, WATCH, WARN]
        assert [packed.entry(n).terms for n in (27, 28, 29)] == [BLOCK, WATCH, WARN]


class TestAName:
    @pytest.mark.parametrize("count", [0, 1, 2, 3, 50, 1000])
    def test_is_found_in_a_table_with_room(self, count: int) -> None:
        packed = PackedRestrictions(entry(n, f"key:{n}", f"account:{n}") for n in range(1, count + 1))

        assert all(
            found(packed, f"{kind}:{n}") == {n: BLOCK} for n in range(1, count + 1) for kind in ("key", "account")
        )
        assert all(found(packed, f"key:{n}") == {} for n in range(count + 1, count + 500))
        places = packed._mask + 1
        assert places & packed._mask == 0
        assert places > ROOM * 2 * count >= (places // 2 if count else 0)

    def test_has_every_restriction_that_it_is_named_by(self) -> None:
        packed = PackedRestrictions(entry(n, "key:k", "key:l", terms=BLOCK if n % 2 else WATCH) for n in range(1, 8))

        expected = {n: BLOCK if n % 2 else WATCH for n in range(1, 8)}
        assert found(packed, "key:k") == found(packed, "key:l") == expected

    def test_has_no_more_where_one_ended_or_covers_it_no_longer(self) -> None:
        packed = PackedRestrictions(entry(n, "key:k", "key:l") for n in (1, 2, 3))

        packed.outdated.add(2)
        packed.dropped.add((hash("key:k"), 3))

        assert (found(packed, "key:k"), found(packed, "key:l")) == ({1: BLOCK}, {1: BLOCK, 3: BLOCK})

    def test_has_what_is_in_force(self) -> None:
        one = RestrictionEntry(1, BLOCK, 10.0, 20.0, ("key:k",))

        assert [bool(found(PackedRestrictions([one]), "key:k", now)) for now in (9.9, 10.0, 19.9, 20.0)] == [
            False, True, True, False,
        ]  # fmt: skip
