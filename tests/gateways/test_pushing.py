"""A push to LiteLLM: what it asks, what it does where LiteLLM fails, and what it proves."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from governance.gateways.epochs import begin_epoch, ensure_epoch
from governance.gateways.fleet import enforcement_overview
from governance.gateways.litellm.admin_api import LiteLlmError
from governance.gateways.litellm.push import push, push_all, reconcile_due
from governance.gateways.models import Gateway, GatewayInstance, PropagationEntry
from governance.gateways.queries import enforcement_status
from governance.platform.locks import Lock
from governance.restrictions.actions import lift
from tests.factories import MACHINE, NOW, account, restriction
from tests.gateways.litellm_server import KEY, LiteLlmServer
from tests.gateways.somebody_else import somebody_else_has

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


class TestPushing:
    def test_twice_does_nothing_the_second_time(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))

        for _ in range(2):
            push(gateway, NOW)
            Gateway.objects.update(pushed_sequence=0)
        push(gateway, NOW)

        assert litellm_api.changes == [("/team/update", "team_harbour")]

    def test_asks_nothing_but_whether_litellm_is_well_where_nothing_has_changed(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))
        push(gateway, NOW)
        litellm_api.asked.clear()

        push(gateway, NOW)

        assert [path for path, _ in litellm_api.asked] == ["/key/list"]

    def test_skips_whom_litellm_does_not_know_and_says_so(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        for name in ("acct_elsewhere", "team_harbour"):
            restriction(account(name))

        done = push(gateway, NOW)

        assert (done.unknown, done.failed) == (["account acct_elsewhere"], {})
        assert litellm_api.blocked == {"team_harbour"}
        gateway.refresh_from_db()
        assert gateway.pushed_sequence == 2

    def test_takes_many_changes_in_portions(
        self, litellm_api: LiteLlmServer, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("governance.gateways.litellm.push.CHANGES_AT_ONCE", 2)
        for number in range(5):
            litellm_api.team(f"team_{number}")
            restriction(account(f"team_{number}"))

        push(gateway, NOW)

        assert len(litellm_api.blocked) == 5
        gateway.refresh_from_db()
        assert gateway.pushed_sequence == 5

    def test_passes_over_the_numbers_that_an_epoch_leaves_out(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_harbour")
        ensure_epoch(now=NOW)
        restriction(account("team_quill"))
        push(gateway, NOW)
        begin_epoch(reason="The database was put back.", by=MACHINE, now=NOW)
        number = restriction(account("team_harbour")).number

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour"}
        assert set(PropagationEntry.objects.values_list("sequence", flat=True)) == {1, number}

    def test_that_fails_for_one_name_puts_the_others_into_force_and_does_not_count_as_done(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        for team in ("team_a", "team_b", "team_c"):
            litellm_api.team(team)
            restriction(account(team))
        litellm_api.failing = {"team_b"}

        done = push(gateway, NOW)

        assert litellm_api.blocked == {"team_a", "team_c"}
        assert done.failed == {"account team_b": "it answers 500: The database has failed for …."}
        gateway.refresh_from_db()
        assert gateway.pushed_sequence == 0
        litellm_api.failing = set()
        push(gateway, NOW)
        assert litellm_api.blocked == {"team_a", "team_b", "team_c"}

    def test_believes_only_what_it_reads_back(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        litellm_api.deaf = {"team_harbour"}
        restriction(account("team_harbour"))

        done = push(gateway, NOW)

        assert done.failed == {"team team_harbour": "it took the request, and has it unblocked still"}
        assert not PropagationEntry.objects.exists()

    def test_leaves_it_to_whoever_is_pushing_already(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))

        with somebody_else_has(Lock.LITELLM_SYNC, gateway):
            push(gateway, NOW)

        assert litellm_api.blocked == set()
        push(gateway, NOW)
        assert litellm_api.blocked == {"team_harbour"}

    def test_fails_where_litellm_cannot_be_reached(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        restriction(account("team_harbour"))
        Gateway.objects.update(litellm_url="http://127.0.0.1:1")
        gateway.refresh_from_db()

        with pytest.raises(LiteLlmError, match="cannot be reached"):
            push(gateway, NOW)

    def test_gives_up_where_nothing_comes_back_for_one_name_after_another(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        for number in range(10):
            restriction(account(f"team_{number}"))
        litellm_api.silent = {f"team_{number}" for number in range(10)}

        with pytest.raises(LiteLlmError, match="cannot be reached"):
            push(gateway, NOW)

        assert {name for _, name in litellm_api.asked} & litellm_api.silent == {"team_0", "team_1", "team_2"}

    def test_goes_on_where_litellm_hangs_up_on_an_idle_connection(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.hangs_up = True
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))

        assert push(gateway, NOW).failed == {}
        assert litellm_api.blocked == {"team_harbour"}

    def test_of_one_gateway_is_no_matter_of_another(
        self, litellm_api: LiteLlmServer, gateway: Gateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        Gateway.objects.create(
            name="dead", created_at=NOW, litellm_url="http://127.0.0.1:1", litellm_key=gateway.litellm_key
        )
        Gateway.objects.create(name="lost", created_at=NOW, litellm_url=litellm_api.url, litellm_key=b"nonsense")
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))

        with caplog.at_level(logging.WARNING):
            push_all(now=NOW)
            reconcile_due(now=NOW)

        assert litellm_api.blocked == {"team_harbour"}
        assert "LiteLLM of dead" in caplog.text
        assert "LiteLLM of lost" in caplog.text
        assert KEY not in caplog.text


class TestTheProof:
    def test_says_that_litellm_has_it_and_since_when(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        litellm_api.team("team_harbour")
        number = restriction(account("team_harbour")).number

        push(gateway, NOW)

        [at] = enforcement_status([number], now=NOW + timedelta(seconds=2))[number]
        assert at.sentence == "in force at litellm: pushed to LiteLLM’s own blocks"
        assert at.took is not None
        assert at.took > timedelta(0)
        assert (GatewayInstance.objects.get().instance, PropagationEntry.objects.get().sequence) == ("pushed", number)

    def test_stays_fresh_while_nothing_changes(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        restriction(account("acct_elsewhere"))
        push(gateway, NOW)

        push(gateway, NOW + 10 * MINUTE)

        [state] = enforcement_overview(now=NOW + 10 * MINUTE, most=1).gateways
        assert (state.lag, state.trouble) == (0, "")
        assert PropagationEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestWorkersThatPushAtOnce:
    def test_leave_litellm_as_it_ought_to_be(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        blocks = []
        for number in range(6):
            litellm_api.team(f"team_{number}")
            blocks.append(restriction(account(f"team_{number}")))

        def work(place: int) -> None:
            try:
                if place % 2:
                    lift(blocks[place], note="", by=MACHINE, now=NOW)
                push(gateway, NOW)
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(work, range(6)))

        assert litellm_api.blocked == {"team_0", "team_2", "team_4"}
