"""A person keeps or drops what a restore lost: what the page says then is what the check answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account, Organisation
from governance.audit.models import Entry
from governance.gateways.models import LostDecision
from governance.gateways.recovery import settle_as_in_force
from governance.restrictions.actions import end_expired, lift
from governance.restrictions.models import Change, FeedEpoch, Restriction
from tests.factories import MACHINE, account, api_key, person, restriction
from tests.flows.going_back import remember_database
from tests.flows.restores import front, has_begun_an_epoch, words
from tests.front import Served
from tests.review.pages import signed_in
from tests.waiting import wait_until

__all__ = ["front"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reviewer() -> Client:
    return signed_in(person())


def lose_a_block(front: Served, **terms: Any) -> LostDecision:
    """Block an account, and put the database back before that."""
    account("acct_1")
    put_back = remember_database()
    assert front.knows(restriction(Account.objects.get(), at=timezone.now(), **terms).number)
    put_back()
    wait_until(lambda: has_begun_an_epoch(front))
    return LostDecision.objects.get()


def settle(reviewer: Client, decision: LostDecision, answer: str) -> str:
    """Press the button; what the page says then."""
    page = reviewer.post(f"/enforcement/lost/{decision.pk}/{answer}/", {"note": "They explained it."}, follow=True)
    assert page.status_code == 200
    return page.content.decode()


def answer_of(front: Served, **names: str) -> str:
    """What the check answers once it knows every change."""
    newest = Change.objects.order_by("-number").values_list("number", flat=True)[0]
    return str(front.check(**names, min_sequence=newest)["decision"])


def report(front: Served, *held: dict[str, Any]) -> None:
    """Say, as a gateway's client does, that restrictions are still refused which the database lacks."""
    epoch = front.front.replica.restricted.epoch
    body = {"after": 0, "instance": "a", "wait": 0, "epoch": epoch, "held_over": held}
    assert front.ask("/api/v1/access/changes", method="POST", body=body).status == 200
    front.front.telemetry.flush()


def held(number: int, against: str, **names: list[str]) -> dict[str, Any]:
    return {"number": number, "kind": "block", "against": against, "from": "2026-11-02T09:14:00+00:00", "names": names}


class TestKeeping:
    def test_what_was_lifted_since_is_in_force_again(self, front: Served, reviewer: Client) -> None:
        decision = lose_a_block(front)
        lift(Restriction.objects.get(ended_at=None), note="The wrong row.", by=MACHINE, now=timezone.now())
        assert answer_of(front, account="acct_1") == "allow"
        assert "No longer in force" in words(reviewer, "/enforcement/")

        said = settle(reviewer, decision, "keep")

        assert "In force: block of account acct_1" in said
        assert answer_of(front, account="acct_1") == "deny"

    def test_a_planned_one_that_was_lifted_is_in_force_once_its_time_has_come(self, front: Served) -> None:
        starts = timezone.now() + timedelta(days=1)
        decision = lose_a_block(front, starts_at=starts)
        again = Restriction.objects.get(ended_at=None)
        assert decision.restriction == again
        lift(again, note="Not yet.", by=MACHINE, now=timezone.now())

        assert settle_as_in_force(decision, by=MACHINE, now=starts + timedelta(hours=1))

        assert Restriction.objects.get(ended_at=None) == LostDecision.objects.get().restriction

    def test_a_planned_one_is_said_to_be_planned(self, front: Served, reviewer: Client) -> None:
        decision = lose_a_block(front, starts_at=timezone.now() + timedelta(days=1))

        said = settle(reviewer, decision, "keep")

        assert "Planned: block of account acct_1, from" in said
        assert answer_of(front, account="acct_1") == "allow"

    def test_who_is_later_hears_what_was_settled_before(self, front: Served, reviewer: Client) -> None:
        decision = lose_a_block(front)
        settle(reviewer, decision, "drop")

        said = settle(reviewer, decision, "keep")

        assert "settled this first: not in force" in said
        assert "Not in force: block of account acct_1" in said
        assert answer_of(front, account="acct_1") == "allow"


