from datetime import UTC, timedelta
from typing import Any

import pytest

from governance.usage.account_usage import AccountFacts, AccountUsage
from governance.usage.markers import marker_mask
from governance.usage.profiles.build import build_deltas
from governance.usage.profiles.features import PeerGroup, PeerRatios, build_account_usages
from governance.usage.profiles.traits import TRAIT_NAMES, TRAITS, EventArrays, ShareOf, trait_codes
from tests.usage.profiles import MONDAY, columns, event, merged_by_model

YUSUF, HANNA = 1, 2


def text(number: int, *, minutes: float = 0, **given: Any) -> dict[str, Any]:
    """A request with text of its own; `number` tells one prompt from another."""
    seen = {"prompt_digest": number, "template_digest": number, "sketch": 0, "markers": 0, "prompt_chars": 80}
    return event(minutes=minutes, **(seen | {"turns": 1} | given))


def usage_of(*events: dict[str, Any], **facts: Any) -> AccountUsage:
    return read(*events, facts={YUSUF: AccountFacts(**facts)})[YUSUF]


def read(
    *events: dict[str, Any], facts: dict[int, AccountFacts] | None = None, **given: Any
) -> dict[int, AccountUsage]:
    return build_account_usages(merged_by_model(build_deltas(columns(*events))), facts or {}, **given)


class TestUsages:
    def test_keeps_accounts_apart(self) -> None:
        found = read(event(YUSUF), event(HANNA), event(HANNA))

        assert {account: usage.events for account, usage in found.items()} == {YUSUF: 1, HANNA: 2}

    def test_gives_empty_usage_for_an_account_without_events(self) -> None:
        facts = AccountFacts(plan="team")

        assert read(event(HANNA), facts={YUSUF: facts})[YUSUF] == AccountUsage(facts=facts)

    def test_takes_no_profiles_at_all(self) -> None:
        nothing = merged_by_model(build_deltas(columns(event())).clear())

        assert build_account_usages(nothing, {YUSUF: AccountFacts()}) == {YUSUF: AccountUsage()}

    def test_takes_a_single_event_of_which_hardly_anything_is_known(self) -> None:
        usage = usage_of(event())

        assert (usage.events, usage.texts, usage.breadth, usage.gap_variation) == (1, 0, None, None)

    def test_does_not_depend_on_the_order_of_events(self) -> None:
        events = [text(number % 7, minutes=number * 31, model=f"m{number % 2}") for number in range(40)]

        assert usage_of(*events) == usage_of(*reversed(events))


class TestRhythm:
    def test_counts_days_hours_and_the_busiest_of_them(self) -> None:
        usage = usage_of(event(), event(minutes=5), event(minutes=70), event(minutes=24 * 60))

        assert (usage.active_days, usage.active_hours, usage.busiest_hour) == (2, 3, 2)
        assert (usage.hours_of_day[9], usage.hours_of_day[10], sum(usage.hours_of_day)) == (3, 1, 4)

    def test_measures_how_much_gaps_vary(self) -> None:
        steady = usage_of(*(event(minutes=30 * number) for number in range(8)))
        uneven = usage_of(event(), event(minutes=1), event(minutes=2), event(minutes=120))

        assert steady.gap_variation == pytest.approx(0)
        assert uneven.gap_variation == pytest.approx(1.38, abs=0.01)

    def test_calls_a_clock_flat_and_an_hour_a_day_not(self) -> None:
        clock = usage_of(*(event(minutes=60 * hour) for hour in range(24)))
        mornings = usage_of(*(event(minutes=60 * 24 * day) for day in range(24)))

        assert clock.clock_flatness == pytest.approx(1)
        assert mornings.clock_flatness == 0

    def test_measures_the_share_of_a_model_since_it_was_taken_up(self) -> None:
        before = [event(minutes=minute) for minute in range(10)]
        after = [
            event(minutes=60 + minute, model="flagship-3" if minute % 4 else "flagship-2") for minute in range(1, 9)
        ]

        usage = usage_of(*before, *after)

        assert (usage.pivot_events, usage.pivot_share) == (8, 0.75)

    def test_counts_of_the_hour_in_which_it_was_taken_up_what_was_left(self) -> None:
        steady = [event(minutes=minute) for minute in range(0, 41, 10)]

        usage = usage_of(*steady, event(minutes=20.5, model="flagship-3"), event(minutes=40, model="flagship-3"))

        assert usage.pivot_events == 4
        assert usage.pivot_share == pytest.approx(2 / (2 + 5 * 19.5 / 40))

    def test_knows_no_move_where_one_model_is_used(self) -> None:
        assert usage_of(event(), event(minutes=1)).pivot_events == 0


