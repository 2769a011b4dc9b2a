"""What a restore lost is in force again as gateways had it: by every name, with its terms, each by itself."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, ApiKey, Organisation
from governance.audit.models import Entry
from governance.gateways.epochs import resume_epoch
from governance.gateways.models import LostDecision
from governance.gateways.recovery import LostRestriction
from governance.restrictions import names
from governance.restrictions.actions import end_expired, lift, restrict_all
from governance.restrictions.models import Change, CoveredName, Restriction
from governance.restrictions.publication import cover_new_names
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from stillwatch_gateway import Gateway
from tests.factories import MACHINE, account, api_key, person, restriction
from tests.flows.going_back import remember_database
from tests.flows.registered import Seller
from tests.flows.restores import front, has_begun_an_epoch, words
from tests.front import Served
from tests.review.pages import signed_in
from tests.waiting import PATIENCE, wait_until

__all__ = ["front"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


@pytest.fixture
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "ACCOUNTS_AT_ONCE", 20)
    monkeypatch.setattr(names, "MOST_LISTED", 10)


def knows_all(front: Served) -> bool:
    return front.knows(Change.objects.order_by("-number").values_list("number", flat=True)[0])


def go_back(front: Served, put_back: Callable[[], None]) -> None:
    put_back()
    wait_until(lambda: has_begun_an_epoch(front))


def is_refused(front: Served, **name: str) -> bool:
    return bool(front.check(**name)["decision"] == "deny")


def digest_of(key: str) -> str:
    return hashlib.sha256(f"sk-{key}".encode()).hexdigest()


def key_with_digest(owner: Account, name: str) -> ApiKey:
    key = api_key(owner, name)
    key.digest, key.tied_by = bytes.fromhex(digest_of(name)), ApiKey.TiedBy.REGISTER
    key.save()
    return key


def are_refused(front: Served, *keys: str) -> bool:
    return all(is_refused(front, api_key=key) and is_refused(front, key_digest=digest_of(key)) for key in keys)


class TestNamesThatCameAfterTheBackup:
    def test_keys_are_refused_with_their_account(self, front: Served) -> None:
        harbour = account("acct_1")
        put_back = remember_database()
        for name in ("key_2", "key_3"):
            key_with_digest(harbour, name)
        assert front.knows(restriction(harbour, at=timezone.now()).number)
        assert are_refused(front, "key_2", "key_3")

        go_back(front, put_back)

        assert is_refused(front, account="acct_1")
        assert are_refused(front, "key_2", "key_3")
        entry = Entry.objects.get(verb="lost_names.restored")
        assert entry.subject_id == "acct_1"
        assert "key key_2" in entry.details["restored"]

    def test_a_gateway_with_the_client_refuses_such_a_key(self, front: Served, tmp_path: Path) -> None:
        harbour = account("acct_1")
        put_back = remember_database()
        api_key(harbour, "key_2")
        assert front.knows(restriction(harbour, at=timezone.now()).number)
        gateway = Gateway(front.url, front.secret, tmp_path / "a", instance="a")
        try:
            gateway.start(PATIENCE)
            wait_until(lambda: not gateway.decide(key="key_2").allowed)
            before = gateway.epoch
            go_back(front, put_back)
            wait_until(lambda: gateway.epoch not in {"", before})

            assert not gateway.decide(account="acct_1").allowed
            assert not gateway.decide(key="key_2").allowed
        finally:
            gateway.close()

    def test_a_key_is_refused_with_an_account_that_was_blocked_before_the_backup(self, front: Served) -> None:
        harbour = account("acct_1")
        restriction(harbour, at=timezone.now())
        put_back = remember_database()
        key_with_digest(harbour, "key_2")
        cover_new_names(now=timezone.now())
        assert knows_all(front)
        assert are_refused(front, "key_2")

        go_back(front, put_back)

        assert are_refused(front, "key_2")
        assert not LostDecision.objects.exists()

    def test_the_digest_of_a_key_that_is_older_is_refused(self, front: Served) -> None:
        key = api_key(account("acct_1"), "key_1")
        put_back = remember_database()
        ApiKey.objects.update(digest=bytes.fromhex(digest_of("key_1")))
        assert front.knows(restriction(key, at=timezone.now()).number)

        go_back(front, put_back)

        assert are_refused(front, "key_1")

    def test_accounts_and_their_keys_are_refused_with_their_organisation(self, front: Served) -> None:
        account("acct_1", organisation="org_quay")
        put_back = remember_database()
        key_with_digest(account("acct_2", organisation="org_quay"), "key_2")
        assert front.knows(restriction(Organisation.objects.get(), at=timezone.now()).number)

        go_back(front, put_back)

        assert is_refused(front, account="acct_1")
        assert is_refused(front, account="acct_2")
        assert are_refused(front, "key_2")
        assert Account.objects.get(external_id="acct_2").organisation == Organisation.objects.get()

    def test_an_account_that_usage_has_made_known_again_is_refused_with_its_organisation(self, front: Served) -> None:
        account("acct_1", organisation="org_quay")
        put_back = remember_database()
        account("acct_2", organisation="org_quay")
        assert front.knows(restriction(Organisation.objects.get(), at=timezone.now()).number)

        def put_back_with_usage() -> None:
            with transaction.atomic():
                put_back()
                account("acct_2")

        go_back(front, put_back_with_usage)

        assert is_refused(front, account="acct_2")

    @pytest.mark.usefixtures("_small_portions")
    def test_a_large_organisation_that_was_told_in_portions_is_refused_whole(self, front: Served) -> None:
        put_back = remember_database()
        every = [f"acct_{number:02}" for number in range(50)]
        for name in every:
            account(name, organisation="org_quay")
        restriction(Organisation.objects.get(), at=timezone.now())
        cover_new_names(now=timezone.now())
        assert knows_all(front)
        assert all(is_refused(front, account=name) for name in every)

        go_back(front, put_back)

        assert [name for name in every if not is_refused(front, account=name)] == []

    def test_they_stay_refused_when_what_was_restored_is_replaced_for_a_while(self, front: Served) -> None:
        harbour = account("acct_1")
        put_back = remember_database()
        key_with_digest(harbour, "key_2")
        assert front.knows(restriction(harbour, at=timezone.now()).number)
        go_back(front, put_back)
        now = timezone.now()

        restriction(Account.objects.get(), at=now, until=now + timedelta(seconds=2))
        assert CoveredName.objects.filter(restriction__ended_at=None, name="key_2").exists()

        wait_until(lambda: end_expired(now=timezone.now()) == 1)
        assert knows_all(front)
        assert are_refused(front, "key_2")

    def test_the_register_takes_a_key_out_of_it_by_saying_whose_it_is(self, front: Served, tmp_path: Path) -> None:
        harbour = account("acct_1")
        put_back = remember_database()
        key_with_digest(harbour, "key_2")
        assert front.knows(restriction(harbour, at=timezone.now()).number)
        go_back(front, put_back)

        Seller(tmp_path).imports({"account": "acct_2", "keys": [{"id": "key_2", "digest": digest_of("key_2")}]})
        cover_new_names(now=timezone.now())
        assert knows_all(front)

        assert is_refused(front, account="acct_1")
        assert not is_refused(front, api_key="key_2")
        assert not is_refused(front, key_digest=digest_of("key_2"))

    def test_what_the_register_has_for_somebody_else_stays_theirs_and_the_number_stays_open(
        self, front: Served, tmp_path: Path
    ) -> None:
        harbour, other = account("acct_1"), account("acct_2")
        key = key_with_digest(other, "key_2")
        put_back = remember_database()
        key.account = harbour
        key.save()
        lost = restriction(harbour, at=timezone.now())
        assert front.knows(lost.number)
        gateway = Gateway(front.url, front.secret, tmp_path / "a", instance="a")
        try:
            gateway.start(PATIENCE)
            wait_until(lambda: not gateway.decide(key="key_2").allowed)
            go_back(front, put_back)
            wait_until(lambda: gateway.epoch == front.front.replica.restricted.epoch)

            assert is_refused(front, account="acct_1")
            assert not is_refused(front, api_key="key_2")
            assert not gateway.decide(key="key_2").allowed
            reviewer = signed_in(person())
            assert "does not cover key key_2, digest" in words(reviewer, "/enforcement/")
            reviewer.post(f"/enforcement/lost/{LostDecision.objects.get().pk}/keep/")
            wait_until(lambda: gateway.decide(key="key_2").allowed)
            assert not gateway.decide(account="acct_1").allowed
        finally:
            gateway.close()

    def test_of_two_processes_the_one_that_knew_less_may_come_first(self, front: Served) -> None:
        account("acct_1")
        payload = {"kind": "block", "against": "account", "reason": "other", "from": timezone.now().isoformat()}
        knew_less = LostRestriction(1, payload | {"names": {"account": ["acct_1"], "key": []}})
        knew_more = LostRestriction(1, payload | {"names": {"account": ["acct_1"], "key": ["key_2"]}})

        resume_epoch(up_to=1, continues=0, lost=[knew_less], now=timezone.now())
        resume_epoch(up_to=2, continues=0, lost=[knew_more], now=timezone.now())

        assert knows_all(front)
        assert is_refused(front, api_key="key_2")
        assert LostDecision.objects.count() == 1


class TestTerms:
    @pytest.mark.parametrize(
        ("kind", "before", "after"),
        [
            (Restriction.Kind.THROTTLE, {"requests_per_minute": 100}, {"requests_per_minute": 5}),
            (Restriction.Kind.THROTTLE, {"tokens_per_minute": 9_000}, {"tokens_per_minute": 500}),
            (Restriction.Kind.WITHHOLD, {"withheld": ["logprobs"]}, {"withheld": ["logprobs", "reasoning"]}),
        ],
    )
    def test_one_of_other_terms_does_not_stand_for_what_was_lost(
        self, front: Served, kind: Restriction.Kind, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        limited = account("acct_1")
        restriction(limited, kind, at=timezone.now(), **before)
        put_back = remember_database()
        assert front.knows(restriction(limited, kind, at=timezone.now(), **after).number)
        asked = front.check(account="acct_1")

        go_back(front, put_back)

        now_asked = front.check(account="acct_1")
        assert (now_asked["limits"], now_asked["withheld"]) == (asked["limits"], asked["withheld"])
        assert LostDecision.objects.get().restriction == Restriction.objects.get(ended_at=None)

    def test_one_that_cannot_be_planned_again_keeps_no_other_from_it(self, front: Served) -> None:
        now = timezone.now()
        accounts = [account(name) for name in ("acct_1", "acct_2", "acct_3")]
        first = restriction(accounts[0], at=now, until=now + 5 * DAY)
        put_back = remember_database()
        lift(first, note="Over.", by=MACHINE, now=timezone.now())
        terms = Terms(Restriction.Kind.BLOCK, Reason.BULK_HARVEST, starts_at=now + 2 * DAY)
        targets = [(one, f"incident-7:{one}") for one in accounts]
        made = restrict_all(targets, terms, by=MACHINE, now=timezone.now())
        assert front.knows(made.restrictions[-1].number)

        go_back(front, put_back)

        planned = Restriction.objects.filter(ended_at=None, starts_at__gt=now + DAY)
        assert set(planned.values_list("account__external_id", flat=True)) == {"acct_2", "acct_3"}
        assert "is in force before this one starts" in words(signed_in(person()), "/enforcement/")
