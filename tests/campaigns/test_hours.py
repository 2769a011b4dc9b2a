"""Which accounts keep the same hours, and by how little others do not: on clocks whose every slot is as busy."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from governance.campaigns.hours import days_together, find_synchronous_groups, times_chance
from governance.campaigns.population import Numbers
from tests.campaigns.village import MIDNIGHT, Village, on_several_days


class Clock(Village):
    """Accounts by the slots that they are active in."""

    def members(self, number: int, places: Iterable[int], **given: Any) -> list[int]:
        """Add accounts that are active in the same slots."""
        slots = on_several_days(places)
        return [self.add(slots=slots, **given) for _ in range(number)]

    def crowd(self, places: Iterable[int], times: int = 1) -> None:
        """Add accounts that no other is compared with, and whose slots are busy."""
        self.members(times, places, log_odds=None, is_product=True)

    def groups(self, *, least_members: int = 5, **given: Any) -> list[list[int]]:
        found = find_synchronous_groups(self.population(others=0), least_members=least_members, **given)
        return sorted(rows.tolist() for rows in found)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class TestAccountsThatMeet:
    def test_are_a_group_where_they_do_four_times_as_often_as_by_chance(self, clock: Clock) -> None:
        # Each two have 32 slots in common. Of 128 slots, all as busy, chance gives 32 * 32 / 128, a quarter of that.
        members = clock.members(5, range(32))
        clock.members(5, range(32, 128))

        assert clock.groups() == [members]

    def test_are_none_where_they_do_less_often(self, clock: Clock) -> None:
        clock.members(5, range(32))
        clock.members(5, range(32, 127))

        assert clock.groups() == []

    def test_are_a_group_from_five_slots_in_common_on(self, clock: Clock) -> None:
        """Each has a sixth slot of its own; six in common of a thousand are no chance."""
        members = [clock.add(slots=on_several_days([*range(5), 100 + number])) for number in range(5)]
        clock.crowd(range(1_024), times=3)

        assert clock.groups() == [members]

    def test_are_none_with_four_slots_in_common(self, clock: Clock) -> None:
        for number in range(5):
            clock.add(slots=on_several_days([*range(4), 100 + number, 200 + number]))
        clock.crowd(range(1_024), times=3)

        assert clock.groups() == []

    def test_are_none_where_chance_may_give_as_many(self, clock: Clock) -> None:
        """Chance gives a fifth of a slot: five in common are 25 times as many, but not six deviations more."""
        for number in range(5):
            clock.add(slots=on_several_days([*range(5), 100 + number]))
        clock.crowd(range(180), times=40)

        assert 6 * 6 * clock.population(others=0).chance == pytest.approx(0.2, abs=0.005)
        assert clock.groups() == []

    @pytest.mark.parametrize(("slots", "is_group"), [(5, False), (6, True), (300, True), (301, False)])
    def test_have_six_to_three_hundred_slots(self, clock: Clock, slots: int, *, is_group: bool) -> None:
        """With fewer they may be together by chance, with more they are active all the time."""
        members = clock.members(5, range(slots))
        clock.crowd(range(1_024), times=3)
        clock.crowd(range(5_000))

        assert clock.groups() == ([members] if is_group else [])

    @pytest.mark.parametrize(("number", "is_group"), [(4, False), (5, True)])
    def test_are_as_many_as_is_asked(self, clock: Clock, number: int, *, is_group: bool) -> None:
        members = clock.members(number, range(20))
        clock.crowd(range(1_024))

        assert clock.groups() == ([members] if is_group else [])

    def test_are_as_many_as_is_asked_though_others_were_compared_too(self, clock: Clock) -> None:
        clock.members(4, range(20))
        clock.members(1, range(40, 60))
        clock.crowd(range(1_024))

        assert clock.groups() == []

    def test_are_no_products_without_text(self, clock: Clock) -> None:
        members = clock.members(5, range(20), log_odds=None)
        clock.members(5, range(40, 60), log_odds=None, is_product=True)
        clock.crowd(range(1_024))

        assert clock.groups() == [members]

    @pytest.mark.parametrize(("on_first_day", "is_group"), [(7, True), (8, False)])
    def test_meet_on_several_days(self, clock: Clock, on_first_day: int, *, is_group: bool) -> None:
        """Seven of ten times on one day are no workshop's, but eight of eleven are."""
        slots = [*range(MIDNIGHT, MIDNIGHT + on_first_day), *range(MIDNIGHT + 144, MIDNIGHT + 147)]
        members = [clock.add(slots=slots) for _ in range(5)]
        clock.crowd(range(1_024))

        assert clock.groups() == ([members] if is_group else [])


class TestTwoCircles:
    """Four accounts each, who meet one another; and some of them surely meet somebody of the other circle."""

    @staticmethod
    def circles(clock: Clock, *, pairs: int, of_circle: int = 6, of_pair: int = 5) -> tuple[list[int], list[int]]:
        """Add two circles that meet so often, and so many pairs of one of each, of the sixteen that there are."""

        def circle(start: int) -> list[int]:
            both = [range(100 + 20 * own, 100 + 20 * own + of_pair) if own < pairs else () for own in range(4)]
            return [clock.add(slots=on_several_days([*range(start, start + of_circle), *shared])) for shared in both]

        return circle(0), circle(50)

    def test_are_two_groups_where_less_than_a_fifth_of_the_pairs_meet(self, clock: Clock) -> None:
        early, late = self.circles(clock, pairs=3)
        clock.crowd(range(1_024), times=3)

        assert clock.groups(least_members=4) == [early, late]

    def test_are_one_where_more_do(self, clock: Clock) -> None:
        early, late = self.circles(clock, pairs=4)
        clock.crowd(range(1_024), times=3)

        assert clock.groups(least_members=4) == [[*early, *late]]

    def test_are_two_where_more_do_but_only_six_times_as_often_as_by_chance(self, clock: Clock) -> None:
        """Twelve times is in full: the quarter of the pairs that meet counts as an eighth."""
        early, late = self.circles(clock, pairs=4, of_circle=20, of_pair=12)
        clock.crowd(range(512), times=20)

        assert clock.groups(least_members=4) == [early, late]


