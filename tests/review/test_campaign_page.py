"""The pages of campaigns: the list, and one campaign."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.campaigns.models import Campaign
from governance.gateways.models import Gateway
from governance.restrictions.models import Restriction
from governance.review.models import Case
from governance.usage.actions import record_lines
from tests.factories import (
    NOW,
    account,
    assessment,
    campaign_case,
    case,
    line,
    own_campaign,
    person,
)
from tests.review.campaign_pages import SIZE, case_with_findings, five_accounts, page, says_ticked
from tests.review.deciding import decide_all
from tests.review.pages import address, block_form, by_htmx, signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def members() -> list[Account]:
    return five_accounts()


@pytest.fixture
def own(members: list[Account]) -> Case:
    return case_with_findings(members)


@pytest.fixture
def client() -> Client:
    return signed_in(person())


class TestTheList:
    def test_shows_open_campaigns_with_what_was_decided(self, client: Client, own: Case) -> None:
        before = text(client.get("/campaigns/"))
        decide_all(own)

        after = text(client.get("/campaigns/"))

        assert f'href="/campaigns/{own.campaign_id}/">5 accounts</a>' in before
        assert "overdue" in before
        assert "blocked" in after

    def test_of_watched_ones_says_why(self, client: Client) -> None:
        Campaign.objects.create(first_seen_at=NOW, size=4, watched_because="One institution.")

        assert "One institution." in text(client.get("/campaigns/?state=watched"))
        assert "No open campaigns" in text(client.get("/campaigns/"))

    def test_goes_on_after_the_last_of_a_page(self, client: Client) -> None:
        Campaign.objects.bulk_create(
            Campaign(state="open", first_seen_at=NOW, size=100 + number, score=30) for number in range(40)
        )

        first = text(client.get("/campaigns/"))
        after = first.partition("after=")[2].partition('"')[0]
        second = text(client.get(f"/campaigns/?after={after}"))

        assert ("139 accounts" in first, "110 accounts" in first, "109 accounts" in first) == (True, True, False)
        assert ("109 accounts" in second, "100 accounts" in second) == (True, True)

    def test_refuses_what_it_cannot_read(self, client: Client) -> None:
        assert client.get("/campaigns/?state=lost").status_code == 400

    def test_takes_five_queries(self, client: Client, own: Case, django_assert_num_queries: Any) -> None:
        client.get("/campaigns/")

        # session, user, campaigns, their newest cases, the decisions on these
        with django_assert_num_queries(5):
            client.get("/campaigns/")


class TestThePage:
    def test_says_why_and_lists_the_members(self, client: Client, own: Case) -> None:
        shown = text(client.get(page(own)))

        assert "Campaign of 5 accounts" in shown
        assert "Acts as one" in shown
        assert all(f"acct_{number}" in shown for number in range(SIZE))
        assert shown.count(" checked>") >= SIZE
        assert "Fixed wrapper around ever-new payload" in shown

    def test_is_where_the_address_of_its_case_leads(self, client: Client, own: Case) -> None:
        response = client.get(address(own))

        assert response.headers["Location"] == page(own, f"?case={own.pk}")

    def test_takes_twelve_queries(self, client: Client, own: Case, django_assert_num_queries: Any) -> None:
        client.get(page(own))

        # session, user, case with its campaign, earlier decisions on the members, members, their assessments,
        # restrictions on them, usage by day, shared traits, decisions, history
        with django_assert_num_queries(12):
            client.get(page(own))

    def test_takes_twelve_once_it_is_decided_and_in_force(
        self, client: Client, own: Case, django_assert_num_queries: Any
    ) -> None:
        decide_all(own)
        client.get(page(own))

        # the same, and what of the decision is in force
        with django_assert_num_queries(12):
            client.get(page(own))

    def test_says_where_the_decision_is_in_force_once_it_is_there(self, client: Client, own: Case) -> None:
        decide_all(own)

        whole, part = client.get(page(own)), client.get(page(own), headers=by_htmx("gateways"))

        assert 'hx-trigger="load"' in text(whole).partition('id="gateways"')[2][:200]
        assert "No gateway connected in the last day: this is not applied anywhere." in text(part)

    def test_counts_what_a_gateway_has_of_the_decision(self, client: Client, own: Case) -> None:
        decide_all(own)
        seen = timezone.now()
        behind = Gateway.objects.create(name="edge", created_at=seen)
        knows = Restriction.objects.order_by("number")[2].changes.earliest("number").number
        behind.instances.create(instance="a", sequence=knows, started_at=NOW, seen_at=seen)

        shown = text(client.get(page(own), headers=by_htmx("gateways")))

        assert "3 of 5 in force at <b>edge</b>" in shown
        assert "The others are not yet in force" in shown

    @pytest.mark.parametrize(
        ("query", "there", "gone"),
        [
            ("?q=org_3", "acct_3", "acct_1"),
            ("?tie=card", "acct_2", "acct_0"),
        ],
    )
    def test_lists_what_the_filter_asks_for(self, client: Client, own: Case, query: str, there: str, gone: str) -> None:
        own_campaign(own).members.filter(account__external_id="acct_2").update(ties={"card": 1.0})

        shown = text(client.get(page(own, query))).partition('id="members"')[2]

        assert (f"<bdi>{there}</bdi>" in shown, f"<bdi>{gone}</bdi>" in shown) == (True, False)
        assert "And the 4 members not listed here" in shown
        assert 'data-ticks="4" >' in shown

    @pytest.mark.parametrize(
        ("sort", "first"), [("score", "acct_4"), ("account", "acct_0"), ("fits", "acct_1"), ("joined", "acct_2")]
    )
    def test_sorts_them(self, client: Client, own: Case, members: list[Account], sort: str, first: str) -> None:
        assessment(members[4], score=99)
        own_campaign(own).members.filter(account=members[1]).update(ties={"wrappers": 0.9})
        own_campaign(own).members.filter(account=members[2]).update(joined_at=NOW.replace(hour=23))

        shown = text(client.get(page(own, f"?sort={sort}"))).partition("<tbody>")[2]

        assert shown.partition("<bdi>")[2].startswith(first)

    @pytest.mark.parametrize(("query", "ticked"), [("", 5), ("?ticked=none", 0), ("?ticked=all", 5)])
    def test_ticks_all_or_none(self, client: Client, own: Case, query: str, ticked: int) -> None:
        assert says_ticked(client.get(page(own, query)), ticked, of=5)

    def test_lists_the_first_hundred_and_more_if_asked(self, client: Client) -> None:
        many = campaign_case(*(account(f"acct_{number:03}") for number in range(104)))

        short, long = client.get(page(many)), client.get(page(many, "?long=on"))

        assert "And the 4 members not listed here" in text(short)
        assert says_ticked(short, 104, of=104)
        assert "not listed here" not in text(long)

    def test_shows_what_was_harvested_beside_what_was_enough(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        days = ("2026-11-01", "2026-11-02")
        used = [
            line(id=f"req_{number}", account="acct_0", occurred_at=f"{days[number % 2]}T09:10:00Z", output_tokens=100)
            for number in range(900)
        ]
        record_lines(used, source="native", now=NOW)

        shown = text(client.get(page(own)))

        assert "900 exchanges, 90 k output tokens" in shown
        assert "LIMO, 2025" in shown
        assert "1.1 times" in shown
        assert shown.count("not yet") == 3

    def test_draws_what_ties_them_and_says_the_same_in_words(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        for one in members[:3]:
            one.traits.create(kind=3, digest=77, uses=0, share=1.0)

        shown = text(client.get(page(own)))

        assert '<svg class="tie-graph"' in shown
        assert "<b>Card 1</b>: 3 members:" in shown
        assert "2 members share none of these" in shown

    def test_of_a_watched_group_has_no_form(self, client: Client) -> None:
        group = Campaign.objects.create(first_seen_at=NOW, size=0, watched_because="One institution.")

        shown = text(client.get(f"/campaigns/{group.pk}/"))

        assert "Watched, and no case: One institution." in shown
        assert "Preview" not in shown

    def test_proposes_only_who_is_new_since_the_decision(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        decide_all(own)
        new = account("acct_new")
        own_campaign(own).members.create(
            account=new, joined_at=NOW + timedelta(minutes=1), tied_to=1, strength=1.0, ties={}
        )
        again = Case.objects.create(
            campaign=own.campaign, assessment=own.assessment, score=90, band="critical", opened_at=NOW, due_at=NOW
        )

        response = client.get(address(again), follow=True)

        assert "1 new since the decision" in text(response)
        assert says_ticked(response, 1, of=6)

    def test_opens_in_the_place_of_a_case_beside_the_list(self, client: Client, own: Case) -> None:
        shown = text(client.get(address(own), follow=True, headers=by_htmx("case", boosted=True)))

        assert '<section id="case" class="case campaign-case"' in shown
        assert "<html" not in shown

    def test_keeps_its_title_while_the_list_beside_it_is_made_new(self, client: Client, own: Case) -> None:
        beside = client.get("/queue/", headers=by_htmx("cases", current=page(own, f"?case={own.pk}")))

        assert "<title>" not in text(beside)
        assert 'id="page-title"' not in text(beside)
        assert "<title>Queue" in text(client.get("/queue/", headers=by_htmx("cases", current="/queue/")))

    def test_takes_notes_and_claims(self, client: Client, own: Case) -> None:
        client.post(address(own, "claim/"))
        client.post(address(own, "note/"), {"text": "Wrote to all of them."})

        shown = text(client.get(page(own)))

        assert "Claimed by you" in shown
        assert "Wrote to all of them." in shown

    @pytest.mark.parametrize("what", ["decide/", "excerpts/"])
    def test_has_nothing_of_what_only_accounts_have(self, client: Client, own: Case, what: str) -> None:
        assert client.post(address(own, what), block_form()).status_code == 404

    def test_stands_in_the_queue_in_place_of_its_members(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        case(members[0], part_of=own)

        shown = text(client.get("/queue/"))

        assert "Campaign of 5 accounts" in shown
        assert "acct_0" not in shown
