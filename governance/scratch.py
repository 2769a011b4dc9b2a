"""A database of one's own beside the real one, for as long as something is measured or tried."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from governance.doorbell import silence


@contextmanager
def scratch_database(purpose: str) -> Iterator[None]:
    """Work on a fresh, empty database on the same server; afterwards it is gone. Nothing of the real one is touched.

    Its name carries the process, so that two at a time stay apart. It does not wait for the disk, since what is in it
    can be made again, and it rings for no worker.
    """
    connection.settings_dict["TEST"]["NAME"] = f"stillwatch_{purpose}_{os.getpid()}"
    name = str(connection.settings_dict["NAME"])
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
        with silence():
            yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
