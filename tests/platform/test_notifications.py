"""Workers are woken once a transaction has committed, and a dead broker costs a moment."""

import logging

import pytest
from celery import current_app
from pytest_django import DjangoCaptureOnCommitCallbacks

from governance.platform import notifications
from governance.platform.notifications import enqueue_on_commit, suppress_tasks
from tests.servers import free_port

pytestmark = pytest.mark.django_db
TASK = "governance.tasks.apply_policies"


@pytest.fixture
def _dead_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "broker_url", f"redis://127.0.0.1:{free_port()}/0")
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)  # that of the broker before
    monkeypatch.setattr(notifications, "_quiet_until", 0.0)


@pytest.mark.usefixtures("_dead_broker")
def test_a_dead_broker_is_logged_once_and_left_alone_for_a_while(
    caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True) as messages:
        for _ in range(3):
            enqueue_on_commit(TASK)

    assert len(messages) == 3
    assert caplog.text.count("The broker did not take a message for governance.tasks.apply_policies") == 1


def test_no_worker_is_woken_for_rows_that_none_can_see(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as messages:
        with suppress_tasks():
            enqueue_on_commit(TASK)
        enqueue_on_commit(TASK)

    assert len(messages) == 1