class TestACrowd:
    def test_is_compared_in_full(self, clock: Clock) -> None:
        """Three groups among eleven hundred accounts on five days: the first of all, some behind, the last of all."""
        dice = np.random.default_rng(1)

        def strangers() -> None:
            for _ in range(540):
                clock.add(slots=(MIDNIGHT + dice.choice(700, 7, replace=False)).tolist())

        def meeting(start: int) -> list[int]:
            return [clock.add(slots=[*range(MIDNIGHT + start, MIDNIGHT + 700, 70)]) for _ in range(5)]

        first = meeting(0)
        strangers()
        middle = meeting(1)
        strangers()
        last = meeting(2)

        assert clock.groups() == [first, middle, last]


class TestWhatTheComparisonMayTake:
    """Each slot costs the square of its users: five who read like a harvest and five who do not, in ten slots each."""

    @pytest.fixture
    def clock(self) -> Clock:
        clock = Clock()
        clock.members(5, range(10), log_odds=-1.0)
        clock.members(5, range(20, 30), log_odds=0.0)
        clock.members(5, range(40, 50), log_odds=None)
        clock.crowd(range(1_024), times=3)
        return clock

    def test_is_enough_for_all(self, clock: Clock) -> None:
        assert len(clock.groups(products=3 * 10 * 5**2)) == 3

    def test_is_else_spent_on_those_whose_text_reads_like_a_harvest(self, clock: Clock) -> None:
        assert clock.groups(products=3 * 10 * 5**2 - 1) == [[5, 6, 7, 8, 9]]
        assert clock.groups(products=10 * 5**2) == [[5, 6, 7, 8, 9]]

    def test_is_else_spent_on_every_second_or_third_of_those(self, clock: Clock) -> None:
        assert clock.groups(least_members=2, products=10 * 5**2 - 1) == [[5, 7, 9]]
        assert clock.groups(least_members=2, products=10 * 5**2 // 5) == [[5, 8]]


class TestTimesChance:
    def test_is_how_often_two_meet_for_each_time_that_chance_gives(self, clock: Clock) -> None:
        """Two share one slot of three and two; slots have 2, 1, 1 and 1 of all five active slots."""
        clock.add(slots=on_several_days([0, 1, 2]))
        clock.add(slots=on_several_days([0, 3]))
        population = clock.population(others=0)

        chance = (2**2 + 1 + 1 + 1) / 5**2
        assert times_chance(population, rows(0, 1)) == pytest.approx(1 / (3 * 2 * chance))

    def test_is_an_average_over_all_pairs(self, clock: Clock) -> None:
        """Of three accounts two meet once, and the third meets nobody."""
        clock.add(slots=on_several_days([0, 1]))
        clock.add(slots=on_several_days([0]))
        clock.add(slots=on_several_days([2]))
        population = clock.population(others=0)

        chance = (2**2 + 1 + 1) / 4**2
        assert times_chance(population, rows(0, 1, 2)) == pytest.approx(1 / ((2 * 1 + 2 * 1 + 1 * 1) * chance))

    def test_is_nought_for_one_alone(self, clock: Clock) -> None:
        clock.add(slots=on_several_days([0, 1]))

        assert times_chance(clock.population(others=0), rows(0)) == 0.0


class TestDaysTogether:
    def test_hold_a_tenth_of_the_coincidences(self, clock: Clock) -> None:
        """Nine meetings on the first day, one on the second; on the third each is there at another time."""
        for own in range(2):
            clock.add(slots=[*range(MIDNIGHT, MIDNIGHT + 9), MIDNIGHT + 144, MIDNIGHT + 288 + own])
        slots = clock.population(others=0).slots

        assert days_together(slots, rows(0, 1)) == 2

    def test_hold_no_less(self, clock: Clock) -> None:
        for _ in range(2):
            clock.add(slots=[*range(MIDNIGHT, MIDNIGHT + 10), MIDNIGHT + 144])

        assert days_together(clock.population(others=0).slots, rows(0, 1)) == 1

    def test_count_each_two_who_meet(self, clock: Clock) -> None:
        """Three who meet once are three pairs, as many as two who meet three times."""
        for own in ([1, 2], [1, 2], []):
            clock.add(slots=[MIDNIGHT, *(MIDNIGHT + 144 * day for day in own)])

        assert days_together(clock.population(others=0).slots, rows(0, 1, 2)) == 3

    def test_are_none_where_nobody_meets(self, clock: Clock) -> None:
        clock.add(slots=[MIDNIGHT])
        clock.add(slots=[MIDNIGHT + 1])

        assert days_together(clock.population(others=0).slots, rows(0, 1)) == 0


def rows(*numbers: int) -> Numbers:
    return np.array(numbers)
