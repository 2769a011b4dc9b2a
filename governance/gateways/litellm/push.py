"""Push blocks to LiteLLM as soon as they are decided, and compare regularly.

Who ought to be blocked is worked out from what is in force, so that it does not matter how often, or in which order,
changes are published.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from django.db.models import Max, Q, QuerySet

from governance.gateways.litellm.admin_api import LiteLlm, LiteLlmError
from governance.gateways.litellm.denied_names import filter_denied_names, list_changed_names, list_denied_names
from governance.gateways.litellm.sync import LiteLlmSync, SyncResult
from governance.gateways.models import Gateway, GatewayInstance, LiteLlmPush, PropagationEntry
from governance.gateways.status import PUSHED
from governance.platform.encryption import DecryptionError, decrypt_secret
from governance.platform.locks import Lock, advisory_lock
from governance.platform.transactions import retried_transaction
from governance.restrictions.queries import last_number, last_number_among

logger = logging.getLogger(__name__)

COMPARED_EVERY: Final = timedelta(minutes=5)
CHANGES_AT_ONCE: Final = 500
NAMES_AT_ONCE: Final = 50


def push_all(*, now: datetime) -> None:
    """Push to every LiteLLM; what goes wrong with one is logged, and no matter of the others."""
    for gateway in _with_litellm():
        try:
            push(gateway, now)
        except (LiteLlmError, DecryptionError) as error:
            logger.warning("Blocks cannot be pushed to LiteLLM of %s: %s", gateway, error)


def reconcile_due(*, now: datetime) -> None:
    """Compare every LiteLLM whose time has come, each by itself."""
    due = Q(compared_at=None) | Q(compared_at__lte=now - COMPARED_EVERY) | Q(compared_at__gt=now + COMPARED_EVERY)
    for gateway in _with_litellm().filter(due):
        try:
            reconcile(gateway, now)
        except (LiteLlmError, DecryptionError) as error:
            logger.warning("Blocks at LiteLLM of %s cannot be compared: %s", gateway, error)


def push(gateway: Gateway, now: datetime) -> SyncResult:
    """Put every change that LiteLLM does not have yet into force there, and see that it has it.

    The changes count as pushed once nothing of them failed. If another process is pushing, this does nothing: that
    process looks for newer changes after it has released the lock. Raises LiteLlmError if LiteLLM does not answer at
    all, and DecryptionError.
    """
    done, began = SyncResult(), monotonic()
    with _client(gateway) as client:
        client.check()
        while True:
            with advisory_lock(Lock.LITELLM_SYNC, gateway.pk) as ours:
                if not ours:
                    return done
                at = now + timedelta(seconds=monotonic() - began)
                sequence = _push_batch(LiteLlmSync(client, gateway, done, at))
                if done.failed:
                    return done
                _note_arrival(gateway, sequence, now=at, seen_at=now + timedelta(seconds=monotonic() - began))
            if sequence >= last_number():
                return done


def reconcile(gateway: Gateway, now: datetime) -> SyncResult:
    """See whether LiteLLM blocks whom it should, and nobody any more whom we blocked; set right what differs.

    Every difference is kept as a Repair, with an entry in the log. Raises as `push` does, which goes first.
    """
    began = monotonic()
    done = push(gateway, now)
    with _client(gateway) as client:
        ours = LiteLlmPush.objects.filter(gateway=gateway).values_list("because", flat=True)
        names = sorted(list_denied_names(now=now) | set(ours))
        for start in range(0, len(names), NAMES_AT_ONCE):
            # In batches, so that a block that is decided meanwhile does not wait for all of them.
            with advisory_lock(Lock.LITELLM_SYNC, gateway.pk, wait=True):
                at = now + timedelta(seconds=monotonic() - began)
                sync = LiteLlmSync(client, gateway, done, at, is_reconciling=True)
                _reconcile_batch(sync, set(names[start : start + NAMES_AT_ONCE]))
    Gateway.objects.filter(pk=gateway.pk).update(compared_at=now)
    return done


def _push_batch(sync: LiteLlmSync) -> int:
    """Up to which change LiteLLM has everything, if nothing failed."""
    gateway = sync.gateway
    pushed = _pushed_sequence(gateway)
    until = last_number_among(CHANGES_AT_ONCE, after=pushed)
    names = list_changed_names(gateway, after=pushed, until=until, since=_seen_at(gateway), now=sync.now)
    wanted = filter_denied_names(names, now=sync.now)
    for name in sorted(names):
        sync.sync_name(name, denied=name in wanted)
    return until


def _reconcile_batch(sync: LiteLlmSync, names: set[str]) -> None:
    gateway, pushed = sync.gateway, _pushed_sequence(sync.gateway)
    # What is yet to be pushed is late, and no difference.
    names -= list_changed_names(gateway, after=pushed, until=last_number(), since=_seen_at(gateway), now=sync.now)
    wanted = filter_denied_names(names, now=sync.now)
    for name in sorted(names):
        sync.sync_name(name, denied=name in wanted)


def _pushed_sequence(gateway: Gateway) -> int:
    return Gateway.objects.values_list("pushed_sequence", flat=True).get(pk=gateway.pk)


def _seen_at(gateway: Gateway) -> datetime | None:
    """At what moment the last push looked at who ought to be blocked."""
    return GatewayInstance.objects.filter(gateway=gateway, instance=PUSHED).values_list("seen_at", flat=True).first()


@retried_transaction
def _note_arrival(gateway: Gateway, sequence: int, *, now: datetime, seen_at: datetime) -> None:
    Gateway.objects.filter(pk=gateway.pk).update(pushed_sequence=sequence)
    gateway_instance, made = GatewayInstance.objects.get_or_create(
        gateway=gateway,
        instance=PUSHED,
        defaults={"started_at": now, "seen_at": now, "sequence": sequence},
    )
    if sequence and (made or sequence > gateway_instance.sequence):
        PropagationEntry.objects.create(gateway_instance=gateway_instance, sequence=sequence, at=seen_at)
    GatewayInstance.objects.filter(pk=gateway_instance.pk).update(seen_at=now, sequence=sequence)


@contextmanager
def _client(gateway: Gateway) -> Iterator[LiteLlm]:
    with LiteLlm(gateway.litellm_url, key=decrypt_secret(bytes(gateway.litellm_key))) as client:
        yield client


def _with_litellm() -> QuerySet[Gateway]:
    """Those that do not answer come last, so that the others do not wait for them."""
    heard_of = Max("instances__seen_at", filter=Q(instances__instance=PUSHED))
    return Gateway.objects.exclude(litellm_url="").annotate(heard_of=heard_of).order_by("-heard_of", "name")
