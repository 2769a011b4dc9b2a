"""Connecting a LiteLLM, setting a canary and looking at it from the command line."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.audit.models import Entry
from governance.gateways.litellm.push import push
from governance.gateways.models import CanaryProbe, Gateway, GatewayInstance, LiteLlmPush
from governance.platform.encryption import decrypt_secret
from governance.platform.locks import Lock
from tests.factories import NOW, account, restriction, service_key
from tests.gateways.canary_server import ACCOUNT, CanaryServer, canary_server
from tests.gateways.litellm_server import KEY, LiteLlmServer, litellm_server
from tests.gateways.somebody_else import somebody_else_has

pytestmark = pytest.mark.django_db


def called(*command: str, **options: Any) -> str:
    said = StringIO()
    call_command(*command, stdout=said, **options)
    return said.getvalue()


class TestConnectLitellm:
    @pytest.fixture(autouse=True)
    def _key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LITELLM_MASTER_KEY", KEY)

    def test_keeps_the_key_sealed_and_out_of_the_log(self, litellm_api: LiteLlmServer) -> None:
        said = called("connect_litellm", "litellm", litellm_api.url + "/")

        gateway = Gateway.objects.get()
        assert (gateway.name, gateway.litellm_url) == ("litellm", litellm_api.url)
        assert decrypt_secret(bytes(gateway.litellm_key)) == KEY
        assert KEY.encode() not in bytes(gateway.litellm_key)
        entry = Entry.objects.get(verb="gateway.litellm_connected")
        assert entry.details == {"address": litellm_api.url}
        assert KEY not in said

    def test_has_everything_pushed_anew_where_the_address_is_another(self, litellm_api: LiteLlmServer) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))
        called("connect_litellm", "litellm", litellm_api.url)
        push(Gateway.objects.get(), NOW)
        with litellm_server() as moved:
            moved.team("team_harbour")
            called("connect_litellm", "litellm", moved.url)
            assert not LiteLlmPush.objects.exists()
            assert GatewayInstance.objects.get().sequence == 0

            push(Gateway.objects.get(), NOW)

            assert moved.blocked == {"team_harbour"}

    def test_takes_a_new_key_without_pushing_anew(self, litellm_api: LiteLlmServer) -> None:
        called("connect_litellm", "litellm", litellm_api.url)
        Gateway.objects.update(pushed_sequence=7)

        called("connect_litellm", "litellm", litellm_api.url)

        assert Gateway.objects.get().pushed_sequence == 7

    def test_refuses_a_key_that_litellm_does_not_know(
        self, litellm_api: LiteLlmServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-wrong")

        with pytest.raises(CommandError, match="it answers 401: Authentication Error") as refusal:
            called("connect_litellm", "litellm", litellm_api.url)

        assert "sk-wrong" not in str(refusal.value)
        assert not Gateway.objects.exists()

    def test_needs_a_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("LITELLM_MASTER_KEY")

        with pytest.raises(CommandError, match="LITELLM_MASTER_KEY"):
            called("connect_litellm", "litellm", "https://litellm.example.com")

    def test_follows_no_redirect(self, litellm_api: LiteLlmServer) -> None:
        with litellm_server() as elsewhere:
            litellm_api.redirects_to = elsewhere.url

            with pytest.raises(CommandError, match="it redirects to http:"):
                called("connect_litellm", "litellm", litellm_api.url)

            assert elsewhere.asked == []

    @pytest.mark.parametrize(
        ("url", "why"),
        [
            ("ftp://litellm.example.com", "https"),
            ("http://me:secret@litellm_api.example.com", "nothing after the path"),
            ("http://127.0.0.1:1", "cannot be reached"),
        ],
    )
    def test_refuses_what_is_no_address_of_litellm(self, url: str, why: str) -> None:
        with pytest.raises(CommandError, match=why):
            called("connect_litellm", "litellm", url)

    def test_refuses_a_name_that_cannot_be_shown(self, litellm_api: LiteLlmServer) -> None:
        with pytest.raises(CommandError, match="printable characters"):
            called("connect_litellm", " ", litellm_api.url)

    def test_refuses_a_server_that_is_no_litellm(self, litellm_api: LiteLlmServer) -> None:
        with pytest.raises(CommandError, match=r"it answers 404\."):
            called("connect_litellm", "litellm", litellm_api.url + "/api")


class TestTheCanary:
    @pytest.fixture
    def served(self, transactional_db: None) -> Iterator[CanaryServer]:
        with canary_server() as server:
            yield server

    def test_is_set_without_its_secret_in_the_log(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CANARY", "Authorization: Bearer sk-canary")

        called("set_canary", "edge", ACCOUNT, "https://edge.example.com/v1?key=secret", header_env=["CANARY"])

        entry = Entry.objects.get(verb="gateway.canary_set")
        assert entry.details == {
            "account": ACCOUNT,
            "address": "https://edge.example.com/v1",
            "headers": ["Authorization"],
        }
        assert b"sk-canary" not in bytes(Gateway.objects.get().canary_headers)

    def test_needs_a_header_in_the_variable_that_is_named(self) -> None:
        with pytest.raises(CommandError, match="Set NOWHERE to a header"):
            called("set_canary", "edge", ACCOUNT, "https://edge.example.com/", header_env=["NOWHERE"])

    def test_cannot_be_anything(self) -> None:
        with pytest.raises(CommandError, match="https"):
            called("set_canary", "edge", ACCOUNT, "edge.example.com")

    def test_shows_how_long_the_gateway_takes(self, served: CanaryServer) -> None:
        called("set_canary", "edge", ACCOUNT, served.url)

        refused, let_in = called("probe_gateways").splitlines()

        assert refused.startswith("edge: refused after ")
        assert let_in.startswith("edge: let in again after ")
        assert CanaryProbe.objects.count() == 2

    def test_fails_where_the_gateway_cannot_be_judged(self, served: CanaryServer) -> None:
        called("set_canary", "edge", ACCOUNT, served.url)
        served.instead = 500

        with pytest.raises(CommandError, match="edge"):
            called("probe_gateways", gateway="edge")

    def test_is_left_to_whoever_tests_it_just_now(self, served: CanaryServer) -> None:
        called("set_canary", "edge", ACCOUNT, served.url)

        with somebody_else_has(Lock.CANARY_PROBE, Gateway.objects.get()):
            said = called("probe_gateways")

        assert said == "edge: another process is testing it now.\n"
        assert served.asked == []

    def test_is_said_to_be_misspelt_where_account_or_gateway_is_not_known(self) -> None:
        account(ACCOUNT)
        key, _ = service_key("access:read", name="edge")
        Gateway.objects.create(name="edge", service_key=key, created_at=NOW)

        known = called("set_canary", "edge", ACCOUNT, "https://edge.example.com/v1/models")
        unknown = called("set_canary", "egde", "acct_canray", "https://edge.example.com/v1/models")

        assert len(known.splitlines()) == 1
        assert "Nothing is known of acct_canray yet: check the name." in unknown
        assert "No gateway called egde has asked yet" in unknown

    def test_must_be_there(self) -> None:
        with pytest.raises(CommandError, match="set_canary"):
            called("probe_gateways")
