import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from stillwatch_gateway import Gateway
from tests.stillwatch_gateway.feed import SECRET, Feed, feed
from tests.waiting import PATIENCE


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Feed]:
    """Says to gateways what a test wants; they do not pause for long after what went wrong."""
    monkeypatch.setattr("stillwatch_gateway.follower.LONGEST_PAUSE", 0.01)
    caplog.set_level(logging.INFO, "stillwatch_gateway")
    with feed() as one:
        yield one


@pytest.fixture
def connect(server: Feed, tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways that keep what they know in a folder of this name."""
    with ExitStack() as stack:

        def started(*, wait: float = PATIENCE, folder: str = "kept", **options: Any) -> Gateway:
            gateway = Gateway(server.url, SECRET, tmp_path / folder, **options)
            stack.callback(gateway.close)
            gateway.start(wait)
            return gateway

        yield started
