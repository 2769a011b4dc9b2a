import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.usage import fingerprint as fingerprinting
from governance.usage.fingerprint import (
    SHINGLES_KEPT,
    Fingerprint,
    detect_languages,
    fingerprint,
    fingerprints,
    minhash_sketch,
    sample_shingles,
)
from governance.usage.markers import marker_names
from governance.usage.prompts import read_prompt
from governance.usage.reading.words import split_words

KEY = b"a secret of thirty-two characters"
LIMIT = 16 * 1024


def asked(text: Any, *, system: str | None = None) -> Fingerprint:
    messages = [{"role": "system", "content": system}] if system else []
    taken = fingerprint(messages=[*messages, {"role": "user", "content": text}], key=KEY)
    assert taken is not None
    return taken


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


@pytest.fixture(params=["eldc", "eld"])
def language_detector(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The detector in C, and the one in Python that takes its place where the first has no wheel."""
    if request.param == "eldc":
        pytest.importorskip("eldc")
    else:
        monkeypatch.setattr(fingerprinting, "eldc", None)
    fingerprinting._language_detector.cache_clear()
    yield
    fingerprinting._language_detector.cache_clear()


@pytest.mark.usefixtures("language_detector")
class TestLanguages:
    @pytest.mark.parametrize(
        ("code", "text"),
        [
            ("en", "Could you tell me how to get to the nearest station from here?"),
            ("de", "Könnten Sie mir bitte sagen, wie ich zum nächsten Bahnhof komme?"),
            ("fr", "Pourriez-vous me dire comment aller à la gare la plus proche ?"),
            ("ru", "Подскажите, пожалуйста, как пройти к ближайшему вокзалу?"),
            ("ja", "一番近い駅への行き方を教えていただけますか。"),
            ("ar", "هل يمكنك أن تخبرني كيف أصل إلى أقرب محطة من هنا؟"),
        ],
    )
    def test_are_iso_639_1_codes(self, code: str, text: str) -> None:
        assert detect_languages([text]) == [code]

    def test_are_empty_where_the_text_does_not_say(self) -> None:
        assert detect_languages(["", "12345 ++ 67"]) == ["", ""]


class TestReading:
    def test_takes_the_last_thing_a_user_asked_and_counts_turns(self) -> None:
        messages = [
            {"role": "user", "content": "Who built it?"},
            {"role": "assistant", "content": "Gustave Eiffel's company."},
            {"role": "user", "content": "And when?"},
        ]

        prompt = read_prompt(messages, None)

        assert prompt is not None
        assert (prompt.asked, prompt.turns, prompt.chars) == ("And when?", 2, 47)

    def test_takes_parts_with_text(self) -> None:
        parts = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "x"}}, "Look!"]

        prompt = read_prompt([{"role": "user", "content": parts}], None)

        assert prompt is not None
        assert prompt.asked == "What is this?\nLook!"

    @pytest.mark.parametrize("given_prompt", ["Once upon a time", ["Once upon", "a time"]])
    def test_takes_the_prompt_of_a_completion(self, given_prompt: object) -> None:
        prompt = read_prompt(None, given_prompt)

        assert prompt is not None
        assert prompt.asked.split() == ["Once", "upon", "a", "time"]

    def test_reads_16_kib_and_counts_the_rest(self) -> None:
        messages = [{"role": role, "content": "word " * 10_000} for role in ("system", "user", "tool")]

        prompt = read_prompt(messages, None)

        assert prompt is not None
        assert len(prompt.system) + len(prompt.asked) + len(prompt.last) <= LIMIT + 3
        assert prompt.chars == 150_000

    @pytest.mark.parametrize(
        "messages", [None, [], "text", 7, {}, [None], ["x"], [{"role": "user"}], [{"role": "user", "content": None}]]
    )
    def test_finds_no_text_where_there_is_none(self, messages: object) -> None:
        assert fingerprint(messages=messages, key=KEY) is None

    def test_takes_half_a_surrogate_pair_and_nul(self) -> None:
        assert asked(json.loads('"broken \\ud83d here \\u0000 and there"')).prompt_chars == 25


class TestFingerprints:
    def test_keeps_the_order_and_the_gaps(self) -> None:
        taken = fingerprints([("", "one"), (None, None), (None, "two")], key=KEY)

        assert taken == [fingerprint(prompt="one", key=KEY), None, fingerprint(prompt="two", key=KEY)]

    def test_takes_no_events_at_all(self) -> None:
        assert fingerprints([], key=KEY) == []

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
            lambda children: (
                st.lists(children, max_size=4)
                | st.dictionaries(st.sampled_from(["role", "content", "text", "type"]), children, max_size=4)
            ),
            max_leaves=12,
        )
    )
    def test_never_raises_for_what_json_can_hold(self, value: object) -> None:
        assert fingerprint(messages=value, prompt=value, key=KEY) is None or isinstance(
            fingerprint(messages=[{"role": "user", "content": value}], prompt=value, key=KEY), Fingerprint | None
        )


class TestShingles:
    TEXT = " ".join(f"word{number}" for number in range(400))

    def test_are_found_again_in_any_wrapper(self) -> None:
        (plain,) = sample_shingles(split_words([self.TEXT]), key=KEY)
        (wrapped,) = sample_shingles(split_words([f"Please answer step by step. {self.TEXT} Thank you."]), key=KEY)

        assert len(set(plain) & set(wrapped)) >= SHINGLES_KEPT - 1

    def test_are_told_for_each_text_as_for_it_alone(self) -> None:
        texts = [self.TEXT, "", "too short", self.TEXT[200:], "one two three four"]

        assert sample_shingles(split_words(texts), key=KEY) == [
            sample_shingles(split_words([text]), key=KEY)[0] for text in texts
        ]

    def test_mean_nothing_under_another_key(self) -> None:
        (mine,) = sample_shingles(split_words([self.TEXT]), key=KEY)
        (others,) = sample_shingles(split_words([self.TEXT]), key=b"another key")

        assert not set(mine) & set(others)

    def test_are_few_and_sorted(self) -> None:
        (found,) = sample_shingles(split_words([self.TEXT]), key=KEY)

        assert len(found) == SHINGLES_KEPT
        assert list(found) == sorted(found, key=lambda run: run % 2**64)

    @pytest.mark.parametrize("text", ["", "three little words", "\ud83d", "漢字" * 50])
    def test_take_any_text(self, text: str) -> None:
        assert isinstance(sample_shingles(split_words([text]), key=KEY)[0], tuple)
