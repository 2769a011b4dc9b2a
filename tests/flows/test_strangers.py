"""Who may send usage can neither have a stranger refused nor fill the register with names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, ApiKey
from governance.audit.models import Entry
from governance.restrictions.publication import cover_new_names
from tests.factories import NOW, account, api_key, case, person, service_key, usage_event
from tests.flows.registered import Seller
from tests.front import Served, served
from tests.waiting import wait_until


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture
def seller(transactional_db: None, tmp_path: Path) -> Seller:
    return Seller(tmp_path)


def wait_for(front: Served, decision: str, **names: str) -> None:
    """After gateways were sent the names that are covered now, as a worker does after a commit."""
    cover_new_names(now=timezone.now())
    wait_until(lambda: front.check(**names)["decision"] == decision, f"the check answers {decision}")


class TestAKeyThatUsageClaimsForABlockedAccount:
    @pytest.fixture(autouse=True)
    def _claimed(self, front: Served, seller: Seller) -> None:
        seller.sends_usage(account="acct_harvest")
        seller.blocks(account="acct_harvest")
        seller.sends_usage(account="acct_harvest", api_key="key_1")

    def test_is_refused_as_long_as_nobody_else_claims_it(self, front: Served) -> None:
        wait_for(front, "deny", api_key="key_1")

    def test_is_let_in_when_its_owner_uses_it(self, front: Served, seller: Seller) -> None:
        wait_for(front, "deny", api_key="key_1")

        seller.sends_usage(account="acct_innocent", api_key="key_1")

        wait_for(front, "allow", api_key="key_1")
        assert front.check(account="acct_harvest")["decision"] == "deny"

    def test_stays_let_in_however_often_it_is_claimed_again(self, front: Served, seller: Seller) -> None:
        seller.sends_usage(account="acct_innocent", api_key="key_1")
        seller.sends_usage(account="acct_harvest", api_key="key_1")

        wait_for(front, "allow", api_key="key_1")

    def test_is_let_in_when_the_register_names_its_owner(self, front: Served, seller: Seller) -> None:
        wait_for(front, "deny", api_key="key_1")

        seller.imports({"account": "acct_innocent", "keys": [{"id": "key_1"}]})
        seller.sends_usage(account="acct_harvest", api_key="key_1")

        wait_for(front, "allow", api_key="key_1")
        assert ApiKey.objects.get().account.external_id == "acct_innocent"

    def test_is_refused_again_when_the_register_says_that_it_is_its_own(self, front: Served, seller: Seller) -> None:
        seller.sends_usage(account="acct_other", api_key="key_1")
        wait_for(front, "allow", api_key="key_1")

        seller.imports({"account": "acct_harvest", "keys": [{"id": "key_1"}]})
        seller.sends_usage(account="acct_other", api_key="key_1")

        wait_for(front, "deny", api_key="key_1")
        details = Entry.objects.get(verb="key.settled").details
        assert details == {"account": "acct_harvest", "contested_by": "acct_other"}

    def test_says_the_same_where_postgresql_is_asked(self, client: Client, seller: Seller) -> None:
        _, key = service_key("access:read")
        address = "/api/v1/access/check?api_key=key_1"
        before = client.get(address, **key).json()

        seller.sends_usage(account="acct_innocent", api_key="key_1")

        assert (before["decision"], client.get(address, **key).json()["decision"]) == ("deny", "allow")


class TestAnAccountThatUsagePutsIntoABlockedOrganisation:
    @pytest.fixture(autouse=True)
    def _blocked(self, front: Served, seller: Seller) -> None:
        seller.sends_usage(account="acct_harvest", organisation="org_harvest")
        seller.blocks(organisation="org_harvest")

    @staticmethod
    def wait_until_all_is_published(front: Served, seller: Seller) -> None:
        """A new account of the organisation comes last: what came before it has been published by then."""
        seller.sends_usage(account="acct_last", organisation="org_harvest")
        wait_for(front, "deny", account="acct_last")

    def test_is_refused_where_nobody_knew_it(self, front: Served, seller: Seller) -> None:
        seller.sends_usage(account="acct_new", organisation="org_harvest", api_key="key_new")

        wait_for(front, "deny", account="acct_new")
        wait_for(front, "deny", api_key="key_new")

    @pytest.mark.parametrize("before", ["registered", "seen", "seen in another organisation"])
    def test_is_let_in_where_it_was_known(self, front: Served, seller: Seller, before: str) -> None:
        if before == "registered":
            seller.imports({"account": "acct_innocent", "keys": [{"id": "key_1"}]})
        elif before == "seen":
            seller.sends_usage(account="acct_innocent", api_key="key_1")
        else:
            seller.sends_usage(account="acct_innocent", api_key="key_1", organisation="org_quay")

        seller.sends_usage(account="acct_innocent", api_key="key_1", organisation="org_harvest")
        seller.sends_usage(account="acct_innocent", organisation="org_harvest")

        self.wait_until_all_is_published(front, seller)
        assert front.check(account="acct_innocent")["decision"] == "allow"
        assert front.check(api_key="key_1")["decision"] == "allow"

    def test_is_refused_once_the_register_says_so_too(self, front: Served, seller: Seller) -> None:
        seller.sends_usage(account="acct_innocent")
        seller.sends_usage(account="acct_innocent", organisation="org_harvest")

        seller.imports({"account": "acct_innocent", "organisation": "org_harvest"})

        wait_for(front, "deny", account="acct_innocent")

    def test_is_let_in_too_when_the_block_follows(self, front: Served, seller: Seller) -> None:
        seller.sends_usage(account="acct_decoy", organisation="org_decoy")
        seller.sends_usage(account="acct_innocent")
        seller.sends_usage(account="acct_innocent", organisation="org_decoy")

        seller.blocks(organisation="org_decoy")

        wait_for(front, "deny", account="acct_decoy")
        assert front.check(account="acct_innocent")["decision"] == "allow"


@pytest.mark.django_db
class TestAKey:
    @pytest.fixture(autouse=True)
    def _now(self) -> Iterator[None]:
        with time_machine.travel(NOW, tick=False):
            yield

    @staticmethod
    def send(client: Client, *events: dict[str, Any], scopes: tuple[str, ...] = ("usage:write",)) -> Any:
        _, key = service_key(*scopes)
        body = json.dumps({"events": [usage_event(**event) for event in events]})
        answer = client.post("/api/v1/usage-events", body, content_type="application/json", **key)
        assert answer.status_code == 202, answer.content
        return answer.json()

    def test_of_the_register_is_contested_by_nobody(self, client: Client) -> None:
        mine = api_key(account("acct_harbour"), "key_1")
        ApiKey.objects.filter(pk=mine.pk).update(tied_by=ApiKey.TiedBy.REGISTER)

        self.send(client, {"account": "acct_quill", "api_key": "key_1"})

        assert ApiKey.objects.values_list("account__external_id", "contested_at").get() == ("acct_harbour", None)

    def test_that_two_accounts_claim_in_one_batch_is_contested(self, client: Client) -> None:
        self.send(client, *({"account": name, "api_key": "key_1"} for name in ("acct_harbour", "acct_quill")))

        owner = ApiKey.objects.select_related("account", "contested_by").get()
        assert owner.contested_by is not None
        assert {owner.account.external_id, owner.contested_by.external_id} == {"acct_harbour", "acct_quill"}

    def test_that_is_contested_is_shown_with_both_accounts(self, client: Client) -> None:
        for name in ("acct_harbour", "acct_quill"):
            self.send(client, {"account": name, "api_key": "key_1"})
        client.force_login(person())

        for of in Account.objects.all():
            page = client.get(reverse("review:case", args=[case(of).pk])).content.decode()
            assert "Contested keys" in page

    def test_moves_with_an_entry_where_a_sender_may_say_whose_it_is(self, client: Client) -> None:
        self.send(client, {"account": "acct_harbour", "api_key": "key_1"})
        self.send(client, {"account": "acct_decoy", "api_key": "key_1"})

        trusted = ("usage:write", "usage:keys")
        self.send(client, {"account": "acct_quill", "api_key": "key_1"}, scopes=trusted)
        self.send(client, {"account": "acct_harbour", "api_key": "key_1"})

        now = ApiKey.objects.values_list("account__external_id", "tied_by", "contested_at").get()
        assert now == ("acct_quill", "sender", None)
        entry = Entry.objects.get(verb="key.moved")
        assert (entry.actor_kind, entry.details) == (
            "service_key",
            {"from": "acct_harbour", "to": "acct_quill", "contested": True},
        )

    def test_of_the_register_is_moved_by_no_sender(self, client: Client) -> None:
        mine = api_key(account("acct_harbour"), "key_1")
        ApiKey.objects.filter(pk=mine.pk).update(tied_by=ApiKey.TiedBy.REGISTER)

        self.send(client, {"account": "acct_quill", "api_key": "key_1"}, scopes=("usage:write", "usage:keys"))

        assert ApiKey.objects.get().account.external_id == "acct_harbour"
