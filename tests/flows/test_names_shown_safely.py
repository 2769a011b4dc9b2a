"""Names that customers chose to mislead: taken in as they are, and shown so that they change nothing around them."""

import json
import logging
import logging.config
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import Account, ApiKey, Organisation
from governance.audit.actions import record
from governance.audit.verbs import Verb
from governance.review.models import Case
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.commands import run_command
from tests.factories import MACHINE, NOW, case, line, person, restriction, service_key
from tests.review.pages import address, signed_in, text

pytestmark = pytest.mark.django_db

OVERRIDE, ESCAPE, HIDDEN = "\u202egnp.exe Ltd", "acct_\x1b[2J\x9b31m", "org_\u200b1"
HEBREW = "שלום (2024) בעמ"
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(autouse=True)
def _at_nine() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def misleading(tmp_path: Path) -> Case:
    """A case of an account of the register whose every name is chosen to mislead."""
    file = tmp_path / "accounts.jsonl"
    described = {
        "account": ESCAPE, "organisation": HIDDEN, "organisation_name": OVERRIDE, "plan": "fr\u202eee",
        "declared_use": "chat\x07\nbots", "keys": [{"id": "key_\u2066x"}],
    }  # fmt: skip
    file.write_text(json.dumps(described) + "\n" + json.dumps({"account": "a\nb", "status": "\u202e\x1b"}))
    out, err = run("import_accounts", str(file))
    assert out.startswith("1 account created")
    assert not DANGEROUS.search(out + err)
    return case(Account.objects.get(external_id=ESCAPE))


def run(*command: str) -> tuple[str, str]:
    out, err, _ = run_command(*command)
    return out, err


class TestOnATerminal:
    @pytest.mark.parametrize("command", [["rank_accounts"], ["rank_accounts", "--format=jsonl"], ["explain", ESCAPE]])
    def test_no_command_writes_what_drives_or_turns_it(self, misleading: Case, command: list[str]) -> None:
        out, _ = run(*command)

        assert "acct_" in out
        assert not DANGEROUS.search(out)

    def test_a_name_has_one_line(self) -> None:
        record_lines([line(account="acct_a\nacct_innocent")], source="native", now=NOW)

        out, _ = run("rank_accounts")

        assert r"acct_a\nacct_innocent" in out

    def test_an_import_of_usage_names_bad_lines_so(self, tmp_path: Path) -> None:
        file = tmp_path / "events.jsonl"
        file.write_bytes(line(status="\u202e\x1b[2J") + b"\n" + line())

        _, err = run("import_usage", str(file))

        assert "line 1" in err
        assert not DANGEROUS.search(err)


