import uuid
from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account
from governance.detection.models import Assessment
from governance.restrictions.models import Restriction
from governance.review.models import Case
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.factories import (
    FINDING,
    NOW,
    account,
    api_key,
    assessment,
    case,
    line,
    person,
    restriction,
    training_licence,
)
from tests.review.case_page import page_of
from tests.review.markup import outline
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


def with_findings(*findings: dict[str, object]) -> Case:
    about = account("acct_harbour")
    seen = assessment(about, findings=list(findings))
    opened = case(about)
    opened.assessment = seen
    opened.save()
    return opened


class TestTheScore:
    def test_is_told_as_points_for_and_against(self) -> None:
        opened = with_findings(FINDING | {"points": 60}, FINDING | {"points": 34}, FINDING | {"points": -12})

        page = page_of(opened)

        assert "+94" in page
        assert "−12" in page

    def test_has_the_probability_beside_its_points(self) -> None:
        suspect = with_findings(FINDING)
        Assessment.objects.update(probability=0.81, probability_low=0.73, probability_high=0.87)

        assert "Probability of a harvest: 81 % (73 % to 87 %)." in page_of(suspect)

    def test_names_no_interval_that_is_none_in_whole_percent(self) -> None:
        suspect = with_findings(FINDING)
        Assessment.objects.update(probability=0.998, probability_low=0.997, probability_high=0.999)

        assert "Probability of a harvest: over 99 %." in page_of(suspect)

    def test_has_each_finding_in_its_sentence_with_figures_and_a_harmless_reason(self) -> None:
        page = page_of(with_findings(FINDING))

        assert str(FINDING["title"]) in page
        assert "94\N{NO-BREAK SPACE}% of 2,310 prompts wrap a new payload in the same words." in page
        assert str(FINDING["harmless"]) in page
        assert "2,310</dd>" in page

    def test_shows_what_a_detector_says_of_itself(self) -> None:
        page = page_of(with_findings(FINDING | {"detector": "shared_card"}))

        assert "Many accounts on one card keep each below what would be noticed." in page

    def test_survives_a_detector_that_is_gone(self) -> None:
        assert str(FINDING["title"]) in page_of(with_findings(FINDING | {"detector": "gone_since"}))


class TestTheAccount:
    def test_is_described_by_what_is_known_of_it(self) -> None:
        harbour = account(
            "acct_harbour", organisation="org_quay", plan="scale", declared_use="support bot", country="NL"
        )
        api_key(harbour, "key_5521")

        page = page_of(case(harbour))

        for fact in ("org_quay", "scale", "support bot", "NL", "key_5521"):
            assert fact in page

    def test_names_a_licence_that_permits_training(self) -> None:
        harbour = account("acct_harbour")
        training_licence(harbour)

        assert "training permitted" in page_of(case(harbour))

    def test_leads_to_others_on_the_same_card(self) -> None:
        harbour = account("acct_harbour", payment_fingerprint="card_1")
        twin = case(account("acct_twin", payment_fingerprint="card_1"), score=91)
        account("acct_stranger", payment_fingerprint="card_2")

        page = page_of(case(harbour))

        assert address(twin) in page
        assert "shared with 1 other" in page
        assert "acct_stranger" not in page


class TestUse:
    def test_is_drawn_and_told_as_a_table(self) -> None:
        about = self.harbour_with_use()

        page = page_of(about)

        assert "<title>Sun 1 Nov, 09:00: 2 requests</title>" in page
        assert "<caption>Usage by hour</caption>" in page
        assert "flagship-2" in page

    def test_that_is_gone_leaves_a_sentence(self) -> None:
        assert "no longer stored" in page_of(case())

    def harbour_with_use(self, words: str = "Solve it step by step.") -> Case:
        at = (NOW - timedelta(days=1)).isoformat()
        asked = [{"role": "user", "content": words}]
        lines = [line(account="acct_harbour", occurred_at=at, messages=asked) for _ in range(2)]
        record_lines(lines, source="native", now=NOW)
        return case(Account.objects.get(external_id="acct_harbour"))


class TestRestrictions:
    def test_in_force_can_be_lifted_from_the_page(self) -> None:
        harbour = account("acct_harbour")
        in_force = restriction(harbour, Restriction.Kind.WATCH)

        page = page_of(case(harbour))

        assert "watched" in page
        assert f"restrictions/{in_force.number}/lift/" in page

    def test_on_a_key_of_the_account_are_shown_with_the_key(self) -> None:
        harbour = account("acct_harbour")
        restriction(api_key(harbour, "key_5521"), Restriction.Kind.BLOCK)

        assert "key <bdi>key_5521</bdi>" in page_of(case(harbour))

    def test_cannot_be_lifted_by_an_auditor(self) -> None:
        harbour = account("acct_harbour")
        restriction(harbour, Restriction.Kind.WATCH)

        assert "/lift/" not in page_of(case(harbour), role=Role.AUDITOR)


class TestThePage:
    def test_costs_few_queries(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        opened, client = case(), signed_in(person())

        # 1 session, 2 user, 3 case with account, people, assessment, keys, licences and excerpts, 4 decisions,
        # 5 restrictions, 6 linked accounts, 7 usage, 8 reasons to choose from, 9 steps
        with django_assert_num_queries(9):
            client.get(address(opened))

    def test_asks_only_for_what_a_fragment_shows(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        opened, client = case(), signed_in(person())

        # 1 session, 2 user, 3 case, 4 steps
        with django_assert_num_queries(4):
            client.get(address(opened), headers=by_htmx("history"))

    def test_and_its_fragment_are_the_same(self) -> None:
        opened, client = case(account("acct_harbour")), signed_in(person())

        fragment = text(client.get(address(opened), headers=by_htmx("case", boosted=True)))

        assert "<html" not in fragment
        assert '<section id="case"' in fragment
        assert "acct_harbour · 82 · Stillwatch</title>" in fragment

    def test_is_kept_by_no_browser(self) -> None:
        response = signed_in(person()).get(address(case()))

        assert "no-store" in response["Cache-Control"]

    def test_that_does_not_exist_is_not_found(self) -> None:
        response = signed_in(person()).get(f"/cases/{uuid.uuid4()}/")

        assert response.status_code == 404
        assert "Page not found" in text(response)

    @pytest.mark.parametrize("path", ["/queue/", "case"])
    def test_can_be_read_without_seeing_it(self, path: str) -> None:
        opened = case(account("acct_harbour"))
        restriction(opened.own_account, Restriction.Kind.WATCH)

        seen = outline(text(signed_in(person()).get(address(opened) if path == "case" else path)))

        assert seen.unlabelled == []
        assert seen.headings[0] == 1
        assert all(deeper - level <= 1 for level, deeper in zip(seen.headings, seen.headings[1:], strict=False))
        assert len(seen.ids) == len(set(seen.ids))
        assert seen.styled == []
