"""LiteLLM's spend logs over HTTP, page by page. Memory does not grow with the span.

LiteLLM counts its pages from the start of a span (`/spend/logs/v2`), which takes longer the further one gets. So every
page here is the first of what remains: it begins with the second in which the last one ended.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

PAGE_ROWS = 500
MOST_BYTES = 64 * 2**20
PATIENCE = 60.0  # seconds

Row = dict[str, Any]


class SpendLogsError(Exception):
    """Says in words why the spend logs cannot be read."""


class Page(NamedTuple):
    """Rows that no page before had, and the second that they begin in: whatever began earlier has been read."""

    rows: list[Row]
    since: datetime


def pages(url: str, *, key: str, since: datetime, until: datetime) -> Iterator[Page]:
    """The rows of the requests that began from `since` to `until`, oldest first. Raises SpendLogsError."""
    since, number = since.replace(microsecond=0), 1
    known: set[str] = set()
    while True:
        rows = _page(url, key, since=since, until=until, number=number)
        yield Page([row for row in rows if str(row["request_id"]) not in known], since)
        if len(rows) < PAGE_ROWS:
            return
        known = {str(row["request_id"]) for row in rows}
        ended = _second(rows[-1])
        # More requests in one second than fit on a page are the only reason to ask for the next page.
        since, number = (ended, 1) if ended > since else (since, number + 1)


def _page(url: str, key: str, *, since: datetime, until: datetime, number: int) -> list[Row]:
    asked = {
        "start_date": f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "end_date": f"{until.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "sort_by": "startTime",
        "sort_order": "asc",
        "page": number,
        "page_size": PAGE_ROWS,
    }
    body = _get(f"{url.rstrip('/')}/spend/logs/v2?{urlencode(asked)}", key)
    try:
        rows: list[Row] = json.loads(body)["data"]
        if all(row["request_id"] and _second(row) for row in rows):
            return rows
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    raise SpendLogsError("it answers, but not with spend logs: is this LiteLLM's address?")


def _second(row: Row) -> datetime:
    began = datetime.fromisoformat(row["startTime"]).replace(microsecond=0)
    return began if began.tzinfo else began.replace(tzinfo=UTC)


class _NoRedirect(HTTPRedirectHandler):
    """The key goes to the address that was given and to no other."""

    def redirect_request(self, *args: Any) -> None:
        return None


_opener = build_opener(_NoRedirect)


def _get(address: str, key: str) -> bytes:
    if urlsplit(address).scheme not in {"http", "https"}:
        raise SpendLogsError("its address begins with neither https:// nor http://")
    request = Request(address, headers={"Authorization": f"Bearer {key}"})  # noqa: S310 - the scheme was looked at
    try:
        with _opener.open(request, timeout=PATIENCE) as answer:
            body: bytes = answer.read(MOST_BYTES + 1)
    except HTTPError as error:
        with error:
            raise SpendLogsError(_refusal(error).replace(key, "…")) from None
    except (OSError, HTTPException, ValueError) as error:
        raise SpendLogsError(
            f"it cannot be reached: {str(getattr(error, 'reason', error)).replace(key, '…')}"
        ) from None
    if len(body) > MOST_BYTES:
        raise SpendLogsError(f"a page of its answer has more than {MOST_BYTES} bytes")
    return body


def _refusal(error: HTTPError) -> str:
    if error.headers.get("Location"):
        return f"it redirects to {error.headers['Location']}: give that address"
    if error.code == HTTPStatus.NOT_FOUND:
        return "it has no /spend/logs/v2 (404): is this LiteLLM's address, and a LiteLLM that is new enough?"
    try:
        said = json.loads(error.read(MOST_BYTES))["error"]["message"]
    except (OSError, HTTPException, ValueError, TypeError, KeyError, RecursionError):
        said = error.reason
    return f"it answers {error.code}: {said}"
