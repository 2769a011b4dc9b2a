"""Waiting for what happens in other threads and processes, however slow the machine is."""

import time
from collections.abc import Callable
from typing import Final

# Seconds before a test gives up. Only a test that fails ever waits so long.
PATIENCE: Final = 300.0


def wait_until(true: Callable[[], bool], what: str = "") -> None:
    """Return as soon as `true()` is; fail after `PATIENCE`, and name `what` was waited for."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} s in vain {what and 'until '}{what}"
        time.sleep(0.02)
