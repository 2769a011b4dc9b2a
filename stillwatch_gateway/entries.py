"""A restriction as it was published: what it asks of the gateway, when, and by which names."""

from math import inf
from typing import Final, NamedTuple

KINDS: Final = ("watch", "warn", "throttle", "withhold", "verify", "suspend", "block")
DENYING: Final = frozenset({"suspend", "block"})
NAMED_BY: Final = ("organisation", "account", "key", "digest")
FOREVER: Final = inf


class EntryTerms(NamedTuple):
    """What a restriction asks of the gateway. Few differ, so that thousands of restrictions share one.

    `denies` is the message's word on whether access is denied, None where the kind says so. `each_account` is set for
    restrictions of an organisation: a throttle leaves every account of it this many requests.
    """

    kind: str
    reason: str
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: tuple[str, ...] = ()  # in alphabetical order
    denies: bool | None = None
    each_account: bool = False


class Throttle(NamedTuple):
    """A limit on requests, and the number of the restriction that sets it.

    `customer` is whom it is counted for where a restriction of an organisation leaves it to each account: a name that
    the restriction covers, the account's where that is among them. It is blank where the restriction has one count.
    """

    number: int
    requests_per_minute: int
    customer: str = ""


class RestrictionEntry(NamedTuple):
    """A restriction as it was published. Times are seconds since 1970, `until` is infinite where there is none; `names`
    are such as "account:acct_1042". `target` is the one of them that it is against, or only the kind, such as
    "organisation:", where a change of names does not say which.

    Where `is_whole` is False, `names` are only those that a known restriction covers from now on, and `removed` those
    that it does no longer.
    """

    number: int
    terms: EntryTerms
    since: float
    until: float
    names: tuple[str, ...]
    is_whole: bool = True
    removed: tuple[str, ...] = ()
    target: str = ""

    def with_names_changed(self, change: "RestrictionEntry") -> "RestrictionEntry":
        """Return this restriction after a change of its names."""
        removed = set(change.removed)
        kept = tuple(name for name in self.names if name not in removed)
        return change._replace(
            names=kept + change.names, is_whole=True, removed=(), target=self.target or change.target
        )
