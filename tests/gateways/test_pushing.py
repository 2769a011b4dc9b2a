"""Blocks at LiteLLM, against a server that answers as LiteLLM does: LiteLLM itself needs a database for this."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from accounts.actions import register_accounts
from accounts.models import Account, Organisation
from accounts.register import AccountLine, ApiKeyValue
from governance.audit.models import Entry
from governance.gateways.epochs import begin_epoch, ensure_epoch
from governance.gateways.fleet import enforcement_overview
from governance.gateways.litellm.admin_api import LiteLlmError
from governance.gateways.litellm.push import push, push_all, reconcile, reconcile_due
from governance.gateways.models import DriftRepair, Gateway, GatewayInstance, LiteLlmPush, PropagationEntry
from governance.gateways.queries import enforcement_status
from governance.platform.locks import Lock
from governance.restrictions.actions import end_expired, lift
from governance.restrictions.models import Restriction
from governance.restrictions.publication import cover_new_names
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.gateways.litellm_server import KEY, LiteLlmServer
from tests.gateways.somebody_else import somebody_else_has

pytestmark = pytest.mark.django_db
Kind = Restriction.Kind
MINUTE = timedelta(minutes=1)

HARBOUR, QUILL, LONE = ("a" * 64, "b" * 64, "c" * 64)


def ended(one: Restriction) -> None:
    lift(one, note="", by=MACHINE, now=NOW)


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
