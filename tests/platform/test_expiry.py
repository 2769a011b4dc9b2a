"""Rows are deleted once their model says that they are over, and no others."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.db import models

from governance.platform.expiry import Expiry, delete_expired_rows
from governance.restrictions.models import Change
from governance.tasks import delete_expired_rows as task
from governance.webhooks.models import Delivery, Webhook
from tests.everything import one_of_everything
from tests.factories import NOW, account, restriction

pytestmark = pytest.mark.django_db

EXPIRING = [model for model in apps.get_models() if hasattr(model, "expiry")]
State = Delivery.State


@pytest.mark.parametrize("model", EXPIRING, ids=lambda model: model._meta.label)
class TestAModelWithAnExpiry:
    def test_names_a_time_of_its_own(self, model: type[models.Model]) -> None:
        expiry = model.expiry  # type: ignore[attr-defined]

        assert isinstance(expiry, Expiry)
        assert isinstance(model._meta.get_field(expiry.field), models.DateTimeField)
        assert expiry.after > timedelta(0)

    def test_loses_what_is_older(self, model: type[models.Model]) -> None:
        one_of_everything()
        expiry = model.expiry  # type: ignore[attr-defined]
        over = model._default_manager.filter(expiry.rows)
        over.update(**{expiry.field: NOW - expiry.after - timedelta(seconds=1)})

        delete_expired_rows(now=NOW)

        assert not over.exists()


def test_deliveries_are_kept_until_they_are_finished() -> None:
    restriction(account())
    webhook = Webhook.objects.create(url="https://hooks.example.com", created_at=NOW, sequence=0)
    change = Change.objects.get()
    for state, about in ((State.WAITING, change), (State.DELIVERED, None), (State.GIVEN_UP, None)):
        Delivery.objects.create(webhook=webhook, change=about, state=state, created_at=NOW, due_at=NOW)

    assert not delete_expired_rows(now=NOW + timedelta(days=30))
    assert delete_expired_rows(now=NOW + timedelta(days=31)) == {"webhooks.Delivery": 2}
    assert Delivery.objects.get().state == State.WAITING


def test_nothing_else_is_deleted() -> None:
    one_of_everything()

    deleted = delete_expired_rows(now=NOW + timedelta(days=10_000))

    assert deleted
    assert set(deleted) <= {model._meta.label for model in EXPIRING}


def test_a_task_deletes_them() -> None:
    restriction(account())
    webhook = Webhook.objects.create(url="https://hooks.example.com", created_at=NOW, sequence=0)
    long_ago = NOW - timedelta(days=31)
    Delivery.objects.create(webhook=webhook, state=State.DELIVERED, created_at=long_ago, due_at=long_ago)

    task()

    assert not Delivery.objects.exists()
