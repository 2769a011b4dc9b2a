"""What docs/profiles.md says of profiles, held against exact counts."""

import random
from collections import Counter
from datetime import UTC, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from governance.usage import sql
from governance.usage.actions import compact_profiles
from governance.usage.event_store import copy_rows
from governance.usage.models import ProfileDelta
from governance.usage.profiles import bottom_k, histograms, hyperloglog, top_k
from governance.usage.profiles.bottom_k import BOTTOM_K
from governance.usage.profiles.build import build_deltas
from governance.usage.profiles.compaction import counters_of, merge_hours, merge_weeks, profiles_csv, sketches_of
from governance.usage.profiles.merging import COUNTERS, HOUR_SCHEMA
from governance.usage.profiles.top_k import TOP_K
from governance.usage.queries import get_scoring_windows, load_profiles
from tests.factories import account
from tests.usage.profiles import MONDAY, columns, event, merged_by_model

ORDERLESS = [name for name in HOUR_SCHEMA if not name.startswith("gap")]

requests = st.builds(
    event,
    st.integers(1, 3),
    minutes=st.integers(0, 150),
    model=st.sampled_from(["flagship-2", "mini"]),
    status=st.sampled_from(["ok", "error", "rate_limited"]),
    output_tokens=st.integers(0, 5_000),
    temperature=st.sampled_from([None, 0.0, 1.0]),
    country=st.sampled_from([None, "NL", "us", "?"]),
    end_user=st.sampled_from([None, "u1", "u2"]),
    ip=st.sampled_from([None, "192.0.2.1", "2001:db8::1"]),
    prompt_digest=st.integers(-(2**63), 2**63 - 1),
    template_digest=st.integers(1, 5),
    sketch=st.integers(-(2**63), 2**63 - 1),
    markers=st.integers(0, 2**16 - 1),
    topic=st.integers(0, 20),
)


