import numpy as np
import pytest

from governance.bench.detection.baselines import pooled_mmd
from governance.bench.detection.baselines.pooled_mmd import FEWEST, Pool
from governance.bench.detection.world import Sent, WorldLabel
from tests.bench.detection.worlds import KITCHEN, SEA, customer, questions, world

pytest.importorskip("wordllama", reason="WordLlama has no wheel here")


def cooks(count: int = 20) -> list[tuple[WorldLabel, Sent]]:
    """Ordinary customers, enough of them for both halves."""
    names = [f"cook {number}" for number in range(count)]
    return [customer(name, texts=questions(KITCHEN, count=30, name=name)) for name in names]


class TestPooledMmd:
    def test_tells_somebody_who_asks_of_other_things(self) -> None:
        sailor = customer("hugo", "malicious", texts=questions(SEA, count=30, name="hugo"))

        found = pooled_mmd.scores(world(*cooks(), sailor))

        ordinary = [score for account, score in found.items() if account != "hugo"]
        assert found["hugo"] > 20
        assert max(ordinary) < 5
        assert np.mean(ordinary) == pytest.approx(0, abs=1.5)

    def test_is_not_told_by_the_label_of_whom_it_judges(self) -> None:
        asked = questions(SEA, count=30, name="hugo")

        malicious, benign = (
            pooled_mmd.scores(world(*cooks(), customer("hugo", label, texts=asked)))["hugo"]
            for label in ("malicious", "benign")
        )

        assert malicious == benign

    def test_does_not_judge_few_prompts_or_none(self) -> None:
        few = customer("hugo", "malicious", texts=questions(SEA, count=FEWEST - 1, name="hugo"))

        found = pooled_mmd.scores(world(*cooks(), few, customer("boris")))

        assert (found["hugo"], found["boris"]) == (0, 0)

    def test_says_nothing_where_there_is_no_pool(self) -> None:
        assert pooled_mmd.scores(world(customer("hugo", texts=questions(SEA, count=30, name="hugo")))) == {"hugo": 0}

    def test_says_the_same_every_time(self) -> None:
        assert pooled_mmd.scores(world(*cooks())) == pooled_mmd.scores(world(*cooks()))


class TestTheDiscrepancy:
    def test_is_how_much_more_alike_each_side_is_to_itself_than_to_the_other(self) -> None:
        """Two points a side: alike by 0.8 on the left, 0.6 on the right, and by 0.1 across."""
        assert pooled_mmd._squared_mmd(2 * 0.8, 4 * 0.1, 2 * 0.6, sizes=(2, 2)) == pytest.approx(0.8 - 2 * 0.1 + 0.6)

    def test_leaves_out_what_a_point_is_to_itself(self) -> None:
        assert pooled_mmd._without_diagonal(np.full((2, 2), 0.5)).sum() == 1


class TestAPool:
    def test_does_not_grow_suspicious_of_numbers_alone(self) -> None:
        """Prompts like the pool's score about 0, be they few or many; those unlike it score more the more they are."""
        dice = np.random.default_rng(2)
        pool = Pool.of([_towards(0, 20, dice) for _ in range(50)])

        like = [pool.deviation(_towards(0, size, dice)) for size in (20, 200)]
        unlike = [pool.deviation(_towards(1, size, dice)) for size in (20, 200)]

        assert max(map(abs, like)) < 4
        assert 4 < unlike[0] < unlike[1]


def _towards(axis: int, count: int, dice: np.random.Generator) -> pooled_mmd.Numbers:
    points = dice.normal(size=(count, 8))
    points[:, axis] += 2
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))
