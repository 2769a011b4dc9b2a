"""Figures that equal what SQL says, each with the list behind it, in few queries whatever there is."""

import csv
import io
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from time_machine import TimeMachineFixture

from governance.gateways.models import Gateway, GatewayInstance
from governance.overview.actions import measure_overview
from governance.overview.models import HarmMeasure
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.reasons import Reason
from governance.review.actions import claim, decide
from governance.review.models import Case, Dismissal
from governance.review.verdicts import Verdict
from governance.staff.roles import Role
from governance.usage.actions import compact_profiles, record_lines
from governance.usage.models import DirtyAccount
from governance.web.spreadsheet import csv_cell, csv_response
from tests.factories import NOW, account, case, line, person, restriction
from tests.review.pages import signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]

HOUR = timedelta(hours=1)


@pytest.fixture
def _at_now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def jonas() -> Client:
    return signed_in(person("Jonas Lindqvist", role=Role.LEAD))


def waiting(band: str, hours: float, *, due_in: int = 4) -> Case:
    """An open case that was opened so many hours ago."""
    opened = case(band=band, due_in=due_in)
    Case.objects.filter(pk=opened.pk).update(opened_at=NOW - hours * HOUR)
    return opened


def decided(hours: float, took: float) -> Case:
    """A case that was decided so many hours ago, so many hours after it was opened."""
    one, at = waiting("high", hours + took), NOW - hours * HOUR
    verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
    decide(one, verdict, decision_id=uuid.uuid4(), by=person(), now=at)
    return one


