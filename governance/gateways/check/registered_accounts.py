"""The accounts of the register, as the hot check knows them: in memory, so that no answer waits for the database."""

import logging
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import psycopg

from governance.gateways.check import sql

logger = logging.getLogger(__name__)

READ_EVERY: Final = 1.0
# Without a look for this long an account that is not known may be registered all the same.
FRESH_FOR: Final = 10.0
FIRST_SIZE: Final = 2**12


class _Look(NamedTuple):
    """What one look at the register saw: the highest primary key, and the next transaction that was to begin."""

    highest: int
    next_transaction: int


class RegisteredAccounts:
    """The ids of all accounts, as hashes of 64 bits in an open-addressed table: 16 to 32 bytes an account.

    One thread keeps them current while others ask.

    Python keys its hashes by process; that an id of a million accounts has the hash of another one has a chance of one
    in 10^13.
    """

    def __init__(self, connect: Callable[[], sql.Connection] = sql.connect) -> None:
        self._connect = connect
        self._table, self._size = array("q", bytes(8 * FIRST_SIZE)), 0  # 0 is an empty place
        self._looks: deque[_Look] = deque()
        self._complete_up_to = 0  # no open transaction may still add an account with a primary key up to here
        self._read_at = float("-inf")
        self._ended, self._is_outdated = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._keep, name="accounts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def reload(self) -> None:
        """Have everything read again, since the database is no longer the one that was read."""
        self._is_outdated.set()

    def __len__(self) -> int:
        return self._size

    def __contains__(self, account: str) -> bool:
        table = self._table
        return table[_place(table, hash(account) or 1)] != 0

    def is_registered(self, names: Iterable[str]) -> bool | None:
        """Whether any account among these names, such as "account:acct_1042", is registered.

        None where no account is among them, or where the register could not be read for some seconds.
        """
        is_asked = False
        for name in names:
            if name.startswith("account:"):
                if name[8:] in self:
                    return True
                is_asked = True
        return False if is_asked and time.monotonic() - self._read_at < FRESH_FOR else None

    def forget(self) -> None:
        """Begin with an empty table: the database is another one, whose primary keys begin again lower.

        Only the thread that reads may call it.
        """
        self._read_at = float("-inf")
        self._looks.clear()
        self._complete_up_to = 0
        self._table, self._size = array("q", bytes(8 * FIRST_SIZE)), 0

    def read(self, database: sql.Connection) -> None:
        """Add the accounts that are new. Raises psycopg.Error.

        A transaction may commit an account after others with higher primary keys, so that a look begins where no
        transaction is open any more that was open, or could have begun, at the time of an earlier look.
        """
        oldest_open, next_transaction = sql.transaction_bounds(database)
        highest = self._complete_up_to
        for primary_key, account in sql.accounts_after(database, self._complete_up_to):
            highest = max(highest, primary_key)
            self._add(hash(account) or 1)
        while self._looks and self._looks[0].next_transaction <= oldest_open:
            self._complete_up_to = self._looks.popleft().highest  # whatever was open then has ended, and was read now
        if highest > self._complete_up_to and (not self._looks or self._looks[-1].highest < highest):
            self._looks.append(_Look(highest, next_transaction))
        self._read_at = time.monotonic()

    def _add(self, hashed: int) -> None:
        place = _place(self._table, hashed)
        if self._table[place] == hashed:
            return
        self._table[place] = hashed
        self._size += 1
        if 2 * self._size > len(self._table):
            larger = array("q", bytes(16 * len(self._table)))
            for kept in filter(None, self._table):
                larger[_place(larger, kept)] = kept
            self._table = larger  # at once, so that no account is missing for a moment

    def _keep(self) -> None:
        while not self._ended.is_set():
            try:
                with self._connect() as database:
                    while not self._ended.is_set():
                        if self._is_outdated.is_set():
                            self._is_outdated.clear()
                            self.forget()
                        self.read(database)
                        self._ended.wait(READ_EVERY)
            except psycopg.Error as error:
                logger.info("Cannot read the register of accounts: %s", type(error).__name__)
            except Exception:
                logger.exception("Keeping the registered accounts current failed")
            self._ended.wait(READ_EVERY)


def _place(table: "array[int]", hashed: int) -> int:
    """Where this hash stands, or would stand; the size of a table is a power of two."""
    mask = len(table) - 1
    place = hashed & mask
    while (other := table[place]) and other != hashed:
        place = (place + 1) & mask
    return place
