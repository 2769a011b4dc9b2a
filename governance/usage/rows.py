"""From events to the rows that are stored. Pure."""

import hashlib
import uuid
from collections.abc import Sequence
from datetime import UTC
from typing import Any

from governance.usage.fingerprint import Fingerprint
from governance.usage.wire import UsageEvent

USER_AGENT_KEPT = 256

COLUMNS = (
    "key", "day", "occurred_at", "source", "event_id", "account_id", "api_key", "model", "operation", "status",
    "input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens", "latency_ms",
    "ip", "asn", "country", "user_agent", "end_user", "conversation",
    "temperature", "top_p", "n", "max_tokens", "logprobs", "top_logprobs", "seeded", "stream", "response_format",
    "tools", "prompt_digest", "template_digest", "system_digest", "sketch", "markers", "prompt_chars", "turns",
)  # fmt: skip


def event_key(source: str, event_id: str) -> uuid.UUID:
    """The same for the same event of the same source, and practically never for two (128 bits of BLAKE2b)."""
    return uuid.UUID(bytes=hashlib.blake2b(f"{source}\n{event_id}".encode(), digest_size=16).digest())


def row(
    event: UsageEvent, fingerprint: Fingerprint | None, *, source: str, account: int, key: uuid.UUID
) -> Sequence[Any]:
    """The event as a row of `COLUMNS`."""
    client, asked, seen = event.client, event.parameters, fingerprint
    occurred_at = event.occurred_at.astimezone(UTC)
    return (
        key, occurred_at.date(), occurred_at, source, event.id, account, event.api_key, event.model,
        event.operation, event.status,
        event.input_tokens, event.output_tokens, event.cached_input_tokens, event.reasoning_tokens,
        event.latency_ms,
        client.ip or None, client.asn, client.country, client.user_agent and client.user_agent[:USER_AGENT_KEPT],
        event.end_user, event.conversation,
        asked.temperature, asked.top_p, 1 if asked.n is None else asked.n, asked.max_tokens, bool(asked.logprobs),
        asked.top_logprobs or 0, asked.seed is not None, bool(asked.stream), asked.response_format,
        asked.tools or 0,
        seen and seen.prompt_digest, seen and seen.template_digest, seen and seen.system_digest,
        seen and seen.sketch, seen and seen.markers, seen and seen.prompt_chars, seen and seen.turns,
    )  # fmt: skip
