"""The log is published to a folder that only ever grows, and never as something else than what is there."""

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from governance.audit.chain import canonical_json
from governance.audit.models import Checkpoint, Entry, PublicationTrouble
from governance.audit.notes import format_key
from governance.audit.publishing import log_keys, publish
from governance.audit.queries import iter_leaves
from governance.audit.stillwatch_verify import split_bundle, verify_folder
from governance.audit.verbs import Verb
from governance.management import doctor
from governance.platform.locks import Lock, advisory_lock
from tests.audit.publishing import forge, forget_leaves, publish_to, verify_outside, write, write_many
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


def files(folder: Path) -> dict[str, bytes]:
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def fault() -> str:
    return PublicationTrouble.objects.get(kind=PublicationTrouble.Kind.FAULT).message


class TestPublishing:
    def test_writes_what_the_specification_names(self, folder: Path) -> None:
        publish_to(300)

        assert {*files(folder)} >= {
            "checkpoint",
            "checkpoints/300",
            "tile/0/000",
            "tile/0/001.p/44",
            "tile/1/000.p/1",
            "tile/entries/000",
            "tile/entries/001.p/44",
        }
        assert (folder / "checkpoint").read_bytes() == (folder / "checkpoints/300").read_bytes()

    def test_holds_every_entry_as_canonical_json(self, folder: Path) -> None:
        write({"name": "Zoë", "b": [1, None, True]})
        publish(now=NOW)

        [first, *_] = split_bundle((folder / "tile/entries/000.p/2").read_bytes())

        assert first == canonical_json(json.loads(first))
        assert [*json.loads(first)] == ["at", "commitments", "number", "verb"]

    def test_tells_nobody_who_did_what_to_whom(self, folder: Path) -> None:
        write("Zoë of Acme called.")
        publish(now=NOW)

        [first, *_] = split_bundle((folder / "tile/entries/000.p/2").read_bytes())

        assert [*json.loads(first)["commitments"]] == ["actor", "details.note", "subject"]
        assert not any(word in first for word in [b"Acme", b"Zo", b"test", b'"case"'])

    def test_says_in_the_log_itself_with_which_key_it_is_signed(self) -> None:
        publish(now=NOW)

        entry = Entry.objects.get(verb=Verb.LOG_KEY_USED)
        assert entry.details == {"key": format_key(log_keys()[0].verifier)}

    def test_goes_on_from_where_it_was(self, folder: Path) -> None:
        publish_to(200)
        before = files(folder)
        publish_to(600)

        verify_folder(folder, [key.verifier for key in log_keys()])
        kept = {path: content for path, content in before.items() if path != "checkpoint" and ".p/" not in path}
        assert kept.items() <= files(folder).items()

    def test_deletes_parts_of_a_tile_once_the_whole_is_there(self, folder: Path) -> None:
        publish_to(200)
        publish_to(600)

        parts = {path for path in files(folder) if ".p/" in path}
        assert parts == {"tile/0/002.p/88", "tile/entries/002.p/88", "tile/1/000.p/2"}

    def test_does_nothing_where_nothing_is_new(self, folder: Path) -> None:
        publish_to(5)
        before = files(folder)

        assert publish(now=LATER) is None
        assert files(folder) == before

    def test_records_what_another_run_published_before_it_was_killed(self) -> None:
        publish_to(5)
        Checkpoint.objects.all().delete()

        again = publish(now=LATER)

        assert again is not None
        assert (again.size, again.folder) == (5, str(again.folder))

    def test_is_done_by_one_process_at_a_time(self) -> None:
        write()
        statement = "SELECT pg_try_advisory_lock(%s, 0)"
        with connection.copy().cursor() as other:
            other.execute(statement, [Lock.LOG_PUBLICATION])

            assert publish(now=NOW) is None
            other.connection.close()
        with advisory_lock(Lock.LOG_PUBLICATION, wait=True):
            pass
        assert publish(now=NOW) is not None

    def test_says_where_the_folder_holds_a_log_of_another_name(self, settings: Any, folder: Path) -> None:
        publish_to(5)
        before, settings.AUDIT_ORIGIN = settings.AUDIT_ORIGIN, "another.example"

        assert publish(now=LATER) is None
        assert fault().startswith(f"the folder holds the log {before}, and AUDIT_ORIGIN names another.example:")
        settings.AUDIT_ORIGIN = before
        write()
        assert publish(now=LATER) is not None

    def test_says_where_none_of_its_keys_signed_what_the_folder_holds(self, settings: Any) -> None:
        publish_to(5)
        settings.AUDIT_KEYS = ["C" * 43]

        assert publish(now=LATER) is None
        assert fault() == "a checkpoint is signed by none of the given keys"

    def test_needs_a_key(self, settings: Any, folder: Path) -> None:
        settings.AUDIT_KEYS = []
        write()

        assert publish(now=NOW) is None
        assert not folder.exists()
        assert any("set AUDIT_KEY" in trouble for trouble in doctor.troubles(now=NOW))

    def test_lets_nobody_else_read_the_folder(self, folder: Path) -> None:
        publish_to(3)

        modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*")}
        assert modes == {0o700, 0o600}

    def test_publishes_an_entry_of_any_length(self, folder: Path) -> None:
        write("x" * 100_000)
        publish(now=NOW)

        [first, *_] = split_bundle((folder / "tile/entries/000.p/2").read_bytes())

        assert len(first) < 1_000
        call_command("audit_verify")

    def test_publishes_entries_of_releases_that_kept_no_bytes(self, folder: Path) -> None:
        kept = bytes(write().leaf or b"")
        forget_leaves()
        write()

        publish(now=NOW)

        [first, *_] = split_bundle((folder / "tile/entries/000.p/3").read_bytes())
        assert first == kept
        call_command("audit_verify")

    def test_to_a_new_folder_begins_again_with_all_of_it(self, settings: Any, tmp_path: Path) -> None:
        publish_to(300)
        settings.AUDIT_FOLDER = tmp_path / "new"

        publish(now=LATER)
        publish_to(301)

        assert verify_folder(tmp_path / "new", [key.verifier for key in log_keys()])[0] == 301