def compact(deltas: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The hours, without what depends on the order of parts, and the weeks."""
    return merge_hours(counters_of(deltas)).select(ORDERLESS), merge_weeks(sketches_of(deltas))


class TestFolding:
    @given(st.lists(requests, min_size=1, max_size=40), st.randoms(use_true_random=False))
    @settings(max_examples=60, deadline=None)
    def test_comes_to_the_same_however_events_were_batched(self, events: list[Any], chance: random.Random) -> None:
        whole = compact(build_deltas(columns(*events)))
        chance.shuffle(events)
        cuts = sorted(chance.sample(range(len(events) + 1), min(3, len(events))))
        batches = [
            events[start:end] for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True) if start < end
        ]

        several = compact(pl.concat([build_deltas(columns(*batch)) for batch in batches]))

        assert_frame_equal(several[0], whole[0])
        assert_frame_equal(several[1], whole[1])

    def test_comes_to_the_same_a_part_at_a_time(self) -> None:
        made = [
            build_deltas(columns(event(minutes=20 * number, prompt_digest=number, sketch=number)))
            for number in range(300)
        ]
        at_once = compact(pl.concat(made))

        so_far = counters_of(made[0]), merge_weeks(sketches_of(made[0]))
        for part in made[1:]:
            so_far = (
                merge_hours(pl.concat([so_far[0], counters_of(part)])),
                merge_weeks(pl.concat([so_far[1], sketches_of(part)])),
            )

        assert_frame_equal(so_far[0].select(ORDERLESS), at_once[0])
        assert_frame_equal(so_far[1], at_once[1])

    def test_leaves_one_row_an_hour_and_one_a_week(self) -> None:
        sunday = -9 * 60 - 1  # the minute before Monday

        by_hour, by_week = compact(
            build_deltas(columns(event(minutes=sunday), event(), event(minutes=65), event(minutes=66)))
        )

        assert by_hour["hour"].dt.hour().to_list() == [23, 9, 10]
        assert [str(week) for week in by_week["week"]] == ["2026-10-26", "2026-11-02"]

    def test_knows_the_gaps_between_parts_that_follow_each_other(self) -> None:
        events = [event(minutes=minute) for minute in (0, 1, 4, 9, 30)]
        whole = build_deltas(columns(*events))

        several = merge_hours(
            counters_of(pl.concat([build_deltas(columns(*events[:2])), build_deltas(columns(*events[2:]))]))
        )

        assert several.row(0, named=True)["gaps"] == whole.row(0, named=True)["gaps"] == 4
        assert several["gap_seconds"].to_list() == whole["gap_seconds"].to_list() == [30 * 60.0]
        assert several["gap_squares"].to_list() == whole["gap_squares"].to_list()

    def test_keeps_sums_of_squares(self) -> None:
        profile = build_deltas(columns(event(input_tokens=3, output_tokens=4), event(input_tokens=5, output_tokens=0)))

        assert (profile["input_squares"].item(), profile["output_squares"].item()) == (34, 16)


class TestTallies:
    def test_count_exactly_beyond_what_one_entry_holds(self) -> None:
        (blob,) = histograms.pack(np.zeros(1), np.array([7]), np.array([200_000]), owners=1)

        counted = histograms.unpack([blob])

        assert (len(blob), counted["count"].sum(), counted["bucket"].unique().to_list()) == (16, 200_000, [7])

    def test_can_be_read_by_people(self) -> None:
        given: dict[str, Any] = {
            "country": "NL",
            "markers": 1,
            "topic": 1,
            "prompt_digest": 7,
            "template_digest": 7,
            "sketch": 7,
        }
        blob = build_deltas(columns(event(status="refused", **given), event()))["histograms"][0]

        described = histograms.describe(blob)

        assert {("status", "refused", 1), ("status", "ok", 1), ("country", "nl", 1)} <= set(described)
        assert {("marker", "reasoning", 1), ("topic", "medicine", 1), ("trait", "standalone", 2)} <= set(described)

    @given(st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=200))
    def test_hold_a_number_within_two_and_a_quarter_percent(self, numbers: list[int]) -> None:
        buckets = pl.DataFrame({"bucket": histograms.log_bucket(np.array(numbers))})

        held = buckets.select(histograms.log_bucket_middle(pl.col("bucket"))).to_series()

        within = [max(0.5, 0.022 * (number + 1)) for number in numbers]
        assert held.to_list() == [pytest.approx(n, abs=most) for n, most in zip(numbers, within, strict=True)]

    @pytest.mark.parametrize(("text", "back"), [("nl", "nl"), ("NL", "nl"), ("zz", "zz"), ("aa", "aa")])
    def test_hold_two_letters(self, text: str, back: str) -> None:
        assert histograms.two_letter_code(histograms.two_letter_bucket(text)) == back

    @pytest.mark.parametrize("text", [None, "", "n", "nld", "ß1", "é!"])
    def test_hold_nothing_else(self, text: str | None) -> None:
        assert histograms.two_letter_bucket(text) == 0


class TestDistincts:
    @pytest.mark.parametrize("number", [0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000])
    def test_are_within_four_standard_errors_of_the_exact_number(self, number: int) -> None:
        values = np.arange(number) * 2_654_435_761
        seen = hyperloglog.encode(hyperloglog.Counted.PROMPT, np.concatenate([values, values]))
        (blob,) = hyperloglog.pack(np.zeros(len(seen)), seen, owners=1)

        estimate = hyperloglog.estimate(*hyperloglog.unpack([blob]), owners=1)[0, hyperloglog.Counted.PROMPT]

        assert estimate == pytest.approx(number, rel=4 * hyperloglog.STANDARD_ERROR, abs=1.5)
        assert len(blob) <= 4 * min(number, hyperloglog.REGISTERS)

    def test_are_on_average_as_exact_as_their_standard_error(self) -> None:
        chance = np.random.default_rng(7)
        trials, number = 200, 5_000
        owner = np.repeat(np.arange(trials), number)
        seen = hyperloglog.encode(hyperloglog.Counted.PROMPT, chance.integers(0, 2**62, trials * number))

        found = hyperloglog.estimate(owner, seen, owners=trials)[:, hyperloglog.Counted.PROMPT]

        assert np.sqrt(np.mean((found / number - 1) ** 2)) < 1.2 * hyperloglog.STANDARD_ERROR
        assert abs(np.mean(found) / number - 1) < 0.005

    def test_keep_kinds_and_owners_apart(self) -> None:
        owner = np.array([0, 0, 1])
        seen = np.concatenate(
            [
                hyperloglog.encode(hyperloglog.Counted.KEY, np.arange(1)),
                hyperloglog.encode(hyperloglog.Counted.PROMPT, np.arange(2)),
            ]
        )

        found = hyperloglog.estimate(*hyperloglog.unpack(hyperloglog.pack(owner, seen, owners=2)), owners=2)

        assert {(row, hyperloglog.Counted(kind)) for row, kind in zip(*np.nonzero(np.rint(found)), strict=True)} == {
            (0, hyperloglog.Counted.PROMPT), (0, hyperloglog.Counted.KEY), (1, hyperloglog.Counted.PROMPT),
        }  # fmt: skip


class TestTemplates:
    def test_keep_the_commonest(self) -> None:
        chance = random.Random(5)
        used = [min(int(chance.paretovariate(0.7)), 5_000) for _ in range(4_000)]

        (blob,) = top_k.pack_top_k(np.zeros(len(used), dtype=int), np.array(used), owners=1)

        kept = top_k.unpack_top_k([blob])
        exact = Counter(used)
        assert len(kept.digest) == TOP_K
        assert all(exact[digest] == uses for digest, uses in zip(kept.digest, kept.uses, strict=True))
        assert min(kept.uses) >= max(uses for digest, uses in exact.items() if digest not in kept.digest)


class TestSketches:
    def test_are_a_fair_sample_of_the_distinct_ones(self) -> None:
        many = np.repeat(np.arange(0, 10_000), 2)

        (blob,) = bottom_k.pack_bottom_k(np.zeros(len(many), dtype=int), many, owners=1)

        (kept,) = [bottom_k.unpack_bottom_k([blob]).value]
        assert len(kept) == len(set(kept)) == BOTTOM_K
        assert 2_500 < np.mean(kept) < 7_500


def test_an_hour_begins_where_the_clock_says() -> None:
    made = build_deltas(columns(event(minutes=59.99), event(minutes=60)))

    assert made["hour"].to_list() == [MONDAY, MONDAY + timedelta(hours=1)]


@pytest.mark.django_db
def test_the_database_merges_as_polars_does() -> None:
    customer = account()
    events = [
        event(customer.pk, minutes=50 * number, prompt_digest=number, sketch=number, end_user=f"u{number % 3}")
        for number in range(9)
    ]
    batches = [build_deltas(columns(*events[start::3])) for start in range(3)]
    with connection.cursor() as cursor:
        for deltas in batches:
            copy_rows(cursor, sql.COPY_DELTAS, deltas.columns, profiles_csv(deltas))

    compact_profiles([customer.pk])
    (read,) = load_profiles(
        get_scoring_windows([customer.pk], at=MONDAY.replace(tzinfo=UTC) + timedelta(days=1))
    ).to_dicts()

    (whole,) = merged_by_model(pl.concat(batches)).to_dicts()
    exact = [name for name, column in COUNTERS.items() if not name.startswith("gap")]
    assert {name: read[name] for name in exact} == {name: whole[name] for name in exact}
    assert not ProfileDelta.objects.exists()
    assert histograms.repack([read["histograms"]]) == histograms.repack([whole["histograms"]])
    assert hyperloglog.repack([read["distinct_counts"]]) == hyperloglog.repack([whole["distinct_counts"]])
