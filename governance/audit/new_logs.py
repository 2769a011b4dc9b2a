"""Begin another log after a restore that was wanted, when the database no longer holds all that was published.

What was published stays where it is. The new log begins with the entries that both have, and one of its entries says
how many those are, and of how many.
"""

from datetime import UTC, datetime

from django.db import transaction

from governance.audit.actions import record
from governance.audit.actor import Actor
from governance.audit.folder import LogFolder
from governance.audit.publishing import log_keys, newest_log_in_folder
from governance.audit.queries import PublishedLog, get_published_log, iter_leaves
from governance.audit.stillwatch_verify import TILE_WIDTH, LogFaultError
from governance.audit.verbs import Verb
from governance.platform.locks import Lock, advisory_lock


class LogFitsError(Exception):
    """The database holds all that was published, so that the log can go on."""


def begin_log(*, reason: str, by: Actor, now: datetime) -> PublishedLog:
    """Let the log go on under another name, in a folder of its own beside what was published before.

    Raises LogFitsError, LogFaultError for a folder that cannot be verified, OSError, ValueError for a key that is none.
    """
    with advisory_lock(Lock.LOG_PUBLICATION, wait=True):
        before = newest_log_in_folder()
        folder = LogFolder(before.path)
        published = folder.newest([key.verifier for key in log_keys(before)])
        entries = published.size if published else 0
        common = _count_common(folder, entries)
        if common == entries and before == get_published_log():
            raise LogFitsError
        log = PublishedLog(f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
        if log.name <= before.name:
            raise LogFaultError(f"the clock is behind {before.name}, when the log before was begun")
        details = {"name": log.name, "before": before.origin, "entries": entries, "common": common, "reason": reason}
        with transaction.atomic():
            record(Verb.LOG_BEGAN, subject=("log", log.origin), by=by, now=now, details=details)
        return log


def _count_common(folder: LogFolder, size: int) -> int:
    """Return with how many of the entries in the folder the database begins."""
    ours = iter_leaves(1, size)
    for start in range(0, size, TILE_WIDTH):
        theirs = folder.entries(start // TILE_WIDTH, min(TILE_WIDTH, size - start))
        for number, entry in enumerate(theirs, start=start):
            try:
                if next(ours, None) != entry:
                    return number
            except LogFaultError:  # it was changed
                return number
    return size
