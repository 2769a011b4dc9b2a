"""A hundred thousand decisions by four processes that race, each made twice, the processes killed on the way."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import django
from django.conf import settings
from django.db.models import Count, Max, Min

from governance.bench.figure import Figure
from governance.bench.scale import FULL, Scale
from governance.bench.serving import environment_of
from governance.restrictions.reasons import Reason

DECISIONS: Final = 100_000
TOGETHER: Final = 10
RACERS: Final = 4
KILLED_EVERY: Final = 4.0  # seconds
KILLED_AT_MOST: Final = 60  # a killed one starts again, and must finish at some time
PATIENCE: Final = 1_800.0  # seconds


def measure_races(now: datetime, scale: Scale = FULL) -> Iterator[Figure]:
    # Here, since a racer is a process of this module that has to set Django up first.
    from accounts.models import Account  # noqa: PLC0415
    from governance.audit.models import Entry  # noqa: PLC0415
    from governance.restrictions.models import Change, Restriction  # noqa: PLC0415

    decisions = scale.count(DECISIONS)
    Account.objects.bulk_create(
        (Account(external_id=f"raced-{number}", first_seen_at=now) for number in range(decisions)), batch_size=5_000
    )
    changes, entries = Change.objects.count(), Entry.objects.count()
    began = time.monotonic()
    killed = _race(decisions)
    seconds = time.monotonic() - began
    made = Restriction.objects.filter(unique_key__startswith="raced:")
    numbers = Change.objects.filter(restriction__in=made).aggregate(
        first=Min("number"), last=Max("number"), n=Count("pk")
    )
    once = made.filter(ended_at=None).values("account").distinct().count()
    yield Figure(f"of {decisions:,} decisions, each made twice: lost", decisions - once, "decisions")
    yield Figure(f"of {decisions:,} decisions, each made twice: doubled", made.count() - once, "decisions")
    yield Figure("numbers left out or given twice", numbers["last"] - numbers["first"] + 1 - decisions, "changes")
    yield Figure("changes more than decisions", Change.objects.count() - changes - decisions, "changes")
    yield Figure("entries of the log more than decisions", Entry.objects.count() - entries - decisions, "entries")
    yield Figure("processes killed on the way", killed, "processes")
    yield Figure("decisions, each made twice, four at a time", decisions / seconds, "decisions/s")


def _race(decisions: int) -> int:
    """Until every racer has done its part, however often it was killed; how many were."""
    dice = random.Random(1)  # noqa: S311 - seeded, no secrets
    racers = {place: _racer(place, decisions) for place in range(RACERS)}
    killed, next_kill, until = 0, time.monotonic() + KILLED_EVERY, time.monotonic() + PATIENCE
    while racers:
        if time.monotonic() > until:
            raise TimeoutError("The racers did not come to an end.")
        for place, racer in [*racers.items()]:
            status = racer.poll()
            if status == 0:
                del racers[place]
            elif status is not None:
                racers[place] = _racer(place, decisions)
        if time.monotonic() > next_kill and racers and killed < KILLED_AT_MOST:
            dice.choice([*racers.values()]).kill()
            killed, next_kill = killed + 1, time.monotonic() + KILLED_EVERY * dice.uniform(0.5, 1.5)
        time.sleep(0.05)
    return killed


def _racer(place: int, decisions: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", __name__, str(place), str(decisions)]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment_of(0))


def _decide(place: int, decisions: int) -> None:
    """Half of all decisions, so that each is made by two racers, and in an order of its own."""
    from django.utils import timezone  # noqa: PLC0415

    from accounts.models import Account  # noqa: PLC0415
    from governance.audit.actor import Actor  # noqa: PLC0415
    from governance.platform.notifications import suppress_tasks  # noqa: PLC0415
    from governance.restrictions.actions import end_expired, restrict_all  # noqa: PLC0415
    from governance.restrictions.models import Restriction  # noqa: PLC0415
    from governance.restrictions.terms import Terms  # noqa: PLC0415

    bench, block = Actor.system("bench"), Terms(Restriction.Kind.BLOCK, Reason.BULK_HARVEST)
    batches = [range(start, start + TOGETHER) for start in range(0, decisions, TOGETHER)]
    mine = [batch for number, batch in enumerate(batches) if (number + place) % RACERS < RACERS // 2]
    random.Random(os.getpid()).shuffle(mine)  # noqa: S311 - no secrets
    with suppress_tasks():
        for batch in mine:
            accounts = Account.objects.in_bulk([f"raced-{n}" for n in batch], field_name="external_id")
            targets = [(account, f"raced:{name}") for name, account in sorted(accounts.items())]
            now = timezone.now()  # noqa: TID251 - each is decided at its own time
            restrict_all(random.sample(targets, len(targets)), block, by=bench, now=now)
            if batch.start % 5_000 == 0:
                end_expired(now=now)


if __name__ == "__main__":
    django.setup()
    _decide(int(sys.argv[1]), int(sys.argv[2]))
