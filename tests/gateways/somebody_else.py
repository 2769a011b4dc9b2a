"""Another process, which holds a lock."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import Model

from governance.gateways.check import sql as rows
from governance.platform.locks import Lock


@contextmanager
def somebody_else_has(what: Lock, row: Model | None = None) -> Iterator[None]:
    key = [what, row.pk if row is not None else 0]
    with rows.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", key)
        yield
        # The server ends a closed connection, and its locks with it, a moment later.
        other.execute("SELECT pg_advisory_unlock(%s, %s)", key)
