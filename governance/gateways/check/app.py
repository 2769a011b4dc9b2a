"""The check as an ASGI application: whether a customer has access, answered from memory, and the feed for clients.

Whatever waits is a coroutine. Bodies are read only from those who show a service key.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final

from governance.gateways.check.feed_endpoints import CHANGES_AT, SNAPSHOT_AT, FeedEndpoints
from governance.gateways.check.protocol import CheckProtocol
from governance.gateways.check.protocols import ProtocolsByPath, all_protocols
from governance.gateways.check.quotas import Quotas
from governance.gateways.check.registered_accounts import RegisteredAccounts
from governance.gateways.check.replica import RestrictionReplica
from governance.gateways.check.request_parsing import (
    AGAIN_LATER,
    AccessQuery,
    CheckResponse,
    Receive,
    RefusedRequestError,
    Request,
    Scope,
    Send,
    bad_request_error,
)
from governance.gateways.check.saved_state import StateStore
from governance.gateways.check.sql import UsableKey
from governance.gateways.check.state_writer import ReplicaStateWriter
from governance.gateways.check.telemetry import CheckTelemetry
from governance.gateways.check.waiting import Announcements, receive_body
from governance.staff.client_address import is_within
from governance.staff.secret_format import iter_stored_digests, secret_digest

READ: Final = "access:read"
UNUSABLE: Final = "Invalid or revoked service key."
UNUSABLE_HERE: Final = "This service key may not be used from this address."

PROTOCOLS: Final = ProtocolsByPath(all_protocols())
HEALTH_AT: Final = "/health/"

# A process that starts takes no connections for so long, or until it knows what is in force.
LOADING_SECONDS: Final = 30.0
CAUGHT_UP_SECONDS: Final = 2.0
# The restrictions are looked at every second.
UP_TO_DATE_SECONDS: Final = 5.0
# Who shows an unknown key waits for the next look at the keys, unless so many wait for it already.
MOST_STRANGERS: Final = 100
# A larger body is read in a thread.
LARGE_BODY: Final = 2**18


class CheckApp:
    """The ASGI application of the check.

    Args:
        waiting: how many requests with one service key may wait at once.
        unreadable_as_outage: answer a query with a name that cannot be read as if the check were not available, so
            that the gateway does what it is set to do then; else such a request is refused.
        peppers: those of the secrets of service keys, the newest first.
        store: where to save what is known, and to read it from at a start while the database is away.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        closed_plans: Sequence[str],
        waiting: int,
        unreadable_as_outage: bool = False,
        peppers: Sequence[str] = (),
        store: StateStore | None = None,
    ) -> None:
        self._clock, self._peppers = clock, peppers
        self.registered = RegisteredAccounts()
        saved_state = store.load if store is not None else lambda: None
        self.replica = RestrictionReplica(clock, on_new_epoch=self.registered.reload, saved_state=saved_state)
        self._saving = (
            ReplicaStateWriter(store, self.replica, clock, closed_plans=closed_plans) if store is not None else None
        )
        self.telemetry = CheckTelemetry(self.replica, clock)
        self.quotas = Quotas(waiting=waiting)
        self.announcements = Announcements()
        self._feed = FeedEndpoints(self, clock, closed_plans)
        self._unreadable_as_outage = unreadable_as_outage
        self._stored_as: dict[bytes, bytes] = {}  # of secrets that worked: an HMAC takes five times as long
        self._strangers = 0
        self.replica.listen(self.announcements.announce)

    async def start(self) -> None:
        self.announcements.start()
        if self._saving is not None:
            self._saving.start()
        self.replica.start()
        self.registered.start()
        self.telemetry.start()
        until = time.monotonic() + LOADING_SECONDS
        while not self.replica.is_loaded and (left := until - time.monotonic()) > 0:
            await self.announcements.wait(left)

    def end(self) -> None:
        self.replica.end()
        if self._saving is not None:
            self._saving.end()
        self.registered.end()
        self.telemetry.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = Request(scope)
        protocol = PROTOCOLS.find(request.path)
        try:
            if protocol is not None:
                answer = await self._check(protocol, request, receive)
            elif request.path == SNAPSHOT_AT:
                answer = await self._feed.snapshot(request)
            elif request.path == CHANGES_AT:
                await self._feed.changes(request, receive, send)
                return
            elif request.path == HEALTH_AT:
                answer = self._health()
            else:
                answer = RefusedRequestError(
                    HTTPStatus.NOT_FOUND,
                    "Not found",
                    "Only the check and the feed are served here.",
                ).answer()
        except RefusedRequestError as refused:
            answer = refused.answer()
        await answer.send_to(send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and end with the process, as the web server says."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.to_thread(self.end)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _health(self) -> CheckResponse:
        if not self.replica.is_loaded:
            raise _not_loaded()
        age = self.replica.age
        # It answers all the same, so the status stays: a load balancer that took it out would leave gateways no check.
        body = b"ok\n" if age <= UP_TO_DATE_SECONDS else b"not up to date: nothing was read for %d s\n" % age
        return CheckResponse(HTTPStatus.OK, [("Content-Type", "text/plain")], body)

    async def _check(self, protocol: CheckProtocol, request: Request, receive: Receive) -> CheckResponse:
        now = self._clock()
        key = await self.find_key(protocol.service_key(request), request, now)
        try:
            if request.method == "POST" and protocol.longest_body:
                query = await self._query_in_body(protocol, request, receive, key)
            else:
                query = protocol.query(request)
        except RefusedRequestError as error:
            if error.status in AGAIN_LATER:  # not because of what is asked, so that it must refuse no customer
                raise RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests", str(error)) from error
            return protocol.refuse(error)
        if query.min_sequence > self.replica.restricted.sequence:
            await self._catch_up(key, query.min_sequence)
        if request.method == "POST" or query.min_sequence:  # it may have taken a while
            now = self._clock()
            self.raise_if_unusable(key)
        decision = self.replica.restricted.decide(query.names, now=now.timestamp(), age=self.replica.age)
        self.telemetry.note_query(key, now)
        if not decision.allowed and decision.number is not None:
            self.telemetry.note_refusal(key, decision.number, decision.epoch, now, now)
        if decision.allowed and query.unreadable:
            return self._unreadable(protocol, query.unreadable)
        known = self.registered.is_registered(query.names) if protocol.says_known else None
        return protocol.answer(decision, known)

    async def _query_in_body(
        self, protocol: CheckProtocol, request: Request, receive: Receive, key: UsableKey
    ) -> AccessQuery:
        """Raises RefusedRequestError."""
        with self.quotas.receiving(key) as reserved:
            request.body = await receive_body(request, receive, most=protocol.longest_body, reserved=reserved)
            if len(request.body) > LARGE_BODY:
                return await asyncio.to_thread(protocol.query, request)
            return protocol.query(request)

    def _unreadable(self, protocol: CheckProtocol, why: str) -> CheckResponse:
        if self._unreadable_as_outage and not protocol.says_unreadable:
            return RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, "Invalid body", why).answer()
        return protocol.refuse(bad_request_error(why))

    async def _catch_up(self, key: UsableKey, sequence: int) -> None:
        if not await self.has_change(key, sequence):
            raise RefusedRequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Not up to date yet",
                f"Change {sequence} has not arrived here yet; the newest is {self.replica.restricted.sequence}.",
            )

    async def has_change(self, key: UsableKey, sequence: int) -> bool:
        """Read the rows again; return True if this change is known then. Raises RefusedRequestError over the quota.

        A number that nothing has yet is found out by that look, so that nobody can wait for it.
        """
        if self.replica.restricted.sequence >= sequence:
            return True
        with self.quotas.waiting(key):
            await self._look()
        return self.replica.restricted.sequence >= sequence

    async def _look(self) -> None:
        """Wait until the rows have been read again, unless the database is away or takes too long."""
        number, until = self.replica.request_read(), time.monotonic() + CAUGHT_UP_SECONDS
        while self.replica.is_connected and self.replica.looks_done < number:
            left = until - time.monotonic()
            if left <= 0:
                return
            await self.announcements.wait(left)

    # Who asks ----------------------------------------------------------------------------------------------------

    def is_still_usable(self, key: UsableKey) -> bool:
        """Whether a key is usable now that was usable before."""
        known = self.replica.key(key.digest)
        return known is not None and known.opens(READ, now=self._clock())

    def raise_if_unusable(self, key: UsableKey) -> None:
        """Look at the key again, after what may have taken long. Raises RefusedRequestError."""
        if not self.is_still_usable(key):
            raise RefusedRequestError(HTTPStatus.UNAUTHORIZED, "Unauthorized", UNUSABLE)

    async def find_key(self, secret: str | None, request: Request, now: datetime) -> UsableKey:
        """Return the key shown, even if it was issued since the last look. Raises RefusedRequestError without one."""
        if secret is None:
            raise RefusedRequestError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "A service key is needed.")
        digest = secret_digest(secret)
        key = self._known_key(digest)
        if key is None:
            if not self.replica.is_loaded:
                raise _not_loaded()
            await self._look_for_strangers()
            key = self._known_key(digest)
        if key is None:
            raise RefusedRequestError(HTTPStatus.UNAUTHORIZED, "Unauthorized", UNUSABLE)
        if key.networks and not is_within(request.client, key.networks):
            raise RefusedRequestError(HTTPStatus.UNAUTHORIZED, "Unauthorized", UNUSABLE_HERE)
        if not key.opens(READ, now=now):
            raise RefusedRequestError(
                HTTPStatus.FORBIDDEN, "Forbidden", f"This needs a service key with the scope {READ}."
            )
        return key

    def _known_key(self, digest: bytes) -> UsableKey | None:
        if stored := self._stored_as.get(digest):
            return self.replica.key(stored)
        for stored in iter_stored_digests(digest, self._peppers):
            if key := self.replica.key(stored):
                self._stored_as[digest] = stored
                return key
        return None

    async def _look_for_strangers(self) -> None:
        """Look into the database for a key that is not known, unless many do so already."""
        if self._strangers < MOST_STRANGERS:
            self._strangers += 1
            try:
                await self._look()
            finally:
                self._strangers -= 1


def _not_loaded() -> RefusedRequestError:
    return RefusedRequestError(
        HTTPStatus.SERVICE_UNAVAILABLE, "Not ready", "The restrictions in force are not loaded yet."
    )
