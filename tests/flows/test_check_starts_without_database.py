"""A process of the check that starts while PostgreSQL is away answers by what the one before it had saved."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import psutil
import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from governance.gateways.check import sql as rows
from governance.gateways.check.replica import RestrictionReplica
from governance.gateways.check.saved_state import SavedState, StateStore
from governance.restrictions.actions import lift
from governance.staff.models import ServiceKey
from governance.staff.service_keys import issue_service_key, revoke_service_key
from tests.factories import MACHINE, account, restriction
from tests.flows.test_slow_senders import get
from tests.flows.web_server import running_server
from tests.flows.worker import environment
from tests.front import served
from tests.servers import free_port
from tests.waiting import PATIENCE, wait_until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not settings.EMBEDDED, reason="the way to PostgreSQL is a folder here, which can be taken away"),
]

TRIES = 40


class Check:
    """`manage.py serve_check`, with a way to PostgreSQL that can be closed, and a folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder / "check", free_port()
        self._way = folder / "way"
        self._url = urlsplit(environment()["DATABASE_URL"])
        self.open_way()

    def open_way(self) -> None:
        self._way.symlink_to(parse_qs(self._url.query)["host"][0])

    def close_way(self) -> None:
        self._way.unlink()

    @contextmanager
    def running(self, workers: int = 1) -> Iterator[psutil.Process]:
        command = [sys.executable, "manage.py", "serve_check", "--port", str(self.port), "--workers", str(workers)]
        url = self._url._replace(query=urlencode({"host": str(self._way)})).geturl()
        with running_server(command, self.port, {"DATABASE_URL": url, "CHECK_FOLDER": str(self.folder)}):
            [server] = [one for one in psutil.Process().children() if str(self.port) in one.cmdline()]
            yield server

    def ask(self, name: str, secret: str) -> tuple[str, float]:
        """What the check decides and the age of what it knows; instead the status that it answers with."""
        status, body = self._get(f"/access/check?account={name}", secret)
        said = json.loads(body)
        return (said["decision"], said["age"]) if status == 200 else (str(status), 0.0)

    def _get(self, path: str, secret: str) -> tuple[int, bytes]:
        """A worker that ended may get connections until the kernel has closed its socket; gateways try again too."""
        for _ in range(TRIES):
            with suppress(OSError):
                return get(self.port, path, secret)
            time.sleep(0.05)
        return get(self.port, path, secret)

    def decision(self, name: str, secret: str) -> str:
        return self.ask(name, secret)[0]

    def has_saved(self, name: str) -> bool:
        try:
            return any(name.encode() in (self.folder / file).read_bytes() for file in ("snapshot", "changes", "keys"))
        except FileNotFoundError:
            return False


@pytest.fixture
def check() -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as folder:  # of a short name, as sockets need
        yield Check(Path(folder))


def kill(server: psutil.Process) -> None:
    """`kill -9` it and its workers."""
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family)


def key(name: str, **terms: object) -> tuple[ServiceKey, str]:
    return issue_service_key(name=name, scopes=["access:read"], by=MACHINE, now=timezone.now(), **terms)  # type: ignore[arg-type]


def block(name: str) -> None:
    restriction(account(name), at=timezone.now())


@pytest.mark.long
def test_who_was_refused_last_is_refused_after_a_hard_end(check: Check) -> None:
    _, secret = key("edge")
    revoked, of_revoked = key("revoked")
    block("acct_before")
    pardoned = restriction(account("acct_pardoned"), at=timezone.now())
    with check.running(workers=2) as server:
        wait_until(lambda: check.decision("acct_before", of_revoked) == "deny", "the check knows the key and the block")
        wait_until(lambda: check.has_saved("revoked"), "the keys are saved")
        block("acct_after")
        lift(pardoned, note="a mistake", by=MACHINE, now=timezone.now())
        block("acct_last")
        revoke_service_key(revoked, by=MACHINE, now=timezone.now())
        wait_until(lambda: check.has_saved("acct_last") and not check.has_saved("revoked"), "all of it is saved")
        kill(server)
    check.close_way()

    with check.running(workers=2) as server:
        names = ("acct_before", "acct_after", "acct_last", "acct_pardoned")
        assert [check.decision(name, secret) for name in names] == ["deny", "deny", "deny", "allow"]
        _, age = check.ask("acct_before", secret)
        wait_until(lambda: check.ask("acct_before", secret)[1] > age > 0, "the age grows")
        assert check.decision("acct_before", of_revoked) == "401"
        assert check.decision("acct_before", "swk_unknown") == "401"

        # A worker that dies is replaced by one that knows the same.
        killed = next(one for one in server.children() if one.cmdline() == server.cmdline())
        killed.kill()
        wait_until(lambda: len(set(server.children()) - {killed}) == 2, "another has taken its place")
        assert {check.decision("acct_last", secret) for _ in range(20)} == {"deny"}


