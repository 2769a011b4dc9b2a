from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from governance.audit.models import Entry
from governance.platform.expiry import delete_expired_rows
from governance.restrictions.models import Restriction
from tests.factories import NOW, account, api_key, campaign_of, restriction, service_key, training_licence

pytestmark = pytest.mark.django_db

BLOCK = {"account": "acct_harbour", "kind": "block", "reason": "bulk_harvest", "unique_key": "incident-7"}


def check(client: Client, query: str, *, scope: str = "access:read") -> Any:
    _, known = service_key(scope)
    return client.get(f"/api/v1/access/check?{query}", **known)


def post(client: Client, body: Any, *, address: str = "/api/v1/restrictions", **known: Any) -> Any:
    return client.post(address, body, content_type="application/json", **known)


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
