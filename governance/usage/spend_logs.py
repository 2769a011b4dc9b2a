"""LiteLLM's spend logs over HTTP, page by page. Memory does not grow with the span.

LiteLLM counts its pages from the start of a span (`/spend/logs/v2`), which takes longer the further one gets. So every
page here is the first of what remains: it begins with the second in which the last one ended.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import responses
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from governance.platform.outbound import OutboundClient, OutboundResponse
from governance.platform.outbound_errors import AnswerTooLongError, OutboundError

PAGE_ROWS = 500
MOST_BYTES = 64 * 2**20
SECONDS = 60.0  # for each page

Row = dict[str, Any]


class SpendLogsError(Exception):
    """Says in words why the spend logs cannot be read."""


class SpendLogPage(NamedTuple):
    """Rows that no page before had, and the second that they begin in: whatever began earlier has been read."""

    rows: list[Row]
    since: datetime


def iter_pages(url: str, *, key: str, since: datetime, until: datetime) -> Iterator[SpendLogPage]:
    """The rows of the requests that began from `since` to `until`, oldest first. Raises SpendLogsError."""
    try:
        client = OutboundClient(url, seconds=SECONDS, most_bytes=MOST_BYTES, secrets=[key])
    except OutboundError:
        raise SpendLogsError("its address must begin with https:// or http://, and name a host") from None
    folder = urlsplit(url).path.rstrip("/")
    since, number = since.replace(microsecond=0), 1
    known: set[str] = set()
    with client:
        while True:
            rows = _page(client, folder, key, since=since, until=until, number=number)
            yield SpendLogPage([row for row in rows if str(row["request_id"]) not in known], since)
            if len(rows) < PAGE_ROWS:
                return
            known = {str(row["request_id"]) for row in rows}
            ended = _second(rows[-1])
            # More requests in one second than fit on a page are the only reason to ask for the next page.
            since, number = (ended, 1) if ended > since else (since, number + 1)


def _page(client: OutboundClient, folder: str, key: str, *, since: datetime, until: datetime, number: int) -> list[Row]:
    asked = {
        "start_date": f"{since.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "end_date": f"{until.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        "sort_by": "startTime",
        "sort_order": "asc",
        "page": number,
        "page_size": PAGE_ROWS,
    }
    body = _get(client, f"{folder}/spend/logs/v2?{urlencode(asked)}", key)
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


def _get(client: OutboundClient, target: str, key: str) -> bytes:
    try:
        answer = client.request("GET", target, headers={"Authorization": f"Bearer {key}"}, is_repeatable=True)
    except AnswerTooLongError as error:
        raise SpendLogsError(f"a page: {error}") from None
    except OutboundError as error:
        raise SpendLogsError(f"it cannot be reached: {error}") from None
    if answer.status != HTTPStatus.OK:
        raise SpendLogsError(_refusal(client, answer))
    return answer.body


def _refusal(client: OutboundClient, answer: OutboundResponse) -> str:
    if answer.redirects_to:
        return f"it redirects to {client.quote(answer.redirects_to)}: give that address"
    if answer.status == HTTPStatus.NOT_FOUND:
        return "it has no /spend/logs/v2 (404): is this LiteLLM's address, and a LiteLLM that is new enough?"
    try:
        said = str(json.loads(answer.body)["error"]["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        said = responses.get(answer.status, "no more")
    return f"it answers {answer.status}: {client.quote(said)}"
