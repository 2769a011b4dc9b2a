"""Restrictions by policy: in the shadow first, within caps, stopped by a switch, once."""

from typing import Any

import pytest

from accounts.models import Account, Organisation
from governance.audit.models import Entry
from governance.gateways.check import sql
from governance.policies.models import PolicyOutcome, PolicyVersion
from governance.policies.versions import go_live, propose, retire
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.restrictions.names import Target
from governance.restrictions.queries import access, find_strongest_kinds
from tests.factories import (
    MACHINE,
    NOW,
    account,
    api_key,
    campaign_of,
    case,
    findings,
    restriction,
    training_licence,
)
from tests.policies.outcomes import BLOCK, HOUR, State, apply_outcomes, evaluate, lead, live, outcome_for, suspect

pytestmark = pytest.mark.django_db


class TestAPolicyInTheShadow:
    def test_says_what_it_would_do_and_does_nothing(self) -> None:
        propose(BLOCK, by=lead(), now=NOW)

        outcome = outcome_for(account("acct_harbour"))

        assert (outcome.state, outcome.kind, outcome.rule) == (State.SHADOW, "block", "Critical")
        assert apply_outcomes(after=HOUR) == 0
        assert access(account="acct_harbour", now=NOW).allowed


class TestALivePolicy:
    def test_is_retired_once(self) -> None:
        policy, jonas = live(), lead()

        for _ in range(2):
            retire(policy, by=jonas, now=NOW)

        assert PolicyVersion.objects.get().state == PolicyVersion.State.RETIRED
        assert Entry.objects.filter(verb="policy.retired").count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_waits_for_a_scoring_that_has_the_same_account_in_hand(self) -> None:
        live()
        outcome_for(account("acct_harbour"))
        with sql.connect() as scoring, scoring.transaction():
            scoring.execute("SELECT FROM policies_policyoutcome FOR UPDATE")
            meanwhile = apply_outcomes()

        assert (meanwhile, apply_outcomes()) == (0, 1)

    def test_restricts_and_names_itself_and_who_approved_it(self) -> None:
        live()
        outcome_for(account("acct_harbour"))

        assert apply_outcomes() == 1
        made = Restriction.objects.get()
        assert (made.author, made.approver) == ("system:policy 1", "Jonas Lindqvist")
        assert not access(account="acct_harbour", now=NOW).allowed
        assert Entry.objects.filter(verb="restriction.created", actor_name="policy 1").exists()

    def test_acts_once_on_an_account_however_often_it_is_scored(self) -> None:
        live()
        harbour = account()
        outcome_for(harbour)
        apply_outcomes()
        lift(Restriction.objects.get(), note="Appeal granted.", by=MACHINE, now=NOW)
        evaluate(suspect(harbour), at=NOW + HOUR)

        assert apply_outcomes(after=HOUR) == 0

    def test_leaves_alone_whom_no_person_is_to_look_at(self) -> None:
        live()

        evaluate(suspect(account(), response="nothing"), suspect(account(), licensed=True))

        assert not PolicyOutcome.objects.exists()

    def test_sees_the_size_of_a_campaign(self) -> None:
        live(BLOCK.replace("bands", "campaign_size = 2\nbands"))
        campaign = campaign_of(member := account(), account())

        evaluate(suspect(member, campaign=campaign.pk), suspect(account()))

        assert PolicyOutcome.objects.get().account == member

    def test_waits_as_long_as_it_says(self) -> None:
        live(BLOCK.replace("[[rule]]", "delay_minutes = [60, 120]\n[[rule]]"))
        outcome = outcome_for(account())

        assert outcome.due_at == NOW + 1.5 * HOUR
        assert [apply_outcomes(after=HOUR), apply_outcomes(after=2 * HOUR)] == [0, 1]


class TestALivePolicyThatWasInTheShadow:
    def test_plans_once_whom_it_fits_already(self) -> None:
        policy = propose(BLOCK, by=lead("Ada Moreau"), now=NOW)
        evaluate(suspect(account("acct_seen")))
        suspect(account("acct_scored_before"))
        suspect(account("acct_calm"), band="high")
        go_live(policy, by=lead(), now=NOW, early_because="An incident.")

        assert (apply_outcomes(), apply_outcomes()) == (2, 0)
        assert set(Restriction.objects.values_list("account__external_id", flat=True)) == {
            "acct_seen",
            "acct_scored_before",
        }

    def test_keeps_what_it_saw_in_the_shadow_apart(self) -> None:
        policy = propose(BLOCK, by=lead("Ada Moreau"), now=NOW)
        evaluate(suspect(account()))
        go_live(policy, by=lead(), now=NOW, early_because="An incident.")
        apply_outcomes()

        assert set(PolicyOutcome.objects.values_list("state", flat=True)) == {State.SHADOW, State.DONE}

    def test_judges_by_the_newest_assessment(self) -> None:
        policy = propose(BLOCK, by=lead("Ada Moreau"), now=NOW)
        evaluate(suspect(harbour := account()))
        suspect(harbour, at=NOW + HOUR, score=60, band="elevated")
        go_live(policy, by=lead(), now=NOW, early_because="An incident.")

        assert apply_outcomes(after=HOUR) == 0


