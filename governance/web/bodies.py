"""Bodies that come slowly take a thread of the web server each; they must not take all of them.

Anybody may send a body to a page, such as that for signing in. What machines send is read only from those who show a
service key, and each key has a quota of its own, so that it cannot use up the threads.
"""

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from http import HTTPStatus
from typing import IO, Any, Final

from governance.web.api_responses import FOR_MACHINES
from governance.web.lengths import Application, is_of_unknown_length, problem_answer
from stillwatch_gateway.keys import bearer

FORMS_AT_ONCE: Final = 32
_FORMS: Final = "forms"


class LimitBodies:
    """WSGI middleware: refuse a body where too many of its kind are being received already, before it is read.

    Those of pages are one kind, answered 503; those of each service key are another, answered 429.

    Args:
        of_a_key: how many bodies of one service key are received at once.
        drops_at_429: says of a path whether its senders give up at 429, so that they get 503.
    """

    def __init__(
        self,
        application: Application,
        *,
        of_a_key: int,
        forms: int = FORMS_AT_ONCE,
        drops_at_429: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._application, self._of_a_key, self._forms = application, of_a_key, forms
        self._drops_at_429 = drops_at_429
        self._places = _Places()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        kind = _kind(environ)
        if kind is None:
            return self._application(environ, start_response)
        most = self._forms if kind == _FORMS else self._of_a_key
        if not self._places.take(kind, most):
            return self._refusal(kind, environ["PATH_INFO"], start_response)
        place = _Place(lambda: self._places.give_back(kind))
        try:
            given = environ | {"wsgi.input": _Body(environ["wsgi.input"], environ.get("CONTENT_LENGTH", ""), place)}
            return _Answer(self._application(given, start_response), place)
        except BaseException:
            place.leave()
            raise

    def _refusal(self, kind: Hashable, path: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if kind == _FORMS:
            detail = "Too many forms are sent at once; send it again."
            return problem_answer(start_response, HTTPStatus.SERVICE_UNAVAILABLE, detail)
        status = HTTPStatus.SERVICE_UNAVAILABLE if self._drops_at_429(path) else HTTPStatus.TOO_MANY_REQUESTS
        detail = f"At most {self._of_a_key} bodies of one service key are received at once. Send this again later."
        return problem_answer(start_response, status, detail)


def _kind(environ: dict[str, Any]) -> Hashable | None:
    """By what a request is counted: its service key, or that it is for a page; None where nothing of it is read."""
    if environ.get("CONTENT_LENGTH", "") in ("", "0") and not is_of_unknown_length(environ):
        return None
    if not f"{environ['PATH_INFO']}/".startswith(FOR_MACHINES):
        return _FORMS
    secret = bearer(environ.get("HTTP_AUTHORIZATION", ""))
    return None if secret is None else ("key", secret)


class _Places:
    """How many bodies of each kind are being received."""

    def __init__(self) -> None:
        self._taken: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def take(self, kind: Hashable, most: int) -> bool:
        with self._lock:
            if self._taken[kind] >= most:
                return False
            self._taken[kind] += 1
            return True

    def give_back(self, kind: Hashable) -> None:
        with self._lock:
            self._taken[kind] -= 1
            if not self._taken[kind]:
                del self._taken[kind]


class _Place:
    """The place of one body, which is given back once."""

    def __init__(self, give_back: Callable[[], None]) -> None:
        self._give_back: Callable[[], None] | None = give_back

    def leave(self) -> None:
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            give_back()


class _Body:
    """A body that leaves its place as soon as it has been received; what is done with it then counts no longer."""

    def __init__(self, body: IO[bytes], length: str, place: _Place) -> None:
        self._body, self._place = body, place
        self._left = int(length) if length.isdigit() else None

    def read(self, *size: int) -> bytes:
        return self._note(self._body.read(*size), is_end=size != (0,))

    def readline(self, *size: int) -> bytes:
        return self._note(self._body.readline(*size), is_end=size != (0,))

    def _note(self, piece: bytes, *, is_end: bool) -> bytes:
        """Leave the place where nothing is left. `is_end`: whether an empty piece says so."""
        if self._left is not None:
            self._left -= len(piece)
        if (not piece and is_end) or self._left == 0:
            self._place.leave()
        return piece


class _Answer:
    """An answer after which the place is free again, whether or not the body was read."""

    def __init__(self, answer: Iterable[bytes], place: _Place) -> None:
        self._answer, self._place = answer, place

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            self._place.leave()
