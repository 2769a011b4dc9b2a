"""Every background job. A task carries nothing: it finds in rows what is to be done, and twice does no harm."""

from celery import shared_task
from django.utils import timezone

from governance import pipeline
from governance.enforcement.actions import end_expired
from governance.usage.actions import forget_expired_excerpts as forget_excerpts
from governance.usage.partitions import ensure_ahead


@shared_task
def score_dirty_accounts() -> None:
    """Score until nobody waits."""
    while pipeline.govern(now=timezone.now()):
        pass


@shared_task
def end_expired_restrictions() -> None:
    end_expired(now=timezone.now())


@shared_task
def deliver_restrictions() -> None:
    """Rung when the restrictions in force have changed. Gateways that are told will be told here."""


@shared_task
def prepare_partitions() -> None:
    ensure_ahead(timezone.now().date())


@shared_task
def forget_expired_excerpts() -> None:
    forget_excerpts(now=timezone.now())
