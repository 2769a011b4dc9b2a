"""The gateway's client around an application: ASGI and WSGI."""

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, Organisation
from governance.restrictions.models import Restriction
from stillwatch_gateway import Gateway, asgi, wsgi
from stillwatch_gateway.entries import Throttle
from stillwatch_gateway.refusals import RateLimiter, enforce
from stillwatch_gateway.restriction_set import UNREACHABLE, Decision, RestrictionSet
from tests.factories import account, api_key, restriction
from tests.front import Served, served

Kind = Restriction.Kind


def organisation_of(one: Account) -> Organisation:
    assert one.organisation is not None
    return one.organisation


def customer(*secrets: str, organisation: str | None = None, **terms: Any) -> Account:
    """Somebody whose keys are registered by their digests; restricted where there are terms."""
    owner = account(organisation=organisation)
    for secret in secrets:
        key = api_key(owner)
        key.digest = hashlib.sha256(secret.encode()).digest()
        key.save()
    if terms:
        restriction(owner, at=timezone.now(), **terms)
    return owner


@pytest.fixture
def front(transactional_db: None) -> Iterator[Served]:
    customer("sk-good")
    customer("sk-blocked", kind=Kind.BLOCK)
    customer("sk,comma", kind=Kind.BLOCK)
    customer("sk-slow", "sk-slow-too", kind=Kind.THROTTLE, requests_per_minute=2)
    quay = [
        customer(f"sk-quay-{n}", organisation="org_quay", kind=Kind.THROTTLE, requests_per_minute=n) for n in (1, 2)
    ]
    restriction(organisation_of(quay[0]), Kind.WITHHOLD, at=timezone.now(), withheld=["logprobs"])
    mole = [customer(f"sk-mole-{n}", organisation="org_mole") for n in (1, 2)]
    account("acct_mole", organisation="org_mole")
    restriction(organisation_of(mole[0]), Kind.THROTTLE, at=timezone.now(), requests_per_minute=2)
    restriction(mole[0], Kind.THROTTLE, at=timezone.now(), requests_per_minute=5)
    with served() as one:
        yield one


@pytest.fixture
def gateway(front: Served, tmp_path: Path) -> Iterator[Gateway]:
    one = Gateway(front.url, front.secret, tmp_path)
    assert one.start()
    yield one
    one.close()


def by_wsgi(gateway: Gateway) -> Any:
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"served"]

    guarded = wsgi.StillwatchMiddleware(application, gateway, limiter=RateLimiter(clock=lambda: 0.0))

    def ask(*secrets: str, **headers: str) -> tuple[int, bytes]:
        statuses: list[int] = []
        environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if secrets:
            environ["HTTP_AUTHORIZATION"] = ",".join(f"Bearer {secret}" for secret in secrets)
        body = guarded(environ, lambda status, _: statuses.append(int(status[:3])))
        return statuses[0], b"".join(body)

    return ask


def by_asgi(gateway: Gateway) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"served"})

    guarded = asgi.StillwatchMiddleware(application, gateway, limiter=RateLimiter(clock=lambda: 0.0))

    def ask(*secrets: str, **headers: str) -> tuple[int, bytes]:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        lines += [(b"Authorization", f"Bearer {secret}".encode()) for secret in secrets]
        scope = {"type": "http", "headers": lines}
        asyncio.run(guarded(scope, None, send))
        return sent[0]["status"], sent[1]["body"]

    return ask


