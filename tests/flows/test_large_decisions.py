"""A decision about very many accounts is put into force on all of them, and keeps no other one waiting for long."""

import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.models import Account, Organisation
from governance.audit.actions import audit_log_lock
from governance.audit.queries import iter_chain_checks
from governance.campaigns.models import Campaign, CampaignMember
from governance.restrictions import names, publication
from governance.restrictions.actions import campaign_accounts, lift, lift_campaign, restrict_campaign, supersede
from governance.restrictions.kinds import RestrictionKind
from governance.restrictions.models import Change, Restriction
from governance.restrictions.names import find_outdated_numbers
from governance.restrictions.publication import cover_new_names
from governance.restrictions.queries import last_number
from governance.restrictions.reasons import Reason
from governance.restrictions.serializers import restriction_as_json
from governance.restrictions.terms import Terms
from governance.review import actions, decision_targets, undo, unfinished_decisions
from governance.review.actions import decide, lift_restriction
from governance.review.decision_targets import progress_of
from governance.review.models import Action, Case, Decision, Dismissal
from governance.review.undo import undo_decision
from governance.review.unfinished_decisions import apply_unfinished_decisions
from governance.review.verdicts import CannotUndoError, Verdict
from governance.staff.models import User
from tests.factories import MACHINE, NOW, account, api_key, case, person, restriction
from tests.flows.following import Follower
from tests.flows.registered import Seller
from tests.flows.worker import running_worker
from tests.front import Served, served
from tests.review.pages import address, signed_in, text
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BATCH_SIZE = 4
SIZE = 2 * BATCH_SIZE + 2
LAST = f"acct_{SIZE - 1:04}"
BLOCK_ALL = Verdict(action=RestrictionKind.BLOCK, reason=Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.CAMPAIGN)
BLOCK_COMPANY = Verdict(
    action=RestrictionKind.BLOCK, reason=Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.ORGANISATION
)
STILL_TELLING = "gateways have not received all of its accounts yet"
DISMISS = Verdict(action=Dismissal.DISMISS, reason=Reason.EXPECTED_USE)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actions, decision_targets, undo, unfinished_decisions):
        monkeypatch.setattr(module, "BATCH_SIZE", BATCH_SIZE)


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


def case_of(name: str) -> Case:
    return case(Account.objects.get(external_id=name))


def block_all(opened: Case) -> Decision:
    return decide(opened, BLOCK_ALL, decision_id=uuid.uuid4(), by=person(), now=NOW)


def blocked() -> int:
    return Restriction.objects.filter(ended_at=None, kind=Restriction.Kind.BLOCK).count()


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
    short = restriction(own.account, at=soon, until=NOW + timedelta(days=1))

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


class TestAboutAnOrganisationWithManyCases:
    @pytest.fixture(autouse=True)
    def _cases(self) -> None:
        for number in range(SIZE):
            case(account(f"acct_{number:04}", organisation="org_quay"))
        self.own = Case.objects.get(account__external_id="acct_0000")
        self.reviewer = person()

    def decide(self) -> Decision:
        return decide(self.own, BLOCK_COMPANY, decision_id=uuid.uuid4(), by=self.reviewer, now=NOW)

    @staticmethod
    def open_cases() -> int:
        return Case.objects.filter(status=Case.Status.OPEN).count()

    def page(self) -> str:
        return text(signed_in(self.reviewer).get(address(self.own)))

    def test_is_in_force_at_once_and_closes_them_portion_by_portion(self) -> None:
        decision = self.decide()
        at_once = self.open_cases()

        portions = apply_unfinished_decisions(now=NOW)

        assert Restriction.objects.get().organisation == Organisation.objects.get()
        assert (at_once, portions, self.open_cases()) == (SIZE - 1 - BATCH_SIZE, 2, 0)
        assert decision.resolved_cases.count() == SIZE - 1
        assert not Decision.objects.unfinished().exists()
        assert not any(iter_chain_checks())

    def test_leaves_a_case_alone_that_was_opened_since(self) -> None:
        self.decide()
        late = case(account("acct_late", organisation="org_quay"))
        Case.objects.filter(pk=late.pk).update(opened_at=NOW + timedelta(seconds=1))

        apply_unfinished_decisions(now=NOW + timedelta(seconds=5))

        assert [one.pk for one in Case.objects.waiting()] == [late.pk]

    def test_opens_them_portion_by_portion_when_it_is_undone(self) -> None:
        self.decide()
        apply_unfinished_decisions(now=NOW)

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        at_once = self.open_cases()
        apply_unfinished_decisions(now=NOW)

        assert (at_once, self.open_cases()) == (BATCH_SIZE + 1, SIZE)
        assert not Decision.objects.unfinished().exists()
        assert not any(iter_chain_checks())

    def test_opens_those_again_that_it_closed_when_it_is_undone_before_its_end(self) -> None:
        self.decide()

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        apply_unfinished_decisions(now=NOW)

        assert self.open_cases() == SIZE

    def test_leaves_one_closed_that_was_decided_since_by_a_clock_behind_when_it_is_undone(self) -> None:
        self.decide()
        apply_unfinished_decisions(now=NOW)
        again = actions.reopen(Case.objects.get(account__external_id="acct_0001"), by=self.reviewer, now=NOW)
        behind = NOW - timedelta(seconds=10)
        decide(again, DISMISS, decision_id=uuid.uuid4(), by=self.reviewer, now=behind)

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        apply_unfinished_decisions(now=NOW)

        assert self.open_cases() == SIZE - 1
        assert not Case.objects.waiting().filter(account__external_id="acct_0001").exists()

    def test_closes_no_more_of_them_where_it_is_lifted(self) -> None:
        decision = self.decide()
        lift(Restriction.objects.get(decision=decision), note="Enough.", by=MACHINE, now=NOW)

        apply_unfinished_decisions(now=NOW)

        assert self.open_cases() == SIZE - 1 - BATCH_SIZE

    def test_opens_them_portion_by_portion_when_another_decision_follows(self) -> None:
        self.decide()
        apply_unfinished_decisions(now=NOW)
        again = actions.reopen(self.own, by=self.reviewer, now=NOW)

        decide(again, DISMISS, decision_id=uuid.uuid4(), by=self.reviewer, now=NOW + timedelta(minutes=1))
        at_once = self.open_cases()
        apply_unfinished_decisions(now=NOW + timedelta(minutes=1))

        assert (at_once, self.open_cases(), blocked()) == (0, SIZE - 1, 0)

    def test_says_how_far_it_is_until_it_is_done(self) -> None:
        self.decide()
        before = self.page()

        apply_unfinished_decisions(now=NOW)

        assert f"In progress: {BATCH_SIZE} of {SIZE - 1} open cases closed." in before
        assert "every 2s" in before
        assert "In progress" not in self.page()


