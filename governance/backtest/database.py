"""A temporary database beside the real one, for backtests and measurements."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from governance.platform.database_roles import as_owner
from governance.platform.notifications import suppress_tasks
from governance.usage import partitions
from governance.usage.excerpts import reset_excerpt_thresholds


@contextmanager
def backtest_database(purpose: str) -> Iterator[None]:
    """Use a new, empty database on the same server for the block, and drop it afterwards. The real one is not touched.

    Its name carries the process and chance, so that any number at a time stay apart, on however many machines. It does
    not wait for the disk, since what is in it can be made again, and it rings for no worker.
    """
    with as_owner():  # who runs Stillwatch may make no database
        settings, name = connection.settings_dict["TEST"], str(connection.settings_dict["NAME"])
        before = settings["NAME"]
        settings["NAME"] = f"stillwatch_{purpose}_{os.getpid()}_{secrets.token_hex(3)}"
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = off")
            _forget_the_other()
            with suppress_tasks():
                yield
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)
            settings["NAME"] = before
            _forget_the_other()


def _forget_the_other() -> None:
    """What this process has seen stand in one database does not stand in the other."""
    partitions.reset_partition_cache()
    reset_excerpt_thresholds()
