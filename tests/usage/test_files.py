"""Files of usage and of the register, by name and through a pipe; what is wrong is said without flooding a terminal."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Account
from accounts.queries import find_account_pks
from governance.usage.models import DirtyAccount, UsageEvent
from tests.factories import NOW, account, line

pytestmark = pytest.mark.django_db


def piped(patch: pytest.MonkeyPatch, *lines: bytes) -> None:
    patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n".join(lines))))


class TestImportUsage:
    def test_reads_a_pipe(self, monkeypatch: pytest.MonkeyPatch, time_machine: Any) -> None:
        time_machine.move_to(NOW)
        piped(monkeypatch, line(account="acct_1"), line(account="acct_2"))

        call_command("import_usage", "-")

        assert UsageEvent.objects.count() == 2

    def test_says_which_file_it_cannot_open(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"events\.jsonl cannot be read: No such file or directory\."):
            call_command("import_usage", str(tmp_path / "events.jsonl"))


class TestImportAccounts:
    def test_names_the_first_lines_and_counts_the_others(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("accounts.management.commands.import_accounts.REPORTED_LINES", 1)
        keys = [{"id": "key_1", "digest": "ab" * 32}]
        contested = [json.dumps({"account": f"acct_{number}", "keys": keys}).encode() for number in range(3)]
        piped(monkeypatch, *contested, b"{", b"[")

        with pytest.raises(CommandError, match="2 lines of - were rejected"):
            call_command("import_accounts", "-")

        said = capsys.readouterr()
        assert [one for one in said.err.splitlines() if one.startswith("line ")] == [
            "line 4: it is not JSON: it ends too early"
        ]
        assert len(said.out.strip().splitlines()) == 2
        assert "3 accounts created" in said.out


class TestRescore:
    def test_names_the_accounts_that_are_not_known(self) -> None:
        account("acct_1")

        with pytest.raises(CommandError, match=r"^There is no account acct_2, acct_3\.$"):
            call_command("rescore", "acct_3", "acct_1", "acct_2")

        assert not DirtyAccount.objects.exists()

    def test_takes_up_those_whose_scoring_failed(self, capsys: pytest.CaptureFixture[str]) -> None:
        DirtyAccount.objects.create(account=account("acct_1"), dirty_since=NOW, dead_lettered_at=NOW)

        call_command("rescore", "--dead-letters")

        assert "1 account will be scored again." in capsys.readouterr().out
        assert DirtyAccount.objects.get().dead_lettered_at is None


def test_nobody_is_looked_up_for_no_names(django_assert_num_queries: Any) -> None:
    Account.objects.create(external_id="acct_1", first_seen_at=NOW)

    with django_assert_num_queries(0):
        assert find_account_pks([]) == {}
