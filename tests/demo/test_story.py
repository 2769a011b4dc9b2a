"""The made-up world is lived in the order of time, and what is found in it is what its cast does."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.audit.models import Entry
from governance.demo import world
from governance.demo.behaviours.hiding import REASONING_RING, TASK_RING
from governance.management.commands.load_demo import SEED
from governance.restrictions.models import Change
from tests.demo.found import (
    SINGLE_HARVESTS,
    assert_both_rings_are_campaigns,
    assert_look_alikes_are_watched,
    kinds_waiting,
)
from tests.demo.playing import MONDAY_MORNING, play_demonstration, play_world
from tests.factories import person

pytestmark = pytest.mark.django_db
SATURDAY_NIGHT = datetime(2026, 8, 23, 1, tzinfo=UTC)


class TestTheSmallDemonstration:
    @pytest.mark.parametrize(
        ("key", "ends_at"),
        [
            (b"one installation's key", MONDAY_MORNING),
            pytest.param(b"that of a second one", SATURDAY_NIGHT, marks=pytest.mark.long),
            pytest.param(b"and that of a third", MONDAY_MORNING, marks=pytest.mark.long),
        ],
    )
    def test_tells_the_same_story_in_every_installation(self, key: bytes, ends_at: datetime, settings: Any) -> None:
        settings.FINGERPRINT_KEY = key

        made = play_demonstration("small", ends_at)

        assert_both_rings_are_campaigns(made)
        assert_look_alikes_are_watched(made)
        waiting = kinds_waiting(made)
        assert sum(waiting.values()) >= 20
        assert waiting[REASONING_RING.name] >= 9
        assert waiting[TASK_RING.name] >= 7
        assert sum(waiting[kind] for kind in SINGLE_HARVESTS) >= 3


@pytest.mark.long
def test_entries_and_changes_of_a_made_up_world_follow_each_other_in_time() -> None:
    before = Entry.objects.count()

    play_world(world.build_world(seed=SEED, ends_at=MONDAY_MORNING, days=6, accounts=60))

    entries = list(Entry.objects.order_by("number").values_list("at", "verb")[before:])
    assert entries == sorted(entries, key=lambda entry: entry[0])
    assert sum(verb == "case.decided" for _, verb in entries) >= 3
    changes = list(Change.objects.order_by("number").values_list("at", flat=True))
    assert changes == sorted(changes)


def test_a_made_up_past_is_not_appended_to_a_log_that_has_begun() -> None:
    person()

    with pytest.raises(CommandError, match="The audit log has entries already"):
        call_command("load_demo", stdout=StringIO())
