"""A plain WSGI callable in front of Django: what gateways ask is answered from memory, everything else is Django's."""

import gzip
import hashlib
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import psycopg

from governance.enforcement.access import dialects, feed
from governance.enforcement.access.asking import (
    Answer,
    Environ,
    RefusedError,
    StartResponse,
    bad_question,
    bearer,
)
from governance.enforcement.access.dialects import Dialect
from governance.enforcement.access.following import LONGEST_WAIT, Following
from governance.enforcement.access.following import following as parse_following
from governance.enforcement.access.keeper import Keeper
from governance.enforcement.access.notes import Notes
from governance.enforcement.access.registered import RegisteredAccounts
from governance.enforcement.access.rows import Key

READ: Final = "access:read"

SPOKEN_AT: Final[dict[str, Dialect]] = {
    "/access/check": dialects.PLAIN,
    "/access/nginx": dialects.NGINX,
    "/beta/litellm_basic_guardrail_api": dialects.LITELLM,
}
ENVOY_AT: Final = "/access/envoy"
SNAPSHOT_AT: Final = "/api/v1/access/snapshot"
CHANGES_AT: Final = "/api/v1/access/changes"

LOADING_SECONDS: Final = 30.0
CAUGHT_UP_SECONDS: Final = 2.0
BEAT: Final = 2.0
MOST_CHANGES: Final = 5_000
LONGEST_AGE: Final = 2**31

Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Front:
    """`waiting` is how many may wait for changes at once; the web server needs some threads more than that.

    With `unreadable_as_outage` a gateway is told that the check is not available where a name cannot be read, so that
    it does what it was set to do without an answer; else such a request is refused.
    """

    def __init__(
        self,
        django: Application,
        clock: Callable[[], datetime],
        *,
        closed_plans: Sequence[str],
        waiting: int,
        unreadable_as_outage: bool = False,
    ) -> None:
        self._django, self._clock, self._closed_plans = django, clock, closed_plans
        self.registered = RegisteredAccounts()
        self.keeper = Keeper(clock, on_new_epoch=self.registered.read_anew)
        self.notes = Notes(self.keeper, clock)
        self._unreadable_as_outage = unreadable_as_outage
        self._snapshots = feed.Snapshots(closed_plans)
        self._waiting = threading.BoundedSemaphore(waiting)
        self._last_body: tuple[tuple[Any, ...], bytes, str] = ((), b"", "")

    def start(self) -> None:
        """Begin to follow the changes; in the process that answers, since threads do not survive a fork."""
        self.keeper.start()
        self.registered.start()
        self.notes.start()

    def end(self) -> None:
        self.keeper.end()
        self.registered.end()
        self.notes.end()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        dialect = SPOKEN_AT.get(path)
        if dialect is None and path.startswith(ENVOY_AT):
            dialect = dialects.ENVOY
        try:
            if dialect is not None:
                return self._check(dialect, environ).send(start_response)
            if path == SNAPSHOT_AT:
                return self._snapshot(environ).send(start_response)
            if path == CHANGES_AT:
                return self._changes(environ, start_response)
        except RefusedError as refused:
            return refused.answer().send(start_response)
        return self._django(environ, start_response)

    # The hot check -----------------------------------------------------------------------------------------------

    def _check(self, dialect: Dialect, environ: Environ) -> Answer:
        now = self._clock()
        key = self._known(dialect.service_key(environ), now)
        try:
            question = dialect.question(environ)
        except RefusedError as error:
            return dialect.refuse(error)
        if question.min_sequence > self.keeper.restricted.sequence:
            self._catch_up(question.min_sequence)
        decision = self.keeper.restricted.decide(question.names, now=now.timestamp(), age=self.keeper.age)
        self.notes.asked(key, now)
        if not decision.allowed and decision.number is not None:
            self.notes.refused(key, decision.number, decision.epoch, now, now)
        if decision.allowed and question.unreadable:
            return self._unreadable(dialect, question.unreadable)
        known = self.registered.knows(question.names) if dialect.says_known else None
        return dialect.answer(decision, known)

    def _unreadable(self, dialect: Dialect, why: str) -> Answer:
        if self._unreadable_as_outage and dialect is not dialects.PLAIN:
            return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "Unreadable", why).answer()
        return dialect.refuse(bad_question(why))

    def _catch_up(self, sequence: int) -> None:
        if not self.keeper.wait_for(sequence, CAUGHT_UP_SECONDS):
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "Not there yet",
                f"Change {sequence} is not known here yet, but {self.keeper.restricted.sequence} is.",
            )

    def _known(self, secret: str | None, now: datetime) -> Key:
        """Raises RefusedError where no usable service key with the scope is shown."""
        if secret is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "A service key is needed.")
        if not self.keeper.wait_until_loaded(LOADING_SECONDS):
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "Not ready", "The restrictions in force are not read yet."
            )
        key = self.keeper.key(hashlib.sha256(secret.encode("latin-1", "replace")).digest())
        if key is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "Unauthorized", "No usable service key has this secret.")
        if not key.opens(READ, now=now):
            raise RefusedError(HTTPStatus.FORBIDDEN, "Forbidden", f"This needs a service key with the scope {READ}.")
        return key

    # The feed ----------------------------------------------------------------------------------------------------

    def _snapshot(self, environ: Environ) -> Answer:
        now = self._clock()
        if environ["REQUEST_METHOD"] != "GET":
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "Only GET is.")
        key = self._known(bearer(environ), now)
        try:
            made = self._snapshots.one(at_least=self.keeper.told, now=now)
        except psycopg.Error as error:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "No snapshot now", "The database does not answer."
            ) from error
        tag = f'"{made.digest}"'
        headers = [("ETag", tag), ("Vary", "Accept-Encoding"), *feed.signed(made.digest, key.digest)]
        if environ.get("HTTP_IF_NONE_MATCH") == tag:
            return Answer(HTTPStatus.NOT_MODIFIED, headers)
        headers.append(("Content-Type", "application/x-ndjson"))
        if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            return Answer(HTTPStatus.OK, [*headers, ("Content-Encoding", "gzip")], made.zipped)
        return Answer(HTTPStatus.OK, headers, gzip.decompress(made.zipped))

    def _changes(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        key = self._known(bearer(environ), self._clock())
        following = parse_following(environ)
        if not self.keeper.wait_for(following.after, CAUGHT_UP_SECONDS):  # another process may be ahead of this one
            raise RefusedError(HTTPStatus.GONE, "Not so far", f"There was no change {following.after} yet.")
        if following.instance:
            self._note_following(key, following)
        if following.epoch and following.epoch != self.keeper.restricted.epoch:
            raise RefusedError(HTTPStatus.GONE, "Another epoch", "Take a snapshot, and the changes after it.")
        if not self._waiting.acquire(blocking=False):
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "Too many", "Too many wait for changes here at once; try again."
            )
        if "text/event-stream" in environ.get("HTTP_ACCEPT", ""):
            return _Stream(self._events(key, following), self._waiting.release).begin(start_response)
        try:
            upto = self.keeper.wait_for_more(following.after, min(max(following.wait, 0), LONGEST_WAIT))
            body, digest = self._body(following.after, upto)
        finally:
            self._waiting.release()
        headers = [("Content-Type", "application/json"), *feed.signed(digest, key.digest)]
        if len(body) > feed.SMALLEST_ZIPPED and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            headers.append(("Content-Encoding", "gzip"))
            body = gzip.compress(body, feed.QUICK)
        return Answer(HTTPStatus.OK, headers, body).send(start_response)

    def _body(self, after: int, upto: int) -> tuple[bytes, str]:
        """What happened after a change, and its digest; made once for all who ask the same. Raises RefusedError."""
        upto = min(upto, after + MOST_CHANGES)
        epoch, age = self.keeper.epoch, math.ceil(min(self.keeper.age, LONGEST_AGE))
        asked = (after, upto, epoch, age)
        last_asked, body, digest = self._last_body
        if last_asked == asked:
            return body, digest
        changes = self.keeper.changes(after, upto)
        if changes is None or after > upto:
            raise RefusedError(HTTPStatus.GONE, "Too long ago", "Take a snapshot, and the changes after it.")
        body = feed.changes_body(after, upto, changes, self._closed_plans, epoch=epoch, age=age)
        digest = hashlib.sha256(body).hexdigest()
        self._last_body = (asked, body, digest)
        return body, digest

    def _events(self, key: Key, following: Following) -> Iterator[bytes]:
        """Server-sent events: each the same message as an answer to a poll, its signature as a second line."""
        after = following.after
        while True:
            upto = self.keeper.wait_for_more(after, BEAT)
            if upto == after:
                yield b": nothing new\n\n"  # by this a reader that has gone is noticed
                continue
            try:
                body, digest = self._body(after, upto)
            except RefusedError:
                yield b"event: gone\ndata: Take a snapshot, and the changes after it.\n\n"
                return
            after = min(upto, after + MOST_CHANGES)
            (_, _), (_, signature) = feed.signed(digest, key.digest)
            yield b"event: changes\nid: %d\ndata: %s\ndata: %s\n\n" % (after, body, signature.encode())

    def _note_following(self, key: Key, following: Following) -> None:
        now = self._clock()
        sequence = min(following.after, self.keeper.restricted.sequence)
        epoch = following.epoch or self.keeper.restricted.epoch  # clients of older releases name none
        if epoch != self.keeper.restricted.epoch:
            sequence = min(sequence, max((last for _, last in self.keeper.epoch.lost), default=0))
        self.notes.holds(
            key, following.instance, sequence, now, faults=following.faults, trouble=following.store_problem
        )
        self.notes.held_over(key, following.held_over)
        # Nobody can have refused because of a change that they do not have.
        for one in (one for one in following.refusals if one.number <= following.after):
            # A clock that was set back in between says the later time first.
            first, last = sorted(min(datetime.fromtimestamp(at, UTC), now) for at in (one.first, one.last))
            self.notes.refused(key, one.number, epoch, first, last, one.count)


class _Stream:
    """An answer without an end; `close` is called by the server when the reader has gone."""

    def __init__(self, events: Iterator[bytes], closed: Callable[[], None]) -> None:
        self._events, self._closed = events, closed

    def begin(self, start_response: StartResponse) -> Iterable[bytes]:
        headers = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")]
        start_response("200 OK", headers)
        return self

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        self._events.close()  # type: ignore[attr-defined] # a generator
        self._closed()
