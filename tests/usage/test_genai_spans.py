"""How spans are read: pure, without HTTP and database."""

import json
import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.usage.actions import accepted_times
from governance.usage.sources import genai_requests, opentelemetry
from governance.usage.wire import Client, Parameters, Rejection, UnreadableBatchError, UsageEvent
from tests.factories import NOW
from tests.usage.spans import JSON, PROTOBUF, TRACE_ID, another_span, encoded, event, export, span

WORDS = "Explain quokkas."
CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": WORDS}]
NEW_NAMES = {
    "gen_ai.operation.name": "text_completion",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "flagship-2",
    "gen_ai.usage.input_tokens": 812,
    "gen_ai.usage.output_tokens": 1403,
    "gen_ai.usage.cache_read.input_tokens": 64,
    "gen_ai.usage.reasoning.output_tokens": 200,
    "gen_ai.request.choice.count": 2,
    "gen_ai.request.seed": 7,
    "gen_ai.request.stream": True,
    "gen_ai.output.type": "text",
    "gen_ai.conversation.id": "c_4",
    "user.id": "u_9",
    "client.address": "203.0.113.9",
    "user_agent.original": "OpenAI/Python 2.20.0",
    "http.response.status_code": 200,
    "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "Be brief."}]),
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": WORDS}]}]),
}
OLD_NAMES = {
    "llm.request.type": "completion",
    "gen_ai.system": "openai",
    "gen_ai.response.model": "flagship-2",
    "gen_ai.usage.prompt_tokens": 812,
    "gen_ai.usage.completion_tokens": 1403,
    "gen_ai.usage.cache_read_input_tokens": 64,
    "gen_ai.usage.reasoning_tokens": 200,
    "gen_ai.request.n": 2,
    "gen_ai.openai.request.seed": 7,
    "llm.is_streaming": True,
    "gen_ai.openai.request.response_format": "text",
    "session.id": "c_4",
    "enduser.id": "u_9",
    "http.client_ip": "203.0.113.9",
    "http.user_agent": "OpenAI/Python 2.20.0",
    "http.status_code": 200,
    "gen_ai.prompt": json.dumps(CHAT),
}


def read(*spans: Any, encoding: str = JSON, **resource: Any) -> list[UsageEvent | Rejection]:
    body = encoded(
        export(*spans, resource={f"stillwatch.{name}": attributes for name, attributes in resource.items()}), encoding
    )
    return list(opentelemetry.events_from_export(body, protobuf=encoding == PROTOBUF, span=accepted_times(NOW)))


def read_one(*args: Any, **members: Any) -> UsageEvent:
    (found,) = read(span(*args, **members))
    assert isinstance(found, UsageEvent), found
    return found


