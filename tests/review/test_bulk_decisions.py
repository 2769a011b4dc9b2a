"""A decision about many accounts is many ordinary decisions: what can be decided is, and the rest says why not."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Account
from governance.audit.models import Entry
from governance.audit.queries import iter_chain_checks
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Restriction
from governance.review.actions import claim, decide
from governance.review.bulk import unfinished
from governance.review.bulk.actions import BulkSentBeforeError, NoSuchAccountsError
from governance.review.models import BulkDecision, Case, Decision, Step
from governance.review.opening_by_hand import NotAssessedError
from governance.review.staff_ceilings import DISMISSED, get_staff_ceilings
from governance.review.verdicts import PartOfCampaignError
from tests.factories import NOW, account, assessment, campaign_case, case, person, restriction
from tests.review.bulk import carry_on, five_with_cases, started, states
from tests.review.deciding import BLOCK, DISMISS, decided

pytestmark = pytest.mark.django_db


@pytest.fixture
def five() -> list[Account]:
    return five_with_cases()


class TestEachAccount:
    def test_gets_a_decision_of_its_own_as_by_hand(self, five: list[Account]) -> None:
        mira = person()
        bulk = started(five, by=mira)

        carry_on()

        made = Decision.objects.select_related("case", "restriction")
        assert {one.case.account_id for one in made} == {one.pk for one in five}
        assert {(one.action, one.reason, one.terms_clause, one.note, one.decided_by) for one in made} == {
            ("block", BLOCK.reason, "2.3", "Clear.", mira)
        }
        assert Restriction.objects.filter(ended_at=None, kind="block").count() == 5
        assert {state for state, _ in states(bulk).values()} == {"decided"}
        bulk.refresh_from_db()
        assert not bulk.is_unfinished

    def test_keeps_limits_features_and_the_duration(self, five: list[Account]) -> None:
        throttle = replace(BLOCK, action=RestrictionKind.THROTTLE, requests_per_minute=7, tokens_per_minute=900)
        suspend = replace(BLOCK, action=RestrictionKind.SUSPEND, lasts=timedelta(days=7))
        withhold = replace(BLOCK, action=RestrictionKind.WITHHOLD, withheld=["logprobs"])

        for one, verdict in zip(five, (throttle, suspend, withhold), strict=False):
            started([one], verdict)
        carry_on(at=NOW)

        kinds: dict[str, Any] = {one.kind: one for one in Restriction.objects.all()}
        assert (kinds["throttle"].requests_per_minute, kinds["throttle"].tokens_per_minute) == (7, 900)
        assert kinds["suspend"].expires_at == NOW + timedelta(days=7)
        assert kinds["withhold"].withheld == ["logprobs"]

    def test_loses_what_was_in_force_to_the_new_decision(self, five: list[Account]) -> None:
        decided(Case.objects.get(account=five[0]), replace(BLOCK, action=RestrictionKind.WARN))
        again = case(five[0])

        started(five)
        carry_on()

        again.refresh_from_db()
        assert again.status == Case.Status.DECIDED
        assert Restriction.objects.get(kind="warn").ending == Restriction.Ending.REPLACED

    def test_without_a_case_has_one_opened_and_decided(self) -> None:
        quiet = account("acct_quiet")
        assessment(quiet, score=12, band="low")

        bulk = started([quiet])
        carry_on()

        opened = Case.objects.get(account=quiet)
        assert states(bulk) == {"acct_quiet": ("decided", "")}
        assert (opened.status, opened.score) == (Case.Status.DECIDED, 12)
        assert opened.steps.filter(kind=Step.Kind.OPENED, text__startswith="Opened for a decision about").exists()

    def test_leaves_an_entry_and_so_does_the_whole(self, five: list[Account]) -> None:
        bulk = started(five)
        carry_on()

        whole = Entry.objects.get(verb="bulk.decided")
        assert (whole.subject_kind, whole.subject_id) == ("bulk", str(bulk.pk))
        assert whole.details["accounts"] == [one.external_id for one in five]
        assert Entry.objects.filter(verb="case.decided").count() == 5
        assert not any(iter_chain_checks())

    def test_that_is_dismissed_counts_as_let_off_for_policies(self, five: list[Account]) -> None:
        started(five, DISMISS)
        carry_on()

        ceilings = get_staff_ceilings([one.assessments.get() for one in five])

        assert {one.because for one in ceilings.values()} == {DISMISSED}
        assert len(ceilings) == 5


class TestAnAccountIsSkipped:
    """And takes none of its neighbours along."""

    def carried_on(self, five: list[Account], bulk: BulkDecision, *, because: str) -> None:
        carry_on()
        found = states(bulk)
        assert found.pop(five[2].external_id) == ("skipped", because)
        assert {state for state, _ in found.values()} == {"decided"}
        assert not Restriction.objects.filter(account=five[2], origin__startswith="decision:", kind="block").exists()

    def test_which_somebody_else_has_claimed(self, five: list[Account]) -> None:
        claim(Case.objects.get(account=five[2]), by=person("Jonas Lind"), now=NOW)

        self.carried_on(five, started(five), because="Jonas Lind is working on this case.")

    def test_which_somebody_decided_after_the_preview(self, five: list[Account]) -> None:
        bulk = started(five)
        decided(Case.objects.get(account=five[2]), DISMISS, by=person("Jonas Lind"))

        self.carried_on(five, bulk, because="Jonas Lind decided on it since: dismissed.")

    def test_which_somebody_decided_after_the_preview_though_it_has_another_case(self, five: list[Account]) -> None:
        bulk = started(five)
        decided(Case.objects.get(account=five[2]), DISMISS, by=person("Jonas Lind"))
        case(five[2])

        self.carried_on(five, bulk, because="Jonas Lind decided on it since: dismissed.")

    def test_whose_organisation_somebody_decided_about_after_the_preview(self) -> None:
        names = ("acct_dock", "acct_pier")
        first, second = (case(account(name, organisation="org_quay")).own_account for name in names)
        bulk = started([second], DISMISS)

        of_all = replace(BLOCK, scope=Decision.Scope.ORGANISATION)
        decide(first.cases.get(), of_all, decision_id=uuid.uuid4(), by=person("Jonas Lind"), now=NOW)
        carry_on()

        assert states(bulk) == {"acct_pier": ("skipped", "Jonas Lind decided on it since: blocked.")}
        assert second.cases.count() == 1

    def test_which_is_part_of_the_case_of_its_campaign(self, five: list[Account]) -> None:
        # Which the account has left, or never belonged to, so that its case alone says so.
        whole = campaign_case(account(), account())
        Case.objects.filter(account=five[2]).update(part_of=whole)

        self.carried_on(five, started(five), because=str(PartOfCampaignError()))

    def test_whose_campaign_has_a_case_though_its_own_joins_it_later(self, five: list[Account]) -> None:
        campaign_case(five[2], account())

        self.carried_on(five, started(five), because=str(PartOfCampaignError()))

    def test_which_was_never_scored(self, five: list[Account]) -> None:
        five[2] = account("acct_new")

        self.carried_on(five, started(five), because=str(NotAssessedError()))

    def test_which_fails_three_times(self, five: list[Account], monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse_one(case: Case, *args: Any, **kwargs: Any) -> Decision:
            if case.account_id == five[2].pk:
                raise ValueError
            return decide(case, *args, **kwargs)

        monkeypatch.setattr(unfinished, "decide", refuse_one)
        bulk = started(five)
        carry_on()
        assert states(bulk)["acct_dune"][0] == "waiting"
        carry_on()

        self.carried_on(five, bulk, because=unfinished.FAILED)
        bulk.refresh_from_db()
        assert not bulk.is_unfinished


class TestAnAccountIsNotSkipped:
    def test_which_the_same_person_has_claimed(self, five: list[Account]) -> None:
        mira = person()
        claim(Case.objects.get(account=five[2]), by=mira, now=NOW)

        bulk = started(five, by=mira)
        carry_on()

        assert {state for state, _ in states(bulk).values()} == {"decided"}

    def test_which_was_decided_before_the_preview(self, five: list[Account]) -> None:
        decided(Case.objects.get(account=five[2]), DISMISS)
        case(five[2])

        bulk = started(five)
        carry_on()

        assert {state for state, _ in states(bulk).values()} == {"decided"}

    def test_which_another_machine_restricts(self, five: list[Account]) -> None:
        restriction(five[2], Restriction.Kind.WARN)

        bulk = started(five)
        carry_on()

        assert {state for state, _ in states(bulk).values()} == {"decided"}


class TestSentTwice:
    def test_it_is_stored_once(self, five: list[Account]) -> None:
        key, mira = uuid.uuid4(), person()

        first, second = started(five, by=mira, key=key), started(five, by=mira, key=key)
        carry_on()
        carry_on()

        assert first == second
        assert Decision.objects.count() == 5
        assert Entry.objects.filter(verb="bulk.decided").count() == 1

    def test_with_an_account_that_does_not_exist_and_a_scope_it_is_the_same(self, five: list[Account]) -> None:
        key, mira = uuid.uuid4(), person()
        asked, verdict = [*five, Account(pk=10**9)], replace(BLOCK, scope=Decision.Scope.ORGANISATION)

        first, second = (started(asked, verdict, by=mira, key=key) for _ in range(2))

        assert first == second
        assert first.targets.count() == len(five)

    def test_about_nobody_who_exists_stores_nothing(self) -> None:
        with pytest.raises(NoSuchAccountsError):
            started([Account(pk=10**9)])

        assert not BulkDecision.objects.exists()
        assert not Entry.objects.filter(verb="bulk.decided").exists()

    @pytest.mark.parametrize("change", ["verdict", "accounts", "user"])
    def test_with_another_choice_it_says_so(self, five: list[Account], change: str) -> None:
        key, mira = uuid.uuid4(), person()
        started(five, by=mira, key=key)

        with pytest.raises(BulkSentBeforeError):
            started(
                five[1:] if change == "accounts" else five,
                DISMISS if change == "verdict" else BLOCK,
                by=person("Jonas Lind") if change == "user" else mira,
                key=key,
            )

    def test_carried_out_again_nothing_is_made_twice(self, five: list[Account]) -> None:
        bulk = started(five)
        carry_on()
        before = set(Decision.objects.values_list("pk", flat=True))
        # As if the worker had been killed before the row of the account was stored.
        bulk.targets.update(state="waiting", decision=None)
        BulkDecision.objects.update(is_unfinished=True, seen=10**9)

        carry_on()

        assert {state for state, _ in states(bulk).values()} == {"decided"}
        assert before == {bulk.key_of(one.pk) for one in five}
        assert set(Decision.objects.values_list("pk", flat=True)) == before
