"""The charts of the overview, drawn from its figures."""

from governance.overview.charts import Chart, Series, draw_side_by_side, draw_stacked
from governance.overview.queries import AGES, Days, Harm, Waiting


def draw_waiting(waiting: Waiting) -> Chart:
    """Waiting cases by age, the bands on top of each other."""
    rows = reversed(waiting.rows)
    series = [Series(band.value, f"fill-{band.value}", counts) for band, counts, _ in rows]
    return draw_stacked([age.name for age in AGES], series)


def draw_days(days: Days) -> Chart:
    series = [
        Series("opened", "fill-opened", [day.opened for day in days.days]),
        Series("decided", "fill-decided", [day.decided for day in days.days]),
    ]
    return draw_side_by_side(_labels(days), series)


def draw_median(days: Days) -> Chart:
    hours = [round(day.median_hours or 0, 1) for day in days.days]
    return draw_side_by_side(_labels(days), [Series("median hours to decide", "fill-decided", hours)])


def draw_harm(harm: Harm) -> Chart:
    labels = [f"{one.day:%-d %b}" for one in harm.days]
    series = [
        Series("output tokens in flight", "fill-critical", [one.tokens_in_flight for one in harm.days]),
        Series("output tokens a day stopped", "fill-decided", [one.tokens_stopped for one in harm.days]),
    ]
    return draw_side_by_side(labels, series)


def _labels(days: Days) -> list[str]:
    return [f"{day.day:%-d %b}" for day in days.days]
