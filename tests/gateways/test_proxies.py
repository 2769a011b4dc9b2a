"""A real nginx and a real Envoy, configured as docs/gateways.md says, refuse a blocked customer and let others in."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Account
from governance.gateways.models import Gateway, Refusal
from governance.restrictions.actions import lift
from tests.factories import MACHINE, account, api_key, restriction
from tests.front import Served, served
from tests.gateways.process import ask, status
from tests.gateways.proxies import PROXIES
from tests.gateways.upstream import serving
from tests.waiting import wait_until

GOOD, BAD = "sk-good", "sk-harvester"


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served() as one:
        yield one


@pytest.fixture(params=list(PROXIES))
def proxy(request: pytest.FixtureRequest, front: Served, tmp_path: Path) -> Iterator[int]:
    """The port at which customers are served."""
    with serving() as upstream:
        start = PROXIES[request.param]
        with start(tmp_path, upstream=upstream.port, stillwatch=front.port, key=front.secret) as port:
            yield port


@pytest.fixture
def harvester(front: Served) -> Account:
    """Somebody whose key is registered by its digest, as the seller's export has it."""
    owner = account("acct_harvester")
    key = api_key(owner, "key_1")
    key.digest = hashlib.sha256(BAD.encode()).digest()
    key.save()
    return owner


def answers(port: int, secret: str) -> int:
    return status(port, Authorization=f"Bearer {secret}")[0]


def wait_for(port: int, wanted: int) -> None:
    """Wait until the harvester is answered so."""
    wait_until(lambda: answers(port, BAD) == wanted)


def test_a_block_is_obeyed_at_once_and_so_is_its_lifting(proxy: int, harvester: Account, front: Served) -> None:
    before = answers(proxy, BAD)

    block = restriction(harvester, at=timezone.now())
    wait_for(proxy, 403)
    refused, good = status(proxy, Authorization=f"Bearer {BAD}"), answers(proxy, GOOD)
    lift(block, note="a mistake", by=MACHINE, now=timezone.now())
    wait_for(proxy, 200)

    assert (before, good) == (200, 200)
    assert f"R-{block.number}" in refused[1]
    assert "harvest" not in refused[1]
    front.front.telemetry.flush()
    assert Refusal.objects.get().restriction_id == block.number
    assert Gateway.objects.get().name == "litellm"


def test_a_customer_who_sends_stillwatchs_own_headers_gains_nothing(proxy: int, harvester: Account) -> None:
    restriction(harvester, at=timezone.now())
    wait_for(proxy, 403)

    headers = {"X-Stillwatch-Account": "acct_good", "X-Stillwatch-Key": "swk_mine", "X-Stillwatch-Key-Digest": "00"}
    assert status(proxy, Authorization=f"Bearer {BAD}", **headers)[0] == 403


def test_a_key_that_cannot_be_read_is_no_restriction_with_a_number(proxy: int) -> None:
    refused = ask(proxy, Authorization="Bearer", X_Api_Key="")

    unreadable = ask(proxy, X_Api_Key=" ".join(["word"] * 70))

    assert {refused.status, unreadable.status} <= {400, 401, 403}
    assert "R-" not in unreadable.body


def test_a_blocked_customer_is_not_told_why(proxy: int, harvester: Account) -> None:
    block = restriction(harvester, at=timezone.now())
    wait_for(proxy, 403)

    refused = ask(proxy, Authorization=f"Bearer {BAD}")

    said = {name.lower(): value for name, value in refused.headers.items()}
    assert not [name for name in said if "stillwatch" in name]
    assert block.reason not in f"{said} {refused.body}"
    assert said["content-type"] == "application/json"
