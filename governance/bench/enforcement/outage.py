"""Stillwatch and the gateway both killed, the gateway started again alone: who is refused, and who is served."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from accounts.models import Account
from governance.audit.actor import Actor
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.bench.serving import HOST, check_server
from governance.restrictions.actions import restrict, restrict_all
from governance.restrictions.models import Restriction
from governance.restrictions.queries import last_number
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.staff.service_keys import issue_service_key

BLOCKED: Final = 2_000
BLOCKED_LATE: Final = 50
GOOD: Final = 20_000
BENCH: Final = Actor.system("bench")
BLOCK: Final = Terms(Restriction.Kind.BLOCK, Reason.BULK_HARVEST)

# A gateway: follows until it is killed, or says whom it refuses without ever reaching Stillwatch.
GATEWAY: Final = """
import json, sys, time
from stillwatch_gateway import Gateway

url, key, folder, last, blocked, good = sys.argv[1:]
gateway = Gateway(url, key, folder)
reached = gateway.start(wait=20 if last != "0" else 1)
while gateway.sequence < int(last):
    time.sleep(0.01)
print(json.dumps({
    "reached": reached,
    "let_in": sum(gateway.decide(account=f"bad-{n}", plan="any").allowed for n in range(int(blocked))),
    "refused": sum(not gateway.decide(account=f"good-{n}", plan="any").allowed for n in range(int(good))),
}), flush=True)
time.sleep(300)
"""


def measure_outage(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    blocked, blocked_late, good = scale.count(BLOCKED), scale.count(BLOCKED_LATE), scale.count(GOOD)
    accounts = Account.objects.bulk_create(
        Account(external_id=f"bad-{number}", first_seen_at=now) for number in range(blocked + blocked_late)
    )
    secret = issue_service_key(name="outage", scopes=["access:read"], by=BENCH, now=now)[1]
    early, late = accounts[:blocked], accounts[blocked:]
    restrict_all([(one, f"outage:{one.external_id}") for one in early], BLOCK, by=BENCH, now=now)
    with tempfile.TemporaryDirectory() as folder, check_server() as (port, server):
        first = _gateway(port, secret, Path(folder), last_number(), blocked, good)
        _says(first)
        for one in late:  # these reach the gateway as changes, not in its snapshot
            with transaction.atomic():
                restrict(one, BLOCK, unique_key=f"outage:{one.external_id}", by=BENCH, now=now)
        time.sleep(2)
        for process in (*server.children(recursive=True), server):
            process.kill()
        os.kill(first.pid, signal.SIGKILL)
        first.communicate()
        second = _gateway(port, secret, Path(folder), 0, len(accounts), good)
        said = _says(second)
        second.kill()
        second.communicate()
    yield Figure(f"cut off and restarted: of {len(accounts):,} blocked let in", said["let_in"], "accounts")
    yield Figure(f"cut off and restarted: of {good:,} good refused", said["refused"], "accounts")
    yield Figure("cut off and restarted: Stillwatch was reached", float(said["reached"]), "times")


def _gateway(port: int, secret: str, folder: Path, last: int, blocked: int, good: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", GATEWAY, f"http://{HOST}:{port}", secret, str(folder), *map(str, (last, blocked, good))],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )


def _says(gateway: "subprocess.Popen[str]") -> dict[str, int]:
    assert gateway.stdout is not None  # noqa: S101 - it was asked for
    return dict(json.loads(gateway.stdout.readline()))
