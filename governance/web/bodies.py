"""Bodies that come slowly take a thread of the web server each; they must not take all of them."""

import threading
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

from governance.web.api_responses import FOR_MACHINES
from governance.web.lengths import Application, is_of_unknown_length, problem_answer

AT_ONCE: Final = 32


class LimitFormBodies:
    """WSGI middleware: answer 503 where too many requests to pages have a body at once.

    Anybody may send one to a page, such as that for signing in. What machines send is read only from those who show
    a service key, and is not counted here.
    """

    def __init__(self, application: Application, *, at_once: int = AT_ONCE) -> None:
        self._application = application
        self._free = threading.BoundedSemaphore(at_once)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        has_body = environ.get("CONTENT_LENGTH", "") not in ("", "0") or is_of_unknown_length(environ)
        if not has_body or environ["PATH_INFO"].startswith(FOR_MACHINES):
            return self._application(environ, start_response)
        if not self._free.acquire(blocking=False):
            return problem_answer(
                start_response, HTTPStatus.SERVICE_UNAVAILABLE, "Too many forms are sent at once; send it again."
            )
        try:
            return _Answer(self._application(environ, start_response), self._free.release)
        except BaseException:
            self._free.release()
            raise


class _Answer:
    """An answer after which the place is free again."""

    def __init__(self, answer: Iterable[bytes], closed: Callable[[], None]) -> None:
        self._answer, self._closed = answer, closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            self._closed()
