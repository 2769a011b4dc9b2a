"""Load on a running `manage.py up`: senders of usage, a gateway that asks, and somebody who restricts."""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg

from governance.platform import embedded
from tests.flows.running_up import NO_ANSWER, TERMS, Up, block, call, decision, manage
from tests.waiting import PATIENCE, wait_until

BLOCKED = "acct_mole"
SENDERS = 2
BATCH = 50
ACCOUNTS = 20
PAUSE = 0.1  # seconds between two batches or decisions: the load is to be steady, not high
# A process that was killed takes connections until the kernel has closed its socket, and until the next one listens
# they are refused: gateways try again for a second or more.
TRIES = 20
ANSWERS_WITHIN = 30.0  # seconds, as a gateway's own limit
SENT_AGAIN_FOR = PATIENCE + float(os.environ.get("OUTAGE", "0"))

RESTRICTED: Final = """
    SELECT external_id FROM restrictions_restriction restriction
    JOIN accounts_account account ON account.id = restriction.account_id
"""

# Deltas of an account with hardly any new usage stay until it is scored again.
PROFILED: Final = """
    SELECT coalesce(sum(requests), 0)::bigint FROM (
        SELECT requests FROM usage_hourlyprofile UNION ALL SELECT requests FROM usage_profiledelta
    ) AS profiled
"""


class Load:
    """Everything is sent again until it is acknowledged, as senders do; what was acknowledged is remembered."""

    def __init__(self, up: Up, *, asking: str, sending: str, restricting: str, names: Sequence[str]) -> None:
        self.asking = asking
        self.answers: Counter[str] = Counter()  # about the blocked customer
        self.statuses: Counter[str] = Counter()  # of batches and decisions
        self.cut = 0
        self.acknowledged: set[str] = set()
        self.decided: list[str] = []
        self._newest_acknowledged, self._newest_decided = 0.0, 0.0
        self._up, self._sending, self._restricting = up, sending, restricting
        self._names, self._batches = iter(names), count()
        self._lock, self._ended = threading.Lock(), threading.Event()
        jobs = [self._send_batch] * SENDERS + [self._decide, self._ask]
        self._threads = [threading.Thread(target=self._repeat, args=(job,)) for job in jobs]
        for thread in self._threads:
            thread.start()

    def __str__(self) -> str:
        return (
            f"{len(self.acknowledged):,} events and {len(self.decided):,} decisions acknowledged, answers to them "
            f"{dict(self.statuses)}; {self.answers.total():,} answers about the blocked {dict(self.answers)}, "
            f"{self.cut} connections cut and tried again"
        )

    def newest_acknowledged(self) -> float:
        """When the newest acknowledged batch was sent."""
        return self._newest_acknowledged

    def newest_decided_since(self, at: float) -> str:
        """An account about which a decision was sent after then, and acknowledged. Raises LookupError: none yet."""
        if self._newest_decided <= at:
            raise LookupError
        return self.decided[-1]

    def mark(self) -> float:
        return time.time()

    def goes_on_since(self, mark: float) -> bool:
        """Whether usage and a decision were sent after then, and acknowledged."""
        return min(self._newest_acknowledged, self._newest_decided) > mark

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def assert_nothing_lost_or_doubled(self) -> None:
        """Compare what was acknowledged with what the database holds once everybody has been scored."""
        wait_until(lambda: asked(self._up, "SELECT FROM usage_dirtyaccount LIMIT 1") == [], "everybody was scored")
        events = [name for (name,) in asked(self._up, "SELECT event_id FROM usage_usageevent")]
        [(requests,)] = asked(self._up, PROFILED)
        restricted = [name for (name,) in asked(self._up, RESTRICTED)]
        [(entries,)] = asked(self._up, "SELECT count(*) FROM audit_entry WHERE verb = 'restriction.created'")
        assert len(events) == len(set(events))
        assert set(events) == self.acknowledged
        assert requests == len(events)
        assert sorted(restricted) == sorted([BLOCKED, *self.decided])
        assert entries == len(restricted)

    def _repeat(self, job: Callable[[], None]) -> None:
        while not self._ended.is_set():
            job()

    def _until_taken(self, send: Callable[[], int]) -> float:
        """Send until it is taken, and return when that began which was."""
        until = time.monotonic() + SENT_AGAIN_FOR
        while True:
            began = time.time()
            try:
                status = send()
            except NO_ANSWER as error:
                self.statuses[type(error).__name__] += 1
            else:
                self.statuses[str(status)] += 1
                if status < HTTPStatus.BAD_REQUEST:
                    return began
            assert time.monotonic() < until, str(self)
            time.sleep(PAUSE)

    def _send_batch(self) -> None:
        with self._lock:
            number = next(self._batches)
        ids = [f"e{event}" for event in range(number * BATCH, (number + 1) * BATCH)]
        body = _events(ids)
        began = self._until_taken(lambda: self._post_usage(body))
        with self._lock:
            self.acknowledged.update(ids)
            self._newest_acknowledged = max(began, self._newest_acknowledged)
        time.sleep(PAUSE)

    def _post_usage(self, body: bytes) -> int:
        caller = HTTPConnection("127.0.0.1", self._up.port, timeout=ANSWERS_WITHIN)
        try:
            headers = {"Authorization": f"Bearer {self._sending}", "Content-Type": "application/x-ndjson"}
            caller.request("POST", "/api/v1/usage-events", body, headers)
            return caller.getresponse().status
        finally:
            caller.close()

    def _decide(self) -> None:
        name = next(self._names)
        body = TERMS | {"account": name, "unique_key": f"decision-about-{name}"}
        path = "/api/v1/restrictions"
        began = self._until_taken(
            lambda: call(self._up.port, "POST", path, self._restricting, body, timeout=ANSWERS_WITHIN)[0]
        )
        self.decided.append(name)
        self._newest_decided = began
        time.sleep(PAUSE)

    def _ask(self) -> None:
        self.answers[self._answer()] += 1

    def _answer(self) -> str:
        """The answer about the blocked customer; a connection that is cut is tried again, as gateways do."""
        said = ""
        for _ in range(TRIES):
            try:
                return decision(self._up.check_port, self.asking, BLOCKED)
            except NO_ANSWER as error:
                self.cut += 1
                said = repr(error)
                time.sleep(PAUSE)
        return said


