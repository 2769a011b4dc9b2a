import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from governance.audit.models import Entry
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.review.actions import claim
from governance.review.models import Case, Decision
from governance.review.undo import undo_decision
from governance.review.verdicts import (
    AlreadyDecidedError,
    CaseTakenError,
    NoSuchScopeError,
    SentBeforeError,
    Verdict,
)
from governance.staff.models import User
from tests.factories import NOW, account, campaign_of, case, person
from tests.review.deciding import BLOCK, DISMISS, decided

pytestmark = pytest.mark.django_db


class TestDeciding:
    def test_to_block_denies_access(self) -> None:
        opened = case(account("acct_harbour"))

        decision = decided(opened)

        assert not access(account="acct_harbour", now=NOW).allowed
        assert decision.restriction is not None
        assert decision.restriction.terms_clause == "2.3"

    @pytest.mark.parametrize(
        ("verdict", "kind"),
        [
            (Verdict(RestrictionKind.WATCH, Reason.OTHER), Restriction.Kind.WATCH),
            (Verdict(RestrictionKind.WARN, Reason.OTHER), Restriction.Kind.WARN),
            (Verdict(RestrictionKind.VERIFY, Reason.OTHER), Restriction.Kind.VERIFY),
            (
                Verdict(RestrictionKind.WITHHOLD, Reason.OTHER, withheld=["logprobs"]),
                Restriction.Kind.WITHHOLD,
            ),
            (
                Verdict(RestrictionKind.THROTTLE, Reason.OTHER, tokens_per_minute=5_000),
                Restriction.Kind.THROTTLE,
            ),
            (
                Verdict(RestrictionKind.THROTTLE, Reason.OTHER, requests_per_minute=20),
                Restriction.Kind.THROTTLE,
            ),
            (
                Verdict(RestrictionKind.SUSPEND, Reason.OTHER, lasts=timedelta(days=7)),
                Restriction.Kind.SUSPEND,
            ),
        ],
    )
    def test_restricts_as_the_verdict_says(self, verdict: Verdict, kind: Restriction.Kind) -> None:
        decided(case(), verdict)

        made = Restriction.objects.get()
        assert made.kind == kind
        assert made.requests_per_minute == verdict.requests_per_minute
        assert made.tokens_per_minute == verdict.tokens_per_minute
        assert made.withheld == list(verdict.withheld)
        assert made.expires_at == (NOW + verdict.lasts if verdict.lasts else None)

    def test_may_be_about_the_whole_organisation(self) -> None:
        opened = case(account("acct_harbour", organisation="org_quay"))
        account("acct_pier", organisation="org_quay")

        decided(opened, replace(BLOCK, scope=Decision.Scope.ORGANISATION))

        assert not access(account="acct_pier", now=NOW).allowed

    def test_may_be_about_the_whole_campaign(self) -> None:
        opened = case(account("acct_harbour"))
        campaign_of(opened.own_account, account("acct_pier"))

        decision = decided(opened, replace(BLOCK, scope=Decision.Scope.CAMPAIGN))

        assert not access(account="acct_pier", now=NOW).allowed
        assert decision.restriction is not None
        assert decision.restriction.account == opened.account

    @pytest.mark.parametrize("scope", [Decision.Scope.ORGANISATION, Decision.Scope.CAMPAIGN])
    def test_cannot_be_about_more_than_there_is(self, scope: Decision.Scope) -> None:
        with pytest.raises(NoSuchScopeError):
            decided(case(), replace(BLOCK, scope=scope))

        assert not Restriction.objects.exists()

    def test_to_dismiss_restricts_nobody(self) -> None:
        decided(case(), DISMISS)

        assert not Restriction.objects.exists()

    def test_closes_the_case_and_ends_the_claim(self) -> None:
        opened, mira = case(), person()
        claim(opened, by=mira, now=NOW)

        decided(opened, by=mira)

        opened.refresh_from_db()
        assert (opened.status, opened.closed_at, opened.claimed_by) == (Case.Status.DECIDED, NOW, None)

    def test_twice_with_the_same_form_is_once(self) -> None:
        opened, key, mira = case(), uuid.uuid4(), person()

        first, again = (decided(opened, by=mira, key=key) for _ in range(2))

        assert first == again
        assert Entry.objects.filter(verb="case.decided").count() == 1

    def test_second_tells_who_was_first(self) -> None:
        opened = case()
        decided(opened, by=person("Mira Okafor"))

        with pytest.raises(AlreadyDecidedError, match="Mira Okafor") as refusal:
            decided(opened, DISMISS, by=person("Jonas Lindqvist"))

        assert refusal.value.decision.action == RestrictionKind.BLOCK

    def test_a_case_that_somebody_else_has_is_refused(self) -> None:
        opened = case()
        claim(opened, by=person("Mira Okafor"), now=NOW)

        with pytest.raises(CaseTakenError, match="Mira Okafor"):
            decided(opened, by=person("Jonas Lindqvist"))

        assert not Restriction.objects.exists()

    def test_writes_everything_a_court_would_ask_into_the_log(self) -> None:
        opened = case(account("acct_harbour"))

        decision = decided(opened, by=person("Mira Okafor"))

        entry = Entry.objects.get(verb="case.decided")
        assert entry.actor_name == "Mira Okafor"
        assert entry.details == {
            "decision": str(decision.pk),
            "account": "acct_harbour",
            "action": "block",
            "scope": "account",
            "reason": "bulk_harvest",
            "terms_clause": "2.3",
            "note": "Clear.",
            "score": 82,
            "assessment": opened.assessment_id,
            "restriction": decision.restriction_id,
        }


class TestTheSameFormSentAgain:
    @pytest.mark.parametrize(
        ("verdict", "named"),
        [
            (DISMISS, "action"),
            (replace(BLOCK, reason=Reason.OTHER), "reason"),
            (replace(BLOCK, note="Not so clear."), "note"),
            (replace(BLOCK, action=RestrictionKind.SUSPEND, lasts=timedelta(days=1)), "lasts"),
        ],
    )
    def test_with_something_else_in_it_is_refused_and_says_what(self, verdict: Verdict, named: str) -> None:
        opened, key, mira = case(), uuid.uuid4(), person()
        decided(opened, by=mira, key=key)

        with pytest.raises(SentBeforeError, match=f"another {named}|another .*{named}"):
            decided(opened, verdict, by=mira, key=key)

        assert Restriction.objects.get().kind == Restriction.Kind.BLOCK

    def test_for_another_case_is_refused(self) -> None:
        first, second, key = case(account("acct_harbour")), case(), uuid.uuid4()
        decided(first, key=key)

        with pytest.raises(SentBeforeError, match="acct_harbour"):
            decided(second, key=key)

    def test_after_its_decision_was_undone_is_refused(self) -> None:
        opened, key, mira = case(), uuid.uuid4(), person()
        decided(opened, by=mira, key=key)
        undo_decision(opened, note="a slip", by=mira, now=NOW)

        with pytest.raises(SentBeforeError, match="undone"):
            decided(opened, by=mira, key=key)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_decide_at_once_one_does() -> None:
    opened = case()
    people = [person(f"Reviewer{number} Okafor") for number in range(8)]

    def attempt(who: User) -> bool:
        try:
            decided(opened, by=who)
        except AlreadyDecidedError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, people))

    assert sorted(outcomes) == [False] * 7 + [True]
    assert Restriction.objects.count() == 1
