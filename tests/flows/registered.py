"""What a seller does from outside: sends usage, imports its register, blocks; and a real nginx that asks Stillwatch."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.test import Client
from django.utils import timezone

from tests.commands import run_command
from tests.factories import service_key, usage_event
from tests.front import Served
from tests.gateways import proxies
from tests.gateways.process import status
from tests.gateways.upstream import serving
from tests.waiting import wait_until


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def key(name: str, secret: str) -> dict[str, Any]:
    """A key as the register describes it."""
    return {"id": name, "digest": digest_of(secret)}


class Seller:
    """Acts on Stillwatch through its doors."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "accounts.jsonl"
        _, self._headers = service_key("usage:write", "restrictions:write", name="seller")

    def _post(self, path: str, body: dict[str, Any], expected: int) -> Any:
        said = Client().post(path, body, content_type="application/json", **self._headers)
        assert said.status_code == expected, said.content
        return said.json()

    def sends_usage(self, *events: dict[str, Any], **members: Any) -> None:
        """One batch: an event with these members, or several that have them all."""
        now = timezone.now().isoformat()
        made = [usage_event(occurred_at=now, **members, **event) for event in events or ({},)]
        self._post("/api/v1/usage-events", {"events": made}, 202)

    def imports(self, *lines: dict[str, Any]) -> str:
        """What the command says."""
        self._file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        ran = run_command("import_accounts", str(self._file))
        return ran.out + ran.err

    def blocks(self, **target: str) -> int:
        """The number of the block."""
        body = {"kind": "block", "reason": "bulk_harvest", "unique_key": json.dumps(target)} | target
        number: int = self._post("/api/v1/restrictions", body, 201)["number"]
        return number


@contextmanager
def nginx(front: Served, folder: Path) -> Iterator[int]:
    """The port at which customers are served, by the documented configuration."""
    with (
        serving() as upstream,
        proxies.nginx(folder, upstream=upstream.port, stillwatch=front.port, key=front.secret) as port,
    ):
        yield port


def answered(port: int, secret: str) -> int:
    return status(port, Authorization=f"Bearer {secret}")[0]


def wait_for_answer(port: int, secret: str, expected: int) -> None:
    wait_until(lambda: answered(port, secret) == expected, f"{secret} was answered {expected}")