class TestARequestToAModel:
    @pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
    @pytest.mark.parametrize("names", [NEW_NAMES, OLD_NAMES], ids=["new names", "old names"])
    def test_becomes_the_same_event_in_either_encoding_under_new_names_and_old(
        self, encoding: str, names: dict[str, Any]
    ) -> None:
        one = another_span({"stillwatch.api_key": "key_5521", **names}) | {"spanId": "eee19b7ec3c1b174"}

        found = read(one, encoding=encoding, account="acct_harbour", organisation="org_quay")

        assert found == [
            UsageEvent(
                id=f"{TRACE_ID}-eee19b7ec3c1b174",
                occurred_at=NOW,
                account="acct_harbour",
                organisation="org_quay",
                api_key="key_5521",
                model="flagship-2",
                operation="text_completion",
                input_tokens=812,
                output_tokens=1403,
                cached_input_tokens=64,
                reasoning_tokens=200,
                latency_ms=9120,
                client=Client(ip="203.0.113.9", user_agent="OpenAI/Python 2.20.0"),
                end_user="u_9",
                conversation="c_4",
                parameters=Parameters(n=2, seed=7, stream=True, response_format="text"),
                messages=CHAT,
            )
        ]

    def test_is_read_under_a_new_name_before_an_old_one_and_under_our_own_before_both(self) -> None:
        tokens = {"gen_ai.usage.prompt_tokens": 1, "gen_ai.usage.input_tokens": 2}

        assert read_one(tokens).input_tokens == 2
        assert read_one(tokens | {"stillwatch.input_tokens": 3}).input_tokens == 3

    def test_belongs_to_the_account_of_its_span_rather_than_of_its_resource(self) -> None:
        (found,) = read(span({"stillwatch.account": "acct_quill"}), account="acct_harbour")

        assert isinstance(found, UsageEvent)
        assert found.account == "acct_quill"

    def test_has_counts_from_languages_that_know_one_kind_of_number(self) -> None:
        assert read_one({"gen_ai.usage.input_tokens": 812.0}).input_tokens == 812

    @pytest.mark.parametrize(
        ("attributes", "status"),
        [
            ({}, "ok"),
            ({"gen_ai.response.finish_reasons": ["stop"]}, "ok"),
            ({"gen_ai.response.finish_reasons": ["stop", "content_filter"]}, "refused"),
            ({"gen_ai.response.finish_reasons": ["SAFETY"]}, "refused"),
            ({"llm.response.finish_reason": "refusal"}, "refused"),
            ({"gen_ai.response.finish_reasons": '["content_filter"]'}, "refused"),
            ({"gen_ai.response.finish_reasons": '["stop", "content_filter"]'}, "refused"),
            ({"gen_ai.response.finish_reasons": "stop,content_filter"}, "refused"),
            ({"gen_ai.response.finish_reasons": ["RECITATION"]}, "refused"),
            ({"gen_ai.response.finish_reasons": "FinishReason.SPII"}, "refused"),
            ({"gen_ai.response.finish_reasons": "content filter"}, "refused"),
            ({"gen_ai.response.finish_reasons": [["content_filter"]]}, "refused"),
            ({"gen_ai.response.finish_reasons": "stop; content-filter"}, "refused"),
            ({"gen_ai.response.finish_reasons": "['content_filter']"}, "refused"),
            ({"gen_ai.response.finish_reasons": ["FinishReason.SAFETY"]}, "refused"),
            ({"gen_ai.response.finish_reasons": ['["content_filter"]']}, "refused"),
            ({"gen_ai.response.finish_reasons": "contentFilter"}, "refused"),
            ({"gen_ai.response.finish_reasons": '["stop"]'}, "ok"),
            ({"gen_ai.response.finish_reasons": "unsafety"}, "ok"),
            ({"http.response.status_code": "429"}, "rate_limited"),
            ({"http.response.status_code": 429}, "rate_limited"),
            ({"error.type": "openai.RateLimitError"}, "rate_limited"),
            ({"error.type": "timeout"}, "error"),
            ({"http.status_code": 500}, "error"),
            ({"error.type": "timeout", "stillwatch.status": "refused"}, "refused"),
        ],
    )
    def test_ended_as_its_attributes_tell(self, attributes: dict[str, Any], status: str) -> None:
        assert read_one(attributes).status == status

    @pytest.mark.parametrize(
        ("litellms", "operation"),
        [
            ("acompletion", "chat"),
            ("completion", "text_completion"),
            ("aresponses", "chat"),
            ("anthropic_messages", "chat"),
            ("atext_completion", "text_completion"),
            ("aembedding", "embeddings"),
            ("agenerate_content", "generate_content"),
        ],
    )
    @pytest.mark.parametrize("name", ["gen_ai.operation.name", "llm.request.type"])
    def test_does_what_litellm_calls_otherwise(self, name: str, litellms: str, operation: str) -> None:
        assert read_one({"gen_ai.operation.name": None, name: litellms}).operation == operation

    def test_may_say_everything_as_text(self) -> None:
        as_text = {
            "llm.is_streaming": "True", "gen_ai.request.temperature": "0.5", "gen_ai.request.max_tokens": "64",
            "gen_ai.usage.input_tokens": "812", "gen_ai.request.seed": "", "user.id": "",
        }  # fmt: skip

        found = read_one(as_text)

        assert found.parameters == Parameters(stream=True, temperature=0.5, max_tokens=64)
        assert (found.input_tokens, found.end_user) == (812, None)

    def test_for_embeddings_may_have_an_empty_count_of_output(self) -> None:
        found = read_one({"gen_ai.operation.name": "aembedding", "gen_ai.usage.output_tokens": ""})

        assert (found.input_tokens, found.output_tokens) == (812, 0)

    @pytest.mark.parametrize("ended", [{}, {"status": {"code": 2}}], ids=["well", "failed"])
    @pytest.mark.parametrize("tokens", [True, False], ids=["counted", "not counted"])
    @pytest.mark.parametrize(
        "call",
        [
            {"rpc.service": "Bedrock Runtime", "rpc.method": "Converse", "aws.region": "eu-west-1"},
            {"rpc.service": "BedrockRuntime", "rpc.method": "InvokeModelWithResponseStream"},
            {"rpc.service": "Bedrock Runtime"},
            {"rpc.method": "BedrockRuntime/ConverseStream"},
            {"rpc.service": "Bedrock Runtime", "rpc.method": "Converse", "gen_ai.operation.name": None},
            {"rpc.service": "SageMaker Runtime", "rpc.method": "InvokeEndpoint"},
        ],
        ids=str,
    )
    def test_to_amazon_is_the_span_of_its_rpc(self, call: dict[str, Any], *, tokens: bool, ended: Any) -> None:
        uncounted = {} if tokens else {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}
        bedrock = {"rpc.system": "aws-api", "gen_ai.provider.name": "aws.bedrock", "http.status_code": 200}

        found = read_one(bedrock | uncounted | call, kind=3, **ended)

        assert found.operation == "chat"
        assert found.input_tokens == (812 if tokens else 0 if ended else None)

    @pytest.mark.parametrize(
        "beside",
        [
            {"http.request.method": "POST", "url.full": "https://api.example.com/v1/chat/completions"},
            {"http.method": "POST", "http.route": "/v1/chat/completions"},
            {"messaging.system": "kafka", "messaging.operation.type": "process"},
            {"rpc.system": "grpc", "rpc.service": "Inference"},
            {"faas.trigger": "http"},
            {"graphql.operation.name": "ask"},
        ],
        ids=str,
    )
    def test_may_count_its_tokens_on_a_span_that_is_something_else_as_well(self, beside: dict[str, Any]) -> None:
        assert read_one(beside).input_tokens == 812

    def test_may_come_from_a_program_that_is_a_function(self) -> None:
        whole = export(span(), resource={"faas.name": "ask", "db.name": "usage", "http.route": "/"})

        for encoding in (JSON, PROTOBUF):
            body = encoded(whole, encoding)
            (found,) = opentelemetry.events_from_export(body, protobuf=encoding == PROTOBUF, span=accepted_times(NOW))
            assert isinstance(found, UsageEvent)

    @pytest.mark.parametrize(
        "attributes",
        [
            {},
            {"gen_ai.request.temperature": 0.5, "server.address": "api.example.com"},
            {"gen_ai.response.finish_reasons": ["stop"], "app.tier": "gold"},
            {"http.response.status_code": 200},
        ],
        ids=str,
    )
    def test_may_name_neither_operation_nor_tokens(self, attributes: dict[str, Any]) -> None:
        named = {"gen_ai.system": "openai", "gen_ai.request.model": "flagship-2", "stillwatch.account": "acct_harbour"}

        (found,) = read(another_span(named | attributes))

        assert isinstance(found, UsageEvent)
        assert found.input_tokens is None

    @pytest.mark.parametrize("model", ["m" * 300, "\u0130" * 100, "flag\0ship" * 30, "M" * 127 + " x"], ids=ascii)
    def test_may_ask_for_a_model_with_any_name(self, model: str) -> None:
        assert 0 < len(read_one({"gen_ai.request.model": model}).model) <= 128

    def test_ended_in_an_error_where_its_span_did(self) -> None:
        assert read_one(status={"code": 2}).status == "error"

    def test_needs_no_tokens_where_it_failed(self) -> None:
        none = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None}

        found = read_one(none, status={"code": 2})

        assert (found.input_tokens, found.output_tokens) == (0, 0)

    def test_needs_no_output_tokens_where_it_asked_for_embeddings(self) -> None:
        found = read_one({"gen_ai.operation.name": "embeddings", "gen_ai.usage.output_tokens": None})

        assert found.output_tokens == 0

    @pytest.mark.parametrize(
        "amiss",
        [
            {"gen_ai.request.temperature": float("nan")},
            {"gen_ai.request.top_p": "high"},
            {"gen_ai.request.max_tokens": 2**70},
            {"client.address": "gateway.example.com"},
            {"client.address": "fe80::1%eth0"},
            {"geo.country.iso_code": "Netherlands"},
            {"user_agent.original": "a\0b"},
            {"user.id": "u" * 300},
            {"gen_ai.conversation.id": ["c_4"]},
        ],
        ids=str,
    )
    def test_counts_without_what_its_sender_gave_amiss(self, amiss: dict[str, Any]) -> None:
        found = read_one(amiss)

        assert (found.client, found.parameters) == (Client(), Parameters())
        assert (found.end_user, found.conversation) == (None, None)


