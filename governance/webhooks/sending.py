"""One attempt to deliver a message to a receiver."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final, NamedTuple

from standardwebhooks import Webhook as Signer

from governance.platform.outbound import BodyLimit, send
from governance.platform.outbound_errors import OutboundError
from governance.restrictions.models import Change
from governance.webhooks.addresses import AddressError, check_url, is_permitted
from governance.webhooks.models import Delivery

WHOLE_SECONDS: Final = 15.0
MOST_BYTES: Final = 64 * 2**10
LONGEST_RETRY_AFTER: Final = 3600
# The receiver is not there, or asks for a pause: it would answer any other message in the same way.
UNAVAILABLE: Final = {None, 429, 502, 503, 504}


class PostResult(NamedTuple):
    """The result: a status, or why there is none; and how many seconds the receiver asks to wait."""

    status: int | None
    error: str = ""
    retry_after: int | None = None

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_unavailable(self) -> bool:
        return self.status in UNAVAILABLE


def message_body(delivery: Delivery) -> str:
    """Return the body of a delivery. It is the same in every attempt; only the time and the signature differ."""
    change = delivery.change
    if change is None:
        body: dict[str, Any] = {"type": "webhook.test", "timestamp": delivery.created_at.isoformat(), "data": {}}
    else:
        body = {
            "type": f"restriction.{change.what}",
            "timestamp": change.at.isoformat(),
            "data": {"sequence": change.number, "restriction": change.payload or _ended_restriction(change)},
        }
    return json.dumps(body, separators=(",", ":"), sort_keys=True)


def _ended_restriction(change: Change) -> dict[str, Any]:
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


def message_headers(delivery: Delivery, body: str, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """Return the headers of Standard Webhooks: one signature for each secret in use, so that secrets can be rotated."""
    name = f"msg_{delivery.pk.hex}"
    return {
        "Content-Type": "application/json",
        "User-Agent": "Stillwatch",
        "webhook-id": name,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Signer(secret).sign(name, now.astimezone(UTC), body) for secret in secrets),
    }


def post_once(url: str, body: str, sent: dict[str, str], *, now: datetime) -> PostResult:
    """Post a message, once."""
    try:
        is_encrypted = check_url(url).scheme == "https"
        answer = send(
            "POST",
            url,
            content=body.encode(),
            headers=sent,
            seconds=WHOLE_SECONDS,
            most_bytes=MOST_BYTES,
            body=BodyLimit.CUT,
            is_allowed=partial(is_permitted, encrypted=is_encrypted),
        )
    except AddressError as error:
        return PostResult(None, str(error))
    except OutboundError as error:
        words = str(error)
        return PostResult(None, f"{words[0].upper()}{words[1:]}.")
    return PostResult(answer.status, "", _retry_after(answer.headers.get("Retry-After"), now=now))


def _retry_after(given: str | None, *, now: datetime) -> int | None:
    """Return the seconds that the receiver asks to wait, given as a number or a date; at most an hour."""
    if given is None:
        return None
    if given.isascii() and given.isdigit():
        return min(int(given[:9]), LONGEST_RETRY_AFTER)
    try:
        asked = (parsedate_to_datetime(given) - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(int(asked), 0), LONGEST_RETRY_AFTER)
