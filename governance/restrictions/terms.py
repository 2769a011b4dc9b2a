"""The terms of a restriction: kind, reason, times and limits."""

from datetime import datetime
from typing import Any, Final

import msgspec

# When a restriction starts and ends, and who agreed: all else is what it asks.
_CIRCUMSTANCES: Final = ("starts_at", "until", "approver")


class Terms(msgspec.Struct, frozen=True):
    """The terms of a restriction, whomever it is against.

    It starts at `starts_at`, or at once, and is in force until `until`, or until it is lifted. Kind and reason are
    codes of RestrictionKind and Reason. They are plain texts, since a newer release may have stored one that this one
    does not know, and its restrictions are still listed and published.
    """

    kind: str
    reason: str
    until: datetime | None = None
    starts_at: datetime | None = None
    terms_clause: str = ""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: tuple[str, ...] = ()
    approver: str = ""

    def start(self, now: datetime) -> datetime:
        return max(self.starts_at or now, now)

    def starts_later(self, now: datetime) -> bool:
        """Return True if a start in the future is asked for. All others are in force as soon as they are known."""
        return self.starts_at is not None and self.starts_at > now

    def as_json(self) -> dict[str, Any]:
        """Return what is asked, without times and the approver, as it is stored, recorded and sent as JSON."""
        members: dict[str, Any] = msgspec.to_builtins(self)
        for name in _CIRCUMSTANCES:
            del members[name]
        return members | {"withheld": sorted(set(self.withheld))}

    def as_feed_json(self) -> dict[str, Any]:
        """Return what is sent to gateways: all but the clause, which is between the seller and the customer."""
        members = self.as_json()
        del members["terms_clause"]
        return members


def parse_terms(asked: Any, **others: Any) -> Terms:
    """Return terms from members such as `Terms.as_json` returns, and `others`. Members that terms have not are ignored.

    Raises msgspec.ValidationError.
    """
    return msgspec.convert({**asked, **others}, Terms)
