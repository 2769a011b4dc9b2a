"""How prompts read: manner, place on the axis, nearest concept, first word."""

import sys
from collections import Counter

import numpy as np
import pytest

from governance.usage.fingerprint import Fingerprint, fingerprint, fingerprints
from governance.usage.profiles.reading import expected_in_draw
from governance.usage.prompts import read_prompt
from governance.usage.reading import word_vectors
from governance.usage.reading.concepts import CONCEPTS, STEPS, load_axis, load_concepts, reads_step, step_middle
from governance.usage.reading.manner import Manner, read_manner
from governance.usage.reading.word_vectors import DIMENSIONS, WordTable, load_word_table
from governance.usage.reading.words import split_words

KEY = b"a secret of thirty-two characters"

needs_vectors = pytest.mark.skipif(load_word_table() is None, reason="WordLlama has no wheel here")


def manner_of(text: str, *, rare_share: float = 0.0) -> Manner:
    prompt = read_prompt(None, text)
    assert prompt is not None
    return Manner(read_manner(prompt, split_words([text])[0], rare_share))


def made(text: str, *, before: tuple[str, ...] = (), key: bytes = KEY) -> Fingerprint:
    earlier = [{"role": role, "content": said} for said in before for role in ("user", "assistant")]
    found = fingerprint(messages=[*earlier, {"role": "user", "content": text}], key=key)
    assert found is not None
    return found


class TestManner:
    @pytest.mark.parametrize(
        "text",
        [
            "Write a short story about a lighthouse keeper.",
            "Task: Explain why the sky is blue",
            "1. Now describe the water cycle in three sentences.",
            "Which planet of the solar system has the most moons?",
        ],
    )
    def test_tells_a_complete_task(self, text: str) -> None:
        assert Manner.COMPLETE in manner_of(text)
        assert Manner.FIRST_ASK in manner_of(text)

    @pytest.mark.parametrize(
        "text",
        [
            "write a short story about a lighthouse keeper",
            "Explain why my order has not arrived.",
            "Thanks, describe the water cycle.",
            "Schreibe über die Größe des Königs, größer als Öl wäre böse äöüß.",
            "Give me " + "more " * 200 + "examples.",
        ],
    )
    def test_sees_none_in_what_a_person_or_a_document_says(self, text: str) -> None:
        assert Manner.COMPLETE not in manner_of(text)

    def test_sees_none_in_rare_words(self) -> None:
        assert Manner.COMPLETE not in manner_of("Explain the xqzt of the flobnak.", rare_share=0.3)

    @pytest.mark.parametrize(
        "text", ["can you help me", "hello, where is it?", " Where is the parcel?", "Why am i here"]
    )
    def test_tells_somebody_in_need(self, text: str) -> None:
        assert Manner.PERSON in manner_of(text)

    def test_tells_what_is_given_and_what_is_a_sum(self) -> None:
        assert Manner.GIVEN in manner_of("Rewrite the following sentence.")
        assert Manner.SUM in manner_of("A train travels 60 miles in 2 hours. How far in 5 hours?")
        assert Manner.SUM not in manner_of("How far is the station?")

    def test_takes_a_follow_up_for_a_persons(self) -> None:
        after = made("Explain the water cycle in detail.", before=("Hi.",))

        assert after.manner is not None
        assert Manner.PERSON in Manner(after.manner)
        assert Manner.FIRST_ASK not in Manner(after.manner)
        assert after.opening_word is None

    def test_says_nothing_of_an_empty_text(self) -> None:
        assert manner_of("   ") == Manner(0)


class TestOpeningWords:
    def test_are_the_same_for_the_same_word_whatever_follows(self) -> None:
        assert made("List five rivers.").opening_word == made("list ten lakes").opening_word

    def test_cannot_be_told_without_the_key(self) -> None:
        words = ["write", "create", "list", "explain", "describe", "give", "find", "name"]

        own = [made(word).opening_word for word in words]

        assert own != [made(word, key=b"another key").opening_word for word in words]


class TestConcepts:
    def test_are_those_of_the_file_in_its_order(self) -> None:
        assert tuple(load_concepts()) == CONCEPTS
        assert len(load_axis().weights) == DIMENSIONS

    def test_steps_hold_their_middle(self) -> None:
        steps = np.arange(STEPS)

        assert reads_step(step_middle(steps)).tolist() == steps.tolist()

    @needs_vectors
    def test_an_example_is_nearest_to_its_own(self) -> None:
        for name, examples in load_concepts().items():
            nearest = Counter(made(example).concept for example in examples)
            assert nearest[CONCEPTS.index(name)] == len(examples), name

    @needs_vectors
    def test_items_lie_higher_than_what_customers_ask(self) -> None:
        item = made("Write a short story about two friends who discover a hidden garden.").reads
        need = made("my parcel has not arrived yet, order 4711, can you check where it is?").reads

        assert item is not None
        assert need is not None
        assert item > need

    @needs_vectors
    def test_a_follow_up_counts_as_ordinary_at_best(self) -> None:
        after = made("Write a short story about two friends in a garden.", before=("Hello",)).reads

        assert after is not None
        assert step_middle(after) <= -0.75


@needs_vectors
class TestWordVectors:
    def table(self, most_known: int) -> WordTable:
        known = load_word_table()
        assert known is not None
        return WordTable(known._pieces, known._tokenizer, most_known=most_known)

    def test_are_unit_vectors_whatever_the_order_of_words(self) -> None:
        one, other, none = self.table(99).means([[b"good", b"morning"], [b"morning", b"good"], []]).vectors

        assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
        assert one == pytest.approx(other, abs=1e-6)
        assert not none.any()

    def test_are_the_same_after_the_table_was_emptied(self) -> None:
        small, words = self.table(3), [[b"good", b"morning", b"world"], [b"other", b"words"]]

        first = small.means(words).vectors
        small.means([[b"something", b"else"]])

        assert small.means(words).vectors == pytest.approx(first, abs=1e-6)
        assert len(small) <= 7

    def test_grow_with_the_words_met(self) -> None:
        large = self.table(99_999)

        large.means(
            [[f"word{number}".encode() for number in range(start, start + 100)] for start in range(0, 3_000, 100)]
        )

        assert len(large) == 3_000

    def test_tell_rare_words(self) -> None:
        rare = self.table(99).means([[b"xqzvtkpw", b"good"], [b"good", b"morning"]]).rare_share

        assert rare.tolist() == [0.5, 0.0]


def test_without_word_vectors_what_is_made_of_them_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    load_word_table.cache_clear()
    try:
        found = made("List five rivers of Europe.")
    finally:
        load_word_table.cache_clear()

    assert word_vectors.load_word_table is load_word_table
    assert (found.reads, found.concept) == (None, None)
    assert found.manner is not None
    assert Manner.COMPLETE in Manner(found.manner)


def test_many_together_read_as_each_alone() -> None:
    texts = ["Write a poem.", "where is my parcel", "", "Explain the tides in two sentences."]

    together = fingerprints([(None, text) for text in texts], key=KEY)

    assert together == [fingerprint(prompt=text, key=KEY) for text in texts]


def test_fewer_opening_words_are_expected_in_a_draw_than_there_are() -> None:
    count, total = np.array([1] * 60 + [40]), np.full(61, 100)

    drawn = expected_in_draw(count, total, draw=30)

    assert drawn[:60] == pytest.approx(0.3)
    assert drawn[60] == pytest.approx(1, abs=1e-4)
    assert expected_in_draw(np.array([1, 2]), np.array([3, 3]), draw=30).tolist() == [1, 1]
