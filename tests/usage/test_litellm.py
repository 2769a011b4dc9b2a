import json
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Account, ApiKey
from governance.usage.models import UsageEvent
from tests.factories import NOW, service_key
from tests.usage.litellm import KEY, failure, payload, stranger

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_payloads() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def send(client: Client, body: bytes, *, scope: str = "usage:write", **headers: Any) -> Any:
    _, known = service_key(scope)
    return client.post("/api/v1/sources/litellm", body, content_type="application/json", **known, **headers)


def stored(client: Client, *payloads: Any) -> UsageEvent:
    """The one event that comes of these."""
    response = send(client, json.dumps(payloads).encode())
    assert response.status_code == 202, response.content
    assert response.json()["rejections"] == []
    return UsageEvent.objects.get()


def reason(client: Client, sent: Any) -> str:
    """Why a payload was rejected."""
    (rejection,) = send(client, json.dumps([sent]).encode()).json()["rejections"]
    return str(rejection["reason"])


class TestABatch:
    @pytest.mark.parametrize(
        "body",
        [
            json.dumps([payload(id="one"), payload(id="two")]),
            json.dumps([payload(id="one"), payload(id="two")], indent=2),
            "\n".join(json.dumps(payload(id=name)) for name in ("one", "two")),
            f"\n{json.dumps(payload(id='one'))}\r\n\n{json.dumps(payload(id='two'))}\n",
        ],
        ids=["json_array", "indented", "ndjson", "with empty lines"],
    )
    def test_is_taken_in_every_format(self, client: Client, body: str) -> None:
        response = send(client, body.encode())

        assert response.status_code == 202
        assert response.json() == {"accepted": 2, "duplicate": 0, "rejected": 0, "rejections": []}

    def test_is_taken_as_a_single_payload(self, client: Client) -> None:
        assert send(client, json.dumps(payload()).encode()).json()["accepted"] == 1

    def test_adds_nothing_when_it_comes_again(self, client: Client) -> None:
        body = json.dumps([payload(), failure()]).encode()
        send(client, body)

        response = send(client, body)

        assert (response.json()["accepted"], response.json()["duplicate"]) == (0, 2)

    def test_loses_only_what_is_wrong_in_it(self, client: Client) -> None:
        response = send(client, json.dumps([payload(), None, payload(startTime="yesterday"), payload()]).encode())

        assert response.json()["accepted"] == 2
        assert [rejection["line"] for rejection in response.json()["rejections"]] == [2, 3]

    def test_needs_a_service_key_with_its_scope(self, client: Client) -> None:
        body = json.dumps([payload()]).encode()

        assert client.post("/api/v1/sources/litellm", body, content_type="application/json").status_code == 401
        assert send(client, body, scope="access:read").status_code == 403

    def test_of_too_many_is_refused(self, client: Client) -> None:
        assert send(client, b"[" + b",".join([b"{}"] * 10_001) + b"]").status_code == 413


