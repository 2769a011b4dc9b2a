"""Decisions on the case of a campaign cover the members that are ticked, and nobody else."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from accounts.models import Account
from governance.audit.models import Entry
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import claim, decide
from governance.review.models import Case, Decision
from governance.review.progress import progress_of
from governance.review.queries import labels_from_decisions
from governance.review.staff_ceilings import NO_KIND, get_staff_ceilings
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import (
    AlreadyDecidedError,
    CannotUndoError,
    CaseEndedError,
    NoSuchScopeError,
    SentBeforeError,
)
from tests.factories import NOW, account, campaign_case, case, own_campaign, person, restriction, ticks
from tests.review.deciding import BLOCK_CAMPAIGN, DISMISS, DISMISS_CAMPAIGN, decide_all, decided

pytestmark = pytest.mark.django_db

THROTTLE = replace(BLOCK_CAMPAIGN, action=RestrictionKind.THROTTLE, requests_per_minute=5)
SIZE = 6


@pytest.fixture
def members() -> list[Account]:
    return [account(f"acct_{number}") for number in range(SIZE)]


@pytest.fixture
def own(members: list[Account]) -> Case:
    return campaign_case(*members)


@pytest.mark.parametrize(("first", "again"), [(5, 4), (4, 5)], ids=["fewer", "more"])
def test_the_same_form_with_other_ticks_is_another_decision(
    own: Case, members: list[Account], first: int, again: int
) -> None:
    form, mira = uuid.uuid4(), person()
    made = ticks(own, without=members[first:])
    decide(own, BLOCK_CAMPAIGN, decision_id=form, by=mira, now=NOW, ticks=made)
    assert decide(own, BLOCK_CAMPAIGN, decision_id=form, by=mira, now=NOW, ticks=made).pk == form

    with pytest.raises(SentBeforeError, match="choice of accounts"):
        decide(own, BLOCK_CAMPAIGN, decision_id=form, by=mira, now=NOW, ticks=ticks(own, without=members[again:]))


def in_force(kind: Restriction.Kind = Restriction.Kind.BLOCK) -> set[str]:
    live = Restriction.objects.filter(ended_at=None, kind=kind)
    return set(live.values_list("account__external_id", flat=True))


class TestDeciding:
    def test_restricts_who_is_ticked_and_keeps_why_others_are_not(self, own: Case, members: list[Account]) -> None:
        decision = decide_all(own, without=members[4:])

        assert in_force() == {"acct_0", "acct_1", "acct_2", "acct_3"}
        left_out = dict(decision.targets.left_out().values_list("account__external_id", "left_out_because"))
        assert left_out == {"acct_4": "A school.", "acct_5": "A school."}
        assert decision.campaign == own.campaign

    def test_is_one_entry_that_names_them_all(self, own: Case, members: list[Account]) -> None:
        decide_all(own, without=members[5:])

        entry = Entry.objects.get(verb="case.decided")
        assert entry.details["campaign"] == str(own.campaign_id)
        assert entry.details["accounts"] == [f"acct_{number}" for number in range(5)]
        assert (entry.details["left_out"], entry.details["left_out_because"]) == (["acct_5"], "A school.")

    def test_says_nothing_of_members_who_joined_while_somebody_decided(self, own: Case) -> None:
        chosen, late = ticks(own), account("acct_late")
        own_campaign(own).members.create(
            account=late, joined_at=NOW + timedelta(minutes=1), tied_to=1, strength=1.0, ties={}
        )

        decision = decide(own, BLOCK_CAMPAIGN, decision_id=uuid.uuid4(), by=person(), now=NOW, ticks=chosen)

        assert not decision.targets.filter(account=late).exists()
        assert "acct_late" not in in_force()

    def test_covers_nobody_who_left_the_campaign_since_it_was_shown(self, own: Case, members: list[Account]) -> None:
        chosen = ticks(own)
        members[0].memberships.update(left_at=NOW)

        decide(own, BLOCK_CAMPAIGN, decision_id=uuid.uuid4(), by=person(), now=NOW, ticks=chosen)

        assert in_force() == {f"acct_{number}" for number in range(1, SIZE)}

    def test_of_which_all_members_have_left_is_refused(self, own: Case) -> None:
        chosen = ticks(own)
        own_campaign(own).members.update(left_at=NOW)

        with pytest.raises(NoSuchScopeError, match="None of the ticked accounts"):
            decide(own, BLOCK_CAMPAIGN, decision_id=uuid.uuid4(), by=person(), now=NOW, ticks=chosen)

    def test_takes_the_place_of_what_was_decided_on_those_alone(self, own: Case, members: list[Account]) -> None:
        decided(case(members[0]), replace(THROTTLE, scope=Decision.Scope.ACCOUNT))
        decided(case(members[5]), replace(THROTTLE, scope=Decision.Scope.ACCOUNT))
        restriction(members[1], Restriction.Kind.THROTTLE, requests_per_minute=9)  # by another system

        decide_all(own, without=[members[5]])

        assert in_force(Restriction.Kind.THROTTLE) == {"acct_1", "acct_5"}
        undo_decision(own, note="A slip.", by=person(), now=NOW)
        assert in_force(Restriction.Kind.THROTTLE) == {"acct_0", "acct_1", "acct_5"}
        assert not in_force()

    def test_sent_again_decides_once(self, own: Case) -> None:
        key, chosen, mira = uuid.uuid4(), ticks(own), person()

        made = [decide(own, BLOCK_CAMPAIGN, decision_id=key, by=mira, now=NOW, ticks=chosen) for _ in range(2)]

        assert made[0] == made[1]
        assert Restriction.objects.count() == SIZE

    def test_sent_again_with_fewer_accounts_is_refused(self, own: Case, members: list[Account]) -> None:
        key, mira, fewer = uuid.uuid4(), person(), ticks(own, without=members[:2])
        decide(own, BLOCK_CAMPAIGN, decision_id=key, by=mira, now=NOW, ticks=ticks(own))

        with pytest.raises(SentBeforeError, match="another choice of accounts"):
            decide(own, BLOCK_CAMPAIGN, decision_id=key, by=mira, now=NOW, ticks=fewer)

    def test_of_two_people_the_second_learns_who_was_first(self, own: Case) -> None:
        decide_all(own, by=person("Mira Okafor"))

        with pytest.raises(AlreadyDecidedError, match="Mira Okafor decided this case first: block"):
            decide_all(own, by=person("Jonas Lind"))

    def test_is_refused_once_the_campaign_shows_no_harvest(self, own: Case) -> None:
        Case.objects.update(status=Case.Status.ENDED, closed_at=NOW)

        with pytest.raises(CaseEndedError, match="no harvest any more"):
            decide_all(own)

    def test_names_no_claim_of_others_where_there_is_none(self, own: Case, members: list[Account]) -> None:
        part, jonas = case(members[0]), person("Jonas Lind")
        claim(part, by=jonas, now=NOW)

        decide_all(own)

        assert "Jonas Lind had claimed this case" in part.steps.get(kind="resolved").text


class TestDismissing:
    def test_ends_what_was_decided_on_the_ticked_and_closes_their_cases(
        self, own: Case, members: list[Account]
    ) -> None:
        decided(case(members[0]))
        part = case(members[1])

        decision = decide_all(own, DISMISS_CAMPAIGN, without=members[4:])

        part.refresh_from_db()
        assert not in_force()
        assert (part.status, part.resolved_by, decision.restriction) == (Case.Status.DECIDED, decision, None)

    def test_holds_policies_off_and_labels_the_accounts(self, own: Case, members: list[Account]) -> None:
        decide_all(own, DISMISS_CAMPAIGN, without=[members[5]])

        seen = [one.assessments.get() for one in members]
        ceilings = get_staff_ceilings(seen)
        assert {ceiling.strength for ceiling in ceilings.values()} == {NO_KIND}
        assert set(ceilings) == {one.pk for one in members[:5]}
        assert {name: label.harvest for name, label in labels_from_decisions().items()} == {
            f"acct_{number}": False for number in range(5)
        }


class TestUndoing:
    def test_lets_all_of_them_in_and_opens_the_cases_again(self, own: Case, members: list[Account]) -> None:
        part, mira = case(members[0]), person()
        decide_all(own, without=[members[5]])

        done = undo_decision(own, note="One school.", by=mira, now=NOW)

        for one in (own, part):
            one.refresh_from_db()
        assert (done.is_undone, done.ended, done.is_open) == (True, 5, True)
        assert not in_force()
        assert (own.status, own.claimed_by, part.status) == (Case.Status.OPEN, mira, Case.Status.OPEN)
        assert Entry.objects.filter(verb="case.undone", details__campaign=str(own.campaign_id)).count() == 1

    def test_is_refused_once_the_same_accounts_were_decided_about_again(self, own: Case) -> None:
        decide_all(own)
        again = actions.reopen(own, by=person(), now=NOW)
        decide_all(again, THROTTLE, by=again.claimed_by)

        with pytest.raises(CannotUndoError, match="decided on this campaign again"):
            undo_decision(own, note="A slip.", by=person(), now=NOW)

    def test_leaves_an_account_to_what_was_decided_about_it_since(self, own: Case, members: list[Account]) -> None:
        decide_all(own)
        decided(case(members[0]), replace(THROTTLE, scope=Decision.Scope.ACCOUNT))

        undo_decision(own, note="A slip.", by=person(), now=NOW)

        assert (in_force(), in_force(Restriction.Kind.THROTTLE)) == (set(), {"acct_0"})

    def test_an_account_decided_alone_opens_no_case_of_the_others(self, own: Case, members: list[Account]) -> None:
        other = case(members[1])
        decide_all(own)

        decided(case(members[0]), DISMISS)

        other.refresh_from_db()
        assert other.status == Case.Status.DECIDED
        assert in_force() == {f"acct_{number}" for number in range(1, SIZE)}


class TestInBatches:
    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (actions, decision_targets, undo, unfinished_decisions):
            monkeypatch.setattr(module, "BATCH_SIZE", 2)

    def test_is_in_force_on_some_at_once_and_soon_on_all_that_were_ticked(
        self, own: Case, members: list[Account]
    ) -> None:
        decision = decide_all(own, without=[members[5]])
        at_once, progress = len(in_force()), progress_of(decision)
        new = account("acct_new")
        own_campaign(own).members.create(
            account=new, joined_at=NOW + timedelta(minutes=1), tied_to=1, strength=1.0, ties={}
        )

        apply_unfinished_decisions(now=NOW)

        assert (at_once, progress) == (2, (2, 5, "accounts restricted"))
        assert in_force() == {f"acct_{number}" for number in range(5)}
        assert progress_of(Decision.objects.get()) is None

    def test_is_dismissed_for_all_of_them(self, own: Case, members: list[Account]) -> None:
        for one in members:
            decided(case(one), replace(THROTTLE, scope=Decision.Scope.ACCOUNT))
        again = [case(one) for one in members]

        decide_all(own, DISMISS_CAMPAIGN)
        at_once = len(in_force(Restriction.Kind.THROTTLE))
        apply_unfinished_decisions(now=NOW)

        assert (at_once, in_force(Restriction.Kind.THROTTLE)) == (4, set())
        assert not Case.objects.filter(pk__in=[one.pk for one in again], status=Case.Status.OPEN).exists()

    def test_leaves_out_whom_staff_decided_about_meanwhile(self, own: Case, members: list[Account]) -> None:
        decide_all(own)
        last = case(members[5])

        decided(last, DISMISS)
        apply_unfinished_decisions(now=NOW)

        assert in_force() == {f"acct_{number}" for number in range(5)}

    def test_restricts_them_after_all_if_that_is_undone(self, own: Case, members: list[Account]) -> None:
        decide_all(own)
        last = case(members[5])
        decided(last, DISMISS)
        apply_unfinished_decisions(now=NOW)

        undo_decision(last, note="A slip.", by=person(), now=NOW)
        apply_unfinished_decisions(now=NOW)

        assert in_force() == {f"acct_{number}" for number in range(SIZE)}
        apply_unfinished_decisions(now=NOW + timedelta(days=1))
        assert not Decision.objects.unfinished().exists()

    def test_is_undone_for_all_of_them(self, own: Case) -> None:
        decide_all(own)
        apply_unfinished_decisions(now=NOW)

        undo_decision(own, note="A slip.", by=person(), now=NOW)
        apply_unfinished_decisions(now=NOW)

        assert not in_force()
        assert Case.objects.get(pk=own.pk).status == Case.Status.OPEN

    def test_of_the_release_before_covers_who_was_in_the_campaign_then(self, own: Case, members: list[Account]) -> None:
        """It wrote neither the campaign of a decision nor its accounts."""
        opened = case(members[0])
        decision = decided(opened, BLOCK_CAMPAIGN)
        decision.targets.all().delete()
        Decision.objects.update(campaign=None)

        apply_unfinished_decisions(now=NOW)

        assert len(in_force()) == SIZE
        assert decision.targets.covered().count() == SIZE
