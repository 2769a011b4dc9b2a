"""Entries of the audit log, for programs that read them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request

from governance.audit.actions import record
from governance.audit.models import Entry
from governance.audit.queries import get_published_log
from governance.audit.verbs import Verb
from governance.overview.log_pages.queries import FileFormat, LogFilter, matching_entries
from governance.overview.log_pages.serializers import EntryQuery, EntryRow, without_people
from governance.staff.models import ServiceKey
from governance.web.authentication import acting_key
from governance.web.row_lists import RowsView, describe_rows


@describe_rows(
    summary="List entries of the audit log",
    description=(
        "The newest first. What staff typed, names, e-mail addresses and networks are left out: the page of the log "
        "has them, with proofs. An export is an entry itself."
    ),
    example={
        "number": 4711,
        "at": "2026-11-02T09:30:00Z",
        "actor_kind": "staff",
        "actor_id": "c2d8f0b4-9f9b-4e6f-9c0a-2f3c1c1f0e07",
        "verb": "case.decided",
        "subject_kind": "case",
        "subject_id": "5e0f8d53-4f0e-4c5b-8a43-7b1f3f0f9a51",
        "details": {"action": "block", "reason": "bulk_harvest"},
    },
)
class EntriesView(RowsView):
    """`GET /api/v1/log-entries`."""

    scopes = {"GET": ServiceKey.Scope.LOG_READ}
    list_name, query, row, order = "entries", EntryQuery, EntryRow, ("-number",)
    # Which details are shown follows from the verb, and what an entry is about from its kind.
    needed = ("verb", "subject_kind", "subject_id", "details")

    def rows(self, asked: Mapping[str, Any]) -> QuerySet[Entry]:
        return matching_entries(_filter(asked))

    def shown(self, row: dict[str, Any]) -> dict[str, Any]:
        return without_people(row)

    def note_export(self, request: Request, asked: Mapping[str, Any], rows: QuerySet[Any]) -> None:
        details = {"format": FileFormat.NDJSON.value, "entries": rows.count(), "filter": _filter(asked).as_details()}
        subject = ("log", get_published_log().origin)
        with transaction.atomic():
            record(
                Verb.LOG_EXPORTED, subject=subject, by=acting_key(request).actor, now=timezone.now(), details=details
            )


def _filter(asked: Mapping[str, Any]) -> LogFilter:
    return LogFilter(**{name: value for name, value in asked.items() if name in LogFilter._fields})
