"""How spans are read: pure, without HTTP and database."""

from typing import Any

import pytest

from governance.usage.actions import accepted_times
from governance.usage.sources import genai_requests, opentelemetry
from governance.usage.wire import Client, Parameters, UsageEvent
from tests.factories import NOW
from tests.usage.genai_spans import CHAT, NEW_NAMES, OLD_NAMES, read, read_one
from tests.usage.spans import JSON, PROTOBUF, TRACE_ID, another_span, encoded, export, span


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
