"""Filters, orders, columns and saved views of the queue."""

from datetime import timedelta

import pytest
from django.db.models import Value
from django.db.models.functions import Lower
from django.http import QueryDict
from django.test import Client

from governance.audit.models import Entry
from governance.restrictions.models import Restriction
from governance.review.holding import assign, escalate, hold
from governance.review.models import Case, SavedView
from governance.review.queries import PAGE
from governance.review.queue_forms import clean_query
from tests.factories import FINDING, NOW, account, assessment, case, person, restriction
from tests.review.pages import by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


def listed(client: Client, query: str = "") -> list[str]:
    return [row.case.account.external_id for row in client.get(f"/queue/{query}").context["page"].rows]


class TestAFilter:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("?score_from=80", ["acct_b"]),
            ("?score_to=79", ["acct_a"]),
            ("?score_from=60&score_to=79", ["acct_a"]),
            ("?due=overdue", ["acct_a"]),
            ("?due=4h", ["acct_a"]),
            ("?due=day", ["acct_b", "acct_a"]),
            ("?plan=scale", ["acct_b"]),
            ("?plan=Scale", ["acct_b"]),
            ("?plan=%20SCALE", ["acct_b"]),
            ("?country=de", ["acct_a"]),
            ("?policy=restricted", ["acct_a"]),
            ("?policy=none", ["acct_b"]),
            ("?family=content", ["acct_b"]),
            ("?family=rhythm", ["acct_a"]),
            ("?campaign_from=4", ["acct_b"]),
            ("?campaign_from=5", []),
            ("?tokens_from=2000", ["acct_a"]),
            ("?tokens_from=1", ["acct_b", "acct_a"]),
            ("?sort=due", ["acct_a", "acct_b"]),
            ("?sort=oldest", ["acct_b", "acct_a"]),
            ("?sort=newest", ["acct_a", "acct_b"]),
            ("?plan=scale&family=rhythm", []),
        ],
    )
    def test_leaves_the_cases_that_fit(self, mira: Client, query: str, found: list[str]) -> None:
        first = account("acct_a", plan="free", country="DE")
        other = case(first, score=70, band="high", due_in=-1)
        seen = assessment(first, score=70, findings=[FINDING | {"family": "rhythm"}])
        Case.objects.filter(pk=other.pk).update(assessment=seen, families=seen.families_against, output_tokens=2000)
        restriction(first, Restriction.Kind.WATCH, unique_key="policy:7")
        second = case(account("acct_b", plan="scale", country="FR"), score=90, due_in=20)
        Case.objects.filter(pk=second.pk).update(opened_at=NOW - timedelta(days=1), campaign_size=4, output_tokens=1999)

        assert listed(mira, query) == found

    def test_by_assignee_knows_me_nobody_and_each_colleague(self) -> None:
        mira, jonas = person(), person("Jonas Lindqvist")
        for name, to in (("acct_mine", mira), ("acct_theirs", jonas), ("acct_free", None)):
            assign(case(account(name)), to=to, because="", by=mira, now=NOW)
        client = signed_in(mira)

        assert listed(client, "?assignee=me") == ["acct_mine"]
        assert listed(client, "?assignee=nobody") == ["acct_free"]
        assert listed(client, f"?assignee={jonas.pk}") == ["acct_theirs"]

    @pytest.mark.parametrize(
        "query",
        [
            "assignee=x",
            "score_from=101",
            "due=soon",
            "sort=x",
            "columns=x",
            "family=x",
            "campaign_from=0",
            "tokens_from=x",
        ],
    )
    def test_that_does_not_fit_is_refused(self, mira: Client, query: str) -> None:
        assert mira.get(f"/queue/?{query}").status_code == 400

    def test_for_held_and_escalated_leaves_those(self, mira: Client) -> None:
        held, asked = case(account("acct_held")), case(account("acct_asked"))
        case(account("acct_other"), score=60)
        hold(held, until=NOW + timedelta(days=1), because="Legal.", by=person(), now=NOW)
        escalate(asked, because="May I?", by=person(), now=NOW)

        assert listed(mira, "?view=held") == ["acct_held"]
        assert listed(mira, "?view=escalated") == ["acct_asked"]
        assert listed(mira) == ["acct_asked", "acct_other"]

    @pytest.mark.parametrize(
        ("view", "title"), [("", "Queue"), ("?view=decided", "Decided"), ("?view=held", "On hold")]
    )
    def test_names_the_list_in_page_and_fragment(self, mira: Client, view: str, title: str) -> None:
        page, fragment = text(mira.get(f"/queue/{view}")), text(mira.get(f"/queue/{view}", headers=by_htmx("cases")))

        for shown in (page, fragment):
            assert f"<title>{title} · Stillwatch</title>" in shown
            assert f'<h1 id="page-title" class="unseen"{" hx-swap-oob=" if shown == fragment else ">"}' in shown

    def test_beside_a_case_names_the_list_but_not_the_page(self, mira: Client) -> None:
        fragment = text(mira.get("/queue/?view=decided", headers=by_htmx("cases", current="/cases/x/")))

        assert "<title>" not in fragment
        assert "<h1" not in fragment
        assert ">Decided</p>" in fragment


