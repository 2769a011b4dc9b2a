"""Figures that equal what SQL says, each with the list behind it, in few queries whatever there is."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from governance.gateways.models import Gateway, GatewayInstance
from governance.overview.actions import measure_overview
from governance.review.actions import claim
from governance.review.inbox_items import notify
from governance.review.models import Case, InboxItem
from governance.staff.roles import Role
from tests.factories import NOW, account, person, restriction
from tests.overview.figures import HOUR, decided, listed, one_figure, rows_of, waiting
from tests.review.pages import signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


class TestWaiting:
    @pytest.fixture(autouse=True)
    def _cases(self) -> None:
        for band, hours in [("critical", 0), ("critical", 3.9), ("critical", 4.1), ("high", 24.1), ("high", 71)]:
            waiting(band, hours)
        waiting("elevated", 24 * 7 + 1, due_in=-2)
        waiting("low", 24 * 4)
        decided(1, 2)

    def test_equals_sql_by_band_and_age(self, jonas: Client) -> None:
        rows = jonas.get("/").context["waiting"].rows

        bounds = [None, *(NOW - timedelta(hours=hours) for hours in (4, 24, 72, 168)), None]
        for band, counts, total in rows:
            for age, count in enumerate(counts):
                newer, older = bounds[age], bounds[age + 1]
                wanted = one_figure(
                    """SELECT count(*) FROM review_case WHERE status = 'open' AND band = %(band)s
                       AND (%(newer)s::timestamptz IS NULL OR opened_at < %(newer)s)
                       AND (%(older)s::timestamptz IS NULL OR opened_at >= %(older)s)""",
                    band=band.value,
                    newer=newer,
                    older=older,
                )
                assert count == wanted, (band, age)
            assert total == sum(counts)
        assert [total for _, _, total in rows] == [3, 2, 1, 1]

    def test_leads_to_the_cases_of_each_figure(self, jonas: Client) -> None:
        for band, counts, total in jonas.get("/").context["waiting"].rows:
            assert listed(jonas, f"band={band.value}") == total
            for age, count in enumerate(counts):
                assert listed(jonas, f"band={band.value}&age={age}") == count

    def test_counts_what_is_overdue_as_the_queue_does(self, jonas: Client) -> None:
        overdue = jonas.get("/").context["waiting"].overdue

        assert overdue == one_figure(
            "SELECT count(*) FROM review_case WHERE status = 'open' AND due_at <= %(now)s", now=NOW
        )
        assert overdue == len(jonas.get("/queue/?view=overdue").context["page"].rows) == listed(jonas, "due=overdue")

    def test_counts_a_case_as_overdue_from_the_very_moment_at_which_it_is_due(self, jonas: Client) -> None:
        waiting("low", 1, due_in=0)

        rows = jonas.get("/queue/?view=overdue").context["page"].rows
        counts = (
            jonas.get("/").context["waiting"].overdue,
            jonas.get("/queue/").context["counts"].overdue,
            listed(jonas, "due=overdue"),
            len(rows),
            sum(row.overdue for row in rows),
            len(jonas.get("/queue/?due=overdue").context["page"].rows),
            signed_in(person()).get("/").context["my_day"].overdue,
        )

        assert set(counts) == {2}

    def test_leaves_out_what_is_on_hold_and_counts_it_apart(self, jonas: Client) -> None:
        Case.objects.filter(pk=waiting("high", 1).pk).update(held_until=NOW + HOUR)

        counted = jonas.get("/").context["waiting"]

        assert (counted.total, counted.held) == (7, 1)
        assert listed(jonas, "band=high") == 2

    def test_is_a_file_with_the_same_figures(self, jonas: Client) -> None:
        head, *rows = rows_of(jonas, "waiting")

        assert head == ["Band", "under 4 h", "4 to 24 h", "1 to 3 days", "3 to 7 days", "7 days or more", "All"]
        shown = jonas.get("/").context["waiting"].rows
        assert rows == [[band.value, *map(str, counts), str(total)] for band, counts, total in shown]


class TestOpenedAndDecided:
    def test_equal_sql_by_day(self, jonas: Client) -> None:
        for hours, took in [(0.5, 1), (1, 3), (30, 5), (30, 7), (31, 60), (24 * 40, 1)]:
            decided(hours, took)
        waiting("high", 50)

        days = jonas.get("/").context["days"]

        for day in days.days:
            opened = "SELECT count(*) FROM review_case WHERE (opened_at AT TIME ZONE 'UTC')::date = %(day)s"
            closed = "SELECT count(*) FROM review_case WHERE (closed_at AT TIME ZONE 'UTC')::date = %(day)s"
            assert day.opened == one_figure(opened, day=day.day) == listed(jonas, f"opened={day.day}")
            assert day.decided == one_figure(closed, day=day.day) == listed(jonas, f"decided={day.day}")
        assert len(days.days) == 28
        assert days.days[-1].day == NOW.date()
        assert (days.opened, days.decided) == (6, 5)

    def test_of_a_day_long_over_are_those_of_its_list_though_a_case_was_opened_again(self, jonas: Client) -> None:
        for hours in (24 * 5, 24 * 5 + 1):
            decided(hours, 3)
        measure_overview(now=NOW)
        Case.objects.filter(pk=Case.objects.latest("closed_at").pk).update(status=Case.Status.OPEN, closed_at=None)

        days = jonas.get("/").context["days"]

        assert (days.opened, days.decided) == (2, 1)
        for day in days.days:
            assert (day.opened, day.decided) == (
                listed(jonas, f"opened={day.day}"),
                listed(jonas, f"decided={day.day}"),
            )

    def test_say_the_median_time_of_each_day_and_of_all(self, jonas: Client) -> None:
        for hours, took in [(1, 1), (1.1, 2), (1.2, 9), (30, 4)]:
            decided(hours, took)

        days = jonas.get("/").context["days"]

        assert [day.median_hours for day in days.days if day.decided] == [4.0, 2.0]
        assert days.median == timedelta(hours=3)

    def test_have_medians_of_days_that_are_long_over_as_they_were_measured(
        self, jonas: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for hours, took in [(1, 3), (26, 5), (24 * 5, 7), (24 * 5 + 1, 9)]:
            decided(hours, took)
        live = jonas.get("/").context["days"]

        measure_overview(now=NOW)
        stored = jonas.get("/").context["days"]
        decided(2, 1)
        Case.objects.filter(closed_at__lt=NOW - timedelta(days=4)).update(closed_at=NOW - timedelta(days=20))
        later = jonas.get("/").context["days"]

        assert stored == live
        assert later.days[-1].decided == live.days[-1].decided + 1
        medians = [[day.median for day in days.days[:-2]] for days in (live, later)]
        assert medians[0] == medians[1], "medians of days that are long over were measured again"

    def test_are_a_file_with_the_same_figures(self, jonas: Client) -> None:
        decided(1, 2)

        head, *rows = rows_of(jonas, "days")

        assert head == ["Day (UTC)", "Opened", "Decided", "Median hours to decide"]
        assert rows[-1] == ["2026-11-02", "1", "1", "2.0"]
        assert rows[0] == ["2026-10-06", "0", "0", ""]


class TestMyDay:
    def test_lists_what_is_mine_what_is_due_soon_and_what_colleagues_say(self) -> None:
        mira, jonas = person(), person("Jonas Lindqvist", role=Role.LEAD)
        claim(mine := waiting("critical", 1), by=mira, now=NOW)
        claim(waiting("critical", 1), by=jonas, now=NOW)
        late, soon, _later = waiting("high", 9, due_in=-1), waiting("high", 2, due_in=3), waiting("low", 1, due_in=5)
        Case.objects.filter(pk=waiting("high", 1, due_in=-3).pk).update(held_until=NOW + HOUR)
        notify([mira], late, InboxItem.Kind.MENTIONED, text="@mira look", by=jonas, now=NOW)

        page = signed_in(mira).get("/")

        my_day = page.context["my_day"]
        assert (my_day.waiting, my_day.overdue) == (5, 1)
        assert list(my_day.mine) == [mine]
        assert list(my_day.due_soon) == [late, soon]
        assert [item.case for item in my_day.mentions] == [late]
        assert "by Jonas Lindqvist, just now" in text(page)

    def test_is_all_that_a_reviewer_sees(self) -> None:
        page = signed_in(person()).get("/")

        assert "waiting" not in page.context
        assert "All reviewers" not in text(page)

    def test_is_nothing_for_an_auditor_who_sees_the_figures(self) -> None:
        page = text(signed_in(person(role=Role.AUDITOR)).get("/"))

        assert "My day" not in page
        assert "All reviewers" in page

    def test_has_a_place_for_the_day_on_which_nothing_waits(self) -> None:
        page = text(signed_in(person()).get("/"))

        assert "No cases waiting." in page
        assert "Next case" not in page.partition("<main")[2]


class TestCosts:
    def _much(self) -> None:
        for band in ("critical", "high", "elevated", "low"):
            for hours in (1, 5, 30, 90, 200):
                waiting(band, hours)
        restriction(account("acct_blocked"), at=NOW)
        measure_overview(now=NOW)

    def test_twelve_queries_for_a_lead(self, django_assert_num_queries: DjangoAssertNumQueries, jonas: Client) -> None:
        self._much()
        Gateway.objects.create(name="edge", created_at=NOW)
        behind = GatewayInstance(gateway=Gateway.objects.get(), instance="a", started_at=NOW, seen_at=NOW, sequence=0)
        behind.save()

        # 1 session, 2 user; 3 waiting; 4 harm; 5 days counted before, 6 days counted now; 7 gateways, 8 what they
        # ought to have, 9 the restrictions that one lacks; 10 scoring; 11 mine, 12 from colleagues
        with django_assert_num_queries(12):
            page = jonas.get("/")

        assert page.context["missing"] == 1

    def test_six_queries_for_a_reviewer(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        mira = signed_in(person())
        self._much()

        with django_assert_num_queries(6):  # 1 session, 2 user; 3 mine, 4 from colleagues, 5 counts, 6 due soon
            mira.get("/")

    def test_four_queries_for_a_list(self, django_assert_num_queries: DjangoAssertNumQueries, jonas: Client) -> None:
        self._much()

        with django_assert_num_queries(4):  # 1 session, 2 user; 3 how many, 4 the page
            jonas.get("/overview/cases/?band=high")
