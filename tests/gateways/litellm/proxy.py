"""A real LiteLLM proxy as a process of its own, on loopback only."""

import json
import os
import secrets
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.servers import end, free_port
from tests.waiting import PATIENCE

CONFIG = Path(__file__).with_name("config.yaml")


class LiteLlm:
    """A running proxy. `rows` is what it would have put into its spend logs."""

    def __init__(self, program: Path, folder: Path, *, config: Path = CONFIG, **environment: str) -> None:
        self.port = free_port()
        self._rows, self._said = folder / "rows.jsonl", folder / "litellm.log"
        self._rows.touch()
        own = {
            "DEFAULT_FLUSH_INTERVAL_SECONDS": "1",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "LITELLM_MASTER_KEY": f"sk-{secrets.token_urlsafe(32)}",
            "SPEND_LOG_ROWS": str(self._rows),
        }
        with self._said.open("w") as said:
            self.process = subprocess.Popen(
                [program, "--config", config, "--host", "127.0.0.1", "--port", str(self.port)],
                env={name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ} | own | environment,
                cwd=folder,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, self._said.read_text()
            assert time.monotonic() < until, self._said.read_text()
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            return self.ask("/health/liveliness", method="GET")[0] == 200
        except ConnectionError:
            return False

    def ask(self, path: str, *, key: str = "", method: str = "POST", **body: Any) -> tuple[int, bytes]:
        """The status and the body of LiteLLM's answer."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "User-Agent": "Harbour/1.0"}
        headers |= body.pop("headers", {})
        caller = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            caller.request(method, path, json.dumps(body), headers)
            answer = caller.getresponse()
            return answer.status, answer.read()
        finally:
            caller.close()

    def rows(self) -> list[dict[str, Any]]:
        """As /spend/logs/v2 lists them, with the metadata as an object."""
        rows = [json.loads(line) for line in self._rows.read_text().splitlines()]
        return [row | {"metadata": json.loads(row["metadata"])} for row in rows]

    def end(self) -> None:
        end(self.process)
