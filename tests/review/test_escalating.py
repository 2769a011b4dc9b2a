"""A question to the leads is asked once, and answered once: who comes second is told, and loses no text."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from governance.audit.models import Entry
from governance.review.campaign_cases import join_and_leave
from governance.review.holding import answer_escalation, assign, escalate, hold
from governance.review.models import Case, InboxItem, Step
from governance.review.queries import queue_counts
from governance.review.queue_filters import QueueFilter, QueueView, cases_in_view
from governance.review.verdicts import AnsweredFirstError, EscalatedFirstError, PartOfCampaignError
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, account, campaign_case, case, person
from tests.review.deciding import decided
from tests.review.pages import address, block_form, by_htmx, signed_in, text
from tests.review.test_at_once import meanwhile

pytestmark = pytest.mark.django_db


@pytest.fixture
def opened() -> Case:
    return case(account("acct_harbour"))


def lead(name: str) -> User:
    return person(name, role=Role.LEAD)


def post(client: Client, opened: Case, what: str, because: str) -> str:
    response = client.post(address(opened, f"{what}/"), {"because": because}, headers=by_htmx("case"))
    assert response.status_code == 409
    return text(response)


def test_the_second_answer_is_not_stored_and_can_be_added_as_a_note(opened: Case) -> None:
    escalate(opened, because="Which?", by=person("Mira Okafor"), now=NOW)
    answer_escalation(opened, answer="Block it.", by=lead("Ada Moreau"), now=NOW)

    shown = post(signed_in(lead("Lia Brandt")), opened, "answer", "A licence is being signed.")

    assert "Ada Moreau answered first: Block it." in shown
    assert "Your text was not saved." in shown
    assert ">A licence is being signed.</textarea>" in shown
    assert "Answered. The case is back" not in shown


def test_the_second_question_does_not_take_the_place_of_the_first(opened: Case) -> None:
    mira, ben = person("Mira Okafor"), person("Ben Adler")
    escalate(opened, because="Is the licence real?", by=mira, now=NOW)

    shown = post(signed_in(ben), opened, "escalate", "Too large for me.")
    answer_escalation(opened, answer="It is.", by=lead("Ada Moreau"), now=NOW)

    assert "Mira Okafor escalated this case already: Is the licence real?" in shown
    assert ">Too large for me.</textarea>" in shown
    assert InboxItem.objects.get(kind="returned").user == mira


def test_text_is_kept_where_a_colleague_has_claimed_the_case(opened: Case) -> None:
    signed_in(person("Ben Adler")).post(address(opened, "claim/"))

    assert ">May we?</textarea>" in post(signed_in(person("Mira Okafor")), opened, "escalate", "May we?")


@pytest.mark.parametrize(
    "put_off",
    [
        partial(escalate, because="May we?"),
        partial(hold, until=NOW + timedelta(days=1), because="They answer."),
        partial(assign, to=None, because="To everybody."),
    ],
    ids=["escalate", "hold", "assign"],
)
def test_what_is_in_no_list_is_neither_escalated_nor_held_nor_assigned(put_off: Callable[..., None]) -> None:
    members = [account() for _ in range(3)]
    campaign_case(*members)
    part = case(members[0])
    join_and_leave(now=NOW)

    with pytest.raises(PartOfCampaignError):
        put_off(part, by=person(), now=NOW)

    assert not Entry.objects.filter(verb__in=["case.escalated", "case.held", "case.assigned"]).exists()


def test_the_same_answer_of_a_namesake_is_told_who_was_first(opened: Case) -> None:
    escalate(opened, because="Which?", by=person(), now=NOW)
    answer_escalation(opened, answer="Yes.", by=lead("Pat Lee"), now=NOW)

    with pytest.raises(AnsweredFirstError, match="Pat Lee answered first"):
        answer_escalation(opened, answer="Yes.", by=lead("Pat Lee"), now=NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["returned", "assigned", "escalated"])
def test_the_same_form_sent_twice_at_once_counts_once(opened: Case, what: str) -> None:
    mira, ben, ada = person("Mira Okafor"), person("Ben Adler"), lead("Ada Moreau")
    if what == "returned":
        escalate(opened, because="Which?", by=mira, now=NOW)
    act = {
        "returned": partial(answer_escalation, opened, answer="Yes.", by=ada, now=NOW),
        "assigned": partial(assign, opened, to=ben, because="Yours.", by=mira, now=NOW),
        "escalated": partial(escalate, opened, because="Which?", by=mira, now=NOW),
    }[what]

    with meanwhile(act):
        act()

    assert Step.objects.filter(case=opened, kind=what).count() == 1
    assert InboxItem.objects.filter(kind=what).count() == 1


@pytest.mark.usefixtures("_at_now")
class TestAColleagueWhoComesSecond:
    def test_is_told_of_the_first_hold_which_stays(self, opened: Case) -> None:
        hold(opened, until=NOW + timedelta(days=7), because="Legal answers.", by=person("Mira Okafor"), now=NOW)
        client = signed_in(person("Ben Adler"))

        response = client.post(address(opened, "hold/"), {"hours": "4", "because": "Lunch."}, headers=by_htmx("case"))

        opened.refresh_from_db()
        assert (response.status_code, opened.held_because) == (409, "Legal answers.")
        assert "Mira Okafor put this case on hold until 9 Nov, 09:14 UTC first: Legal answers." in text(response)

    def test_replaces_a_hold_that_the_page_had_shown(self, opened: Case) -> None:
        hold(opened, until=NOW + timedelta(days=7), because="Legal answers.", by=person("Mira Okafor"), now=NOW)
        opened.refresh_from_db()

        form = {"hours": "4", "because": "Lunch.", "seen": opened.hold_version}
        signed_in(person("Ben Adler")).post(address(opened, "hold/"), form)

        opened.refresh_from_db()
        assert opened.held_because == "Lunch."

    def test_is_told_of_the_first_assignment_which_stays(self, opened: Case) -> None:
        ada = person("Ada Moreau")
        assign(opened, to=ada, because="Speaks Finnish.", by=person("Mira Okafor"), now=NOW)
        ben = person("Ben Adler")

        response = signed_in(ben).post(address(opened, "assign/"), {"to": "Ben Adler"}, headers=by_htmx("case"))

        opened.refresh_from_db()
        assert (response.status_code, opened.assigned_to) == (409, ada)
        assert "Mira Okafor assigned this case to Ada Moreau first: Speaks Finnish." in text(response)

    def test_takes_the_item_out_of_the_first_inbox_where_the_page_showed_whom(self, opened: Case) -> None:
        ada, ben, mira = person("Ada Moreau"), person("Ben Adler"), person("Mira Okafor")
        assign(opened, to=ada, because="", by=mira, now=NOW)

        assign(opened, to=ben, because="", by=person("Lia Brandt"), now=NOW, seen=str(ada.pk))

        assert [item.user for item in InboxItem.objects.all()] == [ben]


@pytest.mark.usefixtures("_at_now")
class TestWhatTheLeadsAreAsked:
    def test_is_not_put_on_hold_by_a_reviewer(self, opened: Case) -> None:
        escalate(opened, because="Their lawyer rang.", by=person("Mira Okafor"), now=NOW)

        with pytest.raises(EscalatedFirstError):
            hold(opened, until=NOW + timedelta(days=7), because="Later.", by=person("Ben Adler"), now=NOW)

    def test_stays_in_their_list_while_one_of_them_holds_it(self, opened: Case) -> None:
        escalate(opened, because="Their lawyer rang.", by=person("Mira Okafor"), now=NOW)
        ada = lead("Ada Moreau")

        hold(opened, until=NOW + timedelta(days=7), because="Later.", by=ada, now=NOW)

        listed = cases_in_view(QueueFilter(view=QueueView.ESCALATED), user=ada, now=NOW)
        assert (list(listed), queue_counts(user=ada, now=NOW).escalated) == ([opened], 1)

    def test_is_not_decided_by_a_reviewer_whose_page_is_older(self, opened: Case) -> None:
        escalate(opened, because="May we?", by=person("Mira Okafor"), now=NOW)

        response = signed_in(person("Ben Adler")).post(address(opened, "decide/"), block_form())

        opened.refresh_from_db()
        assert (response.status_code, opened.is_open) == (409, True)

    def test_is_told_to_the_one_who_asked_when_a_lead_decides(self, opened: Case) -> None:
        mira = person("Mira Okafor")
        escalate(opened, because="May we?", by=mira, now=NOW)

        decided(opened, by=lead("Ada Moreau"))

        assert InboxItem.objects.get(user=mira).kind == InboxItem.Kind.RETURNED
        assert not InboxItem.objects.filter(kind=InboxItem.Kind.ESCALATED, read_at=None).exists()

    @pytest.mark.parametrize("what", ["escalated", "assigned"])
    def test_or_one_of_them_does_not_leave_their_lists_for_the_case_of_a_campaign(
        self, opened: Case, what: str
    ) -> None:
        mira, ada = person("Mira Okafor"), lead("Ada Moreau")
        if what == "escalated":
            escalate(opened, because="May we?", by=mira, now=NOW)
        else:
            assign(opened, to=ada, because="", by=mira, now=NOW)
        campaign_case(opened.own_account, account())

        join_and_leave(now=NOW)

        opened.refresh_from_db()
        assert opened.part_of is None
