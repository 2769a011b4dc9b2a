"""Many restrictions in one request to the API."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Account
from governance.restrictions.models import Restriction
from tests.factories import account, campaign_of, restriction, service_key, training_licence
from tests.restrictions.api_calls import BLOCK, check, post

pytestmark = pytest.mark.django_db


class TestRestrictingMany:
    def post(self, client: Client, body: Any, **headers: str) -> Any:
        _, known = service_key("restrictions:write", name="auto-blocker")
        return client.post("/api/v1/restrictions", body, content_type="application/json", headers=headers, **known)

    def test_does_each_by_itself_so_that_a_bad_one_refuses_no_other(self, client: Client) -> None:
        for name in ("acct_1", "acct_2"):
            account(name)
        asked = [BLOCK | {"account": f"acct_{n}", "unique_key": f"incident-{n}"} for n in (1, 2, 3)]
        asked[0] |= {"kind": "banish"}

        answer = self.post(client, {"restrictions": asked}).json()

        assert (answer["done"], answer["refused"], answer["sequence"]) == (1, 2, 1)
        assert [one["status"] for one in answer["results"]] == [400, 201, 404]

    @pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "monday"}])
    def test_does_two_batches_of_two_senders_each_for_itself(self, client: Client, headers: dict[str, str]) -> None:
        for name in ("acct_1", "acct_2", "acct_3"):
            account(name)
        body = {"kind": "block", "reason": "other"}

        answers = [
            self.post(client, {"restrictions": [body | {"account": name} for name in names]}, **headers).json()
            for names in (("acct_1", "acct_2"), ("acct_3", "acct_1"))
        ]

        assert [one["status"] for answer in answers for one in answer["results"]] == [201] * 4
        assert check(client, "account=acct_3").json()["decision"] == "deny"

    def test_blocks_again_who_was_lifted_since_the_last_batch(self, client: Client) -> None:
        account("acct_1")
        _, known = service_key("restrictions:write")
        batch = {"restrictions": [{"account": "acct_1", "kind": "block", "reason": "other"}]}

        first = post(client, batch, **known).json()["results"][0]["number"]
        client.delete(f"/api/v1/restrictions/{first}?note=mistake", **known)
        second = post(client, batch, **known).json()

        assert second["results"][0]["status"] == 201
        assert check(client, "account=acct_1").json()["decision"] == "deny"

    def test_takes_a_batch_again_in_another_order_without_those_that_were_refused(self, client: Client) -> None:
        for name in ("acct_1", "acct_2"):
            account(name)
        _, known = service_key("restrictions:write")
        one, two = ({"account": name, "kind": "block", "reason": "other"} for name in ("acct_1", "acct_2"))

        first, corrected = (
            post(client, {"restrictions": asked}, headers={"Idempotency-Key": "monday"}, **known).json()
            for asked in ([two | {"kind": "banish"}, one], [one, two])
        )

        assert [result["status"] for result in first["results"]] == [400, 201]
        assert [result["status"] for result in corrected["results"]] == [200, 201]
        assert Restriction.objects.count() == 2

    def test_does_nothing_for_those_that_are_a_dry_run(self, client: Client) -> None:
        for name in ("acct_1", "acct_2"):
            account(name)
        asked = [BLOCK | {"account": "acct_1", "dry_run": True}, BLOCK | {"account": "acct_2", "dry_run": "true"}]

        answer = self.post(client, {"restrictions": asked}).json()

        assert [one["status"] for one in answer["results"]] == [200, 400]
        assert not Restriction.objects.exists()

    def test_names_in_each_what_differs_from_before(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        post(client, BLOCK, **known)

        [result] = post(client, {"restrictions": [BLOCK | {"reason": "other"}]}, **known).json()["results"]

        assert (result["status"], result["number"], list(result["differences"])) == (409, 1, ["reason"])

    @pytest.mark.parametrize("bad", [7, "x", None, ["a"]])
    def test_refuses_what_is_no_restriction_and_does_the_others(self, client: Client, bad: Any) -> None:
        account("acct_harbour")

        answer = self.post(client, {"restrictions": [bad, BLOCK]})

        assert [one["status"] for one in answer.json()["results"]] == [400, 201]

    def test_ends_where_the_key_is_revoked_meanwhile(self, client: Client) -> None:
        account("acct_harbour"), account("acct_other")
        with connection.cursor() as cursor:  # somebody revokes it just after the first was done
            cursor.execute(
                "CREATE FUNCTION revoke_keys() RETURNS trigger LANGUAGE plpgsql AS"
                " $$BEGIN UPDATE staff_servicekey SET revoked_at = '2020-01-01'; RETURN NULL; END$$;"
                "CREATE TRIGGER revokes AFTER INSERT ON restrictions_restriction EXECUTE FUNCTION revoke_keys()"
            )

        answer = self.post(client, {"restrictions": [BLOCK, BLOCK | {"account": "acct_other", "unique_key": "b"}]})

        assert answer.status_code in {401, 403}
        assert [one.account.external_id for one in Restriction.objects.all() if one.account] == ["acct_harbour"]

    def test_restricts_an_organisation(self, client: Client) -> None:
        account("acct_harbour", organisation="org_quay")

        answer = self.post(
            client, {"organisation": "org_quay", "kind": "block", "reason": "other", "unique_key": "a"}
        ).json()

        assert (answer["organisation"], answer["account"]) == ("org_quay", None)

    def test_restricts_a_campaign_and_lifts_it(self, client: Client) -> None:
        campaign = campaign_of(account("acct_1"), account("acct_2"))
        body = {"campaign": str(campaign.pk), "kind": "block", "reason": "coordinated_accounts", "unique_key": "a"}

        made = self.post(client, body)
        _, known = service_key("restrictions:write", name="auto-blocker")
        lifted = client.delete(f"/api/v1/restrictions?campaign={campaign.pk}&note=one+school", **known)

        assert (made.status_code, made.json()["created"], made.json()["sequence"]) == (201, 2, 2)
        assert lifted.json() == {"lifted": [1, 2], "sequence": 4}

    def test_says_in_a_dry_run_who_would_be_hit_and_changes_nothing(self, client: Client) -> None:
        campaign = campaign_of(account("acct_1"), account("acct_2"))
        training_licence(Account.objects.get(external_id="acct_2"))

        answer = self.post(
            client,
            {"campaign": str(campaign.pk), "kind": "block", "reason": "coordinated_accounts", "dry_run": True},
        ).json()

        assert answer["accounts"] == 2
        assert [(one["account"], one["training_permitted"]) for one in answer["would_restrict"]] == [
            ("acct_1", False),
            ("acct_2", True),
        ]
        assert not Restriction.objects.exists()

    def test_says_in_a_dry_run_what_is_in_force_already(self, client: Client) -> None:
        restriction(account("acct_harbour"), Restriction.Kind.WATCH)

        answer = self.post(client, BLOCK | {"dry_run": True}).json()

        assert [one["in_force"] for one in answer["would_restrict"]] == [["watch"]]

    @pytest.mark.parametrize(
        "body",
        [
            [],
            {"restrictions": []},
            {"restrictions": "x"},
            {"restrictions": [{}] * 1001},
            {"restrictions": [{}], "dryRun": True},
            {"restrictions": [{}], "dry_run": "true"},
        ],
    )
    def test_refuses_what_is_no_list(self, client: Client, body: Any) -> None:
        assert self.post(client, body).status_code == 400
