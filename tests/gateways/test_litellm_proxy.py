"""Requests through a real LiteLLM proxy, whose callback is configured as docs/litellm.md says."""

import hashlib
import itertools
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Account
from governance.usage import api
from governance.usage.actions import IntakeResult, record_events
from governance.usage.models import UsageEvent
from tests.gateways.litellm.proxy import LiteLlm
from tests.usage.spend_log_server import spend_log_server
from tests.waiting import PATIENCE

pytestmark = pytest.mark.long

CALLBACKS = 3

WaitForUsage = Callable[[int], list[IntakeResult]]

_numbers = itertools.count(1)


def digest(key: str) -> str:
    """By which LiteLLM names a key."""
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def wait_for_usage(monkeypatch: pytest.MonkeyPatch) -> WaitForUsage:
    """Waits until every callback has told of so many requests; what became of the batches."""
    outcomes: list[IntakeResult] = []

    def recorded(*args: Any, **options: Any) -> IntakeResult:
        outcomes.append(record_events(*args, **options))
        return outcomes[-1]

    def wait(requests: int) -> list[IntakeResult]:
        until = time.monotonic() + PATIENCE
        while sum(o.accepted + o.duplicate + len(o.rejected) for o in outcomes) < CALLBACKS * requests:
            assert time.monotonic() < until, outcomes
            time.sleep(0.1)
        return outcomes

    monkeypatch.setattr(api, "record_events", recorded)
    return wait


def chat(litellm: LiteLlm, *, key: str = "sk-harbour", model: str = "flagship-2", **members: Any) -> int:
    """LiteLLM's status. No two ask the same, or else a cache would answer."""
    members.setdefault("messages", [{"role": "user", "content": f"Translate into Portuguese: {next(_numbers)}"}])
    status, _ = litellm.ask("/v1/chat/completions", key=key, model=model, **members)
    return status


