"""What it costs to record, publish and verify a large log. Printed, since it depends on the machine.

ENTRIES says of how many entries (1,000,000 for a thorough run).
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction

from governance.audit.actions import NewEntry, record_all
from governance.audit.models import Entry
from governance.audit.publishing import publish
from governance.audit.verbs import Verb
from governance.audit.verification import LogCheck
from tests.audit.publishing import verify_outside
from tests.factories import MACHINE, NOW
from tests.measuring import Measured

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]

ENTRIES = int(os.environ.get("ENTRIES", "100_000"))
AT_ONCE = 20_000


@pytest.fixture
def timed(measured: Measured) -> object:
    @contextmanager
    def time_it(what: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        measured(f"the log: {ENTRIES:,} entries {what} in {time.monotonic() - began:.1f} s")

    return time_it


def test_are_recorded_published_and_verified(timed: object) -> None:
    assert callable(timed)
    with timed("recorded"):
        for start in range(0, ENTRIES, AT_ONCE):
            notes = (
                NewEntry(Verb.CASE_NOTED, ("case", str(number)), {"note": f"Looked at account {number} again."})
                for number in range(start, start + AT_ONCE)
            )
            with transaction.atomic():
                record_all(list(notes), by=MACHINE, now=NOW)
    with timed("published"):
        assert publish(now=NOW) is not None
    with timed("compared with what was published by audit_verify"):
        check = LogCheck()
        assert not [fault for fault in check.walk() if fault]
    with timed("verified by an outsider"):
        assert verify_outside().returncode == 0

    assert check.fault is None
    assert check.entries == Entry.objects.count() == ENTRIES + 1