class TestTheKindsOfEvidence:
    @pytest.mark.parametrize(
        ("action", "families", "done"),
        [
            ("block", ["content", "shape"], 0),
            ("suspend", ["content", "content"], 0),
            ("block", ["content", "shape", "together"], 1),
            ("verify", ["content"], 1),
        ],
    )
    def test_must_be_three_before_access_is_refused(self, action: str, families: list[str], done: int) -> None:
        live(BLOCK.replace('"block"', f'"{action}"' + ("\ndays = 7" if action == "suspend" else "")))
        outcome = outcome_for(account(), findings=findings(*families))

        assert apply_outcomes() == done
        outcome.refresh_from_db()
        assert ("kinds of evidence" in outcome.because) is (done == 0)

    def test_are_counted_again_when_it_is_due(self) -> None:
        live()
        outcome_for(harbour := account())
        suspect(harbour, at=NOW + HOUR, findings=findings("content", "shape"))

        assert apply_outcomes(after=HOUR) == 0
        assert "kinds of evidence" in PolicyOutcome.objects.get().because

    def test_count_only_what_speaks_against_the_account(self) -> None:
        live()
        outcome_for(account(), findings=[*findings("content", "shape"), findings("harmless")[0] | {"points": -9}])

        assert apply_outcomes() == 0


class TestWhatWasDropped:
    def test_is_planned_when_nothing_stands_against_it_any_more(self) -> None:
        live()
        outcome_for(harbour := account("acct_harbour"), findings=findings("content", "shape"))
        evaluate(suspect(harbour, at=NOW + HOUR), at=NOW + HOUR)

        assert apply_outcomes(after=HOUR) == 1
        assert PolicyOutcome.objects.get().state == State.DONE

    def test_is_planned_when_a_licence_has_ended(self) -> None:
        live()
        outcome_for(harbour := account())
        training_licence(harbour, ends_at=NOW + HOUR)
        dropped = apply_outcomes()
        evaluate(suspect(harbour, at=NOW + 2 * HOUR), at=NOW + 2 * HOUR)

        assert (dropped, apply_outcomes(after=2 * HOUR)) == (0, 1)

    def test_is_planned_when_what_was_in_force_has_expired(self) -> None:
        live()
        outcome_for(harbour := account())
        restriction(harbour, until=NOW + HOUR)
        dropped = apply_outcomes()
        evaluate(suspect(harbour, at=NOW + 2 * HOUR), at=NOW + 2 * HOUR)

        assert (dropped, apply_outcomes(after=2 * HOUR)) == (0, 1)


class TestWhatIsDueIsDroppedWhere:
    @pytest.fixture
    def harbour(self) -> Account:
        live()
        outcome_for(harbour := account("acct_harbour"))
        return harbour

    def dropped(self) -> str:
        assert apply_outcomes(after=HOUR) == 0
        return PolicyOutcome.objects.get(state=State.DROPPED).because

    def test_the_policy_retired(self, harbour: Account) -> None:
        retire(PolicyVersion.objects.get(), by=lead(), now=NOW)

        assert "no longer live" in self.dropped()

    def test_the_account_got_a_licence(self, harbour: Account) -> None:
        training_licence(harbour)

        assert "licence" in self.dropped()

    def test_no_rule_fits_any_more(self, harbour: Account) -> None:
        suspect(harbour, at=NOW + HOUR, band="high")

        assert "No rule" in self.dropped()

    def test_a_person_need_not_look_any_more(self, harbour: Account) -> None:
        suspect(harbour, at=NOW + HOUR, response="nothing")

        assert "No rule" in self.dropped()

    @pytest.mark.parametrize("on", ["account", "key", "organisation"])
    def test_something_as_strong_is_in_force(self, on: str) -> None:
        live()
        harbour = account("acct_harbour", organisation="org_harbour")
        outcome_for(harbour)
        targets: dict[str, Target] = {"account": harbour, "key": api_key(harbour)}
        restriction((targets | {"organisation": Organisation.objects.get()})[on])

        assert "stronger restriction" in self.dropped()

    def test_staff_has_let_the_account_go(self, harbour: Account) -> None:
        from_staff = case(harbour)
        from_staff.decisions.create(
            id="00000000-0000-4000-8000-000000000001",
            assessment=from_staff.assessment,
            action="dismiss",
            reason="evaluation",
            decided_at=NOW + HOUR / 2,
            decided_by=lead("Mira Okafor"),
        )

        assert "dismissed the case" in self.dropped()


def test_what_is_in_force_is_asked_once_for_all_that_are_due(django_assert_num_queries: Any) -> None:
    accounts = [account("acct_mild"), account("acct_blocked", organisation="org_a"), account("acct_free")]
    restriction(accounts[0], Restriction.Kind.THROTTLE, requests_per_minute=5)
    restriction(Organisation.objects.get())

    with django_assert_num_queries(1):
        found = find_strongest_kinds(accounts, now=NOW)

    assert {one.external_id: found.get(one.pk) for one in accounts} == {
        "acct_mild": "throttle",
        "acct_blocked": "block",
        "acct_free": None,
    }
