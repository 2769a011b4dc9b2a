"""What is received at once, and what is answered to the rest."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from governance.web.asgi_scope import Message, Receive, Scope, Send
from governance.web.body_quotas import BodyQuota
from governance.web.receiving import Limits, ReceiveBodies
from governance.web.threads import BODY

KEYS, PAGES = BodyQuota("keys", 4, 2, 400, 200), BodyQuota("pages", 2, 2, 200, 200)
GATEWAYS = BodyQuota("gateways", 1, 1, 200, 200)
LIMITS = Limits(KEYS, PAGES, GATEWAYS, longest=300, first_seconds=0.05, seconds=60.0)


class Server:
    """What receives, in front of an application that answers when the test lets it."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.may_answer, self._answering = asyncio.Event(), asyncio.Semaphore(0)
        self.received: Any = None
        self.bodies = ReceiveBodies(
            self._application,
            limits,
            is_usable=self._is_usable,
            is_forwarded=lambda path: path.startswith("/access/"),
            drops_at_429=lambda path: path.endswith("litellm"),
        )

    async def _is_usable(self, secret: str) -> bool:
        if secret == "swk_lost":
            raise OperationalError
        return secret != "swk_revoked"

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.received = scope[BODY]
        self._answering.release()
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def post(
        self, path: str, secret: str = "", *pieces: bytes | None, length: int | None = None
    ) -> tuple[int, bytes]:
        """Send pieces, after a None nothing more; return the status and the body of the answer. Without the `length`
        of the body they come in chunks.
        """
        said: list[Message] = []
        coming: Iterator[bytes | None] = iter(pieces or (b"{}",))

        async def receive() -> Message:
            piece = next(coming, b"")
            if piece is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": piece, "more_body": piece != b""}

        async def send(message: Message) -> None:
            said.append(message)

        how = (b"transfer-encoding", b"chunked") if length is None else (b"content-length", b"%d" % length)
        headers = [how, (b"authorization", f"Bearer {secret}".encode())]
        scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "query_string": b"\xff"}
        await self.bodies({**scope, "headers": headers, "client": ("192.0.2.7", 1)}, receive, send)
        return said[0]["status"], b"".join(message.get("body", b"") for message in said)

    async def begin(self, number: int, path: str, secret: str = "", *pieces: bytes) -> list[asyncio.Task[Any]]:
        """Requests that are all being answered."""
        begun = [asyncio.create_task(self.post(path, secret, *pieces)) for _ in range(number)]
        for _ in begun:
            await self._answering.acquire()
        return begun

    async def answered(self, begun: list[asyncio.Task[Any]]) -> set[int]:
        self.may_answer.set()
        return {status for status, _ in await asyncio.gather(*begun)}


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())  # type: ignore[arg-type]


def test_forms_of_strangers_take_no_place_from_service_keys() -> None:
    async def story() -> None:
        server = Server()
        forms = await server.begin(PAGES.bodies, "/sign-in/")
        assert (await server.post("/sign-in/"))[0] == 503
        keys = await server.begin(1, "/api/v1/usage-events", "swk_one")
        assert await server.answered([*forms, *keys]) == {202}

    run(story)


def test_their_bytes_take_none_either() -> None:
    async def story() -> None:
        server = Server()
        forms = await server.begin(1, "/sign-in/", "", b"a" * PAGES.bytes)
        assert (await server.post("/sign-in/"))[0] == 503
        keys = await server.begin(1, "/api/v1/usage-events", "swk_one", b"a" * KEYS.bytes_of_a_sender)
        assert await server.answered([*forms, *keys]) == {202}

    run(story)


def test_a_key_has_its_places_until_its_bodies_are_answered() -> None:
    async def story() -> None:
        server = Server()
        begun = await server.begin(KEYS.bodies_of_a_sender, "/api/v1/usage-events", "swk_one")
        assert (await server.post("/api/v1/usage-events", "swk_one"))[0] == 429
        begun += await server.begin(KEYS.bodies_of_a_sender, "/api/v1/usage-events", "swk_two")
        assert (await server.post("/api/v1/usage-events", "swk_three"))[0] == 503
        assert await server.answered(begun) == {202}
        assert (await server.post("/api/v1/usage-events", "swk_one"))[0] == 202

    run(story)


def test_what_keys_send_together_has_a_limit_too() -> None:
    async def story() -> None:
        server = Server()
        begun = [
            *await server.begin(1, "/api/v1/usage-events", "swk_one", b"a" * 200),
            *await server.begin(1, "/api/v1/usage-events", "swk_two", b"a" * 150),
        ]
        status, body = await server.post("/api/v1/usage-events", "swk_three", b"a" * 100)
        assert (status, b"Too much is sent at once" in body) == (503, True)
        assert await server.answered(begun) == {202}

    run(story)


def test_what_the_check_is_asked_has_places_of_its_own() -> None:
    async def story() -> None:
        server = Server()
        begun = await server.begin(1, "/access/check", "swk_one")
        status, body = await server.post("/access/check", "swk_one")
        assert (status, b"Use the port of the check" in body) == (503, True)
        begun += await server.begin(1, "/api/v1/usage-events", "swk_one")
        assert await server.answered(begun) == {202}

    run(story)


def test_a_body_that_says_it_is_too_long_is_not_received() -> None:
    async def story() -> None:
        status, body = await Server().post("/api/v1/usage-events", "swk_one", None, length=301)
        assert (status, b"Send at most 300 bytes" in body) == (413, True)

    run(story)


def test_a_body_without_a_usable_key_cannot_be_read_as_if_it_were_empty() -> None:
    async def story() -> None:
        server = Server()
        begun = await server.begin(1, "/api/v1/usage-events", "swk_revoked", b'{"events": []}')
        with pytest.raises(OSError, match="not received"):
            server.received.read()
        assert await server.answered(begun) == {202}

    run(story)


def test_a_body_that_does_not_begin_is_refused_with_both_deadlines() -> None:
    async def story() -> None:
        status, body = await Server().post("/api/v1/usage-events", "swk_one", None)
        assert status == 408
        assert b"Begin a body within 0.05 seconds, and send it within 60" in body

    run(story)


def test_a_key_that_nobody_can_look_up_is_answered_503() -> None:
    async def story() -> None:
        status, body = await Server().post("/api/v1/usage-events", "swk_lost")
        assert status == 503
        assert b"The database does not answer" in body

    run(story)
