"""The demonstration, played as `load_demo` does."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from governance.demo import world
from governance.demo.gateways import DemoGateways, issue_gateway_keys
from governance.demo.story import Demonstration
from governance.demo.team import Team, assemble_team
from governance.demo.world import World
from governance.management.commands.load_demo import SEED, SIZES
from governance.staff.actions import ensure_demo_staff
from tests.factories import MACHINE

MONDAY_MORNING = datetime(2026, 8, 17, 9, tzinfo=UTC)


class Played(NamedTuple):
    story: Demonstration
    team: Team
    gateways: DemoGateways

    @property
    def world(self) -> World:
        return self.story.world

    @property
    def labels(self) -> dict[str, str]:
        return self.story.labels


def play_demonstration(size: str, ends_at: datetime = MONDAY_MORNING) -> Played:
    return play_world(world.build_world(seed=SEED, ends_at=ends_at, **SIZES[size]))


def play_world(made: World) -> Played:
    story = Demonstration(made)
    with tempfile.TemporaryDirectory() as folder:
        ensure_demo_staff(Path(folder) / "staff.json", by=MACHINE, now=story.begins_at)
    team = assemble_team(by=MACHINE, now=story.begins_at)
    gateways, _ = issue_gateway_keys(by=MACHINE, now=story.begins_at)
    for _ in story.play(team=team, gateways=gateways):
        pass
    return Played(story, team, gateways)
