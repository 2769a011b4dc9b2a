import numpy as np
import pytest

from governance.bench.detection.baselines.embedding import (
    DIMENSIONS,
    MOST,
    embed_texts,
    prompt_vectors,
    squared_distances,
)
from tests.bench.detection.worlds import customer, world

pytest.importorskip("wordllama", reason="WordLlama has no wheel here")


class TestEmbedded:
    def test_puts_what_means_the_same_close_together(self) -> None:
        soup, stew, court = embed_texts(
            ["How do I cook a soup?", "What makes a good stew?", "May I appeal to the court?"]
        )

        assert soup @ stew > soup @ court

    def test_gives_unit_vectors(self) -> None:
        points = embed_texts(["Hello.", "And now something entirely different."])

        assert points.shape == (2, DIMENSIONS)
        assert np.linalg.norm(points, axis=1) == pytest.approx(1, abs=1e-5)

    def test_takes_some_of_many_evenly_with_the_first_and_the_last(self) -> None:
        texts = [f"Question {number}" for number in range(10 * MOST)]

        points = embed_texts(texts)

        assert len(points) == MOST
        assert points[[0, -1]] == pytest.approx(embed_texts([texts[0], texts[-1]]), abs=1e-5)

    def test_has_no_points_without_texts(self) -> None:
        assert embed_texts([]).shape == (0, DIMENSIONS)

    def test_lets_a_text_without_words_pass(self) -> None:
        assert np.isfinite(embed_texts(["", " \n"])).all()


class TestPointsOf:
    def test_a_world_are_made_once(self) -> None:
        asked = world(customer("ana", texts=["Hello."]))

        assert prompt_vectors(asked) is prompt_vectors(asked)


class TestSquaredDistances:
    def test_are_from_0_to_4(self) -> None:
        east, north = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])

        assert squared_distances(east, np.concatenate([east, north, -east])) == pytest.approx(np.array([[0, 2, 4]]))
