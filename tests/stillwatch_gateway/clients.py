"""Clients beside a check that is served as in production, whose free plan fails closed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from governance.restrictions.models import Restriction
from stillwatch_gateway import Gateway
from tests.factories import account, restriction
from tests.front import Served, served
from tests.servers import free_port
from tests.waiting import PATIENCE


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    with served(closed_plans=("free",)) as one:
        yield one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def connect(folder: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts clients that share a folder, one after the other."""
    with ExitStack() as stack:

        def started(front: Served, *, wait: float = PATIENCE, **options: Any) -> Gateway:
            gateway = Gateway(front.url, front.secret, folder, instance="a", **options)
            stack.callback(gateway.close)
            gateway.start(wait)
            return gateway

        yield started


def block(name: str) -> Restriction:
    return restriction(account(name), at=timezone.now())


def unreachable(front: Served) -> Served:
    front.url = f"http://127.0.0.1:{free_port()}"
    return front
