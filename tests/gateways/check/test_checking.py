"""The hot check: answered from memory, as fresh as a commit, in the protocol of the gateway that asks."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from governance.gateways.models import Gateway, Refusal
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from governance.staff.models import ServiceKey
from governance.staff.service_keys import issue_service_key, revoke_service_key
from tests.factories import MACHINE, account, api_key, restriction
from tests.front import Served
from tests.waiting import wait_until

Kind = Restriction.Kind
SECRET = "sk-of-the-customer"


def block(of: Any, kind: Restriction.Kind = Kind.BLOCK, **terms: Any) -> int:
    return restriction(of, kind, at=timezone.now(), **terms).number


class TestAsking:
    def test_allows_whom_nothing_is_known_against(self, front: Served) -> None:
        answer = front.check(account="acct_harbour")

        assert (answer["decision"], answer["restriction"], answer["sequence"]) == ("allow", None, 0)

    def test_denies_at_once_whom_the_asker_has_just_blocked(self, front: Served) -> None:
        number = block(account("acct_harbour"))

        answer = front.check(account="acct_harbour", min_sequence=number)

        assert (answer["decision"], answer["reason"]) == ("deny", "bulk_harvest")
        assert answer["restriction"] == {"number": number, "kind": "block"}
        assert answer["sequence"] == number

    def test_says_when_it_is_not_there_yet(self, front: Served) -> None:
        said = front.ask("/access/check?account=acct_harbour&min_sequence=7")

        assert said.status == 503
        assert said.headers["retry-after"] == "1"

    def test_lets_in_at_once_whom_nothing_is_against_any_more(self, front: Served) -> None:
        blocked = restriction(account("acct_harbour"), at=timezone.now())
        lift(blocked, note="a mistake", by=MACHINE, now=timezone.now())

        assert front.check(account="acct_harbour", min_sequence=2)["decision"] == "allow"

    def test_knows_keys_by_id_and_by_digest_and_accounts_by_their_organisation(self, front: Served) -> None:
        harbour = account("acct_harbour", organisation="org_quay")
        key = api_key(harbour, "key_1")
        key.digest = hashlib.sha256(SECRET.encode()).digest()
        key.save()
        number = block(harbour.organisation)

        asked: list[dict[str, Any]] = [
            {"organisation": "org_quay"},
            {"account": "acct_harbour"},
            {"api_key": "key_1"},
            {"key_digest": hashlib.sha256(SECRET.encode()).hexdigest()},
        ]
        assert [front.check(**names, min_sequence=number)["decision"] for names in asked] == ["deny"] * 4

    def test_adds_up_what_milder_restrictions_ask_for(self, front: Served) -> None:
        harbour = account("acct_harbour")
        block(harbour, Kind.THROTTLE, requests_per_minute=60)
        number = block(harbour, Kind.WITHHOLD, withheld=["logprobs", "reasoning"])

        answer = front.check(account="acct_harbour", min_sequence=number)

        assert answer["decision"] == "allow"
        assert answer["limits"] == {"requests_per_minute": 60, "tokens_per_minute": None}
        assert answer["withheld"] == ["logprobs", "reasoning"]
        assert answer["restriction"]["kind"] == "withhold"

    def test_holds_to_the_times_of_a_restriction_without_being_told(self, front: Served) -> None:
        soon, later = timezone.now() + timedelta(hours=1), timezone.now() + timedelta(hours=2)
        number = block(account("acct_harbour"), starts_at=soon, until=later)

        assert front.check(account="acct_harbour", min_sequence=number)["decision"] == "allow"

    @pytest.mark.parametrize(
        "query", ["", "account=", "account=" + "a" * 201, "account=a&min_sequence=x", "account=%ff", "a=1&" * 11]
    )
    def test_refuses_a_question_that_makes_no_sense(self, front: Served, query: str) -> None:
        said = front.ask(f"/access/check?{query}")

        assert said.status == 400
        assert said.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize("body", [[], "x", {"account": 7}, {"account": "a", "min_sequence": "x"}])
    def test_refuses_a_body_that_makes_no_sense(self, front: Served, body: Any) -> None:
        assert front.ask("/access/check", method="POST", body=body).status == 400

    def test_is_all_that_is_answered_here(self, front: Served) -> None:
        assert front.ask("/health/").status == 200
        assert [front.ask(path).status for path in ("/", "/queue/", "/api/v1/usage-events")] == [404] * 3


class TestServiceKeys:
    def test_are_needed(self, front: Served) -> None:
        said = front.ask("/access/check?account=a", key="")

        assert said.status == 401
        assert said.headers["www-authenticate"].startswith("Bearer")

    def test_need_the_scope(self, front: Served) -> None:
        _, secret = issue_service_key(name="other", scopes=["usage:write"], by=MACHINE, now=timezone.now())

        assert front.ask("/access/check?account=a", key=secret).status == 403

    def test_count_from_the_moment_they_are_issued_until_they_are_revoked(self, front: Served) -> None:
        key, secret = issue_service_key(name="other", scopes=["access:read"], by=MACHINE, now=timezone.now())
        before = front.ask("/access/check?account=a", key=secret).status
        revoke_service_key(key, by=MACHINE, now=timezone.now())

        assert before == 200
        wait_until(lambda: front.ask("/access/check?account=a", key=secret).status == 401, "the key is refused")


class TestNginx:
    def ask(self, front: Served, **headers: str) -> Any:
        return front.ask("/access/nginx", x_stillwatch_key=front.secret, **headers)

    def test_is_answered_with_204_or_403_and_headers(self, front: Served) -> None:
        number = block(account("acct_harbour"))
        front.knows(number)

        allowed = self.ask(front, x_stillwatch_account="acct_other")
        denied = self.ask(front, x_stillwatch_account="acct_harbour")

        assert (allowed.status, denied.status) == (204, 403)
        assert denied.headers["x-stillwatch-reason"] == "bulk_harvest"
        assert denied.headers["x-stillwatch-restriction"] == str(number)

    def test_gets_only_statuses_that_it_knows(self, front: Served) -> None:
        unauthorised = front.ask("/access/nginx", x_stillwatch_key="swk_wrong")
        too_long = self.ask(front, x_stillwatch_account="a" * 201)

        assert (unauthorised.status, too_long.status) == (401, 403)

    def test_knows_customers_by_the_key_that_they_show_whatever_else_they_send(self, front: Served) -> None:
        key = api_key(account("acct_harbour"), "key_1")
        key.digest = hashlib.sha256(SECRET.encode()).digest()
        key.save()
        front.knows(block(key))

        honest = self.ask(front, authorization=f"Bearer {SECRET}")
        lying = self.ask(front, authorization=f"Bearer {SECRET}", x_stillwatch_account="acct_other")

        assert (honest.status, lying.status) == (403, 403)


class TestEnvoy:
    def test_is_answered_with_200_or_a_refusal_that_the_customer_can_read(self, front: Served) -> None:
        number = block(account("acct_harbour"))
        front.knows(number)

        def ask(name: str) -> Any:
            return front.ask(
                "/access/envoy/v1/chat/completions",
                method="POST",
                x_stillwatch_key=front.secret,
                x_stillwatch_account=name,
            )

        allowed, denied = ask("acct_other"), ask("acct_harbour")

        assert (allowed.status, denied.status) == (200, 403)
        assert f"R-{number}" in denied.json["error"]["message"]
        assert "harvest" not in denied.body.decode()
        assert not [name for name in denied.headers if "stillwatch" in name.lower()]


class TestLiteLlm:
    def ask(self, front: Served, **metadata: str) -> Any:
        body = {"texts": ["Hello"], "request_data": metadata, "input_type": "request", "litellm_version": "1.80"}
        return front.ask("/beta/litellm_basic_guardrail_api", method="POST", body=body, x_api_key=front.secret).json

    def test_is_told_to_block_by_team_user_key_or_organisation(self, front: Served) -> None:
        for name in ("team_harbour", "user_quill", "a1b2"):
            number = block(account(name))
        front.knows(number)

        answers = [
            self.ask(front, user_api_key_team_id="team_harbour", user_api_key_hash="ffff")["action"],
            self.ask(front, user_api_key_user_id="user_quill", user_api_key_hash="ffff")["action"],
            self.ask(front, user_api_key_hash="a1b2", user_api_key_user_id="default_user_id")["action"],
            self.ask(front, user_api_key_hash="ffff")["action"],
            self.ask(front)["action"],
        ]

        assert answers == ["BLOCKED", "BLOCKED", "BLOCKED", "NONE", "NONE"]

    def test_gives_the_customer_a_number_to_appeal_by(self, front: Served) -> None:
        number = block(account("team_harbour"))
        front.knows(number)

        assert f"R-{number}" in self.ask(front, user_api_key_team_id="team_harbour")["blocked_reason"]


class TestWhatIsNoted:
    def test_names_the_gateway_and_counts_its_refusals(self, front: Served) -> None:
        number = block(account("acct_harbour"))
        for _ in range(3):
            front.check(account="acct_harbour", min_sequence=number)

        front.front.telemetry.flush()

        refusal = Refusal.objects.select_related("gateway").get()
        assert (refusal.gateway.name, refusal.restriction_id, refusal.count) == ("litellm", number, 3)
        assert Gateway.objects.get().asked_at is not None
        assert ServiceKey.objects.get().gateway == refusal.gateway
