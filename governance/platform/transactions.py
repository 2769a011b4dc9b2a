"""Run a transaction again if PostgreSQL ended it because of another one. Nothing else does so.

Rows are locked in the order of their primary keys, so conflicts are rare; whatever remains of them costs a moment.
"""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS: Final = 4
# Those that met in a conflict do not meet again at the same moment.
LONGEST_PAUSE_SECONDS: Final = 0.05

logger = logging.getLogger(__name__)


def retried_transaction(act: Callable[P, R]) -> Callable[P, R]:
    """Run `act` in a transaction, and once more where a deadlock or a serialization failure ended it: up to four times.

    Within the transaction of a caller it is a part of that one, which can only be repeated as a whole.
    `act` reads what it changes from the database, so that a second run begins like the first.
    """
    in_transaction = transaction.atomic(act)

    @wraps(act)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        attempt = 1
        while True:
            try:
                return in_transaction(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or attempt == ATTEMPTS or not is_retryable(error):
                    raise
                logger.warning("Retrying %s: %s", act.__qualname__, type(error.__cause__).__name__)
            time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS * attempt))  # noqa: S311 - no secret
            attempt += 1

    return run


def is_retryable(error: BaseException) -> bool:
    """Whether PostgreSQL ended the transaction so that others could go on: run again, it can succeed."""
    return isinstance(error.__cause__, DeadlockDetected | SerializationFailure)


def is_unavailable(error: BaseException) -> bool:
    """Whether the database did not answer, or not in time: nothing was changed, and the same can be tried later."""
    return isinstance(error, OperationalError | InterfaceError)


def is_permanent_error(error: BaseException) -> bool:
    """Return True if trying again would not help: the work itself is at fault, not a lock or the server."""
    return not is_unavailable(error) or isinstance(error.__cause__, QueryCanceled)


def is_lock_timeout(error: BaseException) -> bool:
    """Whether another transaction held a lock for longer than this process waits (`lock_timeout`)."""
    return isinstance(error.__cause__, LockNotAvailable)
