"""Whom LiteLLM serves again once nothing is in force against them, and whom it keeps blocked."""

from datetime import timedelta

import pytest

from governance.gateways.litellm.push import push, reconcile
from governance.gateways.models import Gateway, LiteLlmPush
from governance.restrictions.actions import end_expired, lift
from governance.restrictions.models import Restriction
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.gateways.litellm_server import QUILL, LiteLlmServer

pytestmark = pytest.mark.django_db
Kind = Restriction.Kind
MINUTE = timedelta(minutes=1)


def ended(one: Restriction) -> None:
    lift(one, note="", by=MACHINE, now=NOW)


class TestLettingGo:
    def test_follows_the_lifting(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        litellm_api.key(QUILL, user="user_quill")
        blocks = [restriction(account(name)) for name in ("team_harbour", "user_quill")]
        push(gateway, NOW)
        for block in blocks:
            ended(block)

        done = push(gateway, NOW)

        assert litellm_api.blocked == set()
        assert sorted(done.unblocked) == [f"key {QUILL}", "team team_harbour"]
        assert not LiteLlmPush.objects.exists()

    def test_follows_the_end_of_its_time_before_anybody_noted_that(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"), Kind.SUSPEND, until=NOW + MINUTE)
        push(gateway, NOW)

        push(gateway, NOW + MINUTE)

        assert litellm_api.blocked == set()
        end_expired(now=NOW + MINUTE)
        assert push(gateway, NOW + MINUTE).failed == {}

    def test_waits_until_nothing_is_in_force_any_more(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        harbour = account("team_harbour")
        block = restriction(harbour)
        restriction(harbour, Kind.SUSPEND, until=NOW + MINUTE)
        push(gateway, NOW)
        ended(block)

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour"}

    def test_of_an_account_leaves_its_key_that_is_blocked_by_itself(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.key(QUILL, user="user_quill")
        owner = account("user_quill")
        block = restriction(owner)
        restriction(api_key(owner, QUILL))
        push(gateway, NOW)
        ended(block)

        push(gateway, NOW)

        assert litellm_api.blocked == {QUILL}

    def test_never_touches_what_an_operator_blocked(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour", blocked=True)
        block = restriction(account("team_harbour"))
        push(gateway, NOW)
        ended(block)

        push(gateway, NOW)
        reconcile(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour"}
        assert litellm_api.changes == []

    def test_gets_over_a_team_that_is_gone(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        block = restriction(account("team_harbour"))
        push(gateway, NOW)
        del litellm_api.teams["team_harbour"]
        ended(block)

        assert push(gateway, NOW).failed == {}
        assert not LiteLlmPush.objects.exists()
