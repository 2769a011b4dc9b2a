"""The figures of the overview, and the cases behind each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import Count, DateTimeField, F, Func, IntegerField, Min, Q, Value

from governance.detection.scoring import Band
from governance.gateways.activity import list_known_gateways
from governance.gateways.missing_restrictions import find_missing_restrictions
from governance.gateways.queries import get_expected_state
from governance.overview.models import DailyMedian, HarmMeasure
from governance.review.models import Case, InboxItem
from governance.staff.models import User
from governance.usage.models import DirtyAccount

BANDS: Final = (Band.CRITICAL, Band.HIGH, Band.ELEVATED, Band.LOW)
DAYS: Final = 28
DUE_SOON: Final = timedelta(hours=4)
LISTED: Final = 8
# Measured every five minutes: see timetable.py.
STALE_AFTER: Final = timedelta(minutes=20)


class Age(NamedTuple):
    """How long cases have waited: from `least` to before the next one's."""

    name: str
    least: timedelta


AGES: Final = (
    Age("under 4 h", timedelta()),
    Age("4 to 24 h", timedelta(hours=4)),
    Age("1 to 3 days", timedelta(days=1)),
    Age("3 to 7 days", timedelta(days=3)),
    Age("7 days or more", timedelta(days=7)),
)


def in_age_range(age: int, *, now: datetime) -> Q:
    """The cases that are as old as `AGES[age]` says."""
    condition = Q(opened_at__gte=now - AGES[age + 1].least) if age + 1 < len(AGES) else Q()
    return condition & Q(opened_at__lt=now - AGES[age].least) if age else condition


class MyDay(NamedTuple):
    """What one reviewer has to do: how many cases wait, those that they have claimed or are assigned, what is due soon
    and free for them, and what colleagues want them to see and they have not.
    """

    waiting: int
    overdue: int
    mine: Sequence[Case]
    due_soon: Sequence[Case] | None
    mentions: Sequence[InboxItem]


def get_my_day(user: User, *, now: datetime, counted: "WaitingCounts | None" = None) -> MyDay:
    """In four queries. In two, and without what is due soon, where the open cases have been `counted`."""
    waiting = Case.objects.waiting().not_held(at=now)
    shown = Case.objects.waiting().select_related("account", "campaign").order_by("due_at", "pk")
    mine = list(shown.of(user, at=now)[:LISTED])  # on hold or not, as the queue lists them
    unread = InboxItem.objects.filter(user=user, read_at=None).select_related("case__account", "case__campaign", "by")
    mentions = list(unread.order_by("-at", "-pk")[:LISTED])
    if counted is not None:
        return MyDay(counted.total, counted.overdue, mine, None, mentions)
    counts = waiting.order_by().aggregate(waiting=Count("pk"), overdue=Count("pk", filter=Q(due_at__lte=now)))
    free = shown.for_next(user, at=now).exclude(pk__in=[case.pk for case in mine])
    due_soon = list(free.filter(due_at__lt=now + DUE_SOON)[:LISTED])
    return MyDay(counts["waiting"], counts["overdue"], mine, due_soon, mentions)


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """The waiting cases by band and age, by the place of the age in AGES; and those on hold, which are in neither."""

    counts: Mapping[tuple[str, int], int]
    overdue: int
    held: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def rows(self) -> list[tuple[Band, list[int], int]]:
        """Each band with its counts by age, and all of them together."""
        rows = []
        for band in BANDS:
            counts = [self.counts.get((band, age), 0) for age in range(len(AGES))]
            rows.append((band, counts, sum(counts)))
        return rows


def count_waiting(*, now: datetime) -> WaitingCounts:
    """In one query, and one pass over the open cases."""
    bounds = [now - age.least for age in reversed(AGES[1:])]
    bucket = Func(
        F("opened_at"),
        Value(bounds, output_field=ArrayField(DateTimeField())),
        function="width_bucket",
        output_field=IntegerField(),
    )
    is_held = Q(held_until__gt=now)
    is_waiting = Q(held_until=None) | Q(held_until__lte=now)
    cases = Case.objects.waiting().order_by().annotate(bucket=bucket).values("band", "bucket")
    rows = cases.annotate(
        number=Count("pk", filter=is_waiting),
        late=Count("pk", filter=is_waiting & Q(due_at__lte=now)),
        held=Count("pk", filter=is_held),
    )
    # Before the first bound the bucket is 0: the oldest cases.
    counts = {(row["band"], len(AGES) - 1 - row["bucket"]): row["number"] for row in rows}
    return WaitingCounts(counts, sum(row["late"] for row in rows), sum(row["held"] for row in rows))


class DayCounts(NamedTuple):
    """How many cases were opened and decided on a UTC day, and the median time from opening to deciding these."""

    day: date
    opened: int
    decided: int
    median: timedelta | None

    @property
    def median_hours(self) -> float | None:
        return None if self.median is None else self.median / timedelta(hours=1)