class TestKeys:
    def test_follow_one_another_without_a_gap(self, settings: Any, folder: Path) -> None:
        publish_to(5)
        old = log_keys()[0].verifier
        settings.AUDIT_KEYS = ["A" * 43, *settings.AUDIT_KEYS]
        new = log_keys()[0].verifier
        publish(now=LATER)

        assert verify_folder(folder, [old]) == (6, 3, 0)
        assert verify_folder(folder, [new]) == (6, 1, 2)

        settings.AUDIT_KEYS = settings.AUDIT_KEYS[:1]
        publish_to(7)
        assert verify_folder(folder, [new])[0] == 7

    def test_are_printed_for_those_who_verify(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("log_keys")

        assert capsys.readouterr().out == f"{format_key(log_keys()[0].verifier)}\n"


class TestTheVerifier:
    def test_verifies_the_folder_from_outside(self) -> None:
        publish_to(600)

        done = verify_outside()

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "Verified 600 entries and 2 checkpoints; 0 are signed by other keys alone.\n"

    def test_names_the_first_bad_entry(self, folder: Path) -> None:
        publish_to(600)
        file = folder / "tile/entries/001"
        file.write_bytes(file.read_bytes().replace(b'"number":302,', b'"number":303,'))

        done = verify_outside()

        assert done.returncode == 1
        assert done.stderr == "NOT verified: entry 302 is not the one that was published.\n"


def test_leaves_are_read_in_order() -> None:
    write_many(5)

    assert [json.loads(leaf)["number"] for leaf in iter_leaves(2, 4)] == [2, 3, 4]


def test_audit_verify_names_what_does_not_fit() -> None:
    publish_to(300)
    forge("DELETE FROM audit_entry WHERE number > 290")

    with pytest.raises(CommandError, match="entries 291 to 300 are missing"):
        call_command("audit_verify")
