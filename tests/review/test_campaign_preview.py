"""From the page of a campaign: a decision is looked at before it is made, and campaigns are grouped by hand."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.restrictions.models import Restriction
from governance.review.actions import claim, decide
from governance.review.models import Case, Decision
from governance.review.opening_by_hand import open_case_by_hand
from governance.staff.roles import Role
from tests.factories import (
    NOW,
    account,
    api_key,
    campaign_case,
    case,
    own_campaign,
    person,
    restriction,
    training_licence,
)
from tests.review.campaign_pages import SIZE, case_with_findings, chosen, five_accounts, page, says_ticked
from tests.review.deciding import DISMISS, decide_all
from tests.review.pages import address, signed_in, text

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

    def test_needs_a_reason_for_those_left_out_also_where_no_preview_was_looked_at(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        asked = chosen(own, members[:3], left_out_because="", confirmed="on")

        response = client.post(address(own, "campaign/decide/"), asked)

        assert response.status_code == 422
        assert "Enter why the others are left out." in text(response)
        assert not Decision.objects.exists()

    def test_looks_again_where_a_colleague_decided_about_one_since(
        self, client: Client, own: Case, members: list[Account]
    ) -> None:
        previewed = text(client.post(address(own, "campaign/preview/"), chosen(own, members)))
        signed = re.search(r'name="previewed" value="([^"]+)"', previewed)
        assert signed is not None
        alone = open_case_by_hand(members[1], reason="They wrote.", by=person(), now=timezone.now())
        decide(alone, DISMISS, decision_id=uuid.uuid4(), by=person("Jonas Lind"), now=timezone.now())

        sent = chosen(own, members, previewed=signed[1])
        response = client.post(address(own, "campaign/decide/"), sent)

        said = text(response)
        assert response.status_code == 409
        assert "Jonas Lind dismissed" in said
        assert not Restriction.objects.exists()
        again = re.search(r'name="previewed" value="([^"]+)"', said)
        assert again is not None
        assert client.post(address(own, "campaign/decide/"), sent | {"previewed": again[1]}).status_code == 302

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


@pytest.mark.parametrize("what", ["preview", "decide"])
def test_a_form_that_claims_to_have_seen_nobody_leaves_nobody_out_without_a_reason(
    client: Client, own: Case, members: list[Account], what: str
) -> None:
    response = client.post(address(own, f"campaign/{what}/"), chosen(own, members[:3]) | {"seen": 0})

    assert response.status_code == 422
    assert "Enter why the others are left out." in text(response)
    assert not Decision.objects.exists()