class TestShape:
    def test_places_the_ratio_among_the_users_of_the_model(self) -> None:
        peers = {PeerGroup("flagship-2", alone=True): PeerRatios([1.0, 1.5, 2.5, 3.0], 40)}

        usage = read(event(), peers=peers)[YUSUF]

        assert usage.median_ratio == pytest.approx(2.0, rel=0.022)
        assert usage.ratio_percentile == 0.5

    def test_compares_a_reasoning_model_with_its_own_kind(self) -> None:
        ordinary = usage_of(event(output_tokens=2_000))
        thinking = usage_of(event(output_tokens=2_000, reasoning_tokens=1_500))

        assert ordinary.ratio_percentile is not None
        assert thinking.ratio_percentile is not None
        assert thinking.ratio_percentile < ordinary.ratio_percentile

    @pytest.mark.parametrize(
        "given",
        [{"end_user": "u1"}, {"conversation": "c1"}, {"tools": 2}, {"response_format": "json_schema"}, {"turns": 2}],
    )
    def test_calls_a_request_stand_alone_that_has_nothing_around_it(self, given: dict[str, Any]) -> None:
        usage = usage_of(event(), event(**given))

        assert usage.standalone_share == 0.5

    def test_tells_cold_hot_and_unset_temperatures(self) -> None:
        usage = usage_of(*(event(temperature=value) for value in (0.0, 0.2, 1.0, None)))

        assert (usage.cold_share, usage.hot_share, usage.unset_temperature_share) == (0.5, 0.25, 0.25)

    def test_counts_combinations_of_settings(self) -> None:
        usage = usage_of(event(temperature=1), event(temperature=1), event(temperature=1, n=4), event())

        assert (usage.parameter_sets, usage.top_parameter_share, usage.mean_n) == (3, 0.5, 1.75)


class TestContent:
    def test_speaks_of_the_events_with_text(self) -> None:
        usage = usage_of(text(1), text(1), text(2), text(3, system_digest=9), event())

        assert (usage.events, usage.texts, usage.prompts) == (5, 4, 3)
        assert (usage.repeat_share, usage.system_share, usage.bare_share) == (0.25, 0.25, 0.75)

    def test_never_tells_of_more_prompts_than_there_were(self) -> None:
        usage = usage_of(*(text(7 * number, template_digest=number, end_user="u") for number in range(3_000)))

        assert usage.texts == 3_000
        assert max(usage.prompts, usage.templates) <= 3_000
        assert (usage.systems, usage.end_users) == (0, 1)

    def test_keeps_the_templates_in_steady_use(self) -> None:
        wrapped = [text(number, template_digest=77) for number in range(6)]
        rarely = [text(10 + number, template_digest=88) for number in range(2)]

        usage = usage_of(*wrapped, *rarely)

        assert (usage.templates, usage.steady_templates) == (2, 1)
        assert usage.top_templates == ((77, 6),)
        assert (usage.steady_share, usage.top_template_share, usage.lead_share) == (0.75, 0.75, 1.0)

    def test_measures_breadth_between_distinct_sketches(self) -> None:
        alike = usage_of(*(text(number, sketch=5) for number in range(4)))
        opposed = usage_of(text(1, sketch=0), text(2, sketch=-1))
        single = usage_of(text(1, sketch=5))

        assert (alike.breadth, opposed.breadth, single.breadth) == (0, 2, None)

    def test_gives_the_share_of_each_topic_and_language(self) -> None:
        usage = usage_of(text(1, topic=1, language="de"), text(2, topic=1, language="en"), text(3, topic=0), event())

        assert usage.topics == {"medicine": pytest.approx(2 / 3), "other": pytest.approx(1 / 3)}
        assert usage.languages == {"de": pytest.approx(1 / 3), "en": pytest.approx(1 / 3)}

    def test_reads_the_sign_bit_of_a_sketch(self) -> None:
        assert usage_of(text(1, sketch=0), text(2, sketch=-(2**63))).breadth == pytest.approx(1 / 32)

    def test_gives_the_share_of_each_marker_and_of_its_group(self) -> None:
        usage = usage_of(
            text(1, markers=marker_mask(["evolution"])),
            text(2, markers=marker_mask(["evolution", "task_generation"])),
            text(3, markers=marker_mask(["translate"])),
            text(4),
        )

        assert (
            usage.marker_share("evolution"),
            usage.marker_share("code"),
            usage.marker_share("code", "translate"),
        ) == (0.5, 0, 0.25)
        assert (usage.making_share, usage.work_share) == (0.5, 0.25)


