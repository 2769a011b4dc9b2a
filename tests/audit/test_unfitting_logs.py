"""A log that is not what was published is found and not published; a folder that was changed is not added to."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from governance.audit.folder import LogFolder
from governance.audit.models import Checkpoint, PublicationTrouble
from governance.audit.publishing import publish
from governance.management import doctor
from tests.audit.publishing import forge, publish_to, write, write_many
from tests.factories import NOW, person
from tests.review.pages import signed_in, text

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


def files(folder: Path) -> dict[str, bytes]:
    found = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in found}


def fault() -> str:
    return PublicationTrouble.objects.get(kind=PublicationTrouble.Kind.FAULT).message


class TestALogThatDoesNotFit:
    @pytest.mark.parametrize(
        ("statement", "said"),
        [
            ("UPDATE audit_entry SET actor_name = 'Eve' WHERE number = 290", "entry 290 of the log"),
            ("UPDATE audit_entry SET leaf = 'x' WHERE number = 290", "entry 290 of the log"),
            ("UPDATE audit_entry SET at = at + interval '1 hour' WHERE number = 290", "entry 290 of the log"),
            ("DELETE FROM audit_entry WHERE number > 250", "the log ends at entry 251, and entry 300 was published"),
            ("DELETE FROM audit_entry WHERE number = 270", "entry 270 of the log is not what was published"),
        ],
    )
    def test_is_not_published(self, folder: Path, statement: str, said: str) -> None:
        publish_to(300)
        before = files(folder)
        forge(statement)
        write_many(1)

        assert publish(now=LATER) is None
        assert fault().startswith(said)
        assert files(folder) == before

    def test_is_found_in_older_entries_too_by_and_by(self) -> None:
        publish_to(5_000)
        forge("UPDATE audit_entry SET actor_name = 'Eve' WHERE number = 777")

        for minute in range(9):
            publish(now=NOW + timedelta(minutes=minute))

        assert fault() == "entry 777 of the log: its content was changed after it was written"

    def test_from_an_old_backup_is_found_although_it_grew_again(self) -> None:
        publish_to(300)
        forge("DELETE FROM audit_entry WHERE number > 280")
        write_many(100)

        publish(now=LATER)

        assert fault() == "entry 281 of the log is not what was published"

    def test_is_not_published_to_a_new_folder_either(self, settings: Any, tmp_path: Path) -> None:
        publish_to(300)
        forge("DELETE FROM audit_entry WHERE number > 280")
        write_many(100)
        settings.AUDIT_FOLDER = tmp_path / "new"

        publish(now=LATER)

        assert fault() == "the log does not begin with the 300 entries that were published before"
        assert not (tmp_path / "new").exists()

    def test_is_named_by_the_doctor_and_in_the_banner_of_every_page(self) -> None:
        publish_to(20)
        ana = signed_in(person("Ana Lima"))
        assert "does not fit" not in text(ana.get("/enforcement/alarm/"))
        forge("UPDATE audit_entry SET actor_name = 'Eve' WHERE number = 7")
        publish(now=LATER)

        assert "The audit log does not fit what was published of it." in text(ana.get("/enforcement/alarm/"))
        assert [trouble for trouble in doctor.troubles(now=NOW) if "entry 7 of the log: its content" in trouble]

    def test_is_forgotten_once_it_fits_again(self, client: Client) -> None:
        publish_to(20)
        forge("UPDATE audit_entry SET actor_name = 'Eve' WHERE number = 7")
        publish(now=LATER)
        forge("UPDATE audit_entry SET actor_name = 'test' WHERE number = 7")
        publish(now=LATER)

        assert not PublicationTrouble.objects.exists()


class TestAFolder:
    @pytest.mark.parametrize(
        "path", ["tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1", "checkpoint", "tile/0/001.p/50"]
    )
    def test_that_was_changed_is_not_added_to(self, folder: Path, path: str) -> None:
        publish_to(300)
        (folder / path).write_bytes(b"x" * 5_000)
        write_many(6)

        assert publish(now=LATER) is None
        assert fault()

    def test_that_lost_its_newest_checkpoint_is_not_added_to(self, folder: Path) -> None:
        publish_to(30)
        (folder / "checkpoint").unlink()

        assert publish(now=LATER) is None
        assert fault() == "the published log has lost its file checkpoint"

    def test_that_went_back_is_not_added_to(self, folder: Path) -> None:
        publish_to(30)
        publish_to(40)
        (folder / "checkpoint").write_bytes((folder / "checkpoints/030").read_bytes())

        assert publish(now=LATER) is None
        assert fault() == "the folder holds 30 entries, and 40 were published"

    def test_of_another_log_of_the_same_length_is_not_added_to(self) -> None:
        publish_to(30)
        Checkpoint.objects.filter(size=30).update(root=bytes(32))

        assert publish(now=LATER) is None
        assert fault() == "the folder holds other 30 entries than were published"

    def test_that_cannot_be_written_is_named_by_the_doctor_and_tried_again(self, settings: Any, tmp_path: Path) -> None:
        settings.AUDIT_FOLDER = tmp_path / "file" / "folder"
        (tmp_path / "file").write_text("")
        write()
        publish(now=NOW)
        assert [trouble for trouble in doctor.troubles(now=NOW) if "cannot be published (Not a directory" in trouble]

        (tmp_path / "file").unlink()
        assert publish(now=LATER) is not None
        assert not PublicationTrouble.objects.exists()

    def test_never_replaces_a_file_by_another(self, tmp_path: Path) -> None:
        made = LogFolder(tmp_path)
        made.add("tile/0/000.p/1", b"one")
        made.add("tile/0/000.p/1", b"one")

        with pytest.raises(Exception, match="holds something else"):
            made.add("tile/0/000.p/1", b"two")
        assert files(tmp_path) == {"tile/0/000.p/1": b"one"}
