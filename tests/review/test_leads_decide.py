"""What the leads are asked, only they decide, until they answer: by whatever door somebody comes."""

from collections.abc import Callable

import pytest

from accounts.models import Account
from governance.restrictions.models import Restriction
from governance.review.campaign_cases import join_and_leave, update_campaign_cases
from governance.review.holding import answer_escalation, assign, escalate
from governance.review.models import Case, InboxItem
from governance.review.opening_by_hand import open_case_by_hand
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, account, campaign_case, campaign_of, case, own_campaign, person
from tests.review.bulk import as_previewed, carry_on
from tests.review.campaign_pages import chosen
from tests.review.deciding import decide_all
from tests.review.pages import address, block_form, campaign_form, signed_in, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_at_now")]


def blocked() -> set[str]:
    return set(Restriction.objects.in_force(at=NOW).values_list("account__external_id", flat=True))


def escalated(about: Case, question: str = "May we?", *, by: User | None = None) -> Case:
    escalate(about, because=question, by=by or person("Mira"), now=NOW)
    return Case.objects.get(pk=about.pk)


@pytest.fixture
def ben() -> User:
    return person("Ben Adler")


@pytest.fixture
def four() -> list[Account]:
    return [account(f"acct_{letter}", organisation="org_quay") for letter in "abcd"]


def by_its_own_page(four: list[Account], ben: User) -> None:
    asked = escalated(case(four[0]))
    assert "Leads decide this" in text(signed_in(ben).get(address(asked)))
    signed_in(ben).post(address(asked, "decide/"), block_form())


def by_assigning_it_to_oneself(four: list[Account], ben: User) -> None:
    asked = escalated(case(four[0]))
    page = signed_in(ben)
    assert 'id="assign-to"' not in text(page.get(address(asked)))
    page.post(address(asked, "assign/"), {"to": ben.email, "because": "", "seen": ""})
    page.post(address(asked, "decide/"), block_form())


def with_its_campaign(four: list[Account], ben: User) -> None:
    escalated(case(four[0]))
    whole = campaign_case(*four)
    said = text(signed_in(ben).post(address(whole, "campaign/preview/"), chosen(whole, four)))
    assert "Mira asked the leads about" in said
    assert "Leave it out, or wait for their answer." in said
    signed_in(ben).post(address(whole, "campaign/decide/"), chosen(whole, four))


def by_a_member_for_its_campaign(four: list[Account], ben: User) -> None:
    one, whole = case(four[0]), campaign_case(*four)
    join_and_leave(now=NOW)
    escalated(whole)
    signed_in(ben).post(address(one, "decide/"), campaign_form(one))


def by_a_member_alone(four: list[Account], ben: User) -> None:
    one, whole = case(four[0]), campaign_case(*four)
    join_and_leave(now=NOW)
    escalated(whole)
    signed_in(ben).post(address(one, "decide/"), block_form())


def by_a_case_opened_by_hand(four: list[Account], ben: User) -> None:
    escalated(campaign_case(*four))
    one = open_case_by_hand(four[0], reason="They wrote.", by=ben, now=NOW)
    signed_in(ben).post(address(one, "decide/"), block_form())


def with_its_organisation(four: list[Account], ben: User) -> None:
    escalated(case(four[0]))
    signed_in(ben).post(address(case(four[1]), "decide/"), block_form(scope="organisation"))


def by_splitting_it_off(four: list[Account], ben: User) -> None:
    whole = escalated(campaign_case(*four))
    given = {"accounts": [one.pk for one in four[1:]], "split_because": "Two schools."}
    assert signed_in(ben).post(f"/campaigns/{whole.campaign_id}/split/", given).status_code == 422
    assert not own_campaign(whole).members.exclude(left_at=None).exists()


def by_merging_it_into_ones_own(four: list[Account], ben: User) -> None:
    mine, asked = campaign_case(*four[:2]), escalated(campaign_case(*four[2:]))
    assign(mine, to=ben, because="", by=ben, now=NOW)
    given = {"other": str(asked.campaign_id), "merge_because": "One card."}
    assert signed_in(ben).post(f"/campaigns/{mine.campaign_id}/merge/", given).status_code == 422
    signed_in(person("Ada", role=Role.LEAD)).post(f"/campaigns/{mine.campaign_id}/merge/", given)
    update_campaign_cases(now=NOW)
    signed_in(ben).post(address(mine, "campaign/decide/"), chosen(mine, four))


