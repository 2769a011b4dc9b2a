"""`None`, `null` and the like are how programs write that there is no id: they never tie customers together."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Account, ApiKey, Organisation
from stillwatch_gateway import Gateway
from tests.factories import account, restriction, service_key
from tests.flows.registered import Seller, digest_of
from tests.front import Served
from tests.gateways.check.conftest import front

__all__ = ["front"]

NOTHING = ["None", "null", "undefined", " NULL "]


@pytest.fixture
def seller(transactional_db: None, tmp_path: Path) -> Seller:
    return Seller(tmp_path)


def restrict(body: dict[str, Any]) -> int:
    _, headers = service_key("restrictions:write", name="auto-blocker")
    asked = {"kind": "block", "reason": "bulk_harvest"} | body
    return Client().post("/api/v1/restrictions", asked, content_type="application/json", **headers).status_code


def test_customers_of_no_organisation_are_not_of_one(front: Served, seller: Seller) -> None:
    others = ("payment_fingerprint", "email_domain", "signup_ip", "country")
    said = seller.imports(
        *(
            {"account": f"acct_{n}", "organisation": nothing, **dict.fromkeys(others, nothing)}
            for n, nothing in enumerate(NOTHING)
        )
    )

    assert said.startswith("4 accounts created")
    assert not Organisation.objects.exists()
    assert set(Account.objects.values_list("payment_fingerprint", "email_domain", "country")) == {("", "", "")}
    assert [restrict({"organisation": nothing}) for nothing in NOTHING] == [400] * 4
    assert [front.check(account=f"acct_{n}")["decision"] for n in range(4)] == ["allow"] * 4


def test_a_line_without_the_id_that_it_needs_is_refused(seller: Seller) -> None:
    digest = digest_of("sk-1")

    said = seller.imports(
        *({"account": nothing} for nothing in NOTHING),
        *({"account": "acct_a", "keys": [{"id": nothing, "digest": digest}]} for nothing in NOTHING),
    )

    assert said.count("account is missing or empty") == 4
    assert said.count("keys.id is missing or empty") == 4
    assert not Account.objects.exists()
    assert not ApiKey.objects.exists()


@pytest.mark.django_db
def test_a_restriction_on_nobody_is_refused() -> None:
    account("acct_a")
    against = [{member: nothing} for member in ("account", "api_key", "organisation") for nothing in NOTHING]
    against += [{"account": "acct_a", "unique_key": nothing} for nothing in NOTHING]

    assert [one for one in against if restrict(one) != 400] == []


@pytest.mark.django_db
@pytest.mark.parametrize("nothing", NOTHING)
def test_such_a_canary_is_refused(nothing: str) -> None:
    with pytest.raises(CommandError, match="means no account"):
        call_command("set_canary", "edge", nothing, "https://api.example.com/v1", stdout=StringIO())


class TestTheCheck:
    """Of customers that an earlier release put into an organisation called None."""

    @pytest.fixture(autouse=True)
    def _blocked(self, front: Served) -> None:
        organisation = account("acct_old", organisation="None").organisation
        assert organisation is not None
        front.knows(restriction(organisation).number)

    def test_passes_such_a_name_over_in_every_protocol(self, front: Served) -> None:
        query = front.ask("/access/check?account=acct_x&organisation=N%6Fne").json
        headers = {"x_stillwatch_key": front.secret, "x_stillwatch_account": "acct_x"}

        assert front.check(account="acct_x", organisation="None")["decision"] == query["decision"] == "allow"
        assert front.ask("/access/nginx", x_stillwatch_organisation="None", **headers).status == 204
        assert front.ask("/access/envoy/v1", x_stillwatch_organisation="None,acct_y", **headers).status == 200
        assert front.check(account="acct_old", organisation="None")["decision"] == "deny"

    def test_takes_it_for_no_name(self, front: Served) -> None:
        asked = front.ask("/access/check", method="POST", body={"organisation": "None"})

        assert asked.status == front.ask("/access/check?account=null").status == 400
        assert front.ask("/access/nginx", x_stillwatch_key=front.secret, x_stillwatch_account="None").status == 401

    def test_of_the_client_passes_it_over_too(self, front: Served, tmp_path: Path) -> None:
        gateway = Gateway(front.url, front.secret, tmp_path)
        try:
            assert gateway.start()
            assert gateway.decide(account="acct_x", organisation="None", also=["organisation:none"]).allowed
            assert gateway.decide(account="acct_x", organisation="N%6Fne").allowed
            assert not gateway.decide(account="acct_old").allowed
        finally:
            gateway.close()
