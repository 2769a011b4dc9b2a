"""Next: whom it hands which case, and what becomes of the case that is left."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client

from governance.audit.models import Entry
from governance.review.actions import claim, release, release_all
from governance.review.handing_out import claim_next, prolong_claim, skip
from governance.review.holding import assign, escalate, hold
from governance.review.models import CLAIM_LASTS, SKIP_LASTS, Case, Decision, Step
from governance.review.queue_filters import QueueFilter, QueueView
from governance.review.undo import undo_decision
from governance.review.verdicts import AlreadyDecidedError
from governance.staff.models import User
from governance.staff.roles import Role
from tests.factories import MACHINE, NOW, account, campaign_case, case, person
from tests.review.deciding import BLOCK, DISMISS, decided
from tests.review.pages import address, by_htmx, signed_in, text

ALL = QueueFilter()


def handed(
    to: User, queue_filter: QueueFilter = ALL, *, leaving: Case | None = None, after: timedelta = timedelta(0)
) -> Case | None:
    return claim_next(queue_filter, leaving=leaving.pk if leaving else None, by=to, now=NOW + after)


@pytest.mark.django_db
class TestNext:
    def test_hands_out_the_most_urgent_case_and_claims_it(self) -> None:
        mira, top = person(), case(score=99)
        case(score=60)

        assert handed(mira) == top

        top.refresh_from_db()
        assert (top.claimed_by, top.claimed_until, top.is_handed_out) == (mira, NOW + CLAIM_LASTS, True)
        assert Entry.objects.get(verb="case.claimed").subject_id == str(top.pk)

    def test_hands_nobody_what_a_colleague_has(self) -> None:
        taken, free = case(score=99), case(score=60)
        claim(taken, by=person("Jonas Lindqvist"), now=NOW)

        assert handed(person()) == free

    def test_hands_out_again_what_was_left_idle(self) -> None:
        top = case(score=99)
        handed(person("Jonas Lindqvist"))

        assert handed(person(), after=CLAIM_LASTS) == top

    def test_keeps_to_the_filter_of_the_list(self) -> None:
        case(score=99)
        high = case(score=71, band="high")

        assert handed(person(), QueueFilter(band="high")) == high

    @pytest.mark.parametrize("view", [QueueView.DECIDED, QueueView.HELD])
    def test_leads_from_lists_without_work_to_the_queue(self, view: QueueView) -> None:
        top = case(score=99)

        assert handed(person(), QueueFilter(view=view)) == top

    def test_gives_back_what_it_had_handed_out_and_was_left_undecided(self) -> None:
        mira, first, second = person(), case(score=99), case(score=60)
        handed(mira)

        assert handed(mira, leaving=first) == second

        first.refresh_from_db()
        assert first.claimed_by is None
        assert first.steps.filter(kind=Step.Kind.RELEASED).exists()

    def test_leaves_a_case_with_its_owner_who_claimed_it_by_hand(self) -> None:
        mira, first, second = person(), case(score=99), case(score=60)
        claim(first, by=mira, now=NOW)

        assert handed(mira, leaving=first) == second

        first.refresh_from_db()
        assert first.claimed_by == mira

    def test_passes_over_what_is_on_hold_until_its_time_has_come(self) -> None:
        top, other = case(score=99), case(score=60)
        hold(top, until=NOW + timedelta(hours=4), because="Legal.", by=person("Ines Varga"), now=NOW)

        assert handed(person("Jonas Lindqvist")) == other
        assert handed(person("Mira Okafor"), after=timedelta(hours=4)) == top

    def test_hands_an_assigned_case_to_that_person_alone(self) -> None:
        top, other, jonas = case(score=99), case(score=60), person("Jonas Lindqvist")
        assign(top, to=jonas, because="", by=person("Ines Varga"), now=NOW)

        assert handed(person()) == other
        assert handed(jonas) == top

    def test_hands_an_escalated_case_to_leads_alone(self) -> None:
        top, other = case(score=99), case(score=60)
        escalate(top, because="A large customer.", by=person("Ines Varga"), now=NOW)

        assert handed(person()) == other
        assert handed(person("Jonas Lindqvist", role=Role.LEAD)) == top

    def test_hands_an_escalated_case_to_whom_a_lead_assigned_it(self) -> None:
        opened, jonas, lead = case(), person("Jonas Lindqvist"), person("Ada Moreau", role=Role.LEAD)
        escalate(opened, because="A large customer.", by=person("Ines Varga"), now=NOW)
        assign(opened, to=jonas, because="You know them.", by=lead, now=NOW)

        assert handed(person()) is None
        assert handed(jonas) == opened

    def test_does_not_hand_out_for_hours_what_somebody_skipped(self) -> None:
        mira, top, other = person(), case(score=99), case(score=60)
        skip(top, because="I know somebody there.", by=mira, now=NOW)

        assert handed(mira) == other
        assert handed(person("Jonas Lindqvist")) == top
        assert handed(mira, after=SKIP_LASTS) == top

    def test_says_that_there_is_none(self) -> None:
        assert handed(person()) is None


@pytest.mark.django_db
class TestSkipping:
    def test_gives_the_case_back_and_leaves_the_reason_in_history_and_log(self) -> None:
        mira, top = person(), case()
        handed(mira)

        skip(top, because="I know somebody there.", by=mira, now=NOW)

        top.refresh_from_db()
        assert top.claimed_by is None
        assert top.steps.get(kind=Step.Kind.SKIPPED).text == "I know somebody there."
        assert Entry.objects.get(verb="case.skipped").details == {"because": "I know somebody there."}

    def test_is_for_open_cases(self) -> None:
        mira, top = person(), case()
        decided(top, DISMISS, by=person("Jonas Lindqvist"))

        with pytest.raises(AlreadyDecidedError):
            skip(top, because="I know somebody there.", by=mira, now=NOW)

        assert not top.steps.filter(kind=Step.Kind.SKIPPED).exists()
        assert not Entry.objects.filter(verb="case.skipped").exists()

    def test_of_a_case_that_was_decided_meanwhile_tells_by_whom(self, mira: Client) -> None:
        top = case()
        decided(top, DISMISS, by=person("Jonas Lindqvist"))

        response = mira.post(address(top, "skip/"), {"because": "I know somebody there."})

        assert response.status_code == 409
        assert "Jonas Lindqvist decided this case first" in text(response)

    def test_of_the_case_of_a_campaign_that_is_over_tells_so(self, mira: Client) -> None:
        ended = campaign_case(account(), account(), status=Case.Status.ENDED, closed_at=NOW)

        for what in ("skip/", "hold/", "escalate/", "claim/"):
            response = mira.post(address(ended, what), {"because": "I know somebody there.", "hours": "24"})
            assert response.status_code == 409, what
            assert "ended undecided" in text(response)


@pytest.mark.django_db
class TestWhatNextHandedOut:
    @pytest.mark.parametrize("how", ["decided", "covered", "released", "shut out", "undone"])
    def test_is_marked_so_no_longer_than_it_is_claimed(self, how: str) -> None:
        mira, lead = person(), person("Jonas Lindqvist", role=Role.LEAD)
        about = account("acct_harbour", organisation="org_quay")
        own, other = case(about, score=99), case(account(organisation="org_quay"), score=60)
        handed(mira)
        if how == "released":
            release(own, by=mira, now=NOW)
        elif how == "shut out":
            release_all(user=mira, by=MACHINE, now=NOW)
        elif how == "covered":
            Case.objects.filter(pk=own.pk).update(claimed_until=NOW - timedelta(hours=1))
            decided(other, replace(BLOCK, scope=Decision.Scope.ORGANISATION), by=lead)
        else:
            decided(own, DISMISS, by=mira)
        if how == "undone":
            undo_decision(own, note="A slip.", by=mira, now=NOW)

        assert not Case.objects.get(pk=own.pk).is_handed_out


@pytest.mark.django_db
class TestAClaim:
    def test_lasts_on_while_its_owner_is_at_work(self) -> None:
        mira, top = person(), case()
        handed(mira)

        assert prolong_claim(top, by=mira, now=NOW + timedelta(minutes=29))

        top.refresh_from_db()
        assert top.claimed_until == NOW + timedelta(minutes=29) + CLAIM_LASTS

    def test_that_has_ended_is_not_prolonged(self) -> None:
        mira, top = person(), case()
        handed(mira)

        assert not prolong_claim(top, by=mira, now=NOW + CLAIM_LASTS)


@pytest.mark.django_db(transaction=True)
def test_people_who_ask_at_the_same_moment_get_different_cases() -> None:
    people = [person(f"Reviewer{number} Okafor") for number in range(4)]
    for number in range(4):
        case(account(f"acct_{number}"), score=99)
    together = Barrier(len(people))

    def ask(who: User) -> Case | None:
        together.wait()
        try:
            return handed(who)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as pool:
        got = list(pool.map(ask, people))

    assert None not in got
    assert len({one.pk for one in got if one}) == len(people)


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
class TestThePage:
    def test_leads_to_the_claimed_case_within_the_list(self, mira: Client) -> None:
        case(score=99)
        high = case(score=71, band="high")

        response = mira.post("/cases/next/?band=high")

        assert response["Location"] == f"{address(high)}?band=high"
        assert "Claimed by you" in text(mira.get(response["Location"]))

    def test_answers_htmx_with_the_case_and_its_address(self, mira: Client) -> None:
        top = case(account("acct_harbour"), score=99)

        response = mira.post("/cases/next/", {"view": "all", "band": "critical"}, headers=by_htmx("case"))

        assert text(response).lstrip().startswith("<title>acct_harbour")
        assert response["HX-Push-Url"] == f"{address(top)}?band=critical"

    def test_only_shows_the_case_to_those_who_may_not_work(self) -> None:
        top = case(score=99)

        response = signed_in(person(role=Role.AUDITOR)).post("/cases/next/")

        assert response["Location"] == address(top)
        top.refresh_from_db()
        assert top.claimed_by is None

    def test_says_that_the_list_has_no_free_case(self, mira: Client) -> None:
        case(score=99)

        page = mira.post("/cases/next/?band=low", follow=True)

        assert "No free case in this list." in text(page)


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
def test_going_on_to_a_campaign_keeps_the_filter_of_the_list(mira: Client) -> None:
    campaign_case(account(), account())

    place = mira.post("/cases/next/?band=critical&sort=due")["Location"]

    assert QueryDict(urlsplit(place).query)["list"] == "band=critical&sort=due"
    assert mira.get(place).context["address"] == "band=critical&sort=due"


@pytest.mark.django_db
def test_skipping_twice_by_the_same_form_is_one_step() -> None:
    opened, mira = case(), person()

    for _ in range(2):
        skip(opened, because="I know them.", by=mira, now=NOW)

    assert Step.objects.filter(kind=Step.Kind.SKIPPED).count() == 1
