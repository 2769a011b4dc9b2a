"""What LiteLLM answers is looked at before it is believed: nobody counts as blocked, or let go, by a strange answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from governance.gateways.litellm import admin_api
from governance.gateways.litellm.admin_api import LiteLlm, LiteLlmError, UnknownNameError
from governance.gateways.litellm.push import push
from governance.gateways.models import Gateway, GatewayInstance, LiteLlmPush
from governance.restrictions.actions import lift
from tests.factories import MACHINE, NOW, account, api_key, restriction
from tests.gateways.litellm_server import KEY, LiteLlmServer

HARBOUR = "a" * 64
NO_LITELLM = "it answers, but not as LiteLLM does: is this its address?"


@pytest.fixture
def litellm(litellm_api: LiteLlmServer) -> Iterator[LiteLlm]:
    with LiteLlm(litellm_api.url, key=KEY) as client:
        yield client


class TestAnAnswer:
    @pytest.mark.parametrize(
        "said",
        [b"<html>Welcome</html>", b"[" * 100_000, [], {}, {"keys": "all", "total_pages": 1}, {"keys": []}],
        ids=["a page", "nested", "a list", "no keys", "keys in a word", "no pages"],
    )
    def test_of_another_server_is_named_as_such(self, litellm: LiteLlm, litellm_api: LiteLlmServer, said: Any) -> None:
        litellm_api.says["/key/list"] = 200, said

        with pytest.raises(LiteLlmError) as refused:
            litellm.check()

        assert str(refused.value) == NO_LITELLM

    @pytest.mark.parametrize("said", [{}, {"team_info": None}, {"team_info": {"team_id": "team_harbour"}}])
    def test_that_does_not_say_whether_a_team_is_blocked_is_no_answer(
        self, litellm: LiteLlm, litellm_api: LiteLlmServer, said: Any
    ) -> None:
        litellm_api.says["/team/info"] = 200, said

        with pytest.raises(LiteLlmError, match="not as LiteLLM does"):
            litellm.is_team_blocked("team_harbour")

    @pytest.mark.parametrize(
        ("said", "words"),
        [
            ({"error": {"message": "No."}}, "it answers 500: No."),
            ({"error": {"message": {"error": "No database."}}}, "it answers 500: No database."),
            ({"detail": {"message": "No."}}, "it answers 500: No."),
            (b"<h1>Bad gateway</h1>", "it answers 500"),
        ],
    )
    def test_that_is_an_error_is_quoted_where_the_words_are_litellms(
        self, litellm: LiteLlm, litellm_api: LiteLlmServer, said: Any, words: str
    ) -> None:
        litellm_api.says["/key/list"] = 500, said

        with pytest.raises(LiteLlmError) as refused:
            litellm.check()

        assert str(refused.value) == words

    def test_that_never_ends_is_cut_off(self, litellm_api: LiteLlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(admin_api, "MOST_BYTES", 1_000)
        litellm_api.says["/key/list"] = 200, {"keys": ["a" * 2_000], "total_pages": 1}

        with LiteLlm(litellm_api.url, key=KEY) as client, pytest.raises(LiteLlmError, match="1,000 bytes"):
            client.check()

    def test_of_a_key_that_was_deleted_names_no_key(self, litellm: LiteLlm, litellm_api: LiteLlmServer) -> None:
        litellm_api.key(HARBOUR)
        litellm_api.keys[HARBOUR]["status"] = "deleted"

        with pytest.raises(UnknownNameError):
            litellm.key(HARBOUR)


@pytest.mark.parametrize(("url", "key"), [("http://[::1", KEY), ("http://127.0.0.1", ""), ("http://127.0.0.1", "a b")])
def test_neither_address_nor_key_can_be_anything(url: str, key: str) -> None:
    with pytest.raises(LiteLlmError):
        LiteLlm(url, key=key)


@pytest.mark.django_db
class TestAPush:
    def test_that_got_no_answer_is_undone_with_its_restriction(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        """LiteLLM did block: were that taken for another's block, it would stay for ever."""
        litellm_api.team("team_harbour")
        litellm_api.takes_in_silence = {"/team/update"}
        block = restriction(account("team_harbour"))
        done = push(gateway, NOW)
        blocked_without_an_answer = set(litellm_api.blocked)
        litellm_api.takes_in_silence = set()
        lift(block, note="", by=MACHINE, now=NOW)

        push(gateway, NOW)

        assert "cannot be reached" in done.failed["team team_harbour"]
        assert blocked_without_an_answer == {"team_harbour"}
        assert litellm_api.blocked == set()
        assert not LiteLlmPush.objects.exists()

    def test_changes_nothing_for_whom_an_operator_has_let_go_already(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_harbour")
        block = restriction(account("team_harbour"))
        push(gateway, NOW)
        litellm_api.team("team_harbour")
        lift(block, note="", by=MACHINE, now=NOW)
        litellm_api.asked.clear()

        push(gateway, NOW)

        assert litellm_api.changes == []
        assert not LiteLlmPush.objects.exists()

    def test_passes_over_a_key_that_litellm_does_not_have(self, litellm_api: LiteLlmServer, gateway: Gateway) -> None:
        restriction(api_key(account("team_harbour"), HARBOUR))

        done = push(gateway, NOW)

        assert (done.unknown, done.failed) == ([f"key {HARBOUR}"], {})

    def test_puts_everything_into_force_when_nothing_was_heard_for_so_long_that_it_is_forgotten(
        self, litellm_api: LiteLlmServer, gateway: Gateway
    ) -> None:
        litellm_api.team("team_harbour")
        restriction(account("team_harbour"))
        GatewayInstance.objects.all().delete()  # as rows are that say what is too old

        push(gateway, NOW)

        assert litellm_api.blocked == {"team_harbour"}
        assert GatewayInstance.objects.get(gateway=gateway).sequence == 1
