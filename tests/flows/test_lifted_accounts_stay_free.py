"""An account that was lifted stays free when what had put it under restrictions is undone, before that or meanwhile."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from governance.audit.queries import iter_chain_checks
from governance.restrictions.actions import lift
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.reasons import Reason
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import decide, lift_restriction, reopen
from governance.review.models import Case, Decision, Dismissal
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import Verdict
from governance.staff.models import User
from tests.factories import MACHINE, account, campaign_of, case, person, restriction
from tests.flows.following import Follower

pytestmark = pytest.mark.django_db(transaction=True)

BATCH_SIZE = 2
SIZE = 3 * BATCH_SIZE - 1
KINDS = [RestrictionKind.SUSPEND, RestrictionKind.BLOCK]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actions, decision_targets, undo, unfinished_decisions):
        monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)


@pytest.fixture
def reviewer(transactional_db: None) -> User:
    return person()


@pytest.fixture
def harvesters(transactional_db: None) -> list[Account]:
    made = [account(f"acct_{number:02}", organisation="org_quay") for number in range(SIZE)]
    campaign_of(*made)
    return made


def decide_again(own: Case, kind: RestrictionKind, scope: str = "campaign", *, by: User) -> Case:
    """Decide, also what was decided before. Return the case."""
    opened = own if own.is_open else reopen(own, by=by, now=timezone.now())
    lasts = timedelta(days=3) if kind == RestrictionKind.SUSPEND else None
    verdict = Verdict(kind, Reason.BULK_HARVEST, note="Seen twice.", lasts=lasts, scope=Decision.Scope(scope))
    decide(opened, verdict, decision_id=uuid.uuid4(), by=by, now=timezone.now())
    do_the_rest()
    opened.refresh_from_db()
    return opened


def do_the_rest() -> None:
    apply_unfinished_decisions(now=timezone.now())
    cover_new_names(now=timezone.now())


def undo_it(own: Case, *, by: User) -> None:
    undo_decision(own, note="A slip.", by=by, now=timezone.now())


def lift_account(one: Account, *, by: User) -> None:
    for live in Restriction.objects.filter(account=one, ended_at=None):
        assert lift(live, note="This one is fine.", by=by.actor, now=timezone.now())


def free(harvesters: list[Account]) -> list[Account]:
    refused = Follower().refused
    return [one for one in harvesters if f"account:{one.external_id}" not in refused]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batches", [None, 0, 1], ids=["before it is undone", "after a batch", "after two batches"])
def test_whatever_batch_it_belongs_to(
    reviewer: User, harvesters: list[Account], batches: int | None, kind: RestrictionKind
) -> None:
    second = decide_again(decide_again(case(harvesters[0]), RestrictionKind.BLOCK, by=reviewer), kind, by=reviewer)
    fine = [harvesters[0], harvesters[BATCH_SIZE], harvesters[-1]]

    if batches is not None:
        undo_it(second, by=reviewer)
        for _ in range(batches):
            unfinished_decisions._apply_batch(Decision.objects.get(case=second).pk, now=timezone.now())
    for one in fine:
        lift_account(one, by=reviewer)
    if batches is None:
        undo_it(second, by=reviewer)
    do_the_rest()

    assert free(harvesters) == fine
    assert not Decision.objects.unfinished().exists()
    assert not any(iter_chain_checks())


@pytest.mark.parametrize("kind", KINDS)
def test_also_when_an_earlier_decision_is_undone_after_it(
    reviewer: User, harvesters: list[Account], kind: RestrictionKind
) -> None:
    first = decide_again(case(harvesters[0]), RestrictionKind.BLOCK, by=reviewer)
    second = decide_again(first, RestrictionKind.SUSPEND, by=reviewer)
    third = decide_again(second, kind, by=reviewer)
    lift_account(harvesters[-1], by=reviewer)

    for own in (third, second):
        undo_it(own, by=reviewer)
        do_the_rest()

        assert free(harvesters) == harvesters[-1:]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_where_it_was_lifted_with_its_organisation(reviewer: User, when: str) -> None:
    """All but an account that is not in it, and those on which undoing had restored a restriction by then."""
    inside = [account(f"acct_{number:02}", organisation="org_quay") for number in range(SIZE)]
    outside = account("acct_outside")
    campaign_of(*inside, outside)
    first = decide_again(case(inside[0]), RestrictionKind.BLOCK, by=reviewer)
    second = decide_again(first, RestrictionKind.SUSPEND, "organisation", by=reviewer)
    live = Restriction.objects.get(organisation__isnull=False, ended_at=None)

    if when == "meanwhile":
        undo_it(second, by=reviewer)
    again = set(Restriction.objects.filter(ended_at=None).values_list("account", flat=True))
    lift(live, note="All of them are fine.", by=reviewer.actor, now=timezone.now())
    if when == "before":
        undo_it(second, by=reviewer)
    do_the_rest()

    assert free([*inside, outside]) == [one for one in inside if one.pk not in again]
    assert (len(again & {one.pk for one in inside}) > 0) == (when == "meanwhile")


def test_that_a_whole_organisation_is_under_what_is_restored_on_it(reviewer: User, harvesters: list[Account]) -> None:
    """What is about an organisation makes no exception of an account: it is restored for the others."""
    first = decide_again(case(harvesters[0]), RestrictionKind.BLOCK, "organisation", by=reviewer)
    second = decide_again(first, RestrictionKind.SUSPEND, by=reviewer)
    lift_account(harvesters[-1], by=reviewer)

    undo_it(second, by=reviewer)
    do_the_rest()

    assert free(harvesters) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batches", [0, 1])
def test_all_where_all_are_lifted_while_it_is_undone(
    reviewer: User, harvesters: list[Account], batches: int, kind: RestrictionKind
) -> None:
    first = decide_again(case(harvesters[0]), RestrictionKind.BLOCK, by=reviewer)
    second = decide_again(first, kind, by=reviewer)
    undo_it(second, by=reviewer)
    for _ in range(batches):
        unfinished_decisions._apply_batch(Decision.objects.get(case=second).pk, now=timezone.now())
    live = Restriction.objects.filter(account=harvesters[0], ended_at=None).latest("number")

    lift_restriction(second, live, note="Fine.", by=reviewer, now=timezone.now(), everywhere=True)
    do_the_rest()

    assert free(harvesters) == harvesters


@pytest.mark.parametrize("batches", [0, 1, 5])
def test_all_where_all_are_lifted_while_a_dismissal_ends_them(
    reviewer: User, harvesters: list[Account], batches: int
) -> None:
    first = decide_again(case(harvesters[0]), RestrictionKind.BLOCK, by=reviewer)
    second = reopen(first, by=reviewer, now=timezone.now())
    dismissal = Verdict(Dismissal.DISMISS, Reason.EXPECTED_USE, note="As agreed.")
    decision = decide(second, dismissal, decision_id=uuid.uuid4(), by=reviewer, now=timezone.now())
    for _ in range(batches):
        unfinished_decisions._apply_batch(decision.pk, now=timezone.now())
    one = Restriction.objects.filter(account=harvesters[0]).latest("number")
    lift_restriction(first, one, note="Fine.", by=reviewer, now=timezone.now(), everywhere=True)

    undo_it(second, by=reviewer)
    do_the_rest()

    assert free(harvesters) == harvesters


def test_what_a_machine_lifts_of_its_own_frees_nobody_of_what_staff_decided(reviewer: User) -> None:
    harvester = account("acct_harvester")
    first = decide_again(case(harvester), RestrictionKind.BLOCK, "account", by=reviewer)
    second = reopen(first, by=reviewer, now=timezone.now())
    dismissal = Verdict(Dismissal.DISMISS, Reason.EXPECTED_USE, note="As agreed.")
    decide(second, dismissal, decision_id=uuid.uuid4(), by=reviewer, now=timezone.now())
    throttled = restriction(harvester, RestrictionKind.SUSPEND, at=timezone.now())
    lift(throttled, note="Over.", by=MACHINE, now=timezone.now())

    undo_it(second, by=reviewer)

    assert Follower().refused == {"account:acct_harvester"}
