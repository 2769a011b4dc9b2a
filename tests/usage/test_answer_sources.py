"""Answers in what LiteLLM and OpenTelemetry send."""

import json
from typing import Any

import pytest

from governance.usage.actions import accepted_times
from governance.usage.sources import litellm
from governance.usage.sources.response_bodies import extract_answer
from governance.usage.wire import Report, UsageEvent
from tests.factories import NOW
from tests.usage.genai_spans import NEW_NAMES, read_one
from tests.usage.litellm import payload


class TestAnswersInResponses:
    @pytest.mark.parametrize(
        ("response", "answer"),
        [
            ({"choices": [{"message": {"content": "Bom dia"}}]}, "Bom dia"),
            ({"choices": [{"message": {"content": "Bom dia"}}, {"message": {"content": "Olá"}}]}, "Bom dia\nOlá"),
            ({"choices": [{"text": "Bom dia"}]}, "Bom dia"),
            ({"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Bom dia"}]}, "Bom dia"),
            ({"output": [{"type": "reasoning"}, {"content": [{"type": "output_text", "text": "Bom dia"}]}]}, "Bom dia"),
            ({"candidates": [{"content": {"parts": [{"text": "Bom dia"}]}}]}, "Bom dia"),
            ({"output": {"message": {"content": [{"text": "Bom dia"}]}}}, "Bom dia"),
            ("Bom dia", "Bom dia"),
            (json.dumps({"choices": [{"message": {"content": "Bom dia"}}]}), "Bom dia"),
            ('{"choices": [{"message": {"content": "Bom d', None),
            ("{}", None),
            ("", None),
            (None, None),
            (7, None),
            ({"choices": [None, 7, {}, {"message": None}, {"message": {"content": 7}}]}, None),
            ({"choices": "x", "output": None}, None),
            ({"content": "redacted"}, None),
            ("redacted", None),
        ],
    )
    def test_are_read(self, response: Any, answer: str | None) -> None:
        assert extract_answer(response, hidden=["redacted"]) == answer


class TestAnswersFromLiteLlm:
    def read(self, **members: Any) -> UsageEvent:
        (found,) = litellm.events_from_items([payload(**members)], span=accepted_times(NOW))
        assert isinstance(found, Report), found
        return found.event

    def test_are_read(self) -> None:
        assert self.read().output == "bom dia"

    @pytest.mark.parametrize("response", [None, {}, "", 7, [], {"text": "redacted-by-litellm"}, "redacted-by-litellm"])
    def test_may_be_missing_or_hidden(self, response: Any) -> None:
        assert self.read(response=response).output is None

    def test_never_cost_the_event(self) -> None:
        assert self.read(response={"content": "\ud83d\0" * 9}).output_tokens == 1403


class TestAnswersFromSpans:
    @pytest.mark.parametrize(
        ("value", "answer"),
        [
            (json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Bom dia"}]}]), "Bom dia"),
            (
                json.dumps(
                    [
                        {
                            "role": "assistant",
                            "parts": [
                                {"type": "reasoning", "content": "Hm."},
                                {"type": "text", "content": "Bom dia"},
                                {"type": "tool_call", "name": "look_up"},
                            ],
                            "finish_reason": "stop",
                        }
                    ]
                ),
                "Bom dia",
            ),
            ('[{"role": "assistant", "parts": [{"ty', None),
            ("[]", None),
            ("[" * 100_000, None),
        ],
    )
    def test_are_read(self, value: str, answer: str | None) -> None:
        assert read_one(NEW_NAMES | {"gen_ai.output.messages": value}).output == answer

    def test_may_be_missing(self) -> None:
        assert read_one(NEW_NAMES).output is None