@contextmanager
def running_load(up: Up, folder: Path, *, decisions: int) -> Iterator[Load]:
    """Load until the block ends, with so many accounts to decide about; by then BLOCKED is refused."""
    names = [f"acct_decided_{number}" for number in range(decisions)]
    register = folder / "accounts.jsonl"
    register.write_text("".join(f'{{"account": "{name}"}}\n' for name in [BLOCKED, *names]))
    manage(up, "import_accounts", str(register))
    restricting = manage(up, "issue_service_key", "restricting", "--scope", "restrictions:write")
    asking = manage(up, "issue_service_key", "asking", "--scope", "access:read")
    sending = manage(up, "issue_service_key", "sending", "--scope", "usage:write")
    block(up, restricting, BLOCKED)
    wait_until(lambda: decision(up.check_port, asking, BLOCKED) == "deny", "the block is in force")
    load = Load(up, asking=asking, sending=sending, restricting=restricting, names=names)
    try:
        yield load
    finally:
        load.end()


def asked(up: Up, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(embedded.addresses(up.data).owner_url) as connection:
        return connection.execute(query).fetchall()


def _events(ids: Sequence[str]) -> bytes:
    at = datetime.now(UTC).isoformat()
    return b"".join(
        json.dumps(
            {
                "id": event,
                "occurred_at": at,
                "account": f"acct_{place % ACCOUNTS}",
                "model": "m",
                "input_tokens": 5,
                "output_tokens": 7,
            }
        ).encode()
        + b"\n"
        for place, event in enumerate(ids)
    )
