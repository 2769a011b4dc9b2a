"""Test whether a gateway obeys. A canary, an account of the seller's own, is blocked and used until it is refused, then
let in again.
"""

import json
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple, Self

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import Account
from governance.audit.actor import Actor
from governance.gateways.models import CanaryProbe, Gateway
from governance.platform.encryption import DecryptionError, decrypt_secret
from governance.platform.leases import lease_ended
from governance.platform.locks import Lock, advisory_lock
from governance.platform.outbound import BodyLimit, send
from governance.platform.outbound_errors import OutboundError
from governance.restrictions.actions import restrict
from governance.restrictions.models import Change, Restriction
from governance.restrictions.queries import access
from governance.restrictions.reasons import Reason
from governance.restrictions.terms import Terms
from governance.restrictions.undo import undo

logger = logging.getLogger(__name__)

CANARY: Final = Actor.system("canary")
PROBED_EVERY: Final = timedelta(minutes=5)
# Should nobody be left to lift it, a canary's block ends by itself.
LASTS: Final = timedelta(minutes=5)
LOOKS_FOR: Final = 10.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.02, 0.2, 1.5  # seconds, and how many times longer each pause is
SECONDS: Final = 5.0  # for each request
MOST_BYTES: Final = 64 * 2**10

ALLOWS: Final = range(200, 300)
# How gateways say no to a customer: LiteLLM says 401 of a blocked key, and a guardrail of its 400.
REFUSES: Final = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
}

Clock = Callable[[], float]
Sleep = Callable[[float], object]


class CanaryAnswer(NamedTuple):
    """What the gateway answered to the canary: whether it let it in, or None if the answer does not say."""

    allowed: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Canary:
    """A request with a key of the seller's own."""

    url: str
    headers: Mapping[str, str]
    body: str

    @classmethod
    def of(cls, gateway: Gateway) -> Self:
        """Raises SealError."""
        headers = json.loads(decrypt_secret(bytes(gateway.canary_headers))) if gateway.canary_headers else {}
        return cls(gateway.canary_url, headers, gateway.canary_body)

    def ask(self) -> CanaryAnswer:
        """Send the request once, over a connection of its own."""
        headers = {"User-Agent": "Stillwatch canary", "Connection": "close", **self.headers}
        if self.body and "content-type" not in {name.lower() for name in headers}:
            headers["Content-Type"] = "application/json"
        try:
            answer = send(
                "POST" if self.body else "GET",
                self.url,
                content=self.body.encode() or None,
                headers=headers,
                seconds=SECONDS,
                most_bytes=MOST_BYTES,
                body=BodyLimit.FIRST_PART,
            )
        except OutboundError as error:
            return CanaryAnswer(None, str(error))
        allowed = True if answer.status in ALLOWS else False if answer.status in REFUSES else None
        return CanaryAnswer(allowed, str(answer.status))


class ProbeWaitResult(NamedTuple):
    """How a wait for one kind of answer ended: the last answer, and after how many seconds it was there."""

    answer: CanaryAnswer
    seconds: float


@dataclass(slots=True)
class ProbeClock:
    """The time of one probe: `now` moves on with the clock, whose seconds start anywhere."""

    began_at: datetime
    clock: Clock
    sleep: Sleep
    _began: float = 0.0

    def __post_init__(self) -> None:
        self._began = self.clock()

    def now(self) -> datetime:
        return self.at(self.clock())

    def at(self, moment: float) -> datetime:
        return self.began_at + timedelta(seconds=moment - self._began)

    def until(self, canary: Canary, *, allowed: bool, since: float) -> ProbeWaitResult:
        """Ask at short intervals, first at once, until the gateway answers so or 10 seconds have passed."""
        pauses = pause_lengths()
        while True:
            answer, pause = canary.ask(), next(pauses)
            seconds = self.clock() - since
            if answer.allowed is allowed or seconds + pause > LOOKS_FOR:
                return ProbeWaitResult(answer, seconds)
            self.sleep(pause)


