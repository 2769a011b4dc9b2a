"""The prompt of a GenAI span, and spans that are bad or hostile."""

import json
import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.usage.actions import accepted_times
from governance.usage.sources import opentelemetry
from governance.usage.wire import Rejection, UnreadableBatchError, UsageEvent
from tests.factories import NOW
from tests.usage.genai_spans import CHAT, NEW_NAMES, OLD_NAMES, WORDS, read, read_one
from tests.usage.spans import JSON, PROTOBUF, another_span, encoded, event, export, span


class TestABadSpan:
    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (span({"stillwatch.account": None}), "no account: set the attribute stillwatch.account"),
            (span({"gen_ai.request.model": None}), "no model: set the attribute gen_ai.request.model"),
            (another_span({"gen_ai.system": "openai", "gen_ai.usage.input_tokens": 1}), "no account"),
            (
                span({"gen_ai.usage.output_tokens": None, "gen_ai.request.stream": False}),
                "no output_tokens: set the attribute gen_ai.usage.output",
            ),
            (
                span({"gen_ai.usage.input_tokens": float("nan")}),
                "^input_tokens must be a whole number from 0 to",
            ),
            (
                span({"gen_ai.usage.input_tokens": "many"}),
                "^input_tokens must be a whole number from 0 to",
            ),
            (span({"gen_ai.usage.input_tokens": -1}), "^input_tokens must be a whole number from 0 to"),
            (span({"gen_ai.usage.output_tokens": 2**70}), "^output_tokens must be a whole number"),
            (span({"stillwatch.account": 1042}), "^account must be a text of 1 to 128 characters$"),
            (span({"stillwatch.account": "a" * 129}), "^account must be a text of 1 to 128 characters$"),
            (span({"stillwatch.api_key": "a\0b"}), "NUL"),
            (span({"stillwatch.status": "fine"}), "fine"),
            (span(at=NOW + timedelta(minutes=11)), "10 minutes ahead"),
            (span(at=NOW - timedelta(days=31)), "too long ago"),
            (span(startTimeUnixNano=str(2**70)), "not a span"),
            (span(startTimeUnixNano="noon"), "not a span"),
            (span(traceId="0" * 32), "no trace id"),
            (span(traceId="5b8e"), "no trace id"),
            (span(spanId="not hexadecimal"), "hexadecimal"),
            (span(attributes=[{"key": "gen_ai.request.seed", "value": {"intValue": "a secret"}}]), "is none$"),
            (span(attributes={"gen_ai.request.model": "flagship-2"}), "not a span"),
            ("a string", "not a span"),
        ],
    )
    def test_is_named_with_its_reason_and_refuses_no_other(self, bad: Any, reason: str) -> None:
        first, rejection, last = read(span(), bad, span())

        assert isinstance(first, UsageEvent)
        assert isinstance(last, UsageEvent)
        assert isinstance(rejection, Rejection)
        assert rejection.line == 2
        assert re.search(reason, rejection.reason), rejection.reason

    def test_is_not_repeated_in_its_reason(self) -> None:
        (rejection,) = read(span(attributes=[{"key": "gen_ai.request.seed", "value": {"intValue": "a secret"}}]))

        assert "secret" not in str(rejection)


class TestThePrompt:
    @pytest.mark.parametrize(
        "attributes",
        [
            {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": WORDS}]}]},
            {"gen_ai.input.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": WORDS}]}])},
            {"gen_ai.prompt.0.role": "Human", "gen_ai.prompt.0.content": WORDS},
            {"gen_ai.prompt": WORDS},
            {"gen_ai.prompt": json.dumps({"messages": [{"role": "user", "content": WORDS}]})},
        ],
    )
    def test_is_read_wherever_instrumentations_put_it(self, attributes: dict[str, Any]) -> None:
        assert read_one(attributes).messages == [{"role": "user", "content": WORDS}]

    @pytest.mark.parametrize(
        "attributes",
        [
            event("gen_ai.user.message", content=WORDS),
            event("gen_ai.content.prompt", gen_ai__prompt=WORDS),
            event("gen_ai.client.inference.operation.details", gen_ai__input__messages=json.dumps(CHAT[1:])),
        ],
    )
    def test_is_read_from_events_of_the_span(self, attributes: dict[str, Any]) -> None:
        assert read_one(events=[attributes]).messages == [{"role": "user", "content": WORDS}]

    @pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
    def test_is_read_of_structured_attributes_in_either_encoding(self, encoding: str) -> None:
        attributes = {
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": WORDS}]}],
            "gen_ai.request.temperature": 0.5,
        }

        (found,) = read(span(attributes), encoding=encoding)

        assert isinstance(found, UsageEvent)
        assert (found.messages, found.parameters.temperature) == ([{"role": "user", "content": WORDS}], 0.5)

    def test_holds_no_images_calls_or_reasoning(self) -> None:
        parts = [
            {"type": "blob", "modality": "image", "content": "aGVsbG8="},
            {"type": "tool_call", "name": "weather", "arguments": {"city": "Paris"}},
            {"type": "reasoning", "content": "Let me think."},
            {"type": ["text"], "content": "of no type"},
        ]

        assert read_one({"gen_ai.input.messages": json.dumps([{"role": "user", "parts": parts}])}).messages is None

    @pytest.mark.parametrize(
        "text",
        ['[{"role": "user", "parts": [{"ty', "[" * 100_000, '{"content": ' * 5000],
        ids=["cut", "lists", "objects"],
    )
    def test_counts_as_none_where_it_was_cut_or_nests_too_deeply(self, text: str) -> None:
        assert read_one({"gen_ai.input.messages": text}).messages is None


NAMES = [*NEW_NAMES, *OLD_NAMES, *(f"stillwatch.{name}" for name in ("account", "asn", "tools", "status", "operation"))]


MEMBERS = ["traceId", "spanId", "startTimeUnixNano", "endTimeUnixNano", "attributes", "events", "status"]


VALUES = ["stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "values", "key", "value"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(VALUES), inner, max_size=3),
    max_leaves=8,
)


class TestHostileInput:
    @settings(deadline=None)
    @given(st.dictionaries(st.sampled_from(NAMES), ANYTHING), st.dictionaries(st.sampled_from(MEMBERS), ANYTHING))
    def test_in_json_refuses_no_other_span(self, attributes: dict[str, Any], members: dict[str, Any]) -> None:
        bad = span(attributes=[{"key": name, "value": attributes} for name, attributes in attributes.items()])

        *_, last = read(bad, span(**members), span())

        assert isinstance(last, UsageEvent)

    @settings(deadline=None)
    @given(st.data())
    def test_in_protobuf_is_read_or_refused_as_a_whole(self, data: st.DataObject) -> None:
        body = bytearray(encoded(export(span(NEW_NAMES), span(OLD_NAMES)), PROTOBUF))
        for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=5)):
            body[place] = data.draw(st.integers(0, 255))

        with suppress(UnreadableBatchError):
            list(opentelemetry.events_from_export(bytes(body), protobuf=True, span=accepted_times(NOW)))
