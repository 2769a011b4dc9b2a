"""Keep the two gateways of the demonstration asking while Stillwatch runs: one follows, the other reports old changes.

Both ask over HTTP as any gateway does, the first by the client for Python.
"""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from governance.demo.gateways import STUCK_INSTANCE, GatewaySecrets
from stillwatch_gateway import Gateway

REPORTS_EVERY: Final = 10.0  # seconds
_PATIENCE: Final = 5.0  # seconds


@contextmanager
def running_gateways(secrets: GatewaySecrets, check_url: str, folder: Path) -> Iterator[None]:
    """Until the block ends. `folder` keeps what the client knows between two starts."""
    # Their page says what is wrong with them. The terminal is for what is wrong with Stillwatch.
    logging.getLogger("stillwatch_gateway").setLevel(logging.CRITICAL)
    following = Gateway(check_url, secrets.following, folder)
    ended = threading.Event()
    stuck = threading.Thread(target=_report_stuck, args=(secrets, check_url, ended), name="demo-west", daemon=True)
    following.start(wait=0)
    stuck.start()
    try:
        yield
    finally:
        ended.set()
        following.close()
        stuck.join(_PATIENCE)


def _report_stuck(secrets: GatewaySecrets, check_url: str, ended: threading.Event) -> None:
    """Report the same old change again and again."""
    body = json.dumps({"after": secrets.stopped_at, "instance": STUCK_INSTANCE, "wait": 0}).encode()
    headers = {"Authorization": f"Bearer {secrets.behind}", "Content-Type": "application/json"}
    while not ended.is_set():
        asked = Request(f"{check_url}/api/v1/access/changes", body, headers)  # noqa: S310 - Stillwatch's own address
        with suppress(OSError, URLError, HTTPException), urlopen(asked, timeout=_PATIENCE) as answer:  # noqa: S310
            answer.read()
        ended.wait(REPORTS_EVERY)
