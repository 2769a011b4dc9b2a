"""The command that takes in what partners send, as in every_command.py."""

from governance.audit.actor import Actor
from governance.sharing.actions.partners import add_partner
from governance.sharing.models import Tlp
from tests.flows.command_world import World, runs
from tests.sharing.partners import bundle, indicator


@runs("import_indicators")
def _(world: World) -> None:
    by = Actor.system("test")
    add_partner("North Lab", receives=False, sends=True, tlp=Tlp.GREEN, by=by, now=world.now)
    file = world.folder / "indicators.json"
    file.write_bytes(bundle(indicator("[ipv4-addr:value = '203.0.113.7']")))
    assert "1 indicator added" in world.call("import_indicators", "North Lab", str(file))
