"""The feed over HTTP: a snapshot, and the changes that follow, as answers to polls and as a stream."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Protocol

import psycopg

from governance.gateways.check import feed
from governance.gateways.check.feed_requests import (
    LONGEST_WAIT,
    MOST_REPORT_BYTES,
    ChangesRequest,
    read_changes_request,
)
from governance.gateways.check.quotas import Quotas
from governance.gateways.check.replica import RestrictionReplica
from governance.gateways.check.request_parsing import (
    NO_STORE,
    CheckResponse,
    Receive,
    RefusedRequestError,
    Request,
    Send,
    shown_bearer_token,
)
from governance.gateways.check.sql import UsableKey
from governance.gateways.check.telemetry import CheckTelemetry
from governance.gateways.check.waiting import Announcements, receive_body, wait_for_disconnect
from governance.staff.secret_format import secret_digest

SNAPSHOT_AT: Final = "/api/v1/access/snapshot"
CHANGES_AT: Final = "/api/v1/access/changes"

# Who waits is looked at this often: by then an expired key is refused, and a reader that has gone is noticed.
BEAT: Final = 0.5
QUIET_LINE_EVERY: Final = 2.0
MOST_CHANGES: Final = 5_000
LONGEST_AGE: Final = 2**31


class FeedHost(Protocol):
    """What the feed needs of the application that it is a part of."""

    replica: RestrictionReplica
    telemetry: CheckTelemetry
    quotas: Quotas
    announcements: Announcements

    def is_still_usable(self, key: UsableKey) -> bool: ...
    def raise_if_unusable(self, key: UsableKey) -> None: ...
    async def find_key(self, secret: str | None, request: Request, now: datetime) -> UsableKey: ...
    async def has_change(self, key: UsableKey, sequence: int) -> bool: ...


class FeedEndpoints:
    """Answers requests for snapshots, for changes after a number, and for the stream of changes."""

    def __init__(self, app: FeedHost, clock: Callable[[], datetime], closed_plans: Sequence[str]) -> None:
        self._app, self._clock, self._closed_plans = app, clock, closed_plans
        self._snapshots = feed.Snapshots(closed_plans)
        self._last_body: tuple[tuple[Any, ...], bytes, str] = ((), b"", "")

    async def _key(self, request: Request) -> tuple[UsableKey, bytes]:
        """Return the key shown and what is signed with for it. Raises RefusedRequestError."""
        secret, now = shown_bearer_token(request), self._clock()
        key = await self._app.find_key(secret, request, now)
        self._app.telemetry.note_use(key, now)
        return key, secret_digest(secret or "")

    async def snapshot(self, request: Request) -> CheckResponse:
        """Raises RefusedRequestError."""
        if request.method != "GET":
            raise RefusedRequestError(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "Use GET.")
        (key, signing), now = await self._key(request), self._clock()
        with self._app.quotas.waiting(key):
            try:
                made = await asyncio.to_thread(self._snapshots.get, at_least=self._app.replica.announced, now=now)
            except psycopg.Error as error:
                raise RefusedRequestError(
                    HTTPStatus.SERVICE_UNAVAILABLE, "No snapshot now", "The database does not answer."
                ) from error
        self._app.raise_if_unusable(key)
        tag = f'"{made.digest}"'
        headers = [("ETag", tag), ("Vary", "Accept-Encoding"), *feed.signature_headers(made.digest, signing)]
        if request.header(b"if-none-match") == tag:
            return CheckResponse(HTTPStatus.NOT_MODIFIED, headers)
        headers.append(("Content-Type", "application/x-ndjson"))
        if "gzip" in (request.header(b"accept-encoding") or ""):
            return CheckResponse(HTTPStatus.OK, [*headers, ("Content-Encoding", "gzip")], made.zipped)
        return CheckResponse(HTTPStatus.OK, headers, await asyncio.to_thread(gzip.decompress, made.zipped))

    async def changes(self, request: Request, receive: Receive, send: Send) -> None:
        """Raises RefusedRequestError."""
        key, signing = await self._key(request)
        asked = await self._following(request, receive, key)
        self._app.raise_if_unusable(key)
        if not await self._app.has_change(key, asked.after):
            raise RefusedRequestError(HTTPStatus.GONE, "Unknown change", f"There is no change {asked.after} yet.")
        if asked.instance:
            self._note(key, asked)
        if asked.epoch and asked.epoch != self._app.replica.restricted.epoch:
            raise RefusedRequestError(HTTPStatus.GONE, "New epoch", "Load a snapshot, then the changes after it.")
        with self._app.quotas.waiting(key):
            async with _disconnect(receive) as gone:
                if "text/event-stream" in (request.header(b"accept") or ""):
                    await self._stream(key, signing, asked.after, send, gone)
                    return
                wait = min(max(asked.wait, 0), LONGEST_WAIT)
                upto = await self._more(key, asked.after, wait, gone)
                answer = self._answer(signing, request, asked.after, upto)
        await answer.send_to(send)

    async def _following(self, request: Request, receive: Receive, key: UsableKey) -> ChangesRequest:
        """Raises RefusedRequestError."""
        if request.method == "POST":
            with self._app.quotas.receiving(key) as reserved:
                request.body = await receive_body(request, receive, most=MOST_REPORT_BYTES, reserved=reserved)
                return read_changes_request(request)
        return read_changes_request(request)

    async def _more(self, key: UsableKey, after: int, seconds: float, gone: asyncio.Future[None]) -> int:
        """Wait for changes; return up to where there are any, which is `after` where none came.

        Raises RefusedRequestError as soon as the key is not usable any more.
        """
        until = time.monotonic() + seconds
        while (announced := self._app.replica.announced) <= after:
            if not self._app.is_still_usable(key):
                raise RefusedRequestError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "This service key was revoked.")
            left = until - time.monotonic()
            if left <= 0 or gone.done():
                self._app.telemetry.note_use(key, self._clock())
                return after
            await self._app.announcements.wait(min(left, BEAT), gone)
        return announced

    def _answer(self, signing: bytes, request: Request, after: int, upto: int) -> CheckResponse:
        """Raises RefusedRequestError."""
        body, digest = self._body(after, upto)
        headers = [("Content-Type", "application/json"), *feed.signature_headers(digest, signing)]
        if len(body) > feed.SMALLEST_ZIPPED and "gzip" in (request.header(b"accept-encoding") or ""):
            headers.append(("Content-Encoding", "gzip"))
            body = gzip.compress(body, feed.QUICK)
        return CheckResponse(HTTPStatus.OK, headers, body)

    def _body(self, after: int, upto: int) -> tuple[bytes, str]:
        """Return the changes after a number with their digest, kept for equal requests. Raises RefusedRequestError."""
        upto = min(upto, after + MOST_CHANGES)
        replica = self._app.replica
        epoch, age = replica.epoch, math.ceil(min(replica.age, LONGEST_AGE))
        asked = (after, upto, epoch, age)
        last_asked, body, digest = self._last_body
        if last_asked == asked:
            return body, digest
        changes = replica.changes(after, upto)
        if changes is None or after > upto:
            raise RefusedRequestError(HTTPStatus.GONE, "Change too old", "Load a snapshot, then the changes after it.")
        body = feed.changes_body(after, upto, changes, self._closed_plans, epoch=epoch, age=age)
        digest = hashlib.sha256(body).hexdigest()
        self._last_body = (asked, body, digest)
        return body, digest

    async def _stream(self, key: UsableKey, signing: bytes, after: int, send: Send, gone: asyncio.Future[None]) -> None:
        """Server-sent events, until the reader goes or its key is not usable any more."""
        headers = [(b"content-type", b"text/event-stream"), NO_STORE, (b"x-accel-buffering", b"no")]
        await send({"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": headers})
        async for event in self._events(key, signing, after, gone):
            await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _events(
        self, key: UsableKey, signing: bytes, after: int, gone: asyncio.Future[None]
    ) -> AsyncIterator[bytes]:
        """Each the same message as an answer to a poll, its signature as a second line."""
        while not gone.done() and self._app.is_still_usable(key):
            try:
                upto = await self._more(key, after, QUIET_LINE_EVERY, gone)
                if upto == after:
                    yield b": nothing new\n\n"
                    continue
                body, digest = self._body(after, upto)
            except RefusedRequestError as refused:
                if refused.status == HTTPStatus.GONE:
                    yield b"event: gone\ndata: Load a snapshot, then the changes after it.\n\n"
                return
            after = min(upto, after + MOST_CHANGES)
            (_, _), (_, signature) = feed.signature_headers(digest, signing)
            yield b"event: changes\nid: %d\ndata: %s\ndata: %s\n\n" % (after, body, signature.encode())

    def _note(self, key: UsableKey, report: ChangesRequest) -> None:
        now, replica, telemetry = self._clock(), self._app.replica, self._app.telemetry
        sequence = min(report.after, replica.restricted.sequence)
        epoch = report.epoch or replica.restricted.epoch  # clients of older releases name none
        if epoch != replica.restricted.epoch:
            sequence = min(sequence, max((last for _, last in replica.epoch.lost), default=0))
        telemetry.note_instance(
            key,
            report.instance,
            sequence,
            now,
            faults=report.faults,
            trouble=report.store_problem,
            is_ending=report.is_ending,
        )
        telemetry.note_held_over(key, report.held_over)
        if epoch != replica.restricted.epoch:
            return  # its numbers may be those of other restrictions here
        # Nobody can have refused because of a change that they do not have.
        for one in (one for one in report.refusals if one.number <= report.after):
            # A clock that was set back in between says the later time first.
            first, last = sorted(min(datetime.fromtimestamp(at, UTC), now) for at in (one.first, one.last))
            telemetry.note_refusal(key, one.number, epoch, first, last, one.count)


@asynccontextmanager
async def _disconnect(receive: Receive) -> AsyncIterator[asyncio.Future[None]]:
    """Done once the reader has gone."""
    gone = asyncio.ensure_future(wait_for_disconnect(receive))
    try:
        yield gone
    finally:
        gone.cancel()