def pause_lengths() -> Iterator[float]:
    """Seconds between two looks: short at first, since what is shown is as fine as they are."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def run_due_probes(now: datetime, *, clock: Clock = time.monotonic, sleep: Sleep = time.sleep) -> int:
    """Probe the gateways whose time has come, one after another; how many. One that fails takes no other along."""
    began, probed = clock(), 0
    for gateway in gateways_with_canary().filter(lease_ended("probe_due_at", at=now, duration=PROBED_EVERY)):
        at = now + timedelta(seconds=clock() - began)
        if not claim_probe(gateway, now=at):
            continue
        try:
            probe(gateway, at, clock=clock, sleep=sleep)
            probed += 1
        except Exception:
            logger.exception("The canary of %s could not be tested.", gateway)
    return probed


def gateways_with_canary() -> QuerySet[Gateway]:
    return Gateway.objects.exclude(canary_url="").exclude(canary_account=None).select_related("canary_account")


def claim_probe(gateway: Gateway, *, now: datetime) -> bool:
    """Put the next probe off, and so take this one; False where another worker has."""
    waiting = Gateway.objects.filter(pk=gateway.pk, probe_due_at=gateway.probe_due_at)
    return bool(waiting.update(probe_due_at=now + PROBED_EVERY))


def probe(
    gateway: Gateway, now: datetime, *, clock: Clock = time.monotonic, sleep: Sleep = time.sleep
) -> list[CanaryProbe]:
    """Block the canary, wait until it is refused, lift the block, and wait until it is let in again.

    A Probe row for each of the two that was looked at, or one that says why nothing could be. Nothing is done where
    another process is probing. Must not be called in a transaction: a gateway obeys what is committed.
    """
    account = gateway.canary_account
    if account is None or not gateway.canary_url:
        raise ValueError(f"{gateway} has no canary.")
    probe_clock = ProbeClock(now, clock, sleep)
    with advisory_lock(Lock.CANARY_PROBE, gateway.pk) as ours:
        if not ours:
            return []
        left_over = _lift(gateway, probe_clock)
        try:
            canary = Canary.of(gateway)
        except DecryptionError as error:
            return [_note(gateway, ProbeWaitResult(CanaryAnswer(None, str(error)), 0), now=probe_clock.now())]
        if (hindrance := _hindrance(account, canary, probe_clock, left_over=left_over)) is not None:
            return [_note(gateway, hindrance, now=probe_clock.now())]
        return _probe(gateway, account, canary, probe_clock)


def _hindrance(
    account: Account, canary: Canary, probe_clock: ProbeClock, *, left_over: float | None
) -> ProbeWaitResult | None:
    """Why the canary cannot show anything, if so: it must have access before it can lose it."""
    current = access(account=account.external_id, now=probe_clock.now())
    if current.restriction is not None and not current.allowed:
        return ProbeWaitResult(
            CanaryAnswer(None, f"The canary's account is restricted itself, by no. {current.restriction.number}."), 0
        )
    look = (
        ProbeWaitResult(canary.ask(), 0)
        if left_over is None
        else probe_clock.until(canary, allowed=True, since=left_over)
    )
    if look.answer.allowed:
        return None
    return ProbeWaitResult(
        CanaryAnswer(None, f"The canary was refused before it was blocked: {look.answer.words}."), look.seconds
    )


def _probe(gateway: Gateway, account: Account, canary: Canary, probe_clock: ProbeClock) -> list[CanaryProbe]:
    terms = Terms(Restriction.Kind.BLOCK, Reason.OTHER, until=probe_clock.now() + LASTS)
    key = f"{_mark(gateway)}{uuid.uuid4()}"
    try:
        with transaction.atomic(durable=True):
            committed = _moment_of_commit(probe_clock.clock)
            block = restrict(account, terms, unique_key=key, by=CANARY, now=probe_clock.now())
        refused = probe_clock.until(canary, allowed=False, since=committed[0])
        probes = [_note(gateway, refused, now=probe_clock.at(committed[0]), change=block.number)]
    finally:
        lifted = _lift(gateway, probe_clock)
    if probes[0].outcome != CanaryProbe.Outcome.OBEYED or lifted is None:
        return probes  # who was never refused shows nothing by being let in
    back = probe_clock.until(canary, allowed=True, since=lifted)
    change = Change.objects.filter(restriction=block, what=Change.What.ENDED).values_list("number", flat=True).first()
    return [*probes, _note(gateway, back, now=probe_clock.at(lifted), change=change, lifting=True)]


def _lift(gateway: Gateway, probe_clock: ProbeClock) -> float | None:
    """End what blocks the canary of this gateway, of a run that was cut off as well; when that was committed."""
    blocks = Restriction.objects.filter(origin__startswith=_mark(gateway), ended_at=None)
    origins = list(blocks.values_list("origin", flat=True))
    if not origins:
        return None
    with transaction.atomic(durable=True):
        committed = _moment_of_commit(probe_clock.clock)
        # A block that staff put on this account just before is restored.
        undo(
            origins,
            note="The canary was looked at.",
            by=CANARY,
            now=probe_clock.now(),
            ending=Restriction.Ending.LIFTED,
        )
    return committed[0]


def _mark(gateway: Gateway) -> str:
    return f"canary:{gateway.pk}:"


def _moment_of_commit(clock: Clock) -> list[float]:
    """The clock just after the present transaction will have committed, before anything else that waits for that."""
    moments: list[float] = []
    transaction.on_commit(lambda: moments.append(clock()))
    return moments


def _note(
    gateway: Gateway, look: ProbeWaitResult, *, now: datetime, change: int | None = None, lifting: bool = False
) -> CanaryProbe:
    """Record the result of a probe. A gateway whose last answer was the opposite has not obeyed."""
    obeyed = change is not None and look.answer.allowed is lifting
    other = CanaryProbe.Outcome.UNREACHABLE if look.answer.allowed is None else CanaryProbe.Outcome.IGNORED
    return CanaryProbe.objects.create(
        gateway=gateway,
        change=change,
        lifting=lifting,
        at=now,
        took_ms=round(look.seconds * 1000) if obeyed else None,
        outcome=CanaryProbe.Outcome.OBEYED if obeyed else other,
        detail=look.answer.words[:300],
    )
