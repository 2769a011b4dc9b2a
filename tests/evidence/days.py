"""Usage of days that are over, for tests of seals and bundles."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from governance.usage.actions import record_lines
from tests.factories import NOW, line

YESTERDAY = NOW.date() - timedelta(days=1)


def use(
    account: str, many: int, *, day: date = YESTERDAY, first: int = 1, now: datetime | None = None, **members: object
) -> None:
    """Take in events of an account on a day, as if they had arrived then, or at `now`."""
    at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    lines: Sequence[bytes] = [
        line(
            id=f"req_{account}_{day}_{number}",
            account=account,
            occurred_at=(at + timedelta(minutes=number)).isoformat(),
            **{"end_user": f"user_{number}", **members},
        )
        for number in range(first, first + many)
    ]
    record_lines(lines, source="native", now=now or at + timedelta(hours=1))
