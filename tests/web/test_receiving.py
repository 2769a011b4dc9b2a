"""What is received at once, and what is answered to the rest."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from django.db import OperationalError

from governance.web.asgi_scope import Message, Receive, Scope, Send
from governance.web.body_quotas import BodyQuota
from governance.web.receiving import Limits, ReceiveBodies

KEYS, PAGES = BodyQuota("keys", 4, 2, 400, 200), BodyQuota("pages", 2, 2, 200, 200)
LIMITS = Limits(KEYS, PAGES, first_seconds=0.05, seconds=60.0)


class Server:
    """What receives, in front of an application that answers when the test lets it."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.may_answer, self._answering = asyncio.Event(), asyncio.Semaphore(0)
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
        return True

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._answering.release()
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def post(self, path: str, secret: str = "", *pieces: bytes | None) -> tuple[int, bytes]:
        """Send pieces, after a None nothing more; return the status and the body of the answer."""
        said: list[Message] = []
        coming: Iterator[bytes | None] = iter(pieces or (b"{}",))

        async def receive() -> Message:
            piece = next(coming, b"")
            if piece is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": piece, "more_body": piece != b""}

        async def send(message: Message) -> None:
            said.append(message)

        headers = [(b"transfer-encoding", b"chunked"), (b"authorization", f"Bearer {secret}".encode())]
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
