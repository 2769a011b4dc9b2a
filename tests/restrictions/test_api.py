from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from governance.audit.models import Entry
from governance.restrictions.models import Restriction
from tests.factories import account, api_key, campaign_of, restriction, service_key
from tests.restrictions.api_calls import BLOCK, check, post, restrict

pytestmark = pytest.mark.django_db


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

    @pytest.mark.parametrize(
        "query", ["", "account=a&api_key=b", "account=" + "a" * 129, "account=%2520", "account=%ff"]
    )
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
        _, known = service_key("restrictions:write")

        first, again = (post(client, BLOCK, **known) for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert Restriction.objects.count() == 1

    def test_is_done_once_for_a_unique_key_though_it_names_something_twice(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        twice = BLOCK | {"kind": "withhold", "withheld": ["logprobs", "reasoning", "logprobs"]}

        first, again = (post(client, twice, **known) for _ in range(2))

        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["withheld"] == ["logprobs", "reasoning"]

    def test_answers_a_unique_key_that_was_used_otherwise_with_a_conflict(self, client: Client) -> None:
        account("acct_harbour")
        account("acct_other")
        _, known = service_key("restrictions:write")
        post(client, BLOCK, **known)

        response = post(client, BLOCK | {"account": "acct_other"}, **known)

        assert response.status_code == 409
        assert response.json()["number"] == 1
        assert response.json()["differences"] == {
            "target": {"before": "account acct_harbour", "now": "account acct_other"}
        }

    @pytest.mark.parametrize(
        ("member", "before", "now"),
        [
            ("reason", "bulk_harvest", "other"),
            ("kind", "block", "suspend"),
            ("terms_clause", "", "2.3"),
            ("expires_at", None, "2099-01-01T00:00:00Z"),
        ],
    )
    def test_says_in_what_a_second_request_with_its_key_differs(
        self, client: Client, member: str, before: Any, now: Any
    ) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        post(client, BLOCK, **known)

        response = post(client, BLOCK | {member: now}, **known)

        assert response.status_code == 409
        assert response.json()["differences"] == {member: {"before": before, "now": now}}
        assert member in response.json()["detail"]
        assert Restriction.objects.count() == 1

    def test_says_which_lists_differ(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        withhold = BLOCK | {"kind": "withhold", "withheld": ["logprobs"]}
        post(client, withhold, **known)

        response = post(client, withhold | {"withheld": ["logprobs", "reasoning"]}, **known)

        assert response.status_code == 409
        assert "withheld (logprobs, now logprobs, reasoning)" in response.json()["detail"]

    def test_must_end_after_it_starts(self, client: Client) -> None:
        account("acct_harbour")

        response = restrict(client, starts_at="2099-01-02T00:00:00Z", expires_at="2099-01-01T00:00:00Z")

        assert response.status_code == 400
        assert "expires_at must be after starts_at" in str(response.json())

    def test_says_when_there_is_no_such_campaign(self, client: Client) -> None:
        _, known = service_key("restrictions:write")

        response = post(client, {"campaign": "0" * 32, "kind": "block", "reason": "other"}, **known)

        assert response.status_code == 404
        assert "There is no such campaign" in str(response.json())

    def test_takes_the_same_start_again_once_it_is_past(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        soon = BLOCK | {"starts_at": (timezone.now() - timedelta(hours=1)).isoformat()}

        assert [post(client, soon, **known).status_code for _ in range(2)] == [201, 200]
        assert post(client, soon | {"starts_at": "2099-01-01T00:00:00Z"}, **known).status_code == 409

    def test_takes_a_key_for_an_account_that_was_used_for_a_campaign_as_another_request(self, client: Client) -> None:
        campaign = campaign_of(account("acct_harbour"))
        _, known = service_key("restrictions:write")
        of_all = {name: value for name, value in BLOCK.items() if name != "account"} | {"campaign": str(campaign.pk)}

        assert [post(client, body, **known).status_code for body in (of_all, BLOCK)] == [201, 409]

    def test_belongs_to_the_service_key_that_gave_its_key(self, client: Client) -> None:
        account("acct_harbour")
        account("acct_other")

        answers = [restrict(client), restrict(client, account="acct_other")]

        assert [answer.status_code for answer in answers] == [201, 201]

    def test_is_a_new_one_each_time_without_a_key(self, client: Client) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")
        body = {name: value for name, value in BLOCK.items() if name != "unique_key"}

        numbers = [post(client, body, **known).json()["number"] for _ in range(2)]

        assert numbers == [1, 2]

    @pytest.mark.parametrize(
        ("headers", "members"),
        [({"Idempotency-Key": "k" * 129}, {}), ({}, {"unique_key": "k" * 129}), ({"Idempotency-Key": "\x00"}, {})],
    )
    def test_refuses_a_key_that_cannot_be_kept(
        self, client: Client, headers: dict[str, str], members: dict[str, str]
    ) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")

        assert post(client, BLOCK | members, headers=headers, **known).status_code == 422
        assert not Restriction.objects.exists()

    def test_takes_the_longest_key_for_a_campaign_of_the_longest_names(self, client: Client) -> None:
        campaign = campaign_of(account("a" * 128), account("b" * 128))
        _, known = service_key("restrictions:write")
        body = {"campaign": str(campaign.pk), "kind": "block", "reason": "other"}

        answer = post(client, {"restrictions": [body]}, headers={"Idempotency-Key": "k" * 128}, **known).json()

        assert [one["status"] for one in answer["results"]] == [201]

    @pytest.mark.parametrize("flag", ["true", "false", "True", 1, 0, "", None, [], {}])
    def test_does_nothing_for_a_dry_run_that_is_no_boolean(self, client: Client, flag: Any) -> None:
        account("acct_harbour")

        assert restrict(client, dry_run=flag).status_code == 400
        assert not Restriction.objects.exists()

    @pytest.mark.parametrize("member", ["dryRun", "dry-run", "until", "Dry_Run"])
    def test_does_nothing_for_a_member_that_is_misspelt(self, client: Client, member: str) -> None:
        account("acct_harbour")

        response = restrict(client, **{member: True})  # type: ignore[arg-type] # none of them is `scope`

        assert response.status_code == 400
        assert member in response.json()["errors"]
        assert not Restriction.objects.exists()

    @pytest.mark.parametrize(
        ("query", "status", "made"),
        [("true", 200, 0), ("1", 200, 0), ("false", 201, 1), ("0", 201, 1), ("yes", 400, 0), ("", 400, 0)],
    )
    def test_reads_a_dry_run_in_the_query(self, client: Client, query: str, status: int, made: int) -> None:
        account("acct_harbour")
        _, known = service_key("restrictions:write")

        response = post(client, BLOCK, address=f"/api/v1/restrictions?dry_run={query}", **known)

        assert (response.status_code, Restriction.objects.count()) == (status, made)

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
