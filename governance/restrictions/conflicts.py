"""Requests refused because of a restriction that exists already, and how the two differ."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from governance.restrictions.models import Restriction
from governance.restrictions.names import Target, target_reference
from governance.restrictions.terms import Terms


class Difference(NamedTuple):
    """What was asked for before under a key, and what is asked for now."""

    before: Any
    now: Any


class ConflictingKeyError(Exception):
    """The unique key was used before, for something else."""

    def __init__(self, earlier: Restriction, differences: Mapping[str, Difference]) -> None:
        listed = ", ".join(
            f"{name} ({_in_words(one.before)}, now {_in_words(one.now)})" for name, one in differences.items()
        )
        super().__init__(f"This key was already used for restriction {earlier.number}, which differs in {listed}.")
        self.earlier, self.differences = earlier, differences


class StartsLaterError(Exception):
    """One of the same kind is in force before, which a restriction that starts later would end too early."""

    def __init__(self, active: Restriction) -> None:
        super().__init__(
            f"Restriction {active.number} of this kind is in force before this one starts, and would end at once. "
            "Leave out starts_at, let it start when that one is over, or lift that one first."
        )
        self.active = active


def differences(earlier: Restriction, target: Target, terms: Terms, *, made_at: datetime) -> dict[str, Difference]:
    """Return in what a request differs from the restriction that the same key made at `made_at`."""
    # A start in the past means at once, so both are compared as they were when the restriction was made.
    before = _compared_fields(earlier.target, earlier.terms, earlier.starts_at)
    now = _compared_fields(target, terms, terms.start(made_at))
    return {name: Difference(value, now[name]) for name, value in before.items() if value != now[name]}


def _compared_fields(target: Target, terms: Terms, starts_at: datetime) -> dict[str, Any]:
    times = {"starts_at": starts_at, "expires_at": terms.until}
    return {"target": " ".join(target_reference(target))} | terms.as_json() | times | {"approver": terms.approver}


def _in_words(value: Any) -> str:
    """Return a value as a message names it."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return ", ".join(value) or "nothing"
    return "nothing" if value in {None, ""} else str(value)