class TestOnAnOrganisationWithManyAccounts:
    """Gateways are sent a portion of its accounts at once, and the others portion by portion."""

    @pytest.fixture(autouse=True)
    def _small_batches_of_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(names, "ACCOUNTS_AT_ONCE", BATCH_SIZE)

    @pytest.fixture
    def front(self, transactional_db: None) -> Iterator[Served]:
        with served() as one:
            yield one

    @pytest.fixture
    def company(self, front: Served) -> Organisation:
        members = [account(f"acct_{number:04}", organisation="org_quay") for number in range(SIZE)]
        for one in members:
            api_key(one, f"key_{one.external_id}")
        front.check(account="acct_0000")  # a gateway asks, so that the page has something to say
        return Organisation.objects.get()

    @staticmethod
    def refused(front: Served) -> int:
        """Of its accounts, and their keys: as many of the one as of the other."""
        asked = [(f"acct_{number:04}", f"key_acct_{number:04}") for number in range(SIZE)]
        by_account = [front.check(account=one)["decision"] for one, _ in asked]
        by_key = [front.check(api_key=key)["decision"] for _, key in asked]
        assert by_account == by_key
        return by_account.count("deny")

    def test_is_in_force_on_a_batch_at_once_and_on_all_once_all_are_published(
        self, front: Served, company: Organisation
    ) -> None:
        own, reviewer = case_of("acct_0000"), person()
        decide(own, BLOCK_COMPANY, decision_id=uuid.uuid4(), by=reviewer, now=timezone.now())
        wait_until(lambda: self.refused(front) == BATCH_SIZE, "a portion is refused")
        wait_until(lambda: STILL_TELLING in self.page(own, reviewer), "the page says that it is not in force on all")

        cover_new_names(now=timezone.now())

        wait_until(lambda: self.refused(front) == SIZE, "all are refused")
        wait_until(lambda: STILL_TELLING not in self.page(own, reviewer), "the page says that it is in force")
        sizes = [self.told_accounts(change) for change in Change.objects.order_by("number")]
        assert sizes == [BATCH_SIZE, BATCH_SIZE, SIZE - 2 * BATCH_SIZE]

    def test_is_late_on_every_page_where_no_worker_tells_of_the_rest(
        self, front: Served, company: Organisation
    ) -> None:
        made = restriction(company, at=timezone.now() - timedelta(minutes=10))
        assert front.knows(made.number)
        front.front.telemetry.flush()
        reviewer = signed_in(person())

        banner, page = (text(reviewer.get(f"/enforcement/{place}")) for place in ("alarm/", ""))

        assert "Some decisions are not yet in force at <b>litellm</b>" in banner
        assert "It has not received all accounts of a restricted organisation yet." in page
        cover_new_names(now=timezone.now() - timedelta(minutes=9))
        assert front.knows(last_number())
        front.front.telemetry.flush()
        assert "Some decisions" not in text(reviewer.get("/enforcement/alarm/"))

    def test_says_by_which_change_it_is_in_force_on_all(
        self, front: Served, company: Organisation, tmp_path: Path
    ) -> None:
        body = {"organisation": company.external_id, "kind": "block", "reason": "bulk_harvest"}
        seller = Seller(tmp_path)

        at_once = seller._post("/api/v1/restrictions", body, 201)
        before = front.check(account=LAST, min_sequence=at_once["sequence"])["decision"]
        cover_new_names(now=timezone.now())
        later = restriction_as_json(Restriction.objects.get())

        assert (at_once["published_in_full_by"], before) == (None, "allow")
        assert front.check(account=LAST, min_sequence=later["published_in_full_by"])["decision"] == "deny"

    @pytest.mark.parametrize("came", ["an account joined", "the account got a key"])
    def test_is_not_yet_in_force_on_what_came_since_until_it_is_published(
        self, front: Served, company: Organisation, came: str
    ) -> None:
        own, reviewer = account("acct_late"), person()
        opened = case(own)
        if came == "the account got a key":
            own.organisation = company
            own.save()
        restriction(company, at=timezone.now())
        cover_new_names(now=timezone.now())
        if came == "the account got a key":
            api_key(own, "key_late")
            names = {"api_key": "key_late"}
        else:
            own.organisation = company
            own.save()
            names = {"account": "acct_late"}
        assert front.knows(last_number())
        front.front.telemetry.flush()

        before, page = front.check(**names)["decision"], self.page(opened, reviewer)
        cover_new_names(now=timezone.now())
        assert front.knows(last_number())
        front.front.telemetry.flush()

        assert before == "allow"
        assert "gateways have not received all names of this account yet" in page
        assert front.check(**names)["decision"] == "deny"
        assert "would be refused at the next check by <b>litellm</b>" in self.page(opened, reviewer)

    @staticmethod
    def page(own: Case, reviewer: User) -> str:
        return text(signed_in(reviewer).get(address(own)))

    @staticmethod
    def told_accounts(change: Change) -> int:
        told = change.payload or {}
        return len((told.get("names_added") or told["names"])["account"])

    def test_is_told_of_the_rest_by_a_worker_that_is_rung(self, company: Organisation) -> None:
        restriction(company, at=timezone.now())

        with running_worker():
            wait_until(lambda: not find_outdated_numbers(), "the worker has published all names")

    @pytest.mark.parametrize("before", ["of the organisation", "of an account", "of a key"])
    def test_is_told_in_portions_too_where_it_takes_the_place_of_another(
        self, front: Served, company: Organisation, before: str
    ) -> None:
        """The other one ends at gateways once they have received all accounts: nobody is let in between the two."""
        last = Account.objects.latest("pk")
        targets: dict[str, Any] = {"of the organisation": company, "of an account": last, "of a key": last.keys.get()}
        earlier = restriction(targets[before], at=NOW)
        cover_new_names(now=NOW)
        gateway = Follower()

        made = restriction(company, Restriction.Kind.BLOCK, at=timezone.now())
        supersede(
            [earlier.number], origin="request", ending=Restriction.Ending.REPLACED, by=MACHINE, now=timezone.now()
        )
        waits = Restriction.objects.get(pk=earlier.pk).is_end_unpublished
        cover_new_names(now=timezone.now())

        assert waits
        assert gateway.follow() == []
        sizes = [self.told_accounts(change) for change in Change.objects.filter(restriction=made).order_by("number")]
        assert sizes == [BATCH_SIZE, BATCH_SIZE, SIZE - 2 * BATCH_SIZE]
        assert Change.objects.get(restriction=earlier, what=Change.What.ENDED).number == last_number()
        assert Follower().refused == gateway.refused

    def test_that_replaced_another_ends_with_it_when_it_is_lifted_meanwhile(
        self, front: Served, company: Organisation
    ) -> None:
        restriction(company, at=NOW)
        cover_new_names(now=NOW)
        made = restriction(company, at=timezone.now())

        lift(made, note="A slip.", by=MACHINE, now=timezone.now())

        wait_until(lambda: self.refused(front) == 0, "nobody is refused")

    def test_ends_for_all_while_they_are_being_published(self, front: Served, company: Organisation) -> None:
        made = restriction(company, at=timezone.now())
        [portion, *_] = names.unpublished_batches([made.number])
        publication._cover_batch([made.number], account_pks=portion[1], now=timezone.now())

        lift(made, note="A slip.", by=MACHINE, now=timezone.now())
        cover_new_names(now=timezone.now())

        wait_until(lambda: self.refused(front) == 0, "nobody is refused")


def test_says_on_the_page_on_how_many_it_is_in_force_until_it_is_on_all(campaign: Campaign) -> None:
    own, reviewer = case_of("acct_0000"), person()
    decision = block_all(own)

    def page() -> str:
        return text(signed_in(reviewer).get(address(own)))

    at_once = page()
    unfinished_decisions._apply_batch(decision.pk, now=NOW)
    later = page()
    apply_unfinished_decisions(now=NOW)

    assert f"In progress: {BATCH_SIZE} of {SIZE} accounts restricted." in at_once
    assert f"In progress: {2 * BATCH_SIZE} of {SIZE} accounts restricted." in later
    assert "In progress" not in page()


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