class TestARequestThroughLiteLlm:
    def test_arrives_once_however_often_it_is_told(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        chat(litellm)

        outcomes = wait_for_usage(1)

        assert sum(outcome.accepted for outcome in outcomes) == 1
        assert sum(outcome.duplicate for outcome in outcomes) == 2
        assert UsageEvent.objects.count() == 1

    def test_is_the_accounts_with_its_key_and_tokens(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        chat(litellm)

        wait_for_usage(1)

        event = UsageEvent.objects.get()
        assert event.account.external_id == "team_harbour"
        assert event.account.organisation is not None
        assert event.account.organisation.external_id == "org_quay"
        assert event.api_key == digest("sk-harbour")
        assert (event.input_tokens, event.output_tokens, event.status) == (10, 20, "ok")
        assert (event.model, event.ip, event.user_agent) == ("flagship-2", "127.0.0.1", "Harbour/1.0")

    def test_says_how_the_model_was_asked_and_for_whom(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        tool = {"type": "function", "function": {"name": "search", "parameters": {}}}
        chat(litellm, user="u_9", temperature=0.7, n=2, logprobs=True, top_logprobs=3, max_tokens=50, seed=4,
             response_format={"type": "json_object"}, tools=[tool], metadata={"session_id": "chat_4"})  # fmt: skip

        wait_for_usage(1)

        event = UsageEvent.objects.get()
        assert (event.temperature, event.n, event.max_tokens, event.seeded) == (0.7, 2, 50, True)
        assert (event.logprobs, event.top_logprobs) == (True, 3)
        assert (event.response_format, event.tools, event.stream) == ("json_object", 1, False)
        assert (event.end_user, event.conversation) == ("u_9", "chat_4")

    def test_is_fingerprinted_and_keeps_no_word(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        system = {"role": "system", "content": "You know animals."}
        chat(litellm, messages=[system, {"role": "user", "content": "Tell me about the quokka"}])

        wait_for_usage(1)

        event = UsageEvent.objects.values().get()
        assert None not in {event["prompt_digest"], event["system_digest"], event["template_digest"]}
        assert "quokka" not in str(event)

    def test_may_be_streamed(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        chat(litellm, stream=True)

        wait_for_usage(1)

        event = UsageEvent.objects.get()
        assert (event.stream, event.status, event.conversation) == (True, "ok", None)
        assert (event.output_tokens or 0) > 0

    def test_may_fail(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        statuses = [chat(litellm, model="crowded"), chat(litellm, model="no such model")]

        wait_for_usage(2)

        assert statuses == [429, 400]
        assert set(UsageEvent.objects.values_list("model", "status", "account__external_id")) == {
            ("crowded", "rate_limited", "team_harbour"),
            ("unknown-model", "error", "team_harbour"),
        }

    def test_is_the_users_without_a_team_and_the_keys_without_either(
        self, litellm: LiteLlm, wait_for_usage: WaitForUsage
    ) -> None:
        for key in ("sk-quill", "sk-lone"):
            chat(litellm, key=key)

        wait_for_usage(2)

        assert set(Account.objects.values_list("external_id", flat=True)) == {"user_quill", digest("sk-lone")}


class TestACustomer:
    def test_cannot_pass_for_another(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        names = ("user_api_key_team_id", "user_api_key_user_id", "user_api_key_org_id", "user_api_key_hash")
        chat(litellm, key="sk-quill", user="team_harbour", metadata=dict.fromkeys(names, "team_harbour"))

        wait_for_usage(1)

        assert UsageEvent.objects.get().account.external_id == "user_quill"

    def test_cannot_ask_not_to_be_counted(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        unlogged: dict[str, Any] = {"no-log": True}
        chat(litellm, **unlogged)

        wait_for_usage(1)

        assert UsageEvent.objects.count() == 1

    def test_cannot_make_one_of_many_requests_by_giving_them_one_id(
        self, litellm: LiteLlm, wait_for_usage: WaitForUsage
    ) -> None:
        for _ in range(3):
            chat(litellm, headers={"x-litellm-call-id": "mine"})

        wait_for_usage(3)

        assert UsageEvent.objects.count() == 3

    def test_is_nobody_with_a_wrong_key(self, litellm: LiteLlm, wait_for_usage: WaitForUsage) -> None:
        status = chat(litellm, key="sk-guessed")

        outcomes = wait_for_usage(1)

        assert status == 401
        assert {rejection.reason for outcome in outcomes for rejection in outcome.rejected} == {
            "no account: LiteLLM knows no team, user or key of this request"
        }
        assert not Account.objects.exists()


class TestReconciling:
    """Against the rows that LiteLLM's own code makes for its spend logs, from a server that lists them as LiteLLM does.

    LiteLLM itself keeps them in a database that it cannot have here.
    """

    def test_knows_every_request_again_that_the_callback_delivered(
        self, litellm: LiteLlm, wait_for_usage: WaitForUsage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows_before = len(litellm.rows())
        query = [{"role": "user", "content": "Asked twice, and answered from the cache"}]
        for members in ({"stream": True}, {"model": "crowded"}, {"messages": query}, {"messages": query}):
            chat(litellm, **members)
        litellm.ask("/v1/embeddings", key="sk-harbour", model="embedder", input=["one text", "another"])
        litellm.ask("/v1/completions", key="sk-harbour", model="flagship-2", prompt="Once upon a time")
        litellm.ask("/v1/responses", key="sk-harbour", model="flagship-2", input="Hello", instructions="Be kind")
        wait_for_usage(7)
        rows = litellm.rows()[rows_before:]
        assert len(rows) == UsageEvent.objects.count() == 7
        lost = UsageEvent.objects.filter(operation="embeddings")
        lost.delete()

        with spend_log_server(rows, key="sk-admin") as server:
            monkeypatch.setenv("LITELLM_MASTER_KEY", "sk-admin")
            out = reconciled(server.url)

        assert "1 gap filled, 6 requests were here already, 0 rejected" in out
        assert lost.get().account.external_id == "team_harbour"


def reconciled(url: str) -> str:
    now, out = timezone.now(), StringIO()
    with time_machine.travel(now + timedelta(hours=1)):
        since, until = (now + timedelta(minutes=minutes) for minutes in (-30, 30))
        call_command("reconcile_litellm", url, f"--from={since.isoformat()}", f"--to={until.isoformat()}", stdout=out)
    return out.getvalue()
