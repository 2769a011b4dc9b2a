"""A log that is published to the folder of the test, and what its outsiders have."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection

from governance.audit import stillwatch_verify
from governance.audit.actions import NewEntry, record, record_all
from governance.audit.chain import GENESIS, canonical_json, entry_hash
from governance.audit.models import Checkpoint, Entry
from governance.audit.notes import format_key
from governance.audit.publishing import log_keys, publish
from governance.audit.queries import PublishedLog, content_of, get_published_log
from governance.audit.verbs import Verb
from tests.factories import MACHINE, NOW


def write(note: object = "Looked at it.", *, at: datetime = NOW) -> Entry:
    return record(Verb.CASE_NOTED, subject=("case", "1"), by=MACHINE, now=at, details={"note": note})


def write_many(many: int) -> None:
    notes = (NewEntry(Verb.CASE_NOTED, ("case", "1"), {"note": f"Note {number}."}) for number in range(many))
    record_all(list(notes), by=MACHINE, now=NOW)


def publish_to(size: int, *, now: datetime = NOW) -> Checkpoint:
    """Fill the log up to this size, entries about its keys included, and publish it."""
    publish(now=now)
    write_many(size - Entry.objects.count())
    checkpoint = publish(now=now)
    assert checkpoint is not None
    assert checkpoint.size == size
    return checkpoint


def forge(statement: str, *parameters: Any) -> None:
    """What somebody with the keys to the database could do: switch the triggers off and change rows."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute(statement, parameters)
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def forget_leaves() -> None:
    """Make every entry one of a release that kept no leaves, and hashed the columns instead."""
    previous = GENESIS
    for entry in Entry.objects.oldest_first():
        hashed = entry_hash(previous, canonical_json(content_of(entry)))
        change = "UPDATE audit_entry SET leaf = NULL, previous_hash = %s, hash = %s WHERE number = %s"
        forge(change, previous, hashed, entry.number)
        previous = hashed


def verify_outside(
    log: PublishedLog | None = None,
    *,
    kept: Sequence[Path] = (),
    program: Path | None = None,
    modules: Path | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run the verifier in a process of its own; with `modules`, a folder, it can import only what lies there."""
    start = [sys.executable]
    if modules is not None:
        path = f"import sys; sys.path.insert(0, {str(modules)!r}); import runpy; sys.argv = sys.argv[1:]; "
        start += ["-I", "-S", "-c", f"{path}runpy.run_path(sys.argv[0], run_name='__main__')"]
    command = [*start, str(program or stillwatch_verify.__file__), str((log or get_published_log()).path)]
    command += [part for key in log_keys(log) for part in ("--key", format_key(key.verifier))]
    command += [part for file in kept for part in ("--checkpoint", str(file))]
    return subprocess.run(command, capture_output=True, text=True, check=False)
