"""From usage to a calibration that says whom it was made for, and to the page that compares today's customers."""

import json
from pathlib import Path

import pytest
import time_machine

from governance import pipeline
from governance.campaigns.calibration_diff import score_by_both
from governance.detection.active_calibration import get_active_calibration, parse_calibration_file
from governance.detection.models import CalibrationVersion
from governance.detection.queries import load_assessed_accounts
from governance.staff.roles import Role
from governance.usage.actions import record_lines
from tests.commands import run_command
from tests.factories import NOW, line, person
from tests.review.pages import signed_in

CUSTOMERS = 110


@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_the_customers_of_a_calibration_have_not_moved_on_its_day(tmp_path: Path) -> None:
    names = [f"acct_{number}" for number in range(CUSTOMERS)]
    record_lines(
        [
            line(account=name, prompt=f"What is {name}, please?" if place % 2 else None)
            for place, name in enumerate(names)
        ],
        source="native",
        now=NOW,
    )
    pipeline.govern(now=NOW, limit=CUSTOMERS)
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        "\n".join(
            json.dumps({"account": name, "label": "malicious" if place % 2 else "benign"})
            for place, name in enumerate(names[:40])
        )
    )
    output = tmp_path / "2026-12.toml"
    lead = signed_in(person(role=Role.LEAD))
    assert "does not say whom it was made for" in lead.get("/calibration/drift/").content.decode()

    run_command("calibrate", str(labels), "--name", "2026-12", "--output", str(output))
    run_command("use_calibration", str(output))

    reference = parse_calibration_file(output.read_text()).reference
    assert reference is not None
    assert reference.accounts == CUSTOMERS
    assert reference.figures["texts"] == [0.5, 0.5]
    assert "Nothing has moved" in lead.get("/calibration/drift/").content.decode()


@pytest.mark.django_db
def test_a_calibration_counts_customers_as_the_page_does() -> None:
    record_lines([line(account=f"acct_{number}", prompt="Hello") for number in range(3)], source="native", now=NOW)
    pipeline.govern(now=NOW)
    active = get_active_calibration()

    scored = [*score_by_both(active, active, now=NOW)]

    assert all(one.before == one.after for one in scored)
    assert sorted(one.assessed for one in scored) == sorted(load_assessed_accounts(now=NOW))


@pytest.mark.django_db
def test_a_calibration_that_cannot_be_read_is_said_on_the_page() -> None:
    CalibrationVersion.objects.create(
        version="broken", content="weights = {}", in_force_since=NOW, put_in_force_by="system:test"
    )

    shown = signed_in(person(role=Role.LEAD)).get("/calibration/drift/").content.decode()

    assert "The active calibration cannot be read: version is missing." in shown
