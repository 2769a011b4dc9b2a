"""From a committed decision to a gateway that refuses: a hundred clients, their connections cut at random."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from governance.audit.actor import Actor
from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.bench.serving import HOST, check_server
from governance.restrictions.actions import lift, restrict
from governance.restrictions.models import Restriction
from governance.restrictions.queries import last_number
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.staff.service_keys import issue_service_key

CHANGES: Final = 10_000
ACCOUNTS: Final = 500
A_SECOND: Final = 100
PROCESSES: Final = 4
CLIENTS: Final = 25
CUTS_A_SECOND: Final = 1.0  # in each process
BENCH: Final = Actor.system("bench")
BLOCK: Final = Terms(Restriction.Kind.BLOCK, Reason.BULK_HARVEST)


def measure_propagation(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    accounts = Account.objects.bulk_create(
        Account(external_id=f"spread-{number}", first_seen_at=now) for number in range(scale.count(ACCOUNTS, least=10))
    )
    secret = issue_service_key(name="spread", scopes=["access:read"], by=BENCH, now=now)[1]
    with tempfile.TemporaryDirectory() as folder, check_server() as (port, _):
        followers = [
            _follower(port, secret, Path(folder) / str(place), scale.count(CLIENTS)) for place in range(PROCESSES)
        ]
        committed = _decide(accounts, scale.count(CHANGES))
        reports = [_read_report(follower, committed[-1][0]) for follower in followers]
    live = Restriction.objects.filter(ended_at=None).count()
    yield from _figures(committed, reports, live)


def _follower(port: int, secret: str, folder: Path, clients: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "governance.bench.enforcement.followers", f"http://{HOST}:{port}", secret]
    process = subprocess.Popen(
        [*command, str(folder), str(clients), str(CUTS_A_SECOND)],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101 - it was asked for
    process.stdout.readline()
    return process


def _decide(accounts: Sequence[Account], changes: int) -> list[tuple[int, float, bool]]:
    """Block and lift in turn, evenly; of each change its number, when it was committed, and whether it lifts."""
    committed = []
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
    began = time.monotonic()
    in_force: list[Restriction] = []
    first = last_number() + 1
    for number in range(changes):
        time.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
        lifts = len(in_force) == len(accounts) or (number % 2 == 1 and bool(in_force))
        now = timezone.now()  # noqa: TID251 - each is decided at its own time
        if lifts:
            lift(in_force.pop(0), note="bench", by=BENCH, now=now)
        else:
            target = accounts[number // 2 % len(accounts)]
            in_force.append(restrict(target, BLOCK, unique_key=f"spread:{number}", by=BENCH, now=now))
        committed.append((first + number, time.monotonic(), lifts))
    return committed


def _read_report(follower: "subprocess.Popen[str]", last: int) -> dict[str, Any]:
    report, _ = follower.communicate(f"{last}\n", timeout=120)
    return dict(json.loads(report))


def _figures(
    committed: Sequence[tuple[int, float, bool]], reports: Sequence[dict[str, Any]], live: int
) -> Iterator[Figure]:
    numbers = np.array([number for number, _, _ in committed])
    at = np.array([moment for _, moment, _ in committed])
    lifting = np.array([lifts for _, _, lifts in committed])
    delays = []
    for client in (client for process in reports for client in process["known"]):
        sequences, moments = (np.array(column) for column in zip(*client, strict=True))
        places = np.searchsorted(sequences, numbers)
        delays.append(np.where(places < len(moments), moments[np.minimum(places, len(moments) - 1)] - at, np.inf))
    took = 1000 * np.maximum(np.array(delays), 0)
    reached = [sequence for process in reports for sequence in process["reached"]]
    right = [held for process in reports for held in process["restricted"] if held == live]
    name = f"committed → refused, {len(reached)} clients"
    for what, which in (("blocks", ~lifting), ("lifting", lifting)):
        yield Figure(f"{name}, {what}: median", float(np.median(took[:, which])), "ms")
        yield Figure(f"{name}, {what}: p99", float(np.percentile(took[:, which], 99)), "ms")
        yield Figure(f"{name}, {what}: longest", float(took[:, which].max()), "ms")
    yield Figure(f"changes that a client missed, of {took.size:,}", float(np.isinf(took).sum()), "changes")
    yield Figure("clients that hold something else in the end", float(len(reached) - len(right)), "clients")
    yield Figure("changes committed", len(committed) / (at[-1] - at[0]), "changes/s")
