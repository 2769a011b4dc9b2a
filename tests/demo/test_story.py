"""The made-up world is lived in the order of time, and so its log is in that order as well."""

from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from governance.audit.models import Entry
from governance.demo import world
from governance.demo.story import play
from governance.restrictions.models import Change
from tests.factories import person

pytestmark = pytest.mark.django_db
ENDS_AT = datetime(2026, 8, 17, 9, tzinfo=UTC)


def test_entries_and_changes_of_a_made_up_world_follow_each_other_in_time() -> None:
    staff = [person("Mira Okafor"), person("Jonas Lindqvist")]
    before = Entry.objects.count()

    for _ in play(world.build_world(seed=2026, ends_at=ENDS_AT, days=6, accounts=60), staff=staff):
        pass

    entries = list(Entry.objects.order_by("number").values_list("at", "verb")[before:])
    assert entries == sorted(entries, key=lambda entry: entry[0])
    assert sum(verb == "case.decided" for _, verb in entries) > 3
    changes = list(Change.objects.order_by("number").values_list("at", flat=True))
    assert changes == sorted(changes)


def test_a_made_up_past_is_not_appended_to_a_log_that_has_begun() -> None:
    person()

    with pytest.raises(CommandError, match="The audit log has entries already"):
        call_command("load_demo", stdout=StringIO())
