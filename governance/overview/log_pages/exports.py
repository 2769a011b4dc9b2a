"""Export entries of the audit log with their proofs. Every export is an entry itself."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.chain import OpenedField
from governance.audit.models import Entry
from governance.audit.proofs import Prover
from governance.audit.queries import get_published_log, leaf_of, open_fields
from governance.audit.verbs import Verb
from governance.overview.log_pages.queries import FileFormat, LogFilter, matching_entries
from governance.web.spreadsheet import csv_cell

MOST: Final = 10_000
COLUMNS: Final = (
    *("number", "at", "actor_kind", "actor_id", "actor_name", "verb", "subject_kind", "subject_id", "details"),
    *("leaf", "fields", "proof"),
)


class TooManyEntriesError(Exception):
    """More entries than a file may hold."""

    def __init__(self) -> None:
        super().__init__(f"More than {MOST:,} entries match. Narrow the filters, for example by days.")


class ProvedEntry(NamedTuple):
    """`leaf` is what was published of the entry, and `fields` open what it commits to. `proof` is empty for one that is
    not published yet.
    """

    entry: Entry
    leaf: str
    fields: Mapping[str, OpenedField]
    proof: str


def export_entries(wanted: LogFilter, file_format: FileFormat, *, by: Actor, now: datetime) -> str:
    """Return a file of these entries, the oldest first.

    Raises TooManyEntriesError, LogFaultError for an entry that is not what was published, OSError if that cannot be
    read.
    """
    found = list(matching_entries(wanted).oldest_first()[: MOST + 1])
    if len(found) > MOST:
        raise TooManyEntriesError
    proved = list(_prove(found))
    details = {"format": file_format.value, "entries": len(found), "filter": wanted.as_details()}
    with transaction.atomic():
        subject = ("log", get_published_log().origin)
        record(Verb.LOG_EXPORTED, subject=subject, by=by, now=now, details=details)
    return _as_csv(proved) if file_format == FileFormat.CSV else _as_ndjson(proved)


def _prove(entries: Sequence[Entry]) -> Iterator[ProvedEntry]:
    prover = Prover()
    for entry in entries:
        leaf = leaf_of(entry)
        proof = prover.prove(entry.number, leaf)
        yield ProvedEntry(entry, leaf.decode(), open_fields(entry), proof.text if proof else "")


def _as_ndjson(proved: Sequence[ProvedEntry]) -> str:
    lines = (
        {"number": one.entry.number, "leaf": one.leaf, "fields": one.fields, "proof": one.proof or None}
        for one in proved
    )
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _as_csv(proved: Sequence[ProvedEntry]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in proved:
        entry = one.entry
        details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
        said = [getattr(entry, name) for name in COLUMNS[2:8]]
        fields = json.dumps(one.fields, ensure_ascii=False)
        row = [entry.number, entry.at.isoformat(), *said, details, one.leaf, fields, one.proof]
        writer.writerow([csv_cell(value) for value in row])
    return out.getvalue()
