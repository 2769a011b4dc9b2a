"""The check as an ASGI application: whether a customer has access, answered from memory, and the feed for clients.

Whatever waits is a coroutine. Bodies are read only from those who show a service key.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Final

from governance.gateways.check import protocols as dialects
from governance.gateways.check.feeding import CHANGES_AT, SNAPSHOT_AT, Feed
from governance.gateways.check.protocols import Dialect
from governance.gateways.check.quotas import Quotas
from governance.gateways.check.registered import RegisteredAccounts
from governance.gateways.check.replica import RestrictionReplica
from governance.gateways.check.request_parsing import (
    Answer,
    Question,
    Receive,
    RefusedError,
    Request,
    Scope,
    Send,
    bad_question,
)
from governance.gateways.check.saved_state import StateStore
from governance.gateways.check.saving import StateWriter
from governance.gateways.check.sql import Key
from governance.gateways.check.telemetry import Notes
from governance.gateways.check.waiting import Announcements, receive_body

READ: Final = "access:read"

SPOKEN_AT: Final[dict[str, Dialect]] = {
    "/access/check": dialects.PLAIN,
    "/access/nginx": dialects.NGINX,
    "/beta/litellm_basic_guardrail_api": dialects.LITELLM,
}
ENVOY_AT: Final = "/access/envoy"
HEALTH_AT: Final = "/health/"

# A process that starts takes no connections for so long, or until it knows what is in force.
LOADING_SECONDS: Final = 30.0
CAUGHT_UP_SECONDS: Final = 2.0
# Who shows an unknown key waits for the next look at the keys, unless so many wait for it already.
MOST_STRANGERS: Final = 100
# A larger body is read in a thread.
LARGE_BODY: Final = 2**18


class Front:
    """`waiting` is how many requests of one service key may wait at once.

    With `unreadable_as_outage` a gateway is told that the check is not available where a name cannot be read, so that
    it does what it was set to do without an answer; else such a request is refused. What it knows is saved in the
    `store`, where there is one, and read from there at a start while the database is away.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        closed_plans: Sequence[str],
        waiting: int,
        unreadable_as_outage: bool = False,
        store: StateStore | None = None,
    ) -> None:
        self._clock = clock
        self.registered = RegisteredAccounts()
        saved_state = store.load if store is not None else lambda: None
        self.keeper = RestrictionReplica(clock, on_new_epoch=self.registered.read_anew, saved_state=saved_state)
        self._saving = StateWriter(store, self.keeper, clock, closed_plans=closed_plans) if store is not None else None
        self.notes = Notes(self.keeper, clock)
        self.quotas = Quotas(waiting=waiting)
        self.announcements = Announcements()
        self._feed = Feed(self, clock, closed_plans)
        self._unreadable_as_outage = unreadable_as_outage
        self._strangers = 0
        self.keeper.listen(self.announcements.announce)

    async def start(self) -> None:
        self.announcements.start()
        if self._saving is not None:
            self._saving.start()
        self.keeper.start()
        self.registered.start()
        self.notes.start()
        until = time.monotonic() + LOADING_SECONDS
        while not self.keeper.is_loaded and (left := until - time.monotonic()) > 0:
            await self.announcements.wait(left)

    def end(self) -> None:
        self.keeper.end()
        if self._saving is not None:
            self._saving.end()
        self.registered.end()
        self.notes.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = Request(scope)
        dialect = SPOKEN_AT.get(request.path)
        if dialect is None and request.path.startswith(ENVOY_AT):
            dialect = dialects.ENVOY
        try:
            if dialect is not None:
                answer = await self._check(dialect, request, receive)
            elif request.path == SNAPSHOT_AT:
                answer = await self._feed.snapshot(request)
            elif request.path == CHANGES_AT:
                await self._feed.changes(request, receive, send)
                return
            elif request.path == HEALTH_AT:
                answer = self._health()
            else:
                answer = RefusedError(
                    HTTPStatus.NOT_FOUND,
                    "Not found",
                    "Only the check and the feed are served here.",
                ).answer()
        except RefusedError as refused:
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

    def _health(self) -> Answer:
        if not self.keeper.is_loaded:
            raise _not_loaded()
        return Answer(HTTPStatus.OK, [("Content-Type", "text/plain")], b"ok\n")

    async def _check(self, dialect: Dialect, request: Request, receive: Receive) -> Answer:
        now = self._clock()
        key = self.usable_key(secret := dialect.service_key(request), now) or await self.find_key(secret, now)
        try:
            if request.method == "POST" and dialect.longest_body:
                question = await self._question_in_body(dialect, request, receive, key)
            else:
                question = dialect.question(request)
        except RefusedError as error:
            return dialect.refuse(error)
        if question.min_sequence > self.keeper.restricted.sequence:
            await self._catch_up(key, question.min_sequence)
        decision = self.keeper.restricted.decide(question.names, now=now.timestamp(), age=self.keeper.age)
        self.notes.asked(key, now)
        if not decision.allowed and decision.number is not None:
            self.notes.refused(key, decision.number, decision.epoch, now, now)
        if decision.allowed and question.unreadable:
            return self._unreadable(dialect, question.unreadable)
        known = self.registered.knows(question.names) if dialect.says_known else None
        return dialect.answer(decision, known)

    async def _question_in_body(self, dialect: Dialect, request: Request, receive: Receive, key: Key) -> Question:
        """Raises RefusedError."""
        with self.quotas.receiving(key) as reserved:
            request.body = await receive_body(request, receive, most=dialect.longest_body, reserved=reserved)
            if len(request.body) > LARGE_BODY:
                return await asyncio.to_thread(dialect.question, request)
            return dialect.question(request)

    def _unreadable(self, dialect: Dialect, why: str) -> Answer:
        if self._unreadable_as_outage and dialect is not dialects.PLAIN:
            return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Invalid body", why).answer()
        return dialect.refuse(bad_question(why))

    async def _catch_up(self, key: Key, sequence: int) -> None:
        if not await self.has_come(key, sequence):
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Not up to date yet",
                f"Change {sequence} has not arrived here yet; the newest is {self.keeper.restricted.sequence}.",
            )

    async def has_come(self, key: Key, sequence: int) -> bool:
        """Whether this change is known here once the rows have been read again. Raises RefusedError over the quota.

        A number that nothing has yet is found out by that look, so that nobody can wait for it.
        """
        if self.keeper.restricted.sequence >= sequence:
            return True
        with self.quotas.waiting(key):
            await self._look()
        return self.keeper.restricted.sequence >= sequence

    async def _look(self) -> None:
        """Wait until the rows have been read again, unless the database is away or takes too long."""
        number, until = self.keeper.ask_for_look(), time.monotonic() + CAUGHT_UP_SECONDS
        while self.keeper.is_connected and self.keeper.looks_done < number:
            left = until - time.monotonic()
            if left <= 0:
                return
            await self.announcements.wait(left)

    # Who asks ----------------------------------------------------------------------------------------------------

    def usable_key(self, secret: str | None, now: datetime) -> Key | None:
        """The service key that is shown, if it is known and opens this."""
        if secret is None:
            return None
        key = self.keeper.key(hashlib.sha256(secret.encode("latin-1", "replace")).digest())
        return key if key is not None and key.opens(READ, now=now) else None

    def still_opens(self, key: Key) -> bool:
        """Whether a key is usable now that was usable before."""
        known = self.keeper.key(key.digest)
        return known is not None and known.opens(READ, now=self._clock())

    async def find_key(self, secret: str | None, now: datetime) -> Key:
        """The key that is shown, which may be newer than the last look. Raises RefusedError where there is none."""
        if secret is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "A service key is needed.")
        if not self.keeper.is_loaded:
            raise _not_loaded()
        digest = hashlib.sha256(secret.encode("latin-1", "replace")).digest()
        if self.keeper.key(digest) is None and self._strangers < MOST_STRANGERS:
            self._strangers += 1
            try:
                await self._look()
            finally:
                self._strangers -= 1
        key = self.keeper.key(digest)
        if key is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "Invalid or revoked service key.")
        if not key.opens(READ, now=now):
            raise RefusedError(HTTPStatus.FORBIDDEN, "Forbidden", f"This needs a service key with the scope {READ}.")
        return key


def _not_loaded() -> RefusedError:
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Not ready", "The restrictions in force are not loaded yet.")