@pytest.mark.parametrize("sort", ["", "due", "oldest", "newest"])
def test_pages_of_every_order_follow_one_another_without_gap(mira: Client, sort: str) -> None:
    for number in range(PAGE + 3):
        opened = case(account(f"acct_{number}"), score=60 + number % 4, due_in=number % 5)
        Case.objects.filter(pk=opened.pk).update(opened_at=NOW - timedelta(hours=number % 3))

    first = mira.get(f"/queue/?sort={sort}").context["page"]
    rest = listed(mira, f"?sort={sort}&after={first.next_after}")

    assert len({row.case.account.external_id for row in first.rows} | set(rest)) == PAGE + 3


class TestARow:
    @pytest.mark.parametrize(("due_in", "ageing"), [(20, "far"), (1, "soon"), (-1, "past"), (-30, "long")])
    def test_says_how_near_its_due_date_is(self, mira: Client, due_in: int, ageing: str) -> None:
        opened = case(due_in=due_in)
        Case.objects.filter(pk=opened.pk).update(opened_at=NOW - timedelta(hours=5))

        assert mira.get("/queue/").context["page"].rows[0].ageing == ageing

    def test_is_called_by_account_customer_band_and_due_date(self, mira: Client) -> None:
        case(account("acct_harbour", organisation="org_quay"), due_in=4)

        assert 'aria-label="acct_harbour, org_quay, critical 82, due in 4 h"' in text(mira.get("/queue/"))

    def test_has_the_columns_that_are_chosen(self, mira: Client) -> None:
        case(account("acct_harbour", plan="scale", country="DE"))

        usual = text(mira.get("/queue/"))
        chosen = text(mira.get("/queue/?columns=customer"))

        assert ('class="row-size"' in usual, 'class="row-customer"' in usual) == (True, False)
        assert ('class="row-size"' in chosen, 'class="row-customer"' in chosen) == (False, True)

    def test_leads_to_the_case_with_the_list_it_was_in(self, mira: Client) -> None:
        opened = case()

        assert f'href="/cases/{opened.pk}/?band=critical"' in text(mira.get("/queue/?band=critical&q="))


