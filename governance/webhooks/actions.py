"""Adding and changing webhooks, and delivering every committed change to each of them, with retries."""

import base64
import json
import os
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet

from governance.audit.actions import audit_log_lock, record
from governance.audit.actor import Actor
from governance.audit.verbs import Verb
from governance.platform.encryption import DecryptionError, decrypt_secret, encrypt_secret
from governance.platform.locks import Lock, advisory_lock
from governance.platform.notifications import enqueue_on_commit
from governance.platform.transactions import retried_transaction
from governance.restrictions.queries import last_number, last_number_among
from governance.webhooks.addresses import AddressError, check_url
from governance.webhooks.models import Delivery, Webhook
from governance.webhooks.sending import PostResult, message_body, message_headers, post_once

WEBHOOKS: Final = Actor.system("webhooks")
OLD_SECRET_LASTS: Final = timedelta(hours=24)
# About three days in all, as the specification advises.
RETRIES: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
JITTER: Final = 0.1
# An unavailable receiver gets one message at a time, and at least one in this time.
LONGEST_POSTPONEMENT: Final = timedelta(minutes=1)
# Longer than an attempt takes: after it, the worker that claimed a delivery must have died.
LEASE: Final = timedelta(minutes=1)
# How long one task may work for one webhook: few threads wait for answers, and other receivers need them too.
LONGEST_RUN: Final = timedelta(seconds=30)
CHANGES_AT_ONCE: Final = 5_000
GONE: Final = 410
TASK: Final = "governance.tasks.deliver_webhook"

Clock = Callable[[], datetime]


@retried_transaction
def add_webhook(url: str, *, by: Actor, now: datetime) -> tuple[Webhook, str]:
    """Add a webhook that receives every change from now on. Return it and its secret, which is shown only this once.

    Raises AddressError if no webhook can have this URL, or if it is already registered.
    """
    check_url(url)
    audit_log_lock()
    if (same := Webhook.objects.filter(url=url).first()) is not None:
        state = " It is switched off: switch it on instead." if same.disabled_at else ""
        raise AddressError(f"This URL is already registered.{state}")
    secret = _new_secret()
    webhook = Webhook.objects.create(
        url=url,
        secrets=_encrypt_secrets([(secret, None)]),
        created_at=now,
        created_by=str(by),
        sequence=last_number(),
    )
    record(Verb.WEBHOOK_ADDED, subject=_subject(webhook), by=by, now=now, details={"host": _host(webhook)})
    return webhook, secret


@retried_transaction
def rotate_secret(webhook: Webhook, *, by: Actor, now: datetime) -> str:
    """Return a new secret, shown only this once. For a day messages are signed with the old one too."""
    locked = Webhook.objects.select_for_update().get(pk=webhook.pk)
    secret, ends = _new_secret(), now + OLD_SECRET_LASTS
    try:
        kept = [(old, until or ends) for old, until in _secrets(locked) if until is None or until > now]
    except DecryptionError:
        kept = []
    locked.secrets = _encrypt_secrets([(secret, None), *kept])
    locked.save(update_fields=["secrets"])
    record(Verb.WEBHOOK_SECRET_ROTATED, subject=_subject(webhook), by=by, now=now)
    return secret


@retried_transaction
def disable(webhook: Webhook, *, because: str, by: Actor, now: datetime) -> bool:
    """Stop deliveries until it is enabled again; changes are kept for it. Return False if it was disabled already."""
    disabled = Webhook.objects.filter(pk=webhook.pk, disabled_at=None).update(disabled_at=now, disabled_because=because)
    if disabled:
        record(Verb.WEBHOOK_DISABLED, subject=_subject(webhook), by=by, now=now, details={"because": because})
    return bool(disabled)


@retried_transaction
def enable(webhook: Webhook, *, by: Actor, now: datetime) -> bool:
    enabled = (
        Webhook.objects.filter(pk=webhook.pk).exclude(disabled_at=None).update(disabled_at=None, disabled_because="")
    )
    if enabled:
        record(Verb.WEBHOOK_ENABLED, subject=_subject(webhook), by=by, now=now)
        enqueue_on_commit(TASK, str(webhook.pk))
    return bool(enabled)


