"""A real LiteLLM proxy as docs/litellm.md says: it asks the hot check before each request, or its own client."""

import secrets
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from governance.gateways.queries import enforcement_status
from governance.gateways.restriction_status import EnforcementStatus
from governance.gateways.status import EnforcementState
from governance.restrictions.actions import lift
from governance.staff.models import ServiceKey
from tests.factories import MACHINE, account, known_service_key, restriction
from tests.front import Served, served
from tests.gateways import documented
from tests.gateways.conftest import VENV
from tests.gateways.litellm.proxy import LiteLlm
from tests.servers import free_port
from tests.waiting import PATIENCE

pytestmark = pytest.mark.long

CONFIGS = Path(__file__).parent / "litellm"
SECRET = f"swk_{secrets.token_urlsafe(32)}"


@pytest.fixture(scope="module", params=["guardrail", "hook"])
def proxy(
    request: pytest.FixtureRequest, litellm_installed: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LiteLlm, int]]:
    """LiteLLM, and the port at which it looks for Stillwatch."""
    port = free_port()
    folder = tmp_path_factory.mktemp(request.param)
    config = CONFIGS / "hook.yaml"
    if request.param == "guardrail":
        shutil.copy(CONFIGS / "customers.py", folder)  # LiteLLM looks for it beside its configuration
        config = folder / "guardrail.yaml"
        config.write_text(documented.litellm(stillwatch=f"http://127.0.0.1:{port}"))
    litellm = LiteLlm(
        VENV / "bin/litellm",
        folder,
        config=config,
        PYTHONPATH=str(settings.BASE_DIR),
        STILLWATCH_FOLDER=str(folder / "stillwatch"),
        STILLWATCH_URL=f"http://127.0.0.1:{port}",
        STILLWATCH_KEY=SECRET,
    )
    try:
        litellm.wait_until_ready()
        yield litellm, port
    finally:
        litellm.end()


@pytest.fixture
def litellm(proxy: tuple[LiteLlm, int]) -> LiteLlm:
    return proxy[0]


@pytest.fixture
def front(proxy: tuple[LiteLlm, int], transactional_db: None) -> Iterator[Served]:
    known_service_key(SECRET, ServiceKey.Scope.ACCESS_READ, name="litellm-eu")
    with served(port=proxy[1]) as one:
        yield one


def nested(depth: int) -> dict[str, Any]:
    """A schema inside a schema, so many times."""
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def ask(litellm: LiteLlm, key: str = "sk-harbour") -> tuple[int, str]:
    messages = [{"role": "user", "content": "How tall is the Eiffel Tower?"}]
    status, body = litellm.ask("/v1/chat/completions", key=key, model="flagship-2", messages=messages)
    return status, body.decode()


def wait_for(litellm: LiteLlm, *, served: bool) -> str:
    until = time.monotonic() + PATIENCE
    while True:
        status, body = ask(litellm)
        if (status == 200) is served:
            return body
        assert time.monotonic() < until, body


def refused_provably(front: Served, number: int) -> EnforcementStatus:
    """What is known of the restriction, once a refusal was reported: the client does so with its next question.

    A gateway that was not heard of yet is nowhere.
    """
    until = time.monotonic() + PATIENCE
    while True:
        front.front.telemetry.flush()
        for at in enforcement_status([number], now=timezone.now())[number]:
            if at.refused:
                return at
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_blocked_team_is_refused_provably_and_let_in_again_and_others_are_served(
    litellm: LiteLlm, front: Served, request: pytest.FixtureRequest
) -> None:
    asks = "guardrail" in request.node.callspec.id  # the hook follows the feed instead
    unasked = UNASKED if asks else set()
    team = account("team_harbour")
    before = ask(litellm)[0]

    block = restriction(team, at=timezone.now())
    refused = wait_for(litellm, served=False)
    other = ask(litellm, "sk-quill")[0]
    got_through = served_in_spite_of_a_block(litellm)
    at = refused_provably(front, block.number)
    lift(block, note="a mistake", by=MACHINE, now=timezone.now())
    wait_for(litellm, served=True)

    assert (before, other) == (200, 200)
    assert set(got_through) <= unasked
    assert f"R-{block.number}" in refused
    assert (at.gateway, at.state) == (
        "litellm-eu",
        EnforcementState.NEXT_QUESTION if asks else EnforcementState.REPORTED,
    )
    assert at.refused_after is not None
    assert at.refused_after > timedelta(0)


QUESTION = {"role": "user", "content": "How tall is the Eiffel Tower?"}
ODD: dict[str, dict[str, Any]] = {
    "long prompt": {"messages": [QUESTION | {"content": "x" * 34 * 2**20}]},
    "many messages": {"messages": [QUESTION] * 5_000},
    "deep tool": {"tools": [{"type": "function", "function": {"name": "f", "parameters": nested(400)}}]},
    "odd tools": {"tools": [{"type": "odd"}, {"type": 7}, {"function": None}]},
    "tools that are none": {"tools": [[], "x", None]},
    "not a number": {"temperature": float("nan"), "messages": [QUESTION | {"weight": float("inf")}]},
    "half a character": {"messages": [QUESTION | {"content": "\ud800"}]},
    "zero byte": {"messages": [QUESTION | {"content": "a\0b"}]},
    "no text": {"messages": [QUESTION | {"content": None}]},
    "no messages": {"messages": []},
    "image": {"messages": [QUESTION | {"content": [{"type": "image_url", "image_url": {"url": "data:image/png;x"}}]}]},
    "odd role": {"messages": [{"role": "stranger", "content": "Hello"}]},
    "metadata": {"metadata": {"user_api_key_team_id": "team_good", "headers": {"a": "b"}}, "litellm_metadata": {}},
    "guardrails": {"guardrails": [], "disable_global_guardrails": True, "disable_global_guardrail": True},
    "user": {"user": "user_quill", "team_id": "team_good"},
}


# LiteLLM asks no guardrail about a request without text, as docs/litellm.md says.
UNASKED = {"no text", "no messages", "image"}


def served_in_spite_of_a_block(litellm: LiteLlm) -> dict[str, bytes]:
    """The requests of the blocked team that are served because of how they are written."""
    answers = {}
    for name, members in ODD.items():
        body = {"model": "flagship-2", "messages": [QUESTION]} | members
        status, answer = litellm.ask("/v1/chat/completions", key="sk-harbour", **body)
        if status == 200:
            answers[name] = answer[:200]
    return answers


def test_everybody_is_served_while_stillwatch_cannot_be_reached(litellm: LiteLlm) -> None:
    assert ask(litellm)[0] == 200
