"""Every figure leads to its cases, and every table can be taken away as a file."""

import pytest
from django.test import Client

from governance.web.spreadsheet import csv_cell, csv_response
from tests.factories import person
from tests.overview.figures import waiting
from tests.review.pages import signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


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

        assert "<h1>Waiting cases: all</h1>" in pages[""]
        assert "<h1>Waiting cases: high, waiting 4 to 24 h</h1>" in pages["band=high&amp;age=1".replace("&amp;", "&")]
        assert "<h1>Waiting cases: overdue</h1>" in pages["due=overdue"]
        assert "<h1>Cases opened on 1 Nov 2026</h1>" in pages["opened=2026-11-01"]
        assert "<h1>Cases decided on 1 Nov 2026</h1>" in pages["decided=2026-11-01"]


# Behind what is not seen: no-break space, byte order mark, vertical tab, form feed, zero-width space, line separator.
UNSEEN = ("\xa0", "\ufeff", "\v", "\f", "\u200b", "\u2028", " \xa0\ufeff")
HIDDEN = [f"{unseen}{sign}1" for unseen in UNSEEN for sign in "=+-@"]


class TestAFile:
    @pytest.mark.parametrize("name", ["waiting", "days", "harm"])
    def test_is_not_for_a_reviewer(self, name: str) -> None:
        assert signed_in(person()).get(f"/overview/{name}.csv").status_code == 403

    def test_of_another_name_does_not_exist(self, jonas: Client) -> None:
        assert jonas.get("/overview/staff.csv").status_code == 404

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", *HIDDEN])
    def test_holds_no_cell_that_a_spreadsheet_reads_as_a_formula(self, text: str) -> None:
        assert csv_cell(text) == f"'{text}"

    def test_keeps_numbers_quotes_and_commas(self) -> None:
        answer = csv_response("x", ["A"], [[-3], ['he said "no", twice'], [None]])

        assert answer.content.decode() == 'A\r\n-3\r\n"he said ""no"", twice"\r\n""\r\n'
        assert answer["Content-Disposition"] == 'attachment; filename="x.csv"'
