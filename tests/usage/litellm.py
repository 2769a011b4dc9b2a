"""What LiteLLM sends and keeps, cut to what is read of it; made after what a real proxy sent and wrote."""

import itertools
from typing import Any

from tests.factories import NOW

_numbers = itertools.count(1)
BEGAN = NOW.timestamp() - 60
KEY = "a915a5f2cbe0259addb50e9678c5a94c57b15cdb542634d3f4d294f20706ac56"


def payload(
    *, metadata: dict[str, Any] | None = None, model_parameters: dict[str, Any] | None = None, **members: Any
) -> dict[str, Any]:
    """A StandardLoggingPayload."""
    number = next(_numbers)
    usual: dict[str, Any] = {
        "id": f"chatcmpl-{number}",
        "litellm_call_id": f"call-{number}",
        "trace_id": "1db3e49b-5cdf-465e-88e9-2b2def482f41",
        "session_id": "",
        "call_type": "acompletion",
        "status": "success",
        "status_fields": {"llm_api_status": "success", "guardrail_status": "not_run"},
        "startTime": BEGAN + 0.898707,
        "endTime": BEGAN + 9.998707,
        "model": "openai/flagship-2-deployed",
        "model_group": "flagship-2",
        "prompt_tokens": 812,
        "completion_tokens": 1403,
        "end_user": None,
        "messages": [{"role": "user", "content": "Translate: good morning"}],
        "response": {"choices": [{"finish_reason": "stop", "message": {"content": "bom dia"}}]},
        "error_information": {"error_code": "", "error_class": ""},
        "model_parameters": {"stream": False, **(model_parameters or {})},
        "metadata": {
            "user_api_key_hash": KEY,
            "user_api_key_team_id": "team_harbour",
            "user_api_key_user_id": "default_user_id",
            "user_api_key_org_id": "org_quay",
            "requester_ip_address": "203.0.113.9",
            "user_agent": "OpenAI/Python 2.20.0",
            "requester_metadata": {},
            "usage_object": {
                "prompt_tokens_details": {"cached_tokens": 512},
                "completion_tokens_details": {"reasoning_tokens": 900},
            },
            **(metadata or {}),
        },
    }
    return usual | members


def failure(*, metadata: dict[str, Any] | None = None, **error: str) -> dict[str, Any]:
    """The payload of a request that failed: it has no answer whose id it could bear."""
    call = f"call-{next(_numbers)}"
    return payload(
        id=call,
        litellm_call_id=call,
        status="failure",
        prompt_tokens=0,
        completion_tokens=0,
        response={},
        error_information=error,
        metadata=metadata,
    )


def stranger(**changes: Any) -> dict[str, Any]:
    """Metadata of a request of which LiteLLM knows nothing."""
    unknown = dict.fromkeys(
        ("user_api_key_hash", "user_api_key_team_id", "user_api_key_user_id", "user_api_key_org_id")
    )
    return {**unknown, **changes}


def row(**members: Any) -> dict[str, Any]:
    """A row of the spend logs, as /spend/logs/v2 lists it."""
    number = next(_numbers)
    usual = {
        "request_id": f"chatcmpl-{number}",
        "litellm_call_id": f"call-{number}",
        "call_type": "acompletion",
        "api_key": KEY,
        "prompt_tokens": 812,
        "completion_tokens": 1403,
        "startTime": "2026-11-02T09:13:00.899+00:00",
        "endTime": "2026-11-02T09:13:09.999+00:00",
        "model": "openai/flagship-2-deployed",
        "model_group": "flagship-2",
        "user": "default_user_id",
        "team_id": "team_harbour",
        "organization_id": "org_quay",
        "end_user": "",
        "requester_ip_address": "203.0.113.9",
        "session_id": "1db3e49b-5cdf-465e-88e9-2b2def482f41",
        "status": "success",
        "cache_hit": "None",
        "metadata": {"user_api_key": KEY, "user_agent": "OpenAI/Python 2.20.0", "usage_object": {}},
    }
    return usual | members
