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
from governance.review.verdicts import PartOfCampaignError
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import NOW, account, campaign_case, case, person
from tests.review.pages import address, by_htmx, signed_in, text
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
