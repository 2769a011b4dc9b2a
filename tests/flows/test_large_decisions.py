"""A decision about very many accounts is put into force on all of them, and keeps no other one waiting for long."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction

from accounts.models import Account, Organisation
from governance.audit.actions import take_turn
from governance.audit.queries import faults
from governance.enforcement.models import Restriction
from governance.review import actions, carrying_out, reach, undoing
from governance.review.actions import decide, lift_restriction
from governance.review.carrying_out import carry_out_decisions
from governance.review.models import Case, Decision
from governance.review.undoing import undo_decision
from governance.review.verdicts import Verdict
from governance.risk.models import Campaign, CampaignMember
from tests.factories import NOW, account, case, person
from tests.review.pages import address, signed_in, text
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PORTION = 20
SIZE = 2 * PORTION + 10
BLOCK_ALL = Verdict(
    action=Decision.Action.BLOCK, reason=Decision.Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.CAMPAIGN
)
BLOCK_COMPANY = Verdict(
    action=Decision.Action.BLOCK, reason=Decision.Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.ORGANISATION
)
DISMISS = Verdict(action=Decision.Action.DISMISS, reason=Decision.Reason.EXPECTED_USE)


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (actions, carrying_out, reach, undoing):
        monkeypatch.setattr(module, "PORTION", PORTION)


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
    own, other = case_of("acct_0049"), case_of("acct_0048")

    decision = block_all(own)
    at_once, covered = blocked(), Restriction.objects.filter(account=own.account).exists()
    carry_out_decisions(now=NOW + timedelta(seconds=5))

    assert (at_once, covered) == (PORTION, True)
    assert blocked() == SIZE
    other.refresh_from_db()
    assert (other.status, other.resolved_by) == (Case.Status.DECIDED, decision)
    assert not Decision.objects.unfinished().exists()
    assert not any(faults())


def test_is_done_once_however_often_it_is_carried_out(campaign: Campaign) -> None:
    block_all(case_of("acct_0000"))

    for _ in range(3):
        carry_out_decisions(now=NOW)

    assert Restriction.objects.count() == SIZE


def test_goes_on_where_it_was_cut_off(campaign: Campaign) -> None:
    decision = block_all(case_of("acct_0000"))
    carrying_out._carry_out_some(decision.pk, now=NOW)
    half = blocked()

    carry_out_decisions(now=NOW)

    assert (half, blocked()) == (2 * PORTION, SIZE)


def test_restricts_nobody_who_joined_later(campaign: Campaign) -> None:
    block_all(case_of("acct_0000"))
    late = account("acct_late")
    campaign.members.create(account=late, joined_at=NOW + timedelta(seconds=1), tied_to=9, strength=1.0, ties={})

    carry_out_decisions(now=NOW + timedelta(seconds=5))

    assert not Restriction.objects.filter(account=late).exists()


@pytest.mark.parametrize("end", ["undo", "dismiss", "lift"])
def test_ends_for_all_where_it_does_not_stand_any_more(campaign: Campaign, end: str) -> None:
    own = case_of("acct_0000")
    decision, soon = block_all(own), NOW + timedelta(minutes=1)
    carrying_out._carry_out_some(decision.pk, now=NOW)

    if end == "undo":
        undo_decision(own, note="A slip.", by=person(), now=soon)
    elif end == "lift":
        made = Restriction.objects.get(decision=decision)
        lift_restriction(own, made, note="Enough.", by=person(), now=soon, everywhere=True)
    else:
        again = case(own.account)
        decide(again, DISMISS, decision_id=uuid.uuid4(), by=person(), now=soon)
    carry_out_decisions(now=soon + timedelta(seconds=5))

    assert blocked() == 0
    assert not Decision.objects.unfinished().exists()


def test_is_undone_portion_by_portion(campaign: Campaign) -> None:
    own, soon = case_of("acct_0000"), NOW + timedelta(minutes=1)
    throttle = Verdict(
        action=Decision.Action.THROTTLE, reason=Decision.Reason.COORDINATED_ACCOUNTS, scope=Decision.Scope.CAMPAIGN,
        requests_per_minute=5,
    )  # fmt: skip
    decide(own, throttle, decision_id=uuid.uuid4(), by=person(), now=NOW)
    carry_out_decisions(now=NOW)
    again = case(own.account)
    block_all(again)
    carry_out_decisions(now=NOW)

    undo_decision(again, note="A slip.", by=person(), now=soon)
    at_once = blocked()
    carry_out_decisions(now=soon)

    assert (at_once, blocked()) == (SIZE - PORTION, 0)
    assert Restriction.objects.filter(ended_at=None, kind=Restriction.Kind.THROTTLE).count() == SIZE
    assert not Decision.objects.unfinished().exists()
    assert not any(faults())


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

        portions = carry_out_decisions(now=NOW)

        assert Restriction.objects.get().organisation == Organisation.objects.get()
        assert (at_once, portions, self.open_cases()) == (SIZE - 1 - PORTION, 2, 0)
        assert decision.resolved_cases.count() == SIZE - 1
        assert not Decision.objects.unfinished().exists()
        assert not any(faults())

    def test_leaves_a_case_alone_that_was_opened_since(self) -> None:
        self.decide()
        late = case(account("acct_late", organisation="org_quay"))
        Case.objects.filter(pk=late.pk).update(opened_at=NOW + timedelta(seconds=1))

        carry_out_decisions(now=NOW + timedelta(seconds=5))

        assert [one.pk for one in Case.objects.waiting()] == [late.pk]

    def test_opens_them_portion_by_portion_when_it_is_undone(self) -> None:
        self.decide()
        carry_out_decisions(now=NOW)

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        at_once = self.open_cases()
        carry_out_decisions(now=NOW)

        assert (at_once, self.open_cases()) == (PORTION + 1, SIZE)
        assert not Decision.objects.unfinished().exists()
        assert not any(faults())

    def test_opens_those_again_that_it_closed_when_it_is_undone_before_its_end(self) -> None:
        self.decide()

        undo_decision(self.own, note="A slip.", by=self.reviewer, now=NOW)
        carry_out_decisions(now=NOW)

        assert self.open_cases() == SIZE

    def test_opens_them_portion_by_portion_when_another_decision_follows(self) -> None:
        self.decide()
        carry_out_decisions(now=NOW)
        again = actions.reopen(self.own, by=self.reviewer, now=NOW)

        decide(again, DISMISS, decision_id=uuid.uuid4(), by=self.reviewer, now=NOW + timedelta(minutes=1))
        at_once = self.open_cases()
        carry_out_decisions(now=NOW + timedelta(minutes=1))

        assert (at_once, self.open_cases(), blocked()) == (0, SIZE - 1, 0)

    def test_says_how_far_it_is_until_it_is_done(self) -> None:
        self.decide()
        before = self.page()

        carry_out_decisions(now=NOW)

        assert f"Not finished yet: {PORTION} of {SIZE - 1} open cases are closed." in before
        assert "every 2s" in before
        assert "Not finished" not in self.page()


def test_says_on_the_page_on_how_many_it_is_in_force_until_it_is_on_all(campaign: Campaign) -> None:
    own, reviewer = case_of("acct_0000"), person()
    decision = block_all(own)

    def page() -> str:
        return text(signed_in(reviewer).get(address(own)))

    at_once = page()
    carrying_out._carry_out_some(decision.pk, now=NOW)
    later = page()
    carry_out_decisions(now=NOW)

    assert f"Not finished yet: {PORTION} of {SIZE} accounts are restricted." in at_once
    assert f"Not finished yet: {2 * PORTION} of {SIZE} accounts are restricted." in later
    assert "Not finished" not in page()


def test_takes_its_turn_among_others_after_each_portion(campaign: Campaign) -> None:
    """While another transaction holds the log a portion waits; then both get on, one after the other."""
    block_all(case_of("acct_0000"))
    solo = case(account("acct_solo"))
    verdict = Verdict(action=Decision.Action.BLOCK, reason=Decision.Reason.BULK_HARVEST)
    done: list[str] = []

    def rest() -> None:
        carry_out_decisions(now=NOW)
        done.append("rest")
        connections.close_all()

    def single() -> None:
        decide(solo, verdict, decision_id=uuid.uuid4(), by=person("Jonas Lind"), now=NOW)
        done.append("single")
        connections.close_all()

    rest_of_it, other = threading.Thread(target=rest), threading.Thread(target=single)
    with transaction.atomic():
        take_turn()
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
