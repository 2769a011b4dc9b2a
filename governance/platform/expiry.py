"""Rows that are kept for some time only.

A model says for how long: `expiry: ClassVar = Expiry("created_at", timedelta(days=30))`. One task deletes what is over.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.db import transaction
from django.db.models import Q, QuerySet

# Rows deleted in one transaction, so that nobody waits for long.
PORTION: Final = 5_000


class Expiry(NamedTuple):
    """Which rows of a model are deleted: those with a time in `field` that is longer ago than `after`.

    `rows` says to which rows this applies, if not to all of them.
    """

    field: str
    after: timedelta
    rows: Q = Q()


def delete_expired_rows(*, now: datetime) -> Counter[str]:
    """Delete the rows of every model that are over. Return how many, by the label of the model."""
    deleted = Counter[str]()
    for model in apps.get_models():
        expiry = getattr(model, "expiry", None)
        if isinstance(expiry, Expiry):
            is_over = Q(**{f"{expiry.field}__lt": now - expiry.after})
            deleted.update(delete_in_portions(model._default_manager.filter(expiry.rows, is_over)))
    return deleted


def delete_in_portions(rows: QuerySet[Any, Any], *, portion: int = PORTION) -> Counter[str]:
    """Delete rows, so many in a transaction. Return how many, by the label of the model."""
    deleted = Counter[str]()
    while True:
        with transaction.atomic():
            keys = list(rows.order_by().values_list("pk", flat=True)[:portion])
            _, by_model = rows.model._default_manager.filter(pk__in=keys).delete()
        deleted.update(by_model)
        if len(keys) < portion:
            return deleted