@retried_transaction
def remove(webhook: Webhook, *, by: Actor, now: datetime) -> None:
    record(Verb.WEBHOOK_REMOVED, subject=_subject(webhook), by=by, now=now, details={"host": _host(webhook)})
    webhook.delete()


@retried_transaction
def ping(webhook: Webhook, *, by: Actor, now: datetime) -> Delivery:
    """Send a test message, to see whether it arrives."""
    delivery = Delivery.objects.create(webhook=webhook, change=None, created_at=now, due_at=now)
    record(Verb.WEBHOOK_TESTED, subject=_subject(webhook), by=by, now=now)
    enqueue_on_commit(TASK, str(webhook.pk))
    return delivery


@retried_transaction
def replay(
    webhook: Webhook, *, deliveries: Sequence[str] = (), since: datetime | None = None, by: Actor, now: datetime
) -> int:
    """Send these deliveries again, or all since a time. Return how many. Message ids stay the same."""
    again = webhook.deliveries.filter(pk__in=deliveries)
    if since is not None:
        again = webhook.deliveries.filter(created_at__gte=since, change__isnull=False)
    number = again.update(state=Delivery.State.WAITING, due_at=now, attempts=0, tried_at=None)
    if number:
        record(Verb.WEBHOOK_REPLAYED, subject=_subject(webhook), by=by, now=now, details={"deliveries": number})
        enqueue_on_commit(TASK, str(webhook.pk))
    return number


# Delivering ----------------------------------------------------------------------------------------------------------

FAN_OUT: Final = """
    INSERT INTO webhooks_delivery (id, webhook_id, change_id, state, created_at, due_at, attempts, last_error)
    SELECT gen_random_uuid(), %(webhook)s, number, 'waiting', %(now)s, %(now)s, 0, ''
    FROM restrictions_change WHERE number > %(after)s AND number <= %(upto)s
    ON CONFLICT (webhook_id, change_id) DO NOTHING
"""


def create_deliveries(*, now: datetime) -> list[str]:
    """Create a delivery of each committed change for each webhook. Return the ids of webhooks with deliveries due now.

    The change feed is the outbox: a change is committed together with its effect. Concurrent runs skip webhooks that
    another has locked, and run again after it has released them, since it may not have seen the newest changes.
    """
    while _create_some_deliveries(now=now):
        pass
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now, webhook__disabled_at=None)
    return [str(pk) for pk in due.order_by().values_list("webhook", flat=True).distinct()]


@retried_transaction
def _create_some_deliveries(*, now: datetime) -> int:
    """Return for how many webhooks there were new changes."""
    behind = Webhook.objects.select_for_update(skip_locked=True).filter(disabled_at=None, sequence__lt=last_number())
    for webhook in behind:
        upto = last_number_among(CHANGES_AT_ONCE, after=webhook.sequence)
        with connection.cursor() as cursor:
            cursor.execute(FAN_OUT, {"webhook": str(webhook.pk), "now": now, "after": webhook.sequence, "upto": upto})
        Webhook.objects.filter(pk=webhook.pk).update(sequence=upto)
    return len(behind)


def deliver(webhook_id: str | UUID, *, clock: Clock) -> int:
    """Send the due deliveries of one webhook, in order. Return how many were tried. One process at a time a webhook.

    If the receiver is unavailable, its other deliveries are postponed too. Ends after LONGEST_RUN and enqueues itself
    again for what is still due.
    """
    webhook = Webhook.objects.filter(pk=webhook_id).first()
    if webhook is None:
        return 0
    tried, until = 0, clock() + LONGEST_RUN
    with advisory_lock(Lock.WEBHOOK_DELIVERY, webhook.pk.int % 2**31) as ours:
        if not ours:
            return 0
        while clock() < until and (claim := _claim(webhook, now=clock())):
            tried += 1
            outcome = _send(claim.delivery, now=clock())
            _record_attempt(claim, outcome, now=clock())
            if outcome.is_unavailable:
                _postpone_others(webhook, outcome, claim.delivery.attempts, now=clock())
    # After the lock is released: a task that came for newer changes in the meantime has found it taken.
    if _due(webhook, now=clock()).exists():
        enqueue_on_commit(TASK, str(webhook.pk))
    return tried