@pytest.mark.long
def test_what_happened_meanwhile_counts_once_the_database_is_back(check: Check) -> None:
    _, secret = key("edge")
    revoked, of_revoked = key("revoked")
    blocked = restriction(account("acct_before"), at=timezone.now())
    with check.running() as server:
        wait_until(lambda: check.has_saved("acct_before") and check.has_saved("revoked"), "all of it is saved")
        kill(server)
    check.close_way()
    block("acct_meanwhile")
    lift(blocked, note="a mistake", by=MACHINE, now=timezone.now())
    revoke_service_key(revoked, by=MACHINE, now=timezone.now())

    with check.running():
        assert check.decision("acct_before", of_revoked) == "deny"
        assert check.decision("acct_meanwhile", secret) == "allow"
        check.open_way()
        wait_until(lambda: check.decision("acct_meanwhile", secret) == "deny", "the new block is known")
        wait_until(lambda: check.decision("acct_meanwhile", of_revoked) == "401", "the key is refused")
        wait_until(lambda: check.decision("acct_before", secret) == "allow", "the lifting is known")
        wait_until(lambda: check.has_saved("acct_meanwhile") and not check.has_saved("revoked"), "it is saved")


@pytest.mark.long
def test_a_copy_that_was_altered_is_of_no_use(check: Check) -> None:
    _, secret = key("edge")
    block("acct_before")
    with check.running() as server:
        wait_until(lambda: check.has_saved("acct_before") and check.has_saved("edge"), "all of it is saved")
        kill(server)
    check.close_way()
    keys = check.folder / "keys"
    keys.write_bytes(keys.read_bytes().replace(b'"edge"', b'"Edge"'))

    with check.running():
        assert check.decision("acct_before", secret) == "503"


@pytest.mark.long
def test_who_was_refused_last_is_refused_after_a_new_epoch_too(check: Check) -> None:
    _, secret = key("edge")
    block("acct_before")
    with check.running() as server:
        wait_until(lambda: check.decision("acct_before", secret) == "deny")
        call_command("new_epoch", "restored")
        block("acct_after")
        wait_until(lambda: check.decision("acct_after", secret) == "deny")
        wait_until(lambda: check.has_saved("acct_after"))
        kill(server)
    check.close_way()

    with check.running():
        assert [check.decision(name, secret) for name in ("acct_before", "acct_after")] == ["deny", "deny"]


def test_what_is_saved_can_be_read_whole_after_a_new_epoch(check: Check) -> None:
    """Numbers of changes have a gap where an epoch begins, and the newest changes are of both."""
    block("acct_before")
    with served() as front:
        assert front.front.replica.wait_until_loaded(PATIENCE)
        call_command("new_epoch", "restored")
        wait_until(lambda: front.front.replica.restricted.sequence > 1_000_000)
        block("acct_after")

    store = StateStore(check.folder, "a secret key")
    with served(store=store) as front:
        assert front.front.replica.wait_until_loaded(PATIENCE)
        block("acct_last")
        wait_until(lambda: check.has_saved("acct_last"), "it is saved")
        wait_until(lambda: (one := store.load()) is not None and b"acct_last" in saved_changes(one))
        saved = store.load()

    assert saved is not None
    assert saved.faults == ()
    with rows.connect() as database:
        assert saved.recent == rows.newest_changes(database, 10)


def saved_changes(saved: SavedState) -> bytes:
    return "".join(change.payload or "" for change in saved.recent).encode()


def test_a_message_that_cannot_be_read_costs_nothing_before_it(check: Check, caplog: pytest.LogCaptureFixture) -> None:
    key("edge")
    store = StateStore(check.folder, "a secret key")
    block("acct_before")
    with served(store=store):
        wait_until(lambda: check.has_saved("acct_before") and check.has_saved("edge"), "all of it is saved")
    store.open()
    store.save_changes([b'{"format": 1, "after": 1, "sequence": 9, "fail_closed_plans": [], "changes": []}'])

    def away() -> rows.Connection:
        raise psycopg.OperationalError

    replica = RestrictionReplica(timezone.now, away, saved_state=store.load)
    replica.start()
    try:
        assert replica.wait_until_loaded(PATIENCE)
        assert not replica.restricted.decide(["account:acct_before"], now=timezone.now().timestamp()).allowed
        wait_until(lambda: "What was kept after change 1: changes are missing" in caplog.text)
    finally:
        replica.end()
        store.close()


def test_what_is_saved_is_what_the_process_knew(check: Check) -> None:
    until = timezone.now() + timedelta(hours=1)
    store = StateStore(check.folder, "a secret key")
    block("acct_1")
    with served(store=store) as front:
        key("until", expires_at=until)
        lift(restriction(account("acct_2"), at=timezone.now()), note="a mistake", by=MACHINE, now=timezone.now())
        wait_until(lambda: check.has_saved("acct_2") and check.has_saved("until"), "all of it is saved")
        replica = front.front.replica
        wait_until(lambda: replica.restricted.sequence == 3)
        wait_until(lambda: (saved := store.load()) is not None and saved.restricted.sequence == 3)

        saved = store.load()
        assert saved is not None
        assert (saved.epoch, saved.keys, saved.faults) == (replica.epoch, replica.keys, ())
        assert list(saved.restricted.live()) == list(replica.restricted.live())
        with rows.connect() as database:
            assert saved.recent == rows.newest_changes(database, 10)
        wait_until(lambda: (one := store.load()) is not None and one.age < 60)
    with_another_key = StateStore(check.folder, "another secret key")
    with_another_key.open()
    assert with_another_key.load() is None
    with_another_key.close()
