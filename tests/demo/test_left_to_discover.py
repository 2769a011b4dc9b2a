"""What the demonstration leaves to those who look at it, read from its pages."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from django.test import Client
from time_machine import TimeMachineFixture

from accounts.models import Account, TermsAcceptance
from governance.campaigns.models import Campaign
from governance.demo import desk, gateways
from governance.demo.behaviours.hiding import TASK_RING
from governance.demo.cast import HARVEST
from governance.restrictions.models import Restriction
from governance.review.models import Case, Decision, DecisionTarget
from governance.staff.models import ServiceKey, User
from tests.demo.found import (
    assert_both_rings_are_campaigns,
    assert_look_alikes_are_watched,
    kinds_at_the_review_line,
    kinds_of,
    kinds_waiting,
)
from tests.demo.playing import MONDAY_MORNING, Played, play_demonstration
from tests.factories import own_campaign, service_key
from tests.review.campaign_pages import chosen
from tests.review.pages import signed_in, text

# The first page that a beginner opens, some minutes after the last hour that was played.
FIRST_LOOK = MONDAY_MORNING + timedelta(minutes=4)


@pytest.fixture(scope="module", params=["small", pytest.param("full", marks=pytest.mark.long)])
def played(request: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[Played]:
    """Played once for all of these tests, none of which changes it for the others."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield play_demonstration(request.param)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _at_first_look(played: Played, db: None, time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(FIRST_LOOK, tick=False)


@pytest.fixture
def mira() -> Client:
    return signed_in(User.objects.get(name="Mira Okafor"))


@pytest.fixture
def jonas() -> Client:
    return signed_in(User.objects.get(name="Jonas Lindqvist"))


def page(client: Client, address: str) -> str:
    """The words of a page, each run of white space as one space."""
    return page_of(client.get(address, follow=True))


def page_of(response: Any) -> str:
    assert response.status_code == 200
    words = re.sub(r"<[^>]+>", " ", text(response))
    return " ".join(html.unescape(words).replace("\u2068", "").replace("\u2069", "").split())


def innocent() -> Case:
    return Case.objects.get(steps__text=desk.OPENED)


class TestForTheReviewer:
    def test_next_leads_to_a_campaign_about_which_nobody_has_decided(self, mira: Client) -> None:
        landed = mira.post("/cases/next/", follow=True)
        case = Case.objects.get(claimed_by__name="Mira Okafor")
        members = [one.account_id for one in own_campaign(case).members.current()]

        assert "Why they count as one" in page_of(landed)
        assert len(members) >= 7
        assert not Decision.objects.filter(Q(campaign=case.campaign) | Q(case__campaign=case.campaign)).exists()
        assert not DecisionTarget.objects.filter(account__in=members).exists()
        # A harvest that had its own case before it joined them may have been decided about.
        assert Restriction.objects.filter(account__in=members).count() <= 1

    def test_a_look_alike_waits_whose_page_says_why_it_may_be_innocent(self, mira: Client, played: Played) -> None:
        shown = page(mira, f"/cases/{innocent().pk}/")

        assert played.labels[innocent().own_account.external_id] == "evaluation_harness"
        assert "Runs an evaluation" in shown
        assert desk.OPENED in shown

    def test_a_group_is_watched_and_says_why_it_is_no_campaign(self, mira: Client, played: Played) -> None:
        group = Campaign.objects.filter(state=Campaign.State.WATCHED).first()

        assert group is not None
        assert "do not read like a harvest" in page(mira, f"/campaigns/{group.pk}/")

    def test_a_case_is_on_hold_until_tomorrow(self, mira: Client) -> None:
        shown = page(mira, "/queue/?view=held")

        assert desk.HELD in shown
        assert "Tomas Weber" in shown
        assert "18 Aug" in shown

    def test_a_colleague_mentions_them(self, mira: Client) -> None:
        assert desk.NOTED in page(mira, "/inbox/")
        assert "Ines Duarte" in page(mira, "/")

    def test_a_shared_list_of_the_lead_is_offered(self, mira: Client) -> None:
        assert desk.VIEW[0] in page(mira, "/queue/")

    def test_an_account_is_on_the_watch_list(self, mira: Client) -> None:
        watched = Account.objects.get(watched__isnull=False)

        assert desk.WATCHED in page(mira, f"/accounts/{watched.external_id}/")

    def test_accounts_say_which_terms_they_accepted_and_when(self, mira: Client) -> None:
        accepted = TermsAcceptance.objects.order_by("-accepted_at", "pk").select_related("account", "terms")[0]
        shown = page(mira, f"/accounts/{accepted.account.external_id}/")

        assert f"Terms accepted {accepted.terms.name} , {accepted.accepted_at:%-d %b %Y}" in shown


