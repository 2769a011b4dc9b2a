"""Whether a service key is usable, asked by an event loop."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import connections
from django.utils import timezone

from governance.staff.actions import authenticate_service_key

REMEMBERED_SECONDS: Final = 5.0
_MOST_REMEMBERED: Final = 10_000


class UsableKeys:
    """Answers for some seconds what it knows, since views look at the key themselves before they act."""

    def __init__(self, threads: int = 4) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="keys")
        self._until: dict[str, float] = {}

    async def is_usable(self, secret: str) -> bool:
        """Raises DatabaseError."""
        now = time.monotonic()
        if self._until.get(secret, 0.0) > now:
            return True
        is_usable = await asyncio.get_running_loop().run_in_executor(self._threads, _is_usable, secret)
        if len(self._until) >= _MOST_REMEMBERED:
            self._until.clear()
        if is_usable:
            self._until[secret] = now + REMEMBERED_SECONDS
        return is_usable


def _is_usable(secret: str) -> bool:
    try:
        return authenticate_service_key(secret, now=timezone.now()) is not None
    finally:
        connections.close_all()