class CaseCountsByDay(NamedTuple):
    """The last days, the oldest first, and the median time to decide over all of them."""

    days: Sequence[DayCounts]
    median: timedelta | None

    @property
    def opened(self) -> int:
        return sum(day.opened for day in self.days)

    @property
    def decided(self) -> int:
        return sum(day.decided for day in self.days)


# Cases are counted from the index alone; medians need the rows. That without a day is the median over all days.
_DAYS: Final = """
SELECT 'opened' AS what, (opened_at AT TIME ZONE 'UTC')::date AS day, count(*), NULL::interval
FROM review_case WHERE part_of_id IS NULL AND opened_at >= %(since)s AND opened_at < %(until)s GROUP BY 2
UNION ALL
SELECT 'decided', (closed_at AT TIME ZONE 'UTC')::date, count(*), NULL
FROM review_case WHERE status = 'decided' AND closed_at >= %(since)s AND closed_at < %(until)s GROUP BY 2
UNION ALL
SELECT 'median', (closed_at AT TIME ZONE 'UTC')::date, NULL,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY closed_at - opened_at)
FROM review_case WHERE status = 'decided' AND closed_at >= %(medians_since)s AND closed_at < %(until)s
GROUP BY ROLLUP (2)
"""


def first_day(*, now: datetime) -> date:
    return now.astimezone(UTC).date() - timedelta(days=DAYS - 1)


def count_cases_by_day(
    first: date, *, now: datetime, medians: Mapping[date, timedelta | None] | None = None
) -> CaseCountsByDay:
    """Count the cases of each day from `first` to today, which is not over. One query.

    Args:
        medians: those that are known already, of the first days; then the median over all days is not that of all.
    """
    today, known = now.astimezone(UTC).date(), medians or {}
    start, unknown = day_bounds(first)[0], day_bounds(first + timedelta(days=len(known)))[0]
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, {"since": start, "medians_since": unknown, "until": day_bounds(today)[1]})
        found: dict[Any, tuple[int, timedelta | None]] = {(what, day): rest for what, day, *rest in cursor.fetchall()}
    days = []
    for number in range((today - first).days + 1):
        day = first + timedelta(days=number)
        opened, decided = (found.get((what, day), (0, None))[0] for what in ("opened", "decided"))
        median = known[day] if day in known else found.get(("median", day), (0, None))[1]
        days.append(DayCounts(day, opened, decided, median))
    return CaseCountsByDay(days, found.get(("median", None), (0, None))[1])


def get_case_counts_by_day(*, now: datetime, harm: "HarmFigures") -> CaseCountsByDay:
    """In two queries. Cases are counted as the lists behind the figures show them: a case that was decided long ago may
    be open again. The medians of days that are long over are read as they were measured.

    Where all medians are measured the one over all days is theirs, else it is the one that was measured last.
    """
    first = first_day(now=now)
    settled = filter(_is_settled, DailyMedian.objects.filter(day__gte=first))
    stored = {one.day: one.median_to_decide for one in settled}
    wanted = [first + timedelta(days=number) for number in range(DAYS)]
    medians = {day: stored[day] for day in takewhile(stored.__contains__, wanted)}
    counted = count_cases_by_day(first, now=now, medians=medians)
    measured = harm.latest.median_to_decide if harm.latest else None
    return CaseCountsByDay(counted.days, measured if medians else counted.median)


def _is_settled(one: DailyMedian) -> bool:
    """Whether the day was measured when no decision on it could be undone any more, which reopens its case."""
    undone_within = timedelta(minutes=settings.UNDO_MINUTES)
    return one.measured_at >= day_bounds(one.day)[1] + max(timedelta(days=1), undone_within)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Return when a UTC day begins, and when the next one does."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return start, start + timedelta(days=1)


def count_missing_restrictions(*, now: datetime) -> int:
    """Count the restrictions that some gateway has not applied or removed yet. Three queries."""
    known, expected = list_known_gateways(now=now), get_expected_state(now=now).expected
    return find_missing_restrictions(expected, known, most=1).total


class ScoringState(NamedTuple):
    """The accounts that wait to be scored, since when the first does, and those whose scoring has failed for good."""

    waiting: int
    waiting_since: datetime | None
    dead_letters: int


def get_scoring_state() -> ScoringState:
    """In one query."""
    is_waiting = Q(dead_lettered_at=None)
    found = DirtyAccount.objects.aggregate(
        waiting=Count("pk", filter=is_waiting),
        waiting_since=Min("dirty_since", filter=is_waiting),
        dead_letters=Count("dead_lettered_at"),
    )
    return ScoringState(**found)


class HarmFigures(NamedTuple):
    """What was measured last, whether that is long ago, and the measures of the last days, the oldest first."""

    latest: HarmMeasure | None
    is_stale: bool
    days: Sequence[HarmMeasure]


def get_harm(*, now: datetime) -> HarmFigures:
    """In one query."""
    days = list(HarmMeasure.objects.filter(day__gte=first_day(now=now)).order_by("day"))
    latest = days[-1] if days else None
    return HarmFigures(latest, latest is None or latest.measured_at < now - STALE_AFTER, days)
