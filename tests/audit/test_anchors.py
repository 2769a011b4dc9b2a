"""A witness and a time-stamp authority sign checkpoints: with servers of their own."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as installed

from governance.audit.anchors import STAMP_EVERY, anchor
from governance.audit.models import Checkpoint, PublicationTrouble
from governance.audit.notes import format_key
from governance.audit.publishing import log_keys, publish
from governance.audit.stillwatch_verify import VerifierKey, open_checkpoint
from governance.management import doctor
from tests.audit.publishing import forge, publish_to, verify_outside, write_many
from tests.audit.time_stamps import make_authority, openssl, running_authority
from tests.audit.witness import KEY, NAME
from tests.factories import NOW
from tests.servers import end, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


@contextmanager
def running_witness(state: Path, port: int) -> Iterator[None]:
    """The witness in a process of its own."""
    command = [sys.executable, "-m", "tests.audit.witness", str(state), str(port), format_key(log_keys()[0].verifier)]
    process = subprocess.Popen(command, cwd=installed.BASE_DIR)
    try:
        wait_until(lambda: is_open(port))
        yield
    finally:
        end(process)


def is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def witness(settings: Any, tmp_path: Path) -> Iterator[Path]:
    port = free_port()
    settings.AUDIT_WITNESS_URL, settings.AUDIT_WITNESS_KEY = f"http://127.0.0.1:{port}", KEY
    with running_witness(tmp_path / "state", port):
        yield tmp_path / "state"


def trouble(kind: PublicationTrouble.Kind) -> str:
    return PublicationTrouble.objects.get(kind=kind).message


class TestTheWitness:
    def test_signs_what_it_sees_first_and_what_follows_from_it(self, witness: Path, folder: Path) -> None:
        for size in (5, 300, 301, 700):
            publish_to(size)
            anchor(now=LATER)

            keys = [log_keys()[0].verifier, VerifierKey.parse(KEY)]
            assert NAME in open_checkpoint((folder / "checkpoint").read_text(), keys).witnessed
        assert Checkpoint.objects.exclude(cosigned_at=None).count() == 4
        assert (folder / "checkpoints/300").read_text() in (folder / "checkpoints/300.witnessed").read_text()
        assert verify_outside().returncode == 0
        assert publish(now=LATER) is None

    def test_is_asked_again_where_it_knows_another_size(self, witness: Path) -> None:
        publish_to(5)
        anchor(now=LATER)
        publish_to(9)
        Checkpoint.objects.update(cosigned_at=None)

        anchor(now=LATER)

        assert Checkpoint.objects.latest("size").cosigned_at == LATER

    def test_refuses_a_log_that_was_made_again(self, witness: Path, settings: Any, tmp_path: Path) -> None:
        publish_to(300)
        anchor(now=LATER)
        Checkpoint.objects.all().delete()
        settings.AUDIT_FOLDER = tmp_path / "forged"
        forge("DELETE FROM audit_entry WHERE number > 200")
        write_many(150)
        publish(now=LATER)

        anchor(now=LATER)

        assert trouble(PublicationTrouble.Kind.WITNESS) == "it answered 422"
        assert Checkpoint.objects.get().cosigned_at is None

    def test_tells_of_a_log_that_was_cut(self, witness: Path, settings: Any, tmp_path: Path) -> None:
        publish_to(300)
        anchor(now=LATER)
        Checkpoint.objects.all().delete()
        settings.AUDIT_FOLDER = tmp_path / "forged"
        forge("DELETE FROM audit_entry WHERE number > 200")
        publish(now=LATER)

        anchor(now=LATER)

        said = "it has seen 300 entries, and the log published here has 200"
        assert trouble(PublicationTrouble.Kind.WITNESS) == said

    def test_that_is_away_delays_nothing_and_is_asked_again(self, settings: Any, tmp_path: Path) -> None:
        port = free_port()
        settings.AUDIT_WITNESS_URL, settings.AUDIT_WITNESS_KEY = f"http://127.0.0.1:{port}", KEY
        publish_to(5)
        anchor(now=LATER)
        publish_to(6)

        assert trouble(PublicationTrouble.Kind.WITNESS) == "connection refused"
        assert [said for said in doctor.troubles(now=NOW) if "The witness does not sign" in said]
        with running_witness(tmp_path / "state", port):
            anchor(now=LATER)
        assert Checkpoint.objects.latest("size").cosigned_at == LATER
        assert not PublicationTrouble.objects.exists()

    def test_must_sign_with_the_key_that_is_set(self, witness: Path, settings: Any) -> None:
        settings.AUDIT_WITNESS_KEY = format_key(log_keys()[0].verifier)
        publish_to(5)

        anchor(now=LATER)

        said = "its answer holds no signature of AUDIT_WITNESS_KEY"
        assert trouble(PublicationTrouble.Kind.WITNESS) == said


class TestTheAuthority:
    def test_stamps_a_checkpoint_as_openssl_verifies_it(self, settings: Any, folder: Path, tmp_path: Path) -> None:
        root = make_authority(tmp_path / "authority")
        settings.AUDIT_TIMESTAMP_ROOTS = str(root)
        with running_authority(tmp_path / "authority") as settings.AUDIT_TIMESTAMP_URL:
            publish_to(5)
            anchor(now=LATER)

        assert not PublicationTrouble.objects.exists()
        stamp = folder / "checkpoints/005.tsr"
        assert bytes(Checkpoint.objects.get(size=5).time_stamp or b"") == stamp.read_bytes()
        openssl("ts", "-verify", "-data", folder / "checkpoints/005", "-in", stamp, "-CAfile", root)
        assert verify_outside().returncode == 0

    def test_is_asked_once_an_hour(self, settings: Any, tmp_path: Path) -> None:
        make_authority(tmp_path / "authority")
        with running_authority(tmp_path / "authority") as settings.AUDIT_TIMESTAMP_URL:
            for size, at in ((5, NOW), (6, NOW + STAMP_EVERY / 2), (7, NOW + STAMP_EVERY)):
                publish_to(size)
                anchor(now=at)

        stamped = Checkpoint.objects.exclude(stamped_at=None).order_by("size")
        assert [*stamped.values_list("size", flat=True)] == [5, 7]

    def test_of_others_is_refused(self, settings: Any, folder: Path, tmp_path: Path) -> None:
        make_authority(tmp_path / "authority")
        settings.AUDIT_TIMESTAMP_ROOTS = str(make_authority(tmp_path / "other"))
        with running_authority(tmp_path / "authority") as settings.AUDIT_TIMESTAMP_URL:
            publish_to(5)
            anchor(now=LATER)

        assert trouble(PublicationTrouble.Kind.TIME_STAMP).startswith("its signature does not verify")
        assert not (folder / "checkpoints/005.tsr").exists()

    def test_that_is_away_delays_nothing(self, settings: Any) -> None:
        settings.AUDIT_TIMESTAMP_URL = f"http://127.0.0.1:{free_port()}"
        publish_to(5)
        anchor(now=LATER)

        publish_to(6)
        assert trouble(PublicationTrouble.Kind.TIME_STAMP) == "connection refused"
        assert [said for said in doctor.troubles(now=NOW) if "gets no time stamps (connection refused)" in said]
