"""Messages such as Stillwatch sends, and their signatures."""

import hashlib
import json
from pathlib import Path
from typing import Any

from stillwatch_gateway.messages import signature, signing_key

KEY = signing_key("swk_ours")


def published_restriction(number: int, **members: Any) -> dict[str, Any]:
    return {
        "number": number,
        "kind": "block",
        "reason": "bulk_harvest",
        "from": "2026-11-02T09:14:00+00:00",
        "until": None,
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "withheld": [],
        "names": {"organisation": [], "account": [f"acct_{number}"], "key": [f"key_{number}"], "digest": []},
    } | members


def changes(after: int = 2, upto: int = 5) -> dict[str, Any]:
    return {
        "format": 1,
        "after": after,
        "sequence": upto,
        "changes": [
            {"sequence": n, "restriction": published_restriction(n)} if n % 2 else {"sequence": n, "ended": 1}
            for n in range(after + 1, upto + 1)
        ],
        "fail_closed_plans": [],
    }


def snapshot(count: int = 2) -> list[dict[str, Any]]:
    head = {"format": 1, "sequence": count, "count": count, "made_at": "2026-11-02", "fail_closed_plans": []}
    return [head, *(published_restriction(n) for n in range(1, count + 1))]


def lines(documents: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in documents)


def sign(body: bytes, key: bytes = KEY) -> tuple[str, str]:
    digest = hashlib.sha256(body).hexdigest()
    return digest, signature(key, digest)


def stored(folder: Path, body: bytes, key: bytes = KEY) -> Path:
    file = folder / "snapshot"
    file.write_bytes(" ".join(sign(body, key)).encode() + b"\n" + body)
    return file
