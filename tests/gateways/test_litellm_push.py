"""Blocks in LiteLLM's own proxy, whose routes, authentication and caches are real; only its tables are in memory."""

import hashlib
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import Account
from governance.gateways.actions import connect_litellm
from governance.gateways.litellm.admin_api import LiteLlm, LiteLlmError, LiteLlmObject, UnknownNameError
from governance.gateways.litellm.push import push, reconcile
from governance.gateways.models import DriftRepair, Gateway, LiteLlmPush
from governance.restrictions.actions import lift
from governance.restrictions.models import Restriction
from tests.factories import MACHINE, account, api_key, restriction
from tests.gateways.conftest import VENV
from tests.servers import end, free_port
from tests.waiting import PATIENCE

pytestmark = pytest.mark.long

CONFIG = Path(__file__).parent / "litellm/push_config.yaml"
MASTER = f"sk-{secrets.token_urlsafe(32)}"

TEAM, KEY = LiteLlmPush.Kind.TEAM, LiteLlmPush.Kind.KEY


def digest(key: str) -> str:
    """By which LiteLLM names a key."""
    return hashlib.sha256(key.encode()).hexdigest()


class Proxy:
    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, *, key: str, body: bytes = b"") -> int:
        caller = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            caller.request(method, path, body, headers)
            return caller.getresponse().status
        finally:
            caller.close()

    def chat(self, key: str) -> int:
        """How a customer fares: 200, or 401 when blocked."""
        body = b'{"model": "flagship-2", "messages": [{"role": "user", "content": "Hello"}]}'
        return self.ask("POST", "/v1/chat/completions", key=key, body=body)

    def answers(self) -> bool:
        try:
            return self.ask("GET", "/health/liveliness", key=MASTER) == 200
        except OSError:
            return False

    def client(self) -> LiteLlm:
        return LiteLlm(self.url, key=MASTER)


@pytest.fixture(scope="session")
def proxy(litellm_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder, made = tmp_path_factory.mktemp("litellm-push"), Proxy(free_port())
    command = ["-m", "uvicorn", "--port", str(made.port), "--log-level", "warning"]
    said = folder / "litellm.log"
    own = {
        "CONFIG_FILE_PATH": str(CONFIG),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MASTER_KEY": MASTER,
    }
    with said.open("w") as log:
        process = subprocess.Popen(
            [VENV / "bin/python", *command, "--app-dir", settings.BASE_DIR, "tests.gateways.litellm.push_proxy:app"],
            env={name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ} | own,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + PATIENCE
        while not made.answers():
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < until, said.read_text()
            time.sleep(0.2)
        yield made
    finally:
        end(process)


@pytest.fixture
def gateway(proxy: Proxy, db: None) -> Iterator[Gateway]:
    yield connect_litellm("litellm", proxy.url, key=MASTER, by=MACHINE, now=timezone.now())
    with proxy.client() as client:
        client.set_blocked(LiteLlmObject(TEAM, "team_harbour"), blocked=False)
        for key in ("sk-harbour", "sk-quill", "sk-quill-in-harbour", "sk-lone"):
            client.set_blocked(LiteLlmObject(KEY, digest(key)), blocked=False)


def blocked(of: Any) -> Restriction:
    return restriction(of, at=timezone.now())


class TestABlock:
    @pytest.mark.parametrize(
        ("name", "refused", "served"),
        [
            ("team_harbour", {"sk-harbour", "sk-quill-in-harbour"}, {"sk-quill", "sk-lone"}),
            ("user_quill", {"sk-quill"}, {"sk-harbour", "sk-quill-in-harbour", "sk-lone"}),
            (digest("sk-lone"), {"sk-lone"}, {"sk-harbour", "sk-quill"}),
        ],
        ids=["team", "user", "key"],
    )
    def test_of_an_account_refuses_its_keys_at_once_and_lets_them_in_again(
        self, proxy: Proxy, gateway: Gateway, name: str, refused: set[str], served: set[str]
    ) -> None:
        # LiteLLM remembers whom it has served.
        assert {proxy.chat(key) for key in refused | served} == {200}
        block = blocked(account(name))

        done = push(gateway, timezone.now())

        assert done.failed == {}
        assert {key: proxy.chat(key) for key in refused} == dict.fromkeys(refused, 401)
        assert {key: proxy.chat(key) for key in served} == dict.fromkeys(served, 200)
        lift(block, note="", by=MACHINE, now=timezone.now())
        push(gateway, timezone.now())
        assert {proxy.chat(key) for key in refused | served} == {200}

    def test_of_a_key_leaves_its_team(self, proxy: Proxy, gateway: Gateway) -> None:
        blocked(api_key(account("team_harbour"), digest("sk-harbour")))

        push(gateway, timezone.now())

        assert (proxy.chat("sk-harbour"), proxy.chat("sk-quill-in-harbour")) == (401, 200)

    def test_skips_whom_litellm_does_not_know(self, proxy: Proxy, gateway: Gateway) -> None:
        blocked(account("acct_elsewhere"))
        blocked(api_key(Account.objects.get(), digest("sk-elsewhere")))

        done = push(gateway, timezone.now())

        assert (len(done.unknown), done.failed) == (2, {})

    def test_that_somebody_undid_is_put_back(self, proxy: Proxy, gateway: Gateway) -> None:
        blocked(account("team_harbour"))
        push(gateway, timezone.now())
        with proxy.client() as client:
            client.set_blocked(LiteLlmObject(TEAM, "team_harbour"), blocked=False)

        reconcile(gateway, timezone.now())

        assert proxy.chat("sk-harbour") == 401
        assert DriftRepair.objects.get().mended


class TestLiteLlmItself:
    def test_forgets_to_tell_its_processes_of_a_team_that_is_blocked_as_documented(self, proxy: Proxy) -> None:
        """Why a team is blocked by `/team/update`: should this fail, `/team/block` has become good enough."""
        assert proxy.chat("sk-harbour") == 200
        with proxy.client() as client:
            assert proxy.ask("POST", "/team/block", key=MASTER, body=b'{"team_id": "team_harbour"}') == 200
            assert client.is_team_blocked("team_harbour")
            assert proxy.chat("sk-harbour") == 200
            client.set_blocked(LiteLlmObject(TEAM, "team_harbour"), blocked=False)

    def test_knows_what_it_does_not_know(self, proxy: Proxy) -> None:
        with proxy.client() as client:
            for thing in (LiteLlmObject(TEAM, "team_nobody"), LiteLlmObject(KEY, digest("sk-nobody"))):
                with pytest.raises(UnknownNameError, match="404"):
                    client.is_blocked(thing)
                with pytest.raises(UnknownNameError, match="404"):
                    client.set_blocked(thing, blocked=True)

    @pytest.mark.parametrize("key", ["sk-nobody", "sk-quill", "sk-lone"])
    def test_lets_in_nobody_but_an_admin(self, proxy: Proxy, key: str) -> None:
        with LiteLlm(proxy.url, key=key) as client, pytest.raises(LiteLlmError, match=r"it answers 40[13]"):
            client.check()
