"""One attempt to tell one receiver."""

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from standardwebhooks import Webhook as Signer

from governance.restrictions.models import Change
from governance.webhooks.addresses import AddressError, connection_to
from governance.webhooks.models import Delivery

WHOLE_SECONDS: Final = 15.0
MOST_BYTES: Final = 64 * 2**10
LONGEST_RETRY_AFTER: Final = 3600
# A receiver that is not there, or asks for quiet: whatever the message was.
ABSENT: Final = {None, 429, 502, 503, 504}


class Attempt(NamedTuple):
    """What came of it: a status, or why there is none; and the seconds the receiver asks to be left alone."""

    status: int | None
    error: str = ""
    retry_after: int | None = None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_unavailable(self) -> bool:
        return self.status in ABSENT


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
        "webhook-signature": " ".join(Signer(secret).sign(name, now.astimezone(UTC), body) for secret in secrets),
    }


def attempt(url: str, body: str, sent: dict[str, str], *, now: datetime) -> Attempt:
    """Post it, once. A redirect is an answer like any other, and not followed; proxies are not asked."""
    try:
        receiver = connection_to(url)
        receiver.connect()
    except AddressError as error:
        return Attempt(None, str(error))
    except (OSError, ValueError) as error:
        return Attempt(None, _kind(error))
    try:
        with _ending(receiver.sock):
            parts = urlsplit(url)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            receiver.request("POST", target, body.encode(), sent)
            answer = receiver.getresponse()
            answer.read(MOST_BYTES)
        return Attempt(answer.status, "", _retry_after(answer.getheader("Retry-After"), now=now))
    except (OSError, HTTPException, ValueError) as error:
        return Attempt(None, _kind(error))
    finally:
        receiver.close()


@contextmanager
def _ending(connected: socket.socket) -> Iterator[None]:
    """Raises TimeoutError where it takes too long, since a receiver that sends a little now and then must end too.

    It holds the socket itself: where an answer is to close the connection, the connection has let go of it by then.
    """
    ended = threading.Event()

    def end() -> None:
        ended.set()
        with suppress(OSError):
            # Not the shutdown of an encrypted socket, which changes it while another thread reads from it.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    connected.settimeout(WHOLE_SECONDS)
    deadline = threading.Timer(WHOLE_SECONDS, end)
    deadline.start()
    try:
        yield
    except (OSError, HTTPException, ValueError) as error:
        if ended.is_set():
            raise TimeoutError from error
        raise
    finally:
        deadline.cancel()
        deadline.join()
    if ended.is_set():
        raise TimeoutError  # what was cut off looks like a short answer


def _kind(error: Exception) -> str:
    """Only the kind of an error: its text may hold what is nobody's business."""
    return "No answer in time." if isinstance(error, TimeoutError) else type(error).__name__


def _retry_after(given: str | None, *, now: datetime) -> int | None:
    """The seconds that are asked for, by number or by date; at most an hour."""
    if given is None:
        return None
    if given.isascii() and given.isdigit():
        return min(int(given[:9]), LONGEST_RETRY_AFTER)
    try:
        asked = (parsedate_to_datetime(given) - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(int(asked), 0), LONGEST_RETRY_AFTER)
