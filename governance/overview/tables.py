"""The tables of the charts, for files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from governance.overview.queries import AGES, count_waiting, get_case_counts_by_day, get_harm

Table: TypeAlias = tuple[Sequence[str], Iterable[Sequence[object]]]


def waiting_table(*, now: datetime) -> Table:
    rows = [(band.value, *counts, total) for band, counts, total in count_waiting(now=now).rows]
    return ("Band", *(age.name for age in AGES), "All"), rows


def cases_by_day_table(*, now: datetime) -> Table:
    head = ("Day (UTC)", "Opened", "Decided", "Median hours to decide")
    rows = get_case_counts_by_day(now=now, harm=get_harm(now=now)).days
    return head, [
        (one.day, one.opened, one.decided, None if one.median_hours is None else round(one.median_hours, 2))
        for one in rows
    ]


def harm_table(*, now: datetime) -> Table:
    head = (
        *("Day (UTC)", "Measured at (UTC)", "Accounts in flight", "Requests in flight", "Output tokens in flight"),
        *("Accounts stopped", "Output tokens a day stopped", "Requests refused"),
    )
    return head, [
        (
            one.day,
            f"{one.measured_at:%F %H:%M}",
            one.accounts_in_flight,
            one.requests_in_flight,
            one.tokens_in_flight,
            one.accounts_stopped,
            one.tokens_stopped,
            one.requests_refused,
        )
        for one in get_harm(now=now).days
    ]


TABLES: Final[Mapping[str, Callable[..., Table]]] = {
    "waiting": waiting_table,
    "days": cases_by_day_table,
    "harm": harm_table,
}
