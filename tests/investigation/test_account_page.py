"""The page of an account shows all that is known of it, whatever its score, and what can be done with it."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Account, TermsAcceptance, TermsVersion
from governance.campaigns.explanation import explanation_note
from governance.restrictions.reasons import Reason
from governance.review.actions import add_note, decide, read_excerpts
from governance.review.models import Dismissal
from governance.review.verdicts import Verdict
from governance.staff.models import User
from governance.staff.roles import Role
from governance.usage.actions import compact_profiles, record_lines
from tests.factories import (
    FINDING,
    NOW,
    account,
    api_key,
    assessment,
    campaign_of,
    case,
    line,
    person,
    restriction,
    training_licence,
)
from tests.investigation.pages import account_address
from tests.review.pages import by_htmx, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


@pytest.fixture
def harbour() -> Account:
    return account("acct_harbour", organisation="org_quay")


def page_of(client: Client, of: Account, query: str = "") -> str:
    return text(client.get(f"{account_address(of.external_id)}{query}"))


def use(of: Account, *, requests: int = 6, hours: int = 3) -> None:
    """Usage in the last hours, with text."""
    lines = [
        line(
            account=of.external_id,
            occurred_at=(NOW - timedelta(hours=hour, minutes=number)).isoformat(),
            parameters={"temperature": 0},
            messages=[{"role": "user", "content": f"Translate this sentence of the tide: number {number} of {hour}."}],
        )
        for hour in range(1, hours + 1)
        for number in range(requests)
    ]
    record_lines(lines, source="native", now=NOW)
    compact_profiles([of.pk])


class TestThePage:
    def test_of_nobody_is_not_found(self, client: Client) -> None:
        assert client.get(account_address("nobody")).status_code == 404

    def test_of_somebody_without_any_usage_says_so(self, client: Client, harbour: Account) -> None:
        page = page_of(client, harbour)

        assert "Not scored yet" in page
        assert "It never had a case." in page
        assert "No usage in this period." in page

    def test_says_how_far_below_the_review_line_the_score_is(self, client: Client, harbour: Account) -> None:
        assessment(harbour, score=38, band="low")

        assert "12 points below the review line of 50" in page_of(client, harbour)

    def test_shows_the_findings_with_their_points(self, client: Client, harbour: Account) -> None:
        assessment(harbour, score=34, band="low")

        page = page_of(client, harbour)

        assert str(FINDING["title"]) in page
        assert "<b>+34</b>" in page

    def test_says_what_changed_the_score(self, client: Client, harbour: Account) -> None:
        other = FINDING | {"detector": "card", "title": "Shares a card", "points": 20}
        assessment(harbour, score=34, band="low", at=NOW - timedelta(days=3))
        assessment(harbour, score=54, band="elevated", at=NOW - timedelta(days=2), findings=[FINDING, other])
        assessment(harbour, score=10, band="low", at=NOW, findings=[FINDING | {"points": 10}], model_version="2")

        page = page_of(client, harbour)

        assert "new: Shares a card (+20)" in page
        assert "scored by calibration 2" in page
        assert "gone: Shares a card (was +20)" in page
        assert "(+34 to +10)" in page
        assert "first scored" in page

    def test_draws_usage_with_its_text_equivalents(self, client: Client, harbour: Account) -> None:
        use(harbour)
        assessment(harbour, score=5, band="low")

        page = page_of(client, harbour)

        assert "<caption>Usage by hour</caption>" in page
        assert "Most requests come on Mondays" in page
        assert "<caption>Requests by hour and day of the week, UTC</caption>" in page
        assert '<th scope="row">Monday</th>' in page
        assert "<bdi>flagship-2</bdi>" in page

    def test_shows_templates_with_counts_and_parameters(self, client: Client, harbour: Account) -> None:
        use(harbour)
        assessment(harbour, score=5, band="low")

        page = text(client.get(account_address("acct_harbour", "account-asking"), headers=by_htmx("asking")))

        assert page.lstrip().startswith('<section id="asking"')
        assert "Prompt templates" in page
        assert "<td>18</td>" in page
        assert "Low temperature" in page

    @pytest.mark.parametrize("period", ["days", "weeks", "months"])
    def test_draws_another_period(self, client: Client, harbour: Account, period: str) -> None:
        use(harbour)
        address = f"{account_address(harbour.external_id)}?period={period}"

        fragment = text(client.get(address, headers=by_htmx("usage", current=account_address(harbour.external_id))))

        assert fragment.lstrip().startswith('<section id="usage"')
        assert f'?period={period}" aria-current="true"' in fragment

    def test_shows_the_register(self, client: Client, harbour: Account) -> None:
        api_key(harbour, "key_9x")
        training_licence(harbour)
        terms = TermsVersion.objects.create(name="2026-03", published_at=NOW)
        TermsAcceptance.objects.create(account=harbour, terms=terms, accepted_at=NOW)
        Account.objects.update(email_domain="harbour.example", payment_fingerprint="card_7", signup_ip="203.0.113.9")

        page = page_of(client, harbour)

        for words in ("key_9x", "training permitted from", "2026-03</bdi>, 2 Nov 2026", "/search/?q=card_7"):
            assert words in page
        assert "/search/?q=harbour.example" in page
        assert "/search/?q=203.0.113.9" in page
        assert 'href="/organisations/org_quay/"' in page

    def test_shows_what_links_it_to_others(self, client: Client, harbour: Account) -> None:
        Account.objects.update(payment_fingerprint="card_7")
        account("acct_card", payment_fingerprint="card_7")
        campaign_of(harbour, account("acct_member"))

        page = page_of(client, harbour)

        assert "2 accounts have something in common" in page
        assert '<a href="/accounts/acct_card/">' in page
        assert "same card" in page
        assert "same campaign" in page

    def test_shows_restrictions_decisions_notes_and_who_read_excerpts(
        self, client: Client, mira: User, harbour: Account
    ) -> None:
        opened = case(harbour)
        add_note(opened, text="Called them.", by=mira, now=NOW)
        read_excerpts(opened, reason="To tell a quiz from a harvest.", by=mira, now=NOW)
        verdict = Verdict(action=Dismissal.DISMISS, reason=Reason.EVALUATION)
        decide(opened, verdict, decision_id=uuid.uuid4(), by=mira, now=NOW)
        ended = restriction(api_key(harbour, "key_9x"))

        page = page_of(client, harbour)

        assert "Called them." in page
        assert "To tell a quiz from a harvest." in page
        assert "dismissed" in page
        assert f"No. {ended.number}," in page
        assert "The last one</a> is decided" in page

    def test_costs_at_most_a_dozen_queries(
        self, client: Client, mira: User, harbour: Account, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        use(harbour)
        opened = case(harbour)
        api_key(harbour)
        campaign_of(harbour, account())
        restriction(harbour)
        add_note(opened, text="Called them.", by=mira, now=NOW)

        # 1 session, 2 user, 3 account with register, campaign and cases, 4 assessments, 5 restrictions, 6 usage by hour
        # and model, 7 links, 8 steps, 9 decisions, 10 readings of excerpts
        with django_assert_num_queries(10):
            client.get(account_address(harbour.external_id))

    @pytest.mark.parametrize("role", [Role.REVIEWER, Role.LEAD, Role.AUDITOR, Role.ADMIN])
    def test_opens_for_every_role(self, harbour: Account, role: Role) -> None:
        assert "acct_harbour" in page_of(signed_in(person(role=role)), harbour)

    def test_lets_an_auditor_change_nothing(self, harbour: Account) -> None:
        assessment(harbour)
        client = signed_in(person(role=Role.AUDITOR))

        page = page_of(client, harbour)

        assert "Open a case" not in page
        assert "Put it on the watch-list" not in page
        for what in ("account-open-case", "account-watch", "account-unwatch"):
            assert client.post(account_address("acct_harbour", what), {"reason": "x"}).status_code == 403


class TestTheExplanation:
    def test_is_what_the_shell_prints(self, client: Client, harbour: Account) -> None:
        assessment(harbour, score=34, band="low")

        response = client.get(account_address("acct_harbour", "account-explanation"))

        assert response.context["note"] == explanation_note(harbour)
        assert "34 points of 100" in text(response)