class TestAPayload:
    def test_becomes_an_event(self, client: Client) -> None:
        event = stored(client, payload(id="chatcmpl-8"))

        assert (event.event_id, event.source, event.model, event.operation) == (
            "chatcmpl-8", "litellm", "flagship-2", "chat",
        )  # fmt: skip
        assert (event.input_tokens, event.output_tokens) == (812, 1403)
        assert (event.cached_input_tokens, event.reasoning_tokens) == (512, 900)
        assert (event.occurred_at.isoformat(), event.latency_ms) == ("2026-11-02T09:13:00.898707+00:00", 9100)
        assert (event.ip, event.user_agent) == ("203.0.113.9", "OpenAI/Python 2.20.0")
        assert event.status == "ok"

    def test_says_how_the_model_was_asked_to_answer(self, client: Client) -> None:
        asked = {
            "temperature": 0.7, "top_p": 0.9, "n": 2, "max_completion_tokens": 50, "logprobs": True, "top_logprobs": 3,
            "seed": 4, "stream": True, "response_format": {"type": "json_schema"}, "tools": [{}, {}],
        }  # fmt: skip

        event = stored(client, payload(model_parameters=asked))

        assert (event.temperature, event.top_p, event.n, event.max_tokens) == (0.7, 0.9, 2, 50)
        assert (event.logprobs, event.top_logprobs, event.seeded, event.stream) == (True, 3, True, True)
        assert (event.response_format, event.tools) == ("json_schema", 2)

    def test_says_it_in_the_words_of_other_endpoints(self, client: Client) -> None:
        asked = {"max_output_tokens": 30, "text": {"format": {"type": "json_object"}}, "logprobs": 5}

        event = stored(client, payload(model_parameters=asked))

        assert (event.max_tokens, event.response_format) == (30, "json_object")
        assert (event.logprobs, event.top_logprobs) == (True, 5)

    def test_is_fingerprinted_and_keeps_no_word(self, client: Client) -> None:
        stored(client, payload(messages=[{"role": "user", "content": "Tell me about the quokka"}]))

        event = UsageEvent.objects.values().get()
        assert event["prompt_digest"] is not None
        assert "quokka" not in str(event)

    def test_has_a_system_prompt_where_instructions_stand_beside_the_messages(self, client: Client) -> None:
        event = stored(client, payload(model_parameters={"instructions": "Be kind"}))

        assert event.system_digest is not None

    @pytest.mark.parametrize("hidden", ["redacted-by-litellm", [{"role": "user", "content": "redacted-by-litellm"}]])
    def test_whose_text_is_hidden_has_no_fingerprint(self, client: Client, hidden: Any) -> None:
        assert stored(client, payload(messages=hidden)).prompt_digest is None

    @pytest.mark.parametrize(
        ("named", "conversation"),
        [
            ({"session_id": "0b54a0eb-ca8c-4cb7-b1c1-f9b1e0000000"}, "0b54a0eb-ca8c-4cb7-b1c1-f9b1e0000000"),
            ({"metadata": {"requester_metadata": {"session_id": "chat_4"}}}, "chat_4"),
            ({"trace_id": "chat_4"}, "chat_4"),
            ({"trace_id": "6d818588-c241-4562-bb84-3c05fe779033"}, None),
            ({"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}, None),
        ],
        ids=["a session", "the request's metadata", "a trace that was named", "LiteLLM's own trace", "OpenTelemetry's"],
    )
    def test_belongs_to_the_conversation_that_the_customer_named(
        self, client: Client, named: dict[str, Any], conversation: str | None
    ) -> None:
        assert stored(client, payload(**named)).conversation == conversation

    @pytest.mark.parametrize("call_type", ["alist_input_items", "acreate_file", "", None, ["acompletion"]])
    def test_that_is_no_request_to_a_model_is_passed_over(self, client: Client, call_type: Any) -> None:
        sent = payload(call_type=call_type, prompt_tokens=0, completion_tokens=0)

        assert send(client, json.dumps([sent]).encode()).json()["accepted"] == 0
        assert not UsageEvent.objects.exists()

    def test_of_an_unknown_kind_counts_where_it_used_tokens(self, client: Client) -> None:
        assert stored(client, payload(call_type="athink_aloud")).operation == "athink_aloud"

    def test_that_failed_names_no_model_that_the_customer_made_up(self, client: Client) -> None:
        made_up = failure(error_code="400") | {"model_group": "", "model": "one of a million"}

        assert stored(client, made_up).model == "unknown-model"


class TestTheStatus:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            ({"error_code": "500", "error_class": "InternalServerError"}, "error"),
            ({"error_code": "429", "error_class": "RateLimitError"}, "rate_limited"),
            ({"error_code": "400", "error_rate_limit_category": "litellm_rate_limit"}, "rate_limited"),
            ({"error_code": "400", "error_class": "ContentPolicyViolationError"}, "refused"),
            ({"error_code": "400", "error_class": "GuardrailRaisedException"}, "refused"),
            ({}, "error"),
        ],
    )
    def test_says_how_a_request_failed(self, client: Client, error: dict[str, Any], status: str) -> None:
        assert stored(client, failure(**error)).status == status

    @pytest.mark.parametrize(
        "response",
        [
            {"choices": [{"finish_reason": "stop"}, {"finish_reason": "content_filter"}]},
            {"stop_reason": "refusal"},
            {"incomplete_details": {"reason": "content_filter"}},
            {"choices": [{"finish_reason": "CONTENT_FILTER"}]},
            {"choices": [{"finish_reason": "FinishReason.SAFETY"}]},
            {"stop_reason": "Refusal"},
            {"stopReason": "guardrail_intervened"},
            {"candidates": [{"finishReason": "PROHIBITED_CONTENT"}]},
            {"promptFeedback": {"blockReason": "SAFETY"}},
        ],
        ids=str,
    )
    def test_is_refused_where_the_answer_was_cut_for_its_content(self, client: Client, response: Any) -> None:
        assert stored(client, payload(response=response)).status == "refused"