@pytest.mark.parametrize("by", [by_wsgi, by_asgi])
class TestTheMiddleware:
    def test_serves_good_customers_and_refuses_blocked_ones(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        status, body = ask("sk-blocked")

        assert ask("sk-good") == (200, b"served")
        assert status == 403
        assert "R-1" in json.loads(body)["error"]["message"]

    def test_holds_a_throttled_customer_to_the_limit(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        assert [ask("sk-slow")[0] for _ in range(4)] == [200, 200, 429, 429]

    def test_holds_all_keys_of_a_throttled_customer_to_one_limit(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        assert [ask(secret)[0] for secret in ("sk-slow", "sk-slow-too", "sk-slow")] == [200, 200, 429]

    def test_counts_customers_of_one_restricted_organisation_each_by_themselves(
        self, gateway: Gateway, by: Any
    ) -> None:
        ask = by(gateway)

        assert [ask("sk-quay-2")[0] for _ in range(3)] == [200, 200, 429]
        assert [ask("sk-quay-1")[0] for _ in range(2)] == [200, 429]

    def test_leaves_each_account_of_a_throttled_organisation_the_whole_limit(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)

        assert [ask("sk-mole-1")[0] for _ in range(3)] == [200, 200, 429]
        assert [ask("sk-mole-2")[0] for _ in range(3)] == [200, 200, 429]

    def test_counts_a_customer_of_a_throttled_organisation_once_whatever_other_keys_are_shown(
        self, gateway: Gateway, by: Any
    ) -> None:
        ask = by(gateway)

        assert [ask(authorization=f"junk{n}", x_api_key="sk-mole-1")[0] for n in range(3)] == [200, 200, 429]
        assert ask(f"junk-{3}", "sk-mole-1")[0] == ask("sk-mole-1")[0] == 429

    @pytest.mark.parametrize("secrets", [("sk-blocked", "sk-good"), ("sk-good", "sk-blocked")])
    def test_refuses_a_request_with_two_keys_of_which_one_is_blocked(
        self, gateway: Gateway, by: Any, secrets: tuple[str, ...]
    ) -> None:
        ask = by(gateway)

        assert ask(*secrets)[0] == 403
        assert ask(secrets[0], x_api_key=secrets[1])[0] == 403
        assert ask(x_api_key=",".join(secrets))[0] == 403
        assert ask(authorization=f"Token {secrets[0]}", x_api_key=f"Bearer Bearer {secrets[1]}")[0] == 403
        assert ask(authorization=f"BEARER\t{secrets[0]} , bearer   {secrets[1]}")[0] == 403

    def test_refuses_a_blocked_key_with_anything_around_it(self, gateway: Gateway, by: Any) -> None:
        ask = by(gateway)
        ways = ["Bearer sk-blocked x", "Bearer sk-blocked;", 'Bearer "sk-blocked"', "Bearer:sk-blocked",
                "Bearer=sk-blocked", "Bearer sk,comma,Bearer sk-good", "sk-good,sk,comma"]  # fmt: skip

        assert {way: ask(authorization=way)[0] for way in ways} == dict.fromkeys(ways, 403)
        assert {way: ask("sk-good", x_api_key=way)[0] for way in ways} == dict.fromkeys(ways, 403)
        assert ask("sk,comma", "sk-good")[0] == 403

    def test_refuses_more_words_than_are_looked_at(self, gateway: Gateway, by: Any) -> None:
        status, body = by(gateway)(authorization="Bearer " + "x " * 64 + "sk-good")

        assert status == 400
        assert "more than 64 words" in json.loads(body)["error"]["message"]


@pytest.mark.parametrize(
    ("scope", "reached", "sent"),
    [
        ({"type": "lifespan"}, True, []),
        ({"type": "websocket", "headers": [(b"authorization", b"Bearer sk-good")]}, True, []),
        (
            {"type": "websocket", "headers": [(b"authorization", b"Bearer sk-blocked")]},
            False,
            [{"type": "websocket.close", "code": 1008}],
        ),
    ],
)
def test_of_asgi_closes_the_websockets_of_the_blocked_and_leaves_alone_what_is_no_request(
    gateway: Gateway, scope: dict[str, Any], sent: list[Any], *, reached: bool
) -> None:
    heard, seen = [], []

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    async def send(message: Any) -> None:
        heard.append(message)

    asyncio.run(asgi.StillwatchMiddleware(application, gateway)(scope, None, send))

    assert (seen, heard) == ([scope["type"]] if reached else [], sent)


def test_a_customer_who_cannot_be_checked_is_asked_to_try_again() -> None:
    refused = RestrictionSet().decide(["account:a"], now=0.0)._replace(allowed=False, because=UNREACHABLE)

    answer = enforce(refused, RateLimiter())

    assert answer is not None
    assert (answer.status, dict(answer.headers)["Retry-After"]) == (503, "30")


class TestALimit:
    """Of six requests a minute: one each ten seconds."""

    def decision(self, number: int = 1) -> Decision:
        throttles = (Throttle(number, 6),)
        return Decision(True, "throttle", "other", number, 6, None, (), 1, 0.0, throttles=throttles)  # noqa: FBT003

    def test_fills_up_again_with_time_but_never_beyond_itself(self) -> None:
        now = [0.0]
        limiter = RateLimiter(clock=lambda: now[0])
        assert [limiter.take(self.decision()) for _ in range(7)] == [0.0] * 6 + [10.0]

        now[0] = 10.0
        assert [limiter.take(self.decision()) for _ in range(2)] == [0.0, 10.0]
        now[0] = 10_000.0
        assert [limiter.take(self.decision()) for _ in range(7)] == [0.0] * 6 + [10.0]

    def test_of_nothing_serves_nobody(self) -> None:
        none = self.decision()._replace(throttles=(Throttle(1, 0),))

        assert RateLimiter(clock=lambda: 0.0).take(none) == 60.0

    def test_is_forgotten_rather_than_that_memory_grows_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stillwatch_gateway.refusals.BUCKETS_KEPT", 2)
        limiter = RateLimiter(clock=lambda: 0.0)

        for number in range(10):
            limiter.take(self.decision(number))

        assert len(limiter._buckets) <= 3


def test_an_account_of_a_throttled_organisation_is_counted_once_in_all_its_spellings(gateway: Gateway) -> None:
    limiter = RateLimiter(clock=lambda: 0.0)

    def is_served(name: str, **others: str) -> bool:
        return enforce(gateway.decide(account=name, organisation="org_mole", **others), limiter) is None

    assert [is_served(name) for name in ("acct_mole", "acct%5Fmole", "%61cct_mole", " acct_mole")] == [True] * 2 + [
        False
    ] * 2
    assert [is_served(f"acct_unknown_{n}") for n in range(3)] == [True] * 2 + [False]


@pytest.mark.parametrize("spell", [str.upper, " {} ".format, "{}%20".format])
def test_other_names_of_a_customer_are_found_in_every_spelling(gateway: Gateway, spell: Any) -> None:
    digest = hashlib.sha256(b"sk-blocked").hexdigest()

    assert not gateway.decide(account="acct_fine", also=[f"digest:{spell(digest)}"]).allowed
    assert not gateway.decide(digest=spell(digest)).allowed
    assert gateway.decide(account="acct_fine", also=[f"digest:{spell(digest[::-1])}"]).allowed


class TestANameThatCannotBeRead:
    @pytest.mark.parametrize("kind", ["account", "key", "digest", "organisation"])
    @pytest.mark.parametrize("name", ["  ", "\t", "\u00a0", "%20%20", "a" * 201, "\ud800", 7, b"acct_fine"])
    def test_is_refused_and_says_why(self, gateway: Gateway, kind: str, name: Any) -> None:
        decision = gateway.decide(**{kind: name})
        answer = enforce(decision, RateLimiter())

        assert (decision.allowed, decision.number) == (False, None)
        assert decision.because.startswith(f"The name of the {kind} cannot be read: ")
        assert answer is not None
        assert (answer.status, answer.message) == (400, decision.because)

    @pytest.mark.parametrize("others", [["account:  "], ["account:acct_ok", "key:" + "a" * 201]])
    def test_is_refused_among_others_of_its_kind(self, gateway: Gateway, others: list[str]) -> None:
        assert not gateway.decide(account="acct_fine", also=others).allowed

    def test_does_not_hide_a_name_that_is_restricted(self, gateway: Gateway) -> None:
        digest = hashlib.sha256(b"sk-blocked").hexdigest()

        decision = gateway.decide(account="  ", digest=digest)

        assert decision.number is not None
        assert decision.because == ""

    def test_is_refused_beside_a_name_that_is_only_throttled(self, gateway: Gateway) -> None:
        decision = gateway.decide(account="acct_slow", key=" ")

        assert (decision.allowed, decision.number) == (False, None)

    @pytest.mark.parametrize("name", ["", None])
    def test_is_not_one_that_was_not_given(self, gateway: Gateway, name: str | None) -> None:
        assert gateway.decide(account=name, key="key_fine").allowed

    def test_is_not_one_of_many_names_that_are_long_together(self, gateway: Gateway) -> None:
        assert gateway.decide(account="a" * 128, key="k" * 128, organisation="acct: of the: harbour").allowed
