"""The charts of the overview, drawn from its figures."""

from governance.overview.charts import Chart, ChartSeries, draw_side_by_side, draw_stacked
from governance.overview.queries import AGES, CaseCountsByDay, HarmFigures, WaitingCounts


def draw_waiting(waiting: WaitingCounts) -> Chart:
    """Waiting cases by age, the bands on top of each other."""
    rows = reversed(waiting.rows)
    series = [ChartSeries(band.value, f"fill-{band.value}", counts) for band, counts, _ in rows]
    return draw_stacked([age.name for age in AGES], series)


def draw_cases_by_day(days: CaseCountsByDay) -> Chart:
    series = [
        ChartSeries("opened", "fill-opened", [day.opened for day in days.days]),
        ChartSeries("decided", "fill-decided", [day.decided for day in days.days]),
    ]
    return draw_side_by_side(_labels(days), series)


def draw_median(days: CaseCountsByDay) -> Chart:
    hours = [round(day.median_hours or 0, 1) for day in days.days]
    return draw_side_by_side(_labels(days), [ChartSeries("median hours to decide", "fill-decided", hours)])


def draw_harm(harm: HarmFigures) -> Chart:
    labels = [f"{one.day:%-d %b}" for one in harm.days]
    series = [
        ChartSeries("output tokens in flight", "fill-critical", [one.tokens_in_flight for one in harm.days]),
        ChartSeries("output tokens a day stopped", "fill-decided", [one.tokens_stopped for one in harm.days]),
    ]
    return draw_side_by_side(labels, series)


def _labels(days: CaseCountsByDay) -> list[str]:
    return [f"{day.day:%-d %b}" for day in days.days]
