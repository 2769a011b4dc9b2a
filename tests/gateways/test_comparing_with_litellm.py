"""What LiteLLM blocks is compared with what is in force, and repaired where it differs."""

from datetime import timedelta

import pytest

from accounts.models import Organisation
from governance.audit.models import Entry
from governance.gateways.litellm.push import push, reconcile, reconcile_due
from governance.gateways.models import DriftRepair, Gateway
from tests.factories import NOW, account, restriction
from tests.gateways.litellm_server import LONE, QUILL, LiteLlmServer

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class TestComparing:
    def test_blocks_again_what_somebody_unblocked(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))
        push(gateway, NOW)
        litellm_api.team("team_harbour")

        reconcile(gateway, NOW + MINUTE)

        assert litellm_api.blocked == {"team_harbour"}
        repair = DriftRepair.objects.get()
        assert (repair.name, repair.blocked, repair.mended) == ("team team_harbour", True, True)
        entry = Entry.objects.get(verb="gateway.repaired")
        assert (entry.subject_id, entry.details["name"]) == ("litellm", "team team_harbour")

    def test_lets_go_what_we_blocked_and_nothing_restricts_any_more(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_harbour")
        harbour = account("team_harbour", organisation="org_quay")
        restriction(Organisation.objects.get())
        push(gateway, NOW)
        harbour.organisation = None
        harbour.save()

        reconcile(gateway, NOW)

        assert litellm_api.blocked == set()
        assert [(repair.blocked, repair.mended) for repair in DriftRepair.objects.all()] == [(False, True)]

    def test_reaches_a_key_that_a_blocked_user_made_meanwhile(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.key(QUILL, user="user_quill")
        restriction(account("user_quill"))
        push(gateway, NOW)
        litellm_api.key(LONE, user="user_quill")

        reconcile(gateway, NOW)

        assert litellm_api.blocked == {QUILL, LONE}

    def test_finds_nothing_where_all_is_well(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))

        reconcile(gateway, NOW)

        assert not DriftRepair.objects.exists()
        gateway.refresh_from_db()
        assert gateway.compared_at == NOW

    def test_says_where_litellm_does_not_take_a_repair(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))
        push(gateway, NOW)
        litellm_api.team("team_harbour")
        litellm_api.deaf = {"team_harbour"}

        reconcile(gateway, NOW)

        repair = DriftRepair.objects.get()
        assert (repair.mended, repair.detail) == (False, "it took the request, and has it unblocked still")

    def test_comes_round_every_five_minutes(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        reconcile_due(now=NOW)
        reconcile_due(now=NOW + MINUTE)
        gateway.refresh_from_db()
        assert gateway.compared_at == NOW

        reconcile_due(now=NOW + 5 * MINUTE)

        gateway.refresh_from_db()
        assert gateway.compared_at == NOW + 5 * MINUTE
