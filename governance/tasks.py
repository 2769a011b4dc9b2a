"""Every background job. A task carries a row's name at most: rows say what is to be done, and twice does no harm."""

from celery import shared_task
from django.utils import timezone

from governance import pipeline
from governance.gateways import probes as probing
from governance.gateways import telemetry as recording
from governance.gateways.litellm import pushing
from governance.platform import heartbeats
from governance.platform.notifications import enqueue_on_commit
from governance.restrictions import actions as enforcement
from governance.review import carrying_out
from governance.staff import signing_in
from governance.usage import actions as usage
from governance.web import idempotency
from governance.webhooks import actions as webhooks


@shared_task
def score_dirty_accounts() -> None:
    """Score until nobody waits."""
    while pipeline.govern(now=timezone.now()):
        pass


@shared_task
def rescore_changed_licences() -> None:
    pipeline.rescore_changed_licences(now=timezone.now())


@shared_task
def carry_out_policies() -> None:
    pipeline.carry_out_policies(now=timezone.now())


@shared_task
def carry_out_decisions() -> None:
    """Put into force what decisions about many have not yet."""
    carrying_out.carry_out_decisions(now=timezone.now())


@shared_task
def end_expired_restrictions() -> None:
    enforcement.end_expired(now=timezone.now())


@shared_task
def cover_new_names(*targets: str) -> None:
    """Of these accounts and organisations, such as "account:7"; without any, of everybody restricted."""
    enforcement.cover_new_names(targets=targets, now=timezone.now())


@shared_task
def deliver_restrictions() -> None:
    """Rung when the restrictions in force have changed."""
    for webhook in webhooks.fan_out(now=timezone.now()):
        enqueue_on_commit("governance.tasks.deliver_webhook", webhook)
    pushing.push_all(now=timezone.now())


@shared_task
def deliver_webhook(webhook: str) -> None:
    webhooks.deliver(webhook, clock=timezone.now)


@shared_task
def compare_gateways() -> None:
    pushing.compare_due(now=timezone.now())


@shared_task
def probe_gateways() -> None:
    probing.probe_due(timezone.now())


@shared_task
def note_heartbeat(queue: str) -> None:
    heartbeats.note_heartbeat(queue, now=timezone.now())


@shared_task
def prepare_partitions() -> None:
    usage.prepare_partitions(now=timezone.now())


@shared_task
def delete_expired_excerpts() -> None:
    usage.delete_expired_excerpts(now=timezone.now())


@shared_task
def drop_old_usage() -> None:
    usage.drop_old_usage(now=timezone.now())


@shared_task
def forget_old_proof() -> None:
    recording.forget_old(now=timezone.now())
    webhooks.forget_old_deliveries(now=timezone.now())


@shared_task
def forget_kept_answers() -> None:
    idempotency.forget_kept_answers(now=timezone.now())


@shared_task
def note_strangers() -> None:
    signing_in.note_strangers(now=timezone.now())
