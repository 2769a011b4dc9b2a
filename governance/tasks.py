"""Every background job. A task carries a row's name at most: rows say what is to be done, and twice does no harm."""

from celery import shared_task
from django.utils import timezone

from governance import pipeline
from governance.audit import anchors, publishing
from governance.evidence import sealing
from governance.evidence import unfinished as evidence_bundles
from governance.gateways import probes as probing
from governance.gateways.litellm import push
from governance.overview import actions as overview
from governance.platform import expiry, heartbeats
from governance.platform.notifications import enqueue_on_commit
from governance.privacy import erasure, retention
from governance.restrictions import actions as enforcement
from governance.restrictions import publication
from governance.review import unfinished_decisions
from governance.review.bulk import unfinished as bulk_decisions
from governance.sharing import collection_reader, matching
from governance.sharing.actions import let_in
from governance.staff import credentials
from governance.usage import actions as usage
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
def apply_policies() -> None:
    pipeline.apply_policies(now=timezone.now())


@shared_task
def apply_unfinished_decisions() -> None:
    """Put into force what decisions about many have not yet."""
    unfinished_decisions.apply_unfinished_decisions(now=timezone.now())


@shared_task
def apply_bulk_decisions() -> None:
    """Decide about the accounts of bulk decisions, or undo that, one after the other."""
    bulk_decisions.apply_bulk_decisions(clock=timezone.now)


@shared_task
def end_expired_restrictions() -> None:
    enforcement.end_expired(now=timezone.now())


@shared_task
def cover_new_names(*targets: str) -> None:
    """Of these accounts and organisations, such as "account:7"; without any, of everybody restricted."""
    publication.cover_new_names(targets=targets, now=timezone.now())


@shared_task
def deliver_restrictions() -> None:
    """Rung when the restrictions in force have changed."""
    for webhook in webhooks.create_deliveries(now=timezone.now()):
        enqueue_on_commit("governance.tasks.deliver_webhook", webhook)
    push.push_all(now=timezone.now())


@shared_task
def deliver_webhook(webhook: str) -> None:
    webhooks.deliver(webhook, clock=timezone.now)


@shared_task
def compare_gateways() -> None:
    push.reconcile_due(now=timezone.now())


@shared_task
def probe_gateways() -> None:
    probing.run_due_probes(timezone.now())


@shared_task
def record_heartbeat(queue: str) -> None:
    heartbeats.record_heartbeat(queue, now=timezone.now())


@shared_task
def publish_log() -> None:
    if publishing.publish(now=timezone.now()):
        enqueue_on_commit("governance.tasks.anchor_log")
        enqueue_on_commit("governance.tasks.make_evidence_bundles")  # which may have waited for it


@shared_task
def anchor_log() -> None:
    """Let the witness and the time-stamp authority sign the newest checkpoint."""
    anchors.anchor(now=timezone.now())


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
def delete_expired_rows() -> None:
    """Of the models that say for how long their rows are kept."""
    expiry.delete_expired_rows(now=timezone.now())


@shared_task
def apply_retention() -> None:
    """Delete, replace or pseudonymise what the rules of governance/privacy/rules.py end."""
    retention.apply_retention(now=timezone.now())


@shared_task
def continue_erasures() -> None:
    erasure.continue_erasures(now=timezone.now())


@shared_task
def record_stranger_failures() -> None:
    credentials.record_unknown_origin_failures(now=timezone.now())
    credentials.delete_old_origins(now=timezone.now())


@shared_task
def seal_usage() -> None:
    """Seal the usage of days that are over."""
    sealing.seal_usage(now=timezone.now())


@shared_task
def make_evidence_bundles() -> None:
    """Make the bundles of evidence that somebody asked for."""
    evidence_bundles.make_evidence_bundles(clock=timezone.now)


@shared_task
def delete_old_bundles() -> None:
    """Of evidence, with their files."""
    evidence_bundles.delete_old_bundles(now=timezone.now())


@shared_task
def measure_overview() -> None:
    overview.measure_overview(now=timezone.now())


@shared_task
def read_collections() -> None:
    """Take in what partners have added to their collections."""
    collection_reader.read_collections(now=timezone.now())


@shared_task
def count_let_in() -> None:
    """See which released shares name accounts that were let in again."""
    let_in.count_let_in(now=timezone.now())


@shared_task
def match_indicators() -> None:
    """See which accounts the indicators of partners fit by now: some are over, and accounts have changed."""
    matching.match_indicators(now=timezone.now())
