"""One attempt to tell one receiver."""

import json
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from standardwebhooks import Webhook as Signer

from governance.enforcement.models import Change, Delivery
from governance.enforcement.webhooks.addresses import AddressError, connection_to

WHOLE_SECONDS: Final = 15.0
MOST_BYTES: Final = 64 * 2**10
LONGEST_RETRY_AFTER: Final = 24 * 3600


class Attempt(NamedTuple):
    """What came of it: a status, or why there is none; and the seconds the receiver asks to be left alone."""

    status: int | None
    error: str = ""
    retry_after: int | None = None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def message(delivery: Delivery) -> str:
    """What is told. The same words in every attempt, since only its time and signature are new."""
    change = delivery.change
    if change is None:
        body: dict[str, Any] = {"type": "webhook.test", "timestamp": delivery.created_at.isoformat(), "data": {}}
    else:
        body = {
            "type": f"restriction.{change.what}",
            "timestamp": change.at.isoformat(),
            "data": {"sequence": change.number, "restriction": change.told or _ended(change)},
        }
    return json.dumps(body, separators=(",", ":"), sort_keys=True)


def _ended(change: Change) -> dict[str, Any]:
    restriction = change.restriction
    return {
        "number": restriction.number,
        "kind": restriction.kind,
        "reason": restriction.reason,
        "account": restriction.account.external_id if restriction.account else None,
        "key": restriction.key.external_id if restriction.key else None,
        "organisation": restriction.organisation.external_id if restriction.organisation else None,
        "ending": restriction.ending,
    }


def headers(delivery: Delivery, body: str, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """By the specification: one signature for each secret that is in use, so that secrets can be changed in flight."""
    name = f"msg_{delivery.pk.hex}"
    return {
        "Content-Type": "application/json",
        "User-Agent": "Stillwatch",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(name, now, body) for secret in secrets),
    }


def attempt(url: str, body: str, sent: dict[str, str]) -> Attempt:
    """Post it, once. A redirect is an answer like any other, and not followed; proxies are not asked."""
    try:
        receiver = connection_to(url)
        receiver.connect()
    except AddressError as error:
        return Attempt(None, str(error))
    except OSError as error:
        return Attempt(None, _kind(error))
    # A receiver that sends a little now and then must come to an end too.
    deadline = threading.Timer(WHOLE_SECONDS, _cut, [receiver])
    deadline.start()
    try:
        if receiver.sock is not None:
            receiver.sock.settimeout(WHOLE_SECONDS)
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        receiver.request("POST", target, body.encode(), sent)
        answer = receiver.getresponse()
        answer.read(MOST_BYTES)
        return Attempt(answer.status, "", _retry_after(answer.getheader("Retry-After")))
    except (OSError, HTTPException) as error:
        return Attempt(None, _kind(error))
    finally:
        deadline.cancel()
        receiver.close()


def _cut(receiver: HTTPConnection) -> None:
    if receiver.sock is not None:
        with suppress(OSError):
            receiver.sock.shutdown(socket.SHUT_RDWR)


def _kind(error: Exception) -> str:
    """Only the kind of an error: its text may hold what is nobody's business."""
    return "No answer in time." if isinstance(error, TimeoutError) else type(error).__name__


def _retry_after(given: str | None) -> int | None:
    if given is None or not (given.isascii() and given.isdigit() and len(given) < 9):
        return None
    return min(int(given), LONGEST_RETRY_AFTER)
