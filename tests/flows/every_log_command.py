"""The commands of the audit log, as in every_command.py."""

import pytest
from django.core.management import CommandError

from governance.review.models import Case
from tests.flows.command_world import World, runs


@runs("audit_verify")
def _(world: World) -> None:
    world.decide()
    assert world.call("audit_verify")


@runs("publish_log")
def _(world: World) -> None:
    world.decide()
    assert world.call("publish_log").startswith("localhost\n")


@runs("begin_log")
def _(world: World) -> None:
    world.call("publish_log")
    with pytest.raises(CommandError, match="the log goes on as it is"):
        world.call("begin_log", "restored to 14:20")


@runs("log_keys")
def _(world: World) -> None:
    assert world.call("log_keys").startswith("localhost+")


@runs("rotate_log_key")
def _(world: World) -> None:
    assert "localhost+" in world.call("rotate_log_key")


@runs("audit_verifier")
def _(world: World) -> None:
    assert world.call("audit_verifier").startswith('"""Verify a published audit log')


@runs("evidence")
def _(world: World) -> None:
    world.decide()
    target, opened = world.folder / "evidence.zip", Case.objects.order_by("account__external_id")[0]
    said = world.call("evidence", str(opened.pk), "--out", str(target), "--redact", "staff")
    assert said.startswith(f"{target}\nSHA-256 ")
    assert target.exists()
