"""The made-up world is lived in the order of time, and what is found in it is what its cast does."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from governance.audit.models import Entry
from governance.campaigns.models import Campaign
from governance.demo import world
from governance.demo.behaviours.hiding import REASONING_RING, TASK_RING
from governance.demo.cast import HARVEST
from governance.detection.models import Assessment
from governance.detection.scoring import REVIEW_LINE
from governance.management.commands.load_demo import SEED
from governance.restrictions.models import Change
from governance.review.models import Case
from tests.demo.playing import MONDAY_MORNING, Played, play_demonstration, play_world
from tests.factories import person

pytestmark = pytest.mark.django_db
SATURDAY_NIGHT = datetime(2026, 8, 23, 1, tzinfo=UTC)
RINGS = {REASONING_RING.name: 12, TASK_RING.name: 8}
SINGLE_HARVESTS = HARVEST - set(RINGS)


def kinds_in(made: Played, campaign: Campaign) -> Counter[str]:
    return kinds_of(made, campaign.members.current().values_list("account__external_id", flat=True))


def kinds_waiting(made: Played) -> Counter[str]:
    """Of the accounts with an open case, be it part of that of a campaign."""
    cases = Case.objects.filter(status=Case.Status.OPEN, campaign=None)
    return kinds_of(made, cases.values_list("account__external_id", flat=True))


def kinds_of(made: Played, accounts: Iterable[str]) -> Counter[str]:
    return Counter(made.labels[account] for account in accounts)


def kinds_at_the_review_line(made: Played) -> set[str]:
    reached = Assessment.objects.filter(score__gte=REVIEW_LINE).values_list("account__external_id", flat=True)
    return {made.labels[account] for account in reached}


def assert_both_rings_are_campaigns(made: Played) -> None:
    """Each ring is one campaign with almost all of its accounts, and nobody else is in any."""
    found = [kinds_in(made, campaign) for campaign in Campaign.objects.filter(state=Campaign.State.OPEN)]

    assert len(found) == len(RINGS)
    for ring, accounts in RINGS.items():
        campaign = next(kinds for kinds in found if ring in kinds)
        assert accounts - 1 <= campaign[ring] <= accounts
        assert set(campaign) == {ring}


def assert_look_alikes_are_watched(made: Played) -> None:
    """Customers of one template or tool are a group for a reason that is shown; one institution is none."""
    watched = [*Campaign.objects.filter(state=Campaign.State.WATCHED)]

    kinds = {kind for campaign in watched for kind in kinds_in(made, campaign)}
    assert kinds
    assert not kinds & (HARVEST | {"university"})
    assert {campaign.watched_because for campaign in watched} == {
        "Its members' prompts, taken together, do not read like a harvest."
    }


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
class TestTheFullDemonstration:
    def test_finds_every_harvest_and_leaves_a_queue(self) -> None:
        made = play_demonstration("full")

        assert_both_rings_are_campaigns(made)
        assert_look_alikes_are_watched(made)
        assert kinds_at_the_review_line(made) >= HARVEST
        waiting = kinds_waiting(made)
        assert sum(waiting.values()) >= 12
        assert waiting[TASK_RING.name] >= 7
        assert Case.objects.decided().count() >= 15
        of_today = Case.objects.filter(campaign=None, account__external_id__in=made.world.labels)
        assert set(kinds_of(made, of_today.values_list("account__external_id", flat=True))) <= HARVEST | {
            "exercise_publisher",
            "explainer_site",
            "reasoning_study",
            "evaluation_harness",  # for which a colleague asked
        }


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
