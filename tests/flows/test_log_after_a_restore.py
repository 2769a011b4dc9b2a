"""An old backup is put back on purpose: the log goes on beside what was published before, and says so."""

from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from governance.audit.models import Entry
from governance.audit.new_logs import LogFitsError, begin_log
from governance.audit.publishing import publish
from governance.audit.queries import PublishedLog, get_published_log
from governance.audit.stillwatch_verify import LogFaultError
from governance.audit.verbs import Verb
from governance.management import doctor
from tests.audit.publishing import forge, publish_to, verify_outside, write_many
from tests.factories import MACHINE, NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
FIRST = PublishedLog()


def restore(number: int, *, more: int = 20) -> None:
    """Put back a backup with so many entries, which then grows again."""
    forge("DELETE FROM audit_entry WHERE number > %s", number)
    write_many(more)


def begin(*, now: datetime = LATER) -> PublishedLog:
    return begin_log(reason="restored after a fault", by=MACHINE, now=now)


def publish_troubles() -> list[str]:
    return [trouble for trouble in doctor.troubles(now=NOW) if "audit log" in trouble]


def test_the_log_goes_on_under_another_name() -> None:
    publish_to(300)
    restore(280)
    publish(now=NOW)
    [trouble] = publish_troubles()
    assert "entry 281 of the log is not what was published" in trouble
    assert "manage.py begin_log" in trouble
    before = sorted(Path(settings.AUDIT_FOLDER).rglob("*"))

    said = StringIO()
    call_command("begin_log", "restored to 14:20 after a fault", stdout=said)

    log, began = get_published_log(), Entry.objects.get(verb=Verb.LOG_BEGAN)
    assert began.details == {
        "name": log.name,
        "before": FIRST.origin,
        "entries": 300,
        "common": 280,
        "reason": "restored to 14:20 after a fault",
    }
    assert f"The log {log.origin} begins in {log.path} with the first 280 of the 300 entries" in said.getvalue()
    assert f"\n{log.origin}+" in said.getvalue()
    assert publish_troubles() == []
    # Both verify, and of the first nothing was changed.
    assert [path for path in before if not path.exists()] == []
    assert verify_outside(FIRST).stdout.startswith("Verified 300 entries")
    assert verify_outside(log).stdout.startswith(f"Verified {Entry.objects.count()} entries")

    publish_to(Entry.objects.count() + 10)
    verified = StringIO()
    call_command("audit_verify", stdout=verified)
    assert f"published to {log.path}" in verified.getvalue()


def test_a_log_that_fits_goes_on_as_it_is() -> None:
    publish_to(300)
    write_many(5)

    with pytest.raises(LogFitsError):
        begin()
    with pytest.raises(CommandError, match="the log goes on as it is"):
        call_command("begin_log", "for no reason")

    assert get_published_log() == FIRST


def test_a_restore_to_before_another_log_was_begun_is_found_too() -> None:
    publish_to(300)
    backup = list(Entry.objects.all())
    restore(280)
    second = begin()
    publish(now=LATER)
    # This one fits the first log as a whole, and nothing of what followed is in it.
    restore(0, more=0)
    Entry.objects.bulk_create(backup)
    publish(now=LATER)
    [trouble] = publish_troubles()
    assert f"the database does not know that the log {second.origin} was begun" in trouble

    third = begin(now=LATER + timedelta(minutes=1))
    publish(now=LATER + timedelta(minutes=1))

    began = Entry.objects.filter(verb=Verb.LOG_BEGAN).latest("number").details
    assert (began["before"], began["common"]) == (second.origin, 280)
    assert publish_troubles() == []
    assert verify_outside(second).returncode == verify_outside(third).returncode == 0


def test_a_clock_that_is_behind_begins_no_log() -> None:
    publish_to(300)
    restore(280)
    begin()
    publish(now=LATER)
    restore(280)

    with pytest.raises(LogFaultError, match="the clock is behind"):
        begin(now=NOW)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 301])
def test_a_reason_is_needed(reason: str) -> None:
    with pytest.raises(CommandError, match="give a reason of 1 to 300 characters"):
        call_command("begin_log", reason)
