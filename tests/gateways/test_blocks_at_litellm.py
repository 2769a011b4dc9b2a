"""Whom a block blocks at LiteLLM, against a server that answers as LiteLLM does: LiteLLM itself needs a database."""

from datetime import timedelta

import pytest

from accounts.actions import register_accounts
from accounts.models import Account, Organisation
from accounts.register import AccountLine, ApiKeyValue
from governance.gateways.litellm.push import push
from governance.gateways.models import Gateway
from governance.restrictions.models import Restriction
from governance.restrictions.publication import cover_new_names
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.gateways.litellm_server import HARBOUR, LONE, QUILL, LiteLlmServer

pytestmark = pytest.mark.django_db
Kind = Restriction.Kind
MINUTE = timedelta(minutes=1)


class TestABlock:
    def test_of_an_account_blocks_its_team(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        litellm_api.team("team_quill")
        restriction(account("team_harbour"))

        done = push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour"}
        assert done.blocked == ["team team_harbour"]

    def test_of_an_account_that_is_a_user_blocks_the_keys_that_it_owns_outside_teams(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.key(QUILL, user="user_quill")
        litellm_api.key(HARBOUR, user="user_quill", team="team_harbour")
        litellm_api.key(LONE, user="user_quill_2")
        restriction(account("user_quill"))

        push(gateway, NOW)

        assert litellm_api.blocked == {QUILL}

    def test_of_a_user_reaches_all_pages_of_its_keys(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        for number in range(230):
            litellm_api.key(f"{number:064x}", user="user_quill")
        restriction(account("user_quill"))

        push(gateway, NOW)

        assert len(litellm_api.blocked) == 230

    def test_of_an_account_that_is_a_key_blocks_the_key(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.key(LONE, user="default_user_id")
        restriction(account(LONE))

        push(gateway, NOW)

        assert litellm_api.blocked == {LONE}

    def test_of_a_key_blocks_that_key_only(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        for key in (HARBOUR, QUILL):
            litellm_api.key(key, team="team_harbour")
        owner = account("team_harbour")
        api_key(owner, QUILL)
        restriction(api_key(owner, HARBOUR))

        push(gateway, NOW)

        assert litellm_api.blocked == {HARBOUR}

    def test_of_a_key_knows_it_by_its_digest(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.key(HARBOUR)
        key = api_key(account(), "key_5521")
        key.digest = bytes.fromhex(HARBOUR)
        key.save()
        restriction(key)

        push(gateway, NOW)

        assert litellm_api.blocked == {HARBOUR}

    def test_of_an_organisation_blocks_its_accounts(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        for team in ("team_harbour", "team_quill", "team_else"):
            litellm_api.team(team)
        account("team_harbour", organisation="org_quay")
        account("team_quill", organisation="org_quay")
        account("team_else")
        restriction(Organisation.objects.get())

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour", "team_quill"}

    def test_covers_an_account_that_comes_to_the_organisation_later(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_new")
        account("team_harbour", organisation="org_quay")
        restriction(Organisation.objects.get())
        push(gateway, NOW)
        account("team_new", organisation="org_quay")
        cover_new_names(now=NOW)

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_new"}

    def test_lets_go_an_account_that_left_the_organisation(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        for team in ("team_harbour", "team_quill"):
            litellm_api.team(team)
            account(team, organisation="org_quay")
        restriction(Organisation.objects.get())
        push(gateway, NOW)
        register_accounts([AccountLine(account="team_quill", organisation="org_else")], by=MACHINE, now=NOW)
        cover_new_names(now=NOW)

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour"}

    @pytest.mark.parametrize("with_key", [True, False], ids=["moved", "given another digest"])
    def test_lets_go_a_key_that_its_account_has_no_longer(
        self, litellm_api: LiteLlmServer, gateway: Gateway, *, with_key: bool
    ) -> None:
        for secret in (HARBOUR, QUILL):
            litellm_api.key(secret)
        key = ApiKeyValue("key_1", digest=HARBOUR)
        register_accounts([AccountLine(account="acct_harbour", keys=[key])], by=MACHINE, now=NOW)
        restriction(Account.objects.get())
        push(gateway, NOW)
        before = set(litellm_api.blocked)
        moved = AccountLine(account="acct_free", keys=[key])
        changed = AccountLine(account="acct_harbour", keys=[ApiKeyValue("key_1", digest=QUILL)])
        register_accounts([moved if with_key else changed], by=MACHINE, now=NOW)
        cover_new_names(now=NOW)

        push(gateway, NOW)

        assert before == {HARBOUR}
        assert litellm_api.blocked == (set() if with_key else {QUILL})

    def test_reaches_all_accounts_of_an_organisation_that_grew_before_the_push(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        for team in ("team_harbour", "team_new"):
            litellm_api.team(team)
        account("team_harbour", organisation="org_quay")
        restriction(Organisation.objects.get())
        account("team_new", organisation="org_quay")
        cover_new_names(now=NOW)

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour", "team_new"}

    def test_asks_of_nobody_else_when_its_organisation_grows(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        for number in range(3):
            account(f"team_{number}", organisation="org_quay")
        restriction(Organisation.objects.get())
        push(gateway, NOW)
        account("team_new", organisation="org_quay")
        cover_new_names(now=NOW)

        done = push(gateway, NOW)

        assert done.unknown == ["account team_new"]

    def test_stands_for_a_suspension_as_well(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"), Kind.SUSPEND, until=NOW + MINUTE)

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour"}

    @pytest.mark.parametrize("kind", [Kind.WATCH, Kind.WARN, Kind.WITHHOLD, Kind.VERIFY])
    def test_is_not_what_a_milder_kind_means(self, litellm_api: LiteLlmServer, gateway: Gateway, kind: Kind) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"), kind)

        push(gateway, NOW)

        assert (litellm_api.blocked, litellm_api.changes) == (set(), [])

    def test_never_hits_what_is_litellms_own(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("litellm-dashboard")
        litellm_api.key(LONE, user="default_user_id")
        for name in ("litellm-dashboard", "default_user_id"):
            restriction(account(name))

        push(gateway, NOW)

        assert litellm_api.blocked == set()

    def test_that_begins_later_is_pushed_when_its_time_comes(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"), starts_at=NOW + MINUTE)
        push(gateway, NOW)
        assert litellm_api.blocked == set()

        push(gateway, NOW + MINUTE)

        assert litellm_api.blocked == {"team_harbour"}