class TestFacts:
    def test_give_the_age_at_the_first_event(self) -> None:
        assert usage_of(event(), created_at=MONDAY.replace(tzinfo=UTC) - timedelta(days=3)).age_days == 3

    def test_give_no_age_where_the_sign_up_is_unknown(self) -> None:
        assert usage_of(event()).age_days is None

    def test_count_events_that_were_not_read(self) -> None:
        assert usage_of(event(), total_events=9_000).total_events == 9_000

    def test_tell_requests_from_home(self) -> None:
        usage = usage_of(event(country="NL"), event(country="NL"), event(country="US"), event(), country="NL")

        assert usage.home_share == pytest.approx(2 / 3)


class TestSlots:
    def test_are_the_ten_minutes_with_a_request_each_once(self) -> None:
        usage = usage_of(event(), event(minutes=9), event(minutes=10), event(minutes=61, model="other"))

        start = round(MONDAY.replace(tzinfo=UTC).timestamp()) // 600
        assert usage.slots == (start, start + 1, start + 6)
        assert usage.active_slots == 3

    def test_are_not_listed_where_they_are_many(self) -> None:
        usage = usage_of(*(event(minutes=10 * number) for number in range(301)))

        assert (usage.active_slots, usage.slots) == (301, ())


class TestOpenings:
    def test_are_counted_over_models_the_most_used_first(self) -> None:
        usage = usage_of(
            text(1, openings=(7, 8)), text(2, openings=(8,), model="other"), text(3, openings=(), closings=(9,))
        )

        assert usage.top_openings == ((8, 2), (7, 1))
        assert usage.top_closings == ((9, 1),)


class TestTraits:
    def test_keep_the_codes_that_profiles_are_stored_with(self) -> None:
        stored = [
            "stream", "seeded", "logprobs", "cold", "hot", "unset_temperature", "tools", "structured", "short_cap",
            "reasoning", "long_output", "standalone", "varied", "end_user", "conversation", "text", "system",
            "follow_up", "bare", "making", "work",
        ]  # fmt: skip

        assert [TRAIT_NAMES[code] for code in range(len(stored))] == stored
        assert len(TRAIT_NAMES) == len(TRAITS)

    def test_of_token_counts_follow_from_them_alone(self) -> None:
        counted = EventArrays({"input_tokens": [10, None], "output_tokens": [400, None], "reasoning_tokens": [5, 0]})

        index, codes = trait_codes(counted, [one for one in TRAITS if one.share_of is ShareOf.COUNTED])

        assert index.tolist() == [0, 0]
        assert [TRAIT_NAMES[code] for code in codes] == ["reasoning", "long_output"]