class TestDropping:
    def test_what_was_replaced_for_a_while_lets_the_customer_in(self, front: Served, reviewer: Client) -> None:
        decision, now = lose_a_block(front), timezone.now()
        restriction(Account.objects.get(), at=now, until=now + timedelta(seconds=1))
        wait_until(lambda: end_expired(now=timezone.now()) == 1)
        assert answer_of(front, account="acct_1") == "deny"

        said = settle(reviewer, decision, "drop")

        assert "Not in force: block of account acct_1" in said
        assert answer_of(front, account="acct_1") == "allow"

    def test_asks_for_a_reason_and_records_it(self, front: Served, reviewer: Client) -> None:
        decision = lose_a_block(front)
        address = f"/enforcement/lost/{decision.pk}/drop/"

        refused = reviewer.post(address, {"note": " "})

        assert refused.status_code == 422
        assert "Enter a reason for letting the customer in." in refused.content.decode()
        assert answer_of(front, account="acct_1") == "deny"
        reviewer.post(address, {"note": "They explained it."})
        settled, lifted = (Entry.objects.get(verb=what) for what in ("lost_decision.settled", "restriction.lifted"))
        assert settled.details["note"] == lifted.details["note"] == "They explained it."

    def test_the_page_says_what_was_lost_in_words(self, front: Served, reviewer: Client) -> None:
        decision = lose_a_block(front)

        page = reviewer.get("/enforcement/").content.decode()

        decision.refresh_from_db()
        assert decision.restriction is not None
        began = decision.restriction.starts_at
        assert f"from {began:%-d %b %Y %H:%M} UTC: Answers harvested in bulk" in page
        assert "Remove restriction" in page

    def test_another_decision_goes_on_and_the_page_says_so(self, front: Served, reviewer: Client) -> None:
        decision = lose_a_block(front)
        other = restriction(Account.objects.get(), at=timezone.now())

        said = settle(reviewer, decision, "drop")

        assert f"Removed, but still in force by another decision: block of account acct_1, no. {other.number}" in said
        assert answer_of(front, account="acct_1") == "deny"


class TestWhatOnlyGatewaysKnow:
    def test_an_organisation_is_kept_with_all_names_that_were_reported(self, front: Served, reviewer: Client) -> None:
        account("acct_1", organisation="org_quay")
        api_key(account("acct_9"), "key_9")
        names = {"organisation": ["org_quay"], "account": ["acct_1", "acct_2", "acct_9"], "key": ["key_2", "key_9"]}
        report(front, held(5, "organisation", **names))
        decision = LostDecision.objects.get()
        assert "3 accounts, 2 keys" in words(reviewer, "/enforcement/")

        said = settle(reviewer, decision, "keep")

        assert "In force: block of organisation org_quay" in said
        assert "does not cover account acct_9, key key_9" in said
        assert Restriction.objects.get().organisation == Organisation.objects.get()
        assert answer_of(front, account="acct_2") == answer_of(front, api_key="key_2") == "deny"
        assert answer_of(front, account="acct_9") == answer_of(front, api_key="key_9") == "allow"

    def test_one_without_a_name_is_filled_in_by_a_later_report(self, front: Served, reviewer: Client) -> None:
        account("acct_1")
        report(front, {"number": 5})
        decision = LostDecision.objects.get()
        assert "Its target is unknown" in settle(reviewer, decision, "keep")
        report(front, held(5, "account", account=["acct_1"]))
        report(front, {"number": 5})

        assert LostDecision.objects.get().target == "account acct_1"
        assert "In force: block of account acct_1" in settle(reviewer, decision, "keep")
        assert answer_of(front, account="acct_1") == "deny"

    def test_two_of_one_number_are_kept_both(self, front: Served, reviewer: Client) -> None:
        for name in ("acct_1", "acct_2"):
            account(name)
            report(front, held(5, "account", account=[name]))

        for decision in LostDecision.objects.all():
            assert "In force" in settle(reviewer, decision, "keep")

        assert answer_of(front, account="acct_1") == answer_of(front, account="acct_2") == "deny"
        assert FeedEpoch.objects.count() == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"kind": "throttle"},
            {"kind": "withhold"},
            {"kind": "withhold", "withheld": ["a word that is longer than any of ours"]},
            {"from": "2026-11-02T09:14:00"},
            {"from": "soon"},
            {"names": {"account": ["a" * 200]}},
            {"names": {"account": ["acct\0"]}},
        ],
    )
    def test_one_that_makes_no_sense_is_refused_with_a_reason(
        self, front: Served, reviewer: Client, wrong: dict[str, Any]
    ) -> None:
        account("acct_1")
        report(front, held(5, "account", account=["acct_1"]) | wrong)

        for decision in LostDecision.objects.all():
            assert "In force: " not in settle(reviewer, decision, "keep")

        assert not Restriction.objects.exists()
