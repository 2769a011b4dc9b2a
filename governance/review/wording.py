"""Times and figures as text for the pages. Pure."""

from datetime import datetime, timedelta

from governance.review.models import action_info

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def format_duration(length: timedelta) -> str:
    """A length of time in its largest fitting unit: `45 min`, `3 h`, `1 day 4 h`, `2 days`; the sign is left out."""
    length = abs(length)
    if length < MINUTE:
        return "a moment"
    if length < HOUR:
        return f"{length // MINUTE} min"
    if length < DAY:
        return f"{length // HOUR} h"
    if length < 2 * DAY:
        return f"1 day {length % DAY // HOUR} h".removesuffix(" 0 h")
    if length < 90 * DAY:
        return f"{length // DAY} days"
    return f"{length // (30 * DAY)} months"


def format_ago(moment: datetime, *, now: datetime) -> str:
    """`3 h ago`, `just now`; a moment to come is `in 3 h`."""
    if abs(now - moment) < MINUTE:
        return "just now"
    return f"in {format_duration(moment - now)}" if moment > now else f"{format_duration(now - moment)} ago"


def format_due(moment: datetime, *, now: datetime) -> str:
    """`due in 3 h`, or `3 h overdue`."""
    return f"due in {format_duration(moment - now)}" if moment > now else f"{format_duration(now - moment)} overdue"


def format_elapsed(length: timedelta) -> str:
    """How long something took, to a tenth of a second: `0.2 s`, `7 s`, `3 min`."""
    seconds = length.total_seconds()
    if seconds >= 60:
        return format_duration(length)
    return f"{seconds:.1f} s" if seconds < 5 else f"{seconds:.0f} s"


def format_compact(number: float) -> str:
    """A number short enough for a row: `950`, `12.4 k`, `3.1 M`, `2 G`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{number:,.0f}"


def format_figure(name: str, value: object) -> str:
    """A piece of evidence as people write it; shares are percentages, as their names say."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "unknown"
    if not isinstance(value, int | float):
        return str(value)
    if name.endswith(("_share", "_percentile", "_flatness")) and 0 <= value <= 1:
        return f"{value:.0%}".replace("%", " %")
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def outcome_word(action: str) -> str:
    """Return what an account is after an action, or under a kind of restriction, in a word."""
    return action_info(action).outcome