class TestAnotherSpan:
    @pytest.mark.parametrize("operation", sorted(genai_requests.NO_REQUESTS))
    def test_is_no_event_although_it_names_a_model_and_counts_the_tokens_inside_it(self, operation: str) -> None:
        assert read(span({"gen_ai.operation.name": operation})) == []

    @pytest.mark.parametrize(
        "around",
        [
            {"http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": 200},
            {"http.method": "POST", "http.target": "/v1/chat/completions", "http.status_code": 500},
            {"http.request.method": "POST", "url.full": "https://api.example.com/", "gen_ai.provider.name": "openai"},
            {"db.system": "redis", "db.operation.name": "GET"},
            {"db.system.name": "postgresql", "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
            {"http.route": "/v1/chat/completions", "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
            {"http.host": "api.example.com", "gen_ai.provider.name": "openai"},
            {"http.scheme": "https", "gen_ai.provider.name": "openai"},
            {"peer.service": "redis", "gen_ai.provider.name": "openai"},
            {"sql.query": "SELECT 1", "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
            {"aws.s3.bucket": "prompts", "gen_ai.provider.name": "openai"},
            {"mcp.method.name": "tools/call", "gen_ai.provider.name": "openai"},
            {"messaging.system": "kafka", "messaging.operation.type": "publish"},
            {"rpc.system": "grpc", "rpc.service": "Guardrails"},
            {
                "rpc.system": "grpc",
                "rpc.service": "Guard",
                "gen_ai.provider.name": "openai",
                "gen_ai.operation.name": "chat",
            },
            {"rpc.system": "aws-api", "rpc.service": "S3", "rpc.method": "PutObject", "gen_ai.provider.name": "openai"},
            {
                "rpc.system": "aws-api",
                "rpc.service": "Bedrock Runtime",
                "rpc.method": "ApplyGuardrail",
                "gen_ai.provider.name": "aws.bedrock",
                "gen_ai.operation.name": "chat",
            },
            {"messaging.system": "kafka", "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
            {"faas.trigger": "http", "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
            {"cache.system": "redis", "gen_ai.provider.name": "openai"},
            {"cache.system": "redis", "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat"},
            {"server.address": "guard.example.com", "server.port": 443, "gen_ai.provider.name": "openai"},
            {"code.function.name": "look_up", "gen_ai.provider.name": "openai"},
            {},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("ended", [{}, {"status": {"code": 2}}], ids=["well", "failed"])
    def test_around_or_beside_a_request_is_no_event_although_it_names_its_model(
        self, around: dict[str, Any], ended: dict[str, Any]
    ) -> None:
        attributes = {"stillwatch.account": "acct_harbour", "gen_ai.request.model": "flagship-2", **around}

        found = read(another_span(attributes) | ended, span(**ended), another_span(attributes) | ended)

        assert [type(one) for one in found] == [UsageEvent]

    @pytest.mark.parametrize("kind", [2, "SPAN_KIND_SERVER"])
    def test_of_a_server_of_http_is_no_event_although_it_names_the_operation(self, kind: Any) -> None:
        around = {"gen_ai.usage.input_tokens": None, "gen_ai.usage.output_tokens": None, "http.request.method": "POST"}

        assert read(span(around, kind=kind)) == []
        assert len(read(span(around, kind=3))) == 1

    @pytest.mark.parametrize("operation", ["aget_responses", "alist_input_items", "adelete_responses"])
    def test_that_reads_an_answer_is_no_event(self, operation: str) -> None:
        assert read(span({"gen_ai.operation.name": operation})) == []

    def test_is_no_event_where_nothing_speaks_of_a_model(self) -> None:
        assert read(another_span({"http.request.method": "GET", "stillwatch.account": "acct_harbour"})) == []


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
