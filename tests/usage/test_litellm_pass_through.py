"""Requests that LiteLLM passed on as they came: the question stands inside, as JSON text."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from governance.usage.models import UsageEvent
from tests.factories import NOW, service_key
from tests.usage.litellm import payload

pytestmark = pytest.mark.django_db

SYSTEM, QUESTION = "Answer as a patient tutor.", "Explain why the tides come twice a day"
USER = {"role": "user", "content": QUESTION}
BODIES: dict[str, dict[str, Any]] = {
    "Anthropic": {"system": SYSTEM, "messages": [USER]},
    "Anthropic, in blocks": {
        "system": [{"type": "text", "text": SYSTEM}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
    },
    "OpenAI chat": {"messages": [{"role": "system", "content": SYSTEM}, USER]},
    "OpenAI responses": {"instructions": SYSTEM, "input": QUESTION},
    "OpenAI responses, as items": {
        "instructions": SYSTEM,
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": QUESTION}]}],
    },
    "Gemini": {
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
    },
    "Gemini, as Python writes it": {
        "system_instruction": {"parts": {"text": SYSTEM}}, "contents": {"parts": {"text": QUESTION}},
    },
    "Gemini, inside": {
        "request": {"systemInstruction": {"parts": [{"text": SYSTEM}]}, "contents": [{"parts": [{"text": QUESTION}]}]}
    },
    "Bedrock": {"system": [{"text": SYSTEM}], "messages": [{"role": "user", "content": [{"text": QUESTION}]}]},
    "Cohere": {"preamble": SYSTEM, "message": QUESTION},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _at_the_time_of_the_payloads() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def stored(client: Client, **members: Any) -> dict[str, Any]:
    _, key = service_key("usage:write")
    sent = payload(**members)
    body = json.dumps([sent])
    response = client.post("/api/v1/sources/litellm", body, content_type="application/json", **key)
    assert response.json()["rejections"] == []
    return dict(UsageEvent.objects.values().get(event_id=sent["id"]))


def passed_through(client: Client, text: str, **members: Any) -> dict[str, Any]:
    asked = [{"role": "user", "content": text}]
    return stored(client, messages=asked, call_type="pass_through_endpoint", model_group=None, **members)


DIGESTS = ("prompt_digest", "system_digest", "template_digest", "sketch", "prompt_chars", "turns")


class TestTheQuestion:
    @pytest.mark.parametrize("shape", BODIES)
    @pytest.mark.parametrize("call_type", ["pass_through_endpoint", "allm_passthrough_route"])
    def test_is_the_same_as_if_it_had_come_directly(self, client: Client, shape: str, call_type: str) -> None:
        direct = stored(client, messages=[{"role": "system", "content": SYSTEM}, USER])

        body = json.dumps({"model": "tutor-1", "max_tokens": 1024, **BODIES[shape]})
        through = stored(client, messages=[{"role": "user", "content": body}], call_type=call_type)

        assert [through[name] for name in DIGESTS] == [direct[name] for name in DIGESTS]
        assert (through["operation"], through["max_tokens"]) == ("chat", 1024)

    @pytest.mark.parametrize(
        "write",
        [
            lambda body: "\ufeff" + json.dumps(body),
            lambda body: json.dumps(json.dumps(body)),
            lambda body: json.dumps({"requests": [{"custom_id": "1", "params": body}]}),
            lambda body: json.dumps({"generateContentRequest": body}),
        ],
        ids=["with a byte order mark", "encoded twice", "a batch of Anthropic's", "counted by Gemini"],
    )
    def test_is_the_same_however_its_body_is_wrapped(self, client: Client, write: Callable[[Any], str]) -> None:
        direct = stored(client, messages=[{"role": "system", "content": SYSTEM}, USER])

        through = passed_through(client, write(BODIES["Anthropic"]))

        assert [through[name] for name in DIGESTS] == [direct[name] for name in DIGESTS]

    def test_has_its_earlier_turns(self, client: Client) -> None:
        turns = [
            USER,
            {"role": "model", "parts": [{"text": "The moon."}]},
            {"role": "user", "parts": [{"text": "Why?"}]},
        ]

        assert passed_through(client, json.dumps({"contents": turns}))["turns"] == 2

    @pytest.mark.parametrize("text", ['{"messages": [{"role": "user", "con', "[" * 5_000, '{"file": "x.pdf"}'])
    def test_is_none_where_the_body_was_cut_or_asks_nothing(self, client: Client, text: str) -> None:
        assert passed_through(client, text)["prompt_digest"] is None

    def test_that_is_json_itself_is_not_taken_apart_where_nothing_was_passed_through(self, client: Client) -> None:
        body = json.dumps(BODIES["OpenAI chat"])

        assert stored(client, messages=[{"role": "user", "content": body}])["system_digest"] is None

    def test_counts_where_its_stream_was_not_counted(self, client: Client) -> None:
        body = json.dumps(BODIES["Anthropic"] | {"stream": True})

        event = passed_through(client, body, prompt_tokens=0, completion_tokens=0)

        assert (event["input_tokens"], event["output_tokens"], event["stream"]) == (None, None, True)


class TestADirectCall:
    @pytest.mark.parametrize("name", ["instructions", "system", "systemInstruction"])
    def test_has_the_system_prompt_that_stands_beside_its_messages(self, client: Client, name: str) -> None:
        value = {"parts": [{"text": SYSTEM}]} if name == "systemInstruction" else SYSTEM

        event = stored(
            client, messages=[{"role": "user", "parts": [{"text": QUESTION}]}], model_parameters={name: value}
        )

        direct = stored(client, messages=[{"role": "system", "content": SYSTEM}, USER])
        assert [event[digest] for digest in DIGESTS] == [direct[digest] for digest in DIGESTS]
