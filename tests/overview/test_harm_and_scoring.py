"""Harm in flight and stopped equals SQL, and what has failed or waits to be scored is counted."""

import pytest
from django.test import Client

from governance.overview.actions import measure_overview
from governance.overview.models import HarmMeasure
from governance.restrictions.kinds import RestrictionKind
from governance.usage.actions import compact_profiles, record_lines
from governance.usage.models import DirtyAccount
from tests.factories import NOW, account, case, line, restriction
from tests.overview.figures import HOUR, one_figure, rows_of
from tests.review.pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


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
