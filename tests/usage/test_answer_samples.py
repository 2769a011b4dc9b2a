from typing import Any

import numpy as np
import polars as pl
import pytest

from governance.usage.profiles.answer_samples import answer_features, build_samples, contained_share, repack
from governance.usage.profiles.bottom_k import BOTTOM_K, smallest_hashes
from governance.usage.profiles.build import build_deltas
from governance.usage.profiles.features import build_account_usages
from tests.usage.profiles import columns, event, merged_by_model

ONE = np.zeros(1, dtype=np.int64)


def sampled(*blobs: bytes) -> dict[str, list[int]]:
    rows = pl.DataFrame({"answers": [b"".join(blobs)]})
    return {
        name: sorted(table[name].to_list()[0]) if len(table) else []
        for table in answer_features(rows, ONE)
        for name in table.columns
        if name != "owner"
    }


def answer(account: int = 1, **given: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"answer_runs": (), "answer_chars": 100, "answer_items": 0, "reasoning": ()}
    return event(account, **usual | given)


class TestSamples:
    def test_keep_the_three_kinds_apart(self) -> None:
        events = columns(answer(answer_runs=(7, 8), shingles=(7, 9), turns=1, reasoning=(7,)))

        (blob,) = build_samples(events, ONE, 1)

        assert sampled(blob) == {"answer_runs": [7, 8], "question_runs": [7, 9], "reasoning": [7]}

    def test_leave_out_follow_ups_and_requests_without_an_answer(self) -> None:
        events = columns(answer(shingles=(9,), turns=2), event(1, shingles=(10,), turns=1))

        (blob,) = build_samples(events, np.zeros(2, dtype=np.int64), 1)

        assert sampled(blob) == {"answer_runs": [], "question_runs": [], "reasoning": []}

    def test_are_empty_without_answers(self) -> None:
        assert build_samples(columns(event(shingles=(10,))), ONE, 1) == [b""]

    def test_come_to_the_same_in_any_grouping_and_keep_so_many_of_each_kind(self) -> None:
        dice = np.random.default_rng(3)
        runs = [tuple(dice.integers(0, 2**60, 8).tolist()) for _ in range(60)]
        blobs = [
            build_samples(columns(answer(answer_runs=found, shingles=found[:4], reasoning=found[:2])), ONE, 1)[0]
            for found in runs
        ]

        whole = sampled(*repack([b"".join(blobs)]))
        halves = sampled(*repack([b"".join(repack([b"".join(blobs[:30])]) + repack([b"".join(blobs[30:])]))]))

        assert whole == halves
        assert [len(found) for found in whole.values()] == [BOTTOM_K, BOTTOM_K, 120]
        every = np.array(runs).ravel()
        kept = smallest_hashes(np.zeros(len(every), dtype=np.int64), every, most=BOTTOM_K).value
        assert whole["answer_runs"] == sorted(kept.tolist())

    def test_take_what_a_gateway_invents(self) -> None:
        events = columns(answer(answer_runs=(-(2**63), 2**63 - 1), reasoning=(-1,)))

        (blob,) = repack(build_samples(events, ONE, 1))

        assert sampled(blob) == {"answer_runs": [0, 2**60 - 1], "question_runs": [], "reasoning": [2**60 - 1]}


class TestContainedShare:
    def test_is_exact_while_samples_are_whole(self) -> None:
        assert contained_share([1, 2, 3, 4], [3, 4, 5]) == (0.5, 4)

    @pytest.mark.parametrize(("values", "sample"), [([], [1]), ([1], []), ([], [])])
    def test_is_nought_of_nothing(self, values: list[int], sample: list[int]) -> None:
        assert contained_share(values, sample) == (0.0, 0)

    def test_compares_only_what_the_other_sample_would_hold(self) -> None:
        dice = np.random.default_rng(5)
        answers = dice.integers(0, 2**60, 4_000)
        questions = np.concatenate([answers[:500], dice.integers(0, 2**60, 500)])
        owner = np.zeros(4_000, dtype=np.int64)
        kept = smallest_hashes(owner, answers, most=BOTTOM_K).value.tolist()
        asked = smallest_hashes(owner[:1_000], questions, most=BOTTOM_K).value.tolist()

        share, compared = contained_share(asked, kept)

        assert 10 <= compared < BOTTOM_K  # a quarter of 128, give or take
        assert share == pytest.approx(0.5, abs=0.3)
        assert contained_share(asked, asked) == (1.0, BOTTOM_K)


class TestFiguresOfAnswers:
    def test_are_those_of_the_requests_whose_answer_was_reported(self) -> None:
        text = {"prompt_digest": 1, "template_digest": 1, "sketch": 1, "topic": 0, "markers": 0, "prompt_chars": 20}
        events = [
            answer(answer_runs=(1, 2), turns=1, answer_items=5, answer_chars=81, **text),
            answer(shingles=(1, 2, 3, 4), turns=1, answer_items=4, answer_chars=81, **text),
            answer(answer_items=5, answer_chars=80, **text),
            event(**text),
        ]

        usage = build_account_usages(merged_by_model(build_deltas(columns(*events))), {})[1]

        assert usage.answered_share == 0.75
        assert usage.listed_answer_share == pytest.approx(1 / 3)
        assert (usage.returned_share, usage.returned_of) == (0.5, 4)