class TestForTheLead:
    def test_a_reviewer_asks_a_question(self, jonas: Client) -> None:
        assert desk.ASKED in page(jonas, "/inbox/")
        assert desk.ASKED in page(jonas, "/queue/?view=escalated")

    def test_several_people_decided_over_several_weeks(self, jonas: Client) -> None:
        shown = page(jonas, "/queue/?view=decided")
        decided = Decision.objects.order_by("decided_at")
        days = {one.decided_at.date() for one in decided}

        assert all(name in shown for name in ("Mira Okafor", "Ines Duarte", "Tomas Weber", "Jonas Lindqvist"))
        assert max(days) - min(days) >= timedelta(weeks=2)
        assert len(days) >= 9
        assert {"dismiss", "warn", "throttle", "block"} <= {one.action for one in decided}

    def test_the_overview_has_a_bar_for_each_of_these_days(self, jonas: Client) -> None:
        rows = [row.split(",") for row in text(jonas.get("/overview/days.csv")).splitlines()[1:]]
        decided = sum(int(row[2]) for row in rows)

        assert decided >= Case.objects.filter(closed_at__gt=FIRST_LOOK - timedelta(days=26)).count() > 9

    def test_a_decision_was_undone_with_a_reason(self, jonas: Client) -> None:
        undone = Decision.objects.exclude(undone_at=None).get()

        assert undone.undone_note in page(jonas, f"/cases/{undone.case_id}/")
        assert undone.undone_by == User.objects.get(name="Jonas Lindqvist")


class TestAtTheGateways:
    def test_one_is_behind_on_purpose_and_the_other_has_every_decision(self, jonas: Client) -> None:
        shown = page(jonas, "/enforcement/")

        assert f"{gateways.BEHIND} It has not received 2 changes yet." in shown
        assert f"{gateways.FOLLOWING} Up to date: it has reported every change." in shown
        assert f"in force at {gateways.FOLLOWING} after" in shown
        assert f"not yet in force at {gateways.BEHIND} after" in shown

    def test_the_overview_counts_what_is_not_in_force_everywhere(self, jonas: Client) -> None:
        assert "2 restrictions not yet at every gateway" in page(jonas, "/")

    def test_the_one_that_follows_has_refused_requests(self, jonas: Client) -> None:
        assert re.search(r"[1-9][\d,]* requests that gateways reported", page(jonas, "/"))


class TestTheFirstWalk:
    """The steps of README.md."""

    def test_leads_from_next_to_a_block_at_the_gateway_and_back(self, mira: Client) -> None:
        mira.post("/cases/next/")
        case = Case.objects.get(claimed_by__name="Mira Okafor")
        members = [one.account for one in own_campaign(case).members.current().select_related("account")]
        names = {one.external_id for one in members}

        previewed = page_of(mira.post(f"/cases/{case.pk}/campaign/preview/", chosen(case, members)))
        assert all(name in previewed for name in names)
        assert refused(names) == set()

        decided = page_of(mira.post(f"/cases/{case.pk}/campaign/decide/", chosen(case, members), follow=True))
        assert f"{len(names)} accounts of the campaign: blocked." in decided
        assert refused(names) == names

        mira.post(f"/cases/{case.pk}/undo/", {"note": "Only looking around."})
        assert refused(names) == set()


def refused(names: set[str]) -> set[str]:
    _, headers = service_key(ServiceKey.Scope.ACCESS_READ, name="my-gateway")
    answers = {name: Client().get(f"/api/v1/access/check?account={name}", **headers).json() for name in names}
    return {name for name, answer in answers.items() if answer["decision"] == "deny"}


def test_no_version_of_the_terms_was_accepted_before_it_was_published() -> None:
    for one in TermsAcceptance.objects.select_related("terms"):
        assert one.accepted_at >= one.terms.published_at


@pytest.mark.long
@pytest.mark.parametrize("played", ["full"], indirect=True)
def test_the_full_one_finds_every_harvest_and_leaves_a_queue(played: Played) -> None:
    assert_both_rings_are_campaigns(played)
    assert_look_alikes_are_watched(played)
    assert kinds_at_the_review_line(played) >= HARVEST
    waiting = kinds_waiting(played)
    assert sum(waiting.values()) >= 12
    assert waiting[TASK_RING.name] >= 7
    assert Case.objects.decided().count() >= 15
    of_today = Case.objects.filter(campaign=None, account__external_id__in=played.world.labels)
    assert set(kinds_of(played, of_today.values_list("account__external_id", flat=True))) <= HARVEST | {
        "exercise_publisher",
        "explainer_site",
        "reasoning_study",
        "evaluation_harness",  # for which a colleague asked
    }
