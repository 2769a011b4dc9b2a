"""What this process has seen in the register: names that are there for good, so that usage need not ask for each again.

Only what is committed may be remembered: see `transaction.on_commit` in actions.py.
"""

from collections.abc import Iterable, Mapping
from typing import Final

MOST: Final = 500_000


class Known:
    """Names and their primary keys; forgets everything when there are too many."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}

    def among(self, names: Iterable[str]) -> dict[str, int]:
        """Those of these names that are known."""
        keys = self._keys
        return {name: keys[name] for name in names if name in keys}

    def remember(self, keys: Mapping[str, int]) -> None:
        if len(self._keys) + len(keys) > MOST:
            self._keys = {}
        self._keys.update(keys)

    def forget(self) -> None:
        self._keys = {}


accounts: Final = Known()
keys: Final = Known()  # keys, each with the account that usage claimed it for last
tied: Final = Known()  # the same of senders that may tie keys
