"""Undoing a decision restores nothing on an account that staff decided about since, until that is undone too."""

import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.models import Account
from governance.campaigns.regrouping import split_campaign
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.queries import last_number
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import decide
from governance.review.bulk.actions import decide_many, get_newest_decision_number, start_undoing_all
from governance.review.bulk.unfinished import apply_bulk_decisions
from governance.review.campaign_cases import join_and_leave, update_campaign_cases
from governance.review.models import Case, Decision
from governance.review.opening_by_hand import open_case_by_hand
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import Verdict
from tests.factories import campaign_of, case, own_campaign, person, ticks
from tests.front import served
from tests.review.deciding import BLOCK, DISMISS
from tests.waiting import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

THROTTLE = replace(BLOCK, action=RestrictionKind.THROTTLE, requests_per_minute=5)
Undo = Callable[[], None]
Decide = Callable[[list[Account], Verdict], Undo]


def do_the_rest() -> None:
    apply_bulk_decisions(clock=timezone.now)
    apply_unfinished_decisions(now=timezone.now())


def undoing(opened: Case) -> Undo:
    def act() -> None:
        undo_decision(opened, note="A slip.", by=person("Una Roth"), now=timezone.now())
        do_the_rest()

    return act


def alone(accounts: list[Account], verdict: Verdict) -> Undo:
    """The first of them, by its own case."""
    by, now = person("Ada Lind"), timezone.now()
    opened = Case.objects.filter(account=accounts[0], status=Case.Status.OPEN).first()
    opened = opened or open_case_by_hand(accounts[0], reason="It wrote to us.", by=by, now=now)
    decide(opened, verdict, decision_id=uuid.uuid4(), by=by, now=now)
    do_the_rest()
    return undoing(opened)


def in_bulk(accounts: list[Account], verdict: Verdict) -> Undo:
    """The first two, ticked in a list."""
    by, now, seen = person("Bo Kern"), timezone.now(), get_newest_decision_number()
    pks = [one.pk for one in accounts[:2]]
    bulk = decide_many(pks, verdict, bulk_id=uuid.uuid4(), seen=seen, seen_at=now, by=by, now=now)
    do_the_rest()

    def act() -> None:
        start_undoing_all(bulk, note="A slip.", by=person("Una Roth"), now=timezone.now())
        do_the_rest()

    return act


def as_campaign(accounts: list[Account], verdict: Verdict) -> Undo:
    """All of them, by the case of their campaign."""
    campaign_of(*accounts)
    update_campaign_cases(now=timezone.now())
    return decide_open_campaign(verdict)


def as_part_split_off(accounts: list[Account], verdict: Verdict) -> Undo:
    """The first two, by the case of the campaign into which they were split."""
    before = own_campaign(Case.objects.get(campaign__isnull=False))
    by, now = person("Sia Holm").actor, timezone.now()
    split_campaign(before, [one.pk for one in accounts[:2]], reason="Two schools.", by=by, now=now)
    update_campaign_cases(now=now)
    return decide_open_campaign(verdict)


def decide_open_campaign(verdict: Verdict) -> Undo:
    opened = Case.objects.get(campaign__isnull=False, status=Case.Status.OPEN)
    join_and_leave(now=timezone.now())
    verdict = replace(verdict, scope=Decision.Scope.CAMPAIGN)
    now = timezone.now()
    decide(opened, verdict, decision_id=uuid.uuid4(), by=person("Cy Dahl"), now=now, ticks=ticks(opened))
    do_the_rest()
    return undoing(opened)


@pytest.mark.parametrize("batch_size", [1, 100], ids=["batches", "at once"])
@pytest.mark.parametrize(
    ("undone", "later"),
    [
        ((as_campaign, BLOCK), (alone, DISMISS)),
        ((as_campaign, DISMISS), (alone, DISMISS)),
        ((as_campaign, THROTTLE), (in_bulk, DISMISS)),
        ((as_campaign, THROTTLE), (as_part_split_off, DISMISS)),
        ((in_bulk, THROTTLE), (as_campaign, DISMISS)),
        ((in_bulk, BLOCK), (as_campaign, DISMISS)),
        ((alone, BLOCK), (as_campaign, DISMISS)),
        ((in_bulk, DISMISS), (as_campaign, THROTTLE)),
        ((as_campaign, BLOCK), (alone, THROTTLE)),
    ],
)
def test_whom_staff_let_in_since_stays_in_until_that_is_undone(
    undone: tuple[Decide, Verdict],
    later: tuple[Decide, Verdict],
    batch_size: int,
    monkeypatch: pytest.MonkeyPatch,
    accounts: list[Account],
) -> None:
    for module in (actions, decision_targets, undo, unfinished_decisions):
        monkeypatch.setattr(module, "BATCH_SIZE", batch_size)
    (decide_first, verdict), (decide_later, later_verdict) = undone, later
    for one in accounts[:2]:
        alone([one], BLOCK)
    undo_first = decide_first(accounts, verdict)
    undo_later = decide_later(accounts, later_verdict)
    with served() as front:
        assert front.front.replica.wait_until_loaded(PATIENCE)

        def is_let_in() -> bool:
            assert front.knows(last_number())
            return bool(front.check(account=accounts[0].external_id)["decision"] != "deny")

        assert is_let_in()
        undo_first()
        assert is_let_in()
        undo_later()
        assert not is_let_in()  # the block that both had replaced


@pytest.fixture
def accounts(transactional_db: None) -> list[Account]:
    return [case().own_account for _ in range(4)]
