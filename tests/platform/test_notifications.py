"""Workers are woken once a transaction has committed, and a dead broker costs one request a moment."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from celery import current_app
from kombu import Connection
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks

from governance.platform import notifications
from governance.platform.notifications import enqueue_on_commit, suppress_tasks

pytestmark = pytest.mark.django_db
TASK = "governance.tasks.apply_policies"


class DeadBroker:
    """Hangs up on everybody, and counts them."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._socket.getsockname()[1]}/0"
        self.calls = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._socket.accept()
                self.calls += 1
                caller.close()

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeadBroker]:
    dead = DeadBroker()
    monkeypatch.setitem(current_app.conf, "broker_url", dead.url)
    monkeypatch.setattr(current_app.amqp, "_producer_pool", None)  # that of the broker before
    monkeypatch.setattr(notifications, "_quiet_until", 0.0)
    yield dead
    dead.close()


def test_a_dead_broker_is_tried_once_and_then_left_alone_for_a_while(
    broker: DeadBroker,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with pytest.raises(OperationalError), Connection(broker.url) as once:
        once.ensure_connection(max_retries=0)
    calls_of_a_try = broker.calls

    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True) as messages:
        for _ in range(3):
            enqueue_on_commit(TASK)

    assert (len(messages), broker.calls) == (3, 2 * calls_of_a_try)
    assert caplog.text.count("The broker did not take a message for governance.tasks.apply_policies") == 1


def test_no_worker_is_woken_for_rows_that_none_can_see(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks() as messages:
        with suppress_tasks():
            enqueue_on_commit(TASK)
        enqueue_on_commit(TASK)

    assert len(messages) == 1
