"""A server that answers gateways whatever a test wants, over HTTP and signed: of another release, wrong, or cut off."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from stillwatch_gateway import Gateway
from stillwatch_gateway.messages import signing_key
from tests.stillwatch_gateway.signed_messages import lines, published_restriction, sign

SECRET = "swk_ours"
NOBODY: dict[str, list[str]] = {"organisation": [], "account": [], "key": [], "digest": []}


class Answer(NamedTuple):
    """`length` says how long the body is, where that is not true."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = {}
    length: int | None = None


def signed(body: bytes, *, compressed: bool = False) -> Answer:
    digest, signature = sign(body, signing_key(SECRET))
    headers = {"Stillwatch-Digest": digest, "Stillwatch-Signature": signature}
    if compressed:
        return Answer(gzip.compress(body), headers=headers | {"Content-Encoding": "gzip"})
    return Answer(body, headers=headers)


def snapshot_of(*numbers: int, sequence: int | None = None, compressed: bool = False, **head: Any) -> Answer:
    """Blocks with these numbers, of the accounts acct_1 and so on."""
    first = {
        "format": 1,
        "sequence": max(numbers, default=0) if sequence is None else sequence,
        "count": len(numbers),
        "fail_closed_plans": [],
    }
    return signed(lines([first | head, *map(published_restriction, numbers)]), compressed=compressed)


def changes_of(*numbers: int, after: int, **members: Any) -> Answer:
    """Blocks with these numbers as the changes that follow `after`."""
    listed = [
        {"sequence": after + n, "restriction": published_restriction(number)}
        for n, number in enumerate(numbers, start=1)
    ]
    document = {
        "format": 1,
        "after": after,
        "sequence": after + len(numbers),
        "changes": listed,
        "fail_closed_plans": [],
    }
    return signed(json.dumps(document | members).encode())


class Feed:
    """`snapshot` is what is answered next, `changes` says it for what a gateway reports; both may be changed."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.snapshot = snapshot_of()
        self.changes: Callable[[dict[str, Any]], Answer] = nothing_new
        self.reports: list[dict[str, Any]] = []
        self.snapshots_taken = 0


def nothing_new(report: dict[str, Any]) -> Answer:
    return changes_of(after=report["after"], epoch=report["epoch"])


@contextmanager
def feed() -> Iterator[Feed]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            served.snapshots_taken += 1
            self._answer(served.snapshot)

        def do_POST(self) -> None:
            report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.reports.append(report)
            answer = served.changes(report)
            if report["wait"]:
                pause.wait(0.02)  # it does not answer at once while there is nothing to say
            self._answer(answer)

        def _answer(self, answer: Answer) -> None:
            self.close_connection = answer.length is not None
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
            with suppress(ConnectionError):  # the gateway has gone
                self.end_headers()
                self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    pause = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = Feed(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refused(gateway: Gateway, *numbers: int) -> list[int]:
    return [number for number in numbers if not gateway.decide(account=f"acct_{number}").allowed]
