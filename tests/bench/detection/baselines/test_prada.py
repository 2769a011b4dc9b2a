from random import Random

import numpy as np
import pytest

from governance.bench.detection.baselines import prada
from governance.bench.detection.baselines.prada import FEWEST, abnormality
from tests.bench.detection.worlds import KITCHEN, LAW, SEA, customer, questions, world

pytest.importorskip("wordllama", reason="WordLlama has no wheel here")


def variants(count: int) -> list[str]:
    """As pipelines send them: now a seed from somewhere, now several slight variants of it."""
    dice = Random("variants")
    seeds = questions(KITCHEN + LAW + SEA, count=count, name="seeds")
    return [f"{seeds[place // 5]} Variant {dice.choice('abcdefgh')}." for place in range(count)]


class TestPrada:
    def test_tells_made_queries_from_asked_ones(self) -> None:
        found = prada.scores(
            world(
                customer("hugo", "malicious", texts=variants(150)),
                customer("ana", texts=questions(KITCHEN, count=150, name="ana")),
                customer("ben", texts=questions(LAW, count=150, name="ben")),
            )
        )

        assert found["hugo"] > 3 * max(found["ana"], found["ben"])
        assert 0 < found["ana"] < 0.1

    def test_does_not_judge_few_queries_or_none(self) -> None:
        found = prada.scores(world(customer("hugo", texts=variants(FEWEST - 1)), customer("boris")))

        assert found == {"hugo": 0, "boris": 0}

    def test_says_nothing_of_somebody_who_always_asks_the_same(self) -> None:
        assert prada.scores(world(customer("tick", texts=["Are you there?"] * 150))) == {"tick": 0}


class TestAbnormality:
    @pytest.mark.parametrize("seed", range(5))
    def test_is_slight_where_distances_are_about_normal(self, seed: int) -> None:
        assert abnormality(_unit(np.random.default_rng(seed).normal(size=(200, 60)))) < 0.1

    def test_is_great_where_half_of_the_points_are_copies_of_others(self) -> None:
        points = _unit(np.random.default_rng(1).normal(size=(100, 60)))

        assert abnormality(np.repeat(points, 2, axis=0)) > 0.2


def _unit(points: prada.Numbers) -> prada.Numbers:
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))
