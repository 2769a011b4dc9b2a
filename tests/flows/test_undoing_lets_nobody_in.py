"""Undoing a decision lets nobody in who was refused before it and is refused after it, whatever the two are about."""

import itertools
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from governance.restrictions import names, publication
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.queries import last_number
from governance.restrictions.reasons import Reason
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import decide, reopen
from governance.review.models import Case, Decision
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import Verdict
from governance.staff.models import User
from tests.factories import account, campaign_of, case, person
from tests.flows.following import Follower
from tests.flows.last_word import is_let_in
from tests.front import Served, served
from tests.review.pages import address, by_htmx, signed_in, text

pytestmark = pytest.mark.django_db(transaction=True)

BATCH_SIZE = 4
SIZE = 3 * BATCH_SIZE - 1
SCOPES = ["account", "organisation", "campaign"]


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture
def reviewer(transactional_db: None) -> User:
    return person()


def decide_on(own: Case, kind: RestrictionKind, scope: str, *, by: User) -> None:
    lasts = timedelta(days=3) if kind == RestrictionKind.SUSPEND else None
    verdict = Verdict(kind, Reason.BULK_HARVEST, note="Seen twice.", lasts=lasts, scope=Decision.Scope(scope))
    decide(own, verdict, decision_id=uuid.uuid4(), by=by, now=timezone.now())
    apply_unfinished_decisions(now=timezone.now())


def decide_twice(harvester: Account, before: str, scope: str, kind: RestrictionKind, *, by: User) -> Case:
    """Block, and decide again. Return the case of the second decision."""
    first = case(harvester)
    decide_on(first, RestrictionKind.BLOCK, before, by=by)
    second = reopen(first, by=by, now=timezone.now())
    decide_on(second, kind, scope, by=by)
    return second


@pytest.mark.parametrize("kind", [RestrictionKind.SUSPEND, RestrictionKind.BLOCK, RestrictionKind.WATCH])
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("before", SCOPES)
def test_before_a_worker_comes(front: Served, reviewer: User, before: str, scope: str, kind: RestrictionKind) -> None:
    harvester = account("acct_harvester", organisation="org_quay")
    campaign_of(harvester, account("acct_other"))
    second = decide_twice(harvester, before, scope, kind, by=reviewer)
    ours = Restriction.objects.filter(origin=Decision.objects.get(case=second).origin)
    ended, restored = ours.count(), Restriction.objects.exclude(ending="").count()

    done = undo_decision(second, note="A slip.", by=reviewer, now=timezone.now())
    meanwhile = is_let_in(front, "acct_harvester")
    apply_unfinished_decisions(now=timezone.now())

    assert (meanwhile, is_let_in(front, "acct_harvester")) == (False, False)
    assert (done.ended, done.restored) == (ended, restored)
    assert not ours.filter(ended_at=None).exists()


@pytest.mark.parametrize("before", SCOPES)
def test_gateways_are_told_of_what_is_restored_before_what_ends(reviewer: User, before: str) -> None:
    harvester = account("acct_harvester", organisation="org_quay")
    campaign_of(harvester, account())
    second = decide_twice(harvester, before, "account", RestrictionKind.SUSPEND, by=reviewer)
    last = last_number()

    undo_decision(second, note="A slip.", by=reviewer, now=timezone.now())

    told = list(Change.objects.filter(number__gt=last).order_by("number").values_list("what", flat=True))
    assert told == sorted(told, key=lambda what: what == Change.What.ENDED)
    assert told[-1] == Change.What.ENDED


class TestADecisionOnMany:
    """It is undone in batches; what ends in one of them was made up for in an earlier one, or is in the same."""

    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (actions, decision_targets, undo, unfinished_decisions):
            monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)

    @pytest.fixture
    def harvesters(self, transactional_db: None) -> list[Account]:
        made = [account(f"acct_{number:02}", organisation="org_quay") for number in range(SIZE)]
        campaign_of(*made)
        return made

    @pytest.mark.parametrize(
        ("before", "scope"),
        [("campaign", "organisation"), ("organisation", "campaign"), ("campaign", "campaign"), ("campaign", "account")],
    )
    def test_lets_none_of_them_in_after_any_batch(
        self, front: Served, reviewer: User, harvesters: list[Account], before: str, scope: str
    ) -> None:
        second = decide_twice(harvesters[0], before, scope, RestrictionKind.SUSPEND, by=reviewer)
        decision = Decision.objects.get(case=second)
        refused = [one for one in harvesters if not is_let_in(front, one.external_id)]

        undo_decision(second, note="A slip.", by=reviewer, now=timezone.now())
        is_more = True
        while is_more:
            assert [one for one in refused if is_let_in(front, one.external_id)] == []
            is_more = unfinished_decisions._apply_batch(decision.pk, now=timezone.now())

        live = Restriction.objects.filter(ended_at=None)
        assert {one.kind for one in live} == {RestrictionKind.BLOCK}
        assert len(live) == (SIZE if before == "campaign" else 1)
        assert not Decision.objects.unfinished().exists()

    def test_says_on_the_page_what_is_restored_and_what_ended(self, reviewer: User, harvesters: list[Account]) -> None:
        second = decide_twice(harvesters[0], "campaign", "organisation", RestrictionKind.SUSPEND, by=reviewer)
        decision, browser = Decision.objects.get(case=second), signed_in(reviewer)

        undone = browser.post(address(second, "undo/"), {"note": "A slip."}, follow=True)
        unfinished_decisions._apply_batch(decision.pk, now=timezone.now())
        later = text(browser.get(address(second), headers=by_htmx("decision-progress")))
        apply_unfinished_decisions(now=timezone.now())

        assert f"0 restrictions ended, {BATCH_SIZE} restored so far" in text(undone)
        assert "every 2s" in later
        left = SIZE - 2 * BATCH_SIZE
        assert f"In progress: 0 of 1 restrictions ended, {left} earlier ones still to be restored." in later
        assert "In progress" not in text(browser.get(address(second)))


