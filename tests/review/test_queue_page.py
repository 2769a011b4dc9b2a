import uuid
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from time_machine import TimeMachineFixture

from accounts.models import Organisation
from governance.restrictions.reasons import Reason
from governance.review.actions import claim, decide
from governance.review.models import Case, Dismissal
from governance.review.queries import PAGE
from governance.review.undo import undo_decision
from governance.review.verdicts import Verdict
from tests.factories import FINDING, NOW, account, assessment, case, person
from tests.review.deciding import BLOCK
from tests.review.pages import by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


@pytest.fixture
def _at_now(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(NOW, tick=False)


def case_of(name: str, *, score: int = 82, band: str = "critical", company: str | None = None, due_in: int = 4) -> Case:
    return case(account(name, organisation=company), score=score, band=band, due_in=due_in)


def listed(client: Client, query: str = "") -> list[str]:
    """The accounts in the list, from the top."""
    page = client.get(f"/queue/{query}").context["page"]
    return [row.case.account.external_id for row in page.rows]


class TestTheQueue:
    def test_has_the_highest_score_first_and_then_what_is_due_soonest(self) -> None:
        case_of("acct_calm", score=55, band="elevated")
        case_of("acct_later", score=90, due_in=4)
        case_of("acct_sooner", score=90, due_in=2)

        assert listed(signed_in(person())) == ["acct_sooner", "acct_later", "acct_calm"]

    def test_says_the_band_and_the_first_reasons_in_words(self) -> None:
        case_of("acct_harbour")

        page = text(signed_in(person()).get("/queue/"))

        assert "Critical" in page
        assert str(FINDING["title"]) in page
        assert "+34" in page

    def test_shows_the_three_weightiest_reasons_and_none_that_speak_for_the_account(self) -> None:
        points = {"Third": 5, "First": 30, "Fourth": 1, "Second": 12, "For it": -20}
        findings = [FINDING | {"title": title, "points": number} for title, number in points.items()]
        case_of("acct_harbour")
        Case.objects.update(assessment=assessment(account(), findings=findings))

        row = signed_in(person()).get("/queue/").context["page"].rows[0]

        assert [reason["title"] for reason in row.reasons] == ["First", "Second", "Third"]

    def test_marks_what_is_overdue(self) -> None:
        case_of("acct_harbour", due_in=-2)

        assert "2 h overdue" in text(signed_in(person()).get("/queue/"))

    def test_counts_what_waits_what_is_overdue_and_what_is_mine(self) -> None:
        mira = person()
        case_of("acct_harbour", due_in=-2)
        claim(case_of("acct_quill"), by=mira, now=NOW)

        counts = signed_in(mira).get("/queue/").context["counts"]

        assert (counts.waiting, counts.overdue, counts.mine) == (2, 1, 1)

    def test_names_who_has_claimed_a_case_until_the_claim_runs_out(self, time_machine: TimeMachineFixture) -> None:
        claim(case_of("acct_harbour"), by=person("Jonas Lindqvist"), now=NOW)
        mira = person()

        def holder() -> str:
            person = signed_in(mira).get("/queue/").context["page"].rows[0].person  # a session ends sooner
            return person.name if person else ""

        assert holder() == "Jonas Lindqvist"
        time_machine.move_to(NOW + timedelta(minutes=31))
        assert holder() == ""

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("", "No cases waiting"),
            ("?view=mine", "No claimed cases"),
            ("?view=overdue", "No overdue cases"),
            ("?view=decided", "No decisions yet"),
            ("?q=harbour", "No open case matches “harbour”"),
            ("?band=high", "No cases match the filters"),
        ],
    )
    def test_says_what_to_do_when_it_is_empty(self, query: str, words: str) -> None:
        assert words in text(signed_in(person()).get(f"/queue/{query}"))

    def test_costs_the_same_few_queries_however_many_cases_there_are(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = signed_in(person())
        for number in range(3):
            case_of(f"acct_{number}", company="org_quill")

        # 1 session, 2 user, 3 cases with account, organisation, assessment and people, 4 waiting and overdue, 5 mine,
        # 6 saved views, 7 colleagues
        with django_assert_num_queries(7):
            client.get("/queue/")

    def test_asks_for_less_when_only_the_list_is_made_new(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = signed_in(person())
        case_of("acct_harbour", company="org_quill")

        # 1 session, 2 user, 3 cases, 4 waiting and overdue, 5 mine
        with django_assert_num_queries(5):
            client.get("/queue/", headers=by_htmx("cases"))


class TestAFilter:
    def test_for_mine_leaves_what_i_have_claimed(self) -> None:
        mira = person()
        claim(case_of("acct_harbour"), by=mira, now=NOW)
        claim(case_of("acct_quill"), by=person("Jonas Lindqvist"), now=NOW)

        assert listed(signed_in(mira), "?view=mine") == ["acct_harbour"]

    def test_for_unclaimed_leaves_what_nobody_has(self) -> None:
        claim(case_of("acct_harbour"), by=person("Jonas Lindqvist"), now=NOW)
        case_of("acct_quill")

        assert listed(signed_in(person()), "?view=unclaimed") == ["acct_quill"]

    def test_for_overdue_leaves_what_should_have_been_decided(self) -> None:
        case_of("acct_harbour", due_in=-1)
        case_of("acct_quill", due_in=1)

        assert listed(signed_in(person()), "?view=overdue") == ["acct_harbour"]

    def test_for_a_band_leaves_that_band(self) -> None:
        case_of("acct_harbour", score=70, band="high")
        case_of("acct_quill", score=90)

        assert listed(signed_in(person()), "?band=high") == ["acct_harbour"]

    @pytest.mark.parametrize("words", ["acct_harb", "QUAY", "g_qua"])
    def test_finds_accounts_and_organisations(self, words: str) -> None:
        case_of("acct_harbour", company="org_quay")
        Organisation.objects.update(name="Harbour Quay Ltd")
        case_of("acct_quill", company="org_mere")

        assert listed(signed_in(person()), f"?q={words}") == ["acct_harbour"]

    def test_finds_the_same_where_very_many_accounts_fit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("governance.review.queue_filters.FEW_ACCOUNTS", 1)
        for name in ("acct_a", "acct_b", "acct_c"):
            case_of(name, company="org_quay")
        case_of("other_d")

        assert sorted(listed(signed_in(person()), "?q=acct_")) == ["acct_a", "acct_b", "acct_c"]

    def test_that_is_blank_counts_as_not_given(self) -> None:
        case_of("acct_harbour")

        assert listed(signed_in(person()), "?view=&band=&q=&after=") == ["acct_harbour"]


class TestDecidedCases:
    def test_are_listed_with_what_was_decided_and_by_whom(self) -> None:
        mira = person()
        verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
        decide(case_of("acct_harbour"), verdict, decision_id=uuid.uuid4(), by=mira, now=NOW)

        page = text(signed_in(person("Jonas Lindqvist")).get("/queue/?view=decided"))

        assert "acct_harbour" in page
        assert "dismissed" in page
        assert "Mira Okafor" in page

    def test_are_the_newest_first(self) -> None:
        verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
        for hours, name in ((2, "acct_old"), (1, "acct_new")):
            at = NOW - timedelta(hours=hours)
            decide(case_of(name), verdict, decision_id=uuid.uuid4(), by=person(), now=at)

        assert listed(signed_in(person()), "?view=decided") == ["acct_new", "acct_old"]


class TestPages:
    def test_follow_one_another_without_gap_or_repetition(self) -> None:
        for number in range(PAGE + 3):
            case_of(f"acct_{number}", score=60 + number % 4)
        client = signed_in(person())

        first = client.get("/queue/").context["page"]
        rest = listed(client, f"?after={first.next_after}")

        seen = [row.case.account.external_id for row in first.rows] + rest
        assert len(rest) == 3
        assert len(set(seen)) == PAGE + 3

    def test_of_decided_cases_say_what_has_become_of_the_decision(self) -> None:
        first, mira = case_of("acct_harbour"), person()
        decide(first, BLOCK, decision_id=uuid.uuid4(), by=mira, now=NOW)
        case(first.account)  # so that the first one stays closed
        undo_decision(first, note="A slip.", by=mira, now=NOW)

        [row] = signed_in(mira).get("/queue/?view=decided").context["page"].rows
        [waiting] = signed_in(mira).get("/queue/").context["page"].rows

        assert (row.case, row.since) == (first, "undone")
        assert waiting.since == ""

    def test_of_decided_cases_lead_to_each_of_those_decided_at_the_same_moment(self) -> None:
        mira = person()
        for number in range(PAGE + 3):
            verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
            decide(case_of(f"acct_{number}"), verdict, decision_id=uuid.uuid4(), by=mira, now=NOW)
        client = signed_in(mira)

        first = client.get("/queue/?view=decided").context["page"]
        rest = listed(client, f"?view=decided&after={first.next_after}")

        assert len({row.case.account.external_id for row in first.rows} | set(rest)) == PAGE + 3

    def test_lead_on_only_where_there_is_more(self) -> None:
        for number in range(PAGE):
            case_of(f"acct_{number}")

        assert signed_in(person()).get("/queue/").context["page"].next_after is None


class TestAFragmentOfTheQueue:
    def test_is_the_list_alone(self) -> None:
        case_of("acct_harbour")

        fragment = text(signed_in(person()).get("/queue/", headers=by_htmx("cases")))

        assert fragment.lstrip().startswith('<div id="cases"')
        assert "acct_harbour" in fragment
        assert "<html" not in fragment

    def test_with_its_filters_stands_beside_an_open_case(self) -> None:
        fragment = text(signed_in(person()).get("/queue/", headers=by_htmx("queue", current="/cases/x/")))

        assert fragment.lstrip().startswith('<section id="queue"')
        assert 'type="search"' in fragment

    def test_puts_the_filters_into_the_address_of_the_queue(self) -> None:
        response = signed_in(person()).get("/queue/?view=mine", headers=by_htmx("cases"))

        assert response["HX-Push-Url"] == "/queue/?view=mine"

    @pytest.mark.parametrize("current", ["/queue/?view=mine", "/cases/x/"])
    def test_leaves_the_address_alone_when_it_is_only_made_new_or_stands_beside_a_case(self, current: str) -> None:
        response = signed_in(person()).get("/queue/?view=mine", headers=by_htmx("cases", current=current))

        assert "HX-Push-Url" not in response

    def test_is_a_whole_page_again_when_somebody_goes_back_to_it(self) -> None:
        headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}

        assert "<html" in text(signed_in(person()).get("/queue/", headers=headers))
