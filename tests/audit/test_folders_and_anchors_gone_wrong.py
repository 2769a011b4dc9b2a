"""What may be wrong with a published folder, with a log beside it, and with what a time-stamp authority answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from governance.audit.anchors import anchor
from governance.audit.folder import LogFolder
from governance.audit.merkle import range_head
from governance.audit.models import Checkpoint, PublicationTrouble
from governance.audit.notes import LogKey, sign_checkpoint
from governance.audit.publishing import publish
from governance.audit.stillwatch_verify import NOTHING, LogFaultError
from governance.audit.verification import HeadCheck
from tests.audit.publishing import forge, publish_to, write_many
from tests.audit.test_anchors import running_witness
from tests.audit.time_stamps import make_authority, openssl, running_authority
from tests.audit.witness import KEY
from tests.factories import NOW
from tests.servers import Quiet, free_port, serving

LATER = NOW + timedelta(minutes=1)
SIGNER = LogKey("log.example.com", "B" * 43)
HASHES = [bytes([number]) * 32 for number in range(256)]


def trouble() -> str:
    return PublicationTrouble.objects.get().message


@contextmanager
def answering(status: int, content: bytes = b"") -> Iterator[str]:
    """An authority that always answers this; yield its address."""

    class Authority(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with serving(HTTPServer(("127.0.0.1", 0), Authority)) as server:
        yield f"http://127.0.0.1:{server.server_port}/"


class TestAFolder:
    def test_has_no_hashes_in_a_tile_of_none(self, tmp_path: Path) -> None:
        assert LogFolder(tmp_path).hashes(0, 0, 0) == []
        assert range_head(5, 5, LogFolder(tmp_path).node) == NOTHING  # type: ignore[arg-type]

    def test_that_lacks_a_tile_is_named_by_it(self, tmp_path: Path) -> None:
        with pytest.raises(LogFaultError, match=r"tile/entries/007\.p/3 is missing"):
            LogFolder(tmp_path).entries(7, 3)

    def test_with_a_tile_that_was_cut_is_named_by_it(self, tmp_path: Path) -> None:
        folder = LogFolder(tmp_path)
        folder.add_tile(0, 0, HASHES[:4])
        (tmp_path / "tile/0/000.p/4").write_bytes(HASHES[0])

        with pytest.raises(LogFaultError, match=r"tile/0/000\.p/4 is too short"):
            folder.hashes(0, 0, 4)

    def test_takes_no_whole_tile_beside_a_part_of_another(self, tmp_path: Path) -> None:
        folder = LogFolder(tmp_path)
        folder.add_tile(0, 0, HASHES[1:5])

        with pytest.raises(LogFaultError, match=r"tile/0/000\.p/4 does not belong to its tile"):
            folder.add_tile(0, 0, HASHES)

    def test_keeps_its_newest_checkpoint_where_an_older_one_is_witnessed_late(self, tmp_path: Path) -> None:
        folder = LogFolder(tmp_path)
        notes = {size: sign_checkpoint(size, HASHES[size], [SIGNER]) for size in (5, 9)}
        for size, note in notes.items():
            folder.add_checkpoint(size, note)

        folder.cosign(5, f"{notes[5]}— witness AAAA\n")

        assert (tmp_path / "checkpoint").read_text() == notes[9]


def test_two_checkpoints_of_one_size_that_differ_are_a_fault() -> None:
    with pytest.raises(LogFaultError, match="two checkpoints of 5 entries differ"):
        HeadCheck([(5, HASHES[0]), (5, HASHES[1])])


@pytest.mark.django_db
class TestALog:
    def test_that_fills_its_tiles_is_published(self, settings: Any) -> None:
        publish_to(256)

        assert (Path(settings.AUDIT_FOLDER) / "tile/0/000").is_file()

    def test_that_lacks_a_new_entry_is_not_published(self) -> None:
        publish_to(300)
        write_many(3)
        forge("DELETE FROM audit_entry WHERE number = 302")

        assert publish(now=LATER) is None
        assert trouble() == "the log lacks one of the entries 257 to 303"

    def test_that_lacks_a_published_entry_is_not_published(self) -> None:
        publish_to(600)
        forge("DELETE FROM audit_entry WHERE number = 512")

        assert publish(now=LATER) is None
        assert trouble() == "the log lacks one of the entries 257 to 512"


@pytest.mark.django_db
class TestAnAnchor:
    def test_is_not_sought_before_anything_is_published(self, settings: Any) -> None:
        settings.AUDIT_TIMESTAMP_URL = f"http://127.0.0.1:{free_port()}"

        anchor(now=NOW)

        assert not PublicationTrouble.objects.exists()

    def test_is_not_sought_again(self, settings: Any, tmp_path: Path) -> None:
        port = free_port()
        settings.AUDIT_WITNESS_URL, settings.AUDIT_WITNESS_KEY = f"http://127.0.0.1:{port}", KEY
        make_authority(tmp_path / "authority")
        publish_to(5)
        with (
            running_witness(tmp_path / "state", port),
            running_authority(tmp_path / "authority") as settings.AUDIT_TIMESTAMP_URL,
        ):
            anchor(now=LATER)
        anchor(now=LATER + timedelta(hours=2))

        newest = Checkpoint.objects.latest("size")
        assert (newest.cosigned_at, newest.stamped_at) == (LATER, LATER)
        assert not PublicationTrouble.objects.exists()

    def test_of_an_authority_that_fails_says_so(self, settings: Any) -> None:
        publish_to(5)
        with answering(503) as settings.AUDIT_TIMESTAMP_URL:
            anchor(now=LATER)

        assert trouble() == "it answered 503"

    def test_of_an_authority_that_refuses_says_so(self, settings: Any, tmp_path: Path) -> None:
        make_authority(tmp_path / "authority")
        configuration = tmp_path / "authority/openssl.cnf"
        configuration.write_text(configuration.read_text().replace("digests = sha256, sha512", "digests = sha512"))
        publish_to(5)
        with running_authority(tmp_path / "authority") as settings.AUDIT_TIMESTAMP_URL:
            anchor(now=LATER)

        assert trouble() == "it refused"

    def test_of_something_else_is_refused(self, settings: Any, tmp_path: Path) -> None:
        authority = tmp_path / "authority"
        make_authority(authority)
        query, reply = tmp_path / "query", tmp_path / "reply"
        openssl("ts", "-query", "-data", authority / "root.pem", "-sha256", "-cert", "-out", query)
        openssl("ts", "-reply", "-config", authority / "openssl.cnf", "-queryfile", query, "-out", reply)
        publish_to(5)
        with answering(200, reply.read_bytes()) as settings.AUDIT_TIMESTAMP_URL:
            anchor(now=LATER)

        assert trouble() == "its answer is about something else"
