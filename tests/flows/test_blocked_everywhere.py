"""A blocked customer is refused at a gateway that knows him by his secret, in whatever order his key became known."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from governance.restrictions import publication
from governance.tasks import cover_new_names
from stillwatch_gateway import Gateway
from tests.flows.following import Follower
from tests.flows.registered import Seller, answered, digest_of, key, nginx, wait_for_answer
from tests.flows.worker import running_worker
from tests.front import Served, served
from tests.waiting import wait_until

OLD, NEW, GOOD = "sk-old", "sk-new", "sk-good"


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture
def seller(transactional_db: None, tmp_path: Path) -> Seller:
    return Seller(tmp_path)


@pytest.fixture
def proxy(front: Served, tmp_path: Path) -> Iterator[int]:
    (folder := tmp_path / "nginx").mkdir()
    with nginx(front, folder) as port:
        yield port


class TestTheBearerOfABlockedAccount:
    def test_is_refused_where_usage_named_the_key_before_the_register(self, seller: Seller, proxy: int) -> None:
        seller.sends_usage(account="acct_harbour", api_key="key_1")
        seller.imports({"account": "acct_harbour", "keys": [key("key_1", OLD)]})
        before = answered(proxy, OLD)

        seller.blocks(account="acct_harbour")

        wait_for_answer(proxy, OLD, 403)
        assert (before, answered(proxy, GOOD)) == (200, 200)

    def test_is_refused_where_the_block_came_before_the_digest(self, seller: Seller, proxy: int) -> None:
        seller.sends_usage(account="acct_harbour", api_key="key_1")
        seller.blocks(account="acct_harbour")

        seller.imports({"account": "acct_harbour", "keys": [key("key_1", OLD)]})
        cover_new_names()

        wait_for_answer(proxy, OLD, 403)

    def test_is_refused_by_the_new_secret_of_a_rotated_key(self, seller: Seller, proxy: int) -> None:
        seller.imports({"account": "acct_harbour", "keys": [key("key_1", OLD)]})
        seller.blocks(account="acct_harbour")
        wait_for_answer(proxy, OLD, 403)

        seller.imports({"account": "acct_harbour", "keys": [key("key_1", NEW)]})
        cover_new_names()

        wait_for_answer(proxy, NEW, 403)
        wait_for_answer(proxy, OLD, 200)

    def test_is_refused_with_a_key_that_moved_to_it(self, seller: Seller, proxy: int) -> None:
        seller.imports({"account": "acct_quill", "keys": [key("key_1", OLD)]})

        said = seller.imports({"account": "acct_harbour", "keys": [{"id": "key_1"}]})
        seller.blocks(account="acct_harbour")

        wait_for_answer(proxy, OLD, 403)
        assert "Key key_1 moved from acct_quill to acct_harbour." in said

    def test_is_refused_with_its_organisation_though_the_register_does_not_name_it(
        self, seller: Seller, proxy: int
    ) -> None:
        seller.sends_usage({"organisation": "org_quay"}, account="acct_harbour", api_key="key_1")
        seller.sends_usage(*({} for _ in range(50)), account="acct_harbour")
        seller.imports({"account": "acct_harbour", "plan": "team", "keys": [key("key_1", OLD)]})

        seller.blocks(organisation="org_quay")

        wait_for_answer(proxy, OLD, 403)

    @pytest.mark.parametrize("batch_size", [100, 1])
    def test_is_refused_while_keys_move_between_blocked_accounts(
        self, seller: Seller, batch_size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(publication, "BATCH_SIZE", batch_size)
        seller.imports(
            {"account": "acct_harbour", "keys": [key("key_1", OLD)]},
            {"account": "acct_pier", "keys": [key("key_2", NEW)]},
        )
        for name in ("acct_harbour", "acct_pier"):
            seller.blocks(account=name)
        gateway = Follower()

        seller.imports(
            {"account": "acct_harbour", "keys": [key("key_2", NEW)]},
            {"account": "acct_pier", "keys": [key("key_1", OLD)]},
        )
        cover_new_names()

        assert gateway.follow() == []
        assert gateway.refused == Follower().refused >= {"key:key_1", "key:key_2"}


class TestACustomerWhoIsNotCoveredAnyMore:
    def test_is_let_in_after_leaving_a_blocked_organisation(self, seller: Seller, proxy: int, front: Served) -> None:
        seller.imports({"account": "acct_harbour", "organisation": "org_quay", "keys": [key("key_1", OLD)]})
        seller.blocks(organisation="org_quay")
        wait_for_answer(proxy, OLD, 403)

        seller.imports({"account": "acct_harbour", "organisation": "org_free"})
        cover_new_names()

        wait_for_answer(proxy, OLD, 200)
        assert front.check(account="acct_harbour")["decision"] == "allow"
        assert front.check(organisation="org_quay")["decision"] == "deny"

    def test_stays_out_of_an_organisation_that_the_register_took_it_out_of(
        self, seller: Seller, proxy: int, front: Served
    ) -> None:
        seller.imports({"account": "acct_harbour", "organisation": "org_quay", "keys": [key("key_1", OLD)]})
        seller.blocks(organisation="org_quay")
        wait_for_answer(proxy, OLD, 403)

        seller.imports({"account": "acct_harbour", "organisation": None})
        seller.sends_usage(account="acct_harbour", organisation="org_quay")
        cover_new_names()

        wait_for_answer(proxy, OLD, 200)

    def test_is_let_in_with_a_key_that_moved_to_a_free_account(self, seller: Seller, proxy: int) -> None:
        seller.imports({"account": "acct_harbour", "keys": [key("key_1", OLD), key("key_2", NEW)]})
        seller.blocks(account="acct_harbour")
        wait_for_answer(proxy, OLD, 403)

        seller.imports({"account": "acct_free", "keys": [{"id": "key_1"}]})
        cover_new_names()

        wait_for_answer(proxy, OLD, 200)
        assert answered(proxy, NEW) == 403

    def test_is_let_in_by_a_client_that_followed(self, seller: Seller, front: Served, tmp_path: Path) -> None:
        members = [
            {"account": f"acct_{n}", "organisation": "org_quay", "keys": [key(f"key_{n}", f"sk-{n}")]}
            for n in range(100)
        ]
        seller.imports(*members)
        seller.blocks(organisation="org_quay")
        gateway = Gateway(front.url, front.secret, tmp_path / "kept")
        try:
            assert gateway.start(30)
            before = gateway.decide(digest=digest_of("sk-7")).allowed

            seller.imports({"account": "acct_7", "organisation": "org_free"})
            cover_new_names()
            wait_until(lambda: gateway.decide(digest=digest_of("sk-7")).allowed, "the client let the key in")
            seller.imports({"account": "acct_new", "organisation": "org_quay", "keys": [key("key_new", NEW)]})
            cover_new_names()
            wait_until(lambda: not gateway.decide(digest=digest_of(NEW)).allowed, "the client refused the new key")

            assert not before
            assert not gateway.decide(account="acct_8").allowed
            assert gateway.decide(account="acct_7").allowed
        finally:
            gateway.close()


def test_a_worker_tells_gateways_by_itself(seller: Seller, front: Served) -> None:
    with running_worker():
        seller.imports({"account": "acct_harbour", "organisation": "org_quay", "keys": [key("key_1", OLD)]})
        seller.blocks(organisation="org_quay")
        wait_until(lambda: front.check(key_digest=digest_of(OLD))["decision"] == "deny", "the block had arrived")

        seller.imports({"account": "acct_harbour", "organisation": None, "keys": [key("key_1", NEW)]})

        def is_let_in() -> bool:
            return all(front.check(key_digest=digest_of(one))["decision"] == "allow" for one in (OLD, NEW))

        wait_until(is_let_in, "the account that left was let in")