def one_figure(sql: str, **values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        [value] = cursor.fetchone() or (None,)
        return value


def listed(client: Client, query: str) -> int:
    """How many cases the list behind a figure has."""
    page = client.get(f"/overview/cases/?{query}").context["page"]
    assert page.total == len(page.cases)
    return int(page.total)


def rows_of(client: Client, name: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text(client.get(f"/overview/{name}.csv")))))


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
            "SELECT count(*) FROM review_case WHERE status = 'open' AND due_at < %(now)s", now=NOW
        )
        assert overdue == len(jonas.get("/queue/?view=overdue").context["page"].rows) == listed(jonas, "due=overdue")

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

    def test_say_the_median_time_of_each_day_and_of_all(self, jonas: Client) -> None:
        for hours, took in [(1, 1), (1.1, 2), (1.2, 9), (30, 4)]:
            decided(hours, took)

        days = jonas.get("/").context["days"]

        assert [day.median_hours for day in days.days if day.decided] == [4.0, 2.0]
        assert days.median == timedelta(hours=3)

    def test_of_days_that_are_long_over_are_read_as_they_were_counted(
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
        assert later.days[:-2] == live.days[:-2], "what was long over was counted again"

    def test_are_a_file_with_the_same_figures(self, jonas: Client) -> None:
        decided(1, 2)

        head, *rows = rows_of(jonas, "days")

        assert head == ["Day (UTC)", "Opened", "Decided", "Median hours to decide"]
        assert rows[-1] == ["2026-11-02", "1", "1", "2.0"]
        assert rows[0] == ["2026-10-06", "0", "0", ""]


class TestHarm:
    def used(self, name: str, *, hours_ago: int, tokens: int) -> None:
        at = NOW - hours_ago * HOUR
        record_lines([line(account=name, occurred_at=at.isoformat(), output_tokens=tokens)], source="native", now=at)

    def test_in_flight_is_what_accounts_with_an_open_case_got_in_a_day(self, jonas: Client) -> None:
        harbour, calm = account("acct_harbour"), account("acct_calm")
        case(harbour)
        for name in ("acct_harbour", "acct_calm"):
            self.used(name, hours_ago=1, tokens=1_000)
            self.used(name, hours_ago=2, tokens=500)
            self.used(name, hours_ago=30, tokens=9_000)
        compact_profiles([harbour.pk])

        measure = measure_overview(now=NOW)

        in_sql = """SELECT sum(output_tokens) FROM usage_usageevent WHERE account_id = %(account)s
                    AND occurred_at >= %(since)s"""
        assert measure.tokens_in_flight == one_figure(in_sql, account=harbour.pk, since=NOW - 24 * HOUR) == 1_500
        assert (measure.accounts_in_flight, measure.requests_in_flight) == (1, 2)
        assert not calm.cases.exists()
        assert "<b>1.5 k</b> output tokens" in text(jonas.get("/"))

    def test_stopped_is_what_refused_accounts_got_a_day_before(self) -> None:
        member = account("acct_member", organisation="org_quay")
        blocked, throttled = account("acct_blocked"), account("acct_throttled")
        for name in ("acct_member", "acct_blocked", "acct_throttled"):
            self.used(name, hours_ago=50, tokens=7_000)
            self.used(name, hours_ago=24 * 10, tokens=90_000)
        assert member.organisation is not None
        restriction(member.organisation, at=NOW - 24 * HOUR)
        restriction(blocked, at=NOW - 48 * HOUR)
        restriction(throttled, RestrictionKind.THROTTLE, at=NOW - 48 * HOUR, requests_per_minute=1)

        measure = measure_overview(now=NOW)

        assert (measure.accounts_stopped, measure.tokens_stopped) == (2, 2_000)

    def test_is_one_row_a_day_the_last_measure(self) -> None:
        for hours in (30, 2, 0):
            measure_overview(now=NOW - hours * HOUR)

        assert list(HarmMeasure.objects.values_list("measured_at", flat=True)) == [NOW, NOW - 30 * HOUR]

    def test_says_when_it_was_measured_last_and_when_that_is_long_ago(self, jonas: Client) -> None:
        before = text(jonas.get("/"))
        measure_overview(now=NOW - 3 * HOUR)
        stale = text(jonas.get("/"))
        measure_overview(now=NOW)
        fresh = text(jonas.get("/"))

        assert "Not measured yet." in before
        assert "Measured 3 h ago, not every five minutes" in stale
        assert "not every five minutes" not in fresh
        assert rows_of(jonas, "harm")[1][1] == "2026-11-02 09:14"


class TestScoring:
    def test_counts_dead_letters_and_says_how_long_the_first_account_waits(self, jonas: Client) -> None:
        for name, hours, failed_at in [("acct_a", 3, None), ("acct_b", 1, None), ("acct_c", 9, NOW)]:
            DirtyAccount.objects.create(
                account=account(name), dirty_since=NOW - hours * HOUR, dead_lettered_at=failed_at
            )

        scoring = jonas.get("/").context["scoring"]

        assert scoring == (2, NOW - 3 * HOUR, 1)
        page = text(jonas.get("/"))
        assert "<b>3 h</b> <span>intake lag, 2 accounts to score</span>" in page
        for query, names in (("0", ["acct_c"]), ("1", ["acct_a", "acct_b"])):
            address = f"/admin/usage/dirtyaccount/?dead_lettered_at__isempty={query}"
            assert address in page
            shown = text(jonas.get(address))
            assert [name for name in ("acct_a", "acct_b", "acct_c") if name in shown] == names


class TestMyDay:
    def test_lists_what_i_have_claimed_and_what_is_due_soon(self) -> None:
        mira = person()
        claim(mine := waiting("critical", 1), by=mira, now=NOW)
        claim(waiting("critical", 1), by=person("Jonas Lindqvist"), now=NOW)
        late, soon, _later = waiting("high", 9, due_in=-1), waiting("high", 2, due_in=3), waiting("low", 1, due_in=5)

        my_day = signed_in(mira).get("/").context["my_day"]

        assert (my_day.waiting, my_day.overdue) == (5, 1)
        assert list(my_day.mine) == [mine]
        assert list(my_day.due_soon) == [late, soon]

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
        assert "Next case" not in page


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
        # ought to have, 9 the restrictions that one lacks; 10 scoring; 11 mine, 12 due soon
        with django_assert_num_queries(12):
            page = jonas.get("/")

        assert page.context["missing"] == 1

    def test_five_queries_for_a_reviewer(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        mira = signed_in(person())
        self._much()

        with django_assert_num_queries(5):  # 1 session, 2 user; 3 counts, 4 mine, 5 due soon
            mira.get("/")

    def test_four_queries_for_a_list(self, django_assert_num_queries: DjangoAssertNumQueries, jonas: Client) -> None:
        self._much()

        with django_assert_num_queries(4):  # 1 session, 2 user; 3 how many, 4 the page
            jonas.get("/overview/cases/?band=high")


class TestTheListBehindAFigure:
    def test_goes_on_page_by_page_without_gap_or_repetition(
        self, jonas: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.overview.case_list.PAGE", 3)
        for number in range(8):
            waiting("high", 1, due_in=number % 3)
        seen, after = [], ""
        while True:
            page = jonas.get(f"/overview/cases/?band=high{after}").context["page"]
            seen += [one.pk for one in page.cases]
            if page.next_after is None:
                break
            after = f"&after={page.next_after}"

        assert len(seen) == len(set(seen)) == page.total == 8

    @pytest.mark.parametrize(
        "query", ["band=x", "age=5", "due=x", "opened=2026-13-01", "decided=9999-12-31", "after=x"]
    )
    def test_refuses_an_address_that_it_cannot_read(self, jonas: Client, query: str) -> None:
        assert jonas.get(f"/overview/cases/?{query}").status_code == 400

    def test_says_what_it_lists(self, jonas: Client) -> None:
        pages = {
            query: text(jonas.get(f"/overview/cases/?{query}"))
            for query in ("", "band=high&age=1", "due=overdue", "opened=2026-11-01", "decided=2026-11-01")
        }

        assert "<h1>Open cases: all</h1>" in pages[""]
        assert "<h1>Open cases: high, waiting 4 to 24 h</h1>" in pages["band=high&amp;age=1".replace("&amp;", "&")]
        assert "<h1>Open cases: overdue</h1>" in pages["due=overdue"]
        assert "<h1>Cases opened on 1 Nov 2026</h1>" in pages["opened=2026-11-01"]
        assert "<h1>Cases decided on 1 Nov 2026</h1>" in pages["decided=2026-11-01"]


class TestAFile:
    @pytest.mark.parametrize("name", ["waiting", "days", "harm"])
    def test_is_not_for_a_reviewer(self, name: str) -> None:
        assert signed_in(person()).get(f"/overview/{name}.csv").status_code == 403

    def test_of_another_name_does_not_exist(self, jonas: Client) -> None:
        assert jonas.get("/overview/staff.csv").status_code == 404

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"])
    def test_holds_no_cell_that_a_spreadsheet_reads_as_a_formula(self, text: str) -> None:
        assert csv_cell(text) == f"'{text}"

    def test_keeps_numbers_quotes_and_commas(self) -> None:
        answer = csv_response("x", ["A"], [[-3], ['he said "no", twice'], [None]])

        assert answer.content.decode() == 'A\r\n-3\r\n"he said ""no"", twice"\r\n""\r\n'
        assert answer["Content-Disposition"] == 'attachment; filename="x.csv"'
