"""What the check saves on disk for its next start: by one process, in spite of a disk that failed for a while."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from governance.gateways.check.saved_state import StateStore
from tests.factories import account, restriction
from tests.front import served
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    """The folder as a process finds it that starts next."""
    next_one = StateStore(tmp_path / "check", "a secret key")
    yield next_one
    next_one.close()


def another(store: StateStore) -> StateStore:
    return StateStore(store.folder, "a secret key")


def block(name: str) -> None:
    restriction(account(name), at=timezone.now())


def has_saved(store: StateStore, name: str) -> bool:
    saved = store.load()
    return (
        saved is not None and not saved.restricted.decide([f"account:{name}"], now=timezone.now().timestamp()).allowed
    )


def test_nothing_is_known_where_nothing_was_saved(store: StateStore) -> None:
    store.open()

    assert store.load() is None


def test_of_two_processes_one_saves_and_the_other_takes_its_place(
    store: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.gateways.check.state_writer.OPENED_EVERY", 0.05)
    first, second = another(store), another(store)
    with served(store=first):
        wait_until(lambda: first.can_write, "the first one saves")
        with served(store=second) as front:
            block("acct_1")
            wait_until(lambda: has_saved(store, "acct_1"), "it is saved")
            second_wrote = second.can_write
            first.close()  # as where its process has ended
            wait_until(lambda: second.can_write, "the second one saves")
            block("acct_2")
            front.knows(2)
            wait_until(lambda: has_saved(store, "acct_2"), "it is saved")

    assert not second_wrote


def test_a_disk_that_takes_nothing_is_named_once_and_tried_again(
    store: StateStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("governance.gateways.check.state_writer.PROBLEM_TRIED_EVERY", 0.2)
    in_the_way = store.folder / "snapshot.new"
    in_the_way.mkdir(parents=True)
    block("acct_1")
    with served(store=another(store)) as front:
        wait_until(lambda: "What is in force is not saved" in caplog.text)
        refused_meanwhile = front.check(account="acct_1")["decision"]
        in_the_way.rmdir()
        wait_until(lambda: has_saved(store, "acct_1"), "it is saved")

    assert refused_meanwhile == "deny"
    assert caplog.text.count("What is in force is not saved") == 1
    assert "The disk did not take what was to be kept: Is a directory" in caplog.text


@pytest.mark.skipif(not settings.EMBEDDED, reason="the way to PostgreSQL is a folder here, which can be taken away")
def test_a_snapshot_that_the_database_does_not_give_is_taken_later(
    store: StateStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("governance.gateways.check.state_writer.SNAPSHOT_AT_BYTES", -1)  # at each change
    nowhere = {**connection.settings_dict["OPTIONS"], "host": "/nowhere"}
    with served(store=another(store)) as front, caplog.at_level(logging.INFO):
        front.knows(0)
        with monkeypatch.context() as patch:
            patch.setitem(connection.settings_dict, "OPTIONS", nowhere)
            block("acct_1")
            wait_until(lambda: "Cannot read the restrictions to save them" in caplog.text)

        wait_until(lambda: has_saved(store, "acct_1"), "it is saved")
