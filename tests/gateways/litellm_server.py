"""A server that answers as LiteLLM's admin API does. LiteLLM itself needs a database for these requests.

Addresses, status codes and bodies are those of LiteLLM 1.108 (litellm/proxy/management_endpoints/), cut to the members
that matter; tests/gateways/test_litellm_push.py has LiteLLM's own code answer the same requests.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.servers import Quiet, serving

KEY = "sk-the-master"
# Keys of customers, as LiteLLM names them.
HARBOUR, QUILL, LONE = ("a" * 64, "b" * 64, "c" * 64)

Row = dict[str, Any]
Said = tuple[int, Row]

NOT_FOUND: Row = {"detail": "Not Found"}
MISSING = {
    "team_info": "{{'message': 'Team not found, passed team id: {}.'}}",
    "info": "Key not found in database",
    "team": "{{'error': 'Team not found, passed team_id={}'}}",
    "key": "Key not found.",
}


def error(status: int, message: str) -> Said:
    return status, {"error": {"message": message, "type": "auth_error", "param": "None", "code": str(status)}}


def name_in(asked: Row) -> str:
    return str(asked.get("team_id") or asked.get("key") or asked.get("user_id"))


class LiteLlmServer(ThreadingHTTPServer):
    """Its teams and keys, what was asked of it, and whom it fails for.

    `failing` holds names for which it answers 500, `deaf` those whose block it takes and forgets, `silent` those for
    which it hangs up. Where it `hangs_up` it does so after every answer. It `takes_in_silence` what is asked at these
    paths: that is done, and never answered. With `says` it answers that at a path: a status and JSON, or bytes.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.teams: dict[str, Row] = {}
        self.keys: dict[str, Row] = {}
        self.asked: list[tuple[str, str]] = []
        self.failing: set[str] = set()
        self.deaf: set[str] = set()
        self.silent: set[str] = set()
        self.takes_in_silence: set[str] = set()
        self.says: dict[str, tuple[int, Any]] = {}
        self.hangs_up = False
        self.redirects_to = ""

    def team(self, name: str, *, blocked: bool = False) -> None:
        self.teams[name] = {"team_id": name, "blocked": blocked}

    def key(self, name: str, *, user: str | None = None, team: str | None = None, blocked: bool | None = None) -> None:
        self.keys[name] = {"token": name, "user_id": user, "team_id": team, "blocked": blocked}

    @property
    def blocked(self) -> set[str]:
        return {name for name, row in [*self.teams.items(), *self.keys.items()] if row["blocked"]}

    @property
    def changes(self) -> list[tuple[str, str]]:
        """The requests that changed something: which, and for whom."""
        return [(path, name) for path, name in self.asked if path not in {"/key/list", "/key/info", "/team/info"}]

    def answer(self, path: str, asked: Row) -> Said:
        name = name_in(asked)
        self.asked.append((path, name))
        if name in self.failing:
            return error(500, f"The database has failed for {KEY}.")
        kind, _, verb = path.strip("/").partition("/")
        rows = self.teams if kind == "team" else self.keys
        match kind, verb:
            case "team" | "key", "info":
                said = self._answer(rows, name, "team_info" if kind == "team" else "info")
            case "key", "list":
                said = self._listed(name, page=int(asked["page"]), size=int(asked["size"]))
            case ("team", "update") | ("key", "block" | "unblock"):
                said = self._set(rows, name, blocked=asked["blocked"] if kind == "team" else verb == "block")
            case _:
                said = 404, NOT_FOUND
        return said

    def _answer(self, rows: dict[str, Row], name: str, member: str) -> Said:
        return (200, {member: rows[name]}) if name in rows else error(404, MISSING[member].format(name))

    def _listed(self, user: str, *, page: int, size: int) -> Said:
        # An older LiteLLM took a part of a user's name for all of it.
        found = [row for row in self.keys.values() if user in (row["user_id"] or "")]
        pages = -(-len(found) // size)
        return 200, {"keys": found[size * (page - 1) :][:size], "current_page": page, "total_pages": pages}

    def _set(self, rows: dict[str, Row], name: str, *, blocked: object) -> Said:
        if name not in rows:
            return error(404, MISSING["team" if rows is self.teams else "key"].format(name))
        if name not in self.deaf:
            rows[name]["blocked"] = blocked
        return 200, rows[name]


class _Handler(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: LiteLlmServer

    def do_GET(self) -> None:
        self.answer(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, asked: Row) -> None:
        if self.server.redirects_to:
            self.send_response(307)
            self.send_header("Location", self.server.redirects_to + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path = urlsplit(self.path).path
        if name_in(asked) in self.server.silent:
            self.server.asked.append((self.path, name_in(asked)))
            self.close_connection = True
            return
        self.close_connection = self.close_connection or self.server.hangs_up
        known = self.headers["Authorization"] == f"Bearer {KEY}"
        status, body = (
            self.server.answer(path, asked) if known else error(401, "Authentication Error, Invalid API key provided.")
        )
        if path in self.server.takes_in_silence:
            self.close_connection = True
            return
        status, body = self.server.says.get(path, (status, body))
        said = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


@contextmanager
def litellm_server() -> Iterator[LiteLlmServer]:
    with serving(LiteLlmServer()) as server:
        yield server
