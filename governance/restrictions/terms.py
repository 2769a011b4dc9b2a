"""What a restriction says, and how two requests for the same one differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from governance.restrictions.models import Reason, Restriction
from governance.restrictions.names import KINDS, Target

# Members that one kind of restriction alone takes, whether a policy or the API asks for it.
TAKEN_BY: Final[Mapping[str, str]] = {
    "requests_per_minute": "throttle",
    "tokens_per_minute": "throttle",
    "withheld": "withhold",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What is put into force, whoever it is against. Until when: for ever, unless `until` says."""

    kind: Restriction.Kind
    reason: Reason
    until: datetime | None = None
    starts_at: datetime | None = None
    terms_clause: str = ""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    withheld: Sequence[str] = field(default=())
    approver: str = ""

    @classmethod
    def of(cls, restriction: Restriction) -> Self:
        return cls(
            kind=Restriction.Kind(restriction.kind),
            reason=Reason(restriction.reason),
            until=restriction.expires_at,
            starts_at=restriction.starts_at,
            terms_clause=restriction.terms_clause,
            requests_per_minute=restriction.requests_per_minute,
            tokens_per_minute=restriction.tokens_per_minute,
            withheld=restriction.withheld,
            approver=restriction.approver,
        )

    def start(self, now: datetime) -> datetime:
        return max(self.starts_at or now, now)


class Difference(NamedTuple):
    """What was asked for before under a key, and what is asked for now."""

    before: Any
    now: Any


def named(target: Target) -> tuple[str, str]:
    """The kind and the external id of what a restriction is against, as the audit log and the API name it."""
    return KINDS[type(target)], target.external_id


def differences(earlier: Restriction, target: Target, terms: Terms, *, made_at: datetime) -> dict[str, Difference]:
    """In what a request differs from the restriction that the same key made at `made_at`."""
    pairs = {
        "target": (" ".join(named(earlier.target)), " ".join(named(target))),
        "kind": (str(earlier.kind), str(terms.kind)),
        "reason": (str(earlier.reason), str(terms.reason)),
        "terms_clause": (earlier.terms_clause, terms.terms_clause),
        # A start in the past means at once, so both are compared as they were when the restriction was made.
        "starts_at": (earlier.starts_at, terms.start(made_at)),
        "expires_at": (earlier.expires_at, terms.until),
        "requests_per_minute": (earlier.requests_per_minute, terms.requests_per_minute),
        "tokens_per_minute": (earlier.tokens_per_minute, terms.tokens_per_minute),
        "withheld": (sorted(set(earlier.withheld)), sorted(set(terms.withheld))),
        "approver": (earlier.approver, terms.approver),
    }
    return {name: Difference(before, now) for name, (before, now) in pairs.items() if before != now}


class ConflictingKeyError(Exception):
    """The unique key was used before, for something else."""

    def __init__(self, earlier: Restriction, differences: Mapping[str, Difference]) -> None:
        named = ", ".join(f"{name} ({said(one.before)}, now {said(one.now)})" for name, one in differences.items())
        super().__init__(f"This key was already used for restriction {earlier.number}, which differs in {named}.")
        self.earlier, self.differences = earlier, differences


class StartsLaterError(Exception):
    """One of the same kind is in force before, which a restriction that starts later would end too early."""

    def __init__(self, active: Restriction) -> None:
        super().__init__(
            f"Restriction {active.number} of this kind is in force before this one starts, and would end at once. "
            "Leave out starts_at, let it start when that one is over, or lift that one first."
        )
        self.active = active


def said(value: Any) -> str:
    """A value as a message names it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(value) or "nothing"
    return "nothing" if value in {None, ""} else str(value)
