"""A restriction of an organisation with many accounts reaches gateways batch by batch, and says so until it has."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, Organisation
from governance.restrictions import names, publication
from governance.restrictions.actions import lift, supersede
from governance.restrictions.models import Change, Restriction
from governance.restrictions.names import find_outdated_numbers
from governance.restrictions.publication import cover_new_names
from governance.restrictions.queries import last_number
from governance.restrictions.serializers import restriction_as_json
from governance.review.actions import decide
from governance.review.models import Case
from governance.staff.models import User
from tests.factories import MACHINE, NOW, account, api_key, case, person, restriction
from tests.flows.following import Follower
from tests.flows.large_decisions import BATCH_SIZE, BLOCK_COMPANY, LAST, SIZE, _small_batches, case_of
from tests.flows.registered import Seller
from tests.flows.worker import running_worker
from tests.front import Served, served
from tests.review.pages import address, signed_in, text
from tests.waiting import wait_until

__all__ = ["_small_batches"]  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)
STILL_TELLING = "gateways have not received all of its accounts yet"


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

        assert "Some decisions have not reached <b>litellm</b> yet" in banner
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
