"""The pages of campaigns: the list, one campaign, and the decision about its members."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from governance.campaigns.models import Campaign
from governance.restrictions.models import Restriction
from governance.review.actions import claim
from governance.review.models import Case, Decision
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.factories import (
    FINDING,
    NOW,
    account,
    api_key,
    assessment,
    campaign_case,
    case,
    line,
    own_campaign,
    person,
    restriction,
    training_licence,
)
from tests.review.deciding import decide_all
from tests.review.pages import address, block_form, by_htmx, signed_in, text

pytestmark = pytest.mark.django_db
SIZE = 5


@pytest.fixture
def members() -> list[Account]:
    return [account(f"acct_{number}", organisation=f"org_{number}", plan="scale") for number in range(SIZE)]


@pytest.fixture
def own(members: list[Account]) -> Case:
    opened = campaign_case(*members)
    Campaign.objects.update(score=38, findings=[FINDING | {"title": "Acts as one"}], events=900)
    return opened


@pytest.fixture
def client() -> Client:
    return signed_in(person())


def page(opened: Case, query: str = "") -> str:
    return f"/campaigns/{opened.campaign_id}/{query}"


def chosen(opened: Case, members: list[Account], **fields: Any) -> dict[str, Any]:
    """The form of a decision about these members, as the page sends it."""
    newest = own_campaign(opened).members.latest("pk").pk
    return block_form(**fields) | {"accounts": [one.pk for one in members], "seen": newest} | fields


def says_ticked(response: Any, number: int, *, of: int) -> bool:
    return f"<b data-ticked>{number}</b> of {of} ticked." in text(response)


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
        assert client.get("/campaigns/?after=00000000-0000-4000-8000-000000000000").status_code == 400

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

    def test_takes_eleven_queries(self, client: Client, own: Case, django_assert_num_queries: Any) -> None:
        client.get(page(own))

        # session, user, case with its campaign, earlier decisions on the members, members, their assessments,
        # restrictions on them, usage by day, shared traits, decisions, history
        with django_assert_num_queries(11):
            client.get(page(own))

    def test_takes_twelve_once_it_is_decided_and_in_force(
        self, client: Client, own: Case, django_assert_num_queries: Any
    ) -> None:
        decide_all(own)
        client.get(page(own))

        # the same, and what of the decision is in force
        with django_assert_num_queries(12):
            client.get(page(own))

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
        assert "do not fit the filter and are not ticked" in shown

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
        own_campaign(own).members.create(account=new, joined_at=NOW, tied_to=1, strength=1.0, ties={})
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


class TestThePreview:
    def test_says_whom_it_hits_and_changes_nothing(self, client: Client, own: Case, members: list[Account]) -> None:
        api_key(members[0])
        training_licence(members[1])
        restriction(members[2], Restriction.Kind.WARN)
        own_campaign(own).members.update(ties={"wrappers": 0.75})
        asked = chosen(own, members[:3], left_out_because="Schools.")

        shown = text(client.post(address(own, "campaign/preview/"), asked))

        assert "Block 3 accounts?" in shown
        assert "<b>25 %</b> of their traffic carries no evidence" in shown
        assert "<b>1</b> key" in shown
        assert "<b>1</b> with a licence to train" in shown
        assert "<b>1</b> restricted already" in shown
        assert "Plans: scale 3." in shown
        assert "2 left out" in shown
        assert "“Schools.”" in shown
        assert Case.objects.get(pk=own.pk).is_open

    def test_names_colleagues_whose_cases_it_would_close(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        claim(case(members[0]), by=person("Jonas Lind"), now=NOW.replace(year=2100))
        Case.objects.exclude(claimed_by=None).update(claimed_until=NOW.replace(year=2100))

        shown = text(client.post(address(own, "campaign/preview/"), chosen(own, members)))

        assert "Jonas Lind has claimed the case of" in shown or "Jonas Lind" not in shown

    @pytest.mark.parametrize(
        ("mistake", "complaint"),
        [
            ({"accounts": []}, "Tick at least one account."),
            ({"action": ""}, "Choose an action."),
            ({"left_out_because": ""}, "Enter why the others are left out."),
            ({"accounts": ["none"]}, "This list of accounts cannot be read."),
            ({"accounts": ["99999999"]}, "None of the ticked accounts belongs to the campaign any more."),
            ({"seen": ""}, "This form is incomplete."),
        ],
    )
    def test_leads_back_to_what_is_wrong(
        self, client: Client, own: Case, members: list[Account], mistake: dict[str, Any], complaint: str
    ) -> None:
        response = client.post(address(own, "campaign/preview/"), chosen(own, members[:3]) | mistake)

        assert response.status_code == 422
        assert complaint in text(response)

    def test_keeps_the_ticks_of_a_form_with_a_mistake(self, client: Client, own: Case, members: list[Account]) -> None:
        response = client.post(address(own, "campaign/preview/"), chosen(own, members[:3]))

        assert says_ticked(response, 3, of=5)


class TestDeciding:
    def test_from_the_preview_decides_about_the_ticked(self, client: Client, own: Case, members: list[Account]) -> None:
        asked = chosen(own, members[:3], left_out_because="Schools.")

        response = client.post(address(own, "campaign/decide/"), asked, follow=True)

        shown = text(response)
        assert "3 accounts of the campaign: blocked." in shown
        assert "2 left out: Schools." in shown
        assert "3 of its restrictions are in force" in shown
        assert Restriction.objects.filter(ended_at=None).count() == 3

    def test_takes_accounts_in_one_field_too(self, client: Client, own: Case, members: list[Account]) -> None:
        asked = chosen(own, []) | {"accounts": ",".join(str(one.pk) for one in members)}

        client.post(address(own, "campaign/decide/"), asked)

        assert Decision.objects.get().targets.covered().count() == SIZE

    def test_covers_members_that_could_not_be_listed_if_asked_to(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        listed = ",".join(str(one.pk) for one in members[:3])
        asked = chosen(own, members[:2]) | {"others": "on", "listed": listed, "left_out_because": "A school."}

        client.post(address(own, "campaign/decide/"), asked)

        covered = Decision.objects.get().targets.covered()
        assert set(covered.values_list("account__external_id", flat=True)) == {"acct_0", "acct_1", "acct_3", "acct_4"}

    def test_asks_to_confirm(self, client: Client, own: Case, members: list[Account]) -> None:
        response = client.post(address(own, "campaign/decide/"), chosen(own, members, confirmed=""))

        assert response.status_code == 422
        assert "Block 5 accounts?" in text(response)
        assert "Tick to confirm." in text(response)

    def test_tells_the_second_who_was_first(self, client: Client, own: Case, members: list[Account]) -> None:
        decide_all(own, by=person("Jonas Lind"))

        response = client.post(address(own, "campaign/decide/"), chosen(own, members, note="All of them."))

        assert response.status_code == 409
        assert "Jonas Lind decided this case first: blocked" in text(response)
        assert "All of them." in text(response)

    def test_is_undone_from_its_page(self, client: Client, own: Case) -> None:
        client.post(address(own, "campaign/decide/"), chosen(own, [*Account.objects.all()]))

        shown = text(client.post(address(own, "undo/"), {"note": "One school."}, follow=True))

        assert "Undone. The case is open again and claimed by you. 5 restrictions ended" in shown
        assert not Restriction.objects.filter(ended_at=None).exists()

    def test_says_what_is_missing_to_undo_it(self, client: Client, own: Case) -> None:
        client.post(address(own, "campaign/decide/"), chosen(own, [*Account.objects.all()]))

        response = client.post(address(own, "undo/"), {"note": ""})

        assert response.status_code == 422
        assert "Enter a reason for undoing the decision." in text(response)

    @pytest.mark.parametrize("what", ["campaign/preview/", "campaign/decide/"])
    def test_is_for_those_who_work_cases(self, own: Case, members: list[Account], what: str) -> None:
        auditor = signed_in(person(role=Role.AUDITOR))

        assert auditor.post(address(own, what), chosen(own, members)).status_code == 403
        assert "campaign-decide" not in text(auditor.get(page(own)))


class TestGroupingByHand:
    def test_splits_off_the_ticked(self, client: Client, own: Case, members: list[Account]) -> None:
        asked = {"accounts": [one.pk for one in members[:2]], "split_because": "Two schools."}

        response = client.post(f"/campaigns/{own.campaign_id}/split/", asked, follow=True)

        assert "2 accounts split off." in text(response)
        assert "Campaign of 2 accounts" in text(response)

    @pytest.mark.parametrize(
        ("sent", "complaint"),
        [
            ({"split_because": "x"}, "Tick the members to split off."),
            ({"accounts": ["1", "2"]}, "Enter a reason for splitting."),
            ({"accounts": ["99999999"], "split_because": "x"}, "Tick some of the members, but not all."),
        ],
    )
    def test_says_what_a_split_needs(self, client: Client, own: Case, sent: dict[str, Any], complaint: str) -> None:
        response = client.post(f"/campaigns/{own.campaign_id}/split/", sent)

        assert (response.status_code, complaint in text(response)) == (422, True)

    def test_merges_another(self, client: Client, own: Case) -> None:
        other = campaign_case(account("acct_x"), account("acct_y")).campaign_id
        page = f"/campaigns/{own.campaign_id}/merge/"
        offered = text(client.get(page))

        response = client.post(page, {"other": str(other), "merge_because": "One card."}, follow=True)

        assert "2 accounts, open" in offered
        assert "Campaign of 7 accounts" in text(response)

    @pytest.mark.parametrize("sent", [{"merge_because": "x"}, {"other": "00000000-0000-4000-8000-000000000000"}])
    def test_says_what_a_merge_needs(self, client: Client, own: Case, sent: dict[str, str]) -> None:
        assert client.post(f"/campaigns/{own.campaign_id}/merge/", sent).status_code == 422

    def test_is_for_those_who_work_cases(self, own: Case) -> None:
        auditor = signed_in(person(role=Role.AUDITOR))

        assert auditor.get(f"/campaigns/{own.campaign_id}/merge/").status_code == 403
        assert auditor.post(f"/campaigns/{own.campaign_id}/split/").status_code == 403
