"""Databases that this release cannot upgrade."""

from typing import Final

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

# Apps of the versions before 0.2.0, whose migrations were replaced by new first ones.
LABELS_BEFORE_0_2: Final = {"enforcement", "risk"}
TOO_OLD: Final = (
    "This database was made by a version before 0.2.0, and those cannot be upgraded. Use a new database: set "
    "STILLWATCH_DATA to a new folder, or DATABASE_URL to an empty database."
)


def is_too_old() -> bool:
    """Return True if a version before 0.2.0 made this database."""
    applied = MigrationRecorder(connection).applied_migrations()
    return any(label in LABELS_BEFORE_0_2 for label, _ in applied)
