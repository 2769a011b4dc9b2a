"""A check and clients that see the database go back in time: whom they refuse, and what pages say."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.test import Client

from stillwatch_gateway import Gateway
from tests.factories import account, service_key
from tests.front import Served, served
from tests.waiting import PATIENCE

LOST = ("acct_1", "acct_2", "acct_3")
AFTER = ("acct_4", "acct_5")


@pytest.fixture
def front() -> Iterator[Served]:
    with served() as running:
        assert running.front.replica.wait_until_loaded(PATIENCE)  # by then there is an epoch
        yield running


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts clients, each with a folder of its name."""
    with ExitStack() as stack:

        def started(front: Served, name: str = "a", *, wait: float = PATIENCE) -> Gateway:
            gateway = Gateway(front.url, front.secret, tmp_path / name, instance=f"{name} {id(object())}")
            stack.callback(gateway.close)
            gateway.start(wait)
            return gateway

        yield started


def block_over_the_api(*names: str) -> None:
    _, key = service_key("restrictions:write", name="machines")
    for name in names:
        account(name)
        asked = {"account": name, "kind": "block", "reason": "bulk_harvest"}
        assert Client().post("/api/v1/restrictions", asked, "application/json", **key).status_code == 201


def refused_by_check(front: Served, *names: str) -> set[str]:
    return {name for name in names if front.check(account=name)["decision"] == "deny"}


def refused_by(gateway: Gateway, *names: str) -> set[str]:
    return {name for name in names if not gateway.decide(account=name).allowed}


def has_begun_an_epoch(front: Served) -> bool:
    return front.front.replica.restricted.sequence > 1_000_000


def words(client: Client, page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(page).content.decode()).split())
