"""A decision about very many accounts is put into force on all of them, and keeps no other one waiting for long."""

import threading
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts.models import Account
from governance.audit.actions import audit_log_lock
from governance.audit.queries import iter_chain_checks
from governance.campaigns.models import Campaign, CampaignMember
from governance.restrictions.actions import campaign_accounts, lift_campaign, restrict_campaign
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.review import unfinished_decisions
from governance.review.actions import decide, lift_restriction
from governance.review.models import Action, Case, Decision, Dismissal
from governance.review.progress import progress_of
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import CannotUndoError, Verdict
from tests.factories import MACHINE, NOW, account, case, person, restriction
from tests.flows.large_decisions import BATCH_SIZE, DISMISS, LAST, SIZE, _small_batches, blocked, case_of
from tests.review.pages import address, by_htmx, signed_in, text
from tests.waiting import wait_until

__all__ = ["_small_batches"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)
BLOCK_ALL = Verdict(action=RestrictionKind.BLOCK, reason=Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.CAMPAIGN)


@pytest.fixture
def campaign() -> Campaign:
    accounts = Account.objects.bulk_create(
        [Account(external_id=f"acct_{number:04}", first_seen_at=NOW) for number in range(SIZE)]
    )
    campaign = Campaign.objects.create(state="open", first_seen_at=NOW, opened_at=NOW, size=SIZE)
    CampaignMember.objects.bulk_create(
        [
            CampaignMember(campaign=campaign, account=one, joined_at=NOW, tied_to=SIZE - 1, strength=1.0, ties={})
            for one in accounts
        ]
    )
    return campaign


def block_all(opened: Case) -> Decision:
    return decide(opened, BLOCK_ALL, decision_id=uuid.uuid4(), by=person(), now=NOW)


def test_is_in_force_on_a_portion_at_once_and_soon_on_all(campaign: Campaign) -> None:
    own, other = case_of(LAST), case_of(f"acct_{SIZE - 2:04}")

    decision = block_all(own)
    at_once, covered = blocked(), Restriction.objects.filter(account=own.account).exists()
    apply_unfinished_decisions(now=NOW + timedelta(seconds=5))

    assert (at_once, covered) == (BATCH_SIZE, True)
    assert blocked() == SIZE
    other.refresh_from_db()
    assert (other.status, other.resolved_by) == (Case.Status.DECIDED, decision)
    assert not Decision.objects.unfinished().exists()
    assert not any(iter_chain_checks())


def test_is_done_once_however_often_it_is_carried_out(campaign: Campaign) -> None:
    block_all(case_of("acct_0000"))

    for _ in range(3):
        apply_unfinished_decisions(now=NOW)

    assert Restriction.objects.count() == SIZE


def test_goes_on_where_it_was_cut_off(campaign: Campaign) -> None:
    decision = block_all(case_of("acct_0000"))
    unfinished_decisions._apply_batch(decision.pk, now=NOW)
    half = blocked()

    apply_unfinished_decisions(now=NOW)

    assert (half, blocked()) == (2 * BATCH_SIZE, SIZE)


def test_restricts_nobody_who_joined_later(campaign: Campaign) -> None:
    block_all(case_of("acct_0000"))
    late = account("acct_late")
    campaign.members.create(account=late, joined_at=NOW + timedelta(seconds=1), tied_to=9, strength=1.0, ties={})

    apply_unfinished_decisions(now=NOW + timedelta(seconds=5))

    assert not Restriction.objects.filter(account=late).exists()


@pytest.mark.parametrize("end", ["undo", "dismiss", "lift"])
def test_ends_for_all_where_it_does_not_stand_any_more(campaign: Campaign, end: str) -> None:
    own = case_of("acct_0000")
    decision, soon = block_all(own), NOW + timedelta(minutes=1)
    unfinished_decisions._apply_batch(decision.pk, now=NOW)

    if end == "undo":
        undo_decision(own, note="A slip.", by=person(), now=soon)
    elif end == "lift":
        made = Restriction.objects.get(decision=decision)
        lift_restriction(own, made, note="Enough.", by=person(), now=soon, everywhere=True)
    else:
        again = case(own.account)
        decide(again, DISMISS, decision_id=uuid.uuid4(), by=person(), now=soon)
    apply_unfinished_decisions(now=soon + timedelta(seconds=5))

    assert blocked() == 0
    apply_unfinished_decisions(now=soon + timedelta(days=1))  # it waits as long as what followed can be undone
    assert blocked() == 0
    assert not Decision.objects.unfinished().exists()


def test_goes_on_without_an_account_that_was_let_go_by_itself(campaign: Campaign) -> None:
    own = case_of("acct_0000")
    made = Restriction.objects.get(decision=block_all(own))

    lift_restriction(own, made, note="This one is fine.", by=person(), now=NOW)
    apply_unfinished_decisions(now=NOW)

    assert blocked() == SIZE - 1
    assert not Restriction.objects.filter(account=own.account, ended_at=None).exists()


@pytest.mark.parametrize("end", ["undo too late", "lift everywhere"])
def test_ends_for_all_also_where_its_own_account_is_blocked_for_a_while_by_others(
    campaign: Campaign, end: str, settings: Any
) -> None:
    """What the decision put into force on it was replaced then, and not lifted."""
    settings.UNDO_MINUTES = 0
    own, soon = case_of("acct_0000"), NOW + timedelta(seconds=1)
    block_all(own)
    short = restriction(own.own_account, at=soon, until=NOW + timedelta(days=1))

    if end == "undo too late":
        undo_decision(own, note="All of this was wrong.", by=person(), now=soon)
    else:
        lift_campaign(campaign, note="All of this was wrong.", by=MACHINE, now=soon)
    unfinished = progress_of(Decision.objects.get())
    apply_unfinished_decisions(now=soon)

    assert set(Restriction.objects.filter(ended_at=None)) == {short}
    assert unfinished is None  # nor does the page say that anybody is left


