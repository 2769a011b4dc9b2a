"""Tokens that nobody counted are unknown, and not nought: in the event, in the profile, and to detectors."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Account
from governance.campaigns.queries import account_ranking
from governance.usage.account_usage import AccountUsage
from governance.usage.actions import compact_profiles, record_lines
from governance.usage.models import UsageEvent
from governance.usage.profiles.features import build_account_usages
from governance.usage.queries import get_scoring_windows, load_profiles
from tests.factories import NOW, line
from tests.usage.spans import JSON, PROTOBUF, encoded, export, rejected, send, span

pytestmark = pytest.mark.django_db

UNCOUNTED: dict[str, Any] = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}
UNKNOWN: dict[str, Any] = {"input_tokens": None, "output_tokens": None}


@pytest.fixture(autouse=True)
def _at_the_time_of_the_events() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def usage(name: str = "acct_harbour") -> AccountUsage:
    """The account's usage as detectors see it."""
    account = Account.objects.get(external_id=name)
    compact_profiles([account.pk])
    found = build_account_usages(load_profiles(get_scoring_windows([account.pk], at=NOW)), {})
    return found[account.pk]


class TestASpan:
    @pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
    @pytest.mark.parametrize(
        "count_given",
        [{"gen_ai.request.stream": True}, {"llm.is_streaming": "True"}, {}],
        ids=["streamed", "streamed, as text", "of an instrumentation that does not say"],
    )
    def test_without_counts_is_a_request(self, client: Client, encoding: str, count_given: dict[str, Any]) -> None:
        response = send(client, encoded(export(span(UNCOUNTED | count_given)), encoding), encoding)

        assert rejected(response) == (0, "")
        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (None, None)

    def test_of_a_stream_may_have_one_count(self, client: Client) -> None:
        send(client, encoded(export(span({"gen_ai.usage.output_tokens": None, "gen_ai.request.stream": True})), JSON))

        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (812, None)

    def test_that_was_not_streamed_needs_its_counts(self, client: Client) -> None:
        response = send(client, encoded(export(span(UNCOUNTED | {"gen_ai.request.stream": False})), JSON))

        assert rejected(response)[0] == 1

    @pytest.mark.parametrize("nothing", [None, "None", ""])
    def test_that_a_customer_cut_has_an_unknown_answer(self, client: Client, nothing: str | None) -> None:
        response = send(client, encoded(export(span({"gen_ai.usage.output_tokens": nothing})), JSON))

        assert rejected(response) == (0, "")
        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (812, None)

    @pytest.mark.parametrize("count_given", ["None", "many", -5, "-5", 0.5, True, [1]])
    def test_may_have_optional_counts_that_cannot_be_read(self, client: Client, count_given: Any) -> None:
        optional = {
            "gen_ai.usage.cache_read.input_tokens": count_given,
            "gen_ai.usage.reasoning.output_tokens": count_given,
        }

        assert rejected(send(client, encoded(export(span(optional)), JSON))) == (0, "")
        assert UsageEvent.objects.values_list("cached_input_tokens", "reasoning_tokens").get() == (0, 0)


class TestTheWireFormat:
    def test_says_null_for_what_is_unknown(self) -> None:
        record_lines([line(**UNKNOWN)], source="native", now=NOW)

        assert UsageEvent.objects.values_list("input_tokens", "output_tokens").get() == (None, None)

    def test_needs_the_member_itself(self) -> None:
        (rejection,) = record_lines([line().replace(b'"output_tokens"', b'"other"')], source="native", now=NOW).rejected

        assert rejection.reason == "output_tokens is missing"


class TestTheProfile:
    def test_has_the_same_averages_with_requests_whose_tokens_are_unknown(self) -> None:
        counted = [line(input_tokens=given, output_tokens=10 * given) for given in (100, 120, 140, 160)]
        record_lines(counted, source="native", now=NOW)
        before = usage()

        record_lines([line(**UNKNOWN) for _ in range(40)], source="native", now=NOW)

        after = usage()
        assert (before.events, after.events) == (4, 44)
        for name in (
            "input_tokens", "output_tokens", "median_input", "median_output", "median_ratio", "input_variation",
            "long_output_share", "main_ratio", "ratio_percentile", "cached_share",
        ):  # fmt: skip
            assert getattr(after, name) == pytest.approx(getattr(before, name)), name

    def test_knows_no_ratio_where_nothing_was_counted(self) -> None:
        record_lines([line(**UNKNOWN)], source="native", now=NOW)

        found = usage()

        assert (found.main_ratio, found.ratio_percentile) == (None, None)

    def test_is_the_same_whether_the_figures_came_at_once_or_later(self) -> None:
        times = [(NOW - timedelta(minutes=minute)).isoformat() for minute in (9, 7, 4)]
        events = [{"id": f"req_{at}", "occurred_at": at, "input_tokens": 100, "output_tokens": 900} for at in times]
        record_lines([line(**event) for event in events], source="native", now=NOW)
        at_once = usage()
        record_lines([line(**event | UNKNOWN, account="acct_later") for event in events], source="litellm", now=NOW)
        record_lines([line(**event, account="acct_later") for event in reversed(events)], source="litellm", now=NOW)

        assert usage("acct_later") == at_once


def test_an_account_of_which_nothing_is_counted_is_scored(client: Client) -> None:
    record_lines([line(**UNKNOWN) for _ in range(5)], source="native", now=NOW)

    assert [place.account for place in account_ranking()] == ["acct_harbour"]
