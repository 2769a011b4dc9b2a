"""The documents are true: every link leads somewhere, and every command and example that they show can be run."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.utils import timezone

from governance.audit.actor import Actor
from governance.bench.serving import check_server, environment_of, web_server
from governance.platform import timeouts
from governance.platform.installation_secrets import LOG_KEYS, PEPPERS
from governance.sharing.actions.partners import add_partner
from governance.sharing.models import Tlp
from governance.usage.models import UsageEvent
from tests.factories import account, restriction
from tests.flows import (  # noqa: F401 - which say how commands are run
    every_command,
    every_log_command,
    every_partner_command,
    every_staff_command,
)
from tests.flows.command_world import RUNS, World
from tests.flows.documents import (
    PAGES,
    ROOT,
    Link,
    Written,
    headings,
    links,
    made,
    managed,
    named_tests,
    shells,
    targets,
)

# Runs until it is stopped, on servers of its own.
RUN_ELSEWHERE = {
    "serve_check": ROOT / "tests" / "flows" / "test_slow_senders.py",
    "up": ROOT / "tests" / "flows" / "running_up.py",
}
# What follows these is for a program of PostgreSQL.
OF_OTHER_PROGRAMS = {"postgres"}
OWN = {name for name, app in get_commands().items() if str(app).startswith(("governance", "accounts"))}
SERVERS = {
    line
    for page in PAGES
    for block in shells(page, "granian|celery")
    for line in block.split("\n")
    if re.match(r"\S*(granian|celery) ", line)
}
WITH_PROGRAMS = [page for page in PAGES if shells(page, "curl")]


class TestALink:
    @pytest.mark.parametrize("link", links(), ids=str)
    def test_leads_somewhere(self, link: Link) -> None:
        assert link.target.exists()
        assert not link.heading or link.heading in headings(link.target)


class TestASetting:
    def test_is_documented_if_there_is_one(self) -> None:
        files = ("settings.py", "staff/sign_in_settings.py")
        source = "".join((ROOT / "governance" / file).read_text() for file in files)
        read = set(re.findall(r'env\.\w+\(\s*f?"([A-Z_]+)', source)) - {"DATABASE_TIMEOUTS_"}
        read |= {LOG_KEYS.variable, PEPPERS.variable}
        rows = re.findall(r"^\| (`[^|]+) \|", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE)
        documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

        assert documented == read | {f"DATABASE_TIMEOUTS_{process.upper()}" for process in timeouts.DEFAULTS}


class TestACommand:
    def test_is_documented_if_there_is_one(self) -> None:
        assert OWN - {command.name for command in managed()} == set()

    def test_exists_and_is_run_here_if_it_is_documented(self) -> None:
        assert {command.name for command in managed()} == RUNS.keys() | RUN_ELSEWHERE.keys()

    def test_of_its_own_test_is_run_there(self) -> None:
        for name, file in RUN_ELSEWHERE.items():
            assert f'"manage.py", "{name}"' in file.read_text()

    @pytest.mark.parametrize("command", managed(), ids=lambda command: f"{command.page.name}: {command.name}")
    def test_has_the_options_that_documents_give_it(self, command: Written) -> None:
        parser = load_command_class(get_commands()[command.name], command.name).create_parser("manage.py", command.name)

        if command.name not in OF_OTHER_PROGRAMS:
            assert set(command.options) <= parser._option_string_actions.keys()

    @pytest.mark.long
    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("name", sorted(RUNS))
    def test_works(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        RUNS[name](World(tmp_path, timezone.now(), monkeypatch))

    @pytest.mark.long
    @pytest.mark.django_db(transaction=True)
    def test_works_for_the_benchmarks_of_enforcement(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        world = World(tmp_path, timezone.now(), monkeypatch)

        assert world.call_from_a_shell("bench", "--enforcement", "--smoke") == ""


class TestATest:
    @pytest.mark.parametrize(("page", "file", "name"), named_tests())
    def test_exists_if_documents_name_it(self, page: Path, file: str, name: str) -> None:
        assert not name or re.search(rf"^ *(class|def) {name}\b", (ROOT / file).read_text(), re.MULTILINE)
        assert (ROOT / file).is_file(), page


class TestMake:
    def test_has_every_target_that_documents_name(self) -> None:
        assert made() <= targets()


class TestAProgram:
    """Click reads all arguments before it prints its help, and refuses options that it does not know."""

    @pytest.mark.parametrize("line", sorted(SERVERS))
    def test_has_the_options_that_documents_give_it(self, line: str) -> None:
        program, _, rest = line.partition(" ")
        asked = [sys.executable, "-m", Path(program).name, *rest.split(), "--help"]

        said = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)

        assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
class TestAnExampleWithCurl:
    def test_answers_as_the_documents_say(self) -> None:
        now = timezone.now()
        blocked = account("acct_blocked")
        for place in range(42):
            restriction(account("acct_1042") if place == 41 else account(), at=now)
        restriction(blocked, at=now)
        partner = add_partner("North Lab", receives=True, sends=False, tlp=Tlp.GREEN, by=Actor.system("test"), now=now)
        with web_server(workers=1, threads=8) as (port, _), check_server(workers=1) as (check_port, _):
            answers = [
                (page.name, *run(block, secret_of(page, block, partner.token), port, check_port))
                for page in WITH_PROGRAMS
                for block in shells(page, "curl")
            ]

        assert [(page, status) for page, status, _ in answers] == [
            ("README.md", 200),
            ("README.md", 202),
            ("api.md", 200),
            ("gateways.md", 200),
            ("sharing.md", 200),
        ]
        walk, usage, listed, check, taxii = (answer for _, _, answer in answers)
        assert (walk["decision"], walk["restriction"]["kind"]) == ("deny", "block")
        assert usage["accepted"] == 1
        assert UsageEvent.objects.get().event_id == "req_1"
        assert (check["decision"], check["reason"], check["restriction"]) == (
            "deny",
            "bulk_harvest",
            {"number": 42, "kind": "block"},
        )
        assert listed["restrictions"] == [{"number": 43, "account": "acct_blocked", "kind": "block"}]
        assert listed["before"] == 43
        assert taxii["default"] in taxii["api_roots"]
        assert check.keys() == documented_answer(ROOT / "docs" / "gateways.md").keys()


def secret_of(page: Path, block: str, token: str) -> str:
    """The line that sets the secret of an example: the one on its page that issues a key, or a partner's token."""
    if "issue_service_key" in block:
        return ""
    if "$TOKEN" in block:
        return f"TOKEN={token}\n"
    (issue,) = re.findall(r"^\S*python manage\.py issue_service_key .*$", page.read_text(), re.MULTILINE)
    return f"KEY=$({issue})\n"


def run(block: str, before: str, port: int, check_port: int) -> tuple[int, Any]:
    """What the server answers to the last command of an example, as a shell runs it."""
    script = (before + block).replace("acct_…", "acct_blocked")
    script = script.replace("https://stillwatch.example.com", f"http://127.0.0.1:{port}")
    for documented, real in ((8000, port), (8001, check_port)):
        script = script.replace(f"http://127.0.0.1:{documented}", f"http://127.0.0.1:{real}")
    script = script.replace(".venv/bin/python", sys.executable).replace("curl ", "curl -sS -w '\\n%{http_code}' ")
    environment = environment_of(port) | {"DJANGO_SETTINGS_MODULE": "governance.settings", "PATH": os.environ["PATH"]}
    said = subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    body, _, status = said.rpartition("\n")
    return int(status), json.loads(body)


def documented_answer(page: Path) -> dict[str, Any]:
    (answer,) = re.findall(r"curl .*?\n\n(\{.*?\})\n```", page.read_text(), re.DOTALL)
    return dict(json.loads(answer))