class TestASavedView:
    def save(self, client: Client, name: str, query: str, **fields: str) -> None:
        client.post("/queue/views/save/", {"name": name, "query": query} | fields)

    def test_is_offered_to_its_owner_with_its_count(self, mira: Client) -> None:
        case(score=90)
        case(score=70, band="high")

        self.save(mira, "High ones", "band=high&after=x&q=")

        view = SavedView.objects.get()
        assert (view.name, view.query) == ("High ones", "band=high")
        [named] = mira.get("/queue/", headers=by_htmx("views")).context["views"]
        assert (named.view.name, named.size_text) == ("High ones", "1")
        assert Entry.objects.get(verb="view.saved").details["name"] == "High ones"

    def test_is_offered_to_others_only_where_it_is_shared(self, mira: Client, jonas: Client) -> None:
        self.save(mira, "Mine", "band=high")
        self.save(mira, "Ours", "band=low", is_shared="on")

        assert [named.view.name for named in jonas.get("/queue/").context["views"]] == ["Ours"]

    def test_of_a_name_that_is_taken_replaces_the_other(self, mira: Client) -> None:
        self.save(mira, "High", "band=high")
        self.save(mira, "HIGH", "band=low")

        assert [(view.name, view.query) for view in SavedView.objects.all()] == [("HIGH", "band=low")]

    @pytest.mark.parametrize(
        "second", ["\N{KELVIN SIGN}", "\N{LATIN SMALL LETTER DOTLESS I}", "\N{ANGSTROM SIGN}", "\N{OHM SIGN}"]
    )
    def test_has_the_name_of_another_only_where_the_database_says_so(self, mira: Client, second: str) -> None:
        for name in ("k", "I", "\N{LATIN SMALL LETTER A WITH RING ABOVE}", "\N{GREEK SMALL LETTER OMEGA}"):
            self.save(mira, name, "band=high")

        self.save(mira, second, "band=low")

        saved = SavedView.objects.get(query="band=low")
        assert saved.name == second
        same = SavedView.objects.alias(lower=Lower("name")).filter(lower=Lower(Value(second)))
        assert list(same) == [saved]

    def test_beyond_the_thirtieth_is_refused(self, mira: Client) -> None:
        for number in range(30):
            self.save(mira, f"View {number}", "band=high")

        response = mira.post("/queue/views/save/", {"name": "One more", "query": ""}, headers=by_htmx("views"))

        assert response.status_code == 422
        assert "You have 30 saved views. Remove one first." in text(response)
        assert SavedView.objects.count() == 30

    def test_of_ones_own_is_listed_before_those_of_others(self, mira: Client, jonas: Client) -> None:
        for number in range(30):
            self.save(mira, f"A {number}", "band=high", is_shared="on")
        self.save(jonas, "Zeta", "band=low", is_shared="on")

        assert jonas.get("/queue/").context["views"][0].view.name == "Zeta"

    def test_by_htmx_is_what_the_filters_say(self, mira: Client) -> None:
        form = {"name": "Due", "query": "", "view": "overdue", "band": "", "q": "quay"}

        response = mira.post("/queue/views/save/", form, headers=by_htmx("views"))

        assert SavedView.objects.get().query == "view=overdue&q=quay"
        assert text(response).lstrip().startswith('<nav id="views"')

    def test_without_a_name_is_refused_at_the_field(self, mira: Client) -> None:
        response = mira.post("/queue/views/save/", {"name": " ", "view": "all"}, headers=by_htmx("views"))

        assert response.status_code == 422
        assert "Enter a name." in text(response)
        assert not SavedView.objects.exists()

    def test_of_no_list_is_refused(self, mira: Client) -> None:
        self.save(mira, "Broken", "band=purple")

        assert not SavedView.objects.exists()

    def test_is_removed_by_its_owner_alone(self, mira: Client, jonas: Client) -> None:
        self.save(mira, "Ours", "band=low", is_shared="on")
        view = SavedView.objects.get()

        assert jonas.post(f"/queue/views/{view.pk}/remove/").status_code == 404
        mira.post(f"/queue/views/{view.pk}/remove/")

        assert not SavedView.objects.exists()
        assert Entry.objects.filter(verb="view.removed").count() == 1


def test_an_address_holds_nothing_blank_and_no_place_in_the_list() -> None:

    given = QueryDict("view=mine&band=&q=&after=3&columns=due&columns=usage&other=1")

    assert clean_query(given) == "view=mine&columns=due&columns=usage"
