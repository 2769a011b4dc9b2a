"""The attributes of OpenTelemetry's GenAI conventions that describe a request. Pure.

The tables say which attributes a member is read from, newest name first, and since when each name has been in the
semantic conventions, or who uses it beside them. The conventions for GenAI began with 1.26, are in development and
rename things; what they rename stays here. Every member can also be given under Stillwatch's own name, which goes
before all others: `stillwatch.organisation`, `stillwatch.asn`, `stillwatch.top_logprobs`.
"""

from collections.abc import Mapping
from typing import Any, Final

from accounts.normalization import is_nothing

Table = Mapping[str, Mapping[str, str]]

OWN: Final = "stillwatch."

MEMBERS: Final[Table] = {
    # No convention names the customer. `user.id` and `enduser.id` often repeat what the request's body says, and so
    # would let anybody put usage on another's account; `service.name` would make one account of everybody.
    "account": {},
    "organisation": {},
    "api_key": {},
    "model": {"gen_ai.request.model": "1.26", "gen_ai.response.model": "1.26"},
    "operation": {"gen_ai.operation.name": "1.27", "llm.request.type": "OpenLLMetry"},
    "input_tokens": {"gen_ai.usage.input_tokens": "1.27", "gen_ai.usage.prompt_tokens": "1.26"},
    "output_tokens": {"gen_ai.usage.output_tokens": "1.27", "gen_ai.usage.completion_tokens": "1.26"},
    "cached_input_tokens": {
        "gen_ai.usage.cache_read.input_tokens": "1.40",
        "gen_ai.usage.cache_read_input_tokens": "OpenLLMetry",
    },
    "reasoning_tokens": {
        "gen_ai.usage.reasoning.output_tokens": "1.41",
        "gen_ai.usage.reasoning_tokens": "OpenLLMetry",
    },
}

# What the customer's own client says of a request. A value that does not fit is left out: it must not keep the
# request from being counted.
CONTEXT: Final[Table] = {
    "end_user": {
        "user.id": "1.27",
        "enduser.id": "before 1.26",
        "gen_ai.user": "OpenLLMetry",
        "llm.user": "OpenLLMetry",
    },
    "conversation": {"gen_ai.conversation.id": "1.34", "session.id": "before 1.26"},
}
PARAMETERS: Final[Table] = {
    "temperature": {"gen_ai.request.temperature": "1.26"},
    "top_p": {"gen_ai.request.top_p": "1.26"},
    "n": {"gen_ai.request.choice.count": "1.31", "gen_ai.request.n": "vLLM"},
    "max_tokens": {"gen_ai.request.max_tokens": "1.26"},
    "logprobs": {},
    "top_logprobs": {},
    "seed": {"gen_ai.request.seed": "1.30", "gen_ai.openai.request.seed": "1.28"},
    "stream": {
        "gen_ai.request.stream": "1.41",
        "gen_ai.is_streaming": "OpenLLMetry",
        "llm.is_streaming": "OpenLLMetry",
    },
    "response_format": {"gen_ai.output.type": "1.31", "gen_ai.openai.request.response_format": "1.28"},
    "tools": {},
}
CLIENT: Final[Table] = {
    "ip": {"client.address": "before 1.26", "http.client_ip": "before 1.26"},
    "asn": {},
    "country": {"geo.country.iso_code": "1.29"},
    "user_agent": {"user_agent.original": "before 1.26", "http.user_agent": "before 1.26"},
}

# What tells a request from other spans, and how it ended.
SIGNS: Final[Table] = {
    "provider": {"gen_ai.provider.name": "1.37", "gen_ai.system": "1.26"},
    "status": {},
    "http_status": {"http.response.status_code": "before 1.26", "http.status_code": "before 1.26"},
    "error": {"error.type": "before 1.26"},
    "finish_reasons": {
        "gen_ai.response.finish_reasons": "1.26",
        "gen_ai.response.finish_reason": "OpenLLMetry",
        "llm.response.finish_reason": "OpenLLMetry",
    },
}
COUNTS: Final = ("input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens")
OLDEST_NAME_FIRST: Final = {
    name: member
    for table in (MEMBERS, CONTEXT, PARAMETERS, CLIENT, SIGNS)
    for member, names in table.items()
    for name in reversed((OWN + member, *names))
}


def read_members(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What attributes say, by the members of the tables: each from the first of its names that says something."""
    return {
        member: attributes[name]
        for name, member in OLDEST_NAME_FIRST.items()
        if name in attributes and not is_nothing(attributes[name])
    }


def members_of(table: Table, members: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the members that are in a table."""
    return {member: members[member] for member in table if member in members}
