"""A decision that takes the place of another lets nobody in whom both refuse, after whichever of its batches."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from governance.restrictions import names
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.reasons import Reason
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import decide, lift_restriction, reopen
from governance.review.models import Case, Decision
from governance.review.progress import progress_of
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import Verdict
from governance.staff.models import User
from tests.factories import account, campaign_of, case, person
from tests.flows.following import Follower

pytestmark = pytest.mark.django_db(transaction=True)

BATCH_SIZE = 4
SIZE = 3 * BATCH_SIZE - 1
WIDE = ["organisation", "campaign"]
KINDS = [RestrictionKind.BLOCK, RestrictionKind.SUSPEND]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actions, decision_targets, undo, unfinished_decisions):
        monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)
    monkeypatch.setattr(names, "ACCOUNTS_AT_ONCE", BATCH_SIZE)


@pytest.fixture
def reviewer(transactional_db: None) -> User:
    return person()


@pytest.fixture
def harvesters(transactional_db: None) -> list[Account]:
    made = [account(f"acct_{number:02}", organisation="org_quay") for number in range(SIZE)]
    campaign_of(*made)
    return made


def decide_on(own: Case, kind: RestrictionKind, scope: str, *, by: User) -> Decision:
    """Decide, and leave the rest to a worker."""
    lasts = timedelta(days=3) if kind == RestrictionKind.SUSPEND else None
    verdict = Verdict(kind, Reason.BULK_HARVEST, note="Seen twice.", lasts=lasts, scope=Decision.Scope(scope))
    return decide(own, verdict, decision_id=uuid.uuid4(), by=by, now=timezone.now())


def do_the_rest() -> None:
    apply_unfinished_decisions(now=timezone.now())
    cover_new_names(now=timezone.now())


def block_all(harvesters: list[Account], scope: str, *, by: User) -> tuple[Case, Follower]:
    """Block all of them. Return the case, which is open again, and a gateway that refuses all."""
    first = case(harvesters[0])
    decide_on(first, RestrictionKind.BLOCK, scope, by=by)
    do_the_rest()
    gateway = Follower()
    assert gateway.refused == everybody(harvesters)
    return reopen(first, by=by, now=timezone.now()), gateway


def everybody(harvesters: list[Account]) -> set[str]:
    return {f"account:{one.external_id}" for one in harvesters}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scope", WIDE)
@pytest.mark.parametrize("before", WIDE)
def test_after_any_batch(
    reviewer: User, harvesters: list[Account], before: str, scope: str, kind: RestrictionKind
) -> None:
    second, gateway = block_all(harvesters, before, by=reviewer)

    decision = decide_on(second, kind, scope, by=reviewer)
    is_more = True
    while is_more:
        gateway.follow()
        assert gateway.refused == Follower().refused == everybody(harvesters)
        is_more = unfinished_decisions._apply_batch(decision.pk, now=timezone.now())
    cover_new_names(now=timezone.now())

    gateway.follow()
    assert gateway.refused == everybody(harvesters)
    assert set(Restriction.objects.filter(ended_at=None).values_list("origin", flat=True)) == {decision.origin}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batches", [0, 1])
def test_where_it_is_undone_between_two_batches(
    reviewer: User, harvesters: list[Account], batches: int, kind: RestrictionKind
) -> None:
    second, gateway = block_all(harvesters, "organisation", by=reviewer)
    decision = decide_on(second, kind, "campaign", by=reviewer)
    for _ in range(batches):
        unfinished_decisions._apply_batch(decision.pk, now=timezone.now())

    undo_decision(second, note="A slip.", by=reviewer, now=timezone.now())
    gateway.follow()
    at_once = gateway.refused
    do_the_rest()

    gateway.follow()
    assert at_once == gateway.refused == everybody(harvesters)
    assert Restriction.objects.get(ended_at=None).organisation is not None


@pytest.mark.parametrize("last", ["organisation", "campaign", "account"])
@pytest.mark.parametrize("is_finished", ["undone by a worker", "undone at once"])
def test_where_another_decision_follows_and_is_undone(
    reviewer: User, harvesters: list[Account], last: str, is_finished: str
) -> None:
    """The one that it interrupted is put into force on all accounts after that."""
    second, gateway = block_all(harvesters, "organisation", by=reviewer)
    interrupted = decide_on(second, RestrictionKind.SUSPEND, "campaign", by=reviewer)
    third = reopen(second, by=reviewer, now=timezone.now())
    decide_on(third, RestrictionKind.BLOCK, last, by=reviewer)
    if is_finished == "undone by a worker":
        apply_unfinished_decisions(now=timezone.now())
        assert progress_of(Decision.objects.get(pk=interrupted.pk)) is None

    undo_decision(third, note="A slip.", by=reviewer, now=timezone.now())
    gateway.follow()
    at_once = gateway.refused
    do_the_rest()

    gateway.follow()
    assert at_once <= gateway.refused == Follower().refused == everybody(harvesters)
    live = Restriction.objects.filter(ended_at=None)
    assert {one.origin for one in live} == {interrupted.origin}
    assert not Decision.objects.unfinished().exists()


def test_one_that_was_interrupted_for_good_is_not_waited_for(reviewer: User, harvesters: list[Account]) -> None:
    second, _ = block_all(harvesters, "organisation", by=reviewer)
    decide_on(second, RestrictionKind.SUSPEND, "campaign", by=reviewer)
    third = reopen(second, by=reviewer, now=timezone.now())
    last = decide_on(third, RestrictionKind.BLOCK, "account", by=reviewer)
    apply_unfinished_decisions(now=timezone.now())
    assert Decision.objects.unfinished().count() == 1

    apply_unfinished_decisions(now=timezone.now() + timedelta(days=1))

    assert not Decision.objects.unfinished().exists()
    assert {one.origin for one in Restriction.objects.filter(ended_at=None)} == {last.origin}


def test_what_it_replaces_ends_where_all_of_it_is_lifted_before_it_covers_everybody(
    reviewer: User, harvesters: list[Account]
) -> None:
    second, gateway = block_all(harvesters, "organisation", by=reviewer)
    decision = decide_on(second, RestrictionKind.BLOCK, "campaign", by=reviewer)
    assert decision.restriction is not None

    lift_restriction(second, decision.restriction, note="Fine.", by=reviewer, now=timezone.now(), everywhere=True)
    do_the_rest()

    gateway.follow()
    assert gateway.refused == set()
    assert not Decision.objects.unfinished().exists()


def test_what_it_replaces_ends_where_it_is_over_before_it_covers_everybody(
    reviewer: User, harvesters: list[Account]
) -> None:
    second, gateway = block_all(harvesters, "organisation", by=reviewer)
    decide_on(second, RestrictionKind.SUSPEND, "campaign", by=reviewer)

    apply_unfinished_decisions(now=timezone.now() + timedelta(days=4))

    gateway.follow()
    assert not Restriction.objects.filter(organisation__isnull=False, ended_at=None).exists()
    assert not Decision.objects.unfinished().exists()
