"""The drawings on the page of a campaign: what ties its members, and what was harvested from day to day."""

from datetime import date
from time import perf_counter

import pytest

from governance.review.campaigns.graph import HEIGHT, MOST_GROUPS, WIDTH, SharedTrait, draw_ties
from governance.review.campaigns.harm import DayOfMembers, measure_harm

DAY = date(2026, 11, 2)


def names(number: int) -> list[str]:
    return [f"acct_{one:03}" for one in range(number)]


class TestTies:
    def test_members_with_the_same_traits_are_one_circle_with_their_number(self) -> None:
        words = SharedTrait("words", frozenset(names(5)))
        card = SharedTrait("card", frozenset(names(2)))

        graph = draw_ties([card, words], names(6))

        assert graph is not None
        assert [(trait.name, trait.members) for trait in graph.traits] == [("Words 1", 5), ("Card 1", 2)]
        assert sorted((some.size, some.label) for some in graph.members) == [(2, "2 accounts"), (3, "3 accounts")]
        assert len(graph.ties) == 3
        assert graph.alone == 1

    def test_a_single_account_is_named_with_what_it_shares(self) -> None:
        graph = draw_ties([SharedTrait("address", frozenset(["acct_000", "acct_001"]))], names(2))

        assert graph is not None
        assert graph.members[0].title == "acct_000, acct_001: Address 1"

    def test_nothing_shared_is_nothing_drawn(self) -> None:
        assert draw_ties([], names(4)) is None

    def test_is_the_same_each_time_and_inside_the_drawing(self) -> None:
        traits = [SharedTrait("words", frozenset(names(30)[start : start + 9])) for start in range(0, 27, 3)]

        graph, again = draw_ties(traits, names(30)), draw_ties(traits, names(30))

        assert graph == again
        assert graph is not None
        at = [(one.x, one.y) for one in graph.traits] + [(one.x, one.y) for one in graph.members]
        assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in at)

    @pytest.mark.parametrize("size", [5, 50, 500])
    def test_stays_legible_for_any_number_of_members(self, size: int) -> None:
        """Each member has its own mixture of 60 traits: drawn one by one, 500 would be 500 circles."""
        members = names(size)
        traits = [
            SharedTrait("address", frozenset(one for place, one in enumerate(members) if (place * 7 + number) % 11 < 3))
            for number in range(60)
        ]
        traits.append(SharedTrait("words", frozenset(members)))
        started = perf_counter()

        graph = draw_ties([trait for trait in traits if len(trait.members) > 1], members)

        assert graph is not None
        assert len(graph.members) <= MOST_GROUPS
        assert sum(some.size for some in graph.members) + graph.alone == size
        assert perf_counter() - started < 20  # hundredths of a second in fact; no layout of 500 by 500


class TestHarm:
    def test_adds_up_the_days_and_draws_those_between(self) -> None:
        days = [DayOfMembers(DAY, 500, 1_000, 2), DayOfMembers(DAY.replace(day=4), 400, 4_000, 1)]

        harm = measure_harm(days)

        assert harm is not None
        assert (harm.exchanges, harm.output_tokens, harm.most_tokens, harm.members) == (900, 5_000, 4_000, 3)
        assert [(day.height, day.members) for day in harm.days] == [(25.0, 2), (0.0, 2), (100.0, 3)]

    def test_says_when_as_much_was_harvested_as_was_enough(self) -> None:
        harm = measure_harm([DayOfMembers(DAY, 816, 9, 1), DayOfMembers(DAY.replace(day=3), 834, 9, 0)])

        assert harm is not None
        reached = {one.published.examples: (round(one.times, 2), one.reached_on) for one in harm.comparisons}
        assert reached[817] == (2.02, date(2026, 11, 3))
        assert reached[17_000] == (0.1, None)

    def test_of_no_usage_is_none(self) -> None:
        assert measure_harm([]) is None
