"""Snapshots and changes that were changed on their way, served to a real client by a server that lies."""

import hashlib
import json
import logging
import tempfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any, Final, NamedTuple, Self

from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.bench.serving import HOST
from stillwatch_gateway import Gateway
from stillwatch_gateway.messages import BadMessageError, signature, signing_key
from stillwatch_gateway.restriction_set import OutOfOrderError

MESSAGES: Final = 10_000
SECRET: Final = "swk_bench"  # noqa: S105 - of this benchmark alone
RESTRICTIONS: Final = 40
NEWEST: Final = 60


class SignedBody(NamedTuple):
    """A body as it is sent, with the headers that sign it."""

    body: bytes
    digest: str | None
    signed: str | None


def measure_tampering(scale: Scale = FULL) -> Iterator[Figure]:
    outcomes: dict[str, int] = {"accepted": 0, "crashed": 0, "refused": 0}
    messages, held = scale.count(MESSAGES), 0
    logging.getLogger("stillwatch_gateway").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, _Liar() as liar:
        gateway = Gateway(f"http://{HOST}:{liar.port}", SECRET, folder, instance="bench")
        liar.next = sign_message(snapshot_body(NEWEST - 10))
        gateway._take_snapshot()  # noqa: SLF001 - what its thread does, without the pauses after a refusal
        liar.next = sign_message(changes_message(NEWEST - 10, NEWEST))
        gateway._take_changes()  # noqa: SLF001
        dice = Random(7)  # noqa: S311 - seeded, no secrets
        for number in range(messages):
            snapshots = number % 2 == 0
            liar.next = _bad(dice, snapshots=snapshots)
            before = (gateway.sequence, len(gateway))
            try:
                gateway._take_snapshot() if snapshots else gateway._take_changes()  # noqa: SLF001
                outcomes["accepted"] += 1
            except (BadMessageError, OutOfOrderError, EOFError, OSError):
                outcomes["refused"] += 1
            except Exception:  # noqa: BLE001 - counting them is the point
                outcomes["crashed"] += 1
            gateway._connection.hang_up()  # noqa: SLF001
            held += (gateway.sequence, len(gateway)) != before
    yield Figure(f"of {messages:,} bad snapshots and changes: accepted", outcomes["accepted"], "messages")
    yield Figure(f"of {messages:,} bad snapshots and changes: crashed the client", outcomes["crashed"], "messages")
    yield Figure(f"of {messages:,} bad snapshots and changes: changed what it holds", held, "messages")


def _bad(dice: Random, *, snapshots: bool) -> SignedBody:
    """One that must not be taken: cut, flipped, blanked, doubled, unsigned, signed by another, or older."""
    body = snapshot_body(NEWEST) if snapshots else changes_message(NEWEST, NEWEST + 5)
    good = sign_message(body)
    place = dice.randrange(1, len(body))
    older = dice.randrange(1, NEWEST)
    bad = [
        good._replace(body=body[:place]),
        good._replace(body=body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]),
        _with_new_checksum(good, _blank_one_member(body, dice)),
        _with_new_checksum(good, body[:place] + body),
        good._replace(signed=None),
        good._replace(digest=None, signed=None),
        sign_message(body, "swk_of_another"),
        sign_message(snapshot_body(older) if snapshots else changes_message(older, NEWEST)),  # it was truly said, once
    ]
    return dice.choice(bad)


def _with_new_checksum(good: SignedBody, body: bytes) -> SignedBody:
    """With a checksum that fits, as anybody can make one, and the signature of the good one."""
    return good._replace(body=body, digest=hashlib.sha256(body).hexdigest())


def _blank_one_member(body: bytes, dice: Random) -> bytes:
    lines = body.splitlines()
    place = dice.randrange(len(lines))
    document = json.loads(lines[place])
    blanked = dice.choice([*document])
    blanks: list[Any] = ["", None, [], {}]
    document[blanked] = dice.choice([blank for blank in blanks if blank != document[blanked]])
    lines[place] = json.dumps(document).encode()
    return b"\n".join(lines)


def sign_message(body: bytes, secret: str = SECRET) -> SignedBody:
    digest = hashlib.sha256(body).hexdigest()
    return SignedBody(body, digest, signature(signing_key(secret), digest))


def snapshot_body(sequence: int) -> bytes:
    count = min(sequence, RESTRICTIONS)
    head = {"format": 1, "sequence": sequence, "count": count, "made_at": "", "fail_closed_plans": []}
    lines = [head, *(_payload(number) for number in range(1, count + 1))]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def changes_message(after: int, upto: int) -> bytes:
    listed = [{"sequence": number, "restriction": _payload(number)} for number in range(after + 1, upto + 1)]
    document = {"format": 1, "after": after, "sequence": upto, "changes": listed, "fail_closed_plans": []}
    return json.dumps(document).encode()


def _payload(number: int) -> Mapping[str, Any]:
    return {
        "number": number,
        "kind": "block",
        "reason": "other",
        "from": "2026-01-01T00:00:00+00:00",
        "until": None,
        "requests_per_minute": None,
        "tokens_per_minute": None,
        "withheld": [],
        "names": {"organisation": [], "account": [f"acct_{number}"], "key": [], "digest": []},
    }


class _Liar:
    """Answers every question with `next`."""

    def __init__(self) -> None:
        liar = self
        self.next = SignedBody(b"", None, None)

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(200)
                self.send_header("Content-Length", str(len(liar.next.body)))
                for name, value in (("Digest", liar.next.digest), ("Signature", liar.next.signed)):
                    if value is not None:
                        self.send_header(f"Stillwatch-{name}", value)
                self.end_headers()
                self.wfile.write(liar.next.body)

            do_GET = do_POST = answer  # noqa: N815 - their names in Python

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
