from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.audit.models import Entry
from governance.enforcement.models import Restriction
from governance.web.idempotency import forget_kept_answers
from tests.factories import account, api_key, campaign_of, restriction, service_key, training_licence

pytestmark = pytest.mark.django_db

BLOCK = {"account": "acct_harbour", "kind": "block", "reason": "bulk_harvest", "unique_key": "incident-7"}


def check(client: Client, query: str, *, scope: str = "access:read") -> Any:
    _, known = service_key(scope)
    return client.get(f"/api/v1/access/check?{query}", **known)


def restrict(client: Client, *, scope: str = "restrictions:write", **members: Any) -> Any:
    _, known = service_key(scope, name="auto-blocker")
    return client.post("/api/v1/restrictions", BLOCK | members, content_type="application/json", **known)


class TestCheckingAccess:
    def test_allows_an_account_in_good_standing(self, client: Client) -> None:
        account("acct_harbour")

        answer = check(client, "account=acct_harbour").json()

        assert (answer["decision"], answer["known"], answer["restriction"]) == ("allow", True, None)

    def test_denies_a_blocked_account_with_reason_and_number(self, client: Client) -> None:
        block = restriction(account("acct_harbour"))

        answer = check(client, "account=acct_harbour").json()

        assert (answer["decision"], answer["reason"]) == ("deny", "bulk_harvest")
        assert answer["restriction"]["number"] == answer["sequence"] == block.number

    def test_answers_for_a_key(self, client: Client) -> None:
        harbour = account("acct_harbour")
        api_key(harbour, "key_1")
        restriction(harbour)

        assert check(client, "api_key=key_1").json()["decision"] == "deny"

    @pytest.mark.parametrize("query", ["", "account=a&api_key=b", "account=" + "a" * 129])
    def test_refuses_a_question_that_names_not_exactly_one(self, client: Client, query: str) -> None:
        response = check(client, query)

        assert response.status_code == 400
        assert response["Content-Type"] == "application/problem+json"

    def test_needs_its_scope(self, client: Client) -> None:
        assert check(client, "account=acct_harbour", scope="usage:write").status_code == 403


class TestRestricting:
    def test_puts_a_restriction_in_force(self, client: Client) -> None:
        account("acct_harbour")

        response = restrict(client)

        assert response.status_code == 201
        assert check(client, "account=acct_harbour").json()["decision"] == "deny"

    def test_is_done_once_for_a_unique_key(self, client: Client) -> None:
        account("acct_harbour")

        first, again = restrict(client), restrict(client)

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert Restriction.objects.count() == 1

    def test_answers_a_unique_key_that_was_used_otherwise_with_a_conflict(self, client: Client) -> None:
        account("acct_harbour")
        account("acct_other")
        restrict(client)

        response = restrict(client, account="acct_other")

        assert response.status_code == 409
        assert response.json()["number"] == 1

    def test_names_the_service_key_in_the_log(self, client: Client) -> None:
        account("acct_harbour")

        restrict(client)

        assert Entry.objects.get(verb="restriction.created").actor_name == "auto-blocker"

    @pytest.mark.parametrize(
        "members",
        [
            {"kind": "banish"},
            {"reason": "dislike"},
            {"unique_key": ""},
            {"kind": "throttle"},
            {"api_key": "key_1"},
            {"expires_at": "2020-01-01T00:00:00Z"},
            {"account": "acct\0harbour"},
        ],
    )
    def test_refuses_what_makes_no_sense(self, client: Client, members: dict[str, Any]) -> None:
        account("acct_harbour")

        response = restrict(client, **members)

        assert response.status_code == 400
        assert not Restriction.objects.exists()

    def test_says_when_there_is_no_such_account(self, client: Client) -> None:
        assert restrict(client).status_code == 404

    def test_needs_its_scope(self, client: Client) -> None:
        account("acct_harbour")

        assert restrict(client, scope="restrictions:read").status_code == 403
        assert not Restriction.objects.exists()

    def test_ends_at_the_time_that_was_asked_for(self, client: Client) -> None:
        account("acct_harbour")

        restrict(client, kind="suspend", expires_at=(timezone.now() + timedelta(hours=1)).isoformat())

        assert Restriction.objects.get().expires_at is not None


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

    @pytest.mark.parametrize("body", [[], {"restrictions": []}, {"restrictions": "x"}, {"restrictions": [{}] * 1001}])
    def test_refuses_what_is_no_list(self, client: Client, body: Any) -> None:
        assert self.post(client, body).status_code == 400


class TestAnIdempotencyKey:
    def post(self, client: Client, known: dict[str, Any], key: str, **members: Any) -> Any:
        body = {name: value for name, value in (BLOCK | members).items() if value is not None}
        return client.post(
            "/api/v1/restrictions", body, content_type="application/json", headers={"Idempotency-Key": key}, **known
        )

    def test_gives_the_same_answer_again(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")

        first, again = (self.post(client, known, "a", unique_key=None) for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert again.headers["Idempotent-Replayed"] == "true"
        assert Restriction.objects.count() == 1

    def test_is_refused_for_another_request(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        self.post(client, known, "a")

        assert self.post(client, known, "a", reason="other").status_code == 422

    def test_of_another_service_key_is_another_one(self, client: Client) -> None:
        account("acct_harbour")
        answers = [self.post(client, service_key("restrictions:write")[1], "a", unique_key=n) for n in ("x", "y")]

        assert [answer.status_code for answer in answers] == [201, 201]

    def test_may_be_used_again_after_an_error(self, client: Client) -> None:
        _, known = service_key("restrictions:write")
        missing = self.post(client, known, "a")
        account("acct_harbour")

        assert missing.status_code == 404
        assert self.post(client, known, "a").status_code == 201

    def test_is_forgotten_after_a_week(self, client: Client) -> None:
        account("acct_harbour")
        self.post(client, service_key("restrictions:write")[1], "a")

        assert forget_kept_answers(now=timezone.now() + timedelta(days=6)) == 0
        assert forget_kept_answers(now=timezone.now() + timedelta(days=8)) == 1


class TestLifting:
    def test_gives_access_back_and_keeps_the_history(self, client: Client) -> None:
        account("acct_harbour")
        number = restrict(client).json()["number"]
        _, known = service_key("restrictions:write")

        response = client.delete(f"/api/v1/restrictions/{number}?note=mistake", **known)

        assert response.json()["ending"] == "lifted"
        assert check(client, "account=acct_harbour").json()["decision"] == "allow"
        assert Restriction.objects.get().ending_note == "mistake"

    def test_says_when_there_is_no_such_restriction(self, client: Client) -> None:
        _, known = service_key("restrictions:write")

        assert client.delete("/api/v1/restrictions/7?note=mistake", **known).status_code == 404

    def test_needs_a_note_that_says_why(self, client: Client) -> None:
        block = restriction(account("acct_harbour"))
        _, known = service_key("restrictions:write")

        assert client.delete(f"/api/v1/restrictions/{block.number}", **known).status_code == 400
        assert check(client, "account=acct_harbour").json()["decision"] == "deny"


class TestListing:
    def test_shows_the_restrictions_of_an_account(self, client: Client) -> None:
        restriction(account("acct_harbour"))
        restriction(account("acct_other"))
        _, known = service_key("restrictions:read")

        listed = client.get("/api/v1/restrictions?account=acct_harbour", **known).json()["restrictions"]

        assert [one["account"] for one in listed] == ["acct_harbour"]
