"""Lifting and undoing a decision, and deciding again."""

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from governance.audit.models import Entry
from governance.restrictions.actions import end_expired
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, Restriction
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.review.actions import decide, lift_restriction, reopen
from governance.review.models import Case, Decision, Step
from governance.review.undo import undo_decision
from governance.review.verdicts import (
    CannotUndoError,
    Verdict,
)
from tests.factories import NOW, account, campaign_of, case, person, restriction
from tests.review.deciding import BLOCK, DISMISS, decided

pytestmark = pytest.mark.django_db


class TestLifting:
    def test_a_block_gives_access_back_and_keeps_the_decision(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        block = decided(opened).restriction
        assert block is not None

        lift_restriction(opened, block, note="Appeal granted.", by=mira, now=NOW)

        assert access(account="acct_harbour", now=NOW).allowed
        assert Decision.objects.not_undone().count() == 1
        assert opened.steps.filter(kind=Step.Kind.LIFTED, text="Appeal granted.").exists()


class TestUndoing:
    def test_opens_the_same_case_again_for_who_undoes(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        decided(opened)

        done = undo_decision(opened, note="Wrong account.", by=mira, now=NOW + timedelta(minutes=1))

        opened.refresh_from_db()
        assert (done.is_undone, done.ended, done.is_open) == (True, 1, True)
        assert (opened.status, opened.closed_at) == (Case.Status.OPEN, None)
        assert opened.claimant(at=NOW + timedelta(minutes=1)) == mira.pk
        assert access(account="acct_harbour", now=NOW).allowed
        assert Restriction.objects.get().ending == Restriction.Ending.UNDONE

    def test_is_told_in_the_history_and_in_the_log(self) -> None:
        opened = case(account("acct_harbour"))
        decision = decided(opened)

        undo_decision(opened, note="Wrong account.", by=person("Mira Okafor"), now=NOW)

        decision.refresh_from_db()
        entry = Entry.objects.get(verb="case.undone")
        assert (decision.undone_at, decision.undone_note) == (NOW, "Wrong account.")
        assert opened.steps.filter(kind=Step.Kind.UNDONE, text="Wrong account.").exists()
        assert (entry.actor_name, entry.details["ended"]) == ("Mira Okafor", [decision.restriction_id])

    def test_a_dismissal_opens_the_case_again(self) -> None:
        opened = case()
        decided(opened, DISMISS)

        undo_decision(opened, note="Too quick.", by=person(), now=NOW)

        opened.refresh_from_db()
        assert opened.is_open

    def test_that_comes_too_late_for_what_has_ended_already_changes_nothing(self) -> None:
        opened, mira, later = case(account("acct_harbour")), person(), NOW + timedelta(days=30)
        block = decided(opened).restriction
        assert block is not None
        lift_restriction(opened, block, note="Appeal granted.", by=mira, now=NOW)

        done = undo_decision(opened, note="Too late.", by=mira, now=later)

        assert (done.is_undone, done.ended) == (False, 0)
        assert not opened.steps.filter(text="Too late.").exists()

    def test_leads_to_another_decision_about_the_same_case(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        decided(opened)
        undo_decision(opened, note="Too much.", by=mira, now=NOW)

        decided(opened, DISMISS, by=mira)

        assert [one.action for one in Decision.objects.not_undone()] == ["dismiss"]
        assert Decision.objects.count() == 2

    def test_twice_is_refused(self) -> None:
        opened = case()
        decided(opened)
        undo_decision(opened, note="a slip", by=person(), now=NOW)

        with pytest.raises(CannotUndoError):
            undo_decision(opened, note="a slip", by=person(), now=NOW)

    def test_is_a_lift_once_it_is_too_late(self) -> None:
        opened, mira = case(account("acct_harbour")), person()
        campaign_of(opened.own_account, account("acct_pier"))
        decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))

        done = undo_decision(opened, note="Appeal granted.", by=mira, now=NOW + timedelta(minutes=31))

        opened.refresh_from_db()
        assert (done.is_undone, done.ended, opened.is_open) == (False, 2, False)
        assert {one.ending for one in Restriction.objects.all()} == {Restriction.Ending.LIFTED}
        assert access(account="acct_pier", now=NOW).allowed

    def test_of_a_decision_that_another_followed_is_refused(self) -> None:
        opened, mira = case(), person()
        decided(opened)
        decided(reopen(opened, by=mira, now=NOW), DISMISS, by=mira)

        decide_again = Case.objects.exclude(pk=opened.pk).get().decisions.get()
        decide_again.decided_at = NOW + timedelta(minutes=1)
        decide_again.save()
        with pytest.raises(CannotUndoError, match="Mira Okafor decided on this account again"):
            undo_decision(opened, note="a slip", by=mira, now=NOW + timedelta(minutes=2))


class TestDecidingAgain:
    def again(self, about: Case, verdict: Verdict, *, minutes: int = 1) -> Decision:
        mira, now = person(), NOW + timedelta(minutes=minutes)
        return decide(reopen(about, by=mira, now=now), verdict, decision_id=uuid.uuid4(), by=mira, now=now)

    def in_force(self) -> list[tuple[str, str]]:
        live = Restriction.objects.filter(ended_at=None).order_by("number")
        return [(one.target.external_id, one.kind) for one in live]

    def test_to_dismiss_lifts_what_was_decided_before(self) -> None:
        opened = case(account("acct_harbour"))
        decided(opened)

        self.again(opened, DISMISS)

        assert self.in_force() == []
        assert Restriction.objects.get().ending == Restriction.Ending.LIFTED

    def test_to_be_milder_ends_what_was_stronger(self) -> None:
        opened = case(account("acct_harbour"))
        decided(opened)

        self.again(opened, Verdict(RestrictionKind.WATCH, Reason.OTHER))
        self.again(opened, Verdict(RestrictionKind.WARN, Reason.OTHER), minutes=2)

        assert self.in_force() == [("acct_harbour", "warn")]

    def test_about_the_account_ends_what_was_decided_about_its_organisation_and_campaign(self) -> None:
        opened = case(account("acct_harbour", organisation="org_quay"))
        campaign_of(opened.own_account, account("acct_pier"))
        decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        self.again(opened, replace(BLOCK, scope=Decision.Scope.ORGANISATION))
        assert self.in_force() == [("org_quay", "block")]

        self.again(opened, BLOCK, minutes=2)

        assert self.in_force() == [("acct_harbour", "block")]

    def test_ends_what_another_case_or_a_policy_put_on_the_account_and_leaves_what_came_over_the_api(self) -> None:
        opened, other = case(account("acct_harbour")), case(account("acct_pier"))
        campaign_of(opened.own_account, other.own_account)
        decided(other, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        restriction(opened.own_account, Restriction.Kind.VERIFY, unique_key="policy:1")
        restriction(opened.own_account, Restriction.Kind.WATCH, unique_key="api:1:x")

        self.again(opened, DISMISS)

        assert self.in_force() == [("acct_pier", "block"), ("acct_harbour", "watch")]

    def test_begins_before_it_ends_so_that_nobody_slips_through(self) -> None:
        opened = case(account("acct_harbour"))
        campaign_of(opened.own_account, account("acct_pier"))
        decided(opened)

        self.again(opened, replace(BLOCK, action=RestrictionKind.SUSPEND, lasts=timedelta(days=1)))
        self.again(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN), minutes=2)

        whats = list(Change.objects.values_list("what", flat=True))
        assert whats == ["began", "began", "ended", "began", "began", "ended"]

    def test_does_not_let_the_older_decision_back_when_the_newer_expires(self) -> None:
        opened = case(account("acct_harbour"))
        suspend = replace(BLOCK, action=RestrictionKind.SUSPEND, lasts=timedelta(days=30))
        decided(opened, suspend)

        self.again(opened, replace(suspend, lasts=timedelta(days=1)))
        end_expired(now=NOW + timedelta(days=2))

        assert self.in_force() == []

    def test_and_undoing_that_restores_what_it_had_ended(self) -> None:
        opened = case(account("acct_harbour"))
        campaign_of(opened.own_account, account("acct_pier"))
        decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))
        again = self.again(opened, DISMISS)

        undo_decision(again.case, note="a slip", by=person(), now=NOW + timedelta(minutes=2))
        assert self.in_force() == [("acct_harbour", "block"), ("acct_pier", "block")]

        decide(
            again.case,
            DISMISS,
            decision_id=uuid.uuid4(),
            by=Case.objects.get(pk=again.case_id).claimed_by or person(),
            now=NOW + timedelta(minutes=3),
        )
        assert self.in_force() == []

    def test_says_in_the_log_what_it_ended(self) -> None:
        opened = case(account("acct_harbour"))
        block = decided(opened).restriction_id

        self.again(opened, DISMISS)

        entry = Entry.objects.filter(verb="case.decided").latest("number")
        assert entry.details["superseded"] == [block]