def test_is_put_into_force_on_nobody_else_by_a_request_sent_again_once_it_was_lifted(campaign: Campaign) -> None:
    some, terms = campaign_accounts(campaign), Terms(Restriction.Kind.BLOCK, Reason.BULK_HARVEST)
    asked: dict[str, Any] = {"unique_key": "api:1:incident-8", "by": MACHINE, "now": NOW}
    before = restrict_campaign(campaign, terms, accounts=some[:BATCH_SIZE], **asked)  # it was cut off
    lift_campaign(campaign, note="All of this was wrong.", by=MACHINE, now=NOW)

    again = restrict_campaign(campaign, terms, **asked)

    assert blocked() == 0
    assert (again.restrictions, again.new) == (before.restrictions, set())


def test_about_the_campaign_after_all_was_lifted_counts(campaign: Campaign) -> None:
    block_all(case_of("acct_0000"))
    lift_campaign(campaign, note="Too early.", by=MACHINE, now=NOW)
    apply_unfinished_decisions(now=NOW)

    block_all(case_of("acct_0001"))
    apply_unfinished_decisions(now=NOW)

    assert blocked() == SIZE


@pytest.mark.parametrize("action", [RestrictionKind.WARN, Dismissal.DISMISS])
def test_ends_for_all_where_a_clock_behind_says_that_the_next_one_was_earlier(
    campaign: Campaign, action: Action
) -> None:
    own, reviewer = case_of("acct_0000"), person()
    block_all(own)
    again = case(own.account)
    milder = Verdict(action=action, reason=Reason.OTHER if action == "warn" else DISMISS.reason)
    decide(again, milder, decision_id=uuid.uuid4(), by=reviewer, now=NOW - timedelta(seconds=10))

    apply_unfinished_decisions(now=NOW + timedelta(seconds=5))

    assert blocked() == 0
    assert Decision.objects.first() == again.decisions.get()
    with pytest.raises(CannotUndoError, match="decided on this account again"):
        undo_decision(own, note="A slip.", by=reviewer, now=NOW)
    assert 'class="undo' not in text(signed_in(reviewer).get(address(own)))


def test_is_undone_portion_by_portion(campaign: Campaign) -> None:
    own, soon = case_of("acct_0000"), NOW + timedelta(minutes=1)
    throttle = Verdict(
        action=RestrictionKind.THROTTLE, reason=Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.CAMPAIGN,
        requests_per_minute=5,
    )  # fmt: skip
    decide(own, throttle, decision_id=uuid.uuid4(), by=person(), now=NOW)
    apply_unfinished_decisions(now=NOW)
    again = case(own.account)
    block_all(again)
    apply_unfinished_decisions(now=NOW)

    undo_decision(again, note="A slip.", by=person(), now=soon)
    at_once = blocked()
    apply_unfinished_decisions(now=soon)

    assert (at_once, blocked()) == (SIZE - BATCH_SIZE, 0)
    assert Restriction.objects.filter(ended_at=None, kind=Restriction.Kind.THROTTLE).count() == SIZE
    assert not Decision.objects.unfinished().exists()
    assert not any(iter_chain_checks())


def test_says_on_the_page_on_how_many_it_is_in_force_until_it_is_on_all(campaign: Campaign) -> None:
    own, reviewer = case_of("acct_0000"), person()
    decision = block_all(own)

    def page(part: str = "") -> str:
        return text(signed_in(reviewer).get(address(own), headers=by_htmx(part) if part else {}))

    whole, at_once = page(), page("decision-progress")
    unfinished_decisions._apply_batch(decision.pk, now=NOW)
    later = page("decision-progress")
    apply_unfinished_decisions(now=NOW)

    assert "In progress. The rest follows automatically." in whole
    assert f"In progress: {BATCH_SIZE} of {SIZE} accounts restricted." in at_once
    assert f"In progress: {2 * BATCH_SIZE} of {SIZE} accounts restricted." in later
    assert "In progress" not in page() + page("decision-progress")


def test_takes_its_turn_among_others_after_each_portion(campaign: Campaign) -> None:
    """While another transaction holds the log a portion waits; then both get on, one after the other."""
    block_all(case_of("acct_0000"))
    solo = case(account("acct_solo"))
    verdict = Verdict(action=RestrictionKind.BLOCK, reason=Reason.BULK_HARVEST)
    done: list[str] = []

    def rest() -> None:
        apply_unfinished_decisions(now=NOW)
        done.append("rest")
        connections.close_all()

    def single() -> None:
        decide(solo, verdict, decision_id=uuid.uuid4(), by=person("Jonas Lind"), now=NOW)
        done.append("single")
        connections.close_all()

    rest_of_it, other = threading.Thread(target=rest), threading.Thread(target=single)
    with transaction.atomic():
        audit_log_lock()
        rest_of_it.start()
        wait_until(lambda: _waiting() == 1, "a portion waits for the log")
        other.start()
        wait_until(lambda: _waiting() == 2, "the other decision waits behind it")
    other.join()
    rest_of_it.join()

    assert done == ["single", "rest"]  # two portions were left, and the other went between them
    assert blocked() == SIZE + 1


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
        return int(cursor.fetchone()[0])