class TestThatRestoresWhatAVeryLargeOrganisationWasUnder:
    """Gateways are sent its accounts portion by portion; what is undone ends there when they have all."""

    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (actions, decision_targets, undo, unfinished_decisions):
            monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)
        monkeypatch.setattr(names, "ACCOUNTS_AT_ONCE", BATCH_SIZE)

    @pytest.fixture
    def harvesters(self, transactional_db: None) -> list[Account]:
        made = [account(f"acct_{number:02}", organisation="org_quay") for number in range(SIZE)]
        campaign_of(*made[:-2])
        return made

    @pytest.mark.parametrize("kind", [RestrictionKind.SUSPEND, RestrictionKind.BLOCK])
    @pytest.mark.parametrize("scope", SCOPES)
    def test_lets_none_of_them_in_and_sends_no_piece_that_is_large(
        self, reviewer: User, harvesters: list[Account], scope: str, kind: RestrictionKind
    ) -> None:
        second = decide_twice(harvesters[0], "organisation", scope, kind, by=reviewer)
        cover_new_names(now=timezone.now())
        gateway, before = Follower(), last_number()

        undo_decision(second, note="A slip.", by=reviewer, now=timezone.now())
        apply_unfinished_decisions(now=timezone.now())
        assert gateway.follow() == []
        cover_new_names(now=timezone.now())
        assert gateway.follow() == []

        changes = Change.objects.filter(number__gt=before).values_list("payload", flat=True)
        sent = [payload.get("names_added") or payload["names"] for payload in changes if payload is not None]
        assert max(len(names["account"]) for names in sent) == BATCH_SIZE
        assert {name for name in gateway.refused if name.startswith("account:")} == {
            f"account:{one}" for one in harvesters
        }
        assert not Restriction.objects.filter(is_end_unpublished=True).exists()
        assert [one.kind for one in Restriction.objects.filter(ended_at=None)] == [RestrictionKind.BLOCK]

    def test_goes_on_where_it_was_cut_off(self, reviewer: User, harvesters: list[Account]) -> None:
        second = decide_twice(harvesters[0], "organisation", "organisation", RestrictionKind.SUSPEND, by=reviewer)
        cover_new_names(now=timezone.now())
        gateway = Follower()
        undo_decision(second, note="A slip.", by=reviewer, now=timezone.now())
        [number, accounts] = names.unpublished_batches([Restriction.objects.get(ended_at=None).number])[0]
        publication._cover_batch([number], account_pks=accounts, now=timezone.now())
        later = Follower()
        assert later.refused == gateway.refused

        cover_new_names(now=timezone.now())

        assert (gateway.follow(), later.follow()) == ([], [])
        assert gateway.refused == later.refused == Follower().refused
        assert not Restriction.objects.filter(is_end_unpublished=True).exists()

    def test_closes_the_cases_that_it_covers_again_portion_by_portion(
        self, reviewer: User, harvesters: list[Account]
    ) -> None:
        opened = [case(one) for one in harvesters[1:]]
        second = decide_twice(harvesters[0], "organisation", "account", RestrictionKind.SUSPEND, by=reviewer)
        waiting = Case.objects.filter(pk__in=[one.pk for one in opened], status=Case.Status.OPEN)
        assert waiting.count() == SIZE - 1

        undo_decision(second, note="A slip.", by=reviewer, now=timezone.now())
        decision, left = Decision.objects.get(case=second), [waiting.count()]
        while unfinished_decisions._apply_batch(decision.pk, now=timezone.now()):
            left.append(waiting.count())

        assert max(before - after for before, after in itertools.pairwise(left)) == BATCH_SIZE
        assert left[-1] == 0
        assert not Decision.objects.unfinished().exists()
