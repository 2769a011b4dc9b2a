"""Repeating, lifting and listing restrictions over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.platform.expiry import delete_expired_rows
from governance.platform.locks import Lock
from governance.restrictions.models import Restriction
from governance.web.models import KeptAnswer
from tests.factories import NOW, account, campaign_of, restriction, service_key
from tests.gateways.somebody_else import somebody_else_has
from tests.restrictions.api_calls import BLOCK, check, post, restrict

pytestmark = pytest.mark.django_db


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

    def test_may_be_used_again_with_a_corrected_body_after_an_error(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")

        answers = [self.post(client, known, "a", kind=kind, unique_key=None) for kind in ("banish", "block", "suspend")]

        assert [answer.status_code for answer in answers] == [400, 201, 422]

    def test_is_refused_while_its_request_is_being_answered(self, client: Client) -> None:
        account("acct_harbour")
        key, known = service_key("restrictions:write")
        kept = KeptAnswer.objects.create(service_key=key, key="a", request_digest=b"", at=timezone.now())

        with somebody_else_has(Lock.IDEMPOTENT_REQUEST, kept):
            too_early = self.post(client, known, "a")

        assert (too_early.status_code, too_early.json()["title"]) == (409, "Request in progress")
        assert self.post(client, known, "a").status_code == 201

    def test_is_of_another_request_where_the_query_differs(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        headers = {"Idempotency-Key": "a"}

        tried = post(client, BLOCK, address="/api/v1/restrictions?dry_run=1", headers=headers, **known)
        done = post(client, BLOCK, headers=headers, **known)

        assert (tried.status_code, done.status_code) == (200, 422)

    def test_keeps_an_answer_of_any_text(self, client: Client) -> None:
        _, known = service_key("restrictions:write")
        account("acct_harbour")
        body = BLOCK | {"dry_run": True, "terms_clause": "\u2028 \\ud800 \\u0000"}

        first, again = (post(client, body, headers={"Idempotency-Key": "a"}, **known) for _ in range(2))

        assert first.json() == again.json()

    def test_is_forgotten_after_a_week(self, client: Client) -> None:
        account("acct_harbour")
        self.post(client, service_key("restrictions:write")[1], "a")

        assert not delete_expired_rows(now=timezone.now() + timedelta(days=6))
        assert delete_expired_rows(now=timezone.now() + timedelta(days=8)) == {"web.KeptAnswer": 1}


class TestLifting:
    def test_refuses_what_is_given_twice(self, client: Client) -> None:
        block = restriction(account("acct_harbour"))
        _, known = service_key("restrictions:write")

        response = client.delete(
            f"/api/v1/restrictions/{block.number}?note=a", {"note": "b"}, content_type="application/json", **known
        )

        assert response.status_code == 400
        assert "Give this in the query or in the body" in str(response.json())

    def test_gives_access_back_and_keeps_the_history(self, client: Client) -> None:
        account("acct_harbour")
        number = restrict(client).json()["number"]
        _, known = service_key("restrictions:write")

        response = client.delete(f"/api/v1/restrictions/{number}?note=mistake", **known)

        assert response.json()["ending"] == "lifted"
        assert check(client, "account=acct_harbour").json()["decision"] == "allow"
        assert Restriction.objects.get().ending_note == "mistake"

    def test_does_not_bring_back_what_was_replaced(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        post(client, BLOCK, **known)
        newer = post(client, BLOCK | {"unique_key": "incident-8"}, **known).json()["number"]

        client.delete(f"/api/v1/restrictions/{newer}?note=appeal", **known)

        assert check(client, "account=acct_harbour").json()["decision"] == "allow"

    def test_again_says_that_it_had_ended(self, client: Client) -> None:
        block = restriction(account("acct_harbour"))
        _, known = service_key("restrictions:write")

        first, again = (
            client.delete(f"/api/v1/restrictions/{block.number}?note={note}", **known).json() for note in "ab"
        )

        assert [one["lifted"] for one in (first, again)] == [True, False]
        assert again["ending_note"] == "a"

    @pytest.mark.parametrize("body", ["[1]", '"x"', "7", "null", '{"note": ["x"]}', '{"note": "x", "why": "y"}'])
    @pytest.mark.parametrize("address", ["/api/v1/restrictions/1", "/api/v1/restrictions?campaign=" + "0" * 32])
    def test_refuses_a_body_that_does_not_fit(self, client: Client, body: str, address: str) -> None:
        restriction(account("acct_harbour"))
        _, known = service_key("restrictions:write")

        response = client.delete(address, body, content_type="application/json", **known)

        assert response.status_code == 400
        assert Restriction.objects.get().ended_at is None

    def test_says_when_there_is_no_such_restriction(self, client: Client) -> None:
        _, known = service_key("restrictions:write")

        assert client.delete("/api/v1/restrictions/7?note=mistake", **known).status_code == 404

    def test_needs_a_note_that_says_why(self, client: Client) -> None:
        block = restriction(account("acct_harbour"))
        _, known = service_key("restrictions:write")

        assert client.delete(f"/api/v1/restrictions/{block.number}", **known).status_code == 400
        assert check(client, "account=acct_harbour").json()["decision"] == "deny"


class TestListing:
    def test_shows_those_of_a_campaign_and_those_before_a_number(self, client: Client) -> None:
        campaign = campaign_of(account("acct_1"), account("acct_2"))
        _, known = service_key("restrictions:write", name="auto-blocker")
        members = {name: value for name, value in BLOCK.items() if name != "account"}
        post(client, members | {"campaign": str(campaign.pk)}, **known)
        restriction(account("acct_3"))
        _, reads = service_key("restrictions:read")

        def listed(query: str) -> list[str]:
            answer = client.get(f"/api/v1/restrictions?{query}", **reads)
            return [one["account"] for one in answer.json()["restrictions"]]

        assert sorted(listed(f"campaign={campaign.pk}")) == ["acct_1", "acct_2"]
        assert listed("before=2") == ["acct_1"]

    def test_shows_the_restrictions_of_an_account(self, client: Client) -> None:
        restriction(account("acct_harbour"))
        restriction(account("acct_other"))
        _, known = service_key("restrictions:read")

        listed = client.get("/api/v1/restrictions?account=acct_harbour", **known).json()["restrictions"]

        assert [one["account"] for one in listed] == ["acct_harbour"]

    @pytest.mark.parametrize(("flag", "listed"), [("true", 1), ("1", 1), ("false", 2), ("0", 2)])
    def test_shows_those_in_force_where_that_is_asked(self, client: Client, flag: str, listed: int) -> None:
        for _ in range(2):
            restriction(Account.objects.get_or_create(external_id="acct_harbour", first_seen_at=NOW)[0])
        _, known = service_key("restrictions:read")

        answer = client.get(f"/api/v1/restrictions?live={flag}", **known)

        assert len(answer.json()["restrictions"]) == listed

    @pytest.mark.parametrize(
        "query",
        ["live=maybe", "live=True", "live=", "live=1&live=0", "acount=a", "before=x", "before=-1", "account=%00"],
    )
    def test_refuses_a_question_that_does_not_fit(self, client: Client, query: str) -> None:
        _, known = service_key("restrictions:read")

        assert client.get(f"/api/v1/restrictions?{query}", **known).status_code == 400
