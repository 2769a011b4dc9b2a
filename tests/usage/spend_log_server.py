"""A server that lists rows as LiteLLM's /spend/logs/v2 does (litellm/proxy/spend_tracking)."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers import Quiet, serving

Row = dict[str, Any]


class SpendLogServer(ThreadingHTTPServer):
    """What it lists, whom it lets in, and what it was asked.

    `refusal` is what it answers instead (status, headers, body) once it has given `answers` answers.
    """

    daemon_threads = True

    def __init__(self, rows: Sequence[Row], key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.rows, self.key = list(rows), key
        self.asked: list[dict[str, str]] = []
        self.refusal: tuple[int, dict[str, str], bytes] | None = None
        self.answers = 0
        self.url = f"http://127.0.0.1:{self.server_port}"

    def listed(self, asked: dict[str, str]) -> list[Row]:
        """Both ends of the span are whole seconds and belong to it; pages are counted from its start."""
        since, until = (
            datetime.strptime(asked[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            for name in ("start_date", "end_date")
        )
        rows = [row for row in self.rows if since <= datetime.fromisoformat(row["startTime"]) <= until]
        rows.sort(key=lambda row: str(row["startTime"]), reverse=asked["sort_order"] == "desc")
        size = min(int(asked["page_size"]), 1000)
        return rows[size * (int(asked["page"]) - 1) :][:size]


class _Handler(Quiet, BaseHTTPRequestHandler):
    server: SpendLogServer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        asked = dict(parse_qsl(address.query))
        self.server.asked.append(asked)
        if self.server.refusal and len(self.server.asked) > self.server.answers:
            self.answer(*self.server.refusal)
        elif address.path != "/spend/logs/v2":
            self.answer(404, {}, b'{"detail": "Not Found"}')
        elif self.headers["Authorization"] != f"Bearer {self.server.key}":
            self.answer(401, {}, b'{"error": {"message": "Authentication Error, Invalid proxy server token passed."}}')
        else:
            rows = self.server.listed(asked)
            answer = {"data": rows, "total": len(self.server.rows), "page": int(asked["page"]), "total_pages": 1}
            self.answer(200, {}, json.dumps(answer).encode())

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def spend_log_server(rows: Sequence[Row], *, key: str) -> Iterator[SpendLogServer]:
    with serving(SpendLogServer(rows, key)) as server:
        yield server
