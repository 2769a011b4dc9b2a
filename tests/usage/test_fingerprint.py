import pytest

from governance.usage.fingerprint import (
    fingerprint,
    minhash_sketch,
)
from governance.usage.markers import marker_names
from tests.usage.fingerprints import KEY, asked


def apart(one: int, other: int) -> int:
    """Hamming distance of two sketches, of 64."""
    return ((one ^ other) & (2**64 - 1)).bit_count()


class TestPromptDigest:
    def test_is_the_same_for_the_same_words(self) -> None:
        one, other = asked("How tall is the Eiffel Tower?"), asked("how tall is the\nEiffel tower?")

        assert one.prompt_digest == other.prompt_digest

    def test_differs_for_other_words(self) -> None:
        assert asked("How tall is it?").prompt_digest != asked("How old is it?").prompt_digest

    def test_differs_under_another_key(self) -> None:
        messages = [{"role": "user", "content": "How tall is it?"}]

        taken = fingerprint(messages=messages, key=b"another secret")

        assert taken is not None
        assert taken.prompt_digest != asked("How tall is it?").prompt_digest

    def test_fits_a_signed_64_bit_column(self) -> None:
        taken = [asked(f"Question {number}") for number in range(200)]

        assert all(-(2**63) <= one.prompt_digest < 2**63 for one in taken)
        assert any(one.prompt_digest < 0 for one in taken)


class TestOpeningsAndClosings:
    WRAPPED = "Answer the {} question below at length:\n\n{}\n\nExplain all {} steps before the answer."

    def test_are_the_same_around_ever_new_payloads_whatever_the_system_prompt(self) -> None:
        one = asked(self.WRAPPED.format(1, "Why is the sky blue?", 3), system="You answer for Meadow Clinic.")
        other = asked(self.WRAPPED.format(22, "Name the bones.", 14), system="You help with parcels.")

        assert one.template_digest != other.template_digest
        assert (one.openings, one.closings) == (other.openings, other.closings)
        assert (len(one.openings), len(one.closings)) == (2, 2)

    def test_tell_wrappers_apart_that_begin_alike(self) -> None:
        one = asked(self.WRAPPED.format(1, "Why?", 3))
        other = asked(self.WRAPPED.format(1, "Why?", 3).replace("at length", "in brief"))

        assert one.openings[0] == other.openings[0]
        assert one.openings[1] != other.openings[1]

    @pytest.mark.parametrize(
        ("text", "openings", "closings"),
        [
            pytest.param("Why is the sky blue?", 1, 0, id="short line"),
            pytest.param("Why is the sky blue by day and yet as dark at night as it is?", 1, 1, id="long line"),
            pytest.param("Why?\nWhy not?", 2, 2, id="two lines"),
            pytest.param(" \n ", 0, 0, id="nothing"),
        ],
    )
    def test_are_as_many_as_there_are_edges(self, text: str, openings: int, closings: int) -> None:
        assert (len(asked(text).openings), len(asked(text).closings)) == (openings, closings)


class TestTemplateDigest:
    @pytest.mark.parametrize(
        "wrapped",
        [
            "Translate into French: {}",
            "Answer the request below as well as you can.\n\n{} It has to be right in every respect.",
            "{} It has to be right in every respect.\n\nWrite down every step.",
            "Question: {}\nAnswer:",
            "Sort this review.\nText: {} It has to be right in every respect.\nLabel:",
            'Rewrite "{}" in plain words',
        ],
    )
    def test_is_the_same_around_ever_new_payloads(self, wrapped: str) -> None:
        payloads = [
            "Why is the sky blue on 12 March?",
            "Name the bones of the hand.",
            "Plan a week in Ghent with 2 dogs.",
        ]

        taken = {asked(wrapped.format(payload)).template_digest for payload in payloads}

        assert len(taken) == 1

    def test_differs_for_another_wrapping(self) -> None:
        french, german = asked("Translate into French: Good morning."), asked("Translate into German: Good morning.")

        assert french.template_digest != german.template_digest

    def test_differs_where_nothing_is_wrapped(self) -> None:
        taken = {asked(text).template_digest for text in ("Why is the sky blue?", "Name the bones of the hand.")}

        assert len(taken) == 2

    def test_knows_a_product_by_its_system_prompt(self) -> None:
        one = asked("Where is my parcel?", system="You answer for Meadow Clinic.")
        other = asked("Where is my parcel?", system="You answer for Aster Pay.")

        assert one.template_digest != other.template_digest
        assert one.system_digest != other.system_digest


class TestSketch:
    def test_is_close_for_texts_with_most_words_in_common(self) -> None:
        text = "The clinic opens at nine on weekdays and at ten on Saturdays, except on public holidays in summer."

        near = apart(minhash_sketch(text, key=KEY), minhash_sketch(text.replace("nine", "eight"), key=KEY))
        far = apart(
            minhash_sketch(text, key=KEY),
            minhash_sketch("Write a sonnet about rust, engines and an old sea captain.", key=KEY),
        )

        assert near < 12 < far

    def test_is_nought_without_words(self) -> None:
        assert minhash_sketch(" ...!? ", key=KEY) == 0

    def test_does_not_depend_on_the_order_of_words(self) -> None:
        assert minhash_sketch("red green blue", key=KEY) == minhash_sketch("Blue, red; green.", key=KEY)

    def test_reads_scripts_without_spaces(self) -> None:
        text = "この契約書の第三条と第五条の違いを詳しく説明してください。例も一つ挙げてください。"

        assert apart(minhash_sketch(text, key=KEY), minhash_sketch(text.replace("例", "図"), key=KEY)) < 20


class TestMarkers:
    @pytest.mark.parametrize(
        ("text", "marker"),
        [
            ("Solve it and show all your reasoning.", "reasoning"),
            ("Put your thoughts in <think> tags first.", "reasoning"),
            ("Rate the answer from 1 to 10.", "judging"),
            ("Which response is better, A or B?", "judging"),
            ("Come up with twenty quite different tasks: 20 new tasks for a model.", "task_generation"),
            ("Rewrite the given prompt so that it needs more thought.", "evolution"),
            ("Make a more difficult version of it.", "evolution"),
            ("Point out the mistakes in this essay, then revise your answer.", "critique"),
            ("Let us role-play: you are the customer.", "persona"),
            ("Generate five question-answer pairs.", "synthetic_qa"),
            ("Translate this into Dutch.", "translate"),
            ("What is the sentiment of this review?", "classify"),
            ("Use the following passages. If you don't know the answer, say so.", "context"),
        ],
    )
    def test_name_what_is_asked_for(self, text: str, marker: str) -> None:
        assert marker in marker_names(asked(text).markers)

    @pytest.mark.parametrize(
        "text", ["Where is my parcel?", "Book a table for four on Friday.", "Thanks, that was all.", "Guten Morgen!"]
    )
    def test_are_not_set_for_small_talk(self, text: str) -> None:
        assert marker_names(asked(text).markers) == []

    def test_are_read_in_the_system_prompt_too(self) -> None:
        assert "reasoning" in marker_names(asked("What is 7 × 8?", system="Think step by step.").markers)
