"""The commands about people, as in every_command.py."""

from tests.factories import person
from tests.flows.command_world import World, runs


@runs("add_user")
def _(world: World) -> None:
    assert world.call("add_user", "ada@example.com", "--name", "Ada Moreau", "--role", "admin")


@runs("remove_second_factor")
def _(world: World) -> None:
    assert "had no second factor" in world.call("remove_second_factor", person().email)


@runs("shut_out_user")
def _(world: World) -> None:
    world.call("shut_out_user", person().email)
