"""The commands of the published log, where something is missing or wrong."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.audit.chain import encode_leaf
from governance.audit.models import Checkpoint, Entry
from governance.audit.new_logs import begin_log
from governance.audit.queries import content_of
from tests.audit.publishing import forge, publish_to, write_many
from tests.factories import MACHINE, NOW

pytestmark = pytest.mark.django_db


def said(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


class TestLogKeys:
    @pytest.mark.parametrize(
        ("keys", "complaint"), [([], "set AUDIT_KEY"), (["short"], "AUDIT_KEY must hold 32 bytes")]
    )
    def test_says_what_is_wrong_with_the_setting(self, settings: Any, keys: list[str], complaint: str) -> None:
        settings.AUDIT_KEYS = keys

        with pytest.raises(CommandError, match=complaint):
            call_command("log_keys")


class TestPublishLog:
    def test_says_when_nothing_is_new(self) -> None:
        said("publish_log")

        assert said("publish_log") == "Nothing is new.\n"

    def test_names_a_key_that_is_none(self, settings: Any) -> None:
        settings.AUDIT_KEYS = ["short"]

        with pytest.raises(CommandError, match="AUDIT_KEY must hold 32 bytes"):
            call_command("publish_log")

    def test_names_a_folder_that_cannot_be_written(self, settings: Any, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        settings.AUDIT_FOLDER = tmp_path / "file/log"

        with pytest.raises(CommandError, match="folder: Not a directory"):
            call_command("publish_log")


class TestRotateLogKey:
    def test_puts_a_new_key_before_the_old_one(
        self, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("AUDIT_KEY", raising=False)
        settings.EMBEDDED, settings.DATA_DIR = True, tmp_path

        output = said("rotate_log_key")

        assert len((tmp_path / "audit-keys").read_text().split()) == 2
        assert "Restart Stillwatch" in output
        assert f"\n{settings.AUDIT_ORIGIN}+" in output

    def test_prints_the_setting_where_there_is_one(self, settings: Any) -> None:
        settings.EMBEDDED = False

        output = said("rotate_log_key")

        [line] = [line for line in output.splitlines() if line.startswith("AUDIT_KEY=")]
        new, *old = line.removeprefix("AUDIT_KEY=").split(";")
        assert old == settings.AUDIT_KEYS
        assert new not in old


class TestAuditVerify:
    def test_names_a_kept_checkpoint_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"cannot be compared with what was published: .*No such file"):
            call_command("audit_verify", "--checkpoint", str(tmp_path / "nothing"))

    def test_goes_on_behind_an_entry_that_is_not_what_was_published(self) -> None:
        publish_to(300)
        entry = Entry.objects.get(number=290)
        entry.actor_name = "Eve"
        leaf = encode_leaf(content_of(entry), bytes(entry.salt))
        forge("UPDATE audit_entry SET actor_name = 'Eve', leaf = %s WHERE number = 290", leaf)
        forge("UPDATE audit_entry SET verb = 'x' WHERE number = 299")
        err = StringIO()

        with pytest.raises(CommandError, match="broken at 2 of 300"):
            call_command("audit_verify", stderr=err)

        assert err.getvalue().startswith("entry 290: ")

    def test_misses_entries_of_which_only_the_folder_knows(self) -> None:
        publish_to(300)
        Checkpoint.objects.all().delete()
        forge("DELETE FROM audit_entry WHERE number > 290")

        with pytest.raises(CommandError, match="entries 291 to 300 are missing"):
            call_command("audit_verify")


class TestBeginLog:
    def test_names_a_folder_of_somebody_else(self, settings: Any) -> None:
        publish_to(20)
        (Path(settings.AUDIT_FOLDER) / "checkpoint").write_text("Nothing of ours.\n")

        with pytest.raises(CommandError, match="What was published before cannot be read"):
            call_command("begin_log", "restored")

    def test_counts_what_is_common_up_to_an_entry_that_was_changed(self) -> None:
        publish_to(300)
        forge("DELETE FROM audit_entry WHERE number > 280")
        write_many(20)
        forge("UPDATE audit_entry SET actor_name = 'Eve' WHERE number = 250")

        begin_log(reason="restored", by=MACHINE, now=NOW)

        assert Entry.objects.latest("number").details["common"] == 249