class TestTheAccount:
    def test_is_the_team_in_its_organisation(self, client: Client) -> None:
        event = stored(client, payload())

        assert event.account.external_id == "team_harbour"
        assert event.account.organisation is not None
        assert event.account.organisation.external_id == "org_quay"
        assert ApiKey.objects.get().external_id == event.api_key == KEY

    @pytest.mark.parametrize(
        ("known", "account"),
        [
            ({"user_api_key_user_id": "user_quill", "user_api_key_hash": KEY}, "user_quill"),
            ({"user_api_key_user_id": "default_user_id", "user_api_key_hash": KEY}, KEY),
            ({"user_api_key_team_id": "litellm-dashboard", "user_api_key_user_id": "user_quill"}, "user_quill"),
        ],
        ids=["the user without a team", "the key without either", "the user at the dashboard"],
    )
    def test_is_otherwise(self, client: Client, known: dict[str, str], account: str) -> None:
        assert stored(client, payload(metadata=stranger(**known))).account.external_id == account

    def test_is_nothing_that_the_customer_says(self, client: Client) -> None:
        said = {"requester_metadata": {"user_api_key_team_id": "team_victim", "user_api_key_hash": "key_victim"}}

        stored(client, payload(metadata=said, end_user="team_victim"))

        assert list(Account.objects.values_list("external_id", flat=True)) == ["team_harbour"]

    def test_is_needed(self, client: Client) -> None:
        assert reason(client, payload(metadata=stranger())).startswith("no account")

    def test_is_not_made_of_a_wrong_key(self, client: Client) -> None:
        turned_away = stranger(user_api_key_hash="digest of a guess", requester_ip_address=None, user_agent=None)

        assert reason(client, failure(error_code="401", metadata=turned_away)).startswith("no account")
        assert not Account.objects.exists()

    def test_is_the_key_of_a_request_that_failed_later(self, client: Client) -> None:
        event = stored(client, failure(error_code="500", metadata=stranger(user_api_key_hash=KEY)))

        assert event.account.external_id == KEY

    def test_is_not_a_token_signed_for_an_hour(self, client: Client) -> None:
        signed = stranger(user_api_key_hash=f"hashed-jwt-{KEY}")

        assert reason(client, payload(metadata=signed)).startswith("no account")

    @pytest.mark.parametrize("name", ["litellm-internal-health-check", "litellm_proxy_master_key"])
    def test_is_none_where_litellm_asks_for_itself(self, client: Client, name: str) -> None:
        own = stranger(user_api_key_user_id="default_user_id", user_api_key_hash=name)

        response = send(client, json.dumps([payload(metadata=own)]).encode())

        assert response.json() == {"accepted": 0, "duplicate": 0, "rejected": 0, "rejections": []}


class TestTheId:
    def test_is_the_answers(self, client: Client) -> None:
        assert stored(client, payload(id="chatcmpl-8", litellm_call_id="call-8")).event_id == "chatcmpl-8"

    def test_that_is_too_long_is_digested(self, client: Client) -> None:
        send(client, json.dumps([payload(id="resp_" + "A" * 400), payload(id="resp_" + "B" * 400)]).encode())

        assert UsageEvent.objects.count() == 2

    def test_chosen_by_the_customer_does_not_make_one_of_two_requests(self, client: Client) -> None:
        first = payload(id="mine", litellm_call_id="mine", call_type="aembedding")

        send(client, json.dumps([first, first | {"startTime": first["startTime"] + 1}]).encode())

        assert UsageEvent.objects.count() == 2