class Claim(NamedTuple):
    """A delivery that this worker has until then, unless staff has it sent again."""

    delivery: Delivery
    until: datetime


def _due(webhook: Webhook, *, now: datetime) -> QuerySet[Delivery]:
    return Delivery.objects.filter(
        webhook=webhook, webhook__disabled_at=None, state=Delivery.State.WAITING, due_at__lte=now
    )


@retried_transaction
def _claim(webhook: Webhook, *, now: datetime) -> Claim | None:
    """Claim one delivery, so that a worker that dies delays no more, and a disabled webhook gets nothing else."""
    delivery = (
        _due(webhook, now=now)
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("webhook", *(f"change__restriction__{target}" for target in ("account", "key", "organisation")))
        .order_by(F("change").asc(nulls_first=True), "created_at")
        .first()
    )
    if delivery is None:
        return None
    delivery.due_at = now + LEASE
    delivery.attempts += 1
    delivery.save(update_fields=["due_at", "attempts"])
    return Claim(delivery, delivery.due_at)


def _send(delivery: Delivery, *, now: datetime) -> PostResult:
    webhook = delivery.webhook
    body = message_body(delivery)
    try:
        secrets = [secret for secret, until in _secrets(webhook) if until is None or until > now]
    except DecryptionError as error:
        return PostResult(None, str(error))
    return post_once(webhook.url, body, message_headers(delivery, body, secrets, now=now), now=now)


@retried_transaction
def _record_attempt(claim: Claim, outcome: PostResult, *, now: datetime) -> None:
    """Store the result of an attempt; nothing if another worker has claimed the delivery since, or it is sent again."""
    noted: dict[str, Any] = {"tried_at": now, "last_status": outcome.status, "last_error": outcome.error}
    attempts = claim.delivery.attempts
    if outcome.delivered:
        noted |= {"state": Delivery.State.DELIVERED, "delivered_at": now}
    elif attempts > len(RETRIES):
        noted |= {"state": Delivery.State.GIVEN_UP}
    else:
        noted |= {"due_at": now + _pause(attempts, outcome.retry_after)}
    ours = Delivery.objects.filter(pk=claim.delivery.pk, state=Delivery.State.WAITING, due_at=claim.until)
    ours.update(**noted)
    if outcome.status == GONE:
        disable(claim.delivery.webhook, because="The receiver answered 410: gone.", by=WEBHOOKS, now=now)


def _pause(attempts: int, asked: int | None) -> timedelta:
    pause = RETRIES[attempts - 1] * random.uniform(1, 1 + JITTER)  # noqa: S311 - spreads load, keeps no secret
    return max(pause, timedelta(seconds=asked or 0))


def _postpone_others(webhook: Webhook, outcome: PostResult, attempts: int, *, now: datetime) -> None:
    """Postpone the other due deliveries for as long as the receiver asks, or else briefly."""
    asked = timedelta(seconds=outcome.retry_after or 0)
    briefly = min(RETRIES[min(attempts, len(RETRIES)) - 1], LONGEST_POSTPONEMENT)
    _due(webhook, now=now).update(due_at=now + max(asked, briefly))


# Secrets -------------------------------------------------------------------------------------------------------------


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def _encrypt_secrets(secrets: Sequence[tuple[str, datetime | None]]) -> bytes:
    return encrypt_secret(json.dumps([[secret, until.isoformat() if until else None] for secret, until in secrets]))


def _secrets(webhook: Webhook) -> list[tuple[str, datetime | None]]:
    """Return the secrets, the newest first, each with the time until which it is used (None for the newest)."""
    kept = json.loads(decrypt_secret(bytes(webhook.secrets)))
    return [(secret, datetime.fromisoformat(until) if until else None) for secret, until in kept]


def _host(webhook: Webhook) -> str:
    """Return the part of the URL that the log may keep: the rest often works like a password."""
    return urlsplit(webhook.url).netloc


def _subject(webhook: Webhook) -> tuple[str, str]:
    return "webhook", str(webhook.pk)
