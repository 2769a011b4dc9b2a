"""Primary keys of accounts and API keys that this process has looked up, so that usage need not ask for them again.

Rows of the register are never deleted, so an entry stays right. Only what is committed may be added: see
`transaction.on_commit` in actions.py.
"""

from collections.abc import Iterable, Mapping
from typing import Final

MOST_NAMES: Final = 500_000


class IdCache:
    """Primary keys by name. Empties itself when it holds too many."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}

    def get_many(self, names: Iterable[str]) -> dict[str, int]:
        """Return the primary keys of those of these names that are in the cache."""
        ids = self._ids
        return {name: ids[name] for name in names if name in ids}

    def add(self, ids: Mapping[str, int]) -> None:
        if len(self._ids) + len(ids) > MOST_NAMES:
            self._ids = {}
        self._ids.update(ids)

    def clear(self) -> None:
        self._ids = {}


accounts: Final = IdCache()
keys: Final = IdCache()  # API keys, each with the account that usage claimed it for last
tied_keys: Final = IdCache()  # the same, as claimed by senders that may tie keys to accounts
