"""A real LiteLLM proxy, in a virtual environment of its own, whose callback sends to the tests' live server."""

import fcntl
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from governance.gateways.actions import connect_litellm
from governance.gateways.models import Gateway
from governance.staff.models import ServiceKey
from tests.factories import MACHINE, NOW, known_service_key
from tests.gateways.litellm.proxy import LiteLlm
from tests.gateways.litellm_server import KEY, LiteLlmServer, litellm_server

LOCK = Path(__file__).with_name("litellm.txt")
VENV = settings.BASE_DIR / ".venv-litellm"
SECRET = f"swk_{secrets.token_urlsafe(32)}"


@pytest.fixture(scope="session")
def litellm_installed() -> None:
    """Makes the virtual environment, or takes the one that stands where its lock is the same."""
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # against the other workers of pytest-xdist
        wanted, made_of = lock.read(), VENV / "lock.txt"
        if made_of.exists() and made_of.read_bytes() == wanted:
            return
        uv = shutil.which("uv", path=Path(sys.executable).parent) or "uv"
        _run(uv, "venv", "--clear", "--python", sys.executable, VENV)
        _run(uv, "pip", "install", "--python", VENV / "bin/python", "--require-hashes", "-r", LOCK)
        made_of.write_bytes(wanted)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"LiteLLM cannot be installed: {done.stderr.strip()[-300:]}")


@pytest.fixture(scope="session")
def _litellm_process(
    litellm_installed: None,
    django_db_setup: None,  # before LiteLLM, so that it ends after it
    live_server: LiveServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LiteLlm]:
    proxy = LiteLlm(
        VENV / "bin/litellm",
        tmp_path_factory.mktemp("litellm"),
        STILLWATCH_ENDPOINT=f"{live_server.url}/api/v1/sources/litellm",
        STILLWATCH_AUTHORIZATION=f"Bearer {SECRET}",
    )
    try:
        proxy.wait_until_ready()
        yield proxy
    finally:
        proxy.end()


@pytest.fixture
def litellm(_litellm_process: LiteLlm, transactional_db: None) -> LiteLlm:
    """The proxy, whose service key is known to this test's database."""
    known_service_key(SECRET, ServiceKey.Scope.USAGE_WRITE, name="litellm")
    return _litellm_process


@pytest.fixture
def litellm_api() -> Iterator[LiteLlmServer]:
    with litellm_server() as server:
        yield server


@pytest.fixture
def gateway(litellm_api: LiteLlmServer, db: None) -> Gateway:
    """A gateway whose blocks are pushed to the LiteLLM."""
    made = connect_litellm("litellm", litellm_api.url, key=KEY, by=MACHINE, now=NOW)
    litellm_api.asked.clear()
    return made
