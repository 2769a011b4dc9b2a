"""What a fingerprint says of languages and of how prompts read, and the runs of words that it samples."""

import json
from collections.abc import Iterator

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
    sample_shingles,
)
from governance.usage.prompts import read_prompt
from governance.usage.reading.words import split_words
from tests.usage.fingerprints import KEY, asked

LIMIT = 16 * 1024


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
