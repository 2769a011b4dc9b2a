import pytest

from governance.bench.detection.measures import Share, by_family, measure
from governance.bench.detection.world import Label, Sent, World


def world(**families: tuple[str, int]) -> World:
    """Families by their name, with what they are and how many accounts they have."""
    labels = {
        f"{family}-{place}": Label(f"{family}-{place}", label, family)
        for family, (label, number) in families.items()
        for place in range(number)
    }
    return World(labels, {account: Sent() for account in labels})


class TestAShare:
    def test_says_how_far_it_can_be_trusted(self) -> None:
        assert Share(0, 100).interval == pytest.approx((0.0, 0.037), abs=0.001)
        assert Share(9, 10).interval == pytest.approx((0.596, 0.982), abs=0.001)

    def test_of_nothing_can_be_anything(self) -> None:
        assert Share(0, 0).interval == (0.0, 1.0)


class TestARanking:
    def test_that_is_right_finds_everything(self) -> None:
        found = measure([9, 8, 1, 0], [True, True, False, False])

        assert found.auroc == 1
        assert found.average_precision == 1
        assert found.recall_strict == Share(2, 2)

    def test_that_puts_one_other_first_finds_nothing_at_a_strict_limit(self) -> None:
        found = measure([9, 8, 7, *[0] * 98], [False, True, True, *[False] * 98])

        assert found.recall_strict == Share(0, 2)
        assert found.recall_percent == Share(0, 2)

    def test_may_pass_one_in_a_hundred_at_the_looser_limit(self) -> None:
        found = measure([9, 8, 7, *[0] * 99], [False, True, True, *[False] * 99])

        assert found.recall_percent == Share(2, 2)

    def test_gets_nothing_for_a_tie(self) -> None:
        found = measure([5, 5], [True, False])

        assert found.auroc == 0
        assert found.recall_strict == Share(0, 1)

    def test_says_how_far_its_auroc_can_be_trusted(self) -> None:
        low, high = measure([*range(20)], [place % 2 == 1 for place in range(20)]).auroc_interval

        assert 0 < low < 0.55 < high <= 1


class TestFamilies:
    def test_are_told_apart_and_others_left_out(self) -> None:
        known = world(reasoning=("malicious", 2), evolution=("malicious", 2), support=("benign", 3))
        scores = dict.fromkeys(known.labels, 10.0) | {"reasoning-0": 60.0, "reasoning-1": 70.0, "evolution-1": 55.0}

        assert by_family(known, scores, above=50) == {"evolution": Share(1, 2), "reasoning": Share(2, 2)}