@pytest.mark.parametrize(
    "door",
    [
        by_its_own_page,
        by_assigning_it_to_oneself,
        with_its_campaign,
        by_a_member_for_its_campaign,
        by_a_member_alone,
        by_a_case_opened_by_hand,
        with_its_organisation,
        by_splitting_it_off,
        by_merging_it_into_ones_own,
    ],
)
def test_a_reviewer_decides_it_by_no_door(
    door: Callable[[list[Account], User], None], four: list[Account], ben: User
) -> None:
    door(four, ben)

    assert blocked() == set()
    assert Case.objects.filter(status="open", escalated_at__isnull=False).exists()


def test_whom_a_lead_assigned_it_to_decides_it(four: list[Account], ben: User) -> None:
    asked = escalated(case(four[0]))
    assign(asked, to=ben, because="You know them.", by=person("Ada", role=Role.LEAD), now=NOW)

    signed_in(ben).post(address(asked, "decide/"), block_form())

    assert blocked() == {"acct_a"}


class TestMerging:
    def merge(self, into: str, other: Case) -> int:
        lead, given = person("Ada", role=Role.LEAD), {"other": str(other.campaign_id), "merge_because": "One card."}
        return signed_in(lead).post(f"/campaigns/{into}/merge/", given).status_code

    def test_two_that_are_asked_about_keeps_both_questions(self, four: list[Account]) -> None:
        one = escalated(campaign_case(*four[:2]), "Question one?")
        two = escalated(campaign_case(*four[2:]), "Question two?", by=person("Jo"))

        assert self.merge(str(one.campaign_id), two) == 302
        update_campaign_cases(now=NOW)

        page = text(signed_in(person(role=Role.LEAD)).get(address(one), follow=True))
        assert "Question one? Question two?" in page

    @pytest.mark.parametrize("is_decided", [True, False])
    def test_into_one_without_an_open_case_is_refused(self, *, is_decided: bool, four: list[Account]) -> None:
        if is_decided:
            decide_all(decided := campaign_case(*four[:2]))
        into = own_campaign(decided) if is_decided else campaign_of(*four[:2])
        two = escalated(campaign_case(*four[2:]))

        assert self.merge(str(into.pk), two) == 422
        assert own_campaign(two).state != "closed"


class TestAnAnswer:
    def test_since_the_preview_lets_bulk_skip_the_account(self, four: list[Account], ben: User) -> None:
        asked, client = escalated(case(four[0])), signed_in(ben)
        form = as_previewed(client, [four[0]])
        answer_escalation(asked, answer="Do not block.", by=person("Ada", role=Role.LEAD), now=NOW)

        client.post("/bulk/decide/", form)
        carry_on()

        assert blocked() == set()

    def test_is_shown_where_one_decides(self, four: list[Account], ben: User) -> None:
        asked = escalated(case(four[0]))
        answer_escalation(asked, answer="Do not block.", by=person("Ada", role=Role.LEAD), now=NOW)

        page = text(signed_in(ben).get(address(asked)))

        assert "Answered by Ada" in page
        assert "Do not block." in page

    def test_that_came_after_the_page_was_made_stays_new(self, four: list[Account]) -> None:
        mira, ada = person("Mira"), person("Ada", role=Role.LEAD)
        asked = escalated(case(four[0]), by=mira)
        client = signed_in(mira)
        answer_escalation(asked, answer="Do not block.", by=ada, now=NOW)

        client.get(address(asked, "viewers/"), {"shown": "2026-11-02T09:00:00+00:00"})
        assert InboxItem.objects.filter(user=mira, read_at=None).exists()

        client.get(address(asked, "viewers/"), {"shown": NOW.isoformat()})
        assert not InboxItem.objects.filter(user=mira, read_at=None).exists()
