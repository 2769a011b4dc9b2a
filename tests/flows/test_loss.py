"""`kill -9` of the web server, the worker and PostgreSQL under load: what was acknowledged is there, and once."""

import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from django.conf import settings

from governance.platform import embedded
from governance.usage.profiles import histograms
from tests.flows.load_on_up import PROFILED
from tests.flows.running_up import OWN
from tests.measuring import Measured
from tests.servers import free_port
from tests.waiting import PATIENCE

EVENTS = 500_000
BATCH = 2_500
SENDERS = 6
ACCOUNTS = 50
BETWEEN_KILLS = (10_000, 30_000)  # events acknowledged

HOST = "127.0.0.1"
ASKED_TO_COME_AGAIN = {429, 503}
SKETCHED = "SELECT histograms FROM usage_weeklysketch UNION ALL SELECT histograms FROM usage_profiledelta"


class Stillwatch:
    """A web server, a worker and servers of their own, each of which can be killed hard and started again."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.environment = {name: value for name, value in os.environ.items() if name not in OWN}
        self.environment |= {"STILLWATCH_DATA": str(data), "STILLWATCH_URL": f"http://{HOST}:{self.port}"}
        self.environment |= {"DJANGO_SETTINGS_MODULE": "governance.settings", "LOG_LEVEL": "CRITICAL"}
        self.environment["WEB_THREADS"] = "4"
        self._servers = ExitStack()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start_servers()

    def start_servers(self) -> None:
        self._servers.enter_context(embedded.start(self.data))

    def run(self, *command: str) -> str:
        ran = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return ran.stdout.strip()

    def start(self, name: str) -> None:
        celery = ["celery", "--quiet", "-A", "governance", "worker", "--concurrency", "1", "--loglevel", "CRITICAL"]
        granian = ["granian", "--interface", "asgi", "--host", HOST, "--port", str(self.port), "--workers", "2"]
        commands = {
            "worker": [*celery, "--beat", "--schedule", str(self.data / "timetable")],
            "web": [*granian, "--log-level", "critical", "governance.asgi:application"],
        }
        self._processes[name] = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", *commands[name]],
            cwd=settings.BASE_DIR, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self, name: str) -> None:
        """`kill -9` it and all it has made, and start it again."""
        family = self._family(name)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, PATIENCE)
        if name == "PostgreSQL":
            self.start_servers()
        else:
            self._processes[name].wait()
            self.start(name)

    def _family(self, name: str) -> list[psutil.Process]:
        if name == "PostgreSQL":
            home = [p for p in psutil.process_iter(["cmdline"]) if p.info["cmdline"] and "-D" in p.info["cmdline"]]
            parents = [p for p in home if str(self.data) in " ".join(p.info["cmdline"])]
        else:
            parents = [psutil.Process(self._processes[name].pid)]
        for parent in parents:
            parent.suspend()  # else it may make another child while these are counted
        return [process for parent in parents for process in [parent, *parent.children(recursive=True)]]

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(embedded.addresses(self.data).owner_url) as connection:
            return connection.execute(query).fetchall()

    def drain(self) -> None:
        """Wait until nobody waits to be scored. What killed workers had claimed is free once its lease is over."""
        with psycopg.connect(embedded.addresses(self.data).owner_url) as connection:
            connection.execute("UPDATE usage_dirtyaccount SET lease_until = NULL, token = token + 1")
        until = time.monotonic() + 3 * PATIENCE
        while self.ask("SELECT FROM usage_dirtyaccount LIMIT 1") and time.monotonic() < until:
            time.sleep(0.5)

    def end(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for name, process in self._processes.items():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            for left in self._family(name) if process.poll() is None else ():
                left.kill()
        self._servers.close()


class Gateways:
    """Senders that send a batch until it is acknowledged."""

    def __init__(self, port: int, secret: str) -> None:
        self.answers: Counter[int | str] = Counter()
        self.acknowledged = 0
        self._port, self._numbers, self._lock = port, count(), threading.Lock()
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"}
        self._threads = [threading.Thread(target=self._send_all) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def at_work(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def _send_all(self) -> None:
        while (number := next(self._numbers)) < EVENTS // BATCH:
            body, until = _batch(number), time.monotonic() + PATIENCE
            while self._send(body) != http.client.ACCEPTED:
                assert time.monotonic() < until, self.answers
                time.sleep(0.1)
            with self._lock:
                self.acknowledged += BATCH

    def _send(self, body: bytes) -> int | str:
        caller = http.client.HTTPConnection(HOST, self._port, timeout=PATIENCE)
        try:
            caller.request("POST", "/api/v1/usage-events", body, self._headers)
            answer: int | str = caller.getresponse().status
        except (OSError, http.client.HTTPException):
            answer = "no answer"
        finally:
            caller.close()
        with self._lock:
            self.answers[answer] += 1
        return answer


def _batch(number: int) -> bytes:
    at = datetime.now(UTC).isoformat()
    return b"\n".join(
        b'{"id":"e%d","occurred_at":"%b","account":"acct_%d","model":"m","input_tokens":5,"output_tokens":7}'
        % (event, at.encode(), event % ACCOUNTS)
        for event in range(number * BATCH, (number + 1) * BATCH)
    )


@pytest.fixture
def stillwatch() -> Iterator[Stillwatch]:
    with tempfile.TemporaryDirectory(prefix="stillwatch-loss-", ignore_cleanup_errors=True) as folder:
        running = Stillwatch(Path(folder))
        try:
            yield running
        finally:
            running.end()


def _kill_while(gateways: Gateways, stillwatch: Stillwatch, kinds: Sequence[str]) -> Counter[str]:
    dice, killed = random.Random(3), Counter[str]()
    while gateways.at_work():
        enough = gateways.acknowledged + dice.randint(*BETWEEN_KILLS)
        while gateways.acknowledged < enough and gateways.at_work():
            time.sleep(0.02)
        if gateways.at_work():
            kind = kinds[killed.total() % len(kinds)]
            stillwatch.kill(kind)
            killed[kind] += 1
    return killed


@pytest.mark.long
def test_loses_nothing_that_was_acknowledged_and_stores_nothing_twice(
    stillwatch: Stillwatch, measured: Measured
) -> None:
    stillwatch.run("migrate", "--verbosity", "0")
    secret = stillwatch.run("issue_service_key", "gateway-eu", "--scope", "usage:write")
    for name in ("web", "worker"):
        stillwatch.start(name)

    began = time.monotonic()
    gateways = Gateways(stillwatch.port, secret)
    killed = _kill_while(gateways, stillwatch, ["web", "PostgreSQL", "worker"])
    seconds = time.monotonic() - began
    stillwatch.drain()

    ((stored, different),) = stillwatch.ask("SELECT count(*), count(DISTINCT event_id) FROM usage_usageevent")
    ((requests,),) = stillwatch.ask(PROFILED)
    sketches = stillwatch.ask(SKETCHED)
    counted = histograms.unpack([blob for (blob,) in sketches])
    statuses = counted.filter(counted["kind"] == histograms.Histogram.STATUS)["count"].sum()
    waiting = stillwatch.ask("SELECT account_id, last_error FROM usage_dirtyaccount")
    measured(
        f"acknowledged {gateways.acknowledged:,}, stored {stored:,}, different {different:,}, in profiles "
        f"{requests:,}, in sketches {statuses:,}; killed {dict(killed)}; answers {dict(gateways.answers)}; "
        f"{seconds:.0f} s"
    )
    assert gateways.acknowledged == stored == different == requests == statuses == EVENTS
    assert waiting == []
    assert min(killed[kind] for kind in ("web", "PostgreSQL", "worker")) >= 2
    assert set(gateways.answers) <= {http.client.ACCEPTED, "no answer", *ASKED_TO_COME_AGAIN}