class TestOnAPage:
    @pytest.mark.parametrize("page", ["/queue/", "case"])
    def test_a_name_is_written_out_and_kept_apart(self, misleading: Case, page: str) -> None:
        shown = text(signed_in(person()).get(address(misleading) if page == "case" else page))

        assert r"<bdi>\u202egnp.exe Ltd</bdi>" in shown
        assert r"<bdi>acct_\x1b[2J\x9b31m</bdi>" in shown
        assert not DANGEROUS.search(shown)

    def test_a_name_of_another_direction_stays_as_it_is(self, client: Client) -> None:
        of_tel_aviv = Organisation.objects.create(external_id="org_2", name=HEBREW)
        about = case(Account.objects.create(external_id="acct_2", organisation=of_tel_aviv, first_seen_at=NOW))

        assert f"<bdi>{HEBREW}</bdi>" in text(signed_in(person()).get(address(about)))

    @pytest.mark.parametrize(
        "page",
        [
            "accounts/account/", "accounts/apikey/", "accounts/organisation/", "audit/entry/",
            "restrictions/restriction/",
            "restrictions/change/", "restrictions/coveredname/", "accounts/account/{account}/change/",
            "accounts/apikey/?q=%1b%e2%80%ae",
        ],
    )  # fmt: skip
    def test_of_the_admin_is_no_exception(self, misleading: Case, page: str) -> None:
        key = ApiKey.objects.get()
        restriction(key, terms_clause="4\x1b[31m\u202e")
        record(
            Verb.KEY_MOVED, subject=("key", key.external_id), by=MACHINE, now=NOW, details={"from": OVERRIDE, "to": ""}
        )

        response = signed_in(person(role=Role.ADMIN)).get("/admin/" + page.format(account=misleading.account_id))

        assert response.status_code == 200
        assert not DANGEROUS.search(text(response))
        assert r"\x" in text(response) or r"\u20" in text(response)

    def test_a_key_is_written_out_in_the_list_of_restrictions_and_when_it_is_lifted(self, misleading: Case) -> None:
        number = restriction(ApiKey.objects.get(), terms_clause="4\x1b[31m\u202e").number
        lead = signed_in(person("Jonas Lind", role=Role.LEAD))

        listed = text(lead.get("/restrictions/"))
        lifted = text(lead.post(f"/restrictions/{number}/lift/", {"note": "A slip."}, follow=True))

        assert r"key_\u2066x" in listed
        assert r"key_\u2066x) removed." in lifted
        assert not DANGEROUS.search(listed + lifted)

    def test_a_key_and_a_clause_are_written_out_beside_a_restriction(self, misleading: Case) -> None:
        restriction(ApiKey.objects.get(), terms_clause="4\x1b[31m\u202e")

        shown = text(signed_in(person()).get(address(misleading)))

        assert r"key_\u2066x" in shown
        assert r"4\x1b[31m\u202e" in shown
        assert not DANGEROUS.search(shown)

    def test_the_admins_lists_are_no_exception(self, misleading: Case) -> None:
        shown = text(signed_in(person(role=Role.ADMIN)).get("/admin/review/case/"))

        assert r"acct_\x1b" in shown
        assert not DANGEROUS.search(shown)


class TestATextThatNamesSomething:
    @pytest.mark.parametrize("clause", ["4\x1b[31m", "4\u202e", "4\n5"])
    def test_is_refused_as_a_clause_over_rest(self, client: Client, misleading: Case, clause: str) -> None:
        _, known = service_key("restrictions:write")
        asked = {"account": ESCAPE, "kind": "block", "reason": "bulk_harvest", "terms_clause": clause}

        said = client.post("/api/v1/restrictions", asked, content_type="application/json", **known)

        assert said.status_code == 400
        assert "terms_clause" in said.json()["errors"]

    @pytest.mark.parametrize("name", ["edge\x1b[31m", "\u202eegde", "edge\n"])
    @pytest.mark.parametrize(
        "command",
        [
            ["issue_service_key", "{}", "--scope=access:read"],
            ["set_canary", "{}", "acct_canary", "https://x.example/v1"],
        ],
    )
    def test_is_refused_as_a_name_by_commands(self, command: list[str], name: str) -> None:
        ran = run_command(*(part.replace("{}", name) for part in command))

        assert ran.status == 1
        assert "printable characters" in ran.err


def test_a_line_of_the_log_is_written_out(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    config = settings.LOGGING["formatters"]["line"]
    handler = logging.StreamHandler()
    handler.setFormatter(logging.config.DictConfigurator({}).configure_formatter(dict(config)))
    record = logging.LogRecord("stillwatch", logging.ERROR, __file__, 1, "No account %s", (ESCAPE,), None)

    written = handler.format(record)

    assert written.endswith(r"No account acct_\x1b[2J\x9b31m")


@pytest.mark.parametrize("name", ["account", "organisation", "plan", "declared_use", "organisation_name"])
def test_a_nul_is_refused_with_its_reason(tmp_path: Path, name: str) -> None:
    file = tmp_path / "accounts.jsonl"
    file.write_text(json.dumps({"account": "acct_1", name: "a\0b"}) + "\n" + json.dumps({"account": r"a\u0000b"}))

    out, err = run("import_accounts", str(file))

    assert err.startswith(f"line 1: {name} must not hold the character NUL\n")
    assert out.startswith("1 account created")
