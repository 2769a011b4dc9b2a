"""No customer gets past a gateway by the way a request is written, with the check failing open, as documented."""

import hashlib
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from governance.staff.service_keys import issue_service_key
from tests.factories import MACHINE, account, api_key, restriction
from tests.flows.web_server import running_check
from tests.gateways.hostile import ODD, PLAIN
from tests.gateways.process import running
from tests.gateways.proxies import PROXIES
from tests.gateways.upstream import Upstream, serving
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until

GOOD, BAD = b"sk-good", b"sk-harvester"


def sent(port: int, request: bytes) -> bytes:
    """The answer, without what the gateway says before it (100 Continue)."""
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(request)
        while not _is_whole(answer) and (piece := line.recv(2**16)):
            answer += piece
            if answer.startswith(b"HTTP/1.1 100 ") and b"\r\n\r\n" in answer:
                answer = answer.partition(b"\r\n\r\n")[2]
    return answer


def _is_whole(answer: bytes) -> bool:
    """Whether all is there that the headers say, since not every gateway closes the connection."""
    head, end, body = answer.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end and lengths) and len(body) >= int(lengths[0].split(b":")[1])


def status(answer: bytes) -> int:
    words = answer.split(maxsplit=2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def reached(upstream: Upstream, key: bytes) -> bool:
    return any(key in head for head in upstream.heads)


@pytest.fixture
def secret(transactional_db: None) -> str:
    """That of a gateway's service key, where a customer is blocked whose API key is known by its digest."""
    harvester = account("acct_harvester")
    key = api_key(harvester, "key_1")
    key.digest = hashlib.sha256(BAD).digest()
    key.save()
    restriction(harvester, at=timezone.now())
    return issue_service_key(name="edge", scopes=["access:read"], by=MACHINE, now=timezone.now())[1]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with serving() as one:
        yield one


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_blocked_customer_reaches_the_api_by_no_request(
    secret: str, upstream: Upstream, proxy: str, tmp_path: Path
) -> None:
    with (
        running_check() as stillwatch,
        PROXIES[proxy](tmp_path, upstream=upstream.port, stillwatch=stillwatch, key=secret) as port,
    ):
        wait_until(lambda: status(sent(port, PLAIN["ordinary"](BAD, GOOD))) == 403, "the block is in force")
        upstream.heads.clear()

        got_through = []
        for name, request in (PLAIN | ODD).items():
            upstream.heads.clear()
            answer = sent(port, request(BAD, GOOD))
            if reached(upstream, BAD):
                got_through.append((name, status(answer)))
        refused = {name: status(sent(port, request(BAD, GOOD))) for name, request in PLAIN.items()}
        served = {name: status(sent(port, request(GOOD, GOOD))) for name, request in PLAIN.items()}

    assert got_through == []
    assert set(refused.values()) == {403}, refused
    assert set(served.values()) == {200}, served


@pytest.mark.parametrize("proxy", PROXIES)
def test_customers_are_served_while_stillwatch_cannot_be_reached(
    secret: str, upstream: Upstream, proxy: str, tmp_path: Path
) -> None:
    """Else the test above would show nothing: the documented configurations do fail open."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        stillwatch = nobody.getsockname()[1]
    with PROXIES[proxy](tmp_path, upstream=upstream.port, stillwatch=stillwatch, key=secret) as port:
        answers = [status(sent(port, PLAIN[name](GOOD, GOOD))) for name in ("ordinary", "large body")]

    assert answers == [200, 200]


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_a_blocked_customer_is_served_by_no_request_behind_a_middleware(
    secret: str, interface: str, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", interface, "--port", str(port), "--no-ws"]
    with running_check() as stillwatch:
        environment = {
            "STILLWATCH_URL": f"http://127.0.0.1:{stillwatch}",
            "STILLWATCH_KEY": secret,
            "STILLWATCH_FOLDER": str(tmp_path / "kept"),
        }
        command += ["--log-level", "error", f"tests.gateways.guarded:{interface}"]
        with running(command, port, tmp_path, cwd=settings.BASE_DIR, **environment):
            wait_until(lambda: status(sent(port, PLAIN["ordinary"](BAD, GOOD))) == 403, "the block is in force")
            answers = {name: sent(port, request(BAD, GOOD)) for name, request in (PLAIN | ODD).items()}
            served = {name: status(sent(port, request(GOOD, GOOD))) for name, request in PLAIN.items()}

    assert [name for name, answer in answers.items() if status(answer) == 200 and BAD in answer] == []
    assert {name for name, answer in served.items() if answer != 200} <= {"a hundred and twenty headers"}
