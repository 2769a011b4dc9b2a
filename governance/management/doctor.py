"""What is wrong with an installation now, each in a line that says what to do. Changes nothing."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPException
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import psycopg
from celery import current_app
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from kombu.exceptions import OperationalError as BrokerError

from governance.audit.models import PublicationTrouble
from governance.audit.queries import find_unpublished_since
from governance.platform import heartbeats
from governance.platform.disk_space import find_installation_shortage
from governance.platform.old_schema import TOO_OLD, is_too_old
from governance.usage import backpressure
from governance.usage.models import DirtyAccount
from governance.web.counts import pluralize

# How long a server may take to answer. One that is frozen accepts connections and then says nothing.
PATIENCE_SECONDS: Final = 5
LOG_TROUBLES: Final = {
    PublicationTrouble.Kind.FAULT: (
        "The audit log does not fit what was published ({message}) {since}: leave both as they are, run manage.py "
        "audit_verify, and find out who changed what. Nothing is published meanwhile. After a restore that you wanted, "
        "run manage.py begin_log."
    ),
    PublicationTrouble.Kind.FOLDER: "The audit log cannot be published ({message}) {since}: see AUDIT_FOLDER.",
    PublicationTrouble.Kind.WITNESS: (
        "The witness does not sign the audit log ({message}) {since}: see AUDIT_WITNESS_URL."
    ),
    PublicationTrouble.Kind.TIME_STAMP: (
        "The audit log gets no time stamps ({message}) {since}: see AUDIT_TIMESTAMP_URL."
    ),
}
SILENT_AFTER: Final = timedelta(minutes=1)
BEHIND_AFTER: Final = timedelta(minutes=5)


def troubles(*, now: datetime) -> Iterator[str]:
    """Every trouble that is found, the one that is most likely to cause the others first."""
    yield from _of_disk()
    yield from _of_broker()
    silent_check = [*_of_check()]
    yield from silent_check
    unreachable = [*_of_database(goes_on="" if silent_check else "; checks go on meanwhile")]
    yield from unreachable
    if not unreachable:
        try:
            lacking = [*_of_migrations()]
            yield from lacking
            if not lacking:
                yield from _of_timetable(now)
                yield from _of_backlog(now)
                yield from _of_log(now)
        except Error as error:
            yield f"PostgreSQL refuses: {_in_a_line(error)}."


def _of_disk() -> Iterator[str]:
    if settings.EMBEDDED and (short := find_installation_shortage(settings.DATA_DIR)):
        soon = "; when it is full, usage is answered 503 and nothing can be decided" if short.is_grave else ""
        yield f"Only {short.percent:.1f} % of the disk of {short.folder} is free{soon}. Free some space."


def _of_broker() -> Iterator[str]:
    try:
        with current_app.connection_for_write(connect_timeout=PATIENCE_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, timeout=PATIENCE_SECONDS)
    except (BrokerError, OSError) as error:
        yield f"The broker does not answer ({_in_a_line(error)}): work is delayed until it is started again."


def _of_check() -> Iterator[str]:
    address = f"{_check_url()}/health/"
    try:
        with urlopen(address, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the operator's own address
            answered, said = answer.status == HTTPStatus.OK, answer.read(200).decode("ascii", "replace").strip()
    except (OSError, URLError, HTTPException, ValueError):
        answered, said = False, ""
    if answered and said.startswith("not up to date"):
        yield f"The check at {address} is {said}. It refuses whom it knew: see that it reaches PostgreSQL."
    if not answered:
        yield (
            f"The check does not answer at {address}: gateways do what they do without it. Start it, or set CHECK_URL "
            "or CHECK_PORT to where it is."
        )


def _check_url() -> str:
    """Where the settings say; without a word of theirs, where a running `manage.py up` has its check."""
    if not settings.CHECK_URL_IS_GIVEN:
        with suppress(OSError):
            return str(settings.CHECK_URL_FILE.read_text().strip())
    return str(settings.CHECK_URL)


def _of_database(*, goes_on: str) -> Iterator[str]:
    parameters = connection.get_connection_params()
    try:
        psycopg.connect(**{**parameters, "connect_timeout": PATIENCE_SECONDS}).close()
    except psycopg.Error as error:
        yield f"PostgreSQL does not answer ({_in_a_line(error)}). Start it{goes_on}."


def _of_migrations() -> Iterator[str]:
    if is_too_old():
        yield TOO_OLD
        return
    executor = MigrationExecutor(connection)
    if lacking := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield f"The database lacks {pluralize(len(lacking), 'migration')}: run manage.py migrate."


def _of_timetable(now: datetime) -> Iterator[str]:
    last = heartbeats.last_heartbeats()
    silent = {queue: at for queue, at in last.items() if at is None or now - at > SILENT_AFTER}
    if silent.keys() == last.keys():
        newest = max((at for at in silent.values() if at), default=None)
        yield f"No task of the timetable has run {_since(newest)}: start the scheduler, the worker and the courier."
        return
    for queue, at in silent.items():
        yield f"The {heartbeats.QUEUES[queue]} has done nothing {_since(at)}: start it."


def _of_backlog(now: datetime) -> Iterator[str]:
    if (lag := backpressure.scoring_lag(now=now)) > BEHIND_AFTER:
        yield f"An account has waited for its score for {lag.total_seconds():,.0f} s: run more workers."
    if dead_letters := DirtyAccount.objects.exclude(dead_lettered_at=None).count():
        accounts = pluralize(dead_letters, "account")
        yield f"{accounts} failed scoring three times: run manage.py rescore --dead-letters."


def _of_log(now: datetime) -> Iterator[str]:
    if not settings.AUDIT_KEYS:
        yield "The audit log is not published: set AUDIT_KEY, which manage.py rotate_log_key makes."
        return
    known = list(PublicationTrouble.objects.order_by("kind"))
    for trouble in known:
        said = LOG_TROUBLES[PublicationTrouble.Kind(trouble.kind)]
        yield said.format(message=trouble.message, since=_since(trouble.since))
    waiting = find_unpublished_since()
    if not known and waiting is not None and now - waiting > BEHIND_AFTER:
        yield f"The audit log has not been published {_since(waiting)}: start the courier, or read what it logs."


def _since(at: datetime | None) -> str:
    return f"since {at:%F %T} UTC" if at else "yet"


def _in_a_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
