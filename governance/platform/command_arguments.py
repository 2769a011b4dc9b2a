"""Types of command-line arguments, for `add_argument(type=...)`. Each raises ArgumentTypeError with what to write."""

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Final

LONGEST_REASON: Final = 300
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


def duration_argument(text: str) -> timedelta:
    """Return a length of time such as 15m, 1h or 1d."""
    found = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", text)
    if found is None:
        raise ArgumentTypeError(f"{text} is not a time span: write 15m, 1h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def time_argument(text: str) -> datetime:
    """Return a day or a time in ISO 8601; in UTC if it names no zone."""
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is not a time: write 2026-11-02 or 2026-11-02T09:00:00Z") from error
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def reason_argument(text: str) -> str:
    """Return why something is done, as the audit log keeps it."""
    reason = text.strip()
    if not 1 <= len(reason) <= LONGEST_REASON:
        raise ArgumentTypeError(f"give a reason of 1 to {LONGEST_REASON} characters")
    return reason
