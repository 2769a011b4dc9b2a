"""Reading spans of GenAI requests as usage events."""

import json
from typing import Any

from governance.usage.actions import accepted_times
from governance.usage.sources import opentelemetry
from governance.usage.wire import Rejection, UsageEvent
from tests.factories import NOW
from tests.usage.spans import JSON, PROTOBUF, encoded, export, span

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
