"""Another worker, which has the turn at a gateway."""

from collections.abc import Iterator
from contextlib import contextmanager

from governance.gateways.check import sql as rows
from governance.gateways.models import Gateway
from governance.platform.locks import Lock


@contextmanager
def somebody_else_has(what: Lock, gateway: Gateway) -> Iterator[None]:
    with rows.connect() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [what, gateway.pk])
        yield
        # The server ends a closed connection, and its locks with it, a moment later.
        other.execute("SELECT pg_advisory_unlock(%s, %s)", [what, gateway.pk])
